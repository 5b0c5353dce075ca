# SPDX-License-Identifier: MIT
"""STREAM_OPEN_AFTER: a stream's head and pings before its first event, and what goes on behind them."""
import json
import re

import pytest

import http1
from house import SECRETS

MODEL = "gemini-3.8-flash"
OTHER = "gemini-3.8-pro"
HI = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
CONTENTS = {"contents": [{"parts": [{"text": "Hi"}]}]}
ONE = json.dumps([SECRETS["KEY1"]])
# A path, a body, its ping, and what the answer and an error in the stream have in them.
STREAMS = {
    "chat": ("/v1/chat/completions", HI | {"stream": True}, b": ping\n\n", b"data: [DONE]", b'data: {"error":'),
    "completions": ("/v1/completions", {"model": MODEL, "prompt": "Hi", "stream": True}, b": ping\n\n", b"data: [DONE]",
                    b'data: {"error":'),
    "responses": ("/v1/responses", {"model": MODEL, "input": "Hi", "stream": True}, b": ping\n\n",
                  b"event: response.completed", b"event: response.failed"),
    "messages": ("/v1/messages", HI | {"max_tokens": 100, "stream": True}, b"event: ping\n", b"event: message_stop",
                 b"event: error\n"),
    "native": (f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse", CONTENTS, b"\r\n", b'"finishReason"',
               b'data: {"error":'),
    "array": (f"/v1beta/models/{MODEL}:streamGenerateContent", CONTENTS, b"\r\n", b'"finishReason"', b'{"error":'),
}


@pytest.fixture(params=STREAMS)
def stream(request):
    return STREAMS[request.param]


def send(d, path, body, **more):
    c = d.connect()
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("Content-Type", "application/json")]
    c.send(http1.compose("POST", path, headers, json.dumps(body | more).encode()))
    return c


def rest(c):
    """The rest of a stream that was read up to a place."""
    a = c.answer
    while part := c.chunk():
        a.body += part
    a.complete = part is not None
    c.ended()
    c.close()
    return a


def opened(c, ping, n=2):
    """The head and n pings, and nothing else."""
    a = c.read_head()
    assert a.status == 200
    while len(a.body) < n * len(ping):
        part = c.chunk()
        assert part, a.body
        a.body += part
    assert not a.body.replace(ping, b"").replace(b'data: {"type":"ping"}\n\n', b"")
    return a


def test_before_the_first_event(sim, start, stream):
    """Pings come again and again until there is an answer, which is then as ever."""
    path, body, ping, good, _ = stream
    sim.script('*: text "Hello there." delay=1500ms chunks=2')
    d = start(STREAM_OPEN_AFTER="200ms")
    c = send(d, path, body)
    a = opened(c, ping)
    assert a.header("x-request-id") and a.header("x-gemgate-model") is None
    a = rest(c)
    assert a.complete and good in a.body and b"Hello" in a.body
    if path.endswith("Content"):
        assert len(json.loads(a.body)) >= 1
    line = d.wait_log("its line", lambda e: e.get("status") == 200)
    assert line["verdicts"] == "ok" and line["model"] == MODEL
    assert "stream_error" not in line


def test_off(sim, start, stream):
    """By default a failure before the first event is a plain error."""
    sim.script("*: error rpd delay=400ms")
    c = send(start(API_KEYS=ONE), *stream[:2])
    assert c.read().status == 429
    c.close()


def test_another_key(sim, start, stream):
    """The tries go on behind the head, and the client sees the last one only."""
    path, body, ping, good, bad = stream
    sim.script('* times=1: error rpm retry=40s delay=700ms\n*: text "Hello."')
    d = start(STREAM_OPEN_AFTER="200ms")
    c = send(d, path, body)
    opened(c, ping)
    a = rest(c)
    assert a.complete and good in a.body and bad not in a.body
    line = d.wait_log("its line", lambda e: e.get("status") == 200)
    assert line["verdicts"] == "minute, ok" and line["attempts"] == 2


def test_another_model(sim, start, stream):
    path, body, ping, good, bad = stream
    sim.script(f'model={MODEL}: error rpd delay=500ms\n*: text "Hello."')
    d = start(API_KEYS=ONE, STREAM_OPEN_AFTER="200ms", FALLBACK_MODELS=json.dumps({MODEL: [OTHER]}))
    c = send(d, path, body)
    opened(c, ping, 1)
    a = rest(c)
    assert a.complete and good in a.body and bad not in a.body
    assert d.wait_log("its line", lambda e: e.get("status") == 200)["served_model"] == OTHER


def test_failure(sim, start, stream):
    """It is the protocol's error in the stream, and the log has its status."""
    path, body, ping, good, bad = stream
    sim.script("*: error rpd delay=500ms")
    d = start(API_KEYS=ONE, STREAM_OPEN_AFTER="200ms")
    c = send(d, path, body)
    opened(c, ping, 1)
    a = rest(c)
    assert bad in a.body and good not in a.body and a.body.count(b"error") and b"quota" in a.body
    line = d.wait_log("its line", lambda e: "stream_error" in e)
    assert (line["status"], line["stream_error"], line["verdict"]) == (200, 429, "day")
    assert "error 429 in the stream" in line["message"] and line["level"] in ("warning", "WARNING")


def test_in_the_queue(sim, start, stream):
    path, body, ping, good, _ = stream
    sim.script('* times=1: error rpm retry=2s\n*: text "Hello."')
    d = start(API_KEYS=ONE, QUEUE_WAIT="5min", STREAM_OPEN_AFTER="200ms")
    c = send(d, path, body)
    opened(c, ping)
    assert json.loads(d.ask("GET", "/stats", token="ADMIN").body)["queue"]["waiting"] == 1
    a = rest(c)
    assert a.complete and good in a.body


def test_queue_ends(sim, start, stream):
    """Nothing was tried for it: the log still has the cause."""
    path, body, ping, _, bad = stream
    sim.script("*: error rpm retry=0.3s")
    d = start(API_KEYS=ONE, QUEUE_WAIT="1s", STREAM_OPEN_AFTER="100ms")
    c = send(d, path, body)
    opened(c, ping, 1)
    assert bad in rest(c).body
    assert d.wait_log("its line", lambda e: "stream_error" in e)["stream_error"] == 429


def test_deadline(sim, start, stream):
    path, body, ping, _, bad = stream
    sim.script("*: hang")
    d = start(STREAM_OPEN_AFTER="100ms", REQUEST_DEADLINE="600ms")
    c = send(d, path, body)
    opened(c, ping)
    assert bad in rest(c).body
    assert d.wait_log("its line", lambda e: "stream_error" in e)["stream_error"] == 504


def test_the_former_sdk_of_google(sim, start):
    """@google/generative-ai 0.24.1 gets the head, and nothing between it and the events: this is its parser."""
    sim.script('*: text "Hello there." delay=1500ms pace=500ms chunks=2')
    d = start(STREAM_OPEN_AFTER="100ms")
    c = d.connect()
    headers = [("x-goog-api-key", SECRETS["TOKEN"]), ("x-goog-api-client", "genai-js/0.24.1")]
    c.send(http1.compose("POST", STREAMS["native"][0], headers, json.dumps(CONTENTS).encode()))
    a = c.read_head()
    assert a.status == 200 and sim.count() == 1 and a.header("x-gemgate-model") is None  # before an event
    text, n = rest(c).body.decode(), 0
    while match := re.match(r"data: (.*)(?:\n\n|\r\r|\r\n\r\n)", text):
        json.loads(match[1])
        text, n = text[match.end():], n + 1
    assert n >= 2 and not text.strip()


@pytest.mark.parametrize("where", ["attempt", "queue", "answer"])
def test_end_of_the_daemon(sim, start, stream, where):
    """At DRAIN_TIMEOUT a stream ends with its protocol's error, wherever its request is; its client has time to read that."""
    path, body, ping, good, bad = stream
    sim.script({"attempt": "*: hang", "queue": "*: error rpm retry=40s",
                "answer": '*: text "one two" chunks=2 hang after=1'}[where])  # fmt: skip
    d = start(API_KEYS=ONE, QUEUE_WAIT="5min", STREAM_OPEN_AFTER="100ms", DRAIN_TIMEOUT="300ms")
    c = send(d, path, body)
    if where == "answer":
        c.read_until(b"one")
    else:
        opened(c, ping)
    d.interrupt()
    a = rest(c)
    assert a.body.count(bad) == 1 and good not in a.body and b"stopping" in a.body
    assert d.process.wait() == 0
    line = d.wait_log("its line", lambda e: "stream_error" in e)
    assert (line["status"], line["stream_error"]) == (200, 529 if "messages" in path else 503)


def test_end_of_the_daemon_before_the_head(sim, start, stream):
    """A request whose answer has not begun gets a plain error."""
    path, body, *_ = stream
    sim.script("*: hang")
    d = start(DRAIN_TIMEOUT="300ms")
    c = send(d, path, body)
    sim.wait_count(1)
    d.interrupt()
    a = c.read()
    assert a.status == (529 if "messages" in path else 503) and a.complete and b"stopping" in a.body and a.header("retry-after")
    c.close()
    assert d.process.wait() == 0


def test_hang_up(sim, start, stream):
    """The upstream request ends with its client, also behind a head."""
    path, body, ping, *_ = stream
    sim.script("*: hang")
    d = start(STREAM_OPEN_AFTER="100ms")
    c = send(d, path, body)
    opened(c, ping, 1)
    c.close()
    sim.wait_hung_up()


def test_silence_in_the_middle(sim, start):
    """Pings have the same interval behind the first event."""
    sim.script('*: text "one two" chunks=2 pace=1200ms')
    path, body, ping, good, _ = STREAMS["chat"]
    d = start(STREAM_OPEN_AFTER="200ms")
    c = send(d, path, body)
    c.read_head()
    c.read_until(b"one")
    before = c.answer.body.count(ping)
    a = rest(c)
    assert a.body.count(ping) - before >= 3 and good in a.body


def test_large_body(sim, start):
    """One that the worker reads."""
    sim.script('* times=1: error rpm retry=40s delay=600ms\n*: text "Hello."')
    path, body, ping, good, _ = STREAMS["chat"]
    d = start(STREAM_OPEN_AFTER="150ms")
    c = send(d, path, body, messages=[{"role": "user", "content": "x" * 400_000}])
    opened(c, ping)
    assert good in rest(c).body


def test_whole_answers_wait(sim, start):
    """An answer in one piece has no place for an error behind its head."""
    sim.script("*: error rpd delay=600ms")
    d = start(API_KEYS=ONE, STREAM_OPEN_AFTER="100ms")
    for path, body in {
        "/v1/chat/completions": HI,
        f"/v1beta/models/{MODEL}:generateContent": CONTENTS,
    }.items():
        assert d.ask("POST", path, body=body).status == 429


def test_headers_of_the_moment(sim, start):
    sim.script('* times=1: error rpm retry=40s\n*: text "Hello." delay=600ms')
    path, body, ping, good, _ = STREAMS["chat"]
    d = start(STREAM_OPEN_AFTER="200ms", EXPLAIN_HEADER="yes")
    c = send(d, path, body)
    a = opened(c, ping)
    assert (a.header("x-gemgate-attempts"), a.header("x-gemgate-verdicts")) == ("2", "minute")
    assert good in rest(c).body


def test_empty_answer(sim, start):
    """An empty answer is sent if no other key has a better one, also behind a head."""
    sim.script('*: text "" delay=300ms')
    path, body, ping, good, bad = STREAMS["chat"]
    d = start(STREAM_OPEN_AFTER="100ms")
    c = send(d, path, body)
    opened(c, ping, 1)
    a = rest(c)
    assert a.complete and a.body.count(good) == 1 and bad not in a.body


def test_reload(sim, start, tmp_path):
    """A request keeps the settings with which it began; the next one has the new ones."""
    sim.script('*: error rpd delay=700ms')
    env = tmp_path / "env"
    env.write_text("STREAM_OPEN_AFTER=off\n")
    d = start(API_KEYS=ONE, argv=[f"--env-file={env}"])
    path, body, ping, _, bad = STREAMS["chat"]
    old = send(d, path, body)
    sim.wait_count(1)
    env.write_text("STREAM_OPEN_AFTER=100ms\n")
    d.interrupt(1)
    d.wait_log("the reload", lambda e: "reload" in e.get("message", ""))
    assert old.read().status == 429
    old.close()
    assert d.ask("POST", "/reset-api-key-health", body={"reset_all": True}, token="ADMIN").status == 200
    c = send(d, path, body)
    opened(c, ping, 1)
    assert bad in rest(c).body
