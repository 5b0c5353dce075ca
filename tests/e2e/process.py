# SPDX-License-Identifier: MIT
"""Starts programs with sockets passed as systemd passes them, and checks how they end.

A socket that listens before the program starts leaves nothing to wait for: a client may connect at once, and the kernel
holds the connection until the daemon accepts it.
"""
import contextlib
import fcntl
import os
import select
import signal
import socket
import time

import wait
from wait import DEADLINE

SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
}
# Seconds: less than DRAIN_TIMEOUT is by default, so that a drain that hangs is not taken for an ordinary end.
STOP_DEADLINE = 25

TROUBLE = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "Assertion", "MHD_PANIC", "Fatal error in GNU")


def listen_tcp(address="127.0.0.1"):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.bind((address, 0))
    s.listen(1024)
    return s


def listen_unix(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(path))
    s.listen(1024)
    return s


class Process:
    """One program; `sockets` is a list of sockets or (name, socket) pairs that it gets as LISTEN_FDS."""

    def __init__(self, argv, env, folder, sockets=()):
        self.argv = [str(a) for a in argv]
        self.folder = folder
        self.out, self.err = folder / "stdout", folder / "stderr"
        env = {"PATH": os.environ["PATH"], **SANITIZERS, **env}
        # `cwd` is no argument of posix_spawn, and LISTEN_PID is only known in the child
        script = 'cd "$0" && exec "$@"'
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.out), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, str(self.err), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        ]
        pairs = [s if isinstance(s, tuple) else (None, s) for s in sockets]
        moved = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD_CLOEXEC, 100) for _, s in pairs]
        if moved:
            actions += [(os.POSIX_SPAWN_DUP2, fd, 3 + i) for i, fd in enumerate(moved)]
            env["LISTEN_FDS"] = str(len(moved))
            if any(name for name, _ in pairs):
                env["LISTEN_FDNAMES"] = ":".join(name or "unknown" for name, _ in pairs)
            script = 'cd "$0" && export LISTEN_PID=$$ && exec "$@"'
        try:
            # A shell's job in the background ignores SIGINT, and a script of bash that inherits that could not trap it.
            self.pid = os.posix_spawn(
                "/bin/sh", ["sh", "-c", script, str(folder), *self.argv], env, file_actions=actions, setpgroup=0,
                setsigdef=[signal.SIGINT],
            )
        finally:
            for fd in moved:
                os.close(fd)
        self.pidfd = os.pidfd_open(self.pid)
        self.status = None  # exit status, or -signal

    def ended(self, deadline=0.0):
        if self.status is None and select.select([self.pidfd], [], [], deadline)[0]:
            _, raw = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(raw)
            os.close(self.pidfd)
        return self.status is not None

    def wait(self, deadline=DEADLINE):
        """The exit status; a program that doesn't end is killed and is a fault."""
        if not self.ended(deadline):
            self.kill()
            raise AssertionError(f"{self.argv[0]} did not end within {deadline:g} s; its output:\n{self.said()}")
        return self.status

    def signal(self, which):
        """Returns the moment before."""
        at = time.monotonic()
        if not self.ended():
            os.kill(self.pid, which)
        return at

    def kill(self):
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            self.ended(DEADLINE)

    def kill_all(self):
        """With the processes that it has started: nginx's worker would outlive its master."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.kill()

    def settled(self):
        """It ended, or it has come so far that SIGTERM doesn't simply kill it."""
        if self.ended():
            return True
        with open(f"/proc/{self.pid}/status") as f:
            masks = [int(line.split()[1], 16) for line in f if line.startswith(("SigBlk:", "SigCgt:"))]
        return any(mask >> (signal.SIGTERM - 1) & 1 for mask in masks)

    def stop(self, expected=0):
        """The ordinary end; also looks for reports of a sanitizer."""
        wait.until(f"{self.argv[0]} to have started", self.settled)
        self.signal(signal.SIGTERM)
        status = self.wait(STOP_DEADLINE)
        self.check()
        assert status == expected, f"{self.argv[0]} ended with {status}, expected {expected}; its output:\n{self.said()}"

    def said(self):
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    def check(self):
        said = self.said()
        for word in TROUBLE:
            assert word not in said, f"{self.argv[0]} is in trouble:\n{said[-8000:]}"
