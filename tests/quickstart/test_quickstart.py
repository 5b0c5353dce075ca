# SPDX-License-Identifier: MIT
"""packaging/quickstart as a new user meets it: what it prints works when pasted, and Ctrl-C leaves nothing behind."""
import os
import re
import signal
import socket
import subprocess

import pytest

import process
import wait
from house import ROOT

QUICKSTART = ROOT / "packaging" / "quickstart"


def free_port():
    with process.listen_tcp() as s:
        return s.getsockname()[1]


class Quickstart:
    """With none of this machine's settings; a ./.env of the checkout would make another test of this."""

    def __init__(self, folder, **settings):
        assert not (ROOT / ".env").exists(), "there is a .env in the checkout"
        self.port = settings.pop("QUICKSTART_PORT", None) or free_port()
        env = {"HOME": os.environ.get("HOME", "/"), "QUICKSTART_PORT": str(self.port)} | settings
        self.process = process.Process([QUICKSTART], env, folder)

    def ready(self):
        def look():
            assert not self.process.ended(), self.process.said()
            return "Try it" in self.process.said() and self.process.said()

        return wait.until("quickstart to be ready", look, deadline=240)

    def children(self):
        """Name → pid."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            pids = f.read().split()
        return {open(f"/proc/{pid}/comm").read().strip(): int(pid) for pid in pids}


def refused(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_simulated(tmp_path, which):
    q = Quickstart(tmp_path)
    try:
        said = q.ready()
        assert "SIMULATED" in said
        pasted = said[said.index("curl -s") : said.index("}'") + 2] + "\n"
        answer = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, timeout=60)
        assert '"object":"chat.completion"' in answer.stdout, answer
        assert "simulated" in answer.stdout
        children = q.children()
        assert {"gemgated", "gemini-sim"} <= set(children), children
        token = re.search(r"Bearer ([0-9a-f]{32,})'", said).group(1)
        for pid in children.values():
            with open(f"/proc/{pid}/cmdline") as f:
                assert token not in f.read()
        q.process.signal(which)
        assert q.process.wait() == 0, q.process.said()
        assert refused(q.port)
        wait.until("gemini-sim to be gone", lambda: not os.path.exists(f"/proc/{children['gemini-sim']}"))
    finally:
        q.process.kill()


def test_own_token(tmp_path):
    """A configured token is the one that counts, and is not printed."""
    token = "my-own-token-0123456789"
    q = Quickstart(tmp_path, ALLOWED_TOKENS=token)
    try:
        said = q.ready()
        assert token not in said and "YOUR-TOKEN" in said
        q.process.signal(signal.SIGINT)
        assert q.process.wait() == 0
    finally:
        q.process.kill()


def test_real_keys(tmp_path):
    """With API_KEYS there is no simulator, as its output shows."""
    q = Quickstart(tmp_path, API_KEYS="some-key-of-twenty-letters")
    try:
        said = q.ready()
        assert "the real Gemini" in said and "SIMULATED" not in said
        assert "gemini-sim" not in q.children()
        q.process.signal(signal.SIGINT)
        assert q.process.wait() == 0
    finally:
        q.process.kill()


def test_port_taken(tmp_path):
    """One clear line, at once."""
    with process.listen_tcp() as s:
        q = Quickstart(tmp_path, QUICKSTART_PORT=s.getsockname()[1])
        assert q.process.wait() == 69
    lines = q.process.said().splitlines()
    assert len(lines) == 1 and "taken" in lines[0] and str(q.port) in lines[0]


def test_wrong_port(tmp_path):
    q = Quickstart(tmp_path, QUICKSTART_PORT="http")
    assert q.process.wait() == 64
    assert "QUICKSTART_PORT" in q.process.said()
