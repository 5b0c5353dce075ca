# SPDX-License-Identifier: MIT
"""The official SDKs against gemgated: what they send must be understood, what they get must satisfy them."""
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
    sim.script("answer text=Hello.")
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
    assert config == {"temperature": 0.5, "topP": 0.9, "maxOutputTokens": 99, "stopSequences": ["END"], "seed": 7}


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


def test_not_yet(sdk, sim, daemon):
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    e = sdk.call("chat", daemon, HI | {"tools": tools})["error"]
    assert (e["class"], e["param"]) == ("BadRequestError", "tools")
