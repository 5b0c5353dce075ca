# SPDX-License-Identifier: MIT
"""A network between two namespaces: net-relay delays packets and makes connections half-open, nft loses packets and resets
connections. netem would do it in the kernel, but not every kernel has it.

A process runs in the near namespace (`near`), and a socket that listens in the far one (`listener`) can be passed to a
process that is in none: so a server there still reaches this machine's loopback.
"""
import contextlib
import ctypes
import os
import re
import shutil
import socket
import subprocess
import threading

FAR = "198.18.0.2"
# A user's PATH may be without the folders of nft.
ENVIRONMENT = os.environ | {"PATH": os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"}
CLONE_NEWNET = 0x40000000

LOSS = """
table inet relay {
    counter lost { }
    chain in {
        type filter hook input priority 0; policy accept;
        numgen random mod 1000 < %d counter name lost drop
    }
}
"""
# Each packet of a connection is answered by a reset.
RESET = """
table inet relay {
    chain in {
        type filter hook input priority 0; policy accept;
        ip protocol tcp reject with tcp reset
    }
}
"""


class RelayError(Exception):
    """This machine lacks one of the means: the message names it."""


class Relay:
    def __init__(self, program, delay=0, jitter=0):
        """Microseconds in each direction."""
        for tool, package in (("nsenter", "util-linux"), ("nft", "nftables")):
            if not shutil.which(tool, path=ENVIRONMENT["PATH"]):
                raise RelayError(f"{tool} is not installed (Debian package {package})")
        self.child = subprocess.Popen([str(program), str(delay), str(jitter)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.child.stdout.readline()
        if not line.startswith("ready "):
            why = self.child.stderr.read().strip()
            self.stop()
            raise RelayError(why or "net-relay did not start")
        self.sides = dict(zip(("near", "far"), (f"/proc/{self.child.pid}/fd/{n}" for n in line.split()[1:])))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()
        self.child.stderr.close()

    def near(self, *argv):
        """The command line of a program in the near namespace."""
        return self.within("near", *argv)

    def within(self, side, *argv):
        return ["nsenter", f"--net={self.sides[side]}", "--", *map(str, argv)]

    def listener(self, port=443):
        """A socket that listens in the far namespace. The namespace of a thread is its own."""
        made = []

        def make():
            fd = os.open(self.sides["far"], os.O_RDONLY | os.O_CLOEXEC)
            if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) == 0:
                made.append(socket.create_server((FAR, port), backlog=4096))
            os.close(fd)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if not made:
            raise RelayError("a thread cannot enter another network namespace here (setns)")
        return made[0]

    def forget(self):
        """Connections that exist are half-open from now on."""
        self.child.stdin.write("forget\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline()
        if answer != "done\n":
            raise RelayError(f"net-relay answered {answer!r}")

    def nft(self, side, *argv, text=None):
        done = subprocess.run(self.within(side, "nft", *argv), input=text, capture_output=True, text=True, env=ENVIRONMENT)
        if done.returncode != 0:
            raise RelayError(f"the kernel takes no rule of nft here: {done.stderr.strip()}")
        return done.stdout

    def rules(self, side, text):
        """Instead of those that are there."""
        self.nft(side, "-f", "-", text="flush ruleset\n" + text)

    def lose(self, permille):
        """Of the packets in each direction, by chance; 0: none."""
        for side in self.sides:
            self.rules(side, LOSS % permille if permille else "")

    def lost(self):
        """How many, since lose()."""
        counters = "".join(self.nft(side, "list", "counters") for side in self.sides)
        return sum(int(n) for n in re.findall(r"packets (\d+)", counters))

    def reset(self):
        """Whatever is sent to the far side."""
        self.rules("far", RESET)

    def heal(self):
        self.lose(0)
