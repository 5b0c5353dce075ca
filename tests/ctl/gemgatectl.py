# SPDX-License-Identifier: MIT
"""gemgatectl as the tests run it: to its end, with nothing but what a test gives it."""
import os
import subprocess
from pathlib import Path

from process import SANITIZERS

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("GEMGATE_BUILD", ROOT / "build-test")).resolve()
GEMGATECTL = BUILD / "src" / "gemgatectl"
GEMGATED = BUILD / "src" / "gemgated"


def environment(address):
    """Nothing of the caller's comes through."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "DBUS_SYSTEM_BUS_ADDRESS": address, **SANITIZERS}


def run(args, env=None, program=GEMGATECTL):
    p = subprocess.run([program, *args], env=env or environment("unix:path=/nowhere"), stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout, p.stderr


class Ctl:
    def __init__(self, address):
        self.env = environment(address)

    def __call__(self, *args, status=0, **env):
        """Its output: on standard output if it succeeded, else on standard error."""
        got, out, err = run(args, self.env | env)
        assert got == status, f"{args} ended with {got}:\n{out}{err}"
        return out if status == 0 else err
