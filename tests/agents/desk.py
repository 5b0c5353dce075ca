# SPDX-License-Identifier: MIT
"""The real programs: where they are installed, and the folder in which one of them runs.

A program runs headless, in a folder with a text and a picture, and with a home that is empty. gemini-sim is the model: its
script calls the program's own tools, and its rules only fit if the program has sent what these tools gave: the text as the
shell's command changes it, the picture's bytes, the names of a schema's properties. Otherwise the simulator refuses, the
program ends with an error, and the test fails. tests/run starts all of them in a network without a way out of it.
"""
import json
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from loops import PICTURE, SHA256

AGENTS = Path(os.environ.get("GEMGATE_AGENTS", ""))
QWEN = AGENTS.with_name("agents-qwen")
MODEL = "gemini-3.8-flash"
DEADLINE = 120  # seconds; only against a hang
REFUSED = "unmatched refuse\n"
IMAGE = f"sha256={SHA256}"
SCHEMA = {
    "type": "object",
    "properties": {"capital_city": {"type": "string"}, "river_count": {"type": "integer"}},
    "required": ["capital_city", "river_count"],
    "additionalProperties": False,
}
PROPERTIES = "property=capital_city property=river_count"
DATA = {"capital_city": "Vienna", "river_count": 2}


def program(path):
    """An executable of one of the packages; one that is not there is an error, not a skip."""
    found = sorted((AGENTS / "node_modules").glob(path))
    assert len(found) == 1, f"{path} is in {AGENTS}/node_modules {len(found)} times; tests/run installs it"
    return found[0]


class Desk:
    """A home and a folder of work. `command` changes what is in the folder's text, and its output, `said`, is in no request
    that the program sends before its shell has run."""

    command = "tr a-z A-Z <words.txt"

    def __init__(self, folder):
        self.home, self.work = folder / "home", folder / "work"
        self.home.mkdir(parents=True)
        self.work.mkdir()
        words = f"words-{secrets.token_hex(8)}-end"
        self.said = words.upper()
        (self.work / "words.txt").write_text(words + "\n")
        self.picture = self.work / "picture.png"
        self.picture.write_bytes(PICTURE)
        self.schema = self.work / "schema.json"
        self.schema.write_text(json.dumps(SCHEMA))
        self.fact = f"fact-{secrets.token_hex(8)}"

    @property
    def result(self):
        """The condition that the shell's output has arrived."""
        return f"result={self.said}"

    @property
    def mcp(self):
        """The server of mcp.py, whose tool answers `fact`; in the form that all programs have for it."""
        return {"command": sys.executable, "args": [str(Path(__file__).with_name("mcp.py"))], "env": {"CITY_FACT": self.fact}}

    @property
    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "TERM": "dumb", "TZ": "UTC", "LANG": "C.UTF-8"}

    def run(self, argv, env):
        """To its end, which must be a good one: its stdout, which is in `printed`, too."""
        p = subprocess.Popen([str(a) for a in argv], cwd=self.work, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            out, err = p.communicate(timeout=DEADLINE)
        finally:
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGKILL)
                p.communicate()
        assert p.returncode == 0, f"{argv[0]} ended with {p.returncode}; its output:\n{out}\n{err}"
        self.printed = out
        return out


def call(name, **arguments):
    """The behaviour of a rule: the model calls one of the program's tools."""
    return f"call {name} {json.dumps(arguments)}"
