# SPDX-License-Identifier: MIT
"""A log that nothing reads: requests are served, SIGTERM is obeyed, and the lines that were dropped are counted."""
import contextlib
import json
import os
import signal
import socket
import threading
import time

import pytest

import house
import http1
import wait
from house import SECRETS

REQUESTS = 2000
AFTER_DRAIN = 5  # seconds: DRAIN_TIMEOUT of these daemons, and some more


class Timed(house.Daemon):
    """Its end must not take longer than DRAIN_TIMEOUT."""

    def __init__(self, folder, sim, program, **settings):
        super().__init__(folder, sim, {"DRAIN_TIMEOUT": "2s"} | settings, program=program)

    def fill(self, n):
        body = json.dumps({"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}]}).encode()
        request = http1.compose("POST", "/v1/chat/completions", [("x-api-key", SECRETS["TOKEN"])], body)
        with self.connect() as c:
            for _ in range(n):
                c.send(request)
                assert c.read("POST").status == 200

    def end(self):
        began = time.monotonic()
        self.interrupt(signal.SIGTERM)
        assert self.process.wait() == 0
        assert time.monotonic() - began < AFTER_DRAIN
        self.process.check()


class Piped(Timed):
    """Standard output is a FIFO that the test reads when it wants to."""

    def __init__(self, folder, sim, **settings):
        fifo = str(folder / "fifo")
        os.mkfifo(fifo)
        self.reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        super().__init__(folder, sim, ["sh", "-c", 'exec "$0" "$@" >"$FIFO"', house.GEMGATED], FIFO=fifo, **settings)

    def read(self):
        """What is in the pipe now; after the end, all of it."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.reader, 1 << 20):
                data += piece
        return data

    def flags(self):
        with open(f"/proc/{self.process.pid}/fdinfo/1") as f:
            return int(next(line for line in f if line.startswith("flags:")).split()[1], 8)


def counted(lines, requests):
    """Each request has a line, or is one of those that the log counts as dropped."""
    dropped = [e for e in lines if "left_out" in e]
    assert dropped and all("were dropped: standard output did not take them" in e["message"] for e in dropped)
    served = [e for e in lines if e["message"].startswith("POST /v1/chat/completions 200")]
    assert len(served) < requests
    assert len(served) + sum(e["left_out"] for e in dropped) >= requests


def test_unread_pipe(sim, tmp_path):
    d = Piped(tmp_path, sim)
    d.fill(REQUESTS)
    assert d.flags() & os.O_NONBLOCK == 0  # other processes may have the same pipe
    d.end()
    data = d.read()
    assert data.endswith(b"\n")
    counted([json.loads(line) for line in data.splitlines()], REQUESTS)


def test_read_again(sim, tmp_path):
    """The count comes when the pipe is read again, without another request, and then the log goes on."""
    d = Piped(tmp_path, sim)
    d.fill(REQUESTS)
    data = b""

    def dropped():
        nonlocal data
        data += d.read()
        return b"left_out" in data

    wait.until("the count of dropped lines", dropped)
    counted([json.loads(line) for line in data.splitlines()], REQUESTS)
    d.fill(1)
    wait.until("the next line", lambda: b"200" in d.read())
    d.end()


JOURNAL = 'mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind "$JOURNAL" /run/systemd/journal && exec "$@"'


class Journal:
    """journald's socket, which is not read before read() is called."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.entries = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "socket"))

    def daemon(self, sim, folder, **settings):
        program = ["unshare", "--mount", "--", "sh", "-c", JOURNAL, "sh", house.GEMGATED]
        return Timed(folder, sim, program, JOURNAL=str(self.folder), LOG_FORMAT="journal", **settings)

    def read(self):
        def run():
            while True:
                data, control, _, _ = self.socket.recvmsg(1 << 20, 1024)
                for _, _, fd in control:
                    number = int.from_bytes(fd[:4], "little")
                    data = os.pread(number, 1 << 20, 0)
                    os.close(number)
                self.entries.append(data)

        threading.Thread(target=run, daemon=True).start()


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


def test_unread_journal(sim, tmp_path, journal):
    d = journal.daemon(sim, tmp_path)
    d.fill(1000)
    journal.read()
    report = wait.until("the report", lambda: next((e for e in journal.entries if b"GEMGATE_LEFT_OUT=" in e), None))
    assert b"MESSAGE=" in report and b"did not take them\n" in report and b"PRIORITY=4\n" in report
    n = int(report.split(b"GEMGATE_LEFT_OUT=")[1].split(b"\n")[0])
    served = wait.until("all lines", lambda: [e for e in list(journal.entries) if b"GEMGATE_STATUS=200" in e])
    assert len(served) + n >= 1000
    assert all(b"SYSLOG_IDENTIFIER=gemgated\n" in e and b"CODE_FUNC=" in e for e in served)
    d.end()
    assert any(b"MESSAGE=ended\n" in e for e in journal.entries)


def test_journal_unread_at_the_end(sim, tmp_path, journal):
    d = journal.daemon(sim, tmp_path)
    d.fill(100)
    d.end()
