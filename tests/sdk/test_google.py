# SPDX-License-Identifier: MIT
"""Google's own SDKs over what clients make at Google: each call of conformance_google.py, in Node, and in Python of both kinds.
What it sends upstream and what comes of it are the same for all."""
import asyncio
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import conformance_google
import transfer
from google_calls import Conversation
from house import SECRETS
from sdks import NODE, NODE_PROGRAM

PROGRAM = Path(__file__).with_name("google.mjs")
SIZE = 1 << 20


def python(is_async):
    def run(topic, daemon, sim, folder):
        return asyncio.run(Conversation(daemon.url, SECRETS["TOKEN"], sim, folder, is_async).run(topic))

    return run


def node(topic, daemon, sim, folder):
    env = {"PATH": os.environ["PATH"], "GEMGATE_NODE": str(NODE), "SDK_BASE_URL": daemon.url, "SDK_TOKEN": SECRETS["TOKEN"], "SIM_URL": sim.url}
    job = json.dumps({"topic": topic, "folder": str(folder)})
    done = subprocess.run([NODE_PROGRAM, PROGRAM], input=job, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


CLIENTS = {"node": node, "python": python(False), "python-aio": python(True)}


def plain(r):
    """Without the ids."""
    target = re.sub(r"(sim|op|o)\d+|my-agent|(?<=upload_id=)\w+|(?<=batch-)\w+", "*", r.target)
    return f"{r.method} {target}".replace("=True", "=true")  # Python's spelling


@pytest.mark.parametrize("topic", conformance_google.TOPICS)
@pytest.mark.parametrize("client", CLIENTS)
def test_calls(sim, start, tmp_path, client, topic):
    (tmp_path / "given").write_bytes(b"".join(transfer.content(SIZE)))
    daemon = start(API_KEYS=json.dumps([SECRETS["KEY1"]]))
    before = json.loads(sim.control("GET", "/sim/status"))["total"]
    steps = CLIENTS[client](topic, daemon, sim, tmp_path)
    log = sim.requests()
    wanted = [c for c in conformance_google.TOPICS[topic] if client.partition("-")[0] in c.clients]
    got, at = [], before
    for name, total, facts in steps:
        asked = [plain(r) for r in log[at - before : total - before]]
        got.append((name, [a for a in asked if a != conformance_google.LIST_OF_MODELS], facts))
        at = total
    # The upload of a file that a conversation needs is counted to the step behind it, whose own come last.
    assert [(n, f) for n, _, f in got] == [(c.name, c.gives) for c in wanted]
    for (name, asked, _), call in zip(got, wanted):
        assert asked[len(asked) - len(call.upstream) :] == call.upstream, name
        assert call.upstream or not asked, name
