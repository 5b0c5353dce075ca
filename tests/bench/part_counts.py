# SPDX-License-Identifier: MIT
"""System calls and instructions: what does not depend on the machine."""

import bounds
import calls
import instructions
import load
from bench import Bench
from figures import OURS, Figure
from stage import PACED, PLAIN, PLURAL, SMALL, STEPS, Stage, steps_model

SECTION = "System calls"


def one_connection(bench: Bench) -> None:
    """Each call has its bound, in every mode."""
    stage = bench.stage(PLAIN)
    bench.progress("system calls of requests on one connection")
    counts = calls.one_by_one(lambda: traced(bench, stage), stage.targets[OURS].ask("chat", SMALL))
    bench.wrong += calls.excess(counts)
    bench.figures.add(SECTION, Figure("calls.plain.single", "a request on one connection, by strace", "calls",
                                      {OURS: [counts["total"]]}, 2, compared=False))
    remark(bench, "A request on one connection", counts)


def remark(bench: Bench, what: str, counts: dict[str, float]) -> None:
    most = ", ".join(f"{name} {n:.2f}" for name, n in counts.items() if n >= 0.05 and name != "total")
    bench.figures.remark(SECTION, f"{what}, by strace: {most}.")


def traced(bench: Bench, stage: Stage) -> calls.Traced:
    return calls.Traced(bench.house.folder("traced"), bench.house.program, stage.upstream_url, settings=stage.settings())


def system_calls(bench: Bench) -> None:
    one_connection(bench)
    at_full_speed = not bench.plan.quick and calls.perf_works()
    for upstream in bench.upstreams:
        stage = bench.stage(upstream)
        bench.progress(f"{upstream}, system calls by strace")
        ours = stage.targets[OURS]
        request = calls.at_once(lambda: traced(bench, stage), ours.ask("chat", SMALL))
        few, many = STEPS
        event = calls.of_events(lambda: traced(bench, stage), ours.ask("chat", steps_model(few), stream=True),
                                ours.ask("chat", steps_model(many), stream=True), many - few)
        held = {f"calls.{upstream}.request": request["total"], f"calls.{upstream}.event": event["total"]}
        bench.wrong += [f"system calls: {line}" for line in bounds.excess(held)]
        method = "by strace" if at_full_speed else ""
        for unit, counts in (("request", request), ("event", event)):
            key = f"calls.{upstream}.{unit}" + (".strace" if method else "")
            bench.figures.add(SECTION, Figure(key, f"{PLURAL[upstream]}, {calls.CONNECTIONS} at once",
                                              f"calls/{unit}" + (f", {method}" if method else ""),
                                              {OURS: [counts["total"]]}, 2, compared=False))
            remark(bench, f"{PLURAL[upstream]}, {unit}", counts)
        if at_full_speed:
            full_speed(bench, stage, upstream)
    if not bench.plan.quick and not at_full_speed:
        bench.figures.remark(SECTION, "perf is missing or may not count (as root it may): all counts are strace's, under which "
                             "more falls together than at full speed.")


def full_speed(bench: Bench, stage: Stage, upstream: str) -> None:
    requests: dict[str, list[dict]] = {}
    events: dict[str, list[dict]] = {}
    n = calls.CONNECTIONS
    for name in bench.gateways(stage, "chat"):
        target = stage.targets[name]
        if not target.server.pids:
            continue
        requests[name], events[name] = [], []
        for i in range(bench.plan.rounds):
            bench.progress(f"{upstream}, {name}, system calls at full speed, round {i + 1} of {bench.plan.rounds}")
            with calls.Perf(target.server.pids, bench.house.directory) as perf:
                result = load.requests(target, target.ask("chat", SMALL), n, bench.plan.seconds)
            requests[name].append({"calls": perf.n / max(1, result["requests"])})
            with calls.Perf(target.server.pids, bench.house.directory) as perf:
                load.stream_events(bench.house.builddir, target, target.ask("chat", PACED, stream=True), n,
                                   bench.plan.stream_repeat, bench.plan.events)
            events[name].append({"calls": perf.n / (n * bench.plan.stream_repeat * bench.plan.events)})
    row = f"{PLURAL[upstream]}, {n} at once"
    bench.figure(SECTION, f"calls.{upstream}.request", row, "calls/request", requests, "calls", 2)
    bench.figure(SECTION, f"calls.{upstream}.event", row, "calls/event", events, "calls", 2)


def all_instructions(bench: Bench) -> None:
    """In a quick run tests/run has them from instructions.py."""
    bench.progress("instructions, by valgrind")
    for _ in range(instructions.TRIES):
        counts = instructions.measure(bench.house.builddir)
        missed = instructions.excess(counts, instructions.ratio_of(counts))
        if not missed:
            break
    bench.wrong += [f"instructions: {line}" for line in missed]
    section = "Instructions in user space, by valgrind"
    for kind, count in counts.items():
        row = instructions.KINDS[kind][0]
        bench.figures.add(section, Figure(f"instructions.{kind}", row, "thousand, without memset",
                                          {OURS: [count.rest / 1000]}, compared=False))
        bench.figures.add(section, Figure(f"instructions.{kind}.all", row, "thousand", {OURS: [count.all / 1000]},
                                          compared=False))
