# SPDX-License-Identifier: MIT
"""The loads of a benchmark and what they cost a server: wrk for requests as fast as they are answered, bench-rate for
requests at a constant rate, bench-streams for streams."""

import contextlib
import http.client
import json
import pathlib
import select
import socket
import subprocess
import threading
import time

from ask import Ask, ask, upstream_ask
from servers import KEYS, TOKEN, Server, ServerError
from usage import cpu_ns, idle_cpu_ns, memory_kib

SAMPLE = 0.05
LOOKS = 20  # at the memory, when all streams are open
HELD_MAX = 900  # seconds that silent streams stay open beside other load
CROWD_MAX = 120  # seconds in which all streams of a crowd have opened; those that have not are errors
STORE_THREAD = "gemgated-state"
PROGRAMS = pathlib.Path("tests/bench")


class LoadError(Exception):
    """A load program failed: not the server's fault, and no result."""


class Target:
    """A server as the loads see it. One that passes requests on gets Gemini's form of all of them."""

    def __init__(self, name: str, server: Server, port: int | None = None, translates: bool = False,
                 headers: dict[str, str] | None = None):
        self.name, self.server, self.translates, self.headers = name, server, translates, headers
        self.port = port or server.port

    def ask(self, kind: str, model: str, size: int = 0, stream: bool = False) -> Ask:
        if not self.translates:
            return upstream_ask(kind, model, KEYS[0], size, stream)
        headers = self.headers
        if headers is None:
            headers = {"Authorization": f"Bearer {TOKEN}"}
        return ask(kind, model, headers, size, stream)

    def file(self, suffix: str) -> pathlib.Path:
        return self.server.directory / f"{self.name}.{suffix}"

    def refusal(self, a: Ask) -> str | None:
        """Asks once by hand. None, or what is wrong: a load repeats it ten thousand times."""
        status, answer = self.server.get("POST", a.path, a.content(), a.headers)
        if status == 200:
            return None
        return f"{self.name} answers {status} to {a.path}: {answer[:500].decode(errors='replace')}"

    def prove(self, a: Ask) -> None:
        if why := self.refusal(a):
            raise ServerError(why)


def run_program(argv: list[str], timeout: float) -> str:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired as e:
        raise LoadError(f"{argv[0]} doesn't end") from e
    if done.returncode != 0:
        raise LoadError(f"{argv[0]}: status {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def requests(target: Target, a: Ask, connections: int, seconds: float) -> dict:
    """wrk for so many seconds; what it saw, and the server's CPU per request."""
    here = pathlib.Path(__file__).parent
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "--latency",
            "-s", str(here / "post.lua"), f"http://127.0.0.1:{target.port}{a.path}", "--",
            str(a.write_body(target.file("json")))]
    argv += [f"{name}: {value}" for name, value in a.headers.items()]

    pids = target.server.pids
    before, store = idle_cpu_ns(target.server), cpu_ns(pids, STORE_THREAD)
    out = run_program(argv, seconds + 30)
    cpu, store = idle_cpu_ns(target.server) - before, cpu_ns(pids, STORE_THREAD) - store

    result = json.loads(out.splitlines()[-1])
    result["errors"] = sum(result["errors"].values())
    result["rps"] = result["requests"] / result["seconds"]
    result["cpu_us"] = cpu / 1000 / max(1, result["requests"])
    result["store_percent"] = 100 * store / max(1, cpu)
    return result


def large_requests(target: Target, a: Ask, connections: int, repeat: int) -> dict:
    """So many requests on each connection; the server's CPU per request."""
    request = a.request(target.port)
    bad: list[str] = []

    def send() -> None:
        try:
            with socket.create_connection(("127.0.0.1", target.port), 60) as s:
                for _ in range(repeat):
                    s.sendall(request)
                    answer = http.client.HTTPResponse(s)
                    answer.begin()
                    answer.read()
                    if answer.status != 200:
                        bad.append(f"status {answer.status}")
        except (OSError, http.client.HTTPException) as e:
            bad.append(str(e))

    before, begun = idle_cpu_ns(target.server), time.monotonic()
    threads = [threading.Thread(target=send) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begun
    cpu, n = idle_cpu_ns(target.server) - before, connections * repeat
    return {"errors": len(bad), "detail": bad[0] if bad else "", "requests": n, "rps": n / took, "cpu_us": cpu / 1000 / n}


def rate(builddir: pathlib.Path, target: Target, a: Ask, connections: int, per_second: int, seconds: int) -> dict:
    """So many requests a second; latencies in µs from the moment at which each was due."""
    argv = [str(builddir / PROGRAMS / "bench-rate"), str(target.port),
            str(a.write_request(target.file("http"), target.port)), a.end, str(connections), str(per_second), str(seconds)]
    return json.loads(run_program(argv, seconds + 60).splitlines()[-1])


def streams_argv(builddir: pathlib.Path, target: Target, a: Ask, n: int, repeat: int, timeout: int) -> list[str]:
    return [str(builddir / PROGRAMS / "bench-streams"), str(target.port),
            str(a.write_request(target.file("http"), target.port)), a.end, str(n), str(repeat), str(timeout)]


def stream_events(builddir: pathlib.Path, target: Target, a: Ask, n: int, repeat: int, events: int) -> dict:
    """n streams side by side, `repeat` times; the server's CPU per event of the upstream.

    A dialect may make more or fewer events of Gemini's: the upstream's count is the same work for all servers."""
    before = idle_cpu_ns(target.server)
    out = run_program(streams_argv(builddir, target, a, n, repeat, 60), 90)
    cpu = idle_cpu_ns(target.server) - before

    result = json.loads(out.splitlines()[-1])
    result["cpu_us"] = cpu / 1000 / (n * repeat * events)
    return result


@contextlib.contextmanager
def silent_streams(builddir: pathlib.Path, target: Target, a: Ask, n: int, seconds: int = HELD_MAX):
    """A process that opens n silent streams and keeps them until its stdin is closed. It prints a line when none is being
    opened any more, and one at its end."""
    child = subprocess.Popen([*streams_argv(builddir, target, a, n, 1, seconds), "hold"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def stream_crowd(builddir: pathlib.Path, target: Target, a: Ask, n: int) -> dict:
    """n streams open at the same moment; the memory that each takes, at the worst moment."""
    pids = target.server.pids
    before = worst = memory_kib(pids)
    with silent_streams(builddir, target, a, n, CROWD_MAX) as child:
        looks_left = LOOKS
        while looks_left:
            if select.select([child.stdout], [], [], 0)[0] or looks_left < LOOKS:
                looks_left -= 1
            worst = {name: max(value, worst[name]) for name, value in memory_kib(pids).items()}
            target.server.pause(SAMPLE)
        first = json.loads(child.stdout.readline() or "{}")
        child.stdin.close()
        result = json.loads(child.stdout.readline() or "{}") if "open" in first else first
        if child.wait() != 0 or "errors" not in result:
            raise LoadError(f"bench-streams: status {child.returncode}")
    result["kib_per_stream"] = (worst["Pss"] - before["Pss"]) / n
    result["anon_kib_per_stream"] = (worst["Pss_Anon"] - before["Pss_Anon"]) / n
    return result


@contextlib.contextmanager
def held_streams(builddir: pathlib.Path, target: Target, a: Ask, n: int):
    """n silent streams while the body of the `with` runs; its end makes sure that they were all open until then."""
    with silent_streams(builddir, target, a, n) as child:
        first = json.loads(child.stdout.readline() or "{}")
        if first.get("open") != n:
            raise LoadError(f"not all of {n} streams opened through {target.name}: {first}")
        yield
        child.stdin.close()
        last = json.loads(child.stdout.readline() or "{}")
        if last.get("ok") != n:
            raise LoadError(f"of {n} silent streams through {target.name} not all were open at the end: {last}")
