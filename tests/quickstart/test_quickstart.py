# SPDX-License-Identifier: MIT
"""packaging/quickstart as a new user meets it: what it prints works when pasted, and Ctrl-C leaves nothing behind."""
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

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
        self.kept = Path(settings.get("QUICKSTART_DIR", folder / "kept"))
        env = {"HOME": os.environ.get("HOME", "/"), "QUICKSTART_PORT": str(self.port), "QUICKSTART_DIR": str(self.kept),
               "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"} | settings
        self.process = process.Process([QUICKSTART], env, folder)

    def ready(self):
        def look():
            assert not self.process.ended(), self.process.said()
            return "Administration:" in self.process.said() and self.process.said()

        return wait.until("quickstart to be ready", look, deadline=240)

    def children(self):
        """Name → pid."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            pids = f.read().split()
        return {open(f"/proc/{pid}/comm").read().strip(): int(pid) for pid in pids}


def pasted(said, begin, env=None):
    """Runs the command that begins so, up to the empty line, as a reader would: from the checkout."""
    command = said[said.index(begin) :].split("\n\n")[0]
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    return done.stdout


def refused(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_simulated(tmp_path, which):
    q = Quickstart(tmp_path)
    try:
        said = q.ready()
        assert "SIMULATED" in said
        assert not re.search(r"no |not |warning|error|fail", said.replace("no answer is real", ""), re.I), said
        answer = pasted(said, "curl -s")
        assert '"object":"chat.completion"' in answer and "simulated" in answer
        assert "running" in pasted(said, "build-release/src/gemgatectl")
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


def test_next_start(tmp_path):
    """The tokens are those of the first start; the management routes take the second one. Other users cannot read them."""
    seen = set()
    for start in ("first", "second"):
        folder = tmp_path / start
        folder.mkdir()
        q = Quickstart(folder, QUICKSTART_DIR=str(tmp_path / "kept"))
        try:
            seen.add(re.search(r"Bearer ([0-9a-f]{48})'", q.ready()).group(1))
            names = {p.name: p.stat().st_mode & 0o777 for p in q.kept.iterdir() if not p.is_socket()}
            assert names == {"token": 0o600, "admin-token": 0o600} and q.kept.stat().st_mode & 0o777 == 0o700
            admin = urllib.request.Request(f"http://127.0.0.1:{q.port}/stats")
            admin.add_header("Authorization", "Bearer " + (q.kept / "admin-token").read_text())
            assert urllib.request.urlopen(admin, timeout=60).status == 200
            q.process.signal(signal.SIGINT)
            assert q.process.wait() == 0
        finally:
            q.process.kill()
    assert len(seen) == 1


def test_without_curl(tmp_path):
    """As on a small Debian. The command shows why a request fails."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in os.listdir("/usr/bin"):
        if program != "curl":
            (programs / program).symlink_to(f"/usr/bin/{program}")
    q = Quickstart(tmp_path, PATH=str(programs))
    try:
        said = q.ready()
        assert "curl -s" not in said
        assert "simulated" in pasted(said, "python3 -c", env={"PATH": str(programs)})
        said = re.sub(r"Bearer \w+", "Bearer another-token", said)
        assert '"invalid_api_key"' in pasted(said, "python3 -c", env={"PATH": str(programs)})
    finally:
        q.process.kill()


def test_port_taken_late(tmp_path):
    """Another program takes the port while gemgate is built: it answers there, but quickstart is not ready."""
    programs = tmp_path / "bin"
    programs.mkdir()
    taken = tmp_path / "taken"
    (programs / "ninja").write_text(f"""#!/bin/sh
{sys.executable} -m http.server --bind 127.0.0.1 "$QUICKSTART_PORT" >{taken} 2>&1 &
echo $! >{taken}.pid
until bash -c ': </dev/tcp/127.0.0.1/'"$QUICKSTART_PORT" 2>/dev/null; do :; done
""")
    (programs / "ninja").chmod(0o755)
    q = Quickstart(tmp_path, PATH=f"{programs}:{os.environ['PATH']}")
    try:
        assert q.process.wait() == 69
        said = q.process.said()
        assert "Address already in use" in said and "is ready" not in said, said
    finally:
        q.process.kill()
        os.kill(int((tmp_path / "taken.pid").read_text()), signal.SIGKILL)


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
        wait.until("the state", lambda: (q.kept / f"state-{q.port}.db").exists())
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
