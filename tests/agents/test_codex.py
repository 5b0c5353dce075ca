# SPDX-License-Identifier: MIT
"""Codex, under a name of Gemini's and under one of OpenAI's, for which it has other tools."""
import json

import pytest

from desk import DATA, IMAGE, MODEL, PROPERTIES, REFUSED, call, program
from house import SECRETS

ALIAS = "gpt-5.5"
MODELS = {"gemini": MODEL, "gpt": ALIAS}
both = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())


@pytest.fixture
def daemon(start):
    return start(MODEL_ALIASES=json.dumps({"gpt-*": MODEL}))


def table(name, values):
    """A table of TOML."""
    return [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]


def codex(desk, daemon, model, prompt, *options, mcp=False, **more):
    """Its last message. `mcp`: it has the server of mcp.py; `more`: settings of the provider."""
    provider = {"name": "gemgate", "base_url": daemon.url + "/v1", "env_key": "GEMGATE_TOKEN", "wire_api": "responses",
                "request_max_retries": 0, "stream_max_retries": 0} | more
    settings = {"model": model, "model_provider": "gemgate", "check_for_update_on_startup": False,
                "analytics.enabled": False, "feedback.enabled": False}
    config = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    config += table("model_providers.gemgate", provider)
    if mcp:
        server = desk.mcp
        config += table("mcp_servers.cities", {"command": server["command"], "args": server["args"]})
        config += table("mcp_servers.cities.env", server["env"])
    home, last = desk.home / ".codex", desk.home / "last"
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text("\n".join(config) + "\n")
    argv = [program("@openai/codex-linux-*/vendor/*/bin/codex"), "exec", "--json", "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox", "-o", last, *options, prompt]
    desk.run(argv, desk.environment | {"GEMGATE_TOKEN": SECRETS["TOKEN"]})
    return last.read_text().strip()


@both
def test_loop(sim, daemon, desk, model):
    """Its shell, then its tool that reads a picture."""
    sim.script(f"""{REFUSED}
{desk.result} {IMAGE} : text "Both are good." chunks=3
{desk.result} times=1 : {call("view_image", path=str(desk.picture))}
property=cmd times=1 : thought="First the words." {call("exec_command", cmd=desk.command)}
""")
    last = codex(desk, daemon, model, "What is in these files?")
    assert last == "Both are good."


def test_resumed(sim, daemon, desk):
    """The next turn of a session, in a new process."""
    sim.script(f"""{REFUSED}
{desk.result} body="And again?" : text "As before."
{desk.result} times=1 : text "It is good."
property=cmd times=1 : thought="First the words." {call("exec_command", cmd=desk.command)}
""")
    assert codex(desk, daemon, MODEL, "What do the words say?") == "It is good."
    assert codex(desk, daemon, MODEL, "And again?", "resume", "--last") == "As before."


@both
def test_schema(sim, daemon, desk, model):
    """With a picture that is attached, and a call before the answer."""
    sim.script(f"""{REFUSED}
{PROPERTIES} {IMAGE} {desk.result} times=1 : text {json.dumps(json.dumps(DATA))} chunks=3
{PROPERTIES} {IMAGE} times=1 : {call("exec_command", cmd=desk.command)}
""")
    options = ("--output-schema", desk.schema, "-i", desk.picture, "--")
    last = codex(desk, daemon, model, "Which capital is it?", *options)
    assert json.loads(last) == DATA


def test_patch(sim, daemon, desk):
    """A tool whose input is a text of a grammar, which only a name of OpenAI's gets."""
    patch = "*** Begin Patch\n*** Add File: new.txt\n+first line\n+\"second\"\n*** End Patch\n"
    sim.script(f"""{REFUSED}
result="new.txt" : text "It is written."
body="apply_patch" times=1 : {call("apply_patch", input=patch)}
""")
    last = codex(desk, daemon, ALIAS, "Write new.txt")
    assert last == "It is written."
    assert (desk.work / "new.txt").read_text() == 'first line\n"second"\n'


def test_namespace(sim, daemon, desk):
    """A tool of an MCP server is one of a namespace. The program finds it only by both names."""
    sim.script(f"""{REFUSED}
result={desk.fact} : text "It is known."
property=city_name property=in_year times=1 : {call("mcp__cities__look_up_city", city_name="Vienna")}
""")
    last = codex(desk, daemon, MODEL, "What is known about Vienna?", mcp=True)
    assert last == "It is known."


def test_tool_search(sim, daemon, desk):
    """Under a name of OpenAI's it searches for that tool: what it finds is in the input, and is declared."""
    sim.script(f"""{REFUSED}
result={desk.fact} : text "It is known."
property=city_name property=in_year times=1 : {call("mcp__cities__look_up_city", city_name="Vienna")}
body="tool_search" times=1 : {call("tool_search", query="look up a city")}
""")
    last = codex(desk, daemon, ALIAS, "What is known about Vienna?", mcp=True)
    assert last == "It is known."


def test_error_in_stream(sim, daemon, desk):
    """It reads why the response has failed, and asks again."""
    sim.script(f"""{REFUSED}
times=1 : text "It is" chunks=3 error-in-stream after=1
* : text "It is good."
""")
    last = codex(desk, daemon, MODEL, "What do the words say?", stream_max_retries=1)
    assert last == "It is good."
    assert "experiencing high demand" in desk.printed


def test_upgrade(sim, daemon, desk):
    """It asks for a WebSocket, is refused, and goes on with POST."""
    sim.script(f"""{REFUSED}
{desk.result} : text "It is good."
property=cmd times=1 : {call("exec_command", cmd=desk.command)}
""")
    last = codex(desk, daemon, MODEL, "What do the words say?", supports_websockets=True)
    assert last == "It is good."
    assert [line for line in daemon.log() if line.get("status") == 405 and line["message"].startswith("GET ")]
    answer = daemon.ask("GET", "/v1/responses", [("Connection", "Upgrade"), ("Upgrade", "websocket")])
    assert (answer.status, answer.header("Allow")) == (405, "POST")
