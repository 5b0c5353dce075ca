# SPDX-License-Identifier: MIT
"""Attacks by what comes before a body: lines without an end, heads that do not come, connections that do nothing."""
import contextlib
import signal

import pytest

import http1
import wait
from house import SECRETS
from watch import MIB, Watch

AUTH = ("Authorization", f"Bearer {SECRETS['TOKEN']}")
STRANGER = "127.0.0.2"
ONLY_OURS = '["127.0.0.1"]'


def chunked(target, line, method="GET", headers=()):
    head = http1.compose(method, target, [*headers, ("Transfer-Encoding", "chunked")])
    return head + line


ENDLESS_LINES = {
    "zeros before a chunk's size": b"48;" + b"0" * 60000,
    "a chunk's extension": b"5;" + b"x" * 60000,
    "a chunk's size": b"0" * 60000,
    "a trailer": b"0\r\n" + b"a" * 60000,
}


@pytest.mark.parametrize("line", ENDLESS_LINES.values(), ids=ENDLESS_LINES.keys())
@pytest.mark.parametrize("target", ["/health", "/v1/chat/completions"])
def test_chunk_line_without_an_end(start, line, target):
    """The connection is closed, with or without a status, and costs nothing from then on."""
    d = start()
    w = Watch(d)
    method = "GET" if target == "/health" else "POST"
    with w.attack("chunk lines", cpu=2), contextlib.ExitStack() as stack:
        connections = [stack.enter_context(d.connect()) for _ in range(20)]
        for c in connections:
            with contextlib.suppress(ConnectionError):
                c.send(chunked(target, line, method, [AUTH]))
        w.chats(20)
        for c in connections:
            c.wait_closed()
        w.chats(20)


def test_chunk_line_and_hang_up(start):
    """The client is gone: nothing of it is left, and nothing holds up the end."""
    d = start()
    w = Watch(d)
    with w.attack("chunk lines of clients that have gone", cpu=2):
        for _ in range(20):
            with d.connect() as c, contextlib.suppress(ConnectionError):
                c.send(chunked("/health", ENDLESS_LINES["a chunk's extension"]))
        w.chats(20)
    began = w.cpu()
    d.process.signal(signal.SIGTERM)
    assert d.process.wait(20) == 0, began


HEADS = {
    "many arguments": http1.compose("GET", "/health?" + "&".join(f"a{i}=1" for i in range(2000))),
    "many cookies": http1.compose("GET", "/health", [("Cookie", "; ".join(f"a{i}=1" for i in range(2000)))]),
    "many headers": http1.compose("GET", "/health", [(f"x-{i}", "1") for i in range(5000)]),
    "a header's endless value": http1.compose("GET", "/health", [("x", "y" * 300000)]),
    "a header's endless name": http1.compose("GET", "/health", [("y" * 300000, "x")]),
    "an endless target": http1.compose("GET", "/" + "x" * 300000),
    "an endless method": http1.compose("G" * 300000, "/health"),
    "empty lines": b"\r\n" * 150000,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_endless_head(start, head):
    """A status and a close; an ordinary client sees nothing of it."""
    d = start()
    w = Watch(d)
    with w.attack("endless heads", cpu=3):
        for _ in range(20):
            with d.connect() as c:
                with contextlib.suppress(OSError):  # it is closed already
                    c.send(head)
                    c.sock.shutdown(1)
                with contextlib.suppress(ConnectionError):
                    a = c.read()
                    assert a is None or 400 <= a.status < 500, a.head
                c.wait_closed()
        w.chats(20)


NULS = {
    "a header's value": b"GET /health HTTP/1.1\r\nHost: x\r\nx-request-id: a\0b\r\n\r\n",
    "a token": b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\0x\r\n\r\n" % SECRETS["TOKEN"].encode(),
    "a length": b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\0\r\n\r\n{}",
    "the target": b"GET /health\0/v1/models HTTP/1.1\r\nHost: x\r\n\r\n",
    "an argument": b"GET /health?a=b\0c HTTP/1.1\r\nHost: x\r\n\r\n",
    "the host": b"GET /health HTTP/1.1\r\nHost: x\0y\r\n\r\n",
}


@pytest.mark.parametrize("head", NULS.values(), ids=NULS.keys())
def test_nul(start, head):
    d = start()
    with d.connect() as c:
        c.send(head)
        a = c.read()
        assert a.status == 400, a.head
        c.wait_closed()


def test_half_heads_do_not_hold_up_the_end(start):
    d = start(DRAIN_TIMEOUT="60s")
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            c = stack.enter_context(d.connect())
            c.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuth")
        for _ in range(20):
            c = stack.enter_context(d.connect())
            c.send(b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        assert d.chat().status == 200
        d.process.signal(signal.SIGTERM)
        assert d.process.wait(50) == 0


def test_strangers_leave_room(start):
    """Addresses that are not allowed hold an eighth of the connections at most."""
    d = start(ALLOWED_IPS=ONLY_OURS, MAX_CONNECTIONS="400")
    w = Watch(d)
    with w.attack("strangers", cpu=2), contextlib.ExitStack() as stack:
        for _ in range(600):
            c = stack.enter_context(d.connect(source=STRANGER))
            with contextlib.suppress(ConnectionError):
                c.send(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        w.chats(50)
        assert d.ask("GET", "/health").status == 200
    # The daemon may accept this one before it sees that the others have gone.
    a = wait.until("room for a stranger", lambda: d.ask("GET", "/v1/models", source=STRANGER))
    assert a.status == 403 and a.header("Connection") == "close"


def test_all_connections_taken(start):
    """It is reported in the log, and is over with the first that closes."""
    d = start(MAX_CONNECTIONS="64")
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(d.connect()) for _ in range(80)]
        d.wait_log("the warning", lambda e: e["level"] == "warning" and "MAX_CONNECTIONS" in e["message"])
        for c in taken:
            c.close()
        assert d.chat().status == 200


def test_silent_streams_cost_nothing(sim, start, n=2000):
    """A request beside open streams that send nothing costs the HTTP server about as much as one alone."""
    sim.script('model=quiet: text "a b" chunks=2 hang after=1\n*: text "Hello."')
    d = start(STREAM_IDLE_TIMEOUT="10m", MAX_CONNECTIONS="4096")
    w = Watch(d)

    def cost():
        began = w.cpu()
        with d.connect() as c:
            for _ in range(40):
                c.send(http1.compose("GET", "/health") * 50)
                for _ in range(50):
                    assert c.read().status == 200
        return w.cpu() - began

    cost()
    alone = cost()
    body = http1.compose(
        "POST",
        "/v1/chat/completions",
        [AUTH],
        b'{"model":"quiet","stream":true,"messages":[{"role":"user","content":"Hi"}]}',
    )
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(d.connect()) for _ in range(n)]
        for c in streams:
            c.send(body)
        for c in streams:
            assert c.read_head().status == 200
        beside = cost()
        print(f"\n2,000 requests alone: {alone:.2f} s of CPU, beside {n} quiet streams: {beside:.2f} s")
        assert beside <= 2 * alone + 0.1, (alone, beside)


def test_pipelined_flood(start):
    """A client that sends requests and reads no answer is not read any further."""
    d = start()
    w = Watch(d)
    one = http1.compose("GET", "/health")
    with w.attack("requests whose answers are not read", memory=8 * MIB, cpu=5), contextlib.ExitStack() as stack:
        for _ in range(8):
            c = stack.enter_context(d.connect(receive_buffer=4096))
            c.sock.settimeout(0.2)
            with contextlib.suppress(TimeoutError, ConnectionError):
                for _ in range(200):
                    c.send(one * 200)
        w.chats(20)
