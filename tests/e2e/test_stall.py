# SPDX-License-Identifier: MIT
"""Input that libmicrohttpd cannot take: each client gets a status and the end of its connection, the loop does not spin,
and the end does not wait. Every kind of it is in tests/unit/test-http-stall.c."""
import json
import time

import pytest

from cost import cpu
from house import SECRETS

CHUNKED = b"Host: x\r\nTransfer-Encoding: chunked\r\n"
AUTH = f"Authorization: Bearer {SECRETS['TOKEN']}\r\n".encode()
STALLS = {
    "extension": (b"GET /health HTTP/1.1\r\n" + CHUNKED + b"\r\n48;" + b"x" * 40_000, 400),
    "leading zeros": (b"POST /v1/chat/completions HTTP/1.1\r\n" + CHUNKED + AUTH + b"\r\n" + b"0" * 40_000, 400),
    "arguments": (b"GET /health?" + b"a&" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
}


@pytest.mark.parametrize("what", STALLS)
def test_answered_and_cut(daemon, what):
    sent, status = STALLS[what]
    before = cpu(daemon)
    for _ in range(20):
        with daemon.connect() as c:
            c.send(sent)
            a = c.read()
            assert a.status == status and json.loads(a.body)["error"]
            assert a.header("Connection") == "close"
            c.wait_closed()
    with daemon.connect() as c:
        c.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert c.read().status == 200
    assert cpu(daemon) - before < 1.5  # spinning connections would take all there is, for 75 s
    daemon.wait_log("its line", lambda e: e.get("status") == status)


@pytest.mark.parametrize("what", STALLS)
def test_end_does_not_wait(start, what):
    """Clients that have hung up, and a stop."""
    d = start(DRAIN_TIMEOUT="10min")
    for _ in range(5):
        with d.connect() as c:
            c.send(STALLS[what][0])
    assert d.ask("GET", "/health").status == 200  # it has started
    began = d.interrupt()
    assert d.process.wait() == 0
    assert time.monotonic() - began < 15  # a second or so
