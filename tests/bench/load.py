# SPDX-License-Identifier: MIT
"""The loads of a benchmark (wrk for requests, bench-streams for streams) and what they cost a server."""

import json
import pathlib
import subprocess

from servers import Server, ServerError

IDLE_LOOK = 0.02
IDLE_LOOKS_MAX = 100
SAMPLE = 0.05
END = {"openai": "[DONE]", "gemini": "finishReason"}


class LoadError(Exception):
    """A load program failed: not the server's fault, and no result."""


STORE_THREAD = "gemgated-state"


def cpu_ns(pid: int, thread: str | None = None) -> int:
    """CPU time of a process so far, all its threads, or those of a name; in ns from the scheduler, for ticks are too
    coarse."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            if thread is None or (task / "comm").read_text().strip() == thread:
                total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass  # the thread has just ended
    return total


def idle_cpu_ns(server: Server) -> int:
    """The same, once the server is idle: it closes the client's connections after the client has ended, and that
    belongs to the cost."""
    last = -1
    for _ in range(IDLE_LOOKS_MAX):
        now = cpu_ns(server.pid)
        if now == last:
            break
        last = now
        server.pause(IDLE_LOOK)
    return last


def memory_kib(pid: int) -> dict[str, int]:
    """Pss (its share of shared pages included) and the anonymous part of it."""
    want = {"Pss": 0, "Pss_Anon": 0}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in want:
            want[name] = int(value.split()[0])
    return want


class Target:
    """A server as the loads see it: the path, the body and the headers with which to ask it."""

    def __init__(self, name: str, server: Server, dialect: str, headers: dict[str, str],
                 small: tuple[str, dict], stream: dict[str, tuple[str, dict]]):
        self.name, self.server, self.dialect = name, server, dialect
        self.headers = {"Content-Type": "application/json"} | headers
        self.small, self.stream = small, stream

    def body_file(self, kind: str, path_and_body: tuple[str, dict]) -> pathlib.Path:
        file = self.server.directory / f"{self.name}-{kind}.json"
        file.write_text(json.dumps(path_and_body[1]))
        return file

    def request(self, path_and_body: tuple[str, dict]) -> bytes:
        """The bytes of one HTTP request."""
        path, body = path_and_body
        content = json.dumps(body).encode()
        head = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.server.port}", f"Content-Length: {len(content)}"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + content

    def request_file(self, kind: str) -> pathlib.Path:
        """The same in a file, as bench-streams wants it."""
        file = self.server.directory / f"{self.name}-{kind}.http"
        file.write_bytes(self.request(self.stream[kind]))
        return file

    def prove(self) -> None:
        """One request by hand: what the loads repeat ten thousand times must be right."""
        path, body = self.small
        status, answer = self.server.get("POST", path, json.dumps(body).encode(), self.headers)
        if status != 200:
            raise ServerError(f"{self.name} answers {status} to {path}: {answer[:500].decode(errors='replace')}")


def run_program(argv: list[str], timeout: float) -> str:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired as e:
        raise LoadError(f"{argv[0]} doesn't end") from e
    if done.returncode != 0:
        raise LoadError(f"{argv[0]}: status {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def requests(target: Target, connections: int, seconds: float) -> dict:
    """wrk for so many seconds; what it saw, and the server's CPU per request."""
    here = pathlib.Path(__file__).parent
    path, _ = target.small
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "--latency",
            "-s", str(here / "post.lua"), f"http://127.0.0.1:{target.server.port}{path}", "--",
            str(target.body_file("small", target.small))]
    argv += [f"{name}: {value}" for name, value in target.headers.items()]

    before, store = idle_cpu_ns(target.server), cpu_ns(target.server.pid, STORE_THREAD)
    out = run_program(argv, seconds + 30)
    cpu, store = idle_cpu_ns(target.server) - before, cpu_ns(target.server.pid, STORE_THREAD) - store

    result = json.loads(out.splitlines()[-1])
    result["errors_total"] = sum(result["errors"].values())
    result["rps"] = result["requests"] / result["seconds"]
    result["cpu_us"] = cpu / 1000 / max(1, result["requests"])
    result["store_percent"] = 100 * store / max(1, cpu)
    return result


def streams_argv(program: pathlib.Path, target: Target, kind: str, n: int, repeat: int, timeout: int) -> list[str]:
    return [str(program), str(target.server.port), str(target.request_file(kind)), END[target.dialect],
            str(n), str(repeat), str(timeout)]


def stream_events(program: pathlib.Path, target: Target, n: int, repeat: int, events: int) -> dict:
    """n streams side by side, `repeat` times; the server's CPU per event of the upstream.

    A dialect may make more or fewer events of Gemini's: the upstream's count is the same work for both sides."""
    before = idle_cpu_ns(target.server)
    out = run_program(streams_argv(program, target, "paced", n, repeat, 60), 90)
    cpu = idle_cpu_ns(target.server) - before

    result = json.loads(out.splitlines()[-1])
    result["cpu_us"] = cpu / 1000 / (n * repeat * events)
    return result


def stream_crowd(program: pathlib.Path, target: Target, n: int) -> dict:
    """n streams open at the same moment; the memory that each takes, at the worst moment."""
    pid = target.server.pid
    before = memory_kib(pid)
    child = subprocess.Popen(streams_argv(program, target, "crowd", n, 1, 60), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, text=True)
    try:
        first = json.loads(child.stdout.readline() or "{}")
        worst = memory_kib(pid)
        while child.poll() is None:
            worst = {name: max(value, worst[name]) for name, value in memory_kib(pid).items()}
            target.server.pause(SAMPLE)
        rest = child.stdout.read().splitlines()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    target.server.check()
    if child.returncode != 0:
        raise LoadError(f"bench-streams: status {child.returncode}")

    result = json.loads(rest[-1]) if rest else first
    result["all_open"] = "open" in first
    result["kib_per_stream"] = (worst["Pss"] - before["Pss"]) / n
    result["anon_kib_per_stream"] = (worst["Pss_Anon"] - before["Pss_Anon"]) / n
    return result
