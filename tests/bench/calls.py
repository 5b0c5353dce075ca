# SPDX-License-Identifier: MIT
"""How many system calls a request and an event take. By strace, where a request on one connection has a bound for each call:
it does not depend on the machine. strace slows a process so much that more falls together than at full speed, so a whole run
counts by perf as well, beside a load, if perf may."""

import contextlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from ask import Ask
from load import LoadError, Target
from servers import STOP_TIMEOUT, Gemgated, ServerError

FEW, MANY = 100, 1100  # the difference is the requests' alone: what a start and an end take is in both
CONNECTIONS = 16
ROUNDS_FEW, ROUNDS_MANY = 10, 60  # on each of them

# The most that a request takes of each when nothing falls together: a turn of the loop for the request, one for the
# answer, and one for what is left of both. With a client or an upstream that is quick there are fewer.
MOST = {"epoll_pwait": 10, "recvfrom": 2, "epoll_ctl": 0, "sendmsg": 2}
SLACK = 0.1  # connections come and go, and some timers fire


class Traced(Gemgated):
    """Slow, but with as many calls."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.summary = self.directory / "strace"

    def argv(self) -> list[str]:
        if not shutil.which("strace"):
            raise ServerError("strace is not installed (Debian package strace)")
        # -D: the process that was started is the daemon, and strace is beside it.
        return ["strace", "-D", "-f", "-c", "-U", "calls,name", "-o", str(self.summary), *super().argv()]

    def environment(self) -> dict[str, str]:
        """Nothing is kept: that is written once a second, however many requests there are."""
        return {name: value for name, value in super().environment().items() if name != "STATE_URL"}

    def calls(self) -> dict[str, int]:
        """Once it has ended: strace writes when the last thread is gone."""
        self.stop()
        deadline = time.monotonic() + STOP_TIMEOUT
        while time.monotonic() < deadline:
            text = self.summary.read_text() if self.summary.exists() else ""
            counts = {name: int(n) for n, name in re.findall(r"^ *(\d+) (\w+)$", text, re.M)}
            if "total" in counts:
                return counts
            time.sleep(0.01)
        raise ServerError("strace has counted nothing")


def difference(start, loads: tuple, units: int) -> dict[str, float]:
    """Calls a unit, by name and in total. `start` makes a server that is not started; each of the two loads is a
    function of it as a target, and the second one does so many units more."""
    counts = []
    for do in loads:
        server = start()
        try:
            server.start()
            do(Target("traced", server, translates=True))
        except BaseException:
            server.stop()
            raise
        counts.append(server.calls())
    few, many = counts
    return {name: (n - few.get(name, 0)) / units for name, n in sorted(many.items(), key=lambda i: -i[1])}


def one_by_one(start, ask: Ask) -> dict[str, float]:
    """A request on one connection, the next when the answer is there."""
    return difference(start, (lambda t: in_step(t, ask, 1, FEW), lambda t: in_step(t, ask, 1, MANY)), MANY - FEW)


def at_once(start, ask: Ask) -> dict[str, float]:
    """A request of many that come together."""
    return difference(start, (lambda t: in_step(t, ask, CONNECTIONS, ROUNDS_FEW),
                              lambda t: in_step(t, ask, CONNECTIONS, ROUNDS_MANY)),
                      CONNECTIONS * (ROUNDS_MANY - ROUNDS_FEW))


def of_events(start, short: Ask, long: Ask, events: int) -> dict[str, float]:
    """An event of streams side by side; the second one has so many more."""
    return difference(start, (lambda t: in_step(t, short, CONNECTIONS, 1), lambda t: in_step(t, long, CONNECTIONS, 1)),
                      CONNECTIONS * events)


def in_step(target: Target, ask: Ask, connections: int, rounds: int) -> None:
    """In each round every connection sends a request in one piece, then every answer is read."""
    request = ask.request(target.port)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", target.port), 60))
                   for _ in range(connections)]
        for _ in range(rounds):
            for s in sockets:
                s.sendall(request)
            for s in sockets:
                answer = http.client.HTTPResponse(s)
                answer.begin()
                answer.read()
                if answer.status != 200:
                    raise ServerError(f"gemgated answers {answer.status} while it is counted")


def excess(counts: dict[str, float]) -> list[str]:
    """What is more than it should be, in words."""
    others = {name: n for name, n in counts.items() if name not in MOST and name != "total"}
    out = [f"{counts[name]:.1f} {name}() a request; at most {most}" for name, most in MOST.items()
           if counts.get(name, 0) > most + SLACK]
    if sum(others.values()) > SLACK:
        out.append("system calls that a request should not need: " +
                   ", ".join(f"{n:.2f} {name}" for name, n in others.items() if n > 0.01))
    return out


# --- at full speed ---

EVENT = "raw_syscalls:sys_enter"


def perf_works() -> bool:
    if not shutil.which("perf"):
        return False
    done = subprocess.run(["perf", "stat", "-x,", "-e", EVENT, "true"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)
    return done.returncode == 0 and counted(done.stderr) is not None


def counted(output: str) -> int | None:
    """The number in the line of `perf stat -x,` for the event."""
    for line in output.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith(EVENT) and fields[0].isdigit():
            return int(fields[0])
    return None


class Perf:
    """Counts the calls of processes while the `with` lasts."""

    def __init__(self, pids: list[int], directory: pathlib.Path):
        self.output = directory / "perf"
        self.argv = ["perf", "stat", "-x,", "-e", EVENT, "-p", ",".join(map(str, pids)), "-o", str(self.output)]
        self.n = 0

    def __enter__(self):
        self.output.unlink(missing_ok=True)
        self.child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + STOP_TIMEOUT
        while not self.counts() and time.monotonic() < deadline:
            time.sleep(0.01)
        return self

    def counts(self) -> bool:
        """It has opened its counters."""
        with contextlib.suppress(OSError):
            return any(os.readlink(f"/proc/{self.child.pid}/fd/{fd}") == "anon_inode:[perf_event]"
                       for fd in os.listdir(f"/proc/{self.child.pid}/fd"))
        return False

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGINT)
        self.child.wait(STOP_TIMEOUT)
        n = counted(self.output.read_text()) if self.output.exists() else None
        if n is None:
            raise LoadError("perf has counted nothing")
        self.n = n
