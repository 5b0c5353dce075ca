# SPDX-License-Identifier: MIT
"""How many system calls a request takes, by strace: unlike time that does not depend on the machine, so it has a bound
in every mode."""

import http.client
import pathlib
import re
import shutil
import socket
import time

from load import Target
from servers import STOP_TIMEOUT, Gemgated, ServerError

FEW, MANY = 100, 1100  # the difference is the requests' alone: what a start and an end take is in both

# The most that a request takes of each when nothing falls together: a turn of the loop for the request, one for the
# answer, and one for what is left of both. With a client or an upstream that is quick there are fewer.
MOST = {"epoll_wait": 10, "recvfrom": 3, "poll": 2, "epoll_ctl": 0, "sendto": 1, "sendmsg": 1}
SLACK = 0.1  # connections come and go, and some timers fire


class Traced(Gemgated):
    """Slow, but with as many calls."""

    def __init__(self, directory: pathlib.Path, program: pathlib.Path, upstream: int, log_level: str):
        super().__init__(directory, program, upstream, log_level)
        self.summary = directory / "strace"

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


def count(directory: pathlib.Path, program: pathlib.Path, upstream: int, target_of) -> dict[str, float]:
    """Calls a request, by name and in total. `target_of` makes a server a load.Target."""
    counts = []
    for n in (FEW, MANY):
        place = directory / f"calls-{n}"
        place.mkdir()
        server = Traced(place, program, upstream, "WARNING")
        try:
            server.start()
            ask(target_of("traced", server), n)
        except BaseException:
            server.stop()
            raise
        counts.append(server.calls())
    few, many = counts
    return {name: (n - few.get(name, 0)) / (MANY - FEW) for name, n in sorted(many.items(), key=lambda i: -i[1])}


def excess(counts: dict[str, float]) -> list[str]:
    """What is more than it should be, in words."""
    others = {name: n for name, n in counts.items() if name not in MOST and name != "total"}
    out = [f"{counts[name]:.1f} {name}() a request; at most {most}" for name, most in MOST.items()
           if counts.get(name, 0) > most + SLACK]
    if sum(others.values()) > SLACK:
        out.append("system calls that a request should not need: " +
                   ", ".join(f"{n:.2f} {name}" for name, n in others.items() if n > 0.01))
    return out


def ask(target: Target, n: int) -> None:
    """Each request in one piece, and the next when the answer is there."""
    request = target.request(target.small)
    with socket.create_connection(("127.0.0.1", target.server.port), 10) as s:
        for _ in range(n):
            s.sendall(request)
            answer = http.client.HTTPResponse(s)
            answer.begin()
            answer.read()
            if answer.status != 200:
                raise ServerError(f"gemgated answers {answer.status} under strace")
