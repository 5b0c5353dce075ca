# SPDX-License-Identifier: MIT
"""What the processes of a server use: the kernel's own figures."""

import pathlib

IDLE_LOOK = 0.02
IDLE_LOOKS_MAX = 100


def descendants(pid: int) -> list[int]:
    """The process and all below it."""
    out = [pid]
    for parent in out:
        try:
            out += [int(child) for task in pathlib.Path(f"/proc/{parent}/task").iterdir()
                    for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has just ended
    return out


def tasks(pids: list[int]):
    """The folders of all threads."""
    for pid in pids:
        try:
            yield from pathlib.Path(f"/proc/{pid}/task").iterdir()
        except (FileNotFoundError, ProcessLookupError):
            pass


def cpu_ns(pids: list[int], thread: str | None = None) -> int:
    """CPU time so far, of all threads, or of those of a name; in ns from the scheduler, for ticks are too coarse."""
    total = 0
    for task in tasks(pids):
        try:
            if thread is None or (task / "comm").read_text().strip() == thread:
                total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass  # the thread has just ended
    return total


def idle_cpu_ns(server) -> int:
    """The same, once the server is idle: it closes the client's connections after the client has ended, and that
    belongs to the cost."""
    last = -1
    for _ in range(IDLE_LOOKS_MAX):
        now = cpu_ns(server.pids)
        if now == last:
            break
        last = now
        server.pause(IDLE_LOOK)
    return last


def fields(path: str, names: tuple[str, ...]) -> dict[str, int]:
    out = dict.fromkeys(names, 0)
    for line in pathlib.Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name in out:
            out[name] = int(value.split()[0])
    return out


def memory_kib(pids: list[int]) -> dict[str, int]:
    """Pss (its share of shared pages included) and the anonymous part of it."""
    out = {"Pss": 0, "Pss_Anon": 0}
    for pid in pids:
        for name, value in fields(f"/proc/{pid}/smaps_rollup", tuple(out)).items():
            out[name] += value
    return out


def rss_anon_kib(pids: list[int]) -> int:
    return sum(fields(f"/proc/{pid}/status", ("RssAnon",))["RssAnon"] for pid in pids)


def wakeups(pids: list[int]) -> int:
    """How often a thread has waited so far: each wait of an idle process is one wake-up."""
    return sum(fields(f"{task}/status", ("voluntary_ctxt_switches",))["voluntary_ctxt_switches"] for task in tasks(pids))
