# SPDX-License-Identifier: MIT
"""The README and docs/INSTALL.md, walked on a bare Debian: the commands are those of the pages, with nothing before them but
what the pages ask for. Each root is a fresh one; its archive is kept in build-test.

A walk cannot boot, has no Docker engine and no key: systemctl and docker are tried by tests/system and tests/container.
"""
import contextlib
import fcntl
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

import process
import readme
import wait
from house import ROOT

KEPT = ROOT / "build-test" / "newcomer"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
MINUTES = 60
COMPOSE = {"bookworm": "docker-compose", "trixie": "docker compose"}

pytestmark = [pytest.mark.long, pytest.mark.parametrize("release", COMPOSE)]


class Machine:
    """A root without an init, in namespaces that end with the program that was started in them."""

    def __init__(self, release, folder):
        archive = archive_of(release)
        self.root, self.folder = folder / "root", folder
        self.root.mkdir(mode=0o755)
        subprocess.run(["tar", "-C", self.root, "--numeric-owner", "-xf", archive], check=True)
        (self.root / "etc/resolv.conf").write_bytes(Path("/etc/resolv.conf").read_bytes())
        # As a person answers.
        (self.root / "etc/apt/apt.conf.d/yes").write_text('APT::Get::Assume-Yes "true";\n')
        (self.root / "etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n")
        self.n = 0

    def start(self, script, where="/root", beside=None, **env):
        """The script as one that is typed: the first command that fails ends it. `beside`: in the namespaces of that one."""
        self.n += 1
        folder = self.folder / f"run-{self.n}"
        folder.mkdir()
        (folder / "script").write_text(script)
        chroot = f'exec chroot "$0" sh -c \'cd {where} && exec bash -e\' <"{folder}/script"'
        mounted = f'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && {chroot}'
        if beside:
            with open(f"/proc/{beside.pid}/task/{beside.pid}/children") as f:
                argv = ["nsenter", f"--target={f.read().split()[0]}", "--mount", "--pid", "sh", "-c", chroot]
        else:
            argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--propagation=private", "sh", "-c", mounted]
        p = process.Process([*argv, self.root], ENVIRONMENT | proxies() | env, folder)
        return p

    def run(self, script, where="/root", beside=None, **env):
        p = self.start(script, where, beside, **env)
        wait.until("the script to end", p.ended, deadline=30 * MINUTES)
        assert p.wait() == 0, f"{script}\n{p.said()}"
        return p.said()

    def close(self):
        subprocess.run(["rm", "-rf", "--one-file-system", self.root], check=True)


def archive_of(release):
    """Made once: another worker waits for it."""
    KEPT.mkdir(parents=True, exist_ok=True)
    archive = KEPT / f"{release}.tar"
    with open(KEPT / f"{release}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            done = subprocess.run([ROOT / "tests/container/debian-root", release, archive], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    return archive


def proxies():
    return {name: value for name, value in os.environ.items() if re.fullmatch(r"(https?|no)_proxy", name, re.I)}


@pytest.fixture
def machine(release, tmp_path):
    m = Machine(release, tmp_path)
    try:
        yield m
    finally:
        m.close()


def block(begin, page="README.md"):
    """The block of commands that begins so."""
    (found,) = (b for b in readme.blocks("sh", page) if b.startswith(begin))
    return found


def publish(machine):
    """The address of a repository: this tree, as it is now."""
    tree = machine.root / "srv/gemgate"
    subprocess.run([ROOT / "packaging/clean-tree", tree], check=True)
    git = ["git", "-C", tree, "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "all"], check=True)
    return "/srv/gemgate"


@contextlib.contextmanager
def quickstart(machine, commands, where="/root"):
    """From the first command to the moment at which it is ready; then Ctrl-C."""
    with process.listen_tcp() as s:
        port = s.getsockname()[1]
    p = machine.start(commands, where, QUICKSTART_PORT=str(port))

    def ready():
        assert not p.ended(), p.said()
        return "Administration:" in p.said()

    try:
        wait.until("quickstart to be ready", ready, deadline=30 * MINUTES)
        yield p
        assert "client=127.0.0.1" in p.said(), p.said()
        inside(p, "quickstart", signal.SIGINT)
        assert p.wait() == 0, p.said()
    finally:
        p.kill()


def inside(p, name, which):
    """Signals the program of that name below `p`; it is in another namespace."""
    found, pids = [], [p.pid]
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as f:
            pids += map(int, f.read().split())
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as f:
            found += [pid] if f.read().strip() == name else []
    (pid,) = found
    os.kill(pid, which)


def pasted(said, begin):
    return said[said.index(begin) :].split("\n\n")[0]


def test_try_it(machine):
    """Clone, quickstart, the first request, gemgatectl; a second start; the aliases and the key of the page are settings."""
    commands = block("git clone")
    machine.run(re.search(r"`(apt-get update && apt-get install git)`", (ROOT / "README.md").read_text()).group(1))
    address = publish(machine)
    machine.run("git config --global --add safe.directory '*'")
    with quickstart(machine, commands.replace("ADDRESS-OF-THIS-REPOSITORY", address)) as p:
        said = p.said()
        assert re.search(r"building: \d+ %", said) and re.search(r"installing: \d+ %", said), said
        answer = machine.run(pasted(said, "python3 -c"), "/root/gemgate", p)
        assert "simulated" in answer
        assert "running" in machine.run(pasted(said, "build-release/src/gemgatectl"), "/root/gemgate", p)
    settings = re.findall(r"^ {4}([A-Z_]+=.*)$", (ROOT / "README.md").read_text(), re.M)
    (machine.root / "root/gemgate/.env").write_text("\n".join(settings) + "\n")
    checked = machine.run("build-release/src/gemgated --check-config || true", "/root/gemgate", LOG_FORMAT="text")
    assert set(re.findall(r"[A-Z_]{4,}(?=:)", checked)) == {"API_KEYS"}, checked  # which has an ellipsis in the page
    (machine.root / "root/gemgate/.env").write_text(settings[1] + "\n")
    with quickstart(machine, "./packaging/quickstart", "/root/gemgate") as p:
        command = pasted(p.said(), "python3 -c").replace("gemini-flash-latest", "gpt-5")
        assert "simulated" in machine.run(command, "/root/gemgate", p)


def test_install(machine):
    """The package, from nothing; purged again, it leaves no file."""
    address = publish(machine)
    machine.run(f"apt-get -qq update && cp -r {address} gemgate")
    machine.run(block("packaging/deps package"), "/root/gemgate")
    machine.run(block("install -m 0640", "docs/INSTALL.md").partition("systemctl")[0])
    assert "good" in machine.run("gemgated --config-dir=/etc/gemgate --check-config 2>&1", LOG_FORMAT="text")
    machine.run("apt-get purge gemgate")
    left = [p for p in ("etc/gemgate", "var/lib/gemgate", "usr/bin/gemgated") if (machine.root / p).exists()]
    assert not left


def test_container(machine, release):
    """What Debian ships reads the compose file; the commands are those that the page names."""
    address = publish(machine)
    (packages,) = re.findall(r"`(apt-get install docker.io docker-compose)`", (ROOT / "README.md").read_text())
    machine.run(f"apt-get -qq update && cp -r {address} gemgate")
    machine.run(packages)
    machine.run(block("cp .env.example"), "/root/gemgate")
    commands = block("docker compose up")
    for line in commands.splitlines():
        line = line.replace("docker compose", COMPOSE[release])
        machine.run(re.sub(r" (up -d|exec|down)\b.*", " config", line) + " | grep -q /root/gemgate/logs", "/root/gemgate")
