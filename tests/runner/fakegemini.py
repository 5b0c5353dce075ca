# SPDX-License-Identifier: MIT
"""Gemini's streamGenerateContent on a unix socket, as the daemon's listener would answer the Gemini CLI."""
import contextlib
import json
import re
import socket
import threading
from dataclasses import dataclass, field

import wait

GUARD = "\u200b"


def guarded(text):
    return GUARD + re.sub(r"([@$])", r"\1" + GUARD, text) + GUARD


def unguarded(text):
    """The guarded text, as base/guard.c makes it: written separately here, so that one mistake is not made twice."""
    text = text.lstrip("\n")
    assert len(text) >= 2 and text.startswith(GUARD) and text.endswith(GUARD), f"no guards: {text[:80]!r}"
    return text[1:-1].replace("@" + GUARD, "@").replace("$" + GUARD, "$")


@dataclass
class Request:
    path: str
    headers: dict
    raw: bytes
    body: dict = field(init=False)

    def __post_init__(self):
        self.body = json.loads(self.raw)

    @property
    def contents(self):
        """(role, text) of each turn, unguarded; the CLI's own first part is left out."""
        turns = []
        for content in self.body["contents"]:
            parts = [p["text"] for p in content["parts"] if not p["text"].startswith("<session_context>\nThis is")]
            assert len(parts) == 1, parts
            turns.append((content["role"], unguarded(parts[0])))
        return turns

    @property
    def prompt(self):
        return self.contents[-1][1]

    @property
    def system(self):
        (part,) = self.body["systemInstruction"]["parts"]
        return part["text"]


def event(*parts, finish=None, **more):
    """One event of the stream; a part is a text or a part as Gemini has it."""
    candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": p} if isinstance(p, str) else p for p in parts]}}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 7}, **more}


class Answer:
    """A status and events. Before each event but the first, wait for `gate` to be released once, if there is one."""

    def __init__(self, *events, status=200, error=None, gate=None, drop=False, silent=False):
        self.events, self.status, self.error = events, status, error
        self.gate, self.drop, self.silent = gate, drop, silent

    def give(self, c):
        if self.silent:
            while c.recv(65536):
                pass
            return
        if self.error is not None:
            body = json.dumps(self.error).encode()
            c.sendall(
                b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (self.status, len(body), body)
            )
            return
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i, e in enumerate(self.events):
            if i and self.gate:
                self.gate.acquire()
            data = b"data: %b\r\n\r\n" % json.dumps(e).encode()
            c.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        if not self.drop:
            c.sendall(b"0\r\n\r\n")


def says(*texts, **more):
    """An ordinary answer."""
    return Answer(*map(event, texts[:-1]), event(texts[-1], finish="STOP"), **more)


class Upstream:
    """Listens at `path`; each request gets `answer`."""

    def __init__(self, path, answer=None):
        self.path, self.answer = str(path), answer or says("PONG")
        self.requests, self.connections, self.closed = [], 0, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(c,), daemon=True).start()

    def _serve(self, c):
        with c, contextlib.suppress(OSError, ValueError):
            while request := self._read(c):
                self.requests.append(request)
                self.answer.give(c)
                if self.answer.drop or self.answer.silent:
                    break
        self.closed += 1

    @staticmethod
    def _read(c):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = c.recv(1 << 20)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
        pieces, length = [body], int(headers["content-length"])
        have = len(body)
        while have < length:
            pieces.append(c.recv(1 << 20))
            have += len(pieces[-1])
        return Request(first.split()[1], headers, b"".join(pieces))

    def asked(self, n=1):
        wait.until(f"{n} requests upstream", lambda: len(self.requests) >= n)
        return self.requests[n - 1]

    def close(self):
        self.listener.close()
