# SPDX-License-Identifier: MIT
"""The official SDKs of OpenAI against gemgated: what they send must be understood, what they get must satisfy them."""
import json

import pytest

import sdks
from house import SECRETS

SDKS = sdks.all_sdks()
MODEL = "gemini-3.8-flash"
HI = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(params=SDKS, ids=[s.name for s in SDKS])
def sdk(request):
    return request.param


def good(out):
    assert out["error"] is None, out["error"]
    return out["result"]


def test_there_are_both_languages():
    assert {s.name.split("-")[0] for s in SDKS} == {"python", "node"}


def test_chat(sdk, sim, daemon):
    sim.script('*: text "Hello."')
    r = good(sdk.call("chat", daemon, HI))
    assert r["object"] == "chat.completion" and r["model"] == MODEL
    assert r["choices"][0]["message"]["content"] == "Hello."
    assert r["choices"][0]["finish_reason"] == "stop"
    assert r["usage"]["total_tokens"] > 0


def test_conversation(sdk, sim, daemon):
    """Every role, several turns, content as parts."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": "Three."},
        {"role": "user", "content": "Four?"},
    ]
    good(sdk.call("chat", daemon, {"model": MODEL, "messages": messages, "temperature": 0.5, "top_p": 0.9,
                                   "max_completion_tokens": 99, "stop": ["END"], "seed": 7}))
    body = json.loads(sim.requests()[-1].body)
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}, {"text": "Be kind."}]
    assert [c["role"] for c in body["contents"]] == ["user", "model", "user"]
    config = body["generationConfig"]
    # The model takes no temperature and no top_p.
    assert config == {"maxOutputTokens": 99, "stopSequences": ["END"], "seed": 7}


def test_stream(sdk, sim, daemon):
    out = sdk.call("stream", daemon, HI)
    good(out)
    chunks = out["chunks"]
    assert len({c["id"] for c in chunks}) == 1
    assert all(c["object"] == "chat.completion.chunk" and c["model"] == MODEL for c in chunks)
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert not any(c.get("usage") for c in chunks), "usage was not asked for"


def test_stream_with_usage(sdk, sim, daemon):
    out = sdk.call("stream", daemon, HI | {"stream_options": {"include_usage": True}})
    good(out)
    assert out["chunks"][-1]["choices"] == []
    usage = out["chunks"][-1]["usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"] > 0


def test_accumulated_stream(sdk, sim, daemon):
    """The SDK's own helper puts the stream together and is strict about its order."""
    r = good(sdk.call("accumulate", daemon, HI))
    assert r["choices"][0]["message"]["content"]
    assert r["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("op", ["chat", "accumulate"])
def test_two_choices(sdk, sim, daemon, op):
    r = good(sdk.call(op, daemon, HI | {"n": 2}))
    assert sorted(c["index"] for c in r["choices"]) == [0, 1]
    assert all(c["message"]["content"] and c["finish_reason"] == "stop" for c in r["choices"])
    assert json.loads(sim.requests()[-1].body)["generationConfig"]["candidateCount"] == 2


def test_models(sdk, sim, start):
    d = start(MODEL_ALIASES='{"fast": "gemini-3.8-flash"}')
    ids = [m["id"] for m in good(sdk.call("models", d))]
    assert MODEL in ids and "fast" in ids and len(ids) == len(set(ids))
    m = good(sdk.call("model", d, {"id": MODEL}))
    assert m["id"] == MODEL and m["object"] == "model"
    assert good(sdk.call("model", d, {"id": "fast"}))["id"] == "fast"
    e = sdk.call("model", d, {"id": "gemini-nowhere"})["error"]
    assert (e["class"], e["status"], e["code"]) == ("NotFoundError", 404, "model_not_found")


def test_wrong_token(sdk, sim, daemon):
    e = sdk.call("chat", daemon, HI, token="tok-nobody-0123456789")["error"]
    assert (e["class"], e["status"], e["code"]) == ("AuthenticationError", 401, "invalid_api_key")
    assert e["request_id"]


def test_wrong_address(sdk, sim, start):
    d = start(ALLOWED_IPS='["203.0.113.1"]')
    e = sdk.call("chat", d, HI)["error"]
    assert (e["class"], e["status"], e["type"]) == ("PermissionDeniedError", 403, "permission_error")


def test_wrong_request(sdk, sim, daemon):
    e = sdk.call("chat", daemon, HI | {"temperature": 9})["error"]
    assert (e["class"], e["status"], e["param"]) == ("BadRequestError", 400, "temperature")
    assert e["type"] == "invalid_request_error" and e["request_id"]
    assert sim.requests() == []


def test_a_place_is_named(sdk, sim, daemon):
    e = sdk.call("chat", daemon, HI | {"tools": [{"type": "riddle"}]})["error"]
    assert (e["class"], e["param"]) == ("BadRequestError", "tools[0].type")


# --- upstream errors, in the classes of the SDKs ---

UPSTREAM = [
    ("error rpm retry=30s", "RateLimitError", 429, "rate_limit_exceeded"),
    ("error rpd", "RateLimitError", 429, "rate_limit_exceeded"),
    ("error overloaded", "InternalServerError", 503, "service_unavailable"),
    ("error invalid_key", "InternalServerError", 503, "service_unavailable"),
    ("error suspended", "InternalServerError", 503, "service_unavailable"),
    ("error not_found", "NotFoundError", 404, "model_not_found"),
    ("error invalid_argument", "BadRequestError", 400, None),
    ("error location", "BadRequestError", 400, "unsupported_country_region_territory"),
]


@pytest.mark.parametrize("op", ["chat", "stream"])
@pytest.mark.parametrize("script,cls,status,code", UPSTREAM, ids=[u[0] for u in UPSTREAM])
def test_upstream_error(sdk, sim, daemon, op, script, cls, status, code):
    sim.script("*: " + script)
    e = sdk.call(op, daemon, HI)["error"]
    assert (e["class"], e["status"], e["code"]) == (cls, status, code), e
    assert e["request_id"] and e["message"] and e["type"]


STREAM_FAULTS = ["cut after=1", "reset after=1", "error-in-stream after=1 error=overloaded", "hang after=1"]


def test_stream_without_a_finish_reason(sdk, sim, daemon):
    """Gemini has counted the tokens and ended the stream well: it is complete."""
    sim.script('*: text "a b" chunks=2 end after=1')
    out = sdk.call("stream", daemon, HI)
    assert not out["error"], out
    assert [c["choices"][0]["finish_reason"] for c in out["chunks"] if c["choices"]][-1] == "stop"


@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_fault_in_a_stream(sdk, sim, start, fault):
    """The SDK raises, with our words, and gives what came before: it never takes the stream for complete."""
    sim.script(f'*: text "a b" chunks=2 {fault}')
    out = sdk.call("stream", start(STREAM_IDLE_TIMEOUT="300ms"), HI)
    e = out["error"]
    assert e and e["class"] == "APIError", e
    assert e["type"] == "server_error" and e["code"], e
    assert MODEL in e["message"]
    assert len(out["chunks"]) >= 2
    assert not any(c["choices"][0]["finish_reason"] for c in out["chunks"])


def test_blocked_prompt(sdk, sim, daemon):
    sim.script("*: blocked SAFETY")
    r = good(sdk.call("chat", daemon, HI))
    assert r["choices"][0]["finish_reason"] == "content_filter"


# --- retries: the SDK's own, with our Retry-After ---


def chats(d):
    """The log lines of chat requests, complete: they come after their answers, so the daemon is ended first."""
    d.process.stop()
    return [e for e in d.log() if e.get("dialect") == "openai-chat"]


def test_retry_after_is_obeyed(sdk, sim, start):
    """One key, throttled for a second: the SDK waits for Retry-After and succeeds, with two requests in all."""
    sim.script('times=1: error rpm retry=0.9s\n*: text "Hello."')
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]))
    r = good(sdk.call("chat", d, HI, retries=2))
    assert r["choices"][0]["message"]["content"] == "Hello."
    assert len(sim.requests()) == 2
    statuses = [e["status"] for e in chats(d)]
    assert statuses == [429, 200], "an impatient retry"


def test_hopeless_is_not_retried(sdk, sim, start):
    """x-should-retry: false keeps the SDK from useless retries."""
    sim.script("*: error invalid_key")
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]))
    e = sdk.call("chat", d, HI, retries=2)["error"]
    assert e["class"] == "InternalServerError"
    assert len(chats(d)) == 1


def test_wrong_request_is_not_retried(sdk, sim, daemon):
    sdk.call("chat", daemon, HI | {"temperature": 9}, retries=2)
    assert len(chats(daemon)) == 1


# --- the keep-alive of a client ---


def test_long_text(sdk, sim, daemon):
    """Megabytes in both directions, characters of every length."""
    text = "äöü€𝄞 \\ \"quoted\" \n\t\u0001 " * 20000
    sim.script('*: big 4M')
    r = good(sdk.call("chat", daemon, {"model": MODEL, "messages": [{"role": "user", "content": text}]}))
    assert len(r["choices"][0]["message"]["content"]) == 4 << 20
    assert json.loads(sim.requests()[-1].body)["contents"][0]["parts"][0]["text"] == text
