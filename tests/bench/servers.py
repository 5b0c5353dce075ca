# SPDX-License-Identifier: MIT
"""The three servers of a benchmark: gemini-sim, and in front of it nginx and gemgated, each on its own port."""

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

NGINX_CONF = """\
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile {nofile};
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log warn;
events {{ worker_connections 8192; use epoll; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 1000000000;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    upstream sim {{
        server 127.0.0.1:{upstream};
        keepalive 1024;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_pass http://sim; }}
        location ~ :streamGenerateContent$ {{ proxy_buffering off; proxy_pass http://sim; }}
    }}
}}
"""


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

    def argv(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return ENVIRONMENT

    @property
    def pid(self) -> int:
        return self.child.pid

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(self.argv(), cwd=self.directory, env=self.environment(),
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
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

    def __init__(self, directory: pathlib.Path, program: pathlib.Path, script: pathlib.Path):
        super().__init__(directory, free_port())
        self.program, self.script = program, script

    def argv(self) -> list[str]:
        return [str(self.program), "--listen", f"127.0.0.1:{self.port}", "--lax", "--no-log",
                "--script", str(self.script)]


class Nginx(Server):
    """The yardstick. Only the worker counts: the master sleeps."""

    name = "nginx"

    def __init__(self, directory: pathlib.Path, program: str, upstream: int, nofile: int):
        super().__init__(directory, free_port())
        self.program = program
        self.conf = directory / "nginx.conf"
        self.conf.write_text(NGINX_CONF.format(
            user="user root;" if os.geteuid() == 0 else "", dir=directory, upstream=upstream, port=self.port,
            nofile=nofile))

    def argv(self) -> list[str]:
        return [self.program, "-p", str(self.directory), "-c", str(self.conf),
                "-e", str(self.directory / "nginx-error.log")]

    @property
    def pid(self) -> int:
        master = self.child.pid
        workers = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if len(workers) != 1:
            raise ServerError(f"nginx has {len(workers)} workers, not one")
        return int(workers[0])

    def said(self) -> str:
        errors = self.directory / "nginx-error.log"
        return super().said() + (errors.read_text(errors="replace")[-2000:] if errors.exists() else "")


class Gemgated(Server):
    name = "gemgated"

    def __init__(self, directory: pathlib.Path, program: pathlib.Path, upstream: int, log_level: str):
        super().__init__(directory, free_port())
        self.program, self.upstream, self.log_level = program, upstream, log_level
        self.config = directory / "config"
        self.config.mkdir(mode=0o750)

    def argv(self) -> list[str]:
        return [str(self.program), "--config-dir", str(self.config)]

    def environment(self) -> dict[str, str]:
        return ENVIRONMENT | {
            "API_KEYS": ",".join(KEYS),
            "ALLOWED_TOKENS": TOKEN,
            "LISTEN": f"127.0.0.1:{self.port}",
            "GEMINI_BASE_URL": f"http://127.0.0.1:{self.upstream}",
            "LOG_LEVEL": self.log_level,
            "STATE_URL": f"sqlite:{self.directory}/state.db",
        }
