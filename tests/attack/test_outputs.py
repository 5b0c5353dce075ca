# SPDX-License-Identifier: MIT
"""Attacks where what the daemon writes is not read: its log, and the answers on its control socket."""
import contextlib
import struct

import http1
import wait
from house import SECRETS
from peer import connect, connected, handshake, message, version
from test_sinks import Journal, Piped
from watch import MIB, Watch

# --- the log ---

LOUD = {"LOG_LEVEL": "DEBUG", "LOG_BODIES": "yes"}
TOKEN = ("Authorization", f"Bearer {SECRETS['TOKEN']}")
NO_MODEL = http1.compose("GET", "/v1/models/" + "x" * 2000, [TOKEN, ("x-request-id", "y" * 64), ("User-Agent", "z" * 2000)])
BATCH = 100


def refused(d, n):
    """Each is a line."""
    with d.connect() as c:
        for _ in range(0, n, BATCH):
            c.send(NO_MODEL * BATCH)
            for _ in range(BATCH):
                assert 400 <= c.read().status < 500


def attack_log(d):
    w = Watch(d)
    with w.attack("a log that is not read", memory=8 * MIB, cpu=8):
        for _ in range(5):
            refused(d, 1000)
            w.chats(20, content="x" * 50_000)
    d.end()


def test_unread_pipe(sim, tmp_path):
    attack_log(Piped(tmp_path, sim, **LOUD))


def test_unread_journal(sim, tmp_path):
    attack_log(Journal(tmp_path / "journal").daemon(sim, tmp_path, **LOUD))


# --- the control socket ---

PEERS_MAX = 16  # base/limits-bus.h


def controlled(start, tmp_path):
    path = tmp_path / "control"
    d = start(CONTROL_SOCKET=str(path))
    d.wait_log("the control socket", lambda line: "administration on unix:" in line["message"])
    return d, path


def half(size):
    """The head of a call whose body of `size` bytes does not come."""
    whole = message("Reload")
    return whole[:4] + struct.pack("<I", size) + whole[8:]


HALVES = {
    "nothing": b"",
    "half a handshake": b"\0AUTH EXTERNAL ",
    "half a handshake's line without an end": b"\0AUTH EXTERNAL " + b"3" * 60_000,
    "half a head": handshake() + message("Reload")[:9],
    "half a call": handshake() + half(MIB) + b"\0" * (MIB // 2),
    "a call of a size that there is not": handshake() + half(0xFFFFFFFF),
    "no D-Bus": b"GET / HTTP/1.1\r\n\r\n" * 1000,
}


def test_half_messages(start, tmp_path):
    """Each of the peers holds a piece of a message; once they are gone the next peer is served."""
    d, path = controlled(start, tmp_path)
    w = Watch(d)
    for name, piece in HALVES.items():
        with w.attack(name, memory=2 * PEERS_MAX * MIB, cpu=3), contextlib.ExitStack() as stack:
            for _ in range(2 * PEERS_MAX):  # the second half of them finds no place
                with contextlib.suppress(ConnectionError, TimeoutError):
                    s = stack.enter_context(connect(path))
                    s.settimeout(0.2)
                    s.sendall(piece)
            w.chats(20)
        wait.until("a place for a peer", lambda: served(path))


def served(path):
    """False if the connection is closed: the places are not free yet."""
    with connect(path) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(handshake() + version())
            return b"OK" in s.recv(4096)
    return False


def test_connections(start, tmp_path):
    """Peers that connect and go."""
    d, path = controlled(start, tmp_path)
    w = Watch(d)
    with w.attack("peers that come and go", cpu=4):
        for _ in range(1000):
            with connect(path) as s, contextlib.suppress(ConnectionError):
                s.sendall(handshake())
        w.chats(20)
    wait.until("a place for a peer", lambda: served(path))


def test_unread_answers(start, tmp_path):
    """Peers that call without pause and read nothing, all calls of one kind or all of another."""
    d, path = controlled(start, tmp_path)
    w = Watch(d)
    calls = [message("GetStatistics"), message("ListKeyHealth"), version(), message("NoSuchMethod"), message("Reset", "s", ("x",))]
    with w.attack("answers that are not read", memory=32 * MIB, cpu=8), contextlib.ExitStack() as stack:
        for i in range(PEERS_MAX - 1):
            s = stack.enter_context(connected(path))
            s.settimeout(0.1)
            with contextlib.suppress(ConnectionError, TimeoutError):
                for _ in range(40):
                    s.sendall(calls[i % len(calls)] * 100)
        w.chats(20)
    wait.until("a place for a peer", lambda: served(path))
