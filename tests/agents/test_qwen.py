# SPDX-License-Identifier: MIT
"""Qwen Code, by each of its protocols. Only in `./tests/run long agents`."""
import json
import re

import pytest

from desk import DATA, IMAGE, MODEL, PROPERTIES, QWEN, REFUSED, call
from house import SECRETS
from sdks import NODE_PROGRAM

pytestmark = pytest.mark.long
# The type of its authentication, and what is appended to the address.
PROTOCOLS = {"openai": "/v1", "openai-responses": "/v1", "anthropic": "", "gemini": ""}
SETTINGS = {
    "general": {"enableAutoUpdate": False, "disableAutoUpdate": True},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "memory": {"enableManagedAutoMemory": False},
}


def qwen(desk, daemon, protocol, *options):
    settings = desk.home / ".qwen/settings.json"
    settings.parent.mkdir()
    models = {protocol: [{"id": MODEL, "baseUrl": daemon.url + PROTOCOLS[protocol], "envKey": "GEMGATE_TOKEN",
                          "generationConfig": {"modalities": {"image": True}}}]}
    settings.write_text(json.dumps(SETTINGS | {"modelProviders": models}))
    env = desk.environment | {"GEMGATE_TOKEN": SECRETS["TOKEN"], "QWEN_CODE_SKIP_UPDATE_CHECK_ONCE": "1"}
    argv = [NODE_PROGRAM, QWEN / "node_modules/.bin/qwen", "--yolo", f"--auth-type={protocol}", f"--model={MODEL}"]
    return desk.run([*argv, *options], env)


def find(text):
    """The data of the picture in a request or in a record."""
    found = re.search(r'"data": ?"(/9j/[A-Za-z0-9+/=]*)"', text)
    return found and found.group(1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_loop(sim, daemon, desk, protocol):
    """Its shell, then its tool that reads a picture. It sends a JPEG of it, which is in its record of the session."""
    sim.script(f"""{REFUSED}
{desk.result} body="image/jpeg" : text "Both are good." chunks=3
{desk.result} times=1 : {call("read_file", file_path=str(desk.picture))}
property=command times=1 : thought="First the words." {call("run_shell_command", command=desk.command, is_background=False)}
""")
    out = qwen(desk, daemon, protocol, "What is in these files?")
    assert out.strip() == "Both are good.", out
    (record,) = desk.home.glob(".qwen/projects/*/chats/*.jsonl")
    pictures = {find(r.body) for r in sim.requests()} - {None}
    assert len(pictures) == 1 and find(record.read_text()) in pictures


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_schema(sim, daemon, desk, protocol):
    """The answer is the call of a function."""
    sim.script(f"""{REFUSED}
{PROPERTIES} {desk.result} times=1 : {call("structured_output", **DATA)}
{PROPERTIES} times=1 : {call("run_shell_command", command=desk.command, is_background=False)}
""")
    out = qwen(desk, daemon, protocol, f"--json-schema=@{desk.schema}", "Which capital is it?")
    assert json.loads(out) == DATA, out
