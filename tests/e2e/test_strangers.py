# SPDX-License-Identifier: MIT
"""What a client without a token, or one client with many connections, can hold: no room, no place and no time that the
others need. The times of a head and of a body are those of tests/unit/test-http-server.c."""
import json
import time

import pytest

import http1
import wait
from house import SECRETS

CHAT = "/v1/chat/completions"
TOKENS = json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])
BODY = json.dumps({"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "x" * 20_000}]}).encode()


def head(method, target, *lines, token=None):
    auth = [f"Authorization: Bearer {SECRETS[token]}"] if token else []
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: x", *auth, *lines, "", ""]).encode()


# --- bodies where none is wanted ---

UNWANTED = {
    "much": (["Content-Length: 10000000"], b"x" * 1000, 413),
    "chunks": (["Transfer-Encoding: chunked"], b"fff\r\n" + b"x" * 4095, 413),
    "a little": (["Content-Length: 2"], b"{}", 200),
    "a little in chunks": (["Transfer-Encoding: chunked"], b"2\r\n{}\r\n0\r\n\r\n", 200),
}


@pytest.mark.parametrize("target,token", [("/health", None), ("/v1/models", "TOKEN"), ("/stats", "ADMIN")])
@pytest.mark.parametrize("what", UNWANTED)
def test_unwanted_body(daemon, what, target, token):
    lines, body, status = UNWANTED[what]
    with daemon.connect() as c:
        c.send(head("GET", target, *lines, token=token) + body)
        a = c.read()
        assert a.status == status, a.body
        assert a.header("Connection") == "close"
        assert status == 200 or json.loads(a.body)["error"]["code"] == "request_too_large"
        c.wait_closed()
    daemon.wait_log("its line", lambda e: e.get("status") == status)


def test_no_length_keeps_the_connection(daemon):
    with daemon.connect() as c:
        for _ in range(2):
            c.send(head("GET", "/health", "Content-Length: 0"))
            assert c.read().status == 200


def test_open_route_holds_nothing(start):
    """Half bodies of strangers take no room from a client."""
    d = start(MAX_BODY="1M", MAX_INFLIGHT_BYTES="1M")
    held = [d.connect() for _ in range(41)]
    for c in held[:20]:
        c.send(head("GET", "/health", "Content-Length: 100000") + b"x" * 50_000)
    for c in held[20:]:
        c.send(head("GET", "/health", "Content-Length: 1000") + b"x" * 999)
    assert d.ask("POST", CHAT, body=BODY).status == 200
    for c in held:
        c.close()


# --- shares ---


def test_half_bodies_leave_room(start):
    """17 bodies of one client that do not end: a small request of another, and of the same one, is served."""
    d = start(ALLOWED_TOKENS=TOKENS, MAX_BODY="1M", MAX_INFLIGHT_BYTES="8M")
    large = lambda token: d.ask("POST", CHAT, body=b"x" * 1_000_000, token=token).status
    held = []
    for _ in range(17):
        held.append(d.connect())
        held[-1].send(head("POST", CHAT, "Content-Length: 1000000", token="TOKEN") + b"x" * 999_999)
        large("TOKEN")
    a = d.ask("POST", CHAT, body=b"x" * 1_000_000, token="TOKEN")
    assert (a.status, a.header("Retry-After")) == (503, "2")
    for _ in range(3):
        assert d.ask("POST", CHAT, body=BODY, token="TOKEN").status == 200
        assert d.ask("POST", CHAT, body=BODY, token="TOKEN2").status == 200
        assert large("TOKEN2") == 400  # read: there is room
    for c in held:
        c.close()


# --- the end ---

HALVES = {
    "nothing": b"",
    "half a head": b"GET /health HTTP/1.1\r\nHost:",
    "half a line": b"GE",
    "half an unwanted body": head("GET", "/health", "Content-Length: 5") + b"ab",
    "half a body without a token": head("POST", CHAT, "Content-Length: 5") + b"ab",
    "half a body with a wrong token": head("POST", CHAT, "Content-Length: 5", "x-api-key: wrong") + b"ab",
}


@pytest.mark.parametrize("what", HALVES)
def test_strangers_do_not_delay_the_end(start, what):
    d = start(DRAIN_TIMEOUT="10min")
    with d.connect() as c, d.connect() as other:
        c.send(HALVES[what])
        other.send(head("GET", "/health"))
        assert other.read().status == 200
        began = d.interrupt()
        assert d.process.wait() == 0
        assert time.monotonic() - began < 5  # half a second, on a machine with time


def test_an_upload_is_waited_for(sim, start):
    d = start(DRAIN_TIMEOUT="10min")
    with d.connect() as c, d.connect() as stranger:
        c.send(head("POST", CHAT, f"Content-Length: {len(BODY)}", token="TOKEN") + BODY[:-1])
        stranger.send(HALVES["half a head"])
        total = lambda: json.loads(d.ask("GET", "/admin/requests", token="ADMIN").body)["total"]
        wait.until("it is read", lambda: total() == 1)
        began = d.interrupt()
        wait.until("more than the grace", lambda: time.monotonic() > began + 1)
        assert d.process.status is None
        c.send(BODY[-1:])
        assert c.read("POST").status == 200
        assert d.process.wait() == 0


# --- the log ---

REFUSED = [
    ({"token": None}, "POST /v1/chat/completions 401", "no token"),
    ({"token": "KEY1"}, "POST /v1/chat/completions 401", "the token is unknown"),
    ({"token": "TOKEN", "target": "/stats"}, "GET /stats 403", "the token is not one of ADMIN_TOKENS"),
    ({"token": "TOKEN", "source": "127.0.0.2"}, "POST /v1/chat/completions 403", "ALLOWED_IPS does not list this address"),
]


@pytest.mark.parametrize("how,begin,end", REFUSED, ids=[r[2] for r in REFUSED])
def test_refusal_names_its_route(start, how, begin, end):
    how = dict(how)
    target = how.pop("target", CHAT)
    d = start(ALLOWED_IPS='["127.0.0.1"]')
    assert d.ask("GET" if target == "/stats" else "POST", target, body=None, **how).status in (401, 403)
    line = d.wait_log("its line", lambda e: e.get("status") in (401, 403))
    assert line["message"].startswith(begin) and line["message"].endswith(": " + end)


# --- connections ---


def closed_unanswered(c):
    try:
        return not c.sock.recv(1)
    except ConnectionResetError:
        return True


def test_strangers_have_few_connections(start):
    """An eighth, and of the log one line a minute; the clients have the rest."""
    d = start(ALLOWED_IPS='["127.0.0.1"]', MAX_CONNECTIONS="32")
    strangers = [d.connect(source="127.0.0.2") for _ in range(4)]
    with d.connect() as c:  # behind them in the queue of the socket, so they are accepted
        c.send(http1.compose("GET", "/health"))
        assert c.read().status == 200
    for _ in range(3):
        with d.connect(source="127.0.0.3") as c:
            assert closed_unanswered(c)
    clients = [d.connect() for _ in range(24)]
    for c in clients:
        c.send(http1.compose("GET", "/health"))
        assert c.read().status == 200
    for c in strangers + clients:
        c.close()
    wait.until("a free place", lambda: _health(d, "127.0.0.2") == 200)
    lines = [e for e in d.log() if "ALLOWED_IPS does not list have" in e["message"]]
    assert len(lines) == 1 and lines[0]["level"] == "warning" and lines[0]["limit"] == "4"


def _health(d, source):
    try:
        with d.connect(source=source) as c:
            c.send(http1.compose("GET", "/health"))
            answer = c.read()
            return answer and answer.status
    except OSError:
        return None


@pytest.mark.parametrize("target,status", [("/health", 200), ("/v1/models", 403)])
def test_stranger_has_one_request(start, target, status):
    d = start(ALLOWED_IPS='["127.0.0.1"]')
    with d.connect(source="127.0.0.2") as c:
        c.send(http1.compose("GET", target, [("x-api-key", SECRETS["TOKEN"])]))
        a = c.read()
        assert (a.status, a.header("Connection")) == (status, "close")
        c.wait_closed()
    with d.connect(source="127.0.0.2") as c:
        c.send(head("GET", "/health", "Content-Length: 2") + b"{}")
        assert c.read().status == 413
        c.wait_closed()


def test_trusted_proxy_is_no_stranger(start):
    """Its client's address comes with each request: the connection is kept."""
    d = start(ALLOWED_IPS='["10.0.0.1"]', TRUSTED_PROXIES='["127.0.0.1"]')
    with d.connect() as c:
        for address, status in [("10.0.0.1", 200), ("10.0.0.1", 200), ("10.0.0.2", 403)]:
            c.send(http1.compose("GET", "/", [("x-api-key", SECRETS["TOKEN"]), ("X-Forwarded-For", address)]))
            a = c.read()
            assert a.status == status
            assert status == 403 or a.header("Connection") is None


def test_max_connections_is_logged(start):
    """Once, though it is reached again and again."""
    d = start(MAX_CONNECTIONS="4")
    held = [d.connect() for _ in range(6)]
    for c in held:
        c.send(http1.compose("GET", "/health"))
    for c in held:
        assert c.read().status == 200
        c.close()
    assert d.ask("GET", "/health").status == 200
    lines = [e for e in d.log() if e["message"].startswith("MAX_CONNECTIONS is reached: 4 clients")]
    assert len(lines) == 1 and lines[0]["level"] == "warning" and lines[0]["limit"] == "4"
