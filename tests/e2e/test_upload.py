# SPDX-License-Identifier: MIT
"""Bodies: too large ones before and during the upload, Expect, chunks, pipelining, ceilings."""
import json
import signal

import pytest

import wait
from house import SECRETS

CHAT = "/v1/chat/completions"
TOKEN = f"Authorization: Bearer {SECRETS['TOKEN']}\r\n"


def head(*lines, target=CHAT):
    return ("\r\n".join([f"POST {target} HTTP/1.1", "Host: a", *lines]) + "\r\n" + TOKEN + "\r\n").encode()


def too_large(answer):
    assert answer.status == 413, answer
    error = json.loads(answer.body)["error"]
    assert error["type"] == "invalid_request_error" and "MAX_BODY" in error["message"]
    assert answer.header("Content-Type") == "application/json"
    return True


def test_declared_too_large_is_refused_at_the_headers(start):
    d = start(MAX_BODY="1K")
    with d.connect() as c:
        c.send(head("Content-Length: 1025"))
        too_large(c.read("POST"))


def test_expect_too_large_uploads_nothing(start):
    d = start(MAX_BODY="1K")
    with d.connect() as c:
        c.send(head("Content-Length: 1000000", "Expect: 100-continue"))
        answer = c.read_head()
        assert answer.status == 413, "no 100 Continue may come first"
        too_large(c.read_body("POST"))


def test_expect_is_answered(start):
    d = start(MAX_BODY="1K")
    with d.connect() as c:
        c.send(head("Content-Length: 2", "Expect: 100-continue"))
        assert c.read_head().status == 100
        c.send(b"{}")
        assert c.read("POST").status == 400


def test_expect_without_a_token_is_refused_at_once(start):
    d = start()
    with d.connect() as c:
        c.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert c.read_head().status == 401


@pytest.mark.parametrize("size,status", [(1024, 400), (1025, 413)])
def test_the_bound_is_exact(start, size, status):
    d = start(MAX_BODY="1K")
    assert d.ask("POST", CHAT, body=b"x" * size).status == status


@pytest.mark.parametrize("size,status", [(1024, 400), (1025, 413)])
def test_the_bound_is_exact_in_chunks(start, size, status):
    d = start(MAX_BODY="1K")
    with d.connect() as c:
        c.send(head("Transfer-Encoding: chunked"))
        for _ in range(size):
            c.send(b"1\r\nx\r\n")
        c.send(b"0\r\n\r\n")
        answer = c.read("POST")
        assert answer.status == status
        assert status != 413 or too_large(answer)


def test_chunks_too_large_get_their_413(start):
    """Beyond MAX_BODY the rest is read and dropped, so that a client that sends before it reads gets its answer."""
    d = start(MAX_BODY="64K")
    with d.connect() as c:
        c.send(head("Transfer-Encoding: chunked"))
        for _ in range(64):
            c.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        c.send(b"0\r\n\r\n")
        too_large(c.read("POST"))


def test_endless_chunks_are_cut(start):
    """No upload may go on for ever: beyond a second ceiling the connection is closed."""
    d = start(MAX_BODY="64K")
    with d.connect() as c:
        c.send(head("Transfer-Encoding: chunked"))
        sent = 0
        try:
            while sent < 256 << 20:
                c.send(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
                sent += 1 << 20
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 64 << 20, "the daemon went on reading"
    assert d.ask("GET", "/health").status == 200


def test_a_body_in_small_pieces(start):
    d = start()
    with d.connect() as c:
        for byte in head("Content-Length: 2") + b"{}":
            c.send(bytes([byte]))
        assert c.read("POST").status == 400


def test_pipelining(start):
    """Three requests in one piece, three answers in order."""
    d = start()
    with d.connect() as c:
        one = b"GET /health HTTP/1.1\r\nHost: a\r\nx-request-id: %d\r\n\r\n"
        c.send(one % 1 + one % 2 + one % 3)
        assert [c.read().header("x-request-id") for _ in range(3)] == ["1", "2", "3"]


def test_keep_alive_after_an_error(start):
    """A refused request whose body was read keeps the connection open."""
    d = start()
    with d.connect() as c:
        for _ in range(3):
            c.send(head("Content-Length: 2") + b"{}")
            assert c.read("POST").status == 400


def test_http_1_0(start):
    d = start()
    with d.connect() as c:
        c.send(b"GET /health HTTP/1.0\r\n\r\n")
        answer = c.read()
        assert answer.status == 200 and json.loads(answer.body)["status"] == "healthy"
        assert not c.fill(), "the connection stays open"


def test_headers_too_large(start):
    d = start()
    with d.connect() as c:
        try:
            c.send(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * (256 << 10) + b"\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = c.read()
        assert answer is None or answer.status in (400, 413, 431)
    assert d.ask("GET", "/health").status == 200


GARBAGE = [
    b"\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"GET /health\r\n\r\n",
    b"GET /health HTTP/9.9\r\nHost: a\r\n\r\n",
    b"GET /health HTTP/1.1\r\n\r\n",  # no Host
    b"GET /health HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET \x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + TOKEN.encode() + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"
    + TOKEN.encode()
    + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
]


@pytest.mark.parametrize("i", range(len(GARBAGE)))
def test_garbage(start, i):
    """Whatever comes, the next client is served."""
    d = start()
    with d.connect() as c:
        c.send(GARBAGE[i])
        c.sock.shutdown(1)
        answer = c.read()
        assert answer is None or answer.status >= 400 or (answer.status == 200 and i == 0)
    assert d.ask("GET", "/health").status == 200


def test_bodies_in_flight_have_a_ceiling(start):
    """MAX_INFLIGHT_BYTES bounds all bodies together; a request that does not fit gets a Retry-After."""
    d = start(MAX_BODY="1M", MAX_INFLIGHT_BYTES="2M")
    held = []
    try:
        for _ in range(4):
            c = d.connect()
            c.send(head("Content-Length: 1000000") + b"x" * 999_999)
            held.append(c)
        statuses = []
        for c in held:
            c.send(b"x")
            statuses.append(c.read("POST").status)
        assert set(statuses) <= {400, 503} and 503 in statuses, statuses
    finally:
        for c in held:
            c.close()
    assert d.ask("POST", CHAT, body=b"x" * 1_000_000).status == 400, "the room was not given back"


def test_hang_up_in_the_middle_of_a_body(start):
    """When the client closes, its socket still has more than one read of bytes: the FIN behind them is noticed, too."""
    d = start()
    listed = lambda: json.loads(d.ask("GET", "/admin/requests", token="ADMIN").body)["total"]
    with d.connect() as c:
        c.send(head("Content-Length: 1000000"))
        wait.until("it is read", lambda: listed() == 1)
        d.process.signal(signal.SIGSTOP)  # so the bytes and the FIN are there at once
        c.send(b"x" * 100_000)
    d.process.signal(signal.SIGCONT)
    wait.until("it is gone", lambda: listed() == 0)
