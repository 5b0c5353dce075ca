# SPDX-License-Identifier: MIT
"""From the first connection on."""
import re
import stat
from pathlib import Path

import pytest

import machine
import wait
from machine import SERVICE, SOCKET, TCP, UNIX, run, show

EXAMPLE = Path("/usr/share/doc/gemgate/examples/addresses.conf")


def test_first_connection_starts_it():
    assert machine.is_active(SOCKET)
    assert show("ActiveState") == "inactive"
    a = machine.chat("Hello")
    assert a.status == 200, a
    assert machine.is_active(SERVICE)
    assert show("Result") == "success"


def test_both_sockets():
    for where in (TCP, UNIX):
        a = machine.chat("Hello", where=where)
        assert a.status == 200, (where, a)


def test_sockets_have_a_name_and_a_queue(running):
    """FileDescriptorName=http, and Backlog= as far as the kernel lets it."""
    for where in ("127.0.0.1:8080", f"unix:{UNIX}"):
        assert f"listening on {where}, passed as http" in machine.said()
    most = int(Path("/proc/sys/net/core/somaxconn").read_text())
    queue = int(run("ss", "-Hltn", "src", "127.0.0.1:8080").split()[2])
    assert queue == min(4096, most) > 1000, queue


def test_unix_socket_is_for_the_group(running):
    s = Path(UNIX).stat()
    assert stat.S_IMODE(s.st_mode) == 0o660 and Path(UNIX).group() == "gemgate"
    curl = ["curl", "-sS", "--unix-socket", UNIX, "http://gemgate/health"]
    assert "healthy" in run(*curl, user="member")
    refused = run(*curl, user="stranger", check=False)
    assert refused.returncode == 7, refused


def test_dbus_activation_brings_the_sockets():
    """A call to the name on the bus starts a daemon that serves, even if the socket was not started."""
    machine.systemctl("stop", SOCKET)
    assert not machine.is_active(SERVICE)
    run("busctl", "get-property", "org.gemgate1", "/org/gemgate1", "org.gemgate1.Manager", "Version")
    assert machine.is_active(SOCKET) and machine.is_active(SERVICE)
    for where in (TCP, UNIX):
        assert machine.chat(where=where).status == 200


def test_other_addresses():
    """The package's example, word for word: IPv6 loopback, and an address that the machine doesn't have yet."""
    text = EXAMPLE.read_text()
    machine.systemctl("stop", SOCKET)
    with machine.drop_in(text, SOCKET):
        machine.systemctl("start", SOCKET)
        for where in (TCP, ("::1", 8080), UNIX):
            assert machine.chat(where=where).status == 200, where
        listening = run("ss", "-Hltn", "sport", "=", ":8080").split()
        assert {"127.0.0.1:8080", "[::1]:8080", "192.0.2.1:8080"} <= set(listening)
        machine.systemctl("stop", SOCKET)


def test_other_addresses_for_clients_of_the_network(sim):
    """With the line of gemgate.env that the example names, they are served; without it, 403."""
    text = EXAMPLE.read_text()
    allowed = re.search(r"^#     ALLOWED_IPS=(.*)$", text, re.M).group(1)
    run("ip", "address", "add", "192.0.2.1/24", "dev", "lo")  # also the address of our client then
    machine.systemctl("stop", SOCKET)
    try:
        with machine.drop_in(text, SOCKET):
            machine.systemctl("start", SOCKET)
            assert machine.chat(where=("192.0.2.1", 8080)).status == 403
            machine.configure(sim, ALLOWED_IPS=allowed)
            machine.systemctl("reload", SERVICE)
            assert machine.chat(where=("192.0.2.1", 8080)).status == 200
            assert machine.chat().status == 200
            machine.systemctl("stop", SOCKET)
    finally:
        run("ip", "address", "del", "192.0.2.1/24", "dev", "lo")


def test_by_hand():
    machine.systemctl("start", SERVICE)
    assert machine.is_active(SOCKET)
    assert machine.chat().status == 200


def test_status_line(running, sim):
    """Keys usable, streams open, requests today: current, and written for people."""
    text = wait.until("a status line", lambda: show("StatusText"))
    assert re.search(r"\b2\b.*\bkeys?\b", text), text
    for _ in range(3):
        assert machine.chat().status == 200
    wait.until("three requests today", lambda: re.search(r"\b3 requests? today\b", show("StatusText")))
    sim.script('* : text "x" chunks=1000000 pace=20ms')
    with machine.connect() as c:
        c.send(machine.chat_request(stream=True))
        c.read_until(b"data: ")
        text = wait.until("an open stream", lambda: (t := show("StatusText")) and re.search(r"\b1\b[^,]*\bopen\b|\bone\b.*open", t) and t)
    wait.until("no open stream", lambda: not re.search(r"\b1\b[^,]*\bopen\b", show("StatusText")))
    assert show("StatusText") in run("systemctl", "status", "--no-pager", SERVICE)


def test_status_without_keys():
    """The service waits for keys, its status shows it, and a reload takes them."""
    machine.configure(keys=(), tokens=(), admins=())
    assert machine.health()["status"] == "no_keys"
    text = wait.until("a status line", lambda: show("StatusText"))
    assert "key" in text.lower() and "/etc/gemgate/api-keys" in text, text


def test_keys_arrive_by_reload(sim):
    machine.configure(sim, keys=())
    assert machine.health()["status"] == "no_keys"
    machine.configure(sim)
    machine.systemctl("reload", SERVICE)
    assert machine.chat().status == 200


@pytest.mark.parametrize("unit", [SERVICE, SOCKET, "gemgated@.service", "gemgated@.socket", "gemgated-turn-away@.service"])
def test_units_are_right(unit):
    """systemd-analyze verify finds no fault."""
    name = unit.replace("@.", "@1.")
    path = Path(show("FragmentPath", name))
    assert path.name == unit
    result = run("systemd-analyze", "verify", f"--man=yes", name, check=False)
    said = [line for line in result.stderr.splitlines() if "gemgate" in line]
    assert result.returncode == 0 and not said, result
