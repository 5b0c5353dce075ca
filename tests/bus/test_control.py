# SPDX-License-Identifier: MIT
"""CONTROL_SOCKET: the same interface without a bus, for the daemon's own user, the group, and root."""
import json
import os
import socket
import stat
import subprocess

import pytest

import house
import people
import wait
from client import KEY, OBJECTS, PATH, Client, Error
from house import SECRETS
from people import DAEMON, MEMBER, PRIMARY, ROOT, STRANGER

KEYS = json.dumps([{"key": SECRETS["KEY1"], "name": "home"}])
PEERS_MAX = 16  # base/limits.h
NO_BUS = "unix:path=/nonexistent"


class Controlled:
    def __init__(self, machine, start, user=DAEMON, argv=()):
        self.folder = machine.new_folder()
        os.chown(self.folder, user.uid, user.gid)
        self.path = self.folder / "control"
        self.address = f"unix:path={self.path}"
        self.daemon = start(user=user, argv=argv, API_KEYS=KEYS, CONTROL_SOCKET=str(self.path),
                            DBUS_SYSTEM_BUS_ADDRESS=NO_BUS)
        self.daemon.wait_log("the control socket", lambda line: "administration on unix:" in line["message"])

    def client(self, user=ROOT):
        return Client(self.address, user)


@pytest.fixture
def control(machine, start):
    return Controlled(machine, start)


@pytest.mark.parametrize("user", [ROOT, DAEMON, MEMBER, PRIMARY], ids=str)
def test_administrators(control, user):
    with control.client(user) as c:
        assert len(c.call("ListKeyHealth")) == 1
        assert c.get_all()["KeysTotal"] == 1
        assert f"{PATH}/key/home" in c.call("GetManagedObjects", path=PATH, interface=OBJECTS)
        c.call("Disable", path=f"{PATH}/key/home", interface=KEY)
        assert c.get("KeysUsable") == 0


def test_signals(control):
    """Without a bus there are no subscriptions: every peer gets all signals."""
    with control.client() as a, control.client(MEMBER) as b:
        for c in a, b:
            c.get("Version")
        a.call("Disable", path=f"{PATH}/key/home", interface=KEY)
        for c in a, b:
            assert c.wait_told("KeyHealthChanged")[1:5] == ["", "usable", "disabled", "disabled"]
            c.wait("KeysUsable", lambda: any(v.get("KeysUsable") == 0 for v in c.changes()))


def test_reload(control):
    with control.client() as c:
        c.call("Reload")
        assert c.wait_told("Reloaded")[0] is True


def test_mode(control):
    st = os.stat(control.path)
    assert stat.S_IMODE(st.st_mode) == 0o660 and st.st_gid == DAEMON.gid


def test_strangers_do_not_get_in(control):
    with pytest.raises(PermissionError):
        control.client(STRANGER)


def test_strangers_who_get_past_the_mode(control):
    """The peer decides, not the file."""
    control.path.chmod(0o666)
    with people.identity(STRANGER), socket.socket(socket.AF_UNIX) as s:
        s.connect(str(control.path))
        s.settimeout(wait.DEADLINE)
        try:
            assert s.recv(1) == b""
        except ConnectionResetError:
            pass
    with control.client(MEMBER) as c:
        assert c.get("KeysTotal") == 1


def test_a_daemon_without_the_group(machine, start):
    """Its own group is some group of people, maybe: the socket is for its user alone."""
    control = Controlled(machine, start, user=STRANGER)
    assert stat.S_IMODE(os.stat(control.path).st_mode) == 0o600
    with control.client(STRANGER) as c:
        assert c.get("KeysTotal") == 1
    with pytest.raises(PermissionError):
        control.client(MEMBER)


def test_busctl(control):
    """Tools that only know buses find their way, too."""
    out = subprocess.run(["busctl", f"--address={control.address}", "--json=short", "get-property", "org.gemgate1", PATH,
                          "org.gemgate1.Manager", "KeysTotal"], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(out.stdout) == {"type": "u", "data": 1}


def test_connections_are_bounded(control):
    clients = [control.client() for _ in range(PEERS_MAX)]
    for c in clients:
        assert c.get("KeysTotal") == 1
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(wait.DEADLINE)
        s.connect(str(control.path))
        assert s.recv(1) == b"", "one too many"
    clients.pop().close()

    def room():
        try:
            with control.client() as c:
                return c.get("KeysTotal") == 1
        except Exception:  # shown the door again, in one way or another
            return False

    wait.until("room for another", room)
    for c in clients:
        c.close()


@pytest.mark.parametrize("together", [1, 5])
def test_calls_right_behind_the_handshake(control, together):
    """They come in one piece, and all of them are answered."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(control.path))
        s.settimeout(wait.DEADLINE)
        s.sendall(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n" + get_all_message() * together)
        got = b""
        while got.count(b"NextReset\0") < together:
            piece = s.recv(65536)
            assert piece, got
            got += piece


def test_half_a_handshake(control):
    """Silent connections, or ones that send nonsense, only take up room."""
    mute = socket.socket(socket.AF_UNIX)
    mute.connect(str(control.path))
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(wait.DEADLINE)
        s.connect(str(control.path))
        s.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        try:
            while s.recv(4096):
                pass
        except ConnectionResetError:
            pass
    with control.client() as c:
        assert c.get("KeysTotal") == 1
    assert control.daemon.chat().status == 200
    mute.close()


def test_a_peer_that_does_not_read(control):
    """It is dropped before its answers fill the memory."""
    with control.client() as other, socket.socket(socket.AF_UNIX) as s:
        s.connect(str(control.path))
        s.settimeout(wait.DEADLINE)
        s.sendall(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n")
        call = get_all_message()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(1_000_000):
                s.sendall(call * 64)
        assert other.get("KeysTotal") == 1


def get_all_message():
    from dbus_fast import Message

    m = Message(path=PATH, interface="org.freedesktop.DBus.Properties", member="GetAll", signature="s",
                body=["org.gemgate1.Manager"], serial=1)
    return bytes(m._marshall(False))


def test_what_a_dead_daemon_left_is_replaced(machine, start):
    control = Controlled(machine, start)
    control.daemon.process.kill()
    control.daemon.process.status = 0
    assert control.path.exists()
    again = start(API_KEYS=KEYS, CONTROL_SOCKET=str(control.path), DBUS_SYSTEM_BUS_ADDRESS=NO_BUS)
    again.wait_log("the control socket", lambda line: "administration on unix:" in line["message"])
    with control.client() as c:
        assert c.get("KeysTotal") == 1
    again.process.stop()
    assert not control.path.exists(), "an orderly end leaves nothing"


def test_a_path_that_cannot_be(machine, sim):
    folder = machine.new_folder()
    p = house.process.Process(
        machine.program(), house.defaults(sim) | {"CONTROL_SOCKET": str(folder / "none" / "control"), "LISTEN": "127.0.0.1:0"},
        machine.new_folder(),
    )
    assert p.wait() == 69
    assert "CONTROL_SOCKET: " in p.said()
