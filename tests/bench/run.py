#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gemgated beside nginx, and beside any other gateway that is named, in front of the same simulated Gemini, in one run.
See docs/PERFORMANCE.md.

    tests/bench/run.py --builddir DIR [--only PART,…] [--quick] [--check] [--docs] [--json FILE] [--peer NAME=…]
"""

import argparse
import functools
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

import bounds
import load
import peer
import plan
import report
from bench import Bench
from part_counts import all_instructions, system_calls
from part_latency import first_token, latency
from part_loss import loss
from part_once import cold, failover, idle, reload_under_load
from part_requests import bodies, kind_of_requests
from part_streams import beside, crowd, events
from servers import ServerError, Sim
from stage import NOFILE, PLAIN, TLS, House, script

PARTS = {
    "chat": functools.partial(kind_of_requests, kind="chat"),
    "tools": functools.partial(kind_of_requests, kind="tools"),
    "native": functools.partial(kind_of_requests, kind="native"),
    "responses": functools.partial(kind_of_requests, kind="responses"),
    "anthropic": functools.partial(kind_of_requests, kind="anthropic"),
    "bodies": bodies,
    "latency": latency,
    "first-token": first_token,
    "events": events,
    "beside": beside,
    "crowd": crowd,
    "loss": loss,
    "failover": failover,
    "cold": cold,
    "idle": idle,
    "reload": reload_under_load,
    "calls": system_calls,
    "instructions": all_instructions,
}
NOT_QUICK = ("instructions",)  # `./tests/run smoke` runs instructions.py itself
OF_NGINX = ("chat", "native", "latency", "events")  # the parts of --only-nginx, which need no gemgated
PAGE = pathlib.Path(__file__).parents[2] / "docs/PERFORMANCE.md"


def find_tool(name: str, package: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        raise ServerError(f"{name} is not installed (Debian package {package})")
    return path


def output(argv: list[str], which: str = "stdout") -> str:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return getattr(done, which).strip()


def package_of(path: str) -> str:
    """The package of a file and its version, if dpkg knows it; else the name of the file."""
    for known in (os.path.realpath(path), path.removeprefix("/usr"), "/usr" + path):
        if package := output(["dpkg-query", "-S", known]).partition(": ")[0]:
            return output(["dpkg-query", "-W", "-f", "${Package} ${Version}", package])
    return os.path.basename(os.path.realpath(path))


def libraries(program: pathlib.Path) -> str:
    """The libraries on which the cost depends, with their versions."""
    found = []
    for line in output(["ldd", str(program)]).splitlines():
        path = line.partition("=> ")[2].partition(" (")[0]
        name = os.path.basename(path).partition(".so")[0]
        if name in ("libmicrohttpd", "libcurl", "libjson-c", "libnghttp2", "libssl", "libmimalloc"):
            found.append(package_of(path))
    return ", ".join(found)


def environment(args: argparse.Namespace, nginx: str, begun: float) -> str:
    """One paragraph: what was measured, where, and how busy the machine was."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    commit = output(["git", "-C", str(PAGE.parent), "describe", "--always", "--dirty"]) or "an unknown commit"
    version = output([str(args.builddir / "src/gemgated"), "--version"]).splitlines()[0]
    processor = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                      if line.startswith("model name")), platform.machine())
    rounds = f"{args.plan.rounds} rounds of {args.plan.seconds} s"
    return (f"{version} at {commit} ({libraries(args.builddir / 'src/gemgated')}), nginx {output([nginx, '-v'], 'stderr').rpartition('/')[2]}, "
            f"{system}, Linux {platform.release()}, {processor}, {os.cpu_count()} cores, {time.strftime('%F')}. Load "
            f"{args.load_before:.1f} before the run, {os.getloadavg()[0]:.1f} at its end, the run's own included; {rounds}, "
            f"log level {args.log_level}, {(time.monotonic() - begun) / 60:.0f} minutes in all.")


def measure(args: argparse.Namespace, directory: pathlib.Path) -> Bench:
    find_tool("wrk", "wrk")
    house = House(directory, args.builddir, find_tool("nginx", "nginx-light"), args.log_level, args.peers,
                  args.only_nginx)
    bench = Bench(args.plan, house, args.upstream)
    for run in args.earlier:
        bench.figures.load(run["sections"])
        bench.wrong += run["wrong"]
    (directory / "script").write_text(script(args.plan.events, args.plan.failovers))
    house.sim = Sim(directory, args.builddir / "tests/sim/gemini-sim", directory / "script", args.sim_port)
    try:
        house.sim.start()
        for name in args.only:
            begun = time.monotonic()
            try:
                PARTS[name](bench)
            except (ServerError, load.LoadError) as e:  # what the other parts measure is kept
                bench.wrong.append(f"{name}: {e}")
            bench.progress(f"{name}: {time.monotonic() - begun:.0f} s")
    finally:
        bench.stop()
        house.sim.stop()
    return bench


def trusts_a_file(program: pathlib.Path) -> bool:
    """A daemon without UPSTREAM_CA_FILE trusts the system's authorities only, which do not sign for localhost."""
    return "UPSTREAM_CA_FILE" in output([str(program), "--help"])


def read_run(name: str) -> dict:
    return json.loads(pathlib.Path(name).read_text())


def names_of(known, what: str):
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"there is no {what} {unknown[0]}; there are {', '.join(known)}")
        return [name for name in known if name in names]
    return parse


def parse_arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0], epilog=peer.__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--builddir", type=pathlib.Path, required=True, help="a release build")
    p.add_argument("--only", type=names_of(PARTS, "part"), metavar="PART,…", help=f"of {', '.join(PARTS)}")
    p.add_argument("--upstream", type=names_of((PLAIN, TLS), "upstream"), metavar="plain,tls")
    p.add_argument("--quick", "--smoke", action="store_true", help="each part once and short, to see that it works")
    p.add_argument("--rounds", type=int, help="instead of the plan's")
    p.add_argument("--seconds", type=int, help="of one load, instead of the plan's")
    p.add_argument("--check", action="store_true", help="fail when a bound is missed")
    p.add_argument("--docs", action="store_true", help="write the figures into docs/PERFORMANCE.md")
    p.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every measurement there")
    p.add_argument("--with", dest="earlier", action="append", default=[], type=read_run, metavar="FILE",
                   help="what an earlier run has written by --json, of other parts: in one report with this run's")
    p.add_argument("--log-level", default="WARNING", help="of gemgated (default WARNING: nginx writes no log either)")
    p.add_argument("--only-nginx", action="store_true", help="test the benchmark itself: nginx against nginx")
    p.add_argument("--sim-port", type=int, help="of the simulator, for a peer that runs already")
    p.add_argument("--peer", action="append", default=[], metavar="NAME=URL|COMMAND", help="another gateway, see below")
    p.add_argument("--peer-header", action="append", default=[], metavar="NAME=HEADER: VALUE",
                   help="that its requests have")
    p.add_argument("--peer-pid", action="append", default=[], metavar="NAME=PID",
                   help="of one that runs already, to count its CPU")
    args = p.parse_args()
    args.builddir = args.builddir.resolve()
    args.plan = plan.changed(plan.QUICK if args.quick else plan.WHOLE, args.rounds, args.seconds)
    if args.docs and (args.quick or args.only_nginx):
        p.error("--docs: must be a whole run, without --quick and --only-nginx")
    try:
        args.peers = peer.read_options(args.peer, args.peer_header, args.peer_pid)
    except ServerError as e:
        p.error(str(e))
    if args.upstream is None:
        args.upstream = [PLAIN, TLS] if trusts_a_file(args.builddir / "src/gemgated") else [PLAIN]
    if args.only is None:
        args.only = [name for name in PARTS if not args.quick or name not in NOT_QUICK]
    if args.only_nginx:
        args.only = [name for name in args.only if name in OF_NGINX]
    return args


def main() -> int:
    args = parse_arguments()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = NOFILE if hard == resource.RLIM_INFINITY else min(NOFILE, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))

    begun = time.monotonic()
    args.load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="gemgate-bench-") as directory:
        try:
            bench = measure(args, pathlib.Path(directory))
        except (ServerError, load.LoadError, FileNotFoundError) as e:
            print(f"bench: {e}", file=sys.stderr)
            return 2
    line = environment(args, find_tool("nginx", "nginx-light"), begun)
    # A short run's figures mean nothing, and nginx against itself is no figure of gemgated.
    judged = not args.quick and not args.only_nginx
    missed = bounds.misses(bench.figures) if judged else []
    unmeasured = bounds.unmeasured(bench.figures) if judged and (args.docs or set(args.only) == set(PARTS)) else []
    line = "\n\n".join([run["environment"] for run in args.earlier] + [line])
    print(line)
    print(report.text(bench.figures))
    if args.json:
        args.json.write_text(json.dumps({
            "environment": line, "sections": bench.figures.dump(), "wrong": bench.wrong, "missed": missed}, indent=1) + "\n")
    if args.docs:
        PAGE.write_text(report.replaced(PAGE.read_text(), report.markdown(bench.figures, line, missed, unmeasured)))

    for sentence in bench.wrong:
        print(f"bench: {sentence}")
    for sentence in missed:
        print(f"bench: missed: {sentence}")
    if unmeasured and args.check:
        print(f"bench: not measured: {', '.join(unmeasured)}")
    failed = bool(bench.wrong) or (args.check and bool(missed))
    print(f"bench: {'failed' if failed else 'done'} in {time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
