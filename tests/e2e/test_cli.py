# SPDX-License-Identifier: MIT
"""The Gemini CLI as an engine, over a runner that has no CLI: /run-gemini, chat, and what arrives upstream.

What the real CLI does is tests/runner's and tests/cli's to show.
"""
import json

import pytest

from house import MASKS, SECRETS
from jobs import MODEL, chat_with, events_of, error_of, run, send


ZWSP = "\u200b"


# --- POST /run-gemini ---


def test_run(cli, sim):
    sim.script('*: text "Hello there." chunks=2 usage=5/2/7')
    d = cli()
    a = run(d, "Hi")
    assert a.status == 200, a.body
    got = json.loads(a.body)
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


def test_run_with_a_slash(cli, sim):
    sim.script('*: text "Hello."')
    a = cli().ask("POST", "/run-gemini/", body={"command": "Hi"})
    assert a.status == 200 and json.loads(a.body)["stdout"] == "Hello."


def test_run_streamed(cli, sim):
    """Pieces as they come, and then what a plain answer is, with all of the text."""
    sim.script('*: text "Hello there." chunks=3 usage=5/2/7')
    d = cli()
    plain, streamed = json.loads(run(d, "Hi").body), run(d, "Hi", stream=True)
    assert streamed.status == 200 and streamed.complete
    assert streamed.header("Content-Type") == "text/event-stream"
    *pieces, last = events_of(streamed.body)
    assert len(pieces) == 3 and all(list(p) == ["stdout"] for p in pieces)
    assert "".join(p["stdout"] for p in pieces) == "Hello there."
    for got in (plain, last):
        del got["execution_time"], got["api_key_used"]
    assert plain == last


def test_stream_is_live(cli, sim):
    sim.script('*: text "a b" chunks=2 hang after=1')
    d = cli()
    with send(d, "Hi", stream=True) as c:
        assert b'{"stdout":"a"}' in c.read_until(b'"stdout"')


WRONG = [
    ({}, "command"),
    ({"command": ""}, "command"),
    ({"command": " \t\r\n"}, "command"),
    ({"command": None}, "command"),
    ({"command": 7}, "command"),
    ({"command": ["Hi"]}, "command"),
    ({"command": "a" * 2_000_001}, "command"),
    ({"command": "Hi", "model": "a b"}, "model"),
    ({"command": "Hi", "model": ""}, "model"),
    ({"command": "Hi", "model": "../x"}, "model"),
    ({"command": "Hi", "model": "x:countTokens"}, "model"),
    ({"command": "Hi", "model": 3}, "model"),
    ({"command": "Hi", "system": 1}, "system"),
    ({"command": "Hi", "system": "a" * ((1 << 20) + 1)}, "system"),
    ({"command": "Hi", "stream": "yes"}, "stream"),
    ({"command": "Hi", "stream": 1}, "stream"),
    ({"command": "Hi", "timeout": "1"}, "timeout"),
    ({"command": "Hi", "timeout": 0}, "timeout"),
    ({"command": "Hi", "timeout": -1}, "timeout"),
    ({"command": "Hi", "timeout": 86401}, "timeout"),
    ({"command": "Hi", "timeout": 1e300}, "timeout"),
    ({"command": "Hi", "timeout": True}, "timeout"),
    (["command"], None),
    ("Hi", None),
    (b"", None),
    (b"{", None),
    (b'{"command":"\xff"}', None),
    (b'{"command":"a"} b', None),
    (b"null", None),
    (b"[" * 100, None),
]


def test_run_refused(cli, sim, records):
    """The error names the fault, and nothing was started."""
    d = cli()
    for body, param in WRONG:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        a = d.ask("POST", "/run-gemini", body=raw)
        said = f"{raw[:60]} → {a.status} {a.body[:200]}"
        assert a.status == 400, said
        error = error_of(a)
        assert error["param"] == param and error["type"] == "invalid_request_error" and error["message"], said
    assert records() == [] and sim.count() == 0


RIGHT = [
    {"command": "a" * 2_000_000},
    {"command": "Hi", "system": "a" * (1 << 20)},
    {"command": "Hi", "system": "", "model": None, "stream": None, "timeout": None},
    {"command": "Hi", "stream": False, "timeout": 0.5e2},
    {"command": "Hi", "timeout": 86400, "something": {"else": 1}},
    {"command": "Hi", "model": "models/" + MODEL},
    {"command": "Hi", "model": "cli/" + MODEL},
    {"command": "Hi", "model": "cli/models/" + MODEL},
]


def test_run_taken(cli, sim):
    sim.script('*: text "Hello."')
    d = cli(DEFAULT_MODEL=MODEL)
    for body in RIGHT:
        a = d.ask("POST", "/run-gemini", body=body)
        assert a.status == 200, f"{str(body)[:80]} → {a.status} {a.body[:200]}"
        assert json.loads(a.body)["model"] == MODEL


def test_messages(cli, sim):
    """Anthropic's messages go by way of the CLI, as chat does."""
    sim.script('*: text "Hello there." chunks=2 usage=5/2/7')
    d = cli()
    body = {"model": "cli/" + MODEL, "max_tokens": 9, "system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}
    whole, streamed = (d.ask("POST", "/v1/messages", body=body | {"stream": s}) for s in (False, True))
    assert (whole.status, streamed.status) == (200, 200), whole.body
    answer = json.loads(whole.body)
    assert answer["content"] == [{"type": "text", "text": "Hello there."}] and answer["stop_reason"] == "end_turn"
    assert b"event: message_stop" in streamed.body and streamed.complete


@pytest.mark.parametrize("default", [MODEL, "cli/" + MODEL, "models/" + MODEL])
def test_run_default_model(cli, sim, default):
    a = cli(DEFAULT_MODEL=default).ask("POST", "/run-gemini", body={"command": "Hi"})
    assert a.status == 200 and json.loads(a.body)["model"] == MODEL
    assert sim.requests()[0].target == f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"


def test_run_needs_a_token(cli, records):
    d = cli()
    assert d.ask("POST", "/run-gemini", body={"command": "Hi"}, token=None).status == 401
    assert d.ask("GET", "/run-gemini").status == 405
    assert d.ask("POST", "/run-gemini/x", body={"command": "Hi"}).status == 404
    assert records() == []


# --- what arrives upstream ---

HARD = [
    "plain",
    "@/etc/passwd and $HOME, ${AvailableTools}, user@example.org, @@ $$",
    "/dir add /etc",
    "?help",
    "!ls",
    "\n\n/leading newlines",
    "  blanks around  \r\n",
    ZWSP,
    f"{ZWSP}guards of the client's own{ZWSP}",
    f"@{ZWSP}x ${ZWSP}{ZWSP}y",
    "<session_context>\nmine\n</session_context>",
    "a\0b\x1b[31m\x7f",
    "\\n \\u200b \"quoted\" 'q' `b`; | & > < * ~ % # 😀 \u2028 é",
]


def texts(content):
    return [p["text"] for p in content["parts"] if not p["text"].startswith("<session_context>\nhere")]


@pytest.mark.parametrize("text", HARD, ids=range(len(HARD)))
def test_text_arrives_as_it_was(cli, sim, text):
    """Each of the places that the CLI has for text."""
    d = cli()
    messages = [
        {"role": "system", "content": text},
        {"role": "user", "content": text},
        {"role": "assistant", "content": text},
        {"role": "user", "content": text},
    ]
    a = d.ask("POST", "/v1/chat/completions", body={"model": "cli/" + MODEL, "messages": messages})
    assert a.status == 200, a.body
    [seen] = sim.requests()
    body = json.loads(seen.body)
    assert texts(body["systemInstruction"]) == [text]
    assert [texts(c) for c in body["contents"]] == [[text]] * 3
    assert [c["role"] for c in body["contents"]] == ["user", "model", "user"]


def test_runner_gets_text_as_it_was(cli, records):
    """The lines to the runner have no guards, and nothing that only upstream gets."""
    d = cli()
    messages = [
        {"role": "system", "content": "@s"},
        {"role": "user", "content": "@1"},
        {"role": "assistant", "content": "$2"},
        {"role": "user", "content": "@3"},
    ]
    body = {"model": "cli/" + MODEL, "messages": messages, "temperature": 0.25}
    assert d.ask("POST", "/v1/chat/completions", body=body).status == 200
    [r] = records()
    assert r.find("job") == {
        "prompt": "@3", "system": "@s", "history": [{"role": "user", "text": "@1"}, {"role": "model", "text": "$2"}],
    }
    assert r.find("start")["dialogue"] is True


def test_a_large_prompt(cli, sim):
    """As much as may be asked, and nothing but what is guarded or escaped: every ceiling on the way has room for it."""
    text = "@$" * (1 << 19) + "\\\"\x01😀" * (1 << 17)
    a = run(cli(), text, system="@" * (1 << 20))
    assert a.status == 200, a.body[:300]
    body = json.loads(sim.requests()[0].body)
    assert texts(body["contents"][0]) == [text]
    assert texts(body["systemInstruction"]) == ["@" * (1 << 20)]


def test_max_body_is_the_clients(cli, sim):
    """What the CLI makes of a request that was small enough is not too large."""
    text = "@" * 900000
    a = run(cli(MAX_BODY="900100", MAX_INFLIGHT_BYTES="1M"), text)
    assert a.status == 200, a.body
    assert texts(json.loads(sim.requests()[0].body)["contents"][0]) == [text]


def test_empty_tools_are_dropped(cli, sim):
    assert run(cli(), "Hi").status == 200
    assert "tools" not in json.loads(sim.requests()[0].body)


def test_what_was_asked_for_counts(cli, sim):
    """The client's settings take the place of the CLI's, which keep what the client did not mention."""
    d = cli()
    model = "gemini-3.1-pro-preview"  # newer ones take no temperature
    body = {
        "model": "cli/" + model, "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.25, "max_tokens": 77,
        "stop": ["end", "stop"], "seed": 5,
    }
    assert d.ask("POST", "/v1/chat/completions", body=body).status == 200
    got = json.loads(sim.requests()[0].body)
    body["model"] = model
    assert d.ask("POST", "/v1/chat/completions", body=body).status == 200
    direct = json.loads(sim.requests()[1].body)
    assert direct["generationConfig"]["temperature"] == 0.25 and direct["generationConfig"]["maxOutputTokens"] == 77
    assert got["generationConfig"] == direct["generationConfig"]
    for name in direct.keys() - {"contents", "generationConfig"}:
        assert got[name] == direct[name]


def test_several_system_messages(cli, sim):
    d = cli()
    messages = [
        {"role": "system", "content": "One."},
        {"role": "developer", "content": "Two@."},
        {"role": "user", "content": "Hi"},
    ]
    assert d.ask("POST", "/v1/chat/completions", body={"model": "cli/" + MODEL, "messages": messages}).status == 200
    assert d.ask("POST", "/v1/chat/completions", body={"model": MODEL, "messages": messages}).status == 200
    by_cli, direct = ["\n".join(texts(json.loads(r.body)["systemInstruction"])) for r in sim.requests()]
    assert by_cli == direct


# --- chat ---


def without_kinds(usage):
    """The CLI does not report the kinds of tokens."""
    kinds = {"text_tokens", "audio_tokens", "image_tokens"}
    return {k: {n: v for n, v in u.items() if n not in kinds} if isinstance(u, dict) else u for k, u in usage.items()}


def without_what_differs(body):
    """The simulator counts the tokens of a blocked prompt itself, and the CLI's has more of them."""
    o = json.loads(body)
    o["usage"] = without_kinds(o["usage"]) if o["choices"][0]["message"]["content"] is not None else None
    return o | {"id": "", "created": 0}


ANSWERS = [
    '*: text "Hello there." chunks=3 usage=5/2/7',
    '*: text "Hello." finish=MAX_TOKENS usage=5/2/7',
    '*: text "Hello." finish=SAFETY usage=5/2/7',
    '*: text "Hello." thought="Hm." thoughts=9 cached=3 usage=5/2/16',
    '*: text "" finish=MAX_TOKENS usage=5/0/5',
    '*: text "" finish=RECITATION usage=5/0/5',
    "*: blocked SAFETY",
    "*: blocked PROHIBITED_CONTENT",
    '*: text "\\u0000 é 😀 \\n\\"x\\"" chunks=2 usage=5/2/7',
]


@pytest.mark.parametrize("script", ANSWERS)
def test_chat_like_the_api(cli, sim, script):
    """The same answer as without `cli/`, but for its id."""
    d = cli()
    sim.script(script)
    direct, by_cli = d.chat(), d.chat(model="cli/" + MODEL)
    assert direct.status == by_cli.status == 200, by_cli.body
    assert without_what_differs(by_cli.body) == without_what_differs(direct.body)


def told(a):
    """(text, finish reason, usage, end) of a chat stream."""
    chunks = events_of(a.body)
    choices = [c["choices"][0] for c in chunks if c.get("choices")]
    text = "".join(c["delta"].get("content") or "" for c in choices)
    finish = [c["finish_reason"] for c in choices if c["finish_reason"]]
    usage = [without_kinds(c["usage"]) for c in chunks if c.get("usage") and finish != ["content_filter"]]
    return text, finish, usage, a.body.endswith(b"data: [DONE]\n\n"), {c["model"] for c in chunks}


@pytest.mark.parametrize("script", ANSWERS)
def test_chat_streamed_like_the_api(cli, sim, script):
    d = cli()
    sim.script(script)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    direct, by_cli = d.chat(**options), d.chat(model="cli/" + MODEL, **options)
    assert direct.status == by_cli.status == 200, by_cli.body
    assert told(by_cli) == told(direct)


WAYS = [
    ({"ENGINE": "cli"}, MODEL),
    ({"MODEL_ALIASES": '{"mine":"cli/gemini-3.8-flash"}'}, "mine"),
    ({"DEFAULT_MODEL": "cli/gemini-3.8-flash"}, None),
    ({"ENGINE": "cli", "MODEL_ALIASES": '{"mine":"gemini-3.8-flash"}'}, "mine"),
    ({"MODEL_ALIASES": '{"mine":"gemini-3.8-flash"}'}, "cli/mine"),
]


@pytest.mark.parametrize("others,model", WAYS)
def test_ways_to_the_cli(cli, sim, records, others, model):
    d = cli(**others)
    body = {"messages": [{"role": "user", "content": "Hi"}]} | ({"model": model} if model else {})
    a = d.ask("POST", "/v1/chat/completions", body=body)
    assert a.status == 200, a.body
    assert json.loads(a.body)["model"] in (MODEL, model)
    assert len(records()) == 1
    assert sim.requests()[0].target == f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"


def test_engine_api_is_without_it(cli, records):
    assert cli().chat().status == 200
    assert records() == []


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
NOT_BY_CLI = [
    (chat_with(n=2), "n"),
    (chat_with(tools=[TOOL]), "tools"),
    (chat_with(messages=[{"role": "user", "content": [{"type": "text", "text": "a"}, IMAGE]}]), None),
    (chat_with(messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]), None),
    (chat_with(messages=[{"role": "user", "content": ""}]), None),
    (chat_with(messages=[{"role": "user", "content": "a" * 2_000_001}]), None),
    (chat_with(messages=[{"role": "system", "content": "a" * ((1 << 20) + 1)}, {"role": "user", "content": "b"}]), None),
    (chat_with(messages=[{"role": r, "content": "a"} for r in ("user", "assistant") * 2049] + [{"role": "user", "content": "b"}]), None),
    (chat_with(messages=[{"role": "user", "content": "a" * (2 << 20)}, {"role": "assistant", "content": "b" * (2 << 20)},
                         {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"},
                         {"role": "user", "content": "b"}]), None),
]


@pytest.mark.parametrize("stream", [False, True])
def test_not_by_cli(cli, sim, records, stream):
    d = cli()
    for body, param in NOT_BY_CLI:
        a = d.ask("POST", "/v1/chat/completions", body=body | {"stream": stream})
        said = f"{str(body)[:100]} → {a.status} {a.body[:300]}"
        assert a.status == 400, said
        assert error_of(a)["param"] == param, said
    assert records() == [] and sim.count() == 0


def test_the_native_route_is_the_apis(cli, sim, records):
    d = cli(MODEL_ALIASES='{"mine":"cli/gemini-3.8-flash"}', ENGINE="cli")
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    for method in ("generateContent", "streamGenerateContent", "countTokens"):
        a = d.ask("POST", f"/v1beta/models/mine:{method}", body=body)
        assert a.status == 400 and error_of(a)["status"] == "INVALID_ARGUMENT", a.body
    assert d.ask("POST", f"/v1beta/models/{MODEL}:generateContent", body=body).status == 200
    assert records() == [] and sim.count() == 1
