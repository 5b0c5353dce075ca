# SPDX-License-Identifier: MIT
"""What the golden cases expect is what the protocols allow."""

import json

import pytest

from strict.shape import HERE, Schemas

CASES = HERE.parent / "golden" / "openai-chat"
OPENAI = Schemas("openai")
GEMINI = Schemas("gemini")


def cases(suffix):
    found = sorted(p.name.removesuffix(suffix) for p in CASES.glob("*" + suffix))
    assert found
    return found


def read(name, suffix):
    return (CASES / (name + suffix)).read_text()


@pytest.mark.parametrize("name", cases(".gemini.json"))
def test_request(name):
    assert GEMINI.faults("GenerateContentRequest", json.loads(read(name, ".gemini.json"))) == []


@pytest.mark.parametrize("name", cases(".answer.expected"))
def test_answer(name):
    text = read(name, ".answer.expected")
    if not text.startswith("! "):
        assert OPENAI.faults("CreateChatCompletionResponse", json.loads(text)) == []


@pytest.mark.parametrize("name", cases(".stream.expected"))
def test_stream(name):
    events = [e for e in read(name, ".stream.expected").split("\n\n") if e and not e.startswith("! ")]
    assert not events or events[-1] == "data: [DONE]" or events[-1].startswith('data: {"error"')
    ids, finished = set(), set()
    for event in events:
        assert event.startswith("data: ") and "\n" not in event
        if event == "data: [DONE]":
            continue
        chunk = json.loads(event.removeprefix("data: "))
        if "error" in chunk:
            assert OPENAI.faults("ErrorResponse", chunk) == []
            continue
        assert OPENAI.faults("CreateChatCompletionStreamResponse", chunk) == []
        ids.add((chunk["id"], chunk["object"], chunk["created"], chunk["model"]))
        for choice in chunk["choices"]:
            # The SDKs put an answer together by these: a role first, and nothing behind the finish.
            assert choice["index"] not in finished
            assert ("role" in choice["delta"]) == (choice["index"] not in seen_indexes(events, event))
            if choice["finish_reason"]:
                finished.add(choice["index"])
    assert len(ids) <= 1


def seen_indexes(events, until):
    """The choices that were spoken of before this event."""
    seen = set()
    for event in events[: events.index(until)]:
        if event.startswith('data: {"id"'):
            seen |= {c["index"] for c in json.loads(event.removeprefix("data: "))["choices"]}
    return seen


@pytest.mark.parametrize("fault, expected", [
    ({"contents": [{"role": "user", "parts": [{"text": "a"}]}]}, []),
    ({"contents": [], "topK": 1}, ["GenerateContentRequest.topK: unknown"]),
    ({"contents": "a"}, ["GenerateContentRequest.contents: str instead of array"]),
    ({"contents": [{"parts": [{"text": 1}]}]}, ["GenerateContentRequest.contents[0].parts[0].text: int instead of string"]),
    ({"contents": [{"parts": [{"text": "a", "functionCall": {}}]}]},
     ["GenerateContentRequest.contents[0].parts[0]: several of ['functionCall', 'text']"]),
    ({"generationConfig": {"candidateCount": True}},
     ["GenerateContentRequest.generationConfig.candidateCount: bool instead of integer"]),
    ({"generationConfig": {"seed": None}}, ["GenerateContentRequest.generationConfig.seed: NoneType instead of integer"]),
])
def test_schema_finds(fault, expected):
    assert GEMINI.faults("GenerateContentRequest", fault) == expected
