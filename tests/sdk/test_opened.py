# SPDX-License-Identifier: MIT
"""The official SDKs with STREAM_OPEN_AFTER: pings before the first event, and an error behind the head."""
import json

import anthropic
import genais
import pytest
import sdks

from house import SECRETS

MODEL = "gemini-3.8-flash"
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
LATE = '* times=1: error rpm retry=40s delay=500ms\n*: text "one two" chunks=2 delay=500ms pace=500ms'
FAILS = "*: error rpd delay=600ms"
OPENAIS, GENAIS = sdks.all_sdks(), genais.all_genais()


@pytest.fixture
def d(start):
    return start(STREAM_OPEN_AFTER="100ms")


@pytest.mark.parametrize("sdk", OPENAIS, ids=[s.name for s in OPENAIS])
def test_openai(sim, d, sdk):
    sim.script(LATE)
    out = sdk.call("stream", d, CHAT)
    assert out["error"] is None
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in out["chunks"] if c["choices"]) == "one two"
    sim.script(FAILS)
    assert sdk.call("stream", d, CHAT)["error"]["message"]


@pytest.mark.parametrize("genai", GENAIS, ids=[g.name for g in GENAIS])
def test_google(sim, d, genai):
    sim.script(LATE)
    out = genai.call("stream", d, {"model": MODEL, "contents": "Hi"})
    assert out["error"] is None
    assert "".join(c["text"] or "" for c in out["chunks"]) == "one two" and len(out["chunks"]) <= 3
    sim.script(FAILS)
    assert "429" in str(genai.call("stream", d, {"model": MODEL, "contents": "Hi"})["error"])


def test_anthropic(sim, d):
    sim.script(LATE)
    with anthropic.Anthropic(api_key=SECRETS["TOKEN"], base_url=d.url, max_retries=0, timeout=30) as client:
        with client.messages.stream(**CHAT, max_tokens=100) as stream:
            assert stream.get_final_message().content[0].text == "one two"
        sim.script(FAILS)
        with pytest.raises(anthropic.APIStatusError, match="quota"), client.messages.stream(**CHAT, max_tokens=100) as s:
            s.get_final_message()


def test_anthropic_in_node(sim, start):
    """In a page, at that: the head has the headers of CORS already."""
    from test_browser import APP, run

    sim.script(LATE)
    out = run(start(STREAM_OPEN_AFTER="100ms", CORS_ORIGINS=json.dumps([APP])), "anthropic")
    assert "error" not in out and out["text"] == "one two"
