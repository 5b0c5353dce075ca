# SPDX-License-Identifier: MIT
"""A network between gemgated and Gemini: late packets, lost packets, connections whose other end is gone.

gemgated is in a separate namespace, and its only way out is tests/net/relay. nginx, which speaks TLS and HTTP/2, listens
in another one. Where the kernel lacks the means, these tests fail with a sentence that names them.
"""
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

import house
import relay as net
from front import Front
from test_http2 import stream
from test_trace import ask

PROGRAM = house.BUILD / "tests" / "net" / "net-relay"
# Only the PING finds that the other end is gone, within 10 s: everything else waits for longer than a test does.
PATIENT = {"STREAM_IDLE_TIMEOUT": "1h", "FIRST_BYTE_TIMEOUT": "1h", "REQUEST_DEADLINE": "1h", "LOG_LEVEL": "DEBUG"}
NO_PING = "The server did not answer a PING"


@pytest.fixture
def relay():
    r = lacks = None
    try:
        r = net.Relay(PROGRAM, delay=20_000, jitter=5_000)
    except net.RelayError as e:
        lacks = e
    if lacks:
        pytest.fail(f"this test needs a separate network: {lacks}", pytrace=False)
    with r:
        yield r


@pytest.fixture
def front(sim, relay, tmp_path):
    under = tmp_path / "front"
    under.mkdir()
    with relay.listener() as listener, Front(under, sim, listener=listener) as f:
        yield f


@pytest.fixture
def daemon(front, relay, tmp_path):
    under = tmp_path / "daemon"
    under.mkdir()
    with house.Daemon(under, front, PATIENT, program=relay.near(house.GEMGATED)) as d:
        yield d


def rest_of(c):
    while part := c.chunk():
        c.answer.body += part
    return c.answer


def line_of(d, request_id):
    """The line of the log that a request ends with."""
    return d.wait_log("its line", lambda e: e.get("request_id") == request_id and "status" in e)


def assert_no_key_blamed(d):
    for key in json.loads(d.ask("GET", "/stats", token="ADMIN").body)["api_key_stats"].values():
        for model in key["models"].values():
            assert (model["is_healthy"], model["state"], model["consecutive_errors"]) == (True, "usable", 0), key


def test_half_open(front, daemon, relay):
    """The other end of a connection forgets it under two streams and a request without an answer. The streams end with an
    error; the request, of which no byte has come, is tried once more over a new connection, and that one is answered."""
    front.script('body="wait" times=1 : hang\nbody="stream" : text "first-second" chunks=2 hang after=1\n* : default\n')
    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        streams = [stack.enter_context(stream(daemon, "stream")) for _ in range(2)]
        waits = pool.submit(daemon.chat, "wait")
        front.wait_count(3)
        assert len({r.key for r in front.requests()}) == 2
        relay.forget()
        for answer in map(rest_of, streams):
            assert answer.status == 200 and b'"error"' in answer.body and b"[DONE]" not in answer.body
        assert waits.result().status == 200
    lines = [e for e in daemon.log() if "verdicts" in e]
    assert sorted(e["verdicts"] for e in lines) == ["cut", "cut", "unreachable, ok"]
    assert all(NO_PING in e["cause"] for e in lines)
    assert front.count() == 4
    assert_no_key_blamed(daemon)


def test_half_open_while_idle(front, daemon, relay):
    """The connection was forgotten between two requests. The second one finds that out, or a PING that is sent before it
    because the connection was idle for a second; it is answered in either case, and Gemini gets it once."""
    assert daemon.chat("one").status == 200
    relay.forget()
    assert ask(daemon, "two").status == 200
    line = line_of(daemon, "two")
    assert line["verdicts"] in ("ok", "unreachable, ok") and NO_PING in line.get("cause", NO_PING)
    assert front.count() == 2
    assert_no_key_blamed(daemon)


def test_reset(front, daemon, relay):
    """A reset ends a stream, and a connection that is refused fails a request; the next one after that is answered."""
    front.script('body="stream" : text "x" chunks=1000000 pace=5ms\n* : default\n')
    with stream(daemon, "stream") as c:
        relay.reset()
        answer = rest_of(c)
        assert answer.status == 200 and b'"error"' in answer.body
    assert ask(daemon, "refused").status >= 500
    assert set(line_of(daemon, "refused")["verdicts"].split(", ")) == {"unreachable"}
    relay.heal()
    assert daemon.chat().status == 200
    assert front.count() == 2
    assert_no_key_blamed(daemon)


def test_loss(front, daemon, relay):
    """With 2 % of all packets lost, each request and each stream is answered, and each was sent once."""
    n, words = 120, " ".join(f"word{i}" for i in range(100))
    front.script(f'body="stream" : text "{words}" chunks=100 pace=2ms\n* : default\n')
    assert daemon.chat().status == 200
    relay.lose(20)
    streamed = []

    def read():
        with stream(daemon, "stream") as c:
            streamed.append(rest_of(c))

    readers = [threading.Thread(target=read) for _ in range(12)]
    for reader in readers:
        reader.start()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: daemon.chat(f"number {i}").status, range(n)))
    for reader in readers:
        reader.join()
    assert relay.lost() > 0
    assert answers == [200] * n
    assert [b"[DONE]" in a.body for a in streamed] == [True] * len(readers)
    assert front.count() == 1 + n + len(readers)
    assert_no_key_blamed(daemon)
