# SPDX-License-Identifier: MIT
"""What a daemon holds while it is quiet: descriptors and resident memory, and the counters that must agree."""
import contextlib
import json
import os
import time

import cost
import wait

# mimalloc gives free pages back at once (by its names of 2.0 and of later versions). Otherwise it keeps 1 to 2 MiB of them,
# now more and now less, and what the daemon holds is not to be seen beside them.
ALLOCATOR = {"MIMALLOC_DECOMMIT_DELAY": "0", "MIMALLOC_PURGE_DELAY": "0"}


def upstream_sockets(pid, port):
    """The inodes of this process's connections to the simulator: idle ones are kept for the next request."""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return {row[9] for row in rows if int(row[2].split(":")[1], 16) == port}


def held(d, sim):
    """Open descriptors, without those to the simulator and epoll's (a shard of the HTTP server has one, and is made when it
    is needed), and resident bytes."""
    pid = d.process.pid
    upstream = upstream_sockets(pid, sim.port)
    n = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            name = os.readlink(f"/proc/{pid}/fd/{fd}")
            n += name != "anon_inode:[eventpoll]" and name.removeprefix("socket:[").rstrip("]") not in upstream
    return n, cost.memory(d)


class Looks:
    """Looks at a daemon between two loads; `sim` may be a front of the simulator."""

    def __init__(self, daemon, sim, n_looks):
        self.daemon, self.sim, self.n_looks = daemon, sim, n_looks

    def between(self):
        """Some load between two looks."""
        raise NotImplementedError

    def status(self):
        return json.loads(self.sim.control("GET", "/sim/status"))

    def counted(self):
        """What the daemon has counted, and what the simulator has seen, when neither changes any more."""
        stats = json.loads(self.daemon.ask("GET", "/stats", token="ADMIN").body)
        return stats["global_summary"]["total_requests_all_time"], self.status()["total"]

    def look(self, descriptors):
        """Waits until everything is closed; returns what is held then."""
        if descriptors is not None:
            wait.until("every connection to be gone", lambda: held(self.daemon, self.sim)[0] <= descriptors)
        wait.until("the end of the last request upstream", lambda: not self.status()["in_progress"])
        ours, theirs = self.counted()
        assert ours == theirs, f"{ours} requests counted, {theirs} seen upstream"
        return self.settled()

    def lowest(self, descriptors):
        """Of several looks with some load in between: which pages have one last block in use is chance."""
        looks = [self.look(descriptors)]
        while len(looks) < self.n_looks:
            self.between()
            looks.append(self.look(descriptors))
        return looks[-1][0], min(memory for _, memory in looks)

    def settled(self):
        """What is held when it no longer changes: memory is given back a second or two after the last request."""
        last, since = None, time.monotonic()

        def same():
            nonlocal last, since
            now = held(self.daemon, self.sim)
            if now != last:
                last, since = now, time.monotonic()
            return time.monotonic() > since + 4

        wait.until("memory to be given back", same)
        return last
