# SPDX-License-Identifier: MIT
"""A new package over the old one, while clients connect without pause."""
import pytest

import machine
from load import Load
from machine import SERVICE, SOCKET, TCP, chat_request, run, show


@pytest.fixture(scope="module")
def next_deb(deb, tmp_path_factory):
    """The same package with a higher version."""
    folder = tmp_path_factory.mktemp("next")
    run("dpkg-deb", "-R", deb, folder / "tree")
    control = folder / "tree/DEBIAN/control"
    text = control.read_text()
    version = next(line for line in text.splitlines() if line.startswith("Version: "))
    control.write_text(text.replace(version, version + "+next1"))
    run("dpkg-deb", "-b", folder / "tree", folder / "next.deb", timeout=300)
    return folder / "next.deb"


def installed_version():
    return run("dpkg-query", "-W", "-f", "${Version}", "gemgate")


def test_upgrade_under_load(running, next_deb, deb):
    """0 refused, 0 failed: the socket stays open, the service is restarted. And back, which is the same."""
    since = show("ActiveEnterTimestampMonotonic", SOCKET)
    pids = [running]
    with Load(TCP, chat_request()) as load:
        for package in (next_deb, deb):
            run("dpkg", "--force-downgrade", "-i", package, timeout=300)
            pids.append(machine.wait_active())
            assert installed_version().endswith("+next1") == (package == next_deb)
    load.check()
    assert len(set(pids)) == 3
    assert show("ActiveEnterTimestampMonotonic", SOCKET) == since
    assert load.slowest < 10


def test_upgrade_leaves_a_stopped_service_stopped(next_deb, deb):
    for package in (next_deb, deb):
        run("dpkg", "--force-downgrade", "-i", package, timeout=300)
        assert not machine.is_active(SERVICE) and machine.is_active(SOCKET)


def test_upgrade_leaves_a_disabled_socket_disabled(next_deb, deb):
    """What the administrator chose is kept."""
    run("systemctl", "disable", "--now", SOCKET)
    try:
        for package in (next_deb, deb):
            run("dpkg", "--force-downgrade", "-i", package, timeout=300)
            assert run("systemctl", "is-enabled", SOCKET, check=False).stdout.strip() == "disabled"
    finally:
        run("systemctl", "enable", "--now", SOCKET)


def test_upgrade_keeps_the_configuration(next_deb, deb):
    machine.write(machine.ETC / "gemgate.env", "# mine\n")
    for package in (next_deb, deb):
        run("dpkg", "--force-downgrade", "-i", package, timeout=300)
    assert (machine.ETC / "gemgate.env").read_text() == "# mine\n"


def test_upgrade_of_instances_under_load(next_deb, deb):
    """Each is restarted, none of their sockets is closed, and gemgated.socket, which was disabled, does not come between."""
    sockets = [f"gemgated@{i}.socket" for i in (1, 2)]
    services = [f"gemgated@{i}.service" for i in (1, 2)]
    run("systemctl", "disable", "--now", SOCKET)
    try:
        run("systemctl", "enable", "--now", *sockets)
        run("systemctl", "start", *services)
        before = [machine.wait_active(s) for s in services]
        with Load(TCP, chat_request(), clients=24) as load:
            run("dpkg", "--force-downgrade", "-i", next_deb, timeout=300)
        load.check()
        after = [machine.wait_active(s) for s in services]
        assert not set(before) & set(after)
        assert all(machine.is_active(s) for s in sockets) and not machine.is_active(SOCKET)
    finally:
        run("systemctl", "disable", "--now", *sockets)
        run("systemctl", "stop", *services)
        run("dpkg", "--force-downgrade", "-i", deb, timeout=300)
        run("systemctl", "enable", "--now", SOCKET)
