# SPDX-License-Identifier: MIT
"""Claude Code."""
import json

from desk import DATA, IMAGE, MODEL, PROPERTIES, REFUSED, SCHEMA, call, program
from house import SECRETS

QUIET = {name: "1" for name in (
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING")}


def claude(desk, daemon, prompt, *options, model=MODEL, **env):
    """What it prints as JSON."""
    env = desk.environment | QUIET | {
        "ANTHROPIC_BASE_URL": daemon.url, "ANTHROPIC_AUTH_TOKEN": SECRETS["TOKEN"], "CLAUDE_CODE_MAX_RETRIES": "1"} | env
    argv = [program("@anthropic-ai/claude-code-linux-*/claude"), "-p", prompt, f"--model={model}", "--output-format=json",
            "--allowedTools=Bash,Read,mcp__cities", *options]
    return json.loads(desk.run(argv, env))


def test_loop(sim, daemon, desk):
    """Its shell, then its tool that reads a picture."""
    sim.script(f"""{REFUSED}
{desk.result} {IMAGE} : text "Both are good." chunks=3
{desk.result} times=1 : {call("Read", file_path=str(desk.picture))}
property=command times=1 : thought="First the words." {call("Bash", command=desk.command)}
""")
    assert claude(desk, daemon, "What is in these files?")["result"] == "Both are good."
    assert not [r for r in sim.requests() if "x-anthropic-billing-header" in r.body]  # it differs in each request


def test_resumed(sim, daemon, desk):
    """The next turn of a session, in a new process."""
    sim.script(f"""{REFUSED}
{desk.result} body="And again?" : text "As before."
{desk.result} times=1 : text "It is good."
property=command times=1 : thought="First the words." {call("Bash", command=desk.command)}
""")
    assert claude(desk, daemon, "What do the words say?")["result"] == "It is good."
    assert claude(desk, daemon, "And again?", "--continue")["result"] == "As before."


def test_schema(sim, start, desk):
    """The answer is the call of a function. Under a name of Anthropic's it asks for more tokens and in other ways."""
    daemon = start(MODEL_ALIASES=json.dumps({"claude-*": MODEL}))
    sim.script(f"""{REFUSED}
{PROPERTIES} {desk.result} result=provided times=1 : text "That is all."
{PROPERTIES} {desk.result} times=1 : {call("StructuredOutput", **DATA)}
{PROPERTIES} times=1 : {call("Bash", command=desk.command)}
""")
    done = claude(desk, daemon, "Which capital is it?", f"--json-schema={json.dumps(SCHEMA)}", model="claude-sonnet-5")
    assert done["structured_output"] == DATA, done


def test_web_search(sim, daemon, desk):
    """Its search is a separate request, whose only tool is the server's."""
    found = {"webSearchQueries": ["rivers of Vienna"],
             "groundingChunks": [{"web": {"uri": "https://example.com/rivers", "title": "Rivers"}}]}
    sim.script(f"""{REFUSED}
result="example.com/rivers" : text "It is found."
body="googleSearch" : text "The Danube." candidate {json.dumps({"groundingMetadata": found})}
result=WebSearch times=1 : {call("WebSearch", query="rivers of Vienna")}
times=1 : {call("ToolSearch", query="select:WebSearch")}
""")
    done = claude(desk, daemon, "Which rivers are there?", "--allowedTools=WebSearch")
    assert done["result"] == "It is found.", done


def test_tool_search(sim, daemon, desk):
    """A tool of an MCP server is declared when the program has searched for it."""
    sim.script(f"""{REFUSED}
result={desk.fact} : text "It is known."
property=city_name property=in_year times=1 : {call("mcp__cities__look_up-city", city_name="Vienna")}
body="ToolSearch" times=1 : {call("ToolSearch", query="look up a city")}
""")
    servers = json.dumps({"mcpServers": {"cities": desk.mcp}})
    done = claude(desk, daemon, "What is known about Vienna?", f"--mcp-config={servers}", "--strict-mcp-config")
    assert done["result"] == "It is known.", done


def test_error_in_stream(sim, daemon, desk):
    """After errors in a stream it asks again without a stream."""
    sim.script(f"""{REFUSED}
method=stream : text "It is" chunks=3 error-in-stream after=1
method=generate {desk.result} : text "It is good."
method=generate property=command times=1 : {call("Bash", command=desk.command)}
""")
    assert claude(desk, daemon, "What do the words say?")["result"] == "It is good."
