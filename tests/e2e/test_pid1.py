# SPDX-License-Identifier: MIT
"""gemgated as the first process of a PID namespace, as it is in a container (as root)."""
import os
import signal
import subprocess
import time

import pytest

import house
import http1
import wait
from house import SECRETS


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(x) for x in f.read().split()]


class First(house.Daemon):
    def __init__(self, folder, sim, **settings):
        self.path = str(folder / "listen")
        super().__init__(folder, sim, settings | {"LISTEN": f"unix:{self.path}"}, sockets=[],
                         program=["unshare", "--pid", "--fork", "--kill-child", "--", house.GEMGATED])  # fmt: skip
        self.pid = wait.until("the first process", lambda: children(self.process.pid))[0]

    def served(self):
        wait.until("the socket", lambda: os.path.exists(self.path))
        return self

    def ask(self, *a, **kw):
        return super().ask(*a, where=self.path, **kw)


@pytest.fixture
def first(sim, tmp_path):
    d = First(tmp_path, sim)
    yield d.served()
    if d.process.status is None:
        d.process.kill()
        raise AssertionError("it should have ended: " + d.process.said())
    d.process.check()


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_ends(first, which):
    """Idle, it is gone within a second; what the kernel does not do for a first process, it does itself."""
    assert first.chat().status == 200
    began = time.monotonic()
    os.kill(first.pid, which)
    assert first.process.wait() == 0
    assert time.monotonic() - began < 1 or house.SANITIZED  # which looks for leaks first
    assert first.log()[-1]["message"] == "ended"


def test_drains(first, sim):
    """A stream that is open goes to its end."""
    sim.script('*: text "a b c d e f" chunks=6 pace=50ms')
    with first.connect(where=first.path) as c:
        body = b'{"model":"gemini-3.8-flash","stream":true,"messages":[{"role":"user","content":"Hi"}]}'
        c.send(http1.compose("POST", "/v1/chat/completions", [("x-api-key", SECRETS["TOKEN"])], body))
        c.read_until(b'"content"')
        os.kill(first.pid, signal.SIGTERM)
        c.read_until(b"[DONE]")
    assert first.process.wait() == 0


def test_reloads(first):
    os.kill(first.pid, signal.SIGHUP)
    first.wait_log("the reload", lambda e: e["message"].startswith("configuration reloaded"))
    os.kill(first.pid, signal.SIGTERM)
    assert first.process.wait() == 0


def test_reaps_orphans(first):
    """What loses its parent becomes the first process's child, and does not stay as a zombie."""
    nsenter = ["nsenter", "-t", str(first.pid), "-p", "--"]
    subprocess.run([*nsenter, "sh", "-c", "sleep 1000 </dev/null >/dev/null 2>&1 &"], check=True)
    orphan = wait.until("the orphan", lambda: children(first.pid))[0]
    os.kill(orphan, signal.SIGKILL)
    wait.until("its end", lambda: not children(first.pid))
    assert first.chat().status == 200
    os.kill(first.pid, signal.SIGTERM)
    assert first.process.wait() == 0


def test_told_to_end_while_it_starts(sim, tmp_path):
    """The kernel drops a signal that the first process has no handler for: it is kept from the very start."""
    fifo = tmp_path / "env"
    os.mkfifo(fifo)
    folder = tmp_path / "d"
    folder.mkdir()
    d = First.__new__(First)
    d.path = str(folder / "listen")
    house.Daemon.__init__(d, folder, sim, {"LISTEN": f"unix:{d.path}"}, sockets=[], argv=["--env-file", str(fifo)],
                          program=["unshare", "--pid", "--fork", "--kill-child", "--", house.GEMGATED])  # fmt: skip
    pid = wait.until("the first process", lambda: children(d.process.pid))[0]

    def held():
        with open(f"/proc/{pid}/status") as f:
            return any(line.startswith("SigBlk:") and int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1 for line in f)

    wait.until("its first step", held)
    os.kill(pid, signal.SIGTERM)
    fifo.write_text("")  # and now it goes on
    assert d.process.wait() == 0
    assert any(e["message"].startswith("SIGTERM") for e in d.log())
