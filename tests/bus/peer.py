# SPDX-License-Identifier: MIT
"""A peer of CONTROL_SOCKET that sends bytes, whole messages or pieces of them, and reads only when the test wants it."""
import os
import socket

from dbus_fast import Message

import wait
from client import MANAGER, PATH, PROPERTIES


def message(member, signature="", body=(), path=PATH, interface=MANAGER, serial=1):
    m = Message(path=path, interface=interface, member=member, signature=signature, body=list(body), serial=serial)
    return bytes(m._marshall(False))


def version():
    return message("Get", "ss", (MANAGER, "Version"), interface=PROPERTIES)


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(wait.DEADLINE)
    s.connect(str(path))
    return s


def handshake():
    return b"\0AUTH EXTERNAL %s\r\nBEGIN\r\n" % str(os.geteuid()).encode().hex().encode()


def connected(path):
    """After the handshake and one answer."""
    s = connect(path)
    s.sendall(handshake() + version())
    got = b""
    while not got.endswith(b"\0") or b"0." not in got:
        more = s.recv(65536)
        assert more, "the peer was closed"
        got += more
    return s
