# SPDX-License-Identifier: MIT
"""What the golden cases expect is what the protocols allow."""
import json
import pathlib

import pytest
from strict import chat, completions, judge, messages, responses

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
RULES = {"openai-chat": chat, "openai-completions": completions, "openai-responses": responses, "anthropic-messages": messages}


def cases(suffix):
    found = sorted(f"{d}/{p.name.removesuffix(suffix)}" for d in RULES for p in (GOLDEN / d).glob("*" + suffix))
    assert found
    return found


def read(name, suffix):
    return (GOLDEN / (name + suffix)).read_text()


def rules(name):
    return RULES[name.partition("/")[0]]


@pytest.mark.parametrize("name", cases(".gemini.json"))
def test_request(name):
    model = json.loads(read(name, ".request.json")).get("model", "gemini-3.8-flash").rsplit("/", 1)[-1]
    assert judge.body_faults(model, "generateContent", json.loads(read(name, ".gemini.json"))) == []


@pytest.mark.parametrize("name", cases(".answer.expected"))
def test_answer(name):
    text = read(name, ".answer.expected")
    if not text.startswith("! "):
        assert rules(name).answer_faults(json.loads(text)) == []


@pytest.mark.parametrize("name", cases(".stream.expected"))
def test_stream(name):
    text = read(name, ".stream.expected")
    broken = "\n! " in "\n" + text  # the rest is no event: it names the failure
    events = "\n\n".join(e for e in text.split("\n\n") if not e.startswith("! "))
    assert rules(name).stream_faults(events, complete=not broken) == []
