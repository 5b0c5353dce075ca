# SPDX-License-Identifier: MIT
"""Counters and cooldowns in /var/lib/gemgate, written from inside the sandbox, over every kind of end."""
import json
import os
import pwd
import signal
from pathlib import Path

import pytest

import machine
import wait
from machine import SERVICE, pid, run, systemctl

STATE = Path("/var/lib/gemgate/state.db")


def stats():
    answer = machine.ask("GET", "/stats?days=1", token="ADMIN")
    assert answer.status == 200
    told = json.loads(answer.body)
    del told["load_balancing"]
    return told


def test_file_is_the_daemons_alone(running):
    assert machine.chat().status == 200
    uid = pwd.getpwnam("gemgate").pw_uid
    files = wait.until("the file and its log", lambda: len(f := sorted(STATE.parent.glob("state.db*"))) == 4 and f)
    for f in files:
        assert f.stat().st_mode & 0o7777 == 0o600 and f.stat().st_uid == uid, f
    assert run("cat", STATE, user="member", check=False).returncode != 0
    assert "STATE_URL" not in machine.said()


@pytest.mark.parametrize("how", ["restart", "stop", "kill"])
def test_it_goes_on(sim, running, how):
    """What was known is known again, and a key that was cooling is not asked."""
    assert machine.chat().status == 200
    sim.script("*: error rpd")
    assert machine.chat().status == 429
    before, seen = stats(), sim.count()
    assert before["global_summary"]["total_requests_all_time"] == 3
    if how == "kill":
        written = lambda: run("sqlite3", "-readonly", STATE, "SELECT total FROM total").strip() == "3"
        wait.until("the counters' second", written)
        old = pid()
        os.kill(old, signal.SIGKILL)
        wait.until("the next one", lambda: pid() not in (0, old))
    else:
        systemctl(how, SERVICE)
    assert stats() == before
    assert machine.chat().status == 429
    assert sim.count() == seen
