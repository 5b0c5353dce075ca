# SPDX-License-Identifier: MIT
"""What a daemon holds in memory, and the CPU that it has used: the kernel's own figures."""
import os

TICK = os.sysconf("SC_CLK_TCK")


def _status(daemon, name):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(name + ":"))


def memory(daemon):
    """Resident bytes."""
    return _status(daemon, "VmRSS")


def peak(daemon):
    """The most resident bytes since forget_peak()."""
    return _status(daemon, "VmHWM")


def forget_peak(daemon):
    with open(f"/proc/{daemon.process.pid}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")


def cpu(daemon):
    """Seconds of CPU so far, of all threads, of the user and of the system."""
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK
