#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many instructions of user space a request and an event of a stream take, by valgrind: unlike time, that does not
depend on the machine or its load. A start and an end are in both of two runs; the difference is the requests' alone.

    tests/bench/instructions.py --builddir DIR [--check]
"""

import argparse
import http.client
import pathlib
import re
import shutil
import socket
import sys
import tempfile

from load import Target
from servers import TOKEN, Gemgated, ServerError, Sim

CONNECTIONS = 16
FEW, MANY = 10, 60  # requests on each connection
EVENTS_FEW, EVENTS_MANY = 20, 420  # of one stream
PACE = "10ms"  # between two events: each one arrives by itself, although valgrind is slow

# What a request and an event may take (docs/PERFORMANCE.md). valgrind counts memset by the byte.
REQUEST_MAX, EVENT_MAX = 190_500, 24_500
TRIES = 3  # a bound is missed if each misses one: how often the loop wakes differs, and an event by 3 %
CALL_RATIO_MAX = 1.3  # an event with a tool call, which the client gets as two chunks, to an event with a text

TOOL = {"type": "function", "function": {"name": "find_flight", "parameters": {"type": "object", "properties": {
    "from": {"type": "string"}, "to": {"type": "string"}, "seats": {"type": "integer"}}}}}


class Counted(Gemgated):
    """Slow, but with as many instructions."""

    def __init__(self, directory: pathlib.Path, program: pathlib.Path, upstream: int):
        super().__init__(directory, program, upstream, "WARNING")
        self.report = directory / "valgrind"

    def argv(self) -> list[str]:
        if not shutil.which("valgrind"):
            raise ServerError("valgrind is not installed (Debian package valgrind)")
        return ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                f"--log-file={self.report}", *super().argv()]

    def environment(self) -> dict[str, str]:
        """Without a store: what is kept is written once a second, however many requests there are."""
        return {name: value for name, value in super().environment().items() if name != "STATE_URL"}

    def instructions(self) -> int:
        """To be called after stop()."""
        found = re.search(r"I\s+refs:\s+([\d,]+)", self.report.read_text())
        if not found:
            raise ServerError(f"valgrind has counted nothing:\n{self.report.read_text()[-1000:]}")
        return int(found.group(1).replace(",", ""))


def read_answer(s: socket.socket) -> None:
    answer = http.client.HTTPResponse(s)
    answer.begin()
    answer.read()
    if answer.status != 200:
        raise ServerError(f"gemgated answers {answer.status} under valgrind")


def ask(port: int, request: bytes, connections: int, rounds: int) -> None:
    """In each round every connection sends a request, then every answer is read."""
    sockets = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(connections)]
    try:
        for _ in range(rounds):
            for s in sockets:
                s.sendall(request)
            for s in sockets:
                read_answer(s)
    finally:
        for s in sockets:
            s.close()


def run(directory: pathlib.Path, program: pathlib.Path, upstream: int, request: bytes, connections: int,
        rounds: int) -> int:
    directory.mkdir()
    server = Counted(directory, program, upstream)
    try:
        server.start()
        ask(server.port, request, connections, rounds)
    finally:
        server.stop()
    return server.instructions()


def chat(model: str, **members) -> bytes:
    body = {"model": model, "messages": [{"role": "user", "content": "Say in one sentence what a proxy is."}], **members}
    target = Target("counted", Sim.__new__(Sim), "openai", {"Authorization": f"Bearer {TOKEN}"}, ("", {}), {})
    target.server.port = 80
    return target.request(("/v1/chat/completions", body))


def script() -> str:
    answer = "A proxy stands between a client and a server and speaks to each in the name of the other."
    models = {"small": f'text "{answer}"'}
    for n in (EVENTS_FEW, EVENTS_MANY):
        words = " ".join(f"word{i % 50:02}" for i in range(n))
        models[f"events-{n}"] = f'text "{words}" chunks={n} pace={PACE}'
        calls = " ".join(f'call find_flight {{"from":"TXL","to":"CDG","seats":{i % 50 + 10}}}' for i in range(n))
        models[f"gemini-3-calls-{n}"] = f"{calls} pace={PACE}"
    return "".join(f"model {name}\nmodel={name}: {action}\n" for name, action in models.items())


def event_of(directory: pathlib.Path, program: pathlib.Path, upstream: int, kind: str, members: dict) -> float:
    short, long = (run(directory / f"{kind}-{n}", program, upstream, chat(f"{kind}-{n}", stream=True, **members), 1, 1)
                   for n in (EVENTS_FEW, EVENTS_MANY))
    return (long - short) / (EVENTS_MANY - EVENTS_FEW)


def measure(builddir: pathlib.Path) -> tuple[float, float, float]:
    """Instructions a request, an event with a text, and one with a tool call."""
    program = builddir / "src/gemgated"
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "script").write_text(script())
        sim = Sim(directory, builddir / "tests/sim/gemini-sim", directory / "script")
        try:
            sim.start()
            few, many = (run(directory / f"requests-{n}", program, sim.port, chat("small"), CONNECTIONS, n)
                         for n in (FEW, MANY))
            texts, calls = (event_of(directory, program, sim.port, kind, members)
                            for kind, members in (("events", {}), ("gemini-3-calls", {"tools": [TOOL]})))
        finally:
            sim.stop()
    return (many - few) / (CONNECTIONS * (MANY - FEW)), texts, calls


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--builddir", type=pathlib.Path, required=True)
    parser.add_argument("--check", action="store_true", help="fail when a bound is missed")
    args = parser.parse_args()
    for _ in range(TRIES):
        request, event, call = measure(args.builddir.resolve())
        missed = request > REQUEST_MAX or event > EVENT_MAX or call > CALL_RATIO_MAX * event
        if not missed:
            break
    print(f"instructions a request: {request:,.0f} (at most {REQUEST_MAX:,})")
    print(f"instructions an event: {event:,.0f} (at most {EVENT_MAX:,})")
    print(f"instructions an event with a tool call: {call:,.0f} (at most {CALL_RATIO_MAX} times one with a text: "
          f"{call / event:.2f})")
    return 1 if args.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
