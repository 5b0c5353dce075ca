# SPDX-License-Identifier: MIT
"""A daemon under everything at once for SOAK_SECONDS (120): answers of every kind, clients that hang up or read slowly,
upstream errors and resets, reloads. After half of the time and at the end the clients stop. What the daemon holds then is
the same, and what it has counted is what the simulator has seen."""
import json
import os
import random
import signal
import threading
import time

import pytest

import house
import http1
import wait
from held import ALLOCATOR, Looks, held
from house import SECRETS

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
CLIENTS = 8
PAUSE = 0.01 if SECONDS <= 120 else 0  # between two requests of a client: other suites run beside the short soak
MODELS = [f"gemini-{i}" for i in range(6)]
SCRIPT = """
model=gemini-0: text "a b c d" chunks=4 pace=5ms
model=gemini-1: big 300k
model=gemini-2 times=2: error rpm retry=0.1s
model=gemini-2: text "Hello."
model=gemini-3 times=3: error overloaded
model=gemini-3: text "a b" chunks=2 reset after=1
model=gemini-5 times=2: reset
*: text "Hello."
"""
CONFIG = {"QUEUE_WAIT": "2s", "HEDGE_AFTER": "100ms", "LOG_LEVEL": "WARNING", "STREAM_IDLE_TIMEOUT": "5s"}


class Client(threading.Thread):
    def __init__(self, daemon, number):
        super().__init__(daemon=True)
        self.server, self.chance, self.ends, self.n, self.fault = daemon, random.Random(number), threading.Event(), 0, None

    def run(self):
        try:
            while not self.ends.is_set():
                self.once()
                self.n += 1
                self.ends.wait(PAUSE)
        except Exception as e:  # the test reports it
            self.fault = e

    def once(self):
        model, stream = self.chance.choice(MODELS), self.chance.random() < 0.5
        if self.chance.random() < 0.5:
            target = f"/v1beta/models/{model}:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")
            body = {"contents": [{"parts": [{"text": "Hi"}]}]}
        else:
            target = "/v1/chat/completions"
            body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
        if self.chance.random() < 0.05:
            body = ["wrong"]
        sent = http1.compose("POST", target, [("x-api-key", SECRETS["TOKEN"])], json.dumps(body).encode())
        slow = self.chance.random() < 0.05  # it takes 4 KiB at a time
        with self.server.connect(receive_buffer=4096 if slow else None) as c:
            if (what := self.chance.random()) < 0.1:  # it goes away: in the middle of its request, or of the answer
                c.send(sent[: self.chance.randrange(len(sent))] if what < 0.05 else sent)
                if what >= 0.05:
                    self.ends.wait(self.chance.random() * 0.02)
                return
            c.send(sent * (2 if what < 0.2 else 1))  # pipelined
            for _ in range(2 if what < 0.2 else 1):
                a = c.read("POST")
                assert a, f"closed without an answer: {what:.3f} {target} {body}"
                assert a.status in (200, 400, 429, 500, 502, 503, 504), a.head
                if a.header("Connection") == "close" or not a.complete:  # a stream that broke off
                    break


class Soak(Looks):
    """Clients that are let run and stopped, so that the daemon can be looked at while it is quiet."""

    def __init__(self, daemon, sim):
        super().__init__(daemon, sim, 1 if SECONDS < 600 else 8)
        self.n, self.reloads = 0, 0

    def run(self, seconds):
        """All clients at once, and ten reloads."""
        clients = [Client(self.daemon, self.n + i) for i in range(CLIENTS)]
        began = time.monotonic()
        due = began

        def tick():
            nonlocal due
            now = time.monotonic()
            if now >= due:
                due = now + seconds / 10
                self.daemon.process.signal(signal.SIGHUP)
                self.sim.clear()
                self.sim.script(SCRIPT)
                self.reloads += 1
            return now > began + seconds or self.daemon.process.ended() or any(c.fault for c in clients)

        for c in clients:
            c.start()
        wait.until("the end of the soak", tick, deadline=seconds + wait.DEADLINE)
        for c in clients:
            c.ends.set()
        for c in clients:
            c.join(wait.DEADLINE)
        self.n += sum(c.n for c in clients)
        assert not [c.fault for c in clients if c.fault]
        assert self.daemon.process.status is None, self.daemon.process.said()

    def between(self):
        self.run(2)


@pytest.mark.unjudged  # to parse all of it would be one more load
def test_soak(sim, start):
    sim.script(SCRIPT)
    d = start(API_KEYS=json.dumps([SECRETS[f"KEY{i}"] for i in (1, 2, 3, 4)]), **CONFIG, **ALLOCATOR)
    assert d.chat().status == 200  # SIGHUP reloads it from now on
    quiet = held(d, sim)[0]
    s = Soak(d, sim)
    s.run(SECONDS / 2)
    early = s.lowest(quiet)
    s.run(SECONDS / 2)
    late = s.lowest(early[0])
    grown = 100 * (late[1] - early[1]) / early[1]
    print(f"\n{s.n} requests, {s.reloads} reloads; descriptors {quiet} idle, {early[0]} then, {late[0]} now; "
          f"{early[1] >> 10} KiB then, {late[1] >> 10} KiB now: {grown:+.2f} %")
    assert s.n > 10 * SECONDS / (5 if house.SANITIZED else 1)
    # A sanitizer keeps what was freed. In a run of two minutes the heap is still finding its size: up to 1 MiB was seen.
    room = 0 if SECONDS >= 600 else 2 << 20
    assert house.SANITIZED or late[1] < early[1] * 1.01 + room, (early, late)
