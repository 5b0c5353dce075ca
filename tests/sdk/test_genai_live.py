# SPDX-License-Identifier: MIT
"""The Live API with Google's own SDKs: they send binary and text frames, the key in a header or in the query, and setup in the
spelling of their generators."""
import json

import pytest

from genais import all_genais
from house import SECRETS

MODEL = "gemini-3.8-live"
CONFIG = {"responseModalities": ["AUDIO"], "systemInstruction": "Be brief.", "sessionResumption": {}}
SDKS = all_genais()


@pytest.fixture(params=SDKS, ids=[s.name for s in SDKS])
def sdk(request):
    return request.param


def parts(answer):
    turns = [m["serverContent"].get("modelTurn", {}) for m in answer["chunks"] if m.get("serverContent")]
    return [p["text"] for t in turns for p in t.get("parts", [])]


def test_a_conversation(sim, daemon, sdk):
    answer = sdk.call("live", daemon, {"model": MODEL, "turns": ["one", "two"], "config": CONFIG})
    assert answer["error"] is None
    assert parts(answer) == ["gemini-sim got: one", "gemini-sim got: two"]
    assert [m["usageMetadata"]["totalTokenCount"] for m in answer["chunks"] if m.get("usageMetadata")] == [15, 15]
    [r] = sim.requests()
    setup = json.loads(json.dumps(r.answer["messages"][0]))["setup"]
    assert setup["model"] == f"models/{MODEL}" and setup["generationConfig"]["responseModalities"] == ["AUDIO"]
    assert SECRETS["TOKEN"] not in json.dumps(r.headers) + r.target


def test_an_alias_and_another_key(sim, start, sdk):
    d = start(MODEL_ALIASES=json.dumps({"talk": MODEL}))
    sim.script("times=1 method=live : error rpd\n")
    answer = sdk.call("live", d, {"model": "talk", "turns": ["one"]})
    assert answer["error"] is None and parts(answer) == ["gemini-sim got: one"]
    assert [r.answer["model"] for r in sim.requests()] == [MODEL] * 2


def test_the_quota_is_spent(sim, daemon, sdk):
    sim.script("method=live : error rpd\n")
    error = sdk.call("live", daemon, {"model": MODEL, "turns": ["one"]})["error"]
    assert "1011" in f"{error}" and "quota" in error["message"].lower()
