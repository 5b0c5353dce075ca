# SPDX-License-Identifier: MIT
"""Answers of Anthropic's messages protocol, held to what its reference and its SDKs' types have.

There is no schema of it to read, so the members are written down here: those that are required, and those that may be there.
A fault is a text, `rule: …`.
"""
import json
import re

TEXT, NUMBER, OBJECT, LIST = str, int, dict, list
NULL = type(None)
BOOL = bool

STOPS = {"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"}
CATEGORIES = {"cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms", None}
ERRORS = {"invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
          "conflict_error", "request_too_large", "rate_limit_error", "api_error", "timeout_error", "overloaded_error"}
STATUS = {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
          404: "not_found_error", 405: "invalid_request_error", 413: "request_too_large", 429: "rate_limit_error",
          500: "api_error", 502: "api_error", 503: "api_error", 504: "timeout_error", 529: "overloaded_error"}
ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")

# member: (types, whether it must be there)
USAGE = {"input_tokens": (NUMBER, True), "output_tokens": (NUMBER, True), "cache_creation_input_tokens": ((NUMBER, NULL), True),
         "cache_read_input_tokens": ((NUMBER, NULL), True), "cache_creation": ((OBJECT, NULL), False),
         "server_tool_use": ((OBJECT, NULL), False), "service_tier": ((TEXT, NULL), False),
         "output_tokens_details": ((OBJECT, NULL), False), "inference_geo": ((TEXT, NULL), False), "speed": ((TEXT, NULL), False)}
STOP = {"stop_reason": ((TEXT, NULL), True), "stop_sequence": ((TEXT, NULL), True), "stop_details": ((OBJECT, NULL), False)}
MESSAGE = {"id": (TEXT, True), "type": (TEXT, True), "role": (TEXT, True), "model": (TEXT, True), "content": (LIST, True),
           "usage": (OBJECT, True), "container": ((OBJECT, NULL), False), **STOP}
DETAILS = {"type": (TEXT, True), "category": ((TEXT, NULL), True), "explanation": ((TEXT, NULL), True)}
USE = {"type": (TEXT, True), "id": (TEXT, True), "name": (TEXT, True), "input": (OBJECT, True)}
BLOCKS = {
    "text": {"type": (TEXT, True), "text": (TEXT, True), "citations": ((LIST, NULL), False)},
    "thinking": {"type": (TEXT, True), "thinking": (TEXT, True), "signature": (TEXT, True)},
    "redacted_thinking": {"type": (TEXT, True), "data": (TEXT, True)},
    "tool_use": USE,
    "server_tool_use": USE,
    "web_search_tool_result": {"type": (TEXT, True), "tool_use_id": (TEXT, True), "content": ((LIST, OBJECT), True)},
    "code_execution_tool_result": {"type": (TEXT, True), "tool_use_id": (TEXT, True), "content": (OBJECT, True)},
}
PREFIXES = {"tool_use": "toolu_", "server_tool_use": "srvtoolu_"}
CITATION = {"type": (TEXT, True), "cited_text": (TEXT, True), "url": (TEXT, True), "title": ((TEXT, NULL), True),
            "encrypted_index": (TEXT, True)}
RESULT = {"type": (TEXT, True), "url": (TEXT, True), "title": (TEXT, True), "encrypted_content": (TEXT, True),
          "page_age": ((TEXT, NULL), True)}
CODE = {"type": (TEXT, True), "stdout": (TEXT, True), "stderr": (TEXT, True), "return_code": (NUMBER, True), "content": (LIST, True)}
EVENTS = {
    "message_start": {"message": (OBJECT, True)},
    "content_block_start": {"index": (NUMBER, True), "content_block": (OBJECT, True)},
    "content_block_delta": {"index": (NUMBER, True), "delta": (OBJECT, True)},
    "content_block_stop": {"index": (NUMBER, True)},
    "message_delta": {"delta": (OBJECT, True), "usage": (OBJECT, True)},
    "message_stop": {},
    "ping": {},
    "error": {"error": (OBJECT, True)},
}
DELTAS = {"text_delta": ("text", TEXT, "text"), "input_json_delta": ("partial_json", TEXT, "use"),
          "thinking_delta": ("thinking", TEXT, "thinking"), "signature_delta": ("signature", TEXT, "thinking"),
          "citations_delta": ("citation", OBJECT, "text")}


def shape(where, value, members):
    if not isinstance(value, dict):
        return [f"shape: {where} is no object"]
    out = [f"shape: {where}.{name} is unknown" for name in value if name not in members]
    for name, (types, required) in members.items():
        if name not in value:
            out += [f"shape: {where}.{name} is missing"] if required else []
        elif not isinstance(value[name], types) or (value[name] is True or value[name] is False) and types is NUMBER:
            out.append(f"shape: {where}.{name} is {value[name]!r}")
    return out


def usage_faults(where, usage):
    out = shape(where, usage, USAGE)
    return out or [f"usage: {where}.{name} is negative" for name, n in usage.items() if isinstance(n, int) and n < 0]


def stop_faults(stop, content):
    """`content`: the whole blocks; None: not at the end."""
    reason, details = stop["stop_reason"], stop.get("stop_details")
    if content is None:
        if reason is not None or details is not None:
            yield f"stop: {reason!r} at the beginning"
        return
    if reason not in STOPS:
        yield f"stop: {reason!r}"
    if (details is not None) != (reason == "refusal"):
        yield f"stop: {reason!r} with the details {details!r}"
    if details is not None:
        yield from shape("stop_details", details, DETAILS)
        if details.get("type") != "refusal" or details.get("category") not in CATEGORIES:
            yield f"stop: {details!r}"
    called = any(b.get("type") == "tool_use" for b in content)
    if called != (reason == "tool_use") and reason not in ("max_tokens", "refusal"):
        yield f"stop: {reason!r} with{'' if called else 'out'} a call"
    if (reason == "stop_sequence") != (stop["stop_sequence"] is not None):
        yield f"stop: {reason!r} with {stop['stop_sequence']!r}"


def block_faults(where, block, whole=True):
    kind = block.get("type") if isinstance(block, dict) else None
    if kind not in BLOCKS:
        return [f"block: {where} is of the type {kind!r}"]
    out = shape(where, block, BLOCKS[kind])
    if out:
        return out
    if kind in PREFIXES and (not block["id"].startswith(PREFIXES[kind]) or not ID.fullmatch(block["id"])):
        out.append(f"id: {where}: {block['id']!r}")
    if whole and kind == "text" and not block["text"]:
        out.append(f"block: {where} has no text")
    for i, one in enumerate(block.get("citations") or []):
        out += shape(f"{where}.citations[{i}]", one, CITATION)
    if kind == "web_search_tool_result":
        for i, one in enumerate(block["content"]):
            out += shape(f"{where}.content[{i}]", one, RESULT)
    if kind == "code_execution_tool_result":
        out += shape(f"{where}.content", block["content"], CODE)
    return out


def content_faults(content):
    out = [f for i, b in enumerate(content) for f in block_faults(f"content[{i}]", b)]
    if out:
        return out
    ids = [b["id"] for b in content if "id" in b]
    out += ["id: one twice"] if len(set(ids)) < len(ids) else []
    for i, block in enumerate(content):
        if "tool_use_id" in block and (i == 0 or content[i - 1].get("id") != block["tool_use_id"]):
            out.append(f"id: content[{i}] is no result of the block before")
    return out


def answer_faults(answer, start=False):
    """Of a message; `start`: that of message_start."""
    out = shape("message", answer, MESSAGE)
    if out:
        return out
    if (answer["type"], answer["role"]) != ("message", "assistant"):
        out.append("shape: no message of an assistant")
    if not answer["id"].startswith("msg_") or len(answer["id"]) <= 4:
        out.append(f"id: {answer['id']!r}")
    out += usage_faults("usage", answer["usage"]) + content_faults(answer["content"])
    if start and answer["content"]:
        out.append("start: it has content")
    return out or list(stop_faults(answer, None if start else answer["content"]))


def error_faults(answer, status=None, inside=False):
    """Of an error; `inside`: in a stream."""
    out = shape("error", answer, {"type": (TEXT, True), "error": (OBJECT, True),
                                  **({} if inside else {"request_id": (TEXT, True)})})
    if out:
        return out
    out = shape("error.error", answer["error"], {"type": (TEXT, True), "message": (TEXT, True), "details": (OBJECT, False)})
    if out:
        return out
    kind = answer["error"]["type"]
    if answer["type"] != "error" or kind not in ERRORS or not answer["error"]["message"]:
        out.append(f"error: {answer!r}")
    if status is not None and kind != STATUS.get(status, "invalid_request_error" if status < 500 else "api_error"):
        out.append(f"error: {kind} with {status}")
    return out


class Stream:
    """A stream as far as it has been read: what may come next."""

    def __init__(self):
        self.started = self.ended = self.failed = self.stopped = False
        self.content, self.open, self.input = [], None, ""

    def take(self, kind, event):
        if kind != event.get("type"):
            yield f"event: {kind!r} has the type {event.get('type')!r}"
        if kind not in EVENTS:
            yield f"event: {kind!r}"
            return
        if self.ended or self.failed:
            yield f"order: {kind} behind the end"
        if not self.started and kind not in ("message_start", "ping", "error"):
            yield f"order: {kind} before message_start"
        if kind == "error":
            self.failed = True
            yield from error_faults(event, inside=True)
            return
        faults = shape(kind, event, {"type": (TEXT, True), **EVENTS[kind]})
        yield from faults
        if not faults and kind != "ping":
            yield from getattr(self, kind)(event)

    def message_start(self, event):
        if self.started:
            yield "order: two of message_start"
        self.started = True
        yield from answer_faults(event["message"], start=True)

    def content_block_start(self, event):
        block = event["content_block"]
        if self.open is not None or self.stopped:
            yield "order: a block within another, or behind message_delta"
        if event["index"] != len(self.content):
            yield f"index: {event['index']} behind {len(self.content)} blocks"
        yield from block_faults("content_block", block, whole=False)
        if block.get("type") in ("text", "thinking") and (block.get("text") or block.get("thinking")):
            yield "start: the block has text"
        if "input" in block and block["input"]:
            yield "start: the block has input"
        self.open, self.input = dict(block), ""
        self.content.append(self.open)

    def content_block_delta(self, event):
        delta = event["delta"]
        name, kind, of = DELTAS.get(delta.get("type"), (None, None, None))
        if self.open is None or event["index"] != len(self.content) - 1 or name is None:
            yield f"delta: {delta.get('type')!r} of no open block"
            return
        yield from shape("delta", delta, {"type": (TEXT, True), name: (kind, True)})
        if of != ("use" if "input" in self.open else self.open["type"]):
            yield f"delta: {delta['type']} of a block {self.open['type']}"
        elif of == "use":
            self.input += delta[name]
        elif name == "citation":
            yield from shape("citation", delta[name], CITATION)
        elif name == "signature" and (self.open["signature"] or not delta[name]):
            yield "delta: a second signature, or none"
        else:
            self.open[name] += delta[name]

    def content_block_stop(self, event):
        if self.open is None or event["index"] != len(self.content) - 1:
            yield "order: content_block_stop of no open block"
            return
        if "input" in self.open:
            try:
                self.open["input"] = json.loads(self.input or "{}")
            except ValueError:
                yield f"input: {self.input[:80]!r}"
        self.open = None

    def message_delta(self, event):
        if self.open is not None or self.stopped:
            yield "order: message_delta within a block, or twice"
        self.stopped = True
        yield from usage_faults("usage", event["usage"])
        faults = shape("delta", event["delta"], STOP)
        yield from faults or [*content_faults(self.content), *stop_faults(event["delta"], self.content)]

    def message_stop(self, _event):
        if not self.stopped:
            yield "order: message_stop before message_delta"
        self.ended = True


def events_of(text):
    """(name, event) of each; what cannot be read is (name, None)."""
    for one in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in one.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        name = lines[0].removeprefix("event: ")
        data = lines[1].removeprefix("data: ") if len(lines) == 2 else ""
        try:
            event = json.loads(data)
        except ValueError:
            event = None
        yield name, event if isinstance(event, dict) and lines[0] != name else None


def stream_faults(text, complete=True):
    """`complete`: HTTP ended well."""
    out, stream = [], Stream()
    for name, event in events_of(text):
        out += [f"event: {name[:80]!r} is not two lines, event and data"] if event is None else stream.take(name, event)
    if complete and not stream.ended and not stream.failed:
        out.append("end: neither message_stop nor an error")
    return out


def count_faults(answer):
    return shape("count", answer, {"input_tokens": (NUMBER, True)})


def judged(status, kind, text, complete=True, request=None, whole=answer_faults):
    """The faults of an answer to POST /v1/messages; `whole` reads one in one piece."""
    if kind.startswith("text/event-stream"):
        return stream_faults(text, complete) if status == 200 else [f"shape: a stream with {status}"]
    if not complete:
        return []
    try:
        answer = json.loads(text)
    except ValueError:
        return ["shape: no JSON"]
    return whole(answer) if status == 200 else error_faults(answer, status)


def counted(status, kind, text, complete=True, request=None):
    """The same of count_tokens."""
    return judged(status, kind, text, complete, request, count_faults)
