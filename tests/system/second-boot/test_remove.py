# SPDX-License-Identifier: MIT
"""Disable, remove, purge. The last of all: afterwards there is nothing to test any more."""
import os
from pathlib import Path

import pytest

import machine
from house import ROOT
from machine import ETC, SERVICE, SOCKET, TCP, UNIX, run, systemctl


@pytest.fixture(autouse=True)
def fresh(installed, sim):
    """As everywhere, as long as there is something."""
    if Path("/usr/bin/gemgated").exists():
        machine.clean()
        machine.configure(sim)


# Where a package and its programs put things; but for where others keep their own books, and where the tests are.
PLACES = ("/etc", "/run", "/usr", "/var")
ELSEWHERE = ("/var/tmp", "/var/cache/man", "/var/log/journal", "/run/log/journal", str(ROOT))


def traces():
    """Everything that has the name."""
    found = []
    for place in PLACES:
        for folder, folders, files in os.walk(place):
            folders[:] = [f for f in folders if os.path.join(folder, f) not in ELSEWHERE]
            found += [os.path.join(folder, f) for f in folders + files if "gemgate" in f]
    return found


def test_disable():
    """A disabled socket refuses, and clients that were connected are answered."""
    assert machine.chat().status == 200
    systemctl("disable", "--now", SOCKET)
    machine.wait_state("inactive")
    assert not machine.is_active(SERVICE)
    assert run("curl", "-s", f"http://{TCP[0]}:{TCP[1]}/health", check=False).returncode == 7
    assert not Path(UNIX).exists()
    systemctl("enable", "--now", SOCKET)
    assert machine.chat().status == 200


def test_remove_keeps_the_configuration():
    assert machine.chat().status == 200
    run("dpkg", "-r", "gemgate", timeout=60)
    for unit in (SERVICE, SOCKET):
        assert run("systemctl", "is-active", unit, check=False).stdout.strip() in ("inactive", "unknown")
    assert run("curl", "-s", f"http://{TCP[0]}:{TCP[1]}/health", check=False).returncode == 7
    assert not Path("/usr/bin/gemgated").exists() and not Path("/run/gemgate").exists()
    assert (ETC / "api-keys").exists()
    assert run("systemctl", "is-system-running", check=False).stdout.strip() == "running"


def test_remove_of_instances(deb, sim):
    """Enabled instances are removed with the package."""
    run("dpkg", "-i", deb, timeout=120)
    machine.configure(sim)
    sockets = [f"gemgated@{i}.socket" for i in (1, 2)]
    run("systemctl", "disable", "--now", SOCKET)
    run("systemctl", "enable", "--now", *sockets)
    assert machine.chat().status == 200
    run("dpkg", "-r", "gemgate", timeout=60)
    assert "gemgated@" not in run("systemctl", "list-units", "--no-legend", "--state=active")
    assert run("curl", "-s", f"http://{TCP[0]}:{TCP[1]}/health", check=False).returncode == 7
    assert not Path("/run/gemgate").exists()


def test_purge_leaves_nothing():
    for store in ("/etc/credstore", "/etc/credstore.encrypted"):  # the operator's own, not the package's
        for secret in Path(store).glob("gemgate.*"):
            secret.unlink()
    run("dpkg", "-P", "gemgate", timeout=60)
    assert not ETC.exists() and not Path("/var/lib/gemgate").exists()
    left = traces()
    assert not left, left
    # the account stays, without a way in: see README.Debian
    assert run("getent", "passwd", "gemgate").endswith("nologin\n")
    assert "gemgate" not in run("systemctl", "list-unit-files", "--no-legend")
    run("busctl", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ReloadConfig")
    names = run("busctl", "list", "--activatable", "--no-legend", "--acquired")
    assert "gemgate" not in names
