#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gemgated beside nginx, in front of the same simulated Gemini, in one run. See docs/PERFORMANCE.md.

    tests/bench/run.py --builddir DIR [--quick] [--check] [--json FILE]
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import calls
import load
import report
from servers import KEYS, TOKEN, Gemgated, Nginx, ServerError, Sim

# What the project promises; --check holds a run to it.
CPU_RATIO_MAX = 2.5  # CPU per request against nginx's, at
CPU_RATIO_CONNECTIONS = 16
STREAM_KIB_MAX = 64.0  # memory of one open stream
STORE_PERCENT_MAX = 2.0  # of gemgated's CPU, at full load, to keep what it counts

NOFILE = 20000
CONNECTIONS = (1, 16, 128)
STREAMS = (16, 64)
MODEL_SMALL, MODEL_PACED, MODEL_CROWD = "bench-small", "bench-paced", "bench-crowd"
QUESTION = "Say in one sentence what a proxy is."


class Plan:
    """How long and how often."""

    def __init__(self, quick: bool):
        # Even: the order alternates, because the second of a round has a small advantage.
        self.rounds = 2 if quick else 6
        self.seconds = 1 if quick else 2
        self.stream_rounds = 2 if quick else 6
        self.stream_repeat = 10 if quick else 20
        self.events = 50  # of one paced stream, 1 ms apart
        self.crowd = 1000
        self.crowd_events = 30  # of one stream of the crowd, 100 ms apart: they are open together for a while


def script(plan: Plan) -> str:
    """What the simulator answers, by model; the language is tests/sim/README.md's."""
    answer = "A proxy stands between a client and a server and speaks to each in the name of the other."
    words = " ".join(f"word{i}" for i in range(plan.events))
    models = {
        MODEL_SMALL: f'text "{answer}"',
        MODEL_PACED: f'text "{words}" chunks={plan.events} pace=1ms',
        MODEL_CROWD: f'text "{words}" chunks={plan.crowd_events} pace=100ms',
    }
    return "".join(f"model {name}\nmodel={name}: {action}\n" for name, action in models.items())


def gemini_body() -> dict:
    return {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}


def openai_body(model: str, **more) -> dict:
    return {"model": model, "messages": [{"role": "user", "content": QUESTION}]} | more


def gemini_target(name: str, server) -> load.Target:
    def stream(model: str) -> tuple[str, dict]:
        return f"/v1beta/models/{model}:streamGenerateContent?alt=sse", gemini_body()

    return load.Target(name, server, "gemini", {"x-goog-api-key": KEYS[0]},
                       (f"/v1beta/models/{MODEL_SMALL}:generateContent", gemini_body()),
                       {"paced": stream(MODEL_PACED), "crowd": stream(MODEL_CROWD)})


def openai_target(name: str, server) -> load.Target:
    def stream(model: str) -> tuple[str, dict]:
        return "/v1/chat/completions", openai_body(model, stream=True)

    return load.Target(name, server, "openai", {"Authorization": f"Bearer {TOKEN}"},
                       ("/v1/chat/completions", openai_body(MODEL_SMALL)),
                       {"paced": stream(MODEL_PACED), "crowd": stream(MODEL_CROWD)})


def in_turn(targets: dict[str, load.Target], i: int) -> list[tuple[str, load.Target]]:
    return list(targets.items())[:: -1 if i % 2 else 1]


class Bench:
    def __init__(self, plan: Plan, targets: dict[str, load.Target], streams_program: pathlib.Path):
        self.plan, self.targets, self.streams_program = plan, targets, streams_program
        self.gateways = {name: t for name, t in targets.items() if name != "direct"}
        self.raw: dict = {"requests": {}, "streams": {}, "crowd": {}}

    def progress(self, text: str) -> None:
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def warm_up(self) -> None:
        for target in self.targets.values():
            target.prove()
            load.requests(target, max(CONNECTIONS), 1)
            load.stream_events(self.streams_program, target, max(STREAMS), 2, self.plan.events)

    def run_requests(self) -> None:
        for n in CONNECTIONS:
            rounds = self.raw["requests"][n] = {name: [] for name in self.targets}
            for i in range(self.plan.rounds):
                self.progress(f"requests, {n} connections, round {i + 1} of {self.plan.rounds}")
                for name, target in in_turn(self.targets, i):
                    rounds[name].append(load.requests(target, n, self.plan.seconds))

    def run_streams(self) -> None:
        alone = load.stream_events(self.streams_program, self.targets["direct"], 1, 1, 1)
        if alone["ok"] != 1:
            raise load.LoadError(f"a stream of the simulator itself fails: {alone['detail']}")
        for n in STREAMS:
            rounds = self.raw["streams"][n] = {name: [] for name in self.gateways}
            for i in range(self.plan.stream_rounds):
                self.progress(f"paced streams, {n} at once, round {i + 1} of {self.plan.stream_rounds}")
                for name, target in in_turn(self.gateways, i):
                    rounds[name].append(load.stream_events(
                        self.streams_program, target, n, self.plan.stream_repeat, alone["events"]))

    def run_crowd(self) -> None:
        """On servers that have just started: what earlier loads left in their heaps would be used again, and an
        open stream would seem to cost nothing."""
        for name, target in self.gateways.items():
            self.progress(f"{self.plan.crowd} open streams on {name}")
            target.server.stop()
            target.server.start()
            target.prove()
            self.raw["crowd"][name] = load.stream_crowd(self.streams_program, target, self.plan.crowd)

    def summary(self) -> dict:
        return {
            "requests": {n: report.summarize_requests(r) for n, r in self.raw["requests"].items()},
            "streams": {n: report.summarize_streams(r) for n, r in self.raw["streams"].items()},
            "crowd": {"streams": self.plan.crowd} | self.raw["crowd"],
        }


def faults(summary: dict) -> list[str]:
    """What must hold in every run, however slow the machine."""
    out = []
    for kind in ("requests", "streams"):
        for n, s in summary[kind].items():
            out += [f"{kind} at {n}: {count} errors through {name}" for name, count in s["errors"].items() if count]
    out += summary["calls"]
    for name in ("nginx", "gemgated"):
        crowd = summary["crowd"][name]
        if crowd["errors"]:
            out.append(f"{crowd['errors']} of {summary['crowd']['streams']} open streams failed through {name}: "
                       f"{crowd['detail']}")
        elif not crowd["all_open"]:
            out.append(f"only {crowd['peak_open']} streams were open at once through {name}")
    return out


def misses(summary: dict) -> list[str]:
    """The bounds that depend on time and memory."""
    out = []
    ratio = summary["requests"][CPU_RATIO_CONNECTIONS]["cpu_us"]["ratio"]
    if ratio > CPU_RATIO_MAX:
        out.append(f"CPU per request at {CPU_RATIO_CONNECTIONS} connections is {ratio:.2f} times nginx's; "
                   f"at most {CPU_RATIO_MAX}")
    for n, s in summary["requests"].items():
        if s["store_percent"] >= STORE_PERCENT_MAX:
            out.append(f"the store takes {s['store_percent']:.2f} % of the CPU at {n} connections; "
                       f"less than {STORE_PERCENT_MAX:.0f}")
    kib = summary["crowd"]["gemgated"]["kib_per_stream"]
    if kib >= STREAM_KIB_MAX:
        out.append(f"an open stream takes {kib:.1f} KiB; less than {STREAM_KIB_MAX:.0f}")
    return out


def find_tool(name: str, package: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        raise ServerError(f"{name} is not installed (Debian package {package})")
    return path


def environment_line(args: argparse.Namespace, nginx: str, plan: Plan) -> str:
    version = subprocess.run([nginx, "-v"], capture_output=True, text=True).stderr.strip().rpartition("/")[2]
    return (f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, nginx {version}, "
            f"load {os.getloadavg()[0]:.1f}; {plan.rounds} rounds of {plan.seconds} s, log level {args.log_level}")


def measure(args: argparse.Namespace, plan: Plan, directory: pathlib.Path) -> tuple[dict, dict]:
    find_tool("wrk", "wrk")
    nginx_program = find_tool("nginx", "nginx-light")
    with contextlib.ExitStack() as stack:
        def started(server):
            stack.callback(server.stop)
            server.start()
            return server

        script_file = directory / "script"
        script_file.write_text(script(plan))
        sim = started(Sim(directory, args.builddir / "tests/sim/gemini-sim", script_file))
        nginx = started(Nginx(directory, nginx_program, sim.port, NOFILE))
        many: list[str] = []
        targets = {"direct": gemini_target("direct", sim), "nginx": gemini_target("nginx", nginx)}
        if args.only_nginx:  # the harness without the daemon: nginx plays both parts
            targets["gemgated"] = gemini_target("gemgated", nginx)
        else:
            many = calls.excess(calls.count(directory, args.builddir / "src/gemgated", sim.port, openai_target))
            daemon = started(Gemgated(directory, args.builddir / "src/gemgated", sim.port, args.log_level))
            targets["gemgated"] = openai_target("gemgated", daemon)

        bench = Bench(plan, targets, args.builddir / "tests/bench/bench-streams")
        bench.warm_up()
        bench.run_requests()
        bench.run_streams()
        bench.run_crowd()
        return bench.raw, bench.summary() | {"calls": many}


def parse_arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    p.add_argument("--builddir", type=pathlib.Path, required=True, help="a release build")
    p.add_argument("--quick", "--smoke", action="store_true", help="less than a minute, to see that all of it works")
    p.add_argument("--check", action="store_true", help="fail when a bound is missed")
    p.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every measurement there")
    p.add_argument("--log-level", default="WARNING", help="of gemgated (default WARNING: nginx writes no log either)")
    p.add_argument("--only-nginx", action="store_true", help="test the benchmark itself: nginx against nginx")
    args = p.parse_args()
    args.builddir = args.builddir.resolve()
    return args


def main() -> int:
    args = parse_arguments()
    plan = Plan(args.quick)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = NOFILE if hard == resource.RLIM_INFINITY else min(NOFILE, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))

    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gemgate-bench-") as directory:
        try:
            raw, summary = measure(args, plan, pathlib.Path(directory))
        except (ServerError, load.LoadError, FileNotFoundError) as e:
            print(f"bench: {e}", file=sys.stderr)
            return 2
    print(environment_line(args, find_tool("nginx", "nginx-light"), plan))
    print(report.table(summary, "nginx again" if args.only_nginx else "gemgated"))
    if args.json:
        args.json.write_text(json.dumps({"summary": summary, "rounds": raw}, indent=1) + "\n")

    wrong = faults(summary)
    late = misses(summary) if not args.quick else []
    for line in wrong + late:
        print(f"bench: {line}")
    failed = bool(wrong) or (args.check and bool(late))
    print(f"bench: {'failed' if failed else 'done'} in {time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
