# SPDX-License-Identifier: MIT
"""After everything else: no key and no token anywhere that others than root read."""
import subprocess
from pathlib import Path

import machine
from house import leaked
from machine import run


def test_canaries_are_absent_from_the_whole_journal():
    run("journalctl", "--sync")
    out = subprocess.run(
        ["journalctl", "-q", "--namespace=*", "-o", "export", "--all"], capture_output=True, check=True
    ).stdout
    assert len(out) > 100_000, "that is no journal of all these tests"
    assert not leaked(out)


def test_no_core_file():
    assert not list(Path("/var/lib/systemd/coredump").glob("*gemgate*"))


def test_canaries_are_absent_from_what_systemd_tells():
    out = run("systemctl", "show", "--all", "gemgated.service", "gemgated.socket")
    out += run("systemctl", "status", "--no-pager", "--full", "gemgated.service", check=False).stdout
    assert not leaked(out)
