# SPDX-License-Identifier: MIT
"""One request to the simulator, as a client of Gemini's would send it."""
import json

import http1

MODEL = "gemini-3.8-flash"


def hello(text="Hi there", **more):
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


def connect(sim, **kw):
    return http1.Connection(("127.0.0.1", sim.port), **kw)


def target(verb, model=MODEL, query=""):
    return f"/v1beta/models/{model}:{verb}{query}"


def request(verb="generateContent", body=None, model=MODEL, key="K1", headers=(), alt="sse"):
    query = f"?alt={alt}" if alt and verb.startswith("stream") else ""
    if not isinstance(body, bytes):
        body = json.dumps(hello() if body is None else body).encode()
    headers = [*headers, *([("x-goog-api-key", key)] if key else [])]
    return http1.compose("POST", target(verb, model, query), headers, body)


def ask(sim, verb="generateContent", body=None, **kw):
    """(answer, its JSON); None and None if the connection was closed without an answer."""
    with connect(sim) as c:
        c.send(request(verb, body, **kw))
        answer = c.read("POST")
    return answer, _json(answer)


def get(sim, path, headers=(("x-goog-api-key", "K1"),)):
    with connect(sim) as c:
        c.send(http1.compose("GET", path, list(headers)))
        answer = c.read("GET")
    return answer, _json(answer)


def _json(answer):
    try:
        return json.loads(answer.body)
    except (AttributeError, ValueError):
        return None


def events(answer):
    """The events of a stream, as Google sends them."""
    pieces = answer.body.split(b"\r\n\r\n")
    assert pieces.pop() == b"", "the last event has no end"
    assert all(p.startswith(b"data: ") for p in pieces)
    return [json.loads(p[6:]) for p in pieces]


def text_of(response):
    parts = response["candidates"][0].get("content", {}).get("parts", [])
    return "".join(p.get("text", "") for p in parts if not p.get("thought"))
