# SPDX-License-Identifier: MIT
"""monitor: a line each, as it happens."""
import json
import os
import select
import signal
import subprocess

import pytest

import wait
from gemgatectl import GEMGATECTL
from mock import FOREVER, PATH, key_path


class Monitor:
    def __init__(self, ctl, mock, *args):
        before = mock.listeners()
        self.process = subprocess.Popen([GEMGATECTL, "monitor", *args], env=ctl.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.rest = b""
        wait.until("the monitor to listen", lambda: mock.listeners() > before)

    def line(self):
        while b"\n" not in self.rest:
            assert select.select([self.process.stdout], [], [], wait.DEADLINE)[0], "the monitor prints nothing"
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, self.process.stderr.read()
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def stop(self, which=signal.SIGTERM):
        self.process.send_signal(which)
        status = self.process.wait(wait.DEADLINE)
        self.process.stdout.close()
        self.process.stderr.close()
        return status


@pytest.fixture
def monitor(ctl, mock):
    started = []

    def start(*args):
        started.append(Monitor(ctl, mock, *args))
        return started[-1]

    yield start
    for m in started:
        if m.process.poll() is None:
            m.stop(signal.SIGKILL)


# member, signature, body, output, with --json besides time and signal
SIGNALS = [
    ("KeyHealthChanged", "osssst", [key_path("work"), "gemini-a", "usable", "unhealthy", "overload", FOREVER],
     "key work, gemini-a: usable -> unhealthy (overload), frees only when re-enabled",
     {"key": "work", "model": "gemini-a", "old": "usable", "new": "unhealthy", "reason": "overload", "until": None}),
    ("KeyHealthChanged", "osssst", [key_path("work"), "", "dead", "usable", "reset", 0],
     "key work: dead -> usable (reset)",
     {"key": "work", "model": None, "old": "dead", "new": "usable", "reason": "reset", "until": None}),
    ("QuotaExhausted", "st", ["gemini-a", 1], "model gemini-a: no key is left, the first frees now",
     {"model": "gemini-a", "until": "1970-01-01T00:00:00+00:00"}),
    ("QuotaWarning", "osstt", [key_path("work"), "", "gemini-a", 16, 20],
     "model gemini-a: 16 of 20 requests of the day are used, the key work",
     {"key": "work", "project": None, "model": "gemini-a", "used": 16, "limit": 20}),
    ("ProjectLearned", "os", [key_path("work"), "projects/1"], "key work shares the project projects/1 with other keys",
     {"key": "work", "project": "projects/1"}),
    ("Reloaded", "bs", [True, ""], "configuration reloaded", {"ok": True, "message": None}),
    ("Reloaded", "bs", [False, "MAX_BODY:\x1b[2J x"], "MAX_BODY:?[2J x",
     {"ok": False, "message": "MAX_BODY:\x1b[2J x"}),
]


def test_signals(mock, monitor):
    people, programs = monitor(), monitor("--json")
    for member, signature, body, told, said in SIGNALS:
        mock.emit(member, signature, *body)
        assert people.line().split("UTC  ")[1] == told
        line = json.loads(programs.line())
        assert line.pop("time") and line == {"signal": member, **said}
    assert people.stop(signal.SIGINT) == 0 and programs.stop(signal.SIGTERM) == 0
    assert PATH not in (c[1] for c in mock.calls) and mock.calls == []


def test_the_daemon_goes(mock, monitor):
    m = monitor()
    mock.release()
    assert m.line().endswith("gemgated has stopped")
    assert m.stop() == 0


def test_a_signal_of_another_form_ends_it(mock, monitor):
    m = monitor()
    mock.emit("Reloaded", "s", "what?")
    assert m.process.wait(wait.DEADLINE) == 1
