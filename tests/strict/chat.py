# SPDX-License-Identifier: MIT
"""Answers of OpenAI's chat protocol: what the SDKs build on, beyond the shape of each object."""
import json

from strict.shape import schemas

ID_MAX = 40  # of a tool call's id: OpenAI refuses a longer one when it comes back
CALLED = ("tool_calls", "length", "content_filter", "function_call")


def objects(text):
    """(events, faults) of an event stream: each event is one line `data: …`."""
    events, faults = [], []
    for event in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in event.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        data = lines[0].removeprefix("data: ")
        if len(lines) > 1 or data == lines[0]:
            faults.append(f"event: {event[:80]!r} is not one line of data")
        elif data == "[DONE]":
            events.append(None)
        else:
            try:
                events.append(json.loads(data))
            except ValueError:
                faults.append(f"event: {data[:80]!r} is not JSON")
    return events, faults


def call_faults(where, calls, finish):
    """`calls`: whole ones, as a message has them."""
    if calls == []:
        yield f"calls-empty: {where}"
    ids = [c.get("id") for c in calls or []]
    if len(set(ids)) < len(ids):
        yield f"call-id: {where}: one id twice"
    for call in calls or []:
        if not call.get("id") or len(call["id"]) > ID_MAX:
            yield f"call-id: {where}: {call.get('id')!r}"
        if call.get("type") != "function":
            continue
        try:
            arguments = json.loads(call["function"]["arguments"])
        except (KeyError, TypeError, ValueError):
            arguments = None
        if not isinstance(arguments, dict):
            yield f"call-arguments: {where}: no JSON object"
    if calls and finish not in CALLED:
        yield f"finish: {where}: {finish!r} with tool calls"
    if not calls and finish == "tool_calls":
        yield f"finish: {where}: tool_calls without one"


def answer_faults(answer):
    """Of a chat.completion."""
    out = ["shape: " + f for f in schemas("openai").faults("CreateChatCompletionResponse", answer)]
    if out:
        return out
    if [c["index"] for c in answer["choices"]] != list(range(len(answer["choices"]))):
        out.append("choices: not in order")
    for choice in answer["choices"]:
        out += call_faults(f"choices[{choice['index']}]", choice["message"].get("tool_calls"),
                           choice["finish_reason"])
    return out


class Choice:
    """One choice of a stream, as an SDK puts it together."""

    def __init__(self, index):
        self.where, self.calls, self.finish, self.begun = f"choices[{index}]", [], None, False

    def take(self, choice):
        delta = choice["delta"]
        if self.finish:
            yield f"finish: {self.where}: more behind it"
        if ("role" in delta) == self.begun:
            yield f"role: {self.where}: the first delta has it, and no other"
        self.begun = True
        for piece in delta.get("tool_calls", []):
            yield from self.take_call(piece)
        self.finish = self.finish or choice["finish_reason"]

    def take_call(self, piece):
        index = piece["index"]
        if index == len(self.calls):
            kind = piece.get("type")
            if not piece.get("id") or kind not in ("function", "custom") or not piece.get(kind, {}).get("name"):
                yield f"call-begin: {self.where}: id, type and name come first"
            self.calls.append({"id": piece.get("id"), "type": kind, "function": {"arguments": ""}})
        elif index > len(self.calls):
            yield f"call-index: {self.where}: {index} behind {len(self.calls)} calls"
            return
        elif "id" in piece or "type" in piece or "name" in piece.get("function", {}):
            yield f"call-begin: {self.where}: id, type and name come once"
        self.calls[index]["function"]["arguments"] += piece.get("function", {}).get("arguments", "")

    def end(self):
        yield from call_faults(self.where, self.calls or None, self.finish)


def end_faults(events, choices, usage_wanted):
    """Of a stream whose HTTP body is complete."""
    if not events or events[-1] is not None:
        yield "end: neither [DONE] nor an error"
    for choice in choices.values():
        if not choice.finish:
            yield f"finish: {choice.where} has none"
        yield from choice.end()
    with_usage = [e for e in events if e and e.get("usage")]
    if usage_wanted and (len(with_usage) != 1 or with_usage[0]["choices"]):
        yield f"usage: {len(with_usage)} chunks have it"
    if usage_wanted is False and with_usage:
        yield "usage: not asked for"


def stream_faults(text, complete=True, usage_wanted=None):
    """`complete`: HTTP ended well. `usage_wanted`: stream_options.include_usage; None: not known."""
    events, out = objects(text)
    identities, choices = set(), {}
    failed = any(e and "error" in e for e in events)
    for i, event in enumerate(events):
        if event is None or "error" in event:
            out += ["shape: " + f for f in schemas("openai").faults("ErrorResponse", event)] if event else []
            if i != len(events) - 1:
                out.append("end: more behind it")
            continue
        wrong = schemas("openai").faults("CreateChatCompletionStreamResponse", event)
        out += ["shape: " + f for f in wrong]
        if wrong:
            continue
        identities.add((event["id"], event["created"], event["model"]))
        for choice in event["choices"]:
            out += choices.setdefault(choice["index"], Choice(choice["index"])).take(choice)
    if len(identities) > 1:
        out.append(f"identity: {len(identities)} of id, created and model")
    if complete and not failed:
        out += end_faults(events, choices, usage_wanted)
    return out
