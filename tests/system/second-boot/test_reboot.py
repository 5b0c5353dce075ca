# SPDX-License-Identifier: MIT
"""The same machine, booted again."""
import machine
from machine import SOCKET, TCP, UNIX


def test_socket_is_there_after_a_reboot():
    assert machine.run("systemctl", "is-enabled", SOCKET).strip() == "enabled"
    for where in (TCP, UNIX):  # /run is new, and tmpfiles.d has made our place in it
        assert machine.health(where)["status"] == "healthy"
