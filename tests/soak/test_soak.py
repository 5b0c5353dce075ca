# SPDX-License-Identifier: MIT
"""A daemon under everything at once for SOAK_SECONDS (20): answers of every kind, clients that hang up, reloads and
errors. What it holds at the end is what it held after the first quarter."""
import json
import os
import random
import signal
import threading
import time

import house
import http1
import wait
from house import SECRETS

SECONDS = float(os.environ.get("SOAK_SECONDS", "20"))
CLIENTS = 8
MODELS = [f"gemini-{i}" for i in range(5)]
SCRIPT = """
model=gemini-0: text "a b c d" chunks=4 pace=5ms
model=gemini-1: big 300k
model=gemini-2 times=2: error rpm retry=0.1s
model=gemini-2: text "Hello."
model=gemini-3 times=3: error overloaded
model=gemini-3: text "a b" chunks=2 reset after=1
*: text "Hello."
"""
CONFIG = {"QUEUE_WAIT": "2s", "HEDGE_AFTER": "100ms", "LOG_LEVEL": "WARNING", "STREAM_IDLE_TIMEOUT": "5s"}


def held(d):
    """Open descriptors, and resident bytes."""
    with open(f"/proc/{d.process.pid}/statm", encoding="ascii") as f:
        resident = int(f.read().split()[1]) * 4096
    return len(os.listdir(f"/proc/{d.process.pid}/fd")), resident


class Client(threading.Thread):
    def __init__(self, daemon, number):
        super().__init__(daemon=True)
        self.server, self.chance, self.ends, self.n, self.fault = daemon, random.Random(number), threading.Event(), 0, None

    def run(self):
        try:
            while not self.ends.is_set():
                self.once()
                self.n += 1
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
        with self.server.connect() as c:
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


def test_soak(sim, start):
    sim.script(SCRIPT)
    d = start(API_KEYS=json.dumps([SECRETS[f"KEY{i}"] for i in (1, 2, 3, 4)]), **CONFIG)
    assert d.chat().status == 200
    clients = [Client(d, i) for i in range(CLIENTS)]
    for c in clients:
        c.start()
    end, quarter, early = time.monotonic() + SECONDS, time.monotonic() + SECONDS / 4, None
    n_reloads = 0

    def tick():
        """Twenty reloads in all; the simulator starts its script again, and forgets its log."""
        nonlocal early, n_reloads
        now = time.monotonic()
        if now > end - SECONDS * (20 - n_reloads) / 20:
            d.process.signal(signal.SIGHUP)
            sim.clear()
            sim.script(SCRIPT)
            n_reloads += 1
        if early is None and now > quarter:
            early = held(d)
        return now > end or d.process.ended() or any(c.fault for c in clients)

    wait.until("the end of the soak", tick, deadline=SECONDS + wait.DEADLINE)
    for c in clients:
        c.ends.set()
    for c in clients:
        c.join(wait.DEADLINE)
    assert not [c.fault for c in clients if c.fault]
    assert d.process.status is None, d.process.said()
    wait.until("every connection to be gone", lambda: held(d)[0] <= early[0])
    assert sum(c.n for c in clients) > 10 * SECONDS / (5 if house.SANITIZED else 1)
    late = held(d)
    print(f"{sum(c.n for c in clients)} requests, {n_reloads} reloads, {early} then, {late} now")
    # A sanitizer keeps what was freed; and a heap may be a few pages larger than it was.
    assert house.SANITIZED or late[1] < early[1] * 1.25 + (8 << 20), (early, late)
