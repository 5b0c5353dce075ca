# SPDX-License-Identifier: MIT
"""Agent loops of the official SDKs and of Vercel's AI SDK (loops.py); those of other frameworks are in `long frameworks`."""
import base64
import json

import loops
import pytest
import wait
from test_state import Kept

# For a model that it does not know, Anthropic's provider asks for an object by a function that must be called.
BY_FUNCTION = ("structured_by_function", *(op for op in loops.CHAT if op != "structured"))
CLIENTS = [
    loops.Client("openai-python", loops.python("with_openai.py")),
    loops.Client("openai-node", loops.node("with_openai.mjs"), module="openai"),
    loops.Client("openai-node-7", loops.node("with_openai.mjs"), module="openai-7"),
    loops.Client("responses-node", loops.node("with_openai_responses.mjs"), loops.CHAT, module="openai"),
    loops.Client("responses-node-7", loops.node("with_openai_responses.mjs"), loops.CHAT, module="openai-7"),
    loops.Client("ai-openai", loops.node("with_ai.mjs"), module="@ai-sdk/openai"),
    loops.Client("ai-compatible", loops.node("with_ai.mjs"), module="@ai-sdk/openai-compatible"),
    loops.Client("ai-responses", loops.node("with_ai.mjs"), loops.CHAT, module="@ai-sdk/openai responses"),
    loops.Client("ai-anthropic", loops.node("with_ai.mjs"), BY_FUNCTION, module="@ai-sdk/anthropic", function="json"),
    loops.Client("anthropic-node", loops.node("with_anthropic.mjs"), loops.CHAT),
]


@pytest.mark.parametrize("client,op", [pytest.param(c, op, id=f"{c.name}-{op}") for c in CLIENTS for op in c.ops])
def test_loop(sim, daemon, client, op):
    sim.script(client.script(op))
    loops.check(client, daemon, op)


def test_killed_between_turns(sim, tmp_path):
    """A client that drops signatures asks, the daemon is killed, and the next one has the signatures of the calls."""
    kept = Kept(sim, tmp_path, {})
    client = CLIENTS[0]
    sim.script(client.script("tools"))
    first = client.run(kept.start(), "ask_once")
    wait.until("the signature in the file", lambda: kept.rows("SELECT count(*) FROM signatures")[0][0] > 0)
    kept.kill()
    assert client.run(kept.start(), "go_on", messages=first["messages"])["text"] == "Warm in both."
    asked = json.loads(sim.requests()[-1].body)
    calls = [p for c in asked["contents"] for p in c["parts"] if "functionCall" in p]
    assert [c["functionCall"]["args"]["city"] for c in calls] == ["Paris", "Rome"]
    signature = calls[0]["thoughtSignature"]
    assert base64.b64decode(signature) and b"skip" not in base64.b64decode(signature) and "skip" not in signature
    kept.stop()
