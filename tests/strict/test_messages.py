# SPDX-License-Identifier: MIT
"""Each rule of a messages answer finds the answer that breaks it."""
import json

import pytest
from strict import messages

USAGE = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
TEXT = {"type": "text", "text": "x"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
SERVER = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
REFUSED = {"type": "refusal", "category": None, "explanation": "x"}


def whole(*content, reason="end_turn", **more):
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": list(content),
            "stop_reason": reason, "stop_sequence": None, "usage": USAGE, **more}


@pytest.mark.parametrize("answer, rules", [
    (whole(TEXT), set()),
    (whole(), set()),
    (whole(USE, reason="tool_use"), set()),
    (whole(USE, reason="max_tokens"), set()),
    (whole(SERVER, FOUND, TEXT), set()),
    (whole(reason="refusal", stop_details=REFUSED), set()),
    (whole(TEXT, more=1), {"shape"}),
    (whole(TEXT, id="1"), {"id"}),
    (whole(TEXT, usage={}), {"shape"}),
    (whole(TEXT, usage={**USAGE, "input_tokens": -1}), {"usage"}),
    (whole(TEXT, reason="stop"), {"stop"}),
    (whole(TEXT, reason="tool_use"), {"stop"}),
    (whole(USE), {"stop"}),
    (whole(reason="refusal"), {"stop"}),
    (whole(TEXT, stop_details=REFUSED), {"stop"}),
    (whole(reason="refusal", stop_details=REFUSED | {"category": "x"}), {"stop"}),
    (whole(TEXT, stop_sequence="END"), {"stop"}),
    (whole({"type": "smell"}), {"block"}),
    (whole({"type": "text", "text": ""}), {"block"}),
    (whole({"type": "text"}), {"shape"}),
    (whole(USE, USE, reason="tool_use"), {"id"}),
    (whole(USE | {"id": "call_1"}, reason="tool_use"), {"id"}),
    (whole(USE | {"input": "{}"}, reason="tool_use"), {"shape"}),
    (whole(FOUND), {"id"}),
    (whole({"type": "thinking", "thinking": "x"}), {"shape"}),
    (whole(TEXT | {"citations": [{}]}), {"shape"}),
])
def test_answer(answer, rules):
    assert {f.partition(":")[0] for f in messages.answer_faults(answer)} == rules


def event(kind, **more):
    return kind, {"type": kind, **more}


def begin(i, block):
    return event("content_block_start", index=i, content_block=block)


def delta(i, **more):
    return event("content_block_delta", index=i, delta=more)


def end(i):
    return event("content_block_stop", index=i)


def stop(reason="end_turn"):
    return event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=USAGE)


START = event("message_start", message=whole(reason=None))
STOP, PING = event("message_stop"), event("ping")
X = [begin(0, {"type": "text", "text": ""}), delta(0, type="text_delta", text="x"), end(0)]
CALL = [begin(0, USE), delta(0, type="input_json_delta", partial_json="{}"), end(0)]
THOUGHT = [begin(0, {"type": "thinking", "thinking": "", "signature": ""}), delta(0, type="thinking_delta", thinking="x"),
           delta(0, type="signature_delta", signature="s"), end(0)]
ERROR = event("error", error={"type": "api_error", "message": "m"})


def text(*events):
    return "".join(f"event: {name}\ndata: {json.dumps(e)}\n\n" for name, e in events)


@pytest.mark.parametrize("events, rules", [
    ([START, PING, *X, stop(), STOP], set()),
    ([START, stop(), STOP], set()),
    ([START, *CALL, stop("tool_use"), STOP], set()),
    ([START, *THOUGHT, stop(), STOP], set()),
    ([START, *X, ERROR], set()),
    ([START, X[0], X[1], ERROR], set()),
    ([START, *X], {"end"}),
    ([START, *X, stop()], {"end"}),
    ([START, *X, STOP], {"order"}),
    ([*X, stop(), STOP], {"order"}),
    ([START, START, stop(), STOP], {"order"}),
    ([START, stop(), STOP, PING], {"order"}),
    ([START, *X, ERROR, STOP], {"order"}),
    ([START, *X, *X, stop(), STOP], {"index", "delta", "order", "block"}),
    ([START, X[0], X[1], stop(), STOP], {"order"}),
    ([START, X[0], end(1), stop(), STOP], {"order", "block"}),
    ([START, X[0], delta(0, type="input_json_delta", partial_json="{}"), X[1], end(0), stop(), STOP], {"delta"}),
    ([START, CALL[0], delta(0, type="input_json_delta", partial_json="{"), end(0), stop("tool_use"), STOP], {"input"}),
    ([START, begin(0, TEXT), end(0), stop(), STOP], {"start"}),
    ([START, *X, stop("tool_use"), STOP], {"stop"}),
    ([event("message_start", message=whole(TEXT, reason=None)), stop(), STOP], {"start"}),
    ([event("message_start", message=whole()), stop(), STOP], {"stop"}),
    ([START, ("ping", {"type": "pong"}), stop(), STOP], {"event"}),
    ([START, event("smell"), stop(), STOP], {"event"}),
])
def test_stream(events, rules):
    assert {f.partition(":")[0] for f in messages.stream_faults(text(*events))} == rules


def test_event_form():
    for bad in ("data: {}\n\n", "event: ping\n\n", "event: ping\ndata: {\n\n", "data: {\"type\":\"ping\"}\nevent: ping\n\n"):
        assert {f.partition(":")[0] for f in messages.stream_faults(bad, False)} == {"event"}
    assert messages.stream_faults(": a comment\n\n" + text(START, *X)[:-2], complete=False) == []


@pytest.mark.parametrize("status, answer, faults", [
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "m"}, "request_id": "r"}, 0),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "m"}, "request_id": "r"}, 0),
    (503, {"type": "error", "error": {"type": "overloaded_error", "message": "m"}, "request_id": "r"}, 1),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "m"}}, 1),
    (400, {"error": {"message": "m"}}, 2),
    (200, {"input_tokens": 1}, 0),
    (200, {"input_tokens": None}, 1),
])
def test_counted(status, answer, faults):
    assert len(messages.counted(status, "application/json", json.dumps(answer))) == faults


@pytest.mark.parametrize("status, kind, body, faults", [
    (200, "application/json", json.dumps(whole(TEXT)), 0),
    (200, "text/event-stream", text(START, *X, stop(), STOP), 0),
    (200, "application/json", "{", 1),
    (400, "text/event-stream", text(START), 1),
    (404, "application/json", json.dumps(whole(TEXT)), 9),
])
def test_judged(status, kind, body, faults):
    assert len(messages.judged(status, kind, body)) == faults
