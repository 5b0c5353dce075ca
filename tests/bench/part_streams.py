# SPDX-License-Identifier: MIT
"""Streams: what an event costs, what an open stream takes, and what a request costs beside many that are silent."""

import load
from bench import Bench, label, with_cpu
from figures import DIRECT, OURS
from stage import NOFILE, PACED, PLAIN, PLURAL, SILENT, SMALL, TLS

PATIENT = {"STREAM_IDLE_TIMEOUT": "1h"}
RESERVE = 200  # descriptors that gemgated needs, or keeps, besides those of the streams


def events(bench: Bench) -> None:
    for upstream in bench.upstreams:
        stage = bench.stage(upstream)
        direct = stage.targets[DIRECT]
        alone = load.stream_events(bench.house.builddir, direct, direct.ask("native", PACED, stream=True), 1, 1, 1)
        if alone["ok"] != 1:
            raise load.LoadError(f"a stream of the simulator itself fails: {alone['detail']}")
        for kind, counts in bench.plan.streams.items():
            names = bench.gateways(stage, kind)
            for n in counts:
                results: dict[str, list[dict]] = {name: [] for name in names}
                what = label(kind, n, "stream")
                for i in range(bench.plan.rounds):
                    bench.progress(f"{upstream}, events, {what}, round {i + 1} of {bench.plan.rounds}")
                    for name in bench.in_turn(names, i):
                        target = stage.targets[name]
                        ask = target.ask(kind, PACED, stream=True)
                        result = load.stream_events(bench.house.builddir, target, ask, n, bench.plan.stream_repeat,
                                                    alone["events"])
                        bench.note_errors(f"{upstream}, {what}", name, result)
                        results[name].append(result)
                bench.figure(f"Streamed events, {PLURAL[upstream]}", f"events.{upstream}.{kind}.{n}.cpu", what,
                             "CPU µs/event", with_cpu(stage, results), "cpu_us")


def crowd_of(bench: Bench, upstream: str, n: int, names: list[str], key: str) -> None:
    """On servers that have just started: what earlier loads left in their heaps would be used again, and an open stream
    would seem to cost nothing."""
    stage = bench.stage(upstream)
    section = f"Open streams, {PLURAL[upstream]}"
    results: dict[str, list[dict]] = {}
    for name in names:
        bench.progress(f"{upstream}, {n:,} open streams on {name}")
        settings = PATIENT | {"MAX_CONNECTIONS": str(max(n, 16384))}
        with stage.fresh(name, settings) as target:
            kind = "chat" if target.translates else "native"
            result = load.stream_crowd(bench.house.builddir, target, target.ask(kind, SILENT, stream=True), n)
        bench.note_errors(f"{upstream}, {n} open streams", name, result)
        results[name] = [result]
    row = f"{n:,} streams"
    bench.figure(section, f"{key}.memory", row, "KiB/stream", results, "kib_per_stream")
    bench.figure(section, f"{key}.anonymous", row, "KiB/stream, anonymous", results, "anon_kib_per_stream")
    bench.figure(section, f"{key}.errors", row, "errors", results, "errors", 0, compared=False)


def most_plain() -> int:
    """Each stream takes two descriptors of a gateway: the client's, and one upstream."""
    return (NOFILE - RESERVE) // 2


def crowd_sizes(bench: Bench) -> dict[str, dict[int, str]]:
    """All sizes by upstream, and the key of each in the bounds."""
    sizes = {upstream: {n: f"crowd.{upstream}.{n}" for n in counts} for upstream, counts in bench.plan.crowds.items()}
    sizes[TLS][bench.plan.crowd_alone] = f"crowd.tls.{bench.plan.crowd_alone}"
    if not bench.plan.quick:
        sizes[PLAIN][most_plain()] = "crowd.plain.most"
    return sizes


def crowd(bench: Bench) -> None:
    for upstream in bench.upstreams:
        stage = bench.stage(upstream)
        for n, key in crowd_sizes(bench)[upstream].items():
            alone = n not in bench.plan.crowds[upstream]
            crowd_of(bench, upstream, n, [OURS] if alone else stage.fresh_names(), key)
        if upstream == PLAIN and not bench.plan.quick:
            bench.figures.remark(f"Open streams, {PLURAL[upstream]}",
                                 f"A process has at most {NOFILE:,} descriptors here, and each stream takes two: "
                                 f"{most_plain():,} streams are the most that were tried.")


def beside(bench: Bench) -> None:
    """Two servers of a kind take turns: one alone, one with silent streams. Each pair is measured by itself, so that the
    other's streams do not load the simulator."""
    for upstream in bench.upstreams if not bench.plan.quick else bench.upstreams[:1]:
        stage = bench.stage(upstream)
        for n in bench.plan.silent:
            results: dict[int, dict[str, list[dict]]] = {c: {} for c in bench.plan.silent_connections}
            for name in stage.fresh_names():
                if bench.answers(stage, stage.targets[name], "chat"):
                    for c, pairs in pairs_beside(bench, upstream, name, n).items():
                        results[c][name] = pairs
            section = f"A request beside silent streams, {PLURAL[upstream]}"
            for c, by_name in results.items():
                row = f"{n:,} silent streams, {c} connection{'s' if c > 1 else ''}"
                key = f"beside.{upstream}.{n}.{c}"
                bench.figure(section, f"{key}.alone", row, "CPU µs/request, none open", by_name, "alone")
                bench.figure(section, f"{key}.cpu", row, "CPU µs/request", by_name, "beside")
                bench.figure(section, f"{key}.growth", row, "times one alone",
                             by_name, lambda r: r["beside"] / r["alone"] if r["alone"] > 0 else 0.0, 2, compared=False)


def pairs_beside(bench: Bench, upstream: str, name: str, n: int) -> dict[int, list[dict]]:
    stage, out = bench.stage(upstream), {c: [] for c in bench.plan.silent_connections}
    with stage.fresh(name) as alone, stage.fresh(name, PATIENT) as crowded:
        ask = alone.ask("chat", SMALL)
        silent = crowded.ask("chat", SILENT, stream=True)
        with load.held_streams(bench.house.builddir, crowded, silent, n):
            for c in bench.plan.silent_connections:
                for i in range(bench.plan.rounds):
                    bench.progress(f"{upstream}, {name} with {n:,} silent streams, {c} connections, "
                                   f"round {i + 1} of {bench.plan.rounds}")
                    costs = {}
                    for which in bench.in_turn(["alone", "beside"], i):
                        result = load.requests(alone if which == "alone" else crowded, ask, c, bench.plan.seconds)
                        bench.note_errors(f"{upstream}, beside {n} silent streams", name, result)
                        costs[which] = result["cpu_us"]
                    out[c].append(costs)
    return out
