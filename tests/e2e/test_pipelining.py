# SPDX-License-Identifier: MIT
"""HTTP/1.1 pipelining: requests that come before the answers to those ahead of them. Each is answered, in order, and none
waits for something that has come already: a request that hangs here is a test that fails by its deadline."""
import json

import pytest

import http1
import wait
from house import SECRETS

MODEL = "gemini-3.8-flash"
HEALTH = http1.compose("GET", "/health")


def chat(content="Hi", token="TOKEN", **fields):
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": content}], **fields}).encode()
    headers = [("Authorization", f"Bearer {SECRETS[token]}"), ("Content-Type", "application/json")]
    return http1.compose("POST", "/v1/chat/completions", headers, body)


def chunked(content):
    """The same with a body of unknown length."""
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": content}]}).encode()
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("Transfer-Encoding", "chunked")]
    pieces = [body[:20], body[20:]]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
    return http1.compose("POST", "/v1/chat/completions", headers, None) + framed


def asked(sim):
    return [json.loads(r.body)["contents"][0]["parts"][0]["text"] for r in sim.requests()]


REFUSED = {
    "a wrong body": (chat(temperature="hot"), 400),
    "no JSON": (http1.compose("POST", "/v1/chat/completions", [("x-api-key", SECRETS["TOKEN"])], b"{"), 400),
    "a wrong token": (http1.compose("POST", "/v1/chat/completions", [("x-api-key", "x" * 20)], b"{}"), 401),
    "no such route": (http1.compose("POST", "/nowhere", [("x-api-key", SECRETS["TOKEN"])], b"{}"), 404),
    "no such method": (http1.compose("DELETE", "/health", [("x-api-key", SECRETS["TOKEN"])]), 405),
}


@pytest.mark.parametrize("n", [2, 3, 50])
def test_in_one_segment(sim, daemon, n):
    """Requests with bodies."""
    with daemon.connect() as c:
        c.send(b"".join(chat(f"number {i}") for i in range(n)))
        for _ in range(n):
            assert c.read("POST").status == 200
        assert c.buffer == b""
    assert asked(sim) == [f"number {i}" for i in range(n)]


def test_without_bodies(daemon):
    with daemon.connect() as c:
        c.send(HEALTH * 20)
        for _ in range(20):
            assert c.read().status == 200


def test_mixed(sim, daemon):
    """With a body and without one, of a known length and in chunks, streamed and whole."""
    with daemon.connect() as c:
        c.send(chat("one") + HEALTH + chunked("two") + chat("three", stream=True) + HEALTH + chat("four"))
        kinds = []
        for _ in range(6):
            a = c.read("POST")
            assert a.status == 200 and a.complete
            kinds.append(a.header("Content-Type").split(";")[0])
    assert kinds == ["application/json"] * 3 + ["text/event-stream"] + ["application/json"] * 2
    assert asked(sim) == ["one", "two", "three", "four"]


@pytest.mark.parametrize("parts", [1, 7, 100])
def test_torn(sim, daemon, parts):
    """The borders of the segments are not those of the requests."""
    data = chat("one") + chat("two") + HEALTH
    size = -(-len(data) // parts)
    with daemon.connect() as c:
        c.sock.setsockopt(6, 1, 1)  # TCP_NODELAY
        for at in range(0, len(data), size):
            c.send(data[at : at + size])
        for _ in range(3):
            assert c.read("POST").status == 200
    assert asked(sim) == ["one", "two"]


def test_next_one_comes_while_the_first_waits(sim, daemon):
    """Gemini has not yet answered the first; the second is not begun before."""
    sim.script('* times=1: text "first" delay=500ms\n*: text "second"')
    with daemon.connect() as c:
        c.send(chat("one"))
        wait.until("the first upstream", lambda: sim.count() == 1)
        c.send(chat("two") + HEALTH)
        assert b"first" in c.read("POST").body
        assert b"second" in c.read("POST").body
        assert c.read().status == 200


def test_next_one_comes_while_the_first_streams(sim, daemon):
    sim.script('* times=1: text "a b c d e f g h" chunks=8 pace=50ms\n*: text "second"')
    with daemon.connect() as c:
        c.send(chat("one", stream=True))
        c.read_until(b'"content"')
        c.send(chat("two") + chat("three", stream=True) + HEALTH)
        first = c.read_body("POST")
        assert first.complete
        assert b"second" in c.read("POST").body
        third = c.read("POST")
        assert third.complete and third.body.endswith(b"data: [DONE]\n\n")
        assert c.read().status == 200
    assert asked(sim) == ["one", "two", "three"]


def test_second_half_comes_while_the_first_streams(sim, daemon):
    """Of the second one there is half a head at first, then half a body."""
    sim.script('* times=1: text "a b c d" chunks=4 pace=50ms\n*: text "second"')
    second = chat("two")
    with daemon.connect() as c:
        c.send(chat("one", stream=True) + second[:30])
        c.read_until(b'"content"')
        c.send(second[30:-10])
        assert c.read_body("POST").complete
        c.send(second[-10:])
        assert b"second" in c.read("POST").body


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("at", ["first", "between", "last"])
def test_one_is_refused(sim, daemon, what, at):
    """Those behind it are answered, too, or the connection is closed behind its answer; none is left without an end."""
    bad, status = REFUSED[what]
    n_before = {"first": 0, "between": 1, "last": 2}[at]
    with daemon.connect() as c:
        c.send(chat("ok") * n_before + bad + chat("ok") * (2 - n_before))
        for _ in range(n_before):
            assert c.read("POST").status == 200
        a = c.read("POST")
        assert a.status == status and a.complete
        if a.header("Connection") == "close":
            c.wait_closed()
            return
        for _ in range(2 - n_before):
            assert c.read("POST").status == 200
    assert len(asked(sim)) == 2


def test_broken_framing_ends_it(sim, daemon):
    """What follows a head that cannot be read is not read as a request; those before it are answered."""
    with daemon.connect() as c:
        c.send(chat("one") + b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n" + chat("two"))
        assert c.read("POST").status == 200
        assert c.read("POST").status == 400
        c.wait_closed()
    assert asked(sim) == ["one"]


def test_big_bodies(sim, daemon):
    """More than the buffers of a connection."""
    text = "x" * 300000
    with daemon.connect() as c:
        c.send(chat(text) + chat(text + "y") + HEALTH)
        for _ in range(3):
            assert c.read("POST").status == 200
    assert [len(t) for t in asked(sim)] == [300000, 300001]


@pytest.mark.parametrize("how", ["close", "half", "reset"])
def test_client_goes_after_both(sim, daemon, how):
    """Nothing of it stays, and the next client is served. What is still behind the first one need not be asked."""
    sim.script("*: hang")
    c = daemon.connect()
    c.send(chat("one") + chat("two"))
    wait.until("the first upstream", lambda: sim.count() == 1)
    if how == "half":
        c.sock.shutdown(1)
    elif how == "reset":
        c.sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER of 0 s
    if how != "half":
        c.close()
    sim.wait_all_hung_up()
    daemon.wait_log("its line", lambda e: e.get("dialect") == "openai-chat" and e["status"] == 499)
    c.close()
    sim.script('*: text "Hello."')
    assert daemon.chat().status == 200


def test_close_is_kept(sim, daemon):
    """Connection: close with the second one: it is answered, and then the connection ends; the third is not."""
    last = chat("two").replace(b"Host:", b"Connection: close\r\nHost:")
    with daemon.connect() as c:
        c.send(chat("one") + last + chat("three"))
        assert c.read("POST").status == 200
        assert c.read("POST").status == 200
        c.wait_closed()
    assert asked(sim) == ["one", "two"]


def test_drain_with_one_behind(sim, start):
    """SIGTERM while the first streams and the second has come: the first goes to its end, and the daemon ends."""
    sim.script('*: text "a b c d e f" chunks=6 pace=50ms')
    d = start(DRAIN_TIMEOUT="10min")
    with d.connect() as c:
        c.send(chat("one", stream=True) + chat("two"))
        c.read_until(b'"content"')
        d.interrupt()
        assert c.read_body("POST").complete
        c.wait_closed()
    assert d.process.wait() == 0


def test_many_connections_at_once(sim, daemon):
    connections = [daemon.connect() for _ in range(30)]
    for c in connections:
        c.send(chat("one", stream=True) + HEALTH + chat("two"))
    for c in connections:
        assert [c.read("POST").status for _ in range(3)] == [200] * 3
        c.close()
    assert sorted(asked(sim)) == ["one"] * 30 + ["two"] * 30
