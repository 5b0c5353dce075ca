# SPDX-License-Identifier: MIT
"""Each rule of a chat answer finds the answer that breaks it."""
import json

import pytest
from strict import chat, judge

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def whole(finish="stop", *, index=0, **message):
    message = {"role": "assistant", "content": "x", "refusal": None, **message}
    return {"id": "a", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": index, "finish_reason": finish, "logprobs": None, "message": message}]}


@pytest.mark.parametrize("answer, rules", [
    (whole(), set()),
    (whole("tool_calls", tool_calls=[CALL]), set()),
    (whole("length", tool_calls=[CALL]), set()),
    (whole("over"), {"shape"}),
    (whole(index=1), {"choices"}),
    (whole(tool_calls=[]), {"calls-empty"}),
    (whole(tool_calls=[CALL]), {"finish"}),
    (whole("tool_calls"), {"finish"}),
    (whole("tool_calls", tool_calls=[CALL, CALL]), {"call-id"}),
    (whole("tool_calls", tool_calls=[CALL | {"id": "c" * 41}]), {"call-id"}),
    (whole("tool_calls", tool_calls=[CALL | {"function": {"name": "f", "arguments": "[1]"}}]), {"call-arguments"}),
    (whole("tool_calls", tool_calls=[CALL | {"function": {"name": "f", "arguments": "{"}}]), {"call-arguments"}),
])
def test_answer(answer, rules):
    assert {f.partition(":")[0] for f in chat.answer_faults(answer)} == rules


def chunk(finish=None, *, index=0, **delta):
    return {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def usage(choices=()):
    counts = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return chunk() | {"choices": list(choices), "usage": counts}


def piece(index=0, **more):
    return {"index": index, **more}


ROLE, END = chunk(role="assistant", content=""), chunk("stop")
BEGIN = chunk(tool_calls=[piece(id="call_1", type="function", function={"name": "f", "arguments": ""})])
REST = chunk(tool_calls=[piece(function={"arguments": "{}"})])
CALLED = chunk("tool_calls")
ERROR = {"error": {"message": "m", "type": "t", "param": None, "code": None}}


def stream(*events):
    return "".join(f"data: {json.dumps(e) if e else '[DONE]'}\n\n" for e in events)


STREAMS = [
    ([ROLE, chunk(content="x"), END, None], set()),
    ([ROLE, BEGIN, REST, CALLED, None], set()),
    ([ROLE, chunk(content="x"), ERROR], set()),
    ([ROLE, chunk(role="assistant", index=1), END, chunk("stop", index=1), None], set()),
    ([ROLE, END], {"end"}),
    ([ROLE, END, None, None], {"end"}),
    ([ROLE, ERROR, END], {"end"}),
    ([ROLE, {"error": {}}], {"shape"}),
    ([ROLE, END | {"extra": 1}, None], {"shape", "finish"}),
    ([ROLE, None], {"finish"}),
    ([ROLE, END, END, None], {"finish"}),
    ([ROLE, CALLED, None], {"finish"}),
    ([ROLE, BEGIN, REST, END, None], {"finish"}),
    ([chunk(content="x"), END, None], {"role"}),
    ([ROLE, ROLE, END, None], {"role"}),
    ([ROLE, END | {"id": "b"}, None], {"identity"}),
    ([ROLE, chunk(tool_calls=[piece(1, id="c", type="function", function={"name": "f"})]), END, None], {"call-index"}),
    ([ROLE, chunk(tool_calls=[piece(id="c", function={"name": "f"})]), REST, CALLED, None], {"call-begin"}),
    ([ROLE, BEGIN, chunk(tool_calls=[piece(id="call_1", function={"arguments": "{}"})]), CALLED, None], {"call-begin"}),
    ([ROLE, BEGIN, CALLED, None], {"call-arguments"}),
]


@pytest.mark.parametrize("events, rules", STREAMS)
def test_stream(events, rules):
    assert {f.partition(":")[0] for f in chat.stream_faults(stream(*events))} == rules


@pytest.mark.parametrize("events, wanted, rules", [
    ([ROLE, END, usage(), None], True, set()),
    ([ROLE, END, None], False, set()),
    ([ROLE, END, usage(), None], None, set()),
    ([ROLE, END, usage(), None], False, {"usage"}),
    ([ROLE, END, None], True, {"usage"}),
    ([ROLE, END, usage(), usage(), None], True, {"usage"}),
    ([ROLE, usage(END["choices"]), None], True, {"usage"}),
])
def test_usage(events, wanted, rules):
    assert {f.partition(":")[0] for f in chat.stream_faults(stream(*events), True, wanted)} == rules


def test_a_cut_stream_has_no_end():
    assert chat.stream_faults(stream(ROLE, chunk(content="x")), complete=False) == []
    assert chat.stream_faults(stream(ROLE)[:-9], complete=False) != []


def test_event_form():
    for text in ("data: {}\ndata: {}\n\n", "event: x\n\n", "data: {\n\n", "data:{}\n\n"):
        assert {f.partition(":")[0] for f in chat.stream_faults(text, False)} == {"event"}
    assert chat.stream_faults(": a comment\n\n" + stream(ROLE, END, None)) == []


BODY = '{"contents":[{"parts":[{"text":"x"}]}]}'


@pytest.mark.parametrize("target, text, rules", [
    ("/v1beta/models/gemini-3.8-flash:generateContent", BODY, []),
    ("/v1beta/models/gemini-3.8-flash:generateContent", "{}", ["contents"]),
    ("/v1beta/models/gemini-3.8-flash:generateContent", "[]", ["shape"]),
    ("/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse", "{", ["shape"]),
    ("/v1beta/models/gemini-4-argon:streamGenerateContent", BODY[:-1] + ',"generationConfig":{"candidateCount":2}}',
     ["generation-candidates"]),
    ("/v1/models/gemini-3.8-flash:countTokens", '{"generateContentRequest":{}}', ["contents"]),
    ("/v1beta/models/gemini-embedding-2:batchEmbedContents", '{"requests":[]}', ["embed-number"]),
    ("/v1beta/models/gemini-embedding-2:embedContent", '{"x":1}', ["shape"]),
    ("/v1beta/files", "nothing", []),
])
def test_upstream(target, text, rules):
    assert [f.partition(":")[0] for f in judge.upstream(target, text)] == rules


VECTORS = {"object": "list", "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1},
           "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}


@pytest.mark.parametrize("status, text, faults", [
    (200, json.dumps(VECTORS), 0),
    (200, json.dumps(VECTORS | {"data": [{"object": "embedding", "index": 0, "embedding": "AAAA"}]}), 0),
    (200, json.dumps(VECTORS | {"data": [{"object": "embedding", "embedding": [0.5]}]}), 1),
    (200, json.dumps(VECTORS | {"more": 1}), 1),
    (400, json.dumps(ERROR), 0),
    (400, json.dumps(VECTORS), 5),
    (200, "[", 1),
])
def test_embeddings(status, text, faults):
    assert len(judge.embeddings(status, "application/json", text)) == faults


@pytest.mark.parametrize("status, kind, text, faults", [
    (200, "application/json", json.dumps(whole()), 0),
    (200, "text/event-stream", stream(ROLE, END, None), 0),
    (404, "application/json", json.dumps(ERROR), 0),
    (404, "application/json", json.dumps({"error": {"message": "m"}}), 3),
    (200, "application/json", json.dumps(ERROR), 6),
    (200, "text/html", "<html>", 1),
    (500, "text/event-stream", stream(ERROR), 1),
])
def test_downstream(status, kind, text, faults):
    assert len(judge.downstream(status, kind, text)) == faults
