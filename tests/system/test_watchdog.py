# SPDX-License-Identifier: MIT
"""A stuck daemon is replaced, a waiting one is not."""
import os
import signal

import machine
import wait
from load import Load
from machine import SERVICE, TCP, chat_request, pid, show, systemctl

SHORT = "[Service]\nWatchdogSec=1s\n"


def fed():
    return int(show("WatchdogTimestampMonotonic"))


def wait_fed(times):
    for _ in range(times):
        last = fed()
        wait.until("the watchdog to be fed", lambda: fed() > last)


def test_watchdog_is_on(running):
    assert show("WatchdogUSec") not in ("0", "infinity")


def test_hung_daemon_is_back_in_time(running):
    with machine.drop_in(SHORT):
        systemctl("restart", SERVICE)
        first = pid()
        assert machine.health()["status"] == "healthy"
        after = machine.cursor()
        os.kill(first, signal.SIGSTOP)
        a = machine.chat()  # connects while it hangs: waits in the socket's queue, or is cut with the old process
        second = wait.until("another process", lambda: (p := pid()) not in (0, first) and p)
        machine.wait_active()
        assert machine.chat().status == 200, a
    assert second != first
    assert "watchdog" in machine.said(after).lower()


def test_idle_and_waiting_daemons_live(running, sim):
    """Neither traffic nor an upstream is needed to be fed."""
    with machine.drop_in(SHORT):
        systemctl("restart", SERVICE)
        first = pid()
        wait_fed(4)
        sim.script("* : hang")
        with machine.connect() as c:
            c.send(chat_request())
            wait.until("the request upstream", lambda: sim.count() == 1)
            wait_fed(4)
        assert pid() == first
    assert show("NRestarts") == "0"


def test_kill_9(running):
    """Requests under way are lost; new clients are served."""
    with Load(TCP, chat_request()) as load:
        for _ in range(3):
            old = machine.wait_active()
            os.kill(old, signal.SIGKILL)
            wait.until("another process", lambda: (p := pid()) not in (0, old) and machine.is_active())
    assert load.bad.get("refused", 0) == 0, load.bad
    assert load.ok > 100
    # each kill can cut only the requests that are under way at that moment
    assert sum(load.bad.values()) <= 3 * 8, load.bad
    assert not [k for k in load.bad if k.isdigit() or k.startswith("connect")], load.bad
    assert machine.chat().status == 200


def test_no_core_and_no_dump(running):
    """SIGABRT, as the watchdog sends it, leaves no image of the memory."""
    from pathlib import Path

    limits = Path(f"/proc/{running}/limits").read_text()
    assert next(line for line in limits.splitlines() if "core file" in line).split()[4:6] == ["0", "0"]
    # not dumpable: its /proc files are root's
    assert Path(f"/proc/{running}/environ").stat().st_uid == 0
