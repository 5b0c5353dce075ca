# SPDX-License-Identifier: MIT
"""Requests as fast as they are answered: by kind, by the number of connections, and by the size of their body."""

import load
from ask import KINDS, Ask
from bench import Bench, label, with_cpu
from figures import OURS
from plan import KIB, MIB
from stage import LARGE, PLURAL, SMALL, TOOL, Stage


def kind_of_requests(bench: Bench, kind: str) -> None:
    for upstream in bench.upstreams:
        stage = bench.stage(upstream)
        names = bench.gateways(stage, kind)
        section = f"Requests, {PLURAL[upstream]}"
        for n in bench.plan.connections[kind]:
            results: dict[str, list[dict]] = {name: [] for name in names}
            what = f"{upstream}, {label(kind, n, 'connection')}"
            warm_up(bench, stage, names, kind, n)
            for i in range(bench.plan.rounds):
                bench.progress(f"{what}, round {i + 1} of {bench.plan.rounds}")
                for name in bench.in_turn(names, i):
                    target = stage.targets[name]
                    ask = target.ask(kind, TOOL if kind == "tools" else SMALL)
                    result = load.requests(target, ask, n, bench.plan.seconds)
                    bench.note_errors(what, name, result)
                    results[name].append(result)
            key = f"{kind}.{upstream}.{n}"
            row = label(kind, n, "connection")
            bench.figure(section, f"{key}.cpu", row, "CPU µs/request", with_cpu(stage, results), "cpu_us")
            bench.figure(section, f"{key}.rps", row, "requests/s", results, "rps", 0)
            if kind == "chat" and n == 16 and not bench.house.only_nginx:
                bench.figure("The store", f"store.{upstream}.{n}", f"{row}, {upstream} upstream", "% of CPU", {OURS: results[OURS]},
                             "store_percent", 2, compared=False)


def warm_up(bench: Bench, stage: Stage, names: list[str], kind: str, n: int) -> None:
    """So that a round does not contain the making of connections upstream, which are kept from then on."""
    for name in names if not bench.plan.quick else []:
        target = stage.targets[name]
        load.requests(target, target.ask(kind, TOOL if kind == "tools" else SMALL), n, 1)


def size_name(size: int) -> str:
    if size < KIB:
        return f"{size} B"
    return f"{size // KIB} KiB" if size < MIB else f"{size / 1e6:.0f} MB" if size % MIB else f"{size // MIB} MiB"


def body_requests(bench: Bench, target: load.Target, ask: Ask, size: int, n: int) -> dict:
    """wrk counts what is complete after some seconds; of large bodies there are too few, so their number is fixed."""
    if size < MIB:
        return load.requests(target, ask, n, bench.plan.seconds)
    return load.large_requests(target, ask, n, max(1, bench.plan.large_bytes // size // n))


def bodies(bench: Bench) -> None:
    for upstream in bench.upstreams if not bench.plan.quick else bench.upstreams[:1]:
        stage = bench.stage(upstream)
        for kind in bench.plan.body_kinds:
            names = bench.gateways(stage, kind)
            for size, n in bench.plan.bodies:
                results: dict[str, list[dict]] = {name: [] for name in names}
                what = f"{KINDS[kind]}, body of {size_name(size)}, {n} connections"
                for i in range(bench.plan.rounds):
                    bench.progress(f"{upstream}, {what}, round {i + 1} of {bench.plan.rounds}")
                    for name in bench.in_turn(names, i):
                        target = stage.targets[name]
                        result = body_requests(bench, target, target.ask(kind, LARGE, size), size, n)
                        bench.note_errors(f"{upstream}, {what}", name, result)
                        results[name].append(result)
                key = f"bodies.{upstream}.{kind}.{size}"
                section = f"Bodies, {PLURAL[upstream]}"
                bench.figure(section, f"{key}.cpu", what, "CPU µs/request", with_cpu(stage, results), "cpu_us", 0)
                bench.figure(section, f"{key}.rps", what, "requests/s", results, "rps", 0 if size < MIB else 1)
