# SPDX-License-Identifier: MIT
"""Latency at a constant rate, each counted from the moment at which the request was due. What a gateway adds is its latency
minus that of the upstream alone in the same round."""

import load
import priority
from bench import Bench
from figures import DIRECT, Figure, per_round
from stage import FIRST, PLURAL, SMALL

PERCENTILES = {"p50": "p50", "p99": "p99", "p999": "p99.9"}


def at_rate(bench: Bench, upstream: str, kind: str, model: str, stream: bool, rate: int) -> dict[str, list[dict]]:
    stage = bench.stage(upstream)
    names = [DIRECT, *bench.gateways(stage, kind)]
    results: dict[str, list[dict]] = {name: [] for name in names}
    pids = [pid for server in stage.servers() for pid in server.pids]
    with priority.before_others(pids) as allowed:
        for i in range(bench.plan.rounds):
            bench.progress(f"{upstream}, {rate:,} {'streams' if stream else 'requests'} a second, "
                           f"round {i + 1} of {bench.plan.rounds}")
            for name in bench.in_turn(names, i):
                target = stage.targets[name]
                result = load.rate(bench.house.builddir, target, target.ask(kind, model, stream=stream),
                                   bench.plan.rate_connections, rate, bench.plan.rate_seconds)
                bench.note_errors(f"{upstream}, {rate} a second", name, result)
                results[name].append(result)
    if not allowed:
        bench.progress("without real-time priority: p99 includes the time that other work takes")
    return results


def add_figures(bench: Bench, section: str, key: str, label: str, results: dict[str, list[dict]], what: str) -> None:
    for percentile, unit in PERCENTILES.items():
        rounds = {name: [r[what][percentile] for r in rs] for name, rs in results.items()}
        # Whether the upstream is in both or in neither, a gateway's difference to nginx is the same.
        added = {name: per_round(values, rounds[DIRECT]) for name, values in rounds.items() if name != DIRECT}
        added[DIRECT] = rounds[DIRECT]
        bench.figures.add(section, Figure(f"{key}.{percentile}", label, f"{unit} added, µs", added, 0, compared=False))


def latency(bench: Bench) -> None:
    for upstream in bench.upstreams:
        for level, rate in bench.plan.rates.items():
            results = at_rate(bench, upstream, "chat", SMALL, False, rate)
            add_figures(bench, f"Added latency, {PLURAL[upstream]}", f"latency.{upstream}.{level}",
                        f"{rate:,} requests a second", results, "whole_us")
        bench.figures.remark(f"Added latency, {PLURAL[upstream]}",
                             "`direct` is the latency of the upstream alone; the others are what a gateway adds to it.")


def first_token(bench: Bench) -> None:
    for upstream in bench.upstreams if not bench.plan.quick else bench.upstreams[-1:]:
        rate = bench.plan.first_rate
        results = at_rate(bench, upstream, "chat", FIRST, True, rate)
        add_figures(bench, f"Added time to the first event, {PLURAL[upstream]}", f"first.{upstream}",
                    f"{rate:,} streams a second", results, "first_event_us")
