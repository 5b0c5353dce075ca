# SPDX-License-Identifier: MIT
"""gemgated as the first process of a PID namespace, as it is in a container (as root)."""
import os
import re
import resource
import signal
import subprocess

import pytest

import house
import http1
import wait
from house import SECRETS


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(x) for x in f.read().split()]


def begun(pid):
    """It has come to main(), which forbids core files at once."""
    with open(f"/proc/{pid}/limits") as f:
        return any(re.match(r"Max core file size +0 +0 ", line) for line in f)


class First(house.Daemon):
    def __init__(self, folder, sim, **settings):
        self.path = str(folder / "listen")
        super().__init__(folder, sim, settings | {"LISTEN": f"unix:{self.path}"}, sockets=[],
                         program=["unshare", "--pid", "--fork", "--kill-child", "--", house.GEMGATED])  # fmt: skip
        self.pid = wait.until("the first process", lambda: children(self.process.pid))[0]

    def served(self):
        wait.until("the first line", lambda: any(e["message"].startswith("listening on") for e in self.log()))
        return self

    def ask(self, *a, **kw):
        return super().ask(*a, where=self.path, **kw)


@pytest.fixture
def first(sim, tmp_path):
    d = First(tmp_path, sim, DRAIN_TIMEOUT="10min")
    yield d.served()
    if d.process.status is None:
        d.process.kill()
        raise AssertionError("it should have ended: " + d.process.said())
    d.process.check()


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_ends(first, which):
    """What the kernel does not do for a first process, it does itself; idle, it does not wait for DRAIN_TIMEOUT."""
    assert first.chat().status == 200
    os.kill(first.pid, which)
    assert first.process.wait() == 0
    assert first.log()[-1]["message"] == "ended"


def test_drains(first, sim):
    """An open stream goes on to its end."""
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
    settings = tmp_path / "env"
    settings.write_text(("#" * 1000 + "\n") * 15000)  # reading it takes a while
    folder = tmp_path / "d"
    folder.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    assert hard != 0
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        d = First.__new__(First)
        d.path = str(folder / "listen")
        house.Daemon.__init__(d, folder, sim, {"LISTEN": f"unix:{d.path}"}, sockets=[], argv=["--env-file", str(settings)],
                              program=["unshare", "--pid", "--fork", "--kill-child", "--", house.GEMGATED])  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    pid = wait.until("the first process", lambda: children(d.process.pid))[0]

    # A signal that comes before main() is lost, and unshare has this number until it starts gemgated.
    wait.until("main()", lambda: begun(pid))
    os.kill(pid, signal.SIGTERM)
    assert d.process.wait() == 0
    assert any(e["message"].startswith("SIGTERM") for e in d.log())
