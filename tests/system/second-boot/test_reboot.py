# SPDX-License-Identifier: MIT
"""The same machine, booted again."""
import machine
from machine import SOCKET


def test_socket_is_there_after_a_reboot():
    assert machine.run("systemctl", "is-enabled", SOCKET).strip() == "enabled"
    assert machine.health()["status"] == "healthy"
