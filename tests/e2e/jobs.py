# SPDX-License-Identifier: MIT
"""What the tests of the Gemini CLI share: a daemon over a runner that has no CLI, and what that one wrote down."""
import json
import os
import sys

import pytest

import house
import http1
import wait
from house import SECRETS
from test_reload import Configured

MODEL = "gemini-3.8-flash"


def install(folder, name="gemini", version=None):
    """A program that is never started: only its path and the package around it matter to the daemon."""
    bundle = folder / name / "bundle"
    bundle.mkdir(parents=True)
    program = bundle / "gemini.js"
    program.write_text("#!/bin/sh\nexit 70\n")
    program.chmod(0o755)
    if version:
        (folder / name / "package.json").write_text(json.dumps({"name": "@google/gemini-cli", "version": version}))
    return str(program)


def runner_at(path, *words):
    """The runner, with these words behind those of the daemon. Whatever python3 of PATH may be, it adds nothing to the
    environment that is looked at."""
    script = str(house.ROOT / "tests/e2e/runner.py")
    path.write_text(f"#!{sys.executable} -IS\nimport runpy, sys\nsys.argv += {list(words)}\nrunpy.run_path({script!r})\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def settings(tmp_path):
    """For a daemon with the runner above; `gemini` is there, but never started."""
    return {"CLI_RUNNER": runner_at(tmp_path / "runner"), "CLI_PATH": install(tmp_path), "CLI_WARM": "0", "TMPDIR": str(tmp_path),
            "PATH": os.environ["PATH"], "LOG_LEVEL": "DEBUG"}


@pytest.fixture
def cli(start, settings):
    """cli(NAME="value", …) starts such a daemon."""
    return lambda *, unset=(), unix=False, **others: start(unset=unset, unix=unix, **settings | others)


@pytest.fixture
def reloaded(sim, settings, tmp_path):
    """A daemon whose settings can change."""
    with Configured(tmp_path, sim, {k: settings.pop(k) for k in ("TMPDIR", "PATH")}) as d:
        d.set(**settings)
        d.reload()
        yield d


@pytest.fixture
def special(tmp_path):
    """special("refuse"): the path of a runner of that kind."""

    def one(kind, **others):
        return runner_at(tmp_path / f"runner.{kind}", f"--as={kind}", *[f"--{k}={v}" for k, v in others.items()])

    return one


class Record:
    """What one runner wrote down."""

    def __init__(self, path):
        self.pid = int(path.name.removeprefix("runner-"))
        self.lines = [json.loads(line) for line in path.read_text().rpartition("\n")[0].splitlines()]

    def find(self, name):
        return next((line[name] for line in self.lines if name in line), None)

    @property
    def lives(self):
        try:
            with open(f"/proc/{self.pid}/stat") as f:
                return f.read().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False


@pytest.fixture
def records(tmp_path):
    """records() are those of every runner so far, in order of their start."""
    return lambda: sorted((Record(p) for p in tmp_path.glob("runner-*")), key=lambda r: r.find("began") or 0)


@pytest.fixture
def waiting(records):
    """waiting() are the runners that live and have no job."""
    return lambda: [r for r in records() if r.lives and r.find("start") and not r.find("job")]


def run(d, command, **fields):
    return d.ask("POST", "/run-gemini", body={"command": command, "model": MODEL, **fields})


def send(d, command, target="/run-gemini", **fields):
    """Asks, and leaves the connection open."""
    c = d.connect(**({"receive_buffer": fields.pop("receive_buffer")} if "receive_buffer" in fields else {}))
    body = json.dumps({"command": command, "model": MODEL, **fields}).encode()
    c.send(http1.compose("POST", target, [("Authorization", f"Bearer {SECRETS['TOKEN']}")], body))
    return c


def events_of(body):
    return [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: {")]


def error_of(a):
    return json.loads(a.body)["error"]


def line_of(d, dialect="run-gemini"):
    return d.wait_log("the log line", lambda e: e.get("dialect") == dialect)


def gone(records):
    return wait.until("the end of every runner", lambda: not any(r.lives for r in records()))


def jobs(records):
    return [r.find("job")["prompt"] for r in records() if r.find("job")]


def wait_queued(d):
    """The daemon has read what was sent: others that came later were answered, one after the other."""
    for _ in range(2):
        assert d.ask("GET", "/health").status == 200


def chat_with(**fields):
    return {"model": "cli/" + MODEL, "messages": [{"role": "user", "content": "Hi"}]} | fields


def upstream_of(r):
    return next(a.removeprefix("--upstream=") for a in r.find("argv") if a.startswith("--upstream="))


def inner(r, token, target=f"/v1beta/models/{MODEL}:generateContent", header="x-goog-api-key"):
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}).encode()
    with http1.Connection(upstream_of(r)) as c:
        c.send(http1.compose("POST" if "models" in target else "GET", target, [(header, token)] if token else [], body))
        return c.read("POST").status
