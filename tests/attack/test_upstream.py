# SPDX-License-Identifier: MIT
"""Attacks from the other side: an upstream, or a proxy before it, that sends without an end or in the worst form."""
import contextlib
import json
import socket
import threading

import pytest

import http1
from house import SECRETS
from watch import MIB, Watch

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\n\r\n"
SSE = HEAD % b"text/event-stream"
JSON_HEAD = HEAD % b"application/json"
TOKEN = [("Authorization", f"Bearer {SECRETS['TOKEN']}")]
GOOD = b'{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello."}]},"finishReason":"STOP"}]}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(GOOD)
CACHE = b'{"name":"cachedContents/a","model":"models/gemini-3.8-flash"}'


class Upstream(threading.Thread):
    """Answers requests that have "attack" in them by the given bytes, repeated until the daemon closes; all others well."""

    def __init__(self, begin, again=b"", times=1 << 30):
        super().__init__(daemon=True)
        self.begin, self.again, self.times = begin, again, times
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        with c, contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                if not (more := c.recv(65536)):
                    return
                data += more
            head, _, body = data.partition(b"\r\n\r\n")
            length = next(int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length"))
            body = bytearray(body)
            while len(body) < length:
                body += c.recv(1 << 20)
            if b"attack" not in body:
                c.sendall(JSON_HEAD + (CACHE if b"cachedContents" in head.split(b"\r\n")[0] else GOOD))
                return
            c.sendall(self.begin)
            block = self.again * max(1, 65536 // max(1, len(self.again)))
            for _ in range(self.times if self.again else 0):
                c.sendall(block)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.listener.close()


LINES = {
    "a head without an end": (b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n"),
    "a header without an end": (b"HTTP/1.1 200 OK\r\nx: ", b"y"),
    "an event without an end": (SSE + b"data: {\"a\":\"", b"x"),
    "a line of no field without an end": (SSE, b"x"),
    "lines of no field": (SSE, b"xxxxxxxxxxxxxxxxxxx\n"),
    "comments": (SSE, b": ping\n\n"),
    "empty events": (SSE, b"data:\n\n"),
    "events that say nothing": (SSE, b"data: {}\n\n"),
    "an answer without an end": (JSON_HEAD + b'{"a":"', b"x"),
    "an error without an end": (b"HTTP/1.1 500 X\r\nContent-Type: application/json\r\n\r\n{", b" "),
    "a page without an end": (b"HTTP/1.1 401 X\r\nContent-Type: text/html\r\n\r\n<html>", b"<p>"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "an interim answer without an end": (b"HTTP/1.1 103 Early Hints\r\nlink: ", b"y"),
    "chunks of a byte": (CHUNKED, b"1\r\n \r\n"),
    "chunks with long sizes": (CHUNKED, b"0000000000000001;a=b\r\n \r\n"),
    "an extension without an end": (CHUNKED + b"1;", b"x"),
    "a size without an end": (CHUNKED, b"0"),
    "trailers": (CHUNKED + b"0\r\n", b"x-a: b\r\n"),
    "a trailer without an end": (CHUNKED + b"0\r\nx: ", b"y"),
    "answers behind the answer": (LENGTH + GOOD, LENGTH + GOOD),
}


@pytest.mark.parametrize("begin,again", LINES.values(), ids=LINES.keys())
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_without_an_end(start, begin, again, stream):
    """It costs no more than the largest answer that is taken, twice, and ends.

    An answer of 64 MiB is collected in a buffer that doubles: 32 and 64 MiB while it grows. The next try begins at once,
    when the allocator may still keep what the last one has freed.
    """
    with Upstream(begin, again, times=1600) as u:  # 100 MiB
        d = start(GEMINI_BASE_URL=u.url, FIRST_BYTE_TIMEOUT="3s", STREAM_IDLE_TIMEOUT="3s", REQUEST_DEADLINE="4s")
        w = Watch(d)
        with w.attack("upstream without an end", memory=(2 * (32 + 64) + 16) * MIB):
            a = d.chat("attack", stream=stream)
            assert a.status in (200, 500, 502, 503, 504), (a.head, a.body[:300])
            w.chats(5)


def test_answer_of_many_values(start):
    """JSON of a megabyte that would be a quarter of a gigabyte."""
    body = json.dumps({"candidates": [{"content": {"parts": [{}] * 700000}, "finishReason": "STOP"}]}).encode()
    with Upstream(JSON_HEAD + body) as u:
        d = start(GEMINI_BASE_URL=u.url)
        w = Watch(d)
        with w.attack("an answer of many values", memory=10 * len(body) + 16 * MIB, cpu=10):
            a = d.chat("attack")
            assert a.status in (200, 500, 502, 503), (a.head, a.body[:300])
            w.chats(5)


@pytest.mark.parametrize("url, pieces, references", [(100_000, 600, 400), (30, 1, 200_000), (7000, 6000, 1)])
def test_sources_of_everything(start, url, pieces, references):
    """A few sources, named again and again: by their number it would be minutes, or a gigabyte."""
    chunks = [{"web": {"uri": "https://a.example/%d" % i + "x" * url}} for i in range(8)]
    supports = [{"segment": {"startIndex": i, "endIndex": i + 1}, "groundingChunkIndices": list(range(8)) * (references // 8 or 1)}
                for i in range(pieces)]
    grounding = {"groundingChunks": chunks, "groundingSupports": supports}
    answer = {"content": {"parts": [{"text": "Hello."}]}, "finishReason": "STOP", "groundingMetadata": grounding}
    body = json.dumps({"candidates": [answer]}, separators=(",", ":")).encode()
    assert len(body) < 2 * MIB
    with Upstream(JSON_HEAD + body) as u:
        d = start(GEMINI_BASE_URL=u.url)
        w = Watch(d)
        with w.attack("sources of everything", memory=24 * MIB, cpu=2):
            a = d.chat("attack")
            assert a.status == 200 and len(a.body) < 3 * MIB
            w.chats(5)


def test_slow_reader(sim, start):
    """A client that reads nothing of a long answer: the daemon stops reading upstream."""
    sim.script('model=big: big 200M\n*: text "Hello."')
    d = start(STREAM_IDLE_TIMEOUT="5m")
    w = Watch(d)
    with w.attack("clients that do not read", memory=64 * MIB, cpu=10), contextlib.ExitStack() as stack:
        for _ in range(16):
            c = stack.enter_context(d.connect(receive_buffer=4096))
            body = json.dumps({"model": "big", "stream": True, "messages": [{"role": "user", "content": "Hi"}]})
            c.send(http1.compose("POST", "/v1/chat/completions", TOKEN, body.encode()))
            assert c.read_head().status == 200
        w.chats(50)
