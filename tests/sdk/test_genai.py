# SPDX-License-Identifier: MIT
"""Google's own SDKs against gemgated: the native dialect is what they speak to Google itself."""
import json

import pytest

import genais
from house import SECRETS

GENAIS = genais.all_genais()
MODEL = "gemini-3.8-flash"
HI = {"model": MODEL, "contents": "Hi"}


@pytest.fixture(params=GENAIS, ids=[g.name for g in GENAIS])
def genai(request):
    return request.param


def good(out):
    assert out["error"] is None, out["error"]
    return out["result"]


def log_of(daemon):
    """The log lines of requests in this dialect, complete: the daemon is ended first."""
    daemon.process.stop()
    return [e for e in daemon.log() if e.get("dialect") == "gemini"]


def test_there_are_both_languages():
    assert {g.name.split("-")[0] for g in GENAIS} == {"python", "node"}


def test_generate(genai, sim, daemon):
    sim.script('*: text "Hello." usage=5/2/7')
    r = good(genai.call("generate", daemon, HI))
    assert r["text"] == "Hello." and r["candidates"][0]["finishReason"] == "STOP"
    assert r["usageMetadata"]["totalTokenCount"] == 7 and r["modelVersion"] == MODEL
    [line] = log_of(daemon)
    assert (line["status"], line["finish_reason"], line["tokens_in"], line["tokens_out"]) == (200, "STOP", 5, 2)


def test_models(genai, sim, start):
    """The SDK asks the path that OpenAI's clients ask, too, and gets Google's form, in pages; so it does at Google's own."""
    d = start(MODEL_ALIASES='{"fast": "gemini-3.8-flash"}')
    node = genai.name.startswith("node")

    def version(v):
        return {"httpOptions": {"apiVersion": v}} if node else {"http_options": {"api_version": v}}

    beta, alpha = version("v1beta"), version("v1alpha")
    pages = {"pageSize": 3} if node else {"page_size": 3}
    for config in ({}, pages, beta, pages | beta, alpha):
        models = {m["name"]: m for m in good(genai.call("models", d, {"config": config}))}
        assert {f"models/{MODEL}", "models/fast"} <= set(models)
        assert models[f"models/{MODEL}"]["displayName"] and models["models/fast"]["displayName"] == "fast"
    assert good(genai.call("model", d, {"model": MODEL}))["name"] == f"models/{MODEL}"
    for more in ({}, {"config": beta}, {"config": alpha}):
        assert good(genai.call("model", d, {"model": "fast", **more}))["name"] == "models/fast"
    bad(genai, genai.call("model", d, {"model": "gemini-nowhere"}), 404, "NOT_FOUND")


# Google takes it for any call: skip_thought_signature_validator, as the bytes that a signature is.
ANY_SIGNATURE = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="


def test_config(genai, sim, daemon):
    """The SDKs' configuration arrives, and the strict simulator accepts it."""
    contents = [
        {"role": "user", "parts": [{"text": "What?"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"at": [1.5, None]}},
                                     "thoughtSignature": ANY_SIGNATURE}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"output": "ä €"}}}]},
    ]
    config = {
        "systemInstruction": "Be brief.",
        "temperature": 0.25,
        "topK": 40,
        "seed": 7,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object", "properties": {"a": {"type": "integer"}}},
        "thinkingConfig": {"includeThoughts": True},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    }
    good(genai.call("generate", daemon, {"model": MODEL, "contents": contents, "config": config}))
    body = json.loads(sim.requests()[-1].body)
    assert [c["role"] for c in body["contents"]] == ["user", "model", "user"]
    assert body["contents"][2]["parts"][0]["functionResponse"]["response"] == {"output": "ä €"}
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    sent = body["generationConfig"]
    assert (sent["temperature"], sent["topK"], sent["seed"], sent["stopSequences"]) == (0.25, 40, 7, ["END"])
    assert sent["responseJsonSchema"] == config["responseJsonSchema"]


def test_function_call(genai, sim, daemon):
    """A call comes back unchanged, with its signature."""
    part = {"functionCall": {"name": "look", "args": {"at": "ä"}, "id": "c1"}, "thoughtSignature": "QUJD"}
    sim.script("*: json " + json.dumps({"candidates": [{"content": {"parts": [part], "role": "model"}, "finishReason": "STOP"}]}))
    declaration = {"name": "look", "parametersJsonSchema": {"type": "object", "properties": {"at": {"type": "string"}}}}
    r = good(genai.call("generate", daemon, HI | {"config": {"tools": [{"functionDeclarations": [declaration]}]}}))
    assert r["candidates"][0]["content"]["parts"] == [part]


def test_stream(genai, sim, daemon):
    sim.script('*: text "Hello there, ä€𝄞." chunks=4 usage=5/2/7')
    out = genai.call("stream", daemon, HI)
    good(out)
    assert len(out["chunks"]) == 4
    assert "".join(c["text"] for c in out["chunks"]) == "Hello there, ä€𝄞."
    assert [c["candidates"][0].get("finishReason") for c in out["chunks"]] == [None] * 3 + ["STOP"]
    assert out["chunks"][-1]["usageMetadata"]["totalTokenCount"] == 7


def test_count_tokens(genai, sim, daemon):
    sim.script('method=count: json {"totalTokens":31}')
    assert good(genai.call("count", daemon, HI))["totalTokens"] == 31
    assert sim.requests()[-1].target == f"/v1beta/models/{MODEL}:countTokens"


def test_alias(genai, sim, start):
    d = start(MODEL_ALIASES=json.dumps({"fast": MODEL}))
    good(genai.call("generate", d, {"model": "fast", "contents": "Hi"}))
    good(genai.call("count", d, {"model": "models/fast", "contents": "Hi"}))
    assert {r.target.split(":")[0] for r in sim.requests()} == {f"/v1beta/models/{MODEL}"}


@pytest.mark.parametrize("op", ["generate", "stream"])
def test_blocked_prompt(genai, sim, daemon, op):
    sim.script("*: blocked PROHIBITED_CONTENT")
    out = genai.call(op, daemon, HI)
    r = good(out) or out["chunks"][0]
    assert r["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"


# --- errors, in the classes of the SDKs: Node's has one, Python's two ---

CLASSES = {"python": lambda code: "ClientError" if code < 500 else "ServerError", "node": lambda code: "ApiError"}


def bad(genai, out, code, status):
    e = out["error"]
    assert e, out
    assert (e["class"], e["code"]) == (CLASSES[genai.name.split("-")[0]](code), code), e
    assert status in e["message"], e
    return e["message"]


def test_wrong_token(genai, sim, daemon):
    for op in ("generate", "stream", "count"):
        bad(genai, genai.call(op, daemon, HI, token="tok-nobody-0123456789"), 401, "UNAUTHENTICATED")
    assert sim.requests() == []


def test_wrong_model(genai, sim, daemon):
    out = genai.call("generate", daemon, {"model": "gemini 3", "contents": "Hi"})
    assert "model" in bad(genai, out, 400, "INVALID_ARGUMENT")


UPSTREAM = [
    ("error rpm retry=30s", 429, "RESOURCE_EXHAUSTED", "301s"),
    ("error rpd", 429, "RESOURCE_EXHAUSTED", "PerDay"),
    ("error overloaded", 503, "UNAVAILABLE", "high demand"),
    ("error invalid_key", 503, "UNAVAILABLE", "2 dead of 2"),
    ("error not_found", 404, "NOT_FOUND", "is not found for API version v1beta"),
    ("error invalid_argument", 400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
]


@pytest.mark.parametrize("op", ["generate", "stream"])
@pytest.mark.parametrize("script,code,status,words", UPSTREAM, ids=[u[0] for u in UPSTREAM])
def test_upstream_error(genai, sim, daemon, op, script, code, status, words):
    sim.script("*: " + script)
    assert words in bad(genai, genai.call(op, daemon, HI), code, status)
    assert len(log_of(daemon)) == 1, "the SDK asked again by itself"


STREAM_FAULTS = [
    ("cut after=1", 502, "INTERNAL"),
    ("reset after=1", 502, "INTERNAL"),
    ("hang after=1", 502, "INTERNAL"),
    ("error-in-stream after=1 error=overloaded", 503, "UNAVAILABLE"),
    ("error-in-stream after=1 error=rpm", 429, "RESOURCE_EXHAUSTED"),
]


@pytest.mark.parametrize("fault,code,status", STREAM_FAULTS, ids=[f[0] for f in STREAM_FAULTS])
def test_fault_in_a_stream(genai, sim, start, fault, code, status):
    """The SDK gives what came and then raises, with our words: it never takes the stream for complete."""
    sim.script(f'*: text "ab" chunks=2 {fault}')
    out = genai.call("stream", start(STREAM_IDLE_TIMEOUT="300ms"), HI)
    assert MODEL in bad(genai, out, code, status)
    assert [c["text"] for c in out["chunks"]] == ["a"]


def test_stream_without_a_finish_reason(genai, sim, daemon):
    """It ends as it did upstream: Google's SDKs take it."""
    sim.script('*: text "ab" chunks=2 end after=1')
    out = genai.call("stream", daemon, HI)
    assert out["error"] is None and [c["text"] for c in out["chunks"]] == ["a"]


def test_failover(genai, sim, daemon):
    sim.script(f'key={SECRETS["KEY1"]}: error rpm\n*: text "Hello."')
    assert good(genai.call("generate", daemon, HI))["text"] == "Hello."
    assert [r.header("x-goog-api-key") for r in sim.requests()] == [SECRETS["KEY1"], SECRETS["KEY2"]]


def test_long_text(genai, sim, daemon):
    """Megabytes in both directions, characters of every length."""
    text = 'äöü€𝄞 \\ "quoted" \n\t\u0001 ' * 20000
    sim.script("*: big 4M")
    assert len(good(genai.call("generate", daemon, HI | {"contents": text}))["text"]) == 4 << 20
    assert json.loads(sim.requests()[-1].body)["contents"][0]["parts"][0]["text"] == text
