# SPDX-License-Identifier: MIT
"""From the first connection on."""
import machine
from machine import SERVICE, SOCKET, TCP, UNIX, show


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
