# SPDX-License-Identifier: MIT
"""Clients that connect without pause, and the result of each.

As a program: load.py JSON, from {"where", "request", "clients", "at_least"}; prints a line when the first answers are there, goes on
until its standard input ends and so many were answered, and prints its counts. As a module: `with Load(...) as load`.
"""
import asyncio
import json
import subprocess
import sys
import time
from collections import Counter

READY = "ready"
PATIENCE = 20  # seconds that a slow machine gets to answer `at_least`


class Clients:
    def __init__(self, where, request, clients, at_least):
        self.where, self.request, self.clients, self.at_least = where, request.encode(), clients, at_least
        self.counts = Counter()  # "200", another status, or how it failed
        self.slowest = 0.0
        self.stopping = None  # or since when
        self.warm = asyncio.Event()

    async def once(self):
        try:
            if isinstance(self.where, str):
                reader, writer = await asyncio.open_unix_connection(self.where)
            else:
                reader, writer = await asyncio.open_connection(*self.where)
        except ConnectionRefusedError:
            return "refused"
        except OSError as e:
            return f"connect: {e.strerror}"
        try:
            writer.write(self.request)
            data = await reader.read()  # Connection: close, so the end of the answer is the end
        except OSError as e:
            return f"cut: {e.strerror}"
        finally:
            writer.close()
        if not data:
            return "closed without an answer"
        if not data.startswith(b"HTTP/1.1 "):
            return "no HTTP"
        head, _, body = data.partition(b"\r\n\r\n")
        status = head[9:12].decode()
        length = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), None)
        if length is None and not body.endswith(b"0\r\n\r\n") or length is not None and length != len(body):
            return "answer cut"
        return status

    async def client(self):
        while not self.stopping or self.counts["200"] < self.at_least and time.monotonic() < self.stopping + PATIENCE:
            start = time.monotonic()
            self.counts[await self.once()] += 1
            self.slowest = max(self.slowest, time.monotonic() - start)
            if self.counts["200"] >= self.clients:
                self.warm.set()

    async def run(self):
        loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(self.client()) for _ in range(self.clients)]
        await self.warm.wait()
        print(READY, flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
        self.stopping = time.monotonic()
        await asyncio.gather(*tasks)
        print(json.dumps({"counts": self.counts, "slowest": self.slowest}))


class Load:
    """Runs during the block, and on until `at_least` are answered; then it has `ok`, `bad` (what else happened, how
    often) and `slowest` in seconds."""

    def __init__(self, where, request, clients=8, at_least=100):
        self.at_least = at_least
        spec = {"where": where, "request": request.decode(), "clients": clients, "at_least": at_least}
        self.spec = json.dumps(spec)

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, __file__, self.spec], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline().strip() == READY
        return self

    def __exit__(self, *_):
        out, _ = self.process.communicate(timeout=60)
        told = json.loads(out)
        self.ok = told["counts"].pop("200", 0)
        self.bad = told["counts"]
        self.slowest = told["slowest"]
        print(f"load: {self.ok} answered, {self.bad or 'nothing'} else, slowest {self.slowest * 1000:.0f} ms")

    def check(self):
        assert not self.bad, f"{self.bad} beside {self.ok} good answers"
        assert self.ok >= self.at_least, f"only {self.ok} answers: that was no load"


if __name__ == "__main__":
    spec = json.loads(sys.argv[1])
    asyncio.run(Clients(**spec).run())
