# SPDX-License-Identifier: MIT
"""Attacks by bodies: held open, dripped, or JSON that becomes much more in memory than it is on the wire."""
import contextlib
import json

import pytest

import http1
from house import SANITIZED, SECRETS
from watch import MIB, Watch

TOKEN = [("Authorization", f"Bearer {SECRETS['TOKEN']}")]
OTHER = [("Authorization", f"Bearer {SECRETS['TOKEN2']}")]
TWO_CLIENTS = {"ALLOWED_TOKENS": json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])}
CHAT = "/v1/chat/completions"
SMALL = {"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "x" * 20000}]}


def hold(d, target, length, sent, headers=(), method="POST", **kw):
    """A connection with a body that is not ended."""
    c = d.connect(**kw)
    with contextlib.suppress(ConnectionError, TimeoutError):
        c.send(http1.compose(method, target, [*headers, ("Content-Length", str(length))]))
        c.sock.settimeout(2)
        c.send(b"{" + b" " * (sent - 1))
    return c


def test_health_takes_no_body(start):
    """The room for bodies is not for those who have no token."""
    d = start(MAX_INFLIGHT_BYTES="64M", **TWO_CLIENTS)
    w = Watch(d)
    with w.attack("bodies of /health", cpu=3), contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(hold(d, "/health", 2 * MIB, 2 * MIB - 1, method="GET"))
        w.chats(5, content="x" * 20000)


@pytest.mark.parametrize("token", ["TOKEN2", "a wrong one"])
def test_one_client_holds_the_room(start, token):
    """A client that fills MAX_INFLIGHT_BYTES with bodies that do not end leaves room for the others."""
    d = start(MAX_INFLIGHT_BYTES="64M", MAX_BODY="8M", **TWO_CLIENTS)
    w = Watch(d)
    headers = OTHER if token == "TOKEN2" else [("Authorization", "Bearer wrong-" + "x" * 20)]
    with w.attack("bodies of one client", memory=80 * MIB, cpu=3), contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(hold(d, CHAT, 4 * MIB, 4 * MIB - 1, headers))
        w.chats(5, content="x" * 20000)
        # Of another client also a large one.
        w.chats(1, content="x" * (2 * MIB))


def test_strangers_body(start):
    """From an address that is not allowed."""
    d = start(MAX_INFLIGHT_BYTES="64M", ALLOWED_IPS='["127.0.0.1"]')
    w = Watch(d)
    with w.attack("bodies of strangers", cpu=3), contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(hold(d, CHAT, 4 * MIB, 4 * MIB - 1, TOKEN, source="127.0.0.2"))
        w.chats(5, content="x" * 20000)


SIZE = 4 * MIB


def fill(piece, begin, end):
    n = (SIZE - len(begin) - len(end)) // (len(piece) + 1)
    return (begin + ",".join([piece] * n) + end).encode()


JSON = {
    "objects as messages": fill("{}", '{"messages":[', "]}"),
    "objects in an ignored member": fill("{}", '{"user":[', '],"messages":[]}'),
    "arrays": fill("[]", '{"messages":[', "]}"),
    "numbers": fill("0", '{"messages":[', "]}"),
    "fractions": fill("0.1", '{"messages":[', "]}"),
    "empty strings": fill('""', '{"messages":[', "]}"),
    "nulls": fill("null", '{"messages":[', "]}"),
    "members of an object": b'{"messages":{%s}}' % b",".join(b'"%07x":0' % i for i in range(SIZE // 12)),
    "the same member": fill('"a":{}', '{"messages":{', "}}"),
    "parts of a content": fill('{"type":"text"}', '{"messages":[{"role":"user","content":[', "]}]}"),
    "nested arrays": b'{"messages":' + b"[" * 60 + fill("[[]]", "", "") + b"]" * 60 + b"}",
    "a long string": b'{"messages":[{"role":"user","content":"' + b"x" * SIZE + b'"}],"model":"gemini-3.8-flash"}',
    "escapes": b'{"messages":[{"role":"user","content":"' + b"\\u0001" * (SIZE // 6) + b'"}],"model":"gemini-3.8-flash"}',
}


@pytest.mark.parametrize("body", JSON.values(), ids=JSON.keys())
def test_json(start, body):
    """Eight times its size and 16 MiB at most, whatever it is made of; and it is given back."""
    d = start()
    w = Watch(d)
    with w.attack("JSON", memory=8 * len(body) + len(body) + 16 * MIB, cpu=4):
        a = d.ask("POST", CHAT, body=body)
        assert a.status in (200, 400, 413), (a.head, a.body[:300])
        if a.status == 413:
            assert b"values" in a.body, a.body
        w.chats(3)
    before = w.memory()
    for _ in range(5):
        d.ask("POST", CHAT, body=body)
    w.chats(20)
    grown = w.memory() - before
    assert SANITIZED or grown <= 16 * MIB + 2 * len(body), grown / MIB  # a sanitizer keeps what was freed


@pytest.mark.parametrize("target", ["/v1beta/models/gemini-3.8-flash:generateContent", "/run-gemini", "/reset-api-key-health"])
def test_json_of_other_routes(start, target):
    d = start(ADMIN_TOKENS=json.dumps([SECRETS["ADMIN"]]))
    w = Watch(d)
    body = JSON["objects in an ignored member"]
    if target == "/reset-api-key-health":  # a larger one is refused before it is read
        body = b'{"ignored":[' + b"{}," * (80 * 1024) + b"{}]}"
    with w.attack(f"JSON at {target}", memory=9 * len(body) + 16 * MIB, cpu=4):
        a = d.ask("POST", target, body=body, token="ADMIN" if target == "/reset-api-key-health" else "TOKEN")
        assert a is None or 400 <= a.status < 500, (a.head, a.body[:300])
        w.chats(3)


@pytest.mark.parametrize("depth", [63, 100, 100000, 3000000])
def test_depth(start, depth):
    d = start()
    w = Watch(d)
    with w.attack("depth", memory=9 * 2 * depth + 16 * MIB, cpu=3):
        a = d.ask("POST", CHAT, body=b'{"messages":' + b"[" * depth + b"]" * depth + b"}")
        assert a.status == 400, (a.head, a.body[:300])
        w.chats(3)
