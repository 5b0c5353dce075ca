# SPDX-License-Identifier: MIT
"""Head-of-line blocking: a lost packet holds up all streams of its connection until it has come again. gemgate's pool of
connections alone (bench-spread), with 1, 4 and 8 HTTP/2 connections and with the daemon's own numbers, over a network that is
20 ms away in each direction and loses packets (tests/net/relay.py)."""

import contextlib
import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1] / "net"))

import load  # noqa: E402
import nginx  # noqa: E402
import relay as net  # noqa: E402
from bench import Bench  # noqa: E402
from certificates import Certificates  # noqa: E402
from figures import DIRECT, Figure  # noqa: E402
from servers import ServerError  # noqa: E402
from stage import NOFILE, SMALL, SPACED  # noqa: E402

DELAY, JITTER = 20_000, 2_000  # µs, in each direction
# The connections that are made before they are needed, and the streams that each has before the next one is made.
SPREADS = {"1 connection": (1, 1), "4 connections": (4, 1), "8 connections": (8, 1), "the daemon's": (0, 0)}
PERCENTILES = {"p50": "p50", "p99": "p99", "p999": "p99.9"}
# What is asked, which model answers so, and what of it is measured.
KINDS = {"small": ("small requests", SMALL, False, "whole_us", "latency"),
         "events": ("streams, an event every 20 ms", SPACED, True, "gap_us", "gap between events")}


@contextlib.contextmanager
def far_front(bench: Bench, relay: net.Relay):
    """The front of the upstream, in the network behind the relay: (its URL, the file of its authority)."""
    house = bench.house
    certificates = Certificates(house.folder("loss") / "certificates")
    path = load.Target(DIRECT, house.sim).ask("native", SMALL).path
    with relay.listener() as far:
        front = nginx.Front(house.folder("far-front"), house.nginx_program, house.sim.port, NOFILE, certificates, path,
                            house.small_answer(), far)
        try:
            front.start()
            yield "https://%s:%d" % far.getsockname(), certificates.authority
        finally:
            front.stop()


def in_rounds(bench: Bench, relay: net.Relay, row: str, permille: int, argv) -> dict[str, list[dict]]:
    """`argv(spread)` is a command line. Each run of it has new rules of nft, whose counters begin at 0."""
    results: dict[str, list[dict]] = {name: [] for name in SPREADS}
    for i in range(bench.plan.loss_rounds):
        bench.progress(f"loss: {row}, round {i + 1} of {bench.plan.loss_rounds}")
        for name in bench.in_turn(list(SPREADS), i):
            relay.lose(permille)
            out = load.run_program(relay.near(*argv(SPREADS[name])), bench.plan.loss_seconds + 60)
            result = json.loads(out.splitlines()[-1])
            bench.note_errors(row, name, result)
            if permille and not relay.lost():
                bench.wrong.append(f"{row}: no packet was lost")
            results[name].append(result)
    return results


def measure(bench: Bench, relay: net.Relay, url: str, authority: pathlib.Path) -> None:
    house, plan = bench.house, bench.plan
    program = house.builddir / load.PROGRAMS / "bench-spread"
    for key, (noun, model, stream, what, unit) in KINDS.items():
        ask = load.Target(DIRECT, house.sim).ask("native", model, stream=stream)
        body = ask.write_body(house.directory / f"loss-{key}.json")
        for n in plan.loss_calls:
            for permille in plan.loss:
                row = f"{n} {noun}, {permille / 10:g} % lost"
                results = in_rounds(bench, relay, row, permille, lambda spread: [
                    program, url + ask.path, authority, body, *spread, n, plan.loss_seconds])
                add_figures(bench, f"loss.{key}.{n}.{permille}", row, results, what, unit)


def loss(bench: Bench) -> None:
    try:
        with (net.Relay(bench.house.builddir / "tests/net/net-relay", DELAY, JITTER) as relay,
              far_front(bench, relay) as (url, authority)):
            measure(bench, relay, url, authority)
    except net.RelayError as e:
        raise ServerError(f"the part `loss` needs a separate network: {e}") from e


def add_figures(bench: Bench, key: str, row: str, results: dict[str, list[dict]], what: str, unit: str) -> None:
    section = "Lost packets, 20 ms away in each direction, TLS and HTTP/2"
    for percentile, name in PERCENTILES.items():
        rounds = {spread: [r[what][percentile] / 1000 for r in rs] for spread, rs in results.items()}
        bench.figures.add(section, Figure(f"{key}.{percentile}", row, f"{unit}, {name}, ms", rounds, 0, compared=False))
    rounds = {spread: [float(r["connections"]) for r in rs] for spread, rs in results.items()}
    bench.figures.add(section, Figure(f"{key}.connections", row, "connections", rounds, 0, compared=False))
