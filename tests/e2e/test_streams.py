# SPDX-License-Identifier: MIT
"""How Gemini's answers end, byte by byte: what comes behind a complete answer, errors that are no events, a 200 that is no stream."""
import contextlib
import json
import socket
import threading

import pytest

from house import MASKS, SECRETS
from test_trace import lines_of

MODEL = "gemini-3.8-flash"
KEYS = json.dumps([SECRETS["KEY1"], SECRETS["KEY2"]])
ONE = json.dumps([SECRETS["KEY1"]])
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}


@contextlib.contextmanager
def upstream(respond):
    """A server whose answer to each request is respond(key), as bytes, and then the connection's end. Yields its URL."""
    s = socket.create_server(("127.0.0.1", 0))
    kept = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                c, _ = s.accept()
                kept.append(c)
                request = b""
                while b"\r\n\r\n" not in request and (more := c.recv(65536)):
                    request += more
                head, _, body = request.partition(b"\r\n\r\n")
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
                while len(body) < int(fields.get(b"content-length", 0)) and (more := c.recv(65536)):
                    body += more
                if b"x-goog-api-key" not in fields:  # a connection without a request
                    continue
                answer = respond(next(k for k, v in SECRETS.items() if v.lower().encode() == fields[b"x-goog-api-key"]))
                c.sendall(answer)
                if not answer.endswith(b"..."):
                    c.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{s.getsockname()[1]}"
    finally:
        s.shutdown(socket.SHUT_RDWR)
        s.close()
        thread.join()
        for c in kept:
            c.close()


def event(text=None, finish=None, index=0, **more):
    candidate = {"index": index}
    if text is not None:
        candidate["content"] = {"role": "model", "parts": [{"text": text}]}
    if finish:
        candidate["finishReason"] = finish
    return json.dumps({"candidates": [candidate], **more})


def sse(*events):
    return b"".join(b"data: %s\r\n\r\n" % e.encode() for e in events)


def http(body, type="text/event-stream", framing="chunked"):
    """An HTTP answer. framing: chunked, length, close; cut: chunks without the last; silent: the same, and nothing more comes."""
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + (b"Content-Type: %s\r\n" % type.encode() if type else b"")
    if framing == "length":
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    if framing == "close":
        return head + b"\r\n" + body
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + {"chunked": b"0\r\n\r\n", "cut": b"", "silent": b"..."}[framing]


def ask_chat(d, stream=True, id="mine", **more):
    body = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": "Hi"}], **more}
    return d.ask("POST", "/v1/chat/completions", [("x-request-id", id)], body)


def ask_native(d, stream=True, id="native", **more):
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], **more}
    return d.ask("POST", f"/v1beta/models/{MODEL}:{method}", [("x-request-id", id)], body)


def events_of(a):
    return [e.partition(b"data: ")[2].strip() for e in a.body.split(b"\n\n" if b"\r\n\r\n" not in a.body else b"\r\n\r\n") if e.strip()]


def text_of(a):
    """The text, and how it ended: the finish reason with [DONE], or the error's code."""
    text, end = "", None
    for e in events_of(a):
        if e == b"[DONE]":
            return text, end
        e = json.loads(e)
        if "error" in e:
            return text, e["error"]["code"]
        for c in e["choices"]:
            text += c["delta"].get("content") or ""
            end = c["finish_reason"] or end
    return text, "no end"


A, B = event("a"), event("b", "STOP", usageMetadata=USAGE)
WHOLE = sse(A, B)
DAY = {"error": {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED", "details": [
    {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
        {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "20"}]},
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "26s"}]}}  # fmt: skip
RAW = json.dumps(DAY, indent=2).encode()
OVERLOADED = json.dumps({"error": {"code": 503, "message": "High demand.", "status": "UNAVAILABLE"}})

# The answer is complete, whatever follows.
GOOD_TAILS = {
    "empty events": http(b"data:\n\n" + sse(A) + b"data: \r\n\r\n" + sse(B) + b"data:\n\ndata\n\n"),
    "no blank line": http(sse(A) + b"data: " + B.encode()),
    "no blank line, length": http(sse(A) + b"data: " + B.encode() + b"\n", framing="length"),
    "no blank line, close": http(sse(A) + b"data: " + B.encode(), framing="close"),
    "cut": http(WHOLE, framing="cut"),
    "torn": http(WHOLE + b'data: {"usageMetadata": {"prom', framing="cut"),
    "torn, whole for HTTP": http(WHOLE + b'data: {"usageMetadata": {"prom'),
    "no JSON": http(WHOLE + sse("[DONE]", "garbage")),
    "usage behind garbage": http(sse(A, event("b", "STOP"), "garbage", json.dumps({"usageMetadata": USAGE}))),
    "an error": http(WHOLE + sse(OVERLOADED)),
    "a raw error": http(WHOLE + OVERLOADED.encode()),
    "silence": http(WHOLE, framing="silent"),
    "a comment": http(WHOLE + b": bye"),
    "no type": http(WHOLE, type=None),
    "wrong type": http(WHOLE, type="application/json"),
    "a JSON array": http(f"[{A},\r\n{B}\r\n]\n".encode(), type="application/json; charset=UTF-8"),
    "JSON in one piece": http(event("ab", "STOP", usageMetadata=USAGE).encode(), type="application/json"),
    "JSON in one piece, cut": http(event("ab", "STOP").encode(), type="application/json", framing="cut"),
}


@pytest.mark.parametrize("tail", [RAW, sse(json.dumps(DAY))], ids=["raw", "event"])
def test_quota_behind_the_end(start, tail):
    """The answer is complete, and the quota rests: the next request is not sent."""
    asked = []
    with upstream(lambda key: asked.append(key) or http(WHOLE + tail)) as url:
        d = start(API_KEYS=ONE, GEMINI_BASE_URL=url, STREAM_IDLE_TIMEOUT="300ms")
        a = ask_chat(d)
        assert a.status == 200 and a.complete and text_of(a) == ("ab", "stop"), a.body
        assert ask_chat(d).status == 429
        assert len(asked) == 1


@pytest.mark.parametrize("what", GOOD_TAILS)
def test_complete(start, what):
    with upstream(lambda key: GOOD_TAILS[what]) as url:
        d = start(API_KEYS=ONE, GEMINI_BASE_URL=url, STREAM_IDLE_TIMEOUT="300ms")
        a = ask_chat(d)
        assert a.status == 200 and a.complete and text_of(a) == ("ab", "stop"), a.body
        (line,) = lines_of(d, "mine")
        assert line["verdict"] == "ok" and line["attempts"] == 1
        if "one piece, cut" not in what:
            assert line["tokens_in"] == 3
        a = ask_native(d)
        assert a.status == 200 and a.complete and b"error" not in a.body, a.body
        assert "".join(json.loads(e)["candidates"][0]["content"]["parts"][0]["text"] for e in events_of(a)
                       if b"content" in e) == "ab"  # fmt: skip


# It is not: the text that came, and then an error.
BAD_TAILS = {
    "cut": http(sse(A), framing="cut"),
    "torn": http(sse(A) + b'data: {"candidates": [{"content": {"pa'),
    "torn behind usage": http(sse(event("a", usageMetadata=USAGE)) + b'data: {"candidates": [{"con'),
    "no JSON": http(sse(A, "garbage", B)),
    "an error": http(sse(A, OVERLOADED)),
    "silence": http(sse(A), framing="silent"),
    "STOP on each, cut": http(sse(event("a", "STOP"), event("b", "STOP")), framing="cut"),
    "STOP on each, torn": http(sse(event("a", "STOP"), event("b", "STOP")) + b"data: {"),
    "STOP on each, no JSON": http(sse(event("a", "STOP"), event("b", "STOP"), "garbage")),
    "STOP on each, an error": http(sse(event("a", "STOP"), event("b", "STOP")) + OVERLOADED.encode()),
}


@pytest.mark.parametrize("what", BAD_TAILS)
def test_not_complete(start, what):
    with upstream(lambda key: BAD_TAILS[what]) as url:
        d = start(API_KEYS=ONE, GEMINI_BASE_URL=url, STREAM_IDLE_TIMEOUT="300ms")
        a = ask_chat(d)
        text, end = text_of(a)
        assert a.status == 200 and not a.complete and text in ("a", "ab"), a.body
        assert end in ("bad_gateway", "service_unavailable")
        a = ask_native(d)
        assert a.status == 200 and not a.complete and "error" in json.loads(events_of(a)[-1]), a.body


def test_stop_on_each_event(start):
    with upstream(lambda key: http(sse(event("a", "STOP"), event("b", "STOP")))) as url:
        assert text_of(ask_chat(start(API_KEYS=ONE, GEMINI_BASE_URL=url))) == ("ab", "stop")


def test_candidate_that_was_not_seen(start):
    """Of two that were asked for, one has finished when the stream breaks off."""
    with upstream(lambda key: http(sse(event("a", "STOP")), framing="cut")) as url:
        d = start(API_KEYS=ONE, GEMINI_BASE_URL=url)
        assert text_of(ask_chat(d, n=2)) == ("a", "bad_gateway")
        assert text_of(ask_chat(d)) == ("a", "stop")
        assert b"error" in ask_native(d, generationConfig={"candidateCount": 2}).body


@pytest.mark.parametrize("framing", ["chunked", "cut", "silent"])
def test_whole_answer(start, framing):
    """In one piece: JSON that is whole is an answer, even if HTTP was not."""
    with upstream(lambda key: http(event("ab", "STOP").encode(), "application/json", framing)) as url:
        d = start(API_KEYS=ONE, GEMINI_BASE_URL=url, STREAM_IDLE_TIMEOUT="300ms")
        a = ask_chat(d, stream=False)
        assert a.status == 200 and json.loads(a.body)["choices"][0]["message"]["content"] == "ab"
        assert ask_native(d, stream=False).body == event("ab", "STOP").encode()


def test_blocked_behind_a_text(start):
    blocked = json.dumps({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": USAGE})
    with upstream(lambda key: http(sse(A, blocked))) as url:
        d = start(API_KEYS=ONE, GEMINI_BASE_URL=url)
        a = ask_chat(d)
        assert a.complete and text_of(a) == ("a", "content_filter")
        a = ask_native(d)
        assert a.complete and events_of(a) == [A.encode(), blocked.encode()]


def state_of(d, key):
    stats = json.loads(d.ask("GET", "/stats", token="ADMIN").body)
    return stats["api_key_stats"][MASKS[key.replace("KEY", "MASK")]]["models"][MODEL]["state"]


# An error of Google in a 200 that is no event of the stream.
RAW_ERRORS = {
    "lines": http(RAW),
    "one line": http(json.dumps(DAY).encode()),
    "no type": http(RAW, type=None),
    "JSON": http(RAW, type="application/json; charset=UTF-8", framing="length"),
    "an array": http(b"[" + RAW + b"\n]\n", type="application/json"),
    "behind a comment": http(b": ping\n\n" + RAW),
    "behind an empty event": http(b"data:\r\n\r\n" + RAW.replace(b"\n", b"\r\n")),
    "cut": http(b": ping\n\n" + RAW, framing="cut"),
    "an event": http(sse(json.dumps(DAY))),
}


@pytest.mark.parametrize("what", RAW_ERRORS)
def test_raw_error_first(start, what):
    """Before the first byte: another key serves, and this one cools."""
    with upstream(lambda key: RAW_ERRORS[what] if key == "KEY1" else http(WHOLE)) as url:
        d = start(API_KEYS=KEYS, GEMINI_BASE_URL=url)
        assert text_of(ask_chat(d)) == ("ab", "stop")
        (line,) = lines_of(d, "mine")
        assert line["verdicts"] == "day, ok"
        assert state_of(d, "KEY1") == "cooling" and state_of(d, "KEY2") == "usable"


def test_raw_error_everywhere(start):
    with upstream(lambda key: http(RAW)) as url:
        d = start(API_KEYS=KEYS, GEMINI_BASE_URL=url)
        a = ask_chat(d)
        assert a.status == 429 and int(a.header("Retry-After")) > 10, a.body


@pytest.mark.parametrize("framing", ["chunked", "cut", "silent"])
def test_raw_error_behind_a_text(start, framing):
    with upstream(lambda key: http(sse(A) + RAW + b"\n", framing=framing)) as url:
        d = start(API_KEYS=ONE, GEMINI_BASE_URL=url, STREAM_IDLE_TIMEOUT="300ms")
        a = ask_chat(d)
        assert not a.complete and text_of(a) == ("a", "insufficient_quota"), a.body
        assert state_of(d, "KEY1") == "cooling"


def test_raw_error_is_bounded(start):
    """A stranger's endless text is no error of Google, and is not kept."""
    with upstream(lambda key: http(sse(A) + b"x" * 100 + b"\n" + b'"y": 1\n' * 100000 + RAW)) as url:
        d = start(API_KEYS=ONE, GEMINI_BASE_URL=url)
        assert text_of(ask_chat(d)) == ("a", "bad_gateway")


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"", b"null", b"gateway", b"\r\n\r\n"])
def test_no_stream_at_all(start, body):
    with upstream(lambda key: http(body, type="text/html") if key == "KEY1" else http(WHOLE)) as url:
        d = start(API_KEYS=KEYS, GEMINI_BASE_URL=url)
        a = ask_chat(d)
        assert a.status == 200 and text_of(a) == ("ab", "stop"), lines_of(d, "mine")
        assert lines_of(d, "mine")[0]["attempts"] == 2
