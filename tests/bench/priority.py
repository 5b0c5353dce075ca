# SPDX-License-Identifier: MIT
"""Real-time priority for what a latency is measured with: the client, the upstream and the gateways alike.

Under the kernel's fair scheduler a thread that becomes ready can wait until the slice of another one ends, about 3 ms, if the
machine has any other work. A request through a gateway has four such moments, so p99 would be the machine's, not the gateway's.
"""

import contextlib
import os

from usage import tasks

PRIORITY = 1  # the least of real time


def set_all(pids: list[int], policy: int, priority: int) -> None:
    for task in tasks(pids):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setscheduler(int(task.name), policy, os.sched_param(priority))


@contextlib.contextmanager
def before_others(pids: list[int]):
    """For the processes and for the programs that this one starts, as long as the `with` lasts. It has False if that is
    not allowed."""
    pids = [os.getpid(), *pids]
    try:
        set_all(pids, os.SCHED_FIFO, PRIORITY)
        allowed = True
    except PermissionError:
        allowed = False
    try:
        yield allowed
    finally:
        if allowed:
            set_all(pids, os.SCHED_OTHER, 0)
