# SPDX-License-Identifier: MIT
"""Bodies above 256 KiB are read by a thread beside the loop: what becomes of them is the same, and nothing waits for it."""
import json
import signal

import pytest

import http1
from house import SECRETS
from test_files import KEYS, POOL, PROJECTS, Files, keys, of
from test_reload import Configured
from test_requests import wait_none, wait_state

MODEL = "gemini-3.8-flash"
CHAT = "/v1/chat/completions"
NATIVE = f"/v1beta/models/{MODEL}:generateContent"
STREAM = f"/v1beta/models/{MODEL}:streamGenerateContent"
LONG = 'A "long"\n\ttext, é \u2028' * 20_000
PAD = {"text": "x" * 300_000}
# The translation takes half a second.
SLOW = b'{"model":"%s","messages":[{"role":"user","content":"%s"}]}' % (MODEL.encode(), b"\\n\\t" * 7_500_000)


def test_chat(sim, start):
    d = start(MODEL_ALIASES=json.dumps({"mine": MODEL}))
    for fields in ({}, {"stream": True}):
        sim.clear()
        a = d.chat(LONG, model="mine", max_tokens=5, **fields)
        assert a.status == 200 and a.header("x-request-id")
        seen, = sim.requests()
        assert MODEL in seen.target
        assert json.loads(seen.body) == {
            "contents": [{"role": "user", "parts": [{"text": LONG}]}], "generationConfig": {"maxOutputTokens": 5}}


def test_native(sim, start):
    d = start()
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": LONG}]}]}).encode()
    assert json.loads(d.ask("POST", NATIVE, [], body).body)["candidates"]
    assert d.ask("POST", STREAM + "?alt=sse", [], body).body.startswith(b"data: {")
    assert d.ask("POST", STREAM, [], body).body.startswith(b"[{")
    assert [r.body.encode() for r in sim.requests()] == 3 * [body]
    a = d.ask("POST", STREAM + "?alt=xml", [], body)
    assert a.status == 400 and "alt" in json.loads(a.body)["error"]["message"]


@pytest.mark.parametrize("path", [CHAT, NATIVE, "/v1beta/cachedContents", "/run-gemini"])
@pytest.mark.parametrize("body", [b'{"x":"' + b"x" * 300_000, b'["%s"]' % (b"x" * 300_000)], ids=["cut", "a list"])
def test_what_is_wrong(sim, start, path, body):
    """With the same message as for a small body."""
    d = start(CLI_PATH="/nonexistent")
    a, small = d.ask("POST", path, [], body), d.ask("POST", path, [], body[:7] if body[0] == ord("{") else b"[1]")
    assert a.status == small.status == 400
    assert a.body == small.body
    assert sim.requests() == []
    assert d.chat().status == 200


def test_what_chat_refuses(sim, start):
    d = start()
    a = d.chat(LONG, tools=[{}])
    assert a.status == 400 and json.loads(a.body)["error"]["param"] == "tools[0].type"
    d.wait_log("its line", lambda line: line.get("status") == 400)


def test_the_management_takes_small_bodies(start):
    d = start()
    for path in ("/reset-api-key-health", "/test-ip"):
        a = d.ask("POST", path, [], b'{"x":"%s"}' % (b"x" * 300_000), token="ADMIN")
        assert a.status == 413 and b"larger than this path takes" in a.body


def test_another_model(sim, start):
    """The body is translated again for it, by its own rules."""
    sim.script('model=gemini-4-pro: error day\nmodel=gemini-3.8-pro: error day\n*: text "Hello."')
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]),
              FALLBACK_MODELS=json.dumps({"gemini-4-pro": ["gemini-3.8-pro", "gemini-2.5-flash"]}))
    a = d.chat(LONG, model="gemini-4-pro", temperature=0.5)
    assert (a.status, a.header("x-gemgate-model")) == (200, "gemini-2.5-flash")
    first, _, last = (json.loads(r.body) for r in sim.requests())
    assert first["contents"] == last["contents"] == [{"role": "user", "parts": [{"text": LONG}]}]
    assert "generationConfig" not in first and last["generationConfig"] == {"temperature": 0.5}
    # Now all of them are known to be spent but the last: from the pick.
    sim.clear()
    assert d.chat(LONG, model="gemini-4-pro").header("x-gemgate-model") == "gemini-2.5-flash"
    assert len(sim.requests()) == 1


def test_no_model_serves(sim, start):
    sim.script("*: error day")
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]), FALLBACK_MODELS=json.dumps({MODEL: ["gemini-2.5-flash"]}))
    a = d.chat(LONG)
    assert a.status == 429 and MODEL in json.loads(a.body)["error"]["message"]
    assert len(sim.requests()) == 2


def test_files(sim, start):
    """Names in a large body belong to a project, and to a client."""
    sim.script(PROJECTS)
    d = start(API_KEYS=POOL, ALLOWED_TOKENS=json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]]))
    files, other = Files(d), Files(d, "TOKEN2")
    file = files.upload()
    owner = keys(sim)[-1]
    sim.clear()
    for _ in range(4):
        files.generate(of(file), PAD)
    assert set(keys(sim)) <= ({owner} if owner not in KEYS[1:3] else set(KEYS[1:3]))
    cache = files.cache(contents=[{"parts": [of(file), PAD]}])
    sim.clear()
    other.generate(of(file), PAD, status=404)
    other.generate(PAD, cachedContent=cache["name"], status=404)
    other.ask("POST", "/v1beta/cachedContents", {"model": f"models/{MODEL}", "contents": [{"parts": [of(file), PAD]}]},
              status=404)
    assert sim.requests() == []


def test_too_many_names(sim, start):
    d = start()
    body = {"contents": [{"parts": [of({"uri": "files/a", "mimeType": "text/plain"})] * 16385}]}
    a = d.ask("POST", NATIVE, [], body)
    assert a.status == 400 and b"too many files" in a.body


def slow(d, request_id):
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("x-request-id", request_id)]
    c = d.connect()
    c.send(http1.compose("POST", CHAT, headers, SLOW))
    return c


def test_clients_that_hang_up(start):
    """While the body is translated, and while it waits for that."""
    d = start(GEMINI_BASE_URL="http://127.0.0.1:9")
    for n in range(2):
        clients = [slow(d, f"n{n}-{i}") for i in range(4)]
        wait_state(d, f"n{n}-3", "translating")
        for c in clients:
            c.close()
        wait_none(d)
    a = d.ask("POST", CHAT, [], SLOW[:-2])
    assert a.status == 400, "the thread goes on"
    lines = [line for line in d.log() if line.get("request_id", "").startswith("n")]
    assert len(lines) == 8


def test_the_end(start):
    """A drain waits for the answer."""
    d = start(GEMINI_BASE_URL="http://127.0.0.1:9")
    with slow(d, "last") as c:
        wait_state(d, "last", "translating")
        d.process.signal(signal.SIGTERM)
        assert c.read().status in (502, 503)
    assert d.process.wait() == 0


def test_a_late_one(start):
    """REQUEST_DEADLINE counts while the body is translated."""
    d = start(REQUEST_DEADLINE="100ms", GEMINI_BASE_URL="http://127.0.0.1:9")
    with slow(d, "late") as c:
        a = c.read()
    assert a.status == 504 and b"REQUEST_DEADLINE" in a.body, a.body


def test_a_reload_meanwhile(sim, tmp_path):
    """The request keeps its configuration, which the thread reads."""
    with Configured(tmp_path, sim) as d:
        c = slow(d, "old")
        wait_state(d, "old", "translating")
        d.write("api-keys", SECRETS["KEY3"])
        d.process.signal(signal.SIGHUP)
        a = c.read()
        assert a.status == 200, a.body[:300]
