# SPDX-License-Identifier: MIT
"""What an attack costs the daemon and its other clients: memory, CPU, and the latency of an ordinary chat meanwhile.

Memory and CPU are asserted; latency is only measured and printed (pytest -s), because a busy machine makes it any number.
An ordinary client that is refused or not answered fails the test, however long the deadline.
"""
import contextlib
import time

import cost
import house
import process

MIB = 1 << 20
# A sanitizer's shadow, its red zones and what it keeps after a free. With it only the order of a growth is seen.
MEMORY_FACTOR = 6 if house.SANITIZED else 1
CPU_FACTOR = 8 if house.SANITIZED else 1
# A flood of small allocations must not look like a growth: 256 MiB of what was freed are kept otherwise.
process.SANITIZERS["ASAN_OPTIONS"] += ":quarantine_size_mb=16"


class Watch:
    def __init__(self, daemon):
        self.daemon = daemon
        self.waits = []

    def memory(self):
        return cost.memory(self.daemon)

    def cpu(self):
        return cost.cpu(self.daemon)

    def chats(self, n=10, **kw):
        """Ordinary requests of another client: each is answered."""
        for _ in range(n):
            began = time.monotonic()
            a = self.daemon.chat(**kw)
            self.waits.append(time.monotonic() - began)
            assert a.status == 200, (a.head, a.body)

    @contextlib.contextmanager
    def attack(self, name, memory=16 * MIB, cpu=None):
        """The daemon's peak grows by `memory` bytes at most, and it takes `cpu` seconds at most, chats included."""
        self.chats(3)
        self.waits.clear()
        before, began = self.memory(), self.cpu()
        cost.forget_peak(self.daemon)
        yield
        grown, spent = cost.peak(self.daemon) - before, self.cpu() - began
        waits = sorted(self.waits) or [0.0]
        print(
            f"\n{name}: {max(grown, 0) / MIB:.1f} MiB more at most, {spent:.2f} s of CPU; {len(self.waits)} chats meanwhile, "
            f"median {waits[len(waits) // 2] * 1000:.1f} ms, longest {waits[-1] * 1000:.1f} ms"
        )
        assert self.daemon.process.status is None, self.daemon.process.said()
        assert grown <= memory * MEMORY_FACTOR, f"{name}: {grown / MIB:.1f} MiB more"
        if cpu is not None:
            assert spent <= cpu * CPU_FACTOR, f"{name}: {spent:.2f} s of CPU"
