# SPDX-License-Identifier: MIT
"""Files of any size, of which no program here holds more than a piece; and a server upstream that a test
drives from stage to stage."""
import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading

import http1
import wait
from house import SECRETS

BLOCK = 4096
PIECE = 1 << 18  # a multiple of it
MIB = 1 << 20


def content(size):
    """The bytes of each file here and in gemini-sim: no block is like another, so that none can be lost or change places."""
    for at in range(0, size, PIECE):
        blocks = range(at // BLOCK, (at + PIECE) // BLOCK)
        yield b"".join(struct.pack("<Q", i) * (BLOCK // 8) for i in blocks)[: size - at]


def digest(pieces):
    h = hashlib.sha256()
    for piece in pieces:
        h.update(piece)
    return h.hexdigest()


def told(file):
    """The digest in one of Google's File objects."""
    return base64.b64decode(file["sha256Hash"]).decode()


def compose(method, target, headers=(), token="TOKEN"):
    if token:
        headers = [*headers, ("Authorization", f"Bearer {SECRETS[token]}")]
    lines = [f"{method} {target} HTTP/1.1", "Host: gemgate.test", *(f"{n}: {v}" for n, v in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunked(pieces):
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


class Upload:
    """A request whose body is sent in pieces, when the test wants it."""

    PATH = "/upload/v1beta/files"

    def __init__(self, daemon, size=None, path=PATH, headers=(("X-Goog-Upload-Protocol", "raw"),), token="TOKEN", more=()):
        length = ("Transfer-Encoding", "chunked") if size is None else ("Content-Length", str(size))
        self.is_chunked = size is None
        self.c = daemon.connect()
        self.c.sock.sendall(compose("POST", path, [*headers, length, *more], token))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.c.sock.close()

    def send(self, pieces):
        for piece in chunked(pieces) if self.is_chunked else pieces:
            self.c.sock.sendall(piece)

    def send_until_stuck(self, pieces):
        """Until no more is taken; how much it was. It may stop too early, never too late."""
        n, left = 0, b""
        self.c.sock.setblocking(False)
        for piece in pieces:
            left = piece
            for _ in range(100):
                try:
                    k = self.c.sock.send(left)
                    n, left = n + k, left[k:]
                except BlockingIOError:
                    with contextlib.suppress(AssertionError):
                        wait.until("room", lambda: writable(self.c.sock), 0.01)
                if not left:
                    break
            if left:
                break
        self.c.sock.settimeout(wait.DEADLINE)
        return n

    def answer(self):
        return self.c.read("POST")

    def file(self):
        a = self.answer()
        assert a.status == 200, (a.status, a.body)
        return json.loads(a.body)["file"]

    def hang_up(self):
        self.c.sock.close()


def writable(sock):
    import select

    return select.select([], [sock], [], 0)[1]


def upload(daemon, size, **kw):
    """In one request; Google's File."""
    with Upload(daemon, size, **kw) as u:
        u.send(content(size))
        return u.file()


class Download:
    def __init__(self, daemon, name, method="GET", headers=(), path="/v1beta/%s:download?alt=media", receive_buffer=None):
        self.c = daemon.connect(receive_buffer=receive_buffer)
        self.c.sock.sendall(compose(method, path % name, headers))
        self.method = method

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.c.sock.close()

    def head(self):
        return self.c.read_head()

    def pieces(self):
        """Of a body with a length, or until the connection ends."""
        left = int(self.c.answer.header("Content-Length"))
        piece, self.c.buffer = self.c.buffer, b""
        while True:
            left -= len(piece)
            yield piece
            if left <= 0:
                return
            try:
                piece = self.c.sock.recv(PIECE)
            except ConnectionResetError:
                return
            if not piece:
                return


# --- upstream, as the test wants it ---

class Gone(Exception):
    """The daemon has closed the connection."""


class Peer:
    """A connection of the daemon's, in a separate thread."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, b""
        self.line, self.headers = "", {}

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Gone
        self.buffer += data

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.line, *lines = head.decode().split("\r\n")
        self.headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        self.key = self.headers.get("x-goog-api-key")
        return self

    def read(self, n):
        """So many bytes as they are on the wire."""
        while len(self.buffer) < n:
            self.fill()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def body(self):
        """The whole of one with a length, piece by piece."""
        left = int(self.headers["content-length"])
        while left:
            if not self.buffer:
                self.fill()
            piece, self.buffer = self.buffer[:left], self.buffer[left:]
            left -= len(piece)
            yield piece

    def send(self, status, body, headers=(), length=None):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        length = len(body) if length is None else length
        lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {length}",
                 *(f"{n}: {v}" for n, v in headers)]  # fmt: skip
        try:
            self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None

    def file(self, name="files/a"):
        self.send(200, {"file": {"name": name, "uri": f"https://generativelanguage.googleapis.com/v1beta/{name}"}},
                  [("X-Goog-Upload-Status", "final")])

    def wait_gone(self):
        with contextlib.suppress(Gone):
            while True:
                self.buffer = b""
                self.fill()


def error(status, message="It is refused.", name="INVALID_ARGUMENT", **details):
    return {"error": {"code": status, "message": message, "status": name, **details}}


BAD_KEY = error(400, "API key not valid. Please pass a valid API key.", details=[{
    "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}])  # fmt: skip


class Upstream:
    """serve(peer) is called for each connection; what it raises fails the test."""

    ca = None

    def __init__(self, serve):
        self.serve, self.faults, self.peers, self.threads = serve, [], [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            peer = Peer(sock)
            self.peers.append(peer)
            t = threading.Thread(target=self.run, args=(peer,), daemon=True)
            self.threads.append(t)
            t.start()

    def run(self, peer):
        try:
            self.serve(peer)
        except Gone:
            pass
        except BaseException as e:  # noqa: BLE001: it is the test's
            self.faults.append(e)
        finally:
            peer.sock.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.sock.shutdown(socket.SHUT_RDWR)
        for t in self.threads:
            t.join(wait.DEADLINE)
        if kind is None and self.faults:
            raise self.faults[0]


def listed(daemon):
    """What is under way, but for the request that asks."""
    with daemon.connect() as c:
        c.send(http1.compose("GET", "/admin/requests", [("Authorization", f"Bearer {SECRETS['ADMIN']}")], None))
        return json.loads(c.read().body)


def under_way(daemon):
    return listed(daemon)["total"]


def wait_state(daemon, state):
    wait.until(state, lambda: [r["state"] for r in listed(daemon)["requests"]] == [state])


def wait_idle(daemon):
    wait.until("nothing is under way", lambda: under_way(daemon) == 0)
