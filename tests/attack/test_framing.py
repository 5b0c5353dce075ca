# SPDX-License-Identifier: MIT
"""Request smuggling: bytes that end at one place for a proxy, and at another for a server. Each is refused, and what
follows is never answered as a request."""
import contextlib
import ctypes
import json

import pytest

from house import SECRETS

CHAT = json.dumps({"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}]}).encode()
BEHIND = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def post(*lines, first=b"POST /v1/chat/completions HTTP/1.1"):
    auth = b"Authorization: Bearer " + SECRETS["TOKEN"].encode()
    return b"\r\n".join([first, b"Host: x", auth, *lines, b"", b""])


def chunks(size=b"%x\r\n" % len(CHAT), data=CHAT + b"\r\n", end=b"0\r\n\r\n"):
    return post(b"Transfer-Encoding: chunked") + size + data + end


LENGTH = b"Content-Length: %d" % len(CHAT)
HEX = b"%x" % len(CHAT)
CHUNKS = {
    "LF after a size": chunks(HEX + b"\n"),
    "LF in an extension": chunks(b"2;\nxx\r\n" + HEX + b"\r\n"),
    "LF after an extension": chunks(HEX + b";a\n"),
    "CR in an extension": chunks(HEX + b";a\rb\r\n"),
    "NUL in an extension": chunks(HEX + b";a\0\r\n"),
    "CR alone after a size": chunks(HEX + b"\r"),
    "a blank after a size": chunks(HEX + b" \r\n"),
    "0x before a size": chunks(b"0x" + HEX + b"\r\n"),
    "a sign before a size": chunks(b"+" + HEX + b"\r\n"),
    "a size of 17 digits": chunks(HEX.rjust(17, b"0") + b"\r\n"),
    "no size": chunks(b"\r\n"),
    "LF after the data": chunks(data=CHAT + b"\n"),
    "nothing after the data": chunks(data=CHAT),
    "more data than the size": chunks(data=CHAT + b"x\r\n"),
    "LF after the last chunk": chunks(end=b"0\n\r\n"),
    "LF at the end": chunks(end=b"0\r\n\n"),
    "LF after a trailer": chunks(end=b"0\r\nA: b\n\r\n"),
    "CR in a trailer": chunks(end=b"0\r\nA: b\rc\r\n\r\n"),
    "NUL in a trailer": chunks(end=b"0\r\nA: b\0\r\n\r\n"),
    "a folded trailer": chunks(end=b"0\r\nA: b\r\n c\r\n\r\n"),
    "a blank before a trailer's colon": chunks(end=b"0\r\nA : b\r\n\r\n"),
    "a trailer without a colon": chunks(end=b"0\r\nA\r\n\r\n"),
    "a request as a trailer": chunks(end=b"0\r\n"),
    "endless extensions": chunks(HEX + b";" + b"x" * 20000 + b"\r\n"),
    "endless trailers": chunks(end=b"0\r\n" + b"A: b\r\n" * 1000 + b"\r\n"),
}
LENGTHS = {
    "two lengths": post(LENGTH, LENGTH) + CHAT,
    "two different lengths": post(LENGTH, b"Content-Length: 0") + CHAT,
    "a list of lengths": post(LENGTH + b", %d" % len(CHAT)) + CHAT,
    "a length with a sign": post(b"Content-Length: +%d" % len(CHAT)) + CHAT,
    "a length and chunks": post(LENGTH, b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunks and a length": post(b"Transfer-Encoding: chunked", LENGTH) + b"0\r\n\r\n",
    "chunked, identity": post(b"Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "identity, chunked": post(b"Transfer-Encoding: identity, chunked") + b"0\r\n\r\n",
    "identity": post(b"Transfer-Encoding: identity"),
    "xchunked": post(b"Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "two encodings": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity") + b"0\r\n\r\n",
    "a tab before chunked": post(b"Transfer-Encoding:\x0bchunked") + b"0\r\n\r\n",
    "chunks in HTTP/1.0": post(b"Transfer-Encoding: chunked", first=b"POST /v1/chat/completions HTTP/1.0") + b"0\r\n\r\n",
}
HEADS = {
    "LF in the head": post(b"A: b\nTransfer-Encoding: chunked") + b"0\r\n\r\n",
    "CR in the head": post(b"A: b\rTransfer-Encoding: chunked") + b"0\r\n\r\n",
    "NUL in the head": post(LENGTH + b"\0") + CHAT,
    "a folded length": post(b"Content-Length:\r\n %d" % len(CHAT)) + CHAT,
    "a folded encoding": post(b"A: b\r\n Transfer-Encoding: chunked", LENGTH) + CHAT,
    "a blank before the colon": post(b"Transfer-Encoding : chunked") + b"0\r\n\r\n",
    "a tab before the colon": post(b"Content-Length\t: 5") + b"hello",
    "a blank before the first header": post(LENGTH, first=b"POST /v1/chat/completions HTTP/1.1\r\n A: b") + CHAT,
    "tabs in the first line": post(LENGTH, first=b"POST\t/v1/chat/completions\tHTTP/1.1") + CHAT,
    "a tab after the method": post(LENGTH, first=b"POST\t/v1/chat/completions HTTP/1.1") + CHAT,
    "a blank before the method": post(LENGTH, first=b" POST /v1/chat/completions HTTP/1.1") + CHAT,
    "two blanks after the method": post(LENGTH, first=b"POST  /v1/chat/completions HTTP/1.1") + CHAT,
}
RIGHT = {
    "a length": post(LENGTH) + CHAT,
    "a chunk": chunks(),
    "chunks": chunks(b"1\r\n" + CHAT[:1] + b"\r\n0%X\r\n" % (len(CHAT) - 1), CHAT[1:] + b"\r\n"),
    "trailers": chunks(end=b"0\r\nA: b\r\nB:\r\n\r\n"),
}
EXTENSION = chunks(b"1;a=\"b c\"\r\n" + CHAT[:1] + b"\r\n0%X\r\n" % (len(CHAT) - 1), CHAT[1:] + b"\r\n")


def libmicrohttpd():
    """The version that gemgated runs with."""
    version = ctypes.CDLL("libmicrohttpd.so.12").MHD_get_version
    version.restype = ctypes.c_char_p
    return tuple(map(int, version().decode().split(".")))


# From this version on libmicrohttpd reads the data behind an extension wrongly, so an extension is refused (io/http-shard.c).
(RIGHT if libmicrohttpd() < (0, 9, 77, 7) else CHUNKS)["a chunk with an extension"] = EXTENSION


def cuts(data):
    """Whole; after the head; in the middle of what follows; before the last byte."""
    end = data.find(b"\r\n\r\n") + 4
    return [0, end, min(end + 1, len(data) - 1), min(end + len(HEX) + 2, len(data) - 1), len(data) - 1]


def answers(c):
    found = []
    while a := c.read("POST"):
        found.append(a)
        if a.status != 200:
            c.wait_closed()
            return found
    return found


def check_refused(d, data, before):
    """One answer, and the end of the connection."""
    for cut in cuts(data):
        with d.connect() as c, contextlib.suppress(ConnectionError):  # refused before all is sent
            c.sock.setsockopt(6, 1, 1)  # TCP_NODELAY
            c.send(before + data[:cut])
            if cut and before:
                assert c.read("POST").status == 200
            with contextlib.suppress(ConnectionError):
                c.send(data[cut:] + BEHIND)
            found = [a.status for a in answers(c)]
            assert found[:-1] == [200] * bool(before and not cut), (cut, found)
            assert found[-1] in (400, 431), (cut, found)


@pytest.mark.parametrize("rows", [CHUNKS, LENGTHS, HEADS], ids=["chunks", "lengths", "heads"])
@pytest.mark.parametrize("before", ["", *RIGHT])
def test_wrong(start, rows, before):
    """Alone, and behind a request that is right; each is logged."""
    d = start()
    for what, data in rows.items():
        try:
            check_refused(d, data, RIGHT.get(before, b""))
        except AssertionError as e:
            raise AssertionError(f"{what}: {e}") from e
    d.wait_log("its line", lambda e: e.get("status") == 400)
    assert d.chat().status == 200


@pytest.mark.parametrize("what", RIGHT)
def test_right(start, what):
    d = start()
    for cut in cuts(RIGHT[what]):
        with d.connect() as c:
            data = RIGHT[what] * 3 + BEHIND
            c.send(data[:cut])
            c.send(data[cut:])
            assert [c.read("POST").status for _ in range(4)] == [200] * 4
