# SPDX-License-Identifier: MIT
"""The Gemini CLI as an engine, over a runner that has no CLI: queue, warm processes, tokens, every way to fail.

What the real CLI does is tests/runner's and tests/cli's to show.
"""
import http.client
import json
import os
import re
import socket
import threading

import pytest

import house
import http1
import wait
from house import MASKS, SECRETS, leaked

RUNNER = str(house.ROOT / "tests/e2e/runner.py")
MODEL = "gemini-3.8-flash"


@pytest.fixture
def cli(start, tmp_path, monkeypatch):
    """cli(NAME="value", …): a daemon with the runner above; `gemini` is there, but never started."""
    gemini = tmp_path / "gemini"
    gemini.write_text("#!/bin/sh\nexit 70\n")
    gemini.chmod(0o755)

    def one(**settings):
        d = start(**{"CLI_RUNNER": RUNNER, "CLI_PATH": str(gemini), "CLI_WARM": "0", "TMPDIR": str(tmp_path),
                     "PATH": os.environ["PATH"], "LOG_LEVEL": "DEBUG"} | settings)
        return d

    return one


def run(d, command, **fields):
    return d.ask("POST", "/run-gemini", body={"command": command, "model": MODEL, **fields})


def answer_of(a):
    return json.loads(a.body)


def events_of(a):
    return [json.loads(line[6:]) for line in a.body.decode().split("\n") if line.startswith("data: {")]


def test_run(cli, sim):
    sim.script('*: text "Hello there." chunks=2 usage=5/2/7')
    d = cli()
    a = run(d, "Hi")
    assert a.status == 200, a.body
    got = answer_of(a)
    assert 0 < got.pop("execution_time") < 60
    assert got == {
        "command_executed": "gemini -o stream-json < (a prompt of 2 bytes)", "stdout": "Hello there.",
        "stderr": "a warning ****************************************************************",
        "exit_code": 0, "success": True, "finish_reason": "STOP",
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}, "model": MODEL,
        "api_key_used": MASKS["MASK1"],
    }
    [seen] = sim.requests()
    assert seen.target == f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"
    assert seen.key == SECRETS["KEY1"]
