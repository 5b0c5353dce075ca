# SPDX-License-Identifier: MIT
"""The requests of a benchmark: the same question in each client's form, and in Gemini's."""

import dataclasses
import json
import pathlib

QUESTION = "Say in one sentence what a proxy is."
FILLER = "a proxy stands between a client and a server; "
TOOL_NAME = "find_flight"
TOOL_SCHEMA = {"type": "object", "properties": {
    "from": {"type": "string"}, "to": {"type": "string"}, "seats": {"type": "integer"}}}

# What a client asks for, as the tables name it.
KINDS = {"chat": "chat completion", "tools": "tool call", "native": "native", "responses": "Responses",
         "anthropic": "Anthropic"}
# What the last event of a stream holds.
ENDS = {"chat": "[DONE]", "tools": "[DONE]", "native": "finishReason", "responses": "response.completed",
        "anthropic": "message_stop"}


@dataclasses.dataclass(frozen=True)
class Ask:
    path: str
    body: dict
    headers: dict[str, str]
    end: str  # "" unless the answer is a stream

    def content(self) -> bytes:
        return json.dumps(self.body).encode()

    def request(self, port: int) -> bytes:
        """The bytes of one HTTP request."""
        content = self.content()
        head = [f"POST {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(content)}"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + content

    def write_request(self, file: pathlib.Path, port: int) -> pathlib.Path:
        file.write_bytes(self.request(port))
        return file

    def write_body(self, file: pathlib.Path) -> pathlib.Path:
        file.write_bytes(self.content())
        return file


def question(size: int) -> str:
    """A text with which Gemini's form of the request has about `size` bytes; 0 is the plain question."""
    room = size - len(json.dumps(gemini("", False))) - len(QUESTION)
    return (FILLER * (room // len(FILLER) + 1))[:room] + QUESTION if room > 0 else QUESTION


def gemini(text: str, tool: bool) -> dict:
    body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    if tool:
        body["tools"] = [{"functionDeclarations": [{"name": TOOL_NAME, "parameters": TOOL_SCHEMA}]}]
    return body


def openai(text: str, tool: bool) -> dict:
    body = {"messages": [{"role": "user", "content": text}]}
    if tool:
        body["tools"] = [{"type": "function", "function": {"name": TOOL_NAME, "parameters": TOOL_SCHEMA}}]
    return body


def ask(kind: str, model: str, headers: dict[str, str], size: int = 0, stream: bool = False) -> Ask:
    """`headers` are those that prove who asks."""
    text = question(size)
    headers = {"Content-Type": "application/json"} | headers
    end = ENDS[kind] if stream else ""
    if kind == "native":
        return gemini_ask(model, headers, text, False, stream)
    body = {"model": model} | ({"stream": True} if stream else {})
    if kind in ("chat", "tools"):
        return Ask("/v1/chat/completions", body | openai(text, kind == "tools"), headers, end)
    if kind == "responses":
        return Ask("/v1/responses", body | {"input": text}, headers, end)
    return Ask("/v1/messages", body | {"max_tokens": 1000, "messages": [{"role": "user", "content": text}]},
               headers | {"anthropic-version": "2023-06-01"}, end)


def gemini_ask(model: str, headers: dict[str, str], text: str, tool: bool, stream: bool) -> Ask:
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return Ask(f"/v1beta/models/{model}:{method}", gemini(text, tool), headers, ENDS["native"] if stream else "")


def upstream_ask(kind: str, model: str, key: str, size: int = 0, stream: bool = False) -> Ask:
    """The same as Gemini gets it, for what passes it on as it is."""
    headers = {"Content-Type": "application/json", "x-goog-api-key": key}
    return gemini_ask(model, headers, question(size), kind == "tools", stream)
