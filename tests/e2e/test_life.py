# SPDX-License-Identifier: MIT
"""Moments: clients that hang up, clients that read slowly, the end of the daemon with streams open."""
import json
import select
import signal
import time

import pytest

import house
import http1
import wait
from cost import memory
from house import SECRETS

HI = {"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}]}
STREAM = HI | {"stream": True}
ENDLESS = 'text "x" chunks=40000 pace=5ms'  # 200 s: longer than any test waits

PING_AFTER = 15  # seconds


def ask(daemon, body, **kw):
    """Sends a chat request and leaves the connection open."""
    c = daemon.connect(**kw)
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}")]
    c.send(http1.compose("POST", "/v1/chat/completions", headers, json.dumps(body).encode()))
    return c


# --- hanging up ---

HANG_UPS = [
    ("waiting for the first byte", STREAM, "*: hang"),
    ("waiting for the whole answer", HI, "*: hang"),
    ("in the middle of a stream", STREAM, "*: " + ENDLESS),
    ("in a stream that is silent", STREAM, '*: text "a b" chunks=2 hang after=1'),
]


@pytest.mark.parametrize("how", ["close", "reset", "half"])
@pytest.mark.parametrize("body,script", [h[1:] for h in HANG_UPS], ids=[h[0] for h in HANG_UPS])
def test_hang_up_cancels_upstream(sim, daemon, body, script, how):
    """At once, not by the write of a ping. A client that closes only its sending half counts as gone, as with nginx."""
    sim.script(script)
    c = ask(daemon, body)
    wait.until("the upstream request", lambda: sim.count() == 1)
    if "text" in script:
        c.read_until(b'"content"')
    if how == "close":
        c.close()
    elif how == "reset":
        c.sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER of 0 s: RST
        c.close()
    else:
        c.sock.shutdown(1)
    sim.wait_hung_up(deadline=PING_AFTER)
    line = daemon.wait_log("the log line", lambda e: e.get("dialect") == "openai-chat")
    assert line["status"] == (499 if "text" not in script else 200)
    c.close()


def test_hang_up_while_backing_off(sim, daemon):
    """A client hangs up between two tries: no further try is made."""
    sim.script("*: error overloaded")
    c = ask(daemon, HI)
    wait.until("the first try", lambda: sim.count() >= 1)
    c.close()
    daemon.wait_log("the log line", lambda e: e.get("status") == 499)
    assert sim.count() < 3


def test_many_hang_ups_leave_nothing(sim, daemon):
    """Connections, upstream calls and memory are given back."""
    sim.script("*: " + ENDLESS)
    for round_ in range(3):
        streams = [ask(daemon, STREAM) for _ in range(50)]
        for c in streams:
            c.read_until(b'"content"')
        for c in streams:
            c.close()
        sim.wait_hung_up(50 * (round_ + 1))
    assert daemon.ask("GET", "/health").status == 200


# --- reading slowly ---


def test_slow_reader_pauses_upstream(sim, daemon):
    """What the client doesn't read stays upstream: neither the daemon nor the kernel may hold an endless answer."""
    sim.script('*: big 200M')
    daemon.ask("GET", "/health")
    before = memory(daemon)
    with ask(daemon, STREAM, receive_buffer=8192) as c:
        c.read_until(b'"content"')
        stalled = wait.until("the upstream to stall", lambda: _stalled(sim))
        assert stalled < 32 << 20, f"{stalled} bytes were taken from upstream"
        # A sanitizer keeps what was freed
        assert house.SANITIZED or memory(daemon) - before < 16 << 20
    sim.wait_hung_up()


def _stalled(sim):
    """The bytes that upstream sent, if they are the same as a moment ago."""
    first = sim.requests()[-1].answer["bytes"]
    end = time.monotonic() + 0.3
    wait.until("a moment to pass", lambda: time.monotonic() > end)
    second = sim.requests()[-1].answer["bytes"]
    return second if first == second > 0 else None


def test_slow_reader_gets_everything(sim, daemon):
    """Paused and woken many times, the stream is whole."""
    sim.script('*: big 8M')
    with ask(daemon, STREAM, receive_buffer=8192) as c:
        answer = c.read()
    assert answer.complete and answer.body.endswith(b"data: [DONE]\n\n")
    chunks = [json.loads(line[6:]) for line in answer.body.decode().split("\n\n") if line.startswith("data: {")]
    text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks)
    assert len(text) == 8 << 20


def test_slow_reader_is_not_idle(sim, start):
    """While the client is what is slow, STREAM_IDLE_TIMEOUT is not running."""
    sim.script('*: big 8M')
    d = start(STREAM_IDLE_TIMEOUT="100ms")
    with ask(d, STREAM, receive_buffer=8192) as c:
        c.read_until(b'"content"')
        wait.until("the upstream to stall", lambda: _stalled(sim))
        c.read_body("POST")
        assert c.buffer == b"" and b'"error"' not in c.answer.body
        assert c.answer.complete


# --- the end ---


def test_drain_lets_a_stream_finish(sim, start):
    """SIGTERM: no new connection, the stream goes on to its end, then the daemon exits with 0."""
    sim.script('*: text "a b c d e f g h i j" chunks=10 pace=50ms')
    d = start()
    with ask(d, STREAM) as c:
        c.read_until(b'"content"')
        d.interrupt()
        wait.until("the refusal of new connections", lambda: not _connects(d))
        answer = c.read_body("POST")
        assert answer.complete
        assert c.buffer == b""
    assert d.process.wait() == 0


def test_drain_finishes_what_waits(sim, start):
    """A request without its first byte is under way too."""
    sim.script('*: text "Hello." delay=400ms')
    d = start()
    with ask(d, HI) as c:
        wait.until("the upstream request", lambda: sim.count() == 1)
        d.interrupt(signal.SIGINT)
        answer = c.read()
        assert answer.status == 200 and answer.header("Connection") == "close"
    assert d.process.wait() == 0


def test_drain_of_nothing_is_at_once(start):
    d = start(DRAIN_TIMEOUT="10min")
    assert d.ask("GET", "/health").status == 200
    with d.connect():  # an idle keep-alive connection is no work
        d.interrupt()
        assert d.process.wait() == 0


def test_drain_timeout(sim, start):
    """DRAIN_TIMEOUT bounds it: the stream gets an error and is cut, and the exit status is still 0."""
    sim.script("*: " + ENDLESS)
    d = start(DRAIN_TIMEOUT="300ms")
    with ask(d, STREAM) as c:
        c.read_until(b'"content"')
        at = d.interrupt()
        assert d.process.wait() == 0
        assert time.monotonic() - at >= 0.3
        while c.chunk():
            pass
    sim.wait_hung_up()


@pytest.mark.parametrize("first,second", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)])
def test_second_signal_is_at_once(sim, start, first, second):
    sim.script("*: " + ENDLESS)
    d = start(DRAIN_TIMEOUT="10min")
    with ask(d, STREAM) as c:
        c.read_until(b'"content"')
        d.interrupt(first)
        wait.until("the refusal of new connections", lambda: not _connects(d))
        d.interrupt(second)
        assert d.process.wait() == 0


def test_drain_with_suspended_streams(sim, start):
    """libmicrohttpd aborts when it is stopped with a suspended connection; many of them must not do that."""
    sim.script("*: hang")
    d = start(DRAIN_TIMEOUT="100ms")
    streams = [ask(d, STREAM) for _ in range(100)]
    wait.until("the upstream requests", lambda: sim.count() == 100)
    d.interrupt()
    assert d.process.wait() == 0
    for c in streams:
        c.close()


def _connects(d):
    try:
        d.connect().close()
        return True
    except OSError:
        return False


# --- many at once ---


def test_a_thousand_streams(sim, start):
    """Open at the same time, all of them finish."""
    sim.script('*: text "a b" chunks=2 pace=3s')
    d = start()
    streams = [ask(d, STREAM) for _ in range(1000)]
    for c in streams:
        c.read_until(b'"content"')
    for c in streams:
        answer = c.read_body("POST")
        assert answer.complete
        c.close()
    done = wait.until("1000 log lines", lambda: len(e := _chats(d)) >= 1000 and e)
    assert len(done) == 1000 and all(e["status"] == 200 for e in done)


def _chats(d):
    return [e for e in d.log() if e.get("dialect") == "openai-chat"]


def test_concurrent_requests_spread(sim, start):
    """A pick reserves: requests at the same instant don't choose the same key while others are idle."""
    sim.script('*: text "Hello." delay=300ms')
    d = start(API_KEYS=json.dumps([SECRETS[f"KEY{i}"] for i in (1, 2, 3, 4)]))
    streams = [ask(d, HI) for _ in range(8)]
    for c in streams:
        assert c.read().status == 200
        c.close()
    counts = {}
    for r in sim.requests():
        counts[r.key] = counts.get(r.key, 0) + 1
    assert sorted(counts.values()) == [2, 2, 2, 2]


# --- silence ---

if not house.SANITIZED:  # 15 s are long, and a sanitizer sees nothing new in them

    def test_ping(sim, daemon):
        """A stream that is silent for 15 s gets a comment, which keeps proxies and clients from giving up. Not so in
        Gemini's own protocol, whose clients take it for a part of an error: an older stream of it gets none.
        """
        sim.script('*: text "a b" chunks=2 hang after=1')
        native = "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
        body = b'{"contents":[{"parts":[{"text":"Hi"}]}]}'
        began = time.monotonic()
        with daemon.connect() as older, ask(daemon, STREAM) as c:
            older.send(http1.compose("POST", native, [("x-goog-api-key", SECRETS["TOKEN"])], body))
            older.read_until(b'"text":"a"')
            c.read_until(b'"content":"a"')
            body = c.read_until(b": ping\n\n")
            assert time.monotonic() - began >= PING_AFTER
            assert b'"error"' not in body
            assert daemon.ask("GET", "/health").status == 200  # whatever was written with the comment has arrived
            assert not older.buffer and not select.select([older.sock], [], [], 0)[0]


def test_connections_have_a_ceiling(sim, start):
    """Beyond MAX_CONNECTIONS a client is not served until another connection is closed."""
    d = start(MAX_CONNECTIONS="4")
    held = [d.connect() for _ in range(4)]
    for c in held:
        c.send(http1.compose("GET", "/health"))
        assert c.read().status == 200
    held[0].close()
    wait.until("a free place", lambda: _served(d))
    for c in held[1:]:
        c.send(http1.compose("GET", "/health"))
        assert c.read().status == 200
        c.close()


def _served(d):
    try:
        with d.connect() as c:
            c.send(http1.compose("GET", "/health"))
            answer = c.read()
            return answer and answer.status == 200
    except OSError:
        return False
