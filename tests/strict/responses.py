# SPDX-License-Identifier: MIT
"""Answers of OpenAI's Responses API: what the SDKs and Codex build on, beyond the shape of each object."""
import json

from strict.shape import schemas

ID_MAX = 64
ENDS = {"response.completed": "completed", "response.incomplete": "incomplete", "response.failed": "failed"}
# The events that add to a member of an item, and the one that repeats it.
GROWING = {
    "response.output_text.delta": "response.output_text.done",
    "response.reasoning_summary_text.delta": "response.reasoning_summary_text.done",
    "response.function_call_arguments.delta": "response.function_call_arguments.done",
    "response.custom_tool_call_input.delta": "response.custom_tool_call_input.done",
    "response.code_interpreter_call_code.delta": "response.code_interpreter_call_code.done",
}
MEMBERS = ("text", "arguments", "input", "code")


def item_faults(where, items):
    """`items`: a whole output."""
    ids = [item.get("id") for item in items]
    calls = [item["call_id"] for item in items if item.get("call_id")]
    if not all(ids) or len(set(ids)) < len(ids):
        yield f"item-id: {where}: missing or twice"
    if len(set(calls)) < len(calls):
        yield f"call-id: {where}: one id twice"
    for item in items:
        if len(item.get("id") or "") > ID_MAX or len(item.get("call_id") or "") > ID_MAX:
            yield f"item-id: {where}: too long"
        if item["type"] == "function_call":
            try:
                arguments = json.loads(item["arguments"])
            except ValueError:
                arguments = None
            if not isinstance(arguments, dict):
                yield f"call-arguments: {where}: no JSON object"


def answer_faults(answer):
    """Of a response that has ended."""
    out = ["shape: " + f for f in schemas("openai").faults("Response", answer)]
    if out:
        return out
    out += item_faults("output", answer["output"])
    if answer["status"] not in ENDS.values():
        out.append(f"status: {answer['status']}")
    if answer["status"] == "completed" and not any(i["type"] != "reasoning" for i in answer["output"]):
        out.append("output: complete, and without an answer")
    if (answer["status"] == "incomplete") != (answer["incomplete_details"] is not None):
        out.append("incomplete_details: not as the status")
    if (answer["status"] == "failed") != (answer["error"] is not None):
        out.append("error: not as the status")
    if "usage" not in answer:
        out.append("usage: missing")
    return out


def objects(text):
    """(events, faults): each event is two lines, its type and its data."""
    events, faults = [], []
    for event in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in event.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        if len(lines) != 2 or not lines[0].startswith("event: ") or not lines[1].startswith("data: "):
            faults.append(f"event: {event[:80]!r} is not a type and a line of data")
            continue
        try:
            data = json.loads(lines[1].removeprefix("data: "))
        except ValueError:
            faults.append(f"event: {lines[1][:80]!r} is not JSON")
            continue
        if data.get("type") != lines[0].removeprefix("event: "):
            faults.append(f"event: {lines[0]!r} with the data of {data.get('type')!r}")
        events.append(data)
    return events, faults


class Stream:
    """A stream, as an SDK puts it together."""

    def __init__(self):
        self.done, self.open, self.parts, self.grown, self.ended = [], None, 0, "", None

    def take(self, e):
        kind = e["type"]
        if self.ended:
            yield f"end: {kind} behind it"
        if kind == "response.output_item.added":
            if self.open or e["output_index"] != len(self.done):
                yield f"order: item {e['output_index']} is added behind {len(self.done)}"
            self.open, self.parts, self.grown = e["item"], 0, ""
        elif kind == "response.output_item.done":
            yield from self.take_done(e)
        elif kind in ENDS:
            yield from self.take_end(e)
        elif "item_id" in e:
            yield from self.take_inside(e)

    def take_done(self, e):
        if not self.open or e["item"]["id"] != self.open["id"] or e["item"]["type"] != self.open["type"]:
            yield "order: an item is done that is not open"
        if e["output_index"] != len(self.done):
            yield "order: output_index of an item that is done"
        self.done.append(e["item"])
        self.open = None

    def take_inside(self, e):
        kind = e["type"]
        if not self.open or e["item_id"] != self.open["id"] or e["output_index"] != len(self.done):
            yield f"order: {kind} of an item that is not open"
        if kind in ("response.content_part.added", "response.reasoning_summary_part.added"):
            self.parts += 1
        if kind in ("response.output_text.delta", "response.reasoning_summary_text.delta") and self.parts != 1:
            yield f"order: {kind} without its part"
        if kind in GROWING:
            self.grown += e["delta"]
        elif kind in GROWING.values():
            whole = next(e[m] for m in MEMBERS if m in e)
            if whole != self.grown:
                yield f"done: {kind}: {whole[:80]!r} instead of {self.grown[:80]!r}"

    def take_end(self, e):
        response = e["response"]
        self.ended = e["type"]
        if response["status"] != ENDS[e["type"]]:
            yield f"status: {response['status']} in {e['type']}"
        if e["type"] != "response.failed" and self.open:
            yield "end: an item is open"
        if response["output"] != self.done:
            yield "output: not the items of the events"
        yield from answer_faults(response)


def stream_faults(text, complete=True):
    """`complete`: HTTP ended well."""
    events, out = objects(text)
    stream, ids = Stream(), set()
    for i, e in enumerate(events):
        wrong = schemas("openai").faults("ResponseStreamEvent", e)
        if wrong:
            out += ["shape: " + f for f in schemas("openai").faults(event_name(e), e)] if event_name(e) else wrong
            continue
        if e["sequence_number"] != i:
            out.append(f"sequence: {e['sequence_number']} at {i}")
        if "response" in e:
            ids.add((e["response"]["id"], e["response"]["created_at"], e["response"]["model"]))
        out += stream.take(e)
    first = [e["type"] for e in events[:2]]
    if events and first != ["response.created", "response.in_progress"][: len(first)]:
        out.append(f"begin: {first}")
    if len(ids) > 1:
        out.append(f"identity: {len(ids)} of id, created_at and model")
    if complete and not stream.ended:
        out.append("end: there is none")
    return out


def event_name(e):
    """The name of the schema of this event; None: there is none."""
    for name, schema in schemas("openai").schemas.items():
        kind = schema.get("properties", {}).get("type", {}) if name.endswith("Event") else {}
        if e.get("type") in kind.get("enum", []):
            return name
    return None


def downstream(status, kind, text, complete=True, request=None):
    """The faults of an answer to POST /v1/responses."""
    if kind.startswith("text/event-stream"):
        return stream_faults(text, complete) if status == 200 else ["shape: a stream"]
    if not complete:
        return []
    try:
        answer = json.loads(text)
    except ValueError:
        return ["shape: no JSON"]
    if status == 200:
        return answer_faults(answer)
    return ["shape: " + f for f in schemas("openai").faults("ErrorResponse", answer)]
