# SPDX-License-Identifier: MIT
"""The servers of a benchmark: gemini-sim, and in front of it gemgated, each on its own port. nginx.py has nginx, peer.py
another gateway."""

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import time

KEYS = [f"bench-key-{i:02}-0123456789abcdef" for i in range(8)]
TOKEN = "bench-token-0123456789abcdef"
START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0

# Nothing of the caller's environment reaches the servers: a proxy variable or an API_KEYS would change the result.
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}

class ServerError(Exception):
    """A server didn't start, or died."""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One child process that listens on 127.0.0.1:port. `pid` is the process that is measured."""

    name = ""

    def __init__(self, directory: pathlib.Path, port: int):
        self.directory = directory
        self.port = port
        self.log = directory / f"{self.name}.log"
        self.child: subprocess.Popen | None = None
        self.passed: list[int] = []  # descriptors that it inherits

    def argv(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return ENVIRONMENT

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def pids(self) -> list[int]:
        """All processes that are measured; none if they are not known."""
        return [self.pid]

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(self.argv(), cwd=self.directory, env=self.environment(),
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=self.passed)
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            self.pause(0.01)
            if time.monotonic() > deadline:
                raise ServerError(f"{self.name} doesn't listen after {START_TIMEOUT:.0f} s:\n{self.said()}")

    def pause(self, seconds: float) -> None:
        """Lets time pass, unless the server dies meanwhile."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(seconds)
        self.check()

    def check(self) -> None:
        if self.child.poll() is not None:
            raise ServerError(f"{self.name} ended with status {self.child.returncode}; its output:\n{self.said()}")

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        if not self.child:
            return
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.child = None

    def get(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Sim(Server):
    name = "gemini-sim"

    def __init__(self, directory: pathlib.Path, program: pathlib.Path, script: pathlib.Path, port: int | None = None):
        super().__init__(directory, port or free_port())
        self.program, self.script = program, script

    def argv(self) -> list[str]:
        return [str(self.program), "--listen", f"127.0.0.1:{self.port}", "--lax", "--no-log",
                "--script", str(self.script)]


class Gemgated(Server):
    """`upstream` is a port on loopback, or a URL; `settings` come after those of all benchmarks."""

    name = "gemgated"

    def __init__(self, directory: pathlib.Path, program: pathlib.Path, upstream: int | str, log_level: str = "WARNING",
                 settings: dict[str, str] | None = None):
        super().__init__(directory, free_port())
        self.program, self.log_level, self.settings = program, log_level, settings or {}
        self.upstream = upstream if isinstance(upstream, str) else f"http://127.0.0.1:{upstream}"
        self.config = directory / "config"
        self.config.mkdir(mode=0o750)

    def argv(self) -> list[str]:
        return [str(self.program), "--config-dir", str(self.config)]

    def environment(self) -> dict[str, str]:
        return ENVIRONMENT | {
            "API_KEYS": ",".join(KEYS),
            "ALLOWED_TOKENS": TOKEN,
            "LISTEN": f"127.0.0.1:{self.port}",
            "GEMINI_BASE_URL": self.upstream,
            "LOG_LEVEL": self.log_level,
            "STATE_URL": f"sqlite:{self.directory}/state.db",
        } | self.settings
