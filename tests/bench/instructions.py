#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many instructions of user space a request and an event of a stream take, by valgrind: unlike time, that does not
depend on the machine or its load. A start and an end are in both of two runs; the difference is the requests' alone.

    tests/bench/instructions.py --builddir DIR [--check]
"""

import argparse
import dataclasses
import pathlib
import re
import shutil
import sys
import tempfile

import bounds
from ask import TOOL_NAME
from calls import CONNECTIONS, in_step
from load import Target
from servers import Gemgated, ServerError, Sim

FEW, MANY = 10, 60  # requests on each connection
EVENTS_FEW, EVENTS_MANY = 20, 420  # of one stream
PACE = "10ms"  # between two events: each one arrives by itself, although valgrind is slow

TRIES = 3  # the least of each counts: how often the loop wakes differs, and only adds
CALL_RATIO_MAX = 1.3  # an event with a tool call, which the client gets as two chunks, to an event with a text


@dataclasses.dataclass(frozen=True)
class Count:
    """Instructions, and those of them that are memset's: valgrind counts each of its bytes."""

    all: float
    memset: float

    @property
    def rest(self) -> float:
        return self.all - self.memset

    def __sub__(self, other: "Count") -> "Count":
        return Count(self.all - other.all, self.memset - other.memset)

    def __truediv__(self, n: int) -> "Count":
        return Count(self.all / n, self.memset / n)


def read_count(text: str) -> Count:
    """From the file of cachegrind: a line `fn=NAME` begins what belongs to a function, each line of which ends with a
    number of instructions."""
    total = memset = 0
    of_memset = False
    for line in text.splitlines():
        if line.startswith("fn="):
            of_memset = re.match(r"fn=_*memset", line) is not None
        elif re.fullmatch(r"\d+ \d+", line):
            n = int(line.partition(" ")[2])
            total += n
            memset += n if of_memset else 0
    return Count(total, memset)


class Counted(Gemgated):
    """Slow, but with as many instructions."""

    def __init__(self, *args):
        super().__init__(*args)
        self.report, self.counts = self.directory / "valgrind", self.directory / "cachegrind"

    def argv(self) -> list[str]:
        if not shutil.which("valgrind"):
            raise ServerError("valgrind is not installed (Debian package valgrind)")
        return ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={self.counts}",
                f"--log-file={self.report}", *super().argv()]

    def environment(self) -> dict[str, str]:
        """Without a store: what is kept is written once a second, however many requests there are."""
        return {name: value for name, value in super().environment().items() if name != "STATE_URL"}

    def count(self) -> Count:
        """To be called after stop()."""
        count = read_count(self.counts.read_text(errors="replace")) if self.counts.exists() else Count(0, 0)
        if not count.all:
            raise ServerError(f"valgrind has counted nothing:\n{self.report.read_text()[-1000:]}")
        return count


def script() -> str:
    answer = "A proxy stands between a client and a server and speaks to each in the name of the other."
    models = {"small": f'text "{answer}"'}
    for n in (EVENTS_FEW, EVENTS_MANY):
        words = " ".join(f"word{i % 50:02}" for i in range(n))
        models[f"events-{n}"] = f'text "{words}" chunks={n} pace={PACE}'
        calls = " ".join(f'call {TOOL_NAME} {{"from":"TXL","to":"CDG","seats":{i % 50 + 10}}}' for i in range(n))
        models[f"gemini-3-calls-{n}"] = f"{calls} pace={PACE}"
    return "".join(f"model {name}\nmodel={name}: {action}\n" for name, action in models.items())


class Counter:
    def __init__(self, directory: pathlib.Path, program: pathlib.Path, upstream: int):
        self.directory, self.program, self.upstream = directory, program, upstream
        self.n_runs = 0

    def run(self, kind: str, model: str, stream: bool, connections: int, rounds: int) -> Count:
        self.n_runs += 1
        folder = self.directory / str(self.n_runs)
        folder.mkdir()
        server = Counted(folder, self.program, self.upstream)
        target = Target("counted", server, translates=True)
        try:
            server.start()
            in_step(target, target.ask(kind, model, stream=stream), connections, rounds)
        finally:
            server.stop()
        return server.count()

    def request(self, kind: str) -> Count:
        few, many = (self.run(kind, "small", False, CONNECTIONS, n) for n in (FEW, MANY))
        return (many - few) / (CONNECTIONS * (MANY - FEW))

    def event(self, kind: str, model: str) -> Count:
        short, long = (self.run(kind, f"{model}-{n}", True, 1, 1) for n in (EVENTS_FEW, EVENTS_MANY))
        return (long - short) / (EVENTS_MANY - EVENTS_FEW)


# What is counted: a name for the reader, and how.
KINDS = {
    "chat": ("a chat completion", lambda c: c.request("chat")),
    "native": ("a native request", lambda c: c.request("native")),
    "event": ("an event with a text", lambda c: c.event("chat", "events")),
    "call": ("an event with a tool call", lambda c: c.event("tools", "gemini-3-calls")),
}


def measure(builddir: pathlib.Path) -> dict[str, Count]:
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "script").write_text(script())
        sim = Sim(directory, builddir / "tests/sim/gemini-sim", directory / "script")
        try:
            sim.start()
            counter = Counter(directory, builddir / "src/gemgated", sim.port)
            return {kind: count(counter) for kind, (_, count) in KINDS.items()}
        finally:
            sim.stop()


def held(counts: dict[str, Count]) -> dict[str, float]:
    """As bounds.py has them: thousands, without memset."""
    return {f"instructions.{kind}": count.rest / 1000 for kind, count in counts.items()}


def ratio_of(counts: dict[str, Count]) -> float:
    return counts["call"].all / counts["event"].all


def excess(counts: dict[str, Count], ratio: float) -> list[str]:
    out = bounds.excess(held(counts))
    if ratio > CALL_RATIO_MAX:
        out.append(f"an event with a tool call takes {ratio:.2f} times one with a text; at most {CALL_RATIO_MAX}")
    return out


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--builddir", type=pathlib.Path, required=True)
    parser.add_argument("--check", action="store_true", help="fail when a bound is missed")
    args = parser.parse_args()
    counts: dict[str, Count] = {}
    ratio = float("inf")
    for _ in range(TRIES):
        measured = measure(args.builddir.resolve())
        ratio = min(ratio, ratio_of(measured))  # of one try: the least of an event may be too small
        for kind, count in measured.items():
            counts[kind] = min(count, counts.get(kind, count), key=lambda c: c.rest)
        missed = excess(counts, ratio)
        if not missed:
            break
    for kind, count in counts.items():
        print(f"instructions of {KINDS[kind][0]}: {count.all:,.0f}, without memset {count.rest:,.0f}")
    for line in missed:
        print(f"instructions: {line}")
    return 1 if args.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
