# SPDX-License-Identifier: MIT
"""gemgate-runner as the daemon starts it, and Gemini CLIs for it: the real one, and scripts in its place."""
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import wait
from house import BUILD, ROOT
from process import SANITIZERS, TROUBLE
from fakegemini import Upstream

RUNNER = BUILD / "src" / "gemgate-runner"
PREFIX = Path(os.environ.get("GEMGATE_CLI", ROOT / "build-test" / "cli"))
CLI = PREFIX / "bin" / "gemini"
NODE = PREFIX / "bin" / "node"
INSTALL = ROOT / "packaging" / "install-gemini-cli"

# How an ordinary user runs it, when we are root.
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
# And one who may not have namespaces: the kernel's own refusal.
WITHOUT_NAMESPACES = [
    *AS_NOBODY, "unshare", "--user", "--map-root-user", "sh", "-c",
    'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"', "sh",
]


def script(folder, source, version='"9.9.9"'):
    """A prefix whose bundle is `source`, run by the real Node. Returns what --cli= gets."""
    package = folder / "lib/node_modules/@google/gemini-cli"
    (package / "bundle").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "@google/gemini-cli", "version": %s}' % version)
    (package / "bundle/gemini.js").write_text(source)
    (folder / "bin").mkdir()
    (folder / "bin/gemini").symlink_to("../lib/node_modules/@google/gemini-cli/bundle/gemini.js")
    (folder / "bin/node").symlink_to(NODE.resolve())
    return folder / "bin/gemini"


# The beginning of every script: reads all of stdin, then calls job(text); say() writes one event.
PRELUDE = """
const fs = require("node:fs");
const say = (e) => fs.writeSync(1, JSON.stringify(e) + "\\n");
const tell = (text) => say({ type: "message", role: "assistant", content: text, delta: true });
const done = () => say({ type: "result", status: "success" });
const read = () => fs.readFileSync(0, "utf8");
const system = () => fs.readFileSync(process.env.GEMINI_SYSTEM_MD, "utf8");
"""
# open() connects to the only thing that a job can reach.
GET = (
    "const net = require('node:net'); const port = new URL(process.env.GOOGLE_GEMINI_BASE_URL).port;"
    "const open = () => { const c = net.connect(port, '127.0.0.1'); c.on('error', () => {}); return c; };"
)


class House:
    """A folder that anyone may pass through, with TMPDIR and an upstream's socket; nothing may be left in it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="gemgate-test-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.tmp = self.folder / "tmp"
        self.tmp.mkdir()
        self.tmp.chmod(0o1777)
        self.upstream = Upstream(self.folder / "api.sock")
        (self.folder / "api.sock").chmod(0o666)
        self.runners = []

    def runner(self, **more):
        r = Runner(self, **more)
        self.runners.append(r)
        return r

    def script(self, source, **more):
        return script(self.folder / "fake", PRELUDE + source, **more)

    def close(self):
        for r in self.runners:
            r.close()
        self.upstream.close()
        left = os.listdir(self.tmp)
        shutil.rmtree(self.folder)
        assert not left, f"left in TMPDIR: {left}"
        for r in self.runners:
            r.check()


class Runner:
    def __init__(self, house, cli=CLI, isolation="none", dialogue=False, start=True, before=(), env=None, options=()):
        self.house, self.token = house, "job-" + secrets.token_hex(12)
        self.dialogue = dialogue
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(wait.DEADLINE)
        self.err = house.folder / f"stderr-{len(house.runners)}"
        argv = [*before, RUNNER, f"--cli={cli}", f"--upstream={house.upstream.path}", f"--isolation={isolation}", *options]
        with theirs, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [str(a) for a in argv], stdin=theirs, stdout=subprocess.DEVNULL, stderr=err,
                env={"PATH": os.environ["PATH"], "TMPDIR": str(house.tmp), **SANITIZERS, **(env or {})},
            )
        self.held, self.events = b"", []
        if start:
            self.start()

    # --- the protocol ---

    def send(self, line):
        self.socket.sendall((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n")

    def start(self):
        self.send({"start": {"token": self.token, "dialogue": self.dialogue}})

    def give(self, prompt="ping", **more):
        self.send({"job": {"prompt": prompt, **more}})
        return self

    def next(self):
        """The next event, or None at the end."""
        while b"\n" not in self.held:
            try:
                piece = self.socket.recv(1 << 20)
            except TimeoutError:
                raise AssertionError(f"the runner sends nothing; before: {self.events}, {self.said()}") from None
            if not piece:
                assert not self.held, "half a line at the end"
                self.socket.close()
                return None
            self.held += piece
        line, _, self.held = self.held.partition(b"\n")
        self.events.append(json.loads(line))
        return self.events[-1]

    def ready(self):
        e = self.next()
        assert e["event"] == "ready", e
        return e

    def text(self):
        e = self.next()
        assert e["event"] == "text", e
        return e["text"]

    def result(self):
        """All up to the end: the result, with the text that came before it as `answer`."""
        while self.next():
            pass
        last = self.events[-1]
        assert last["event"] == "result" and [e["event"] for e in self.events].count("result") == 1, self.events
        return last | {"answer": "".join(e["text"] for e in self.events if e["event"] == "text")}

    # --- its processes ---

    def below(self):
        """PIDs of all processes below it, with when they began, so that a number is not taken for another."""
        parents = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            stat = status_of(name)
            if stat:
                parents.setdefault(stat[1], []).append((int(name), stat[19]))
        found, queue = [], [self.process.pid]
        while queue:
            for pid, began in parents.get(str(queue.pop()), []):
                found.append((pid, began))
                queue.append(pid)
        return found

    def cli(self):
        """The PID of the CLI: the process that has the token in its environment, and none of its ancestors has."""

        def find():
            for pid, _ in self.below():
                try:
                    if f"GEMINI_API_KEY={self.token}".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                        return pid
                except OSError:
                    pass
            return None

        return wait.until("the CLI's process", find)

    def warm(self):
        """The CLI has come so far that it has written to its home; it waits for its job soon."""
        root = Path(f"/proc/{self.cli()}")
        home = dict(v.split(b"=", 1) for v in (root / "environ").read_bytes().split(b"\0") if v)[b"HOME"].decode()
        wait.until("the CLI to be warm", lambda: os.path.exists(f"{root}/root{home}/.gemini/projects.json"))

    def hang_up(self):
        """And all of it is gone."""
        below = self.below()
        self.socket.close()
        assert self.process.wait(wait.DEADLINE) == 0, self.said()
        wait.until("all below the runner to be gone", lambda: not [p for p in below if alive(*p)])

    def wait(self):
        status = self.process.wait(wait.DEADLINE)
        assert not self.below()
        return status

    def said(self):
        return self.err.read_text(errors="replace") if self.err.exists() else self.last_words

    def close(self):
        self.socket.close()
        try:
            self.process.wait(wait.DEADLINE)
        finally:
            self.process.kill()
            self.process.wait()
            self.last_words = self.said()

    def check(self):
        for word in TROUBLE:
            assert word not in self.last_words, self.last_words[-8000:]
        assert self.token not in self.last_words


def status_of(pid):
    """The fields of /proc/PID/stat from the third on, or None for one that is gone or only not yet buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields


def alive(pid, began):
    stat = status_of(pid)
    return stat is not None and stat[19] == began
