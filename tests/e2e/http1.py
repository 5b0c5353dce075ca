# SPDX-License-Identifier: MIT
"""A client that sends exactly the given bytes and keeps everything that comes back: HTTP libraries are too strict to
test a server with."""
import socket
import time
from dataclasses import dataclass, field

import strictness
from wait import DEADLINE


@dataclass
class Answer:
    version: str = ""
    status: int = 0
    reason: str = ""
    headers: list = field(default_factory=list)  # (name as sent, value), in order
    body: bytes = b""
    complete: bool = False  # the body is complete by its framing; False: the connection was cut
    chunked: bool = False

    def header(self, name):
        """The value, or None; of several the first."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    @property
    def head(self):
        lines = [f"{self.version} {self.status} {self.reason}".rstrip()]
        return "\n".join(lines + [f"{n}: {v}" for n, v in self.headers])


class Connection:
    """One connection; `source` is the address to come from (all of 127.0.0.0/8 is ours on Linux)."""

    def __init__(self, where, source=None, deadline=DEADLINE, receive_buffer=None):
        if isinstance(where, str):
            self.sock = socket.socket(socket.AF_UNIX)
        else:
            family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
            self.sock = socket.socket(family)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(deadline)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect(where)
        self.deadline = deadline
        self.buffer = b""
        self.closed = False  # the peer closed
        self.answer = None
        self.wire = strictness.Wire()
        self.chunks = bytearray()  # of the answer that is read: read_until() may have taken the first

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.ended()  # of a stream that was read up to a place
        self.sock.close()

    def send(self, data):
        self.wire.send(data)
        self.sock.sendall(data)

    def ended(self):
        """Nothing more is read of this answer."""
        self.wire.answered(self.answer, bytes(self.chunks) if self.chunks else None)
        self.chunks.clear()

    def fill(self):
        """Reads once more; False at the end."""
        if self.closed:
            return False
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        except TimeoutError:
            so_far = self.buffer[-400:] if not self.answer else self.answer.body[-400:]
            raise AssertionError(f"no byte for {self.deadline:g} s; last were {so_far!r}") from None
        self.closed = not data
        self.buffer += data
        return bool(data)

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                return None
        text, _, self.buffer = self.buffer.partition(b"\r\n")
        return text.decode("latin-1")

    def read_head(self):
        """The status line and headers, or None if the peer closed without an answer."""
        first = self.line()
        if first is None:
            return None
        version, _, rest = first.partition(" ")
        status, _, reason = rest.partition(" ")
        self.chunks.clear()
        a = self.answer = Answer(version, int(status), reason)
        while line := self.line():
            name, _, value = line.partition(":")
            a.headers.append((name, value.strip()))
        a.chunked = (a.header("Transfer-Encoding") or "").lower() == "chunked"
        return a

    def chunk(self):
        """The next piece of a chunked body, b"" at its end, None if it was cut."""
        size = self.line()
        if size is None:
            return None
        n = int(size.split(";")[0], 16)
        while len(self.buffer) < n + 2:
            if not self.fill():
                return None
        data, self.buffer = self.buffer[:n], self.buffer[n + 2 :]
        if strictness.watched:
            self.chunks += data
        return data

    def read_body(self, method="GET"):
        a = self._read_body(method)
        self.ended()
        return a

    def _read_body(self, method):
        a = self.answer
        if method == "HEAD" or a.status in (204, 304) or a.status < 200:
            a.complete = True
        elif a.chunked:
            parts = []
            while part := self.chunk():
                parts.append(part)
            a.body, a.complete = b"".join(parts), part is not None
        elif (length := a.header("Content-Length")) is not None:
            while len(self.buffer) < int(length) and self.fill():
                pass
            a.body, self.buffer = self.buffer[: int(length)], self.buffer[int(length) :]
            a.complete = len(a.body) == int(length)
        else:
            while self.fill():
                pass
            a.body, self.buffer, a.complete = self.buffer, b"", True
        return a

    def read(self, method="GET"):
        """One whole answer; interim ones are passed over. None if the peer closed without an answer."""
        while a := self.read_head():
            if a.status >= 200:
                return self.read_body(method)
        return None

    def read_until(self, needle):
        """Reads a chunked body until `needle` is in it; returns what came. For streams that are still open."""
        a = self.answer or self.read_head()
        while needle not in a.body:
            part = self.chunk()
            assert part, f"the stream ended without {needle!r}: {a.body!r}"
            a.body += part
        return a.body

    def wait_closed(self):
        """Until the peer closes; returns the moment."""
        while self.fill():
            pass
        return time.monotonic()


def compose(method, target, headers=(), body=None, host="gemgate.test"):
    """A whole request; adds Host and Content-Length where they are not given."""
    names = {n.lower() for n, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"Host: {host}")
    lines += [f"{n}: {v}" for n, v in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines + ["", ""]).encode("latin-1") + (body or b"")
