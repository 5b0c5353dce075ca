# SPDX-License-Identifier: MIT
"""opencode, by its providers for OpenAI's chat, Anthropic's Messages and OpenAI's Responses."""
import json
import re
import urllib.request

import pytest

import process
import wait
from desk import DATA, DEADLINE, IMAGE, MODEL, PROPERTIES, REFUSED, SCHEMA, call, program
from house import SECRETS
from sample import sample

QUIET = {name: "1" for name in (
    "OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_LSP_DOWNLOAD",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS", "OPENCODE_DISABLE_SHARE", "OPENCODE_DISABLE_CLAUDE_CODE")}
# It asks for a title of the session, too, at the same time.
TITLE = 'body="You are a title generator" times=1 : text "What the files say"\n'
PACKAGES = {"openai-compatible": "@ai-sdk/openai-compatible", "anthropic": "@ai-sdk/anthropic", "openai": "@ai-sdk/openai"}


def environment(desk, daemon, package):
    config = {
        "model": f"gemgate/{MODEL}",
        "permission": {"*": "allow"},
        "provider": {
            "gemgate": {
                "npm": package,
                "options": {"baseURL": daemon.url + "/v1", "apiKey": SECRETS["TOKEN"]},
                "models": {MODEL: {"attachment": True, "modalities": {"input": ["text", "image"], "output": ["text"]}}},
            }
        },
    }
    return desk.environment | QUIET | {"OPENCODE_CONFIG_CONTENT": json.dumps(config)}


@pytest.mark.parametrize("package", sample(PACKAGES, "openai-compatible", "anthropic"))
def test_loop(sim, daemon, desk, package):
    """Its shell, then its tool that reads a picture."""
    sim.script(f"""{REFUSED}{TITLE}
{desk.result} {IMAGE} : text "Both are good." chunks=3
{desk.result} times=1 : {call("read", filePath=str(desk.picture))}
property=command times=1 : thought="First the words." {call("bash", command=desk.command, description="Reads the words")}
""")
    out = desk.run([program("opencode-linux-*/bin/opencode"), "run", "What is in these files?"],
                   environment(desk, daemon, package))
    assert out.strip().endswith("Both are good."), out


@pytest.mark.parametrize("package", sample(PACKAGES, "openai-compatible"))
def test_schema(sim, daemon, desk, package):
    """Only its server has schemas. The answer is the call of a function that must come."""
    sim.script(f"""{REFUSED}{TITLE}
{PROPERTIES} body="ANY" {desk.result} times=1 : {call("StructuredOutput", **DATA)}
{PROPERTIES} body="ANY" times=1 : {call("bash", command=desk.command, description="Reads the words")}
""")
    server = process.Process([program("opencode-linux-*/bin/opencode"), "serve", "--port=0"],
                             environment(desk, daemon, package), desk.work)
    try:
        listening = re.compile(r"listening on (http://\S+)")
        where = wait.until("opencode's port", lambda: listening.search(server.said())).group(1)

        def post(path, **body):
            r = urllib.request.Request(where + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
            with urllib.request.urlopen(r, timeout=DEADLINE) as answer:
                return json.load(answer)

        session = post("/session")["id"]
        answer = post(f"/session/{session}/message", format={"type": "json_schema", "schema": SCHEMA},
                      parts=[{"type": "text", "text": "Which capital is it?"}])
        assert answer["info"]["structured"] == DATA, answer
    finally:
        server.kill()
