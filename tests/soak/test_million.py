# SPDX-License-Identifier: MIT
"""MILLION_REQUESTS (1,000,000) requests over each kind of upstream, and for each hundred of them a client that leaves: before
its head is whole, in its body, while it waits, or in the middle of its answer. What the daemon holds after the first tenth and
at the end is the same; each request is answered; and each is counted, here, in the daemon and in the simulator.

`./tests/run long million`. bench-streams is the client of the requests: it checks the status, the framing and the end of each
answer. Those who leave know where they are: the upstream request of one that waits has arrived, and of one in the middle of an
answer an event has come. So the number of hang-ups upstream is known as well."""
import json
import os
import random
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

import house
import http1
import wait
from front import Front
from held import ALLOCATOR, Looks, held
from house import SECRETS

REQUESTS = int(os.environ.get("MILLION_REQUESTS", "1000000"))
STREAMS = 16  # connections of bench-streams
REPEAT = 250  # requests on each of them
ROUND = STREAMS * REPEAT
ROUNDS = max(1, round(REQUESTS / ROUND))
LEAVE = ROUND // 100 // 4  # clients that leave in a round, of each kind
BENCH_STREAMS = house.BUILD / "tests" / "bench" / "bench-streams"
SCRIPT = """
model=gemini-silent: hang
model=gemini-endless: text "x" chunks=1000000 pace=5ms
*: text "Hello there." chunks=2
"""
MODEL = "gemini-3.8-flash"
HI = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
CONTENTS = {"contents": [{"parts": [{"text": "Hi"}]}]}
# A path, a body, and what the last event has in it; without a mark it is an answer in one piece.
KINDS = [
    ("/v1/chat/completions", HI, ""),
    ("/v1/chat/completions", HI | {"stream": True}, "[DONE]"),
    (f"/v1beta/models/{MODEL}:generateContent", CONTENTS, ""),
    (f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse", CONTENTS, "finishReason"),
    ("/v1/responses", {"model": MODEL, "input": "Hi", "stream": True}, "response.completed"),
    ("/v1/messages", HI | {"max_tokens": 100, "stream": True}, "message_stop"),
]
WARM = max(len(KINDS), ROUNDS // 10)


def bytes_of(path, body):
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("Content-Type", "application/json")]
    return http1.compose("POST", path, headers, json.dumps(body).encode())


@dataclass
class Sent:
    """What was sent so far."""

    answered: int = 0  # requests with a whole and good answer
    waiting: int = 0  # clients that left while they waited
    streaming: int = 0  # in the middle of a stream
    early: int = 0  # before the request was whole

    @property
    def asked(self):
        return self.answered + self.waiting + self.streaming

    @property
    def left(self):
        return self.waiting + self.streaming


class Million(Looks):
    def __init__(self, daemon, sim, folder):
        super().__init__(daemon, sim, 8 if REQUESTS >= 200_000 else 1)
        self.folder, self.sent, self.chance, self.n = folder, Sent(), random.Random(1), 0
        for i, (path, body, _) in enumerate(KINDS):
            (folder / f"kind-{i}").write_bytes(bytes_of(path, body))

    def round(self):
        """The requests of one kind, and beside them clients that leave; then clients that leave while they wait."""
        kind = self.n % len(KINDS)
        self.n += 1
        argv = [BENCH_STREAMS, self.daemon.address[1], self.folder / f"kind-{kind}", KINDS[kind][2], STREAMS, REPEAT, 600]
        load = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            self.leave_early(*KINDS[kind][:2])
            self.leave_in_the_middle()
        finally:
            out, _ = load.communicate(timeout=660)
        result = json.loads(out.splitlines()[-1])
        assert load.returncode == 0 and (result["ok"], result["errors"]) == (ROUND, 0), (KINDS[kind], result)
        self.sent.answered += ROUND
        self.leave_while_waiting()

    def between(self):
        for _ in KINDS:
            self.round()

    def leave_early(self, path, body):
        """Half of them in the head, some of these without a byte; half in the body."""
        request = bytes_of(path, body)
        n_head = request.index(b"\r\n\r\n") + 4
        for i in range(2 * LEAVE):
            cut = self.chance.randrange(n_head) if i % 2 else self.chance.randrange(n_head, len(request))
            with self.daemon.connect() as c:
                c.send(request[:cut])
            self.sent.early += 1

    def leave_in_the_middle(self):
        with ExitStack() as streams:
            for _ in range(LEAVE):
                c = streams.enter_context(self.daemon.connect())
                c.send(bytes_of("/v1/chat/completions", HI | {"model": "gemini-endless", "stream": True}))
                c.read_until(b"data: ")
                self.sent.streaming += 1

    def leave_while_waiting(self):
        """Nothing else is under way, so the simulator's count is theirs."""
        wait.until("the end of all others", lambda: self.status()["in_progress"] == 0)
        with ExitStack() as clients:
            for i in range(LEAVE):
                c = clients.enter_context(self.daemon.connect())
                c.send(bytes_of("/v1/chat/completions", HI | {"model": "gemini-silent", "stream": i % 2 == 1}))
                self.sent.waiting += 1
            wait.until("their requests upstream", lambda: self.status()["in_progress"] == LEAVE)
        wait.until("their hang-ups upstream", lambda: self.status()["hung_up"] == self.sent.left)

    def run(self, rounds):
        for _ in range(rounds):
            self.round()

    def check(self):
        """Three tell of the same requests: this test, the daemon, and the simulator."""
        seen = self.status()
        stats = json.loads(self.daemon.ask("GET", "/stats", token="ADMIN").body)
        summary, models = stats["global_summary"], stats["model_summary"]
        assert (seen["total"], seen["hung_up"], seen["malformed"]) == (self.sent.asked, self.sent.left, 0)
        assert summary["client_requests_all_time"] == summary["total_requests_all_time"] == self.sent.asked
        assert {name: m["total_requests"] for name, m in models.items()} == {
            MODEL: self.sent.answered, "gemini-silent": self.sent.waiting, "gemini-endless": self.sent.streaming}
        assert all(m["total_errors"] == 0 for m in models.values()), models
        assert sum(k["total_requests"] for k in stats["api_key_stats"].values()) == self.sent.asked
        assert seen["statuses"]["200"] == self.sent.answered + self.sent.streaming, seen


@pytest.fixture(params=["plain", "tls"])
def upstream(request, sim, tmp_path):
    """gemini-sim over HTTP/1.1, and over TLS and HTTP/2."""
    if request.param == "plain":
        yield sim
        return
    with Front(tmp_path, sim) as f:
        yield f
        assert {line.protocol for line in f.lines()} == {"HTTP/2.0"}


@pytest.mark.long
@pytest.mark.unjudged  # to parse all of it would take longer than the test
def test_million(upstream, tmp_path_factory):
    upstream.script(SCRIPT)
    folder = tmp_path_factory.mktemp("gemgated")
    with house.Daemon(folder, upstream, {"LOG_LEVEL": "WARNING", **ALLOCATOR}) as d:
        m = Million(d, upstream, folder)
        idle = held(d, upstream)[0]
        m.run(WARM)
        early = m.lowest(None)
        m.run(max(1, ROUNDS - m.n))
        late = m.lowest(early[0])
        m.check()
        s = m.sent
        print(f"\n{s.answered} answers, {s.early + s.left} clients left; descriptors {idle} idle, {early[0]} then, {late[0]} now; "
              f"{early[1] >> 10} KiB then, {late[1] >> 10} KiB now: {100 * (late[1] - early[1]) / early[1]:+.2f} %")
        assert late[1] < early[1] * 1.01, (early, late)
