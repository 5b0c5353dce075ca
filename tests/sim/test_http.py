# SPDX-License-Identifier: MIT
"""The HTTP server: framing, keep-alive, pipelining, and invalid requests."""
import json

import pytest
import wait
from ask import ask, connect, hello, request, target

BODY = json.dumps(hello()).encode()


def chunked(pieces, trailer=b""):
    head = (f"POST {target('generateContent')} HTTP/1.1\r\nHost: x\r\nx-goog-api-key: K1\r\n"
            "Transfer-Encoding: chunked\r\n\r\n").encode()
    return head + b"".join(b"%x;ext=1\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n" + trailer + b"\r\n"


def test_keep_alive(sim):
    with connect(sim) as c:
        for _ in range(3):
            c.send(request())
            assert c.read("POST").status == 200
        c.send(request(headers=[("Connection", "close")]))
        assert c.read("POST").status == 200
        c.wait_closed()


def test_pipelined(sim):
    with connect(sim) as c:
        c.send(request() * 5 + request("streamGenerateContent") + request())
        answers = [c.read("POST") for _ in range(7)]
    assert all(a.status == 200 and a.complete for a in answers)


@pytest.mark.parametrize("data", [
    chunked([BODY]), chunked([BODY[:10], BODY[10:]], b"X-Trailer: 1\r\n"), chunked([bytes([b]) for b in BODY]), request(),
])
def test_any_splitting_of_a_request(sim, data):
    """Each byte may be the last of what recv() gives."""
    with connect(sim) as c:
        for i in range(len(data)):
            c.send(data[i : i + 1])
        assert c.read("POST").status == 200
        c.send(data + data)
        assert c.read("POST").status == c.read("POST").status == 200
    assert {r.body for r in sim.requests()} == {BODY.decode()}


def test_expect_continue(sim):
    head, _, body = request(headers=[("Expect", "100-continue")]).partition(b"\r\n\r\n")
    with connect(sim) as c:
        c.send(head + b"\r\n\r\n")
        assert c.read_head().status == 100
        c.send(body)
        assert c.read("POST").status == 200


def test_large_body(sim):
    answer, body = ask(sim, body=hello("x" * (6 << 20)))
    assert answer.status == 200 and body["usageMetadata"]["promptTokenCount"] == (6 << 20) // 4
    assert len(sim.requests()[-1].body) > 6 << 20


MALFORMED = [
    (b"GET\r\n\r\n", 400),
    (b"GET / HTTP/2\r\n\r\n", 400),
    (b"GET x HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", 413),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n123456789\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 65 + b"\r\n", 400),
    (b"GET / HTTP/1.1\r\nA: " + b"x" * 70000, 400),
    (b"GET / HTTP/1.1\r\nA: x\0y\r\n\r\n", 400),
]


@pytest.mark.parametrize("data, status", MALFORMED)
def test_malformed(sim, data, status):
    with connect(sim) as c:
        c.send(data)
        assert c.read().status == status
        c.wait_closed()


def status(sim):
    return json.loads(sim.control("GET", "/sim/status"))


def test_status_and_hanging_up(sim):
    sim.script('key=K1: hang\nkey=K2: text "a b c" chunks=3 hang after=2')
    with connect(sim) as waiting, connect(sim) as streaming, connect(sim):
        waiting.send(request())
        streaming.send(request("streamGenerateContent", key="K2"))
        streaming.read_until(b" b")
        wait.until("all three", lambda: status(sim)["connections"] == 3)
        now = status(sim)
        assert (now["in_progress"], now["total"], now["hung_up"], now["statuses"]) == (2, 2, 0, {})
        first, second = (r.answer for r in sim.requests())
        assert (first["status"], first["bytes"], first["done"]) == (0, 0, False)
        assert (second["status"], second["events"], second["done"]) == (200, 2, False) and second["bytes"] > 0
    wait.until("the hang-ups", lambda: status(sim)["hung_up"] == 2)
    now = status(sim)
    assert (now["in_progress"], now["connections"], now["statuses"]) == (0, 0, {"0": 1, "200": 1})
    first, second = (r.answer for r in sim.requests())
    assert first["hung_up"] and first["done"] and first["bytes"] == 0
    assert second["hung_up"] and second["events"] == 2


def test_client_that_stops_sending_has_hung_up_only_if_it_waits(sim):
    """Everything was answered already: the end of the client's side takes nothing away."""
    import socket

    with connect(sim) as c:
        c.send(request() * 20)
        c.sock.shutdown(socket.SHUT_WR)
        assert [c.read("POST").status for _ in range(20)] == [200] * 20
        c.wait_closed()
    assert status(sim)["hung_up"] == 0
