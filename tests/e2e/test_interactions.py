# SPDX-License-Identifier: MIT
"""Interactions: exchanges like those of models, whose model is in the body and whose answers stay at Google."""
import http.server
import json
import threading

import pytest

import http1
from house import SECRETS
from test_files import KEYS, MODEL, POOL, PROJECTS
from test_paths import REVISION, TOKENS, Api, keys, project_of

ASK = {"model": MODEL, "input": "Hi"}


def events(body):
    """(name, data) of each event."""
    out = []
    for block in body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        if lines:
            out.append((lines["event"], lines["data"] if lines["data"] == "[DONE]" else json.loads(lines["data"])))
    return out


@pytest.fixture
def daemon(sim, start):
    sim.script(PROJECTS)
    return start(API_KEYS=POOL, ALLOWED_TOKENS=TOKENS, MODEL_ALIASES=json.dumps({"fast": MODEL}))


@pytest.fixture
def api(daemon):
    return Api(daemon)


@pytest.mark.unjudged
def test_as_it_is(sim, daemon, api):
    """The bytes of the body, the path, the revision; the answer; the log's model, finish and usage."""
    body = b'{ "input":"Hi",  "x":1.0e3, "x": 2, "model" :"models/' + MODEL.encode() + b'"}'
    answer = daemon.ask("POST", "/v1/interactions?x=1&alt=sse", [REVISION, ("Cookie", "a")], body, token="TOKEN")
    assert answer.status == 200 and json.loads(answer.body)["status"] == "completed"
    [r] = sim.requests()
    assert (r.target, r.body.encode()) == ("/v1beta/interactions", body)
    assert r.header("api-revision") == REVISION[1] and not r.header("cookie")
    line = daemon.wait_log("the request", lambda m: m.get("dialect") == "interactions")
    assert (line["finish_reason"], line["model"], line["verdict"]) == ("completed", MODEL, "ok")


@pytest.mark.unjudged
def test_usage_is_counted(sim, daemon, api):
    api.ask("POST", "/v1beta/interactions", ASK)
    api.ask("POST", "/v1beta/interactions", {**ASK, "stream": True})
    api.ask("POST", "/v1beta/decisions", {"model": MODEL, "input": "x", "questions": {}})
    stats = json.loads(daemon.ask("GET", "/stats", token="ADMIN").body)
    assert stats["global_summary"]["total_requests_today"] == stats["model_summary"][MODEL]["total_daily_requests"] == 3
    daemon.wait_log("all of them", lambda m: m.get("dialect") == "decisions")
    lines = [m for m in daemon.log() if "tokens_in" in m and m.get("dialect") in ("interactions", "decisions")]
    assert [(m["tokens_in"], m["tokens_out"]) for m in lines] == [(8, 8), (8, 8), (7, 0)]


@pytest.mark.unjudged
def test_stream(sim, daemon, api):
    a = daemon.ask("POST", "/v1beta/interactions", [REVISION], {**ASK, "stream": True}, token="TOKEN")
    assert a.status == 200 and a.header("content-type").startswith("text/event-stream")
    got = events(a.body)
    assert [name for name, _ in got] == ["interaction.created", "step.start", "step.delta", "step.stop", "interaction.completed", "done"]
    assert all(name == data["event_type"] for name, data in got[:-1]) and got[-1][1] == "[DONE]"
    name = "interactions/" + got[0][1]["interaction"]["id"]
    mine = project_of(keys(sim)[-1])
    Api(daemon, "TOKEN2").ask("GET", f"/v1beta/{name}", status=404)
    for _ in range(3):
        api.ask("GET", f"/v1beta/{name}")
        again = daemon.ask("GET", f"/v1beta/{name}?stream=true&last_event_id=e1&x=y", token="TOKEN")
        assert [n for n, _ in events(again.body)][-1] == "done"
    assert sim.requests()[-1].target == f"/v1beta/{name}?stream=true&last_event_id=e1"
    assert set(keys(sim)) <= mine
    assert daemon.ask("GET", f"/v1beta/{name}?stream=true&last_event_id=a%26key=b", token="TOKEN").status in (200, 400)


@pytest.mark.unjudged
def test_model_of_an_alias_and_of_a_fallback(sim, start):
    """The only bytes that change."""
    d = start(MODEL_ALIASES='{"fast": "gemini-3.1-pro"}', FALLBACK_MODELS=json.dumps({"gemini-3.1-pro": [MODEL]}))
    for given, sent in (("fast", "gemini-3.1-pro"), ("models/fast", "models/gemini-3.1-pro"), ("f\\u0061st", "gemini-3.1-pro")):
        sim.clear()
        body = '{"a": 1.0, "model": "%s", "input": "fast"}'
        assert d.ask("POST", "/v1beta/interactions", [], (body % given).encode(), token="TOKEN").status == 200
        assert sim.requests()[-1].body == body % sent
    sim.script("method=interactions.create body=gemini-3.1-pro : error overloaded\n")
    sim.clear()
    assert d.ask("POST", "/v1beta/interactions", [], b'{"model": "fast"}', token="TOKEN").status == 200
    assert sim.requests()[-1].body == '{"model": "%s"}' % MODEL


@pytest.mark.unjudged
def test_failover(sim, daemon, api):
    """A key without quota is passed over, by the model in the body."""
    sim.script(PROJECTS + f"key={KEYS[0]} method=interactions.create : error rpd\nkey={KEYS[3]} method=interactions.create : error rpd\n")
    for _ in range(6):
        api.ask("POST", "/v1beta/interactions", ASK)
    used = keys(sim)
    assert used.count(KEYS[0]) <= 1 and used.count(KEYS[3]) <= 1 and set(used[-3:]) <= set(KEYS[1:3])
    api.ask("POST", "/v1beta/models/" + MODEL + ":generateContent", {"contents": [{"parts": [{"text": "x"}]}]})
    assert keys(sim)[-1] in KEYS[1:3], "the quota is the model's"


@pytest.mark.unjudged
@pytest.mark.parametrize("more", [{"agent": "deep-research"}, {"model": MODEL, "background": True}])
def test_is_not_begun_twice(sim, daemon, more):
    """After a broken connection nothing is known of what has begun."""
    sim.script(PROJECTS + "method=interactions.create : close\n")
    a = daemon.ask("POST", "/v1beta/interactions", [], {"input": "Hi", **more}, token="TOKEN")
    assert a.status >= 500 and len(sim.requests()) == 1
    sim.clear()
    daemon.ask("POST", "/v1beta/interactions", [], ASK, token="TOKEN")
    assert len(sim.requests()) > 1


@pytest.mark.unjudged
def test_background_and_cancel(sim, api):
    made = api.ask("POST", "/v1beta/interactions", {"agent": "deep-research", "input": "Hi", "background": True})
    assert made["status"] == "in_progress"
    assert api.ask("GET", f"/v1beta/interactions/{made['id']}")["status"] == "completed"
    assert api.ask("POST", f"/v1beta/interactions/{made['id']}/cancel")["status"] == "cancelled"
    assert len({frozenset(project_of(k)) for k in keys(sim)}) == 1


@pytest.mark.unjudged
def test_chain(sim, daemon, api):
    """previous_interaction_id goes to the project that has it; what is not stored belongs to no client."""
    first = api.ask("POST", "/v1beta/interactions", ASK)
    mine = project_of(keys(sim)[-1])
    for _ in range(4):
        first = api.ask("POST", "/v1beta/interactions", {**ASK, "previous_interaction_id": first["id"]})
    assert set(keys(sim)) <= mine
    other = api.ask("POST", "/v1beta/interactions", {**ASK, "store": False})
    api.ask("GET", f"/v1beta/interactions/{other['id']}", status=404)
    sim.clear()
    api.ask("POST", "/v1beta/interactions", {**ASK, "previous_interaction_id": "a/b"}, status=400)
    assert sim.requests() == []


@pytest.mark.parametrize("body,status,word", [
    (b"", 400, "JSON"), (b"[]", 400, "object"), (b"{", 400, "JSON"), ({}, 400, "name a model"), ({"input": "x"}, 400, "name a model"),
    ({"model": "a b"}, 400, "model must be"), ({"model": "../x"}, 400, "model must be"), ({"model": "cli/x"}, 400, "model must be"),
    ({"model": 7}, 400, "name a model"), ({"agent": "a/b"}, 400, "agent must be"), ({"model": "x" * 200}, 400, "model must be"),
    ({"model": SECRETS["TOKEN"]}, 400, "not a key or token"),
])
def test_refused(sim, api, body, status, word):
    e = api.ask("POST", "/v1beta/interactions", body, status=status)
    assert word in e["error"]["message"] and e["error"]["status"] == "INVALID_ARGUMENT"
    assert sim.requests() == []


class Streams:
    """Answers POST with a stream whose pieces wait for the test."""

    def __init__(self):
        self.go, self.pieces, self.requests = threading.Semaphore(0), [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests += 1
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                for piece in outer.pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
                    outer.go.acquire(timeout=60)
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]

    def end(self):
        self.server.shutdown()
        self.server.server_close()


CREATED = {"event_type": "interaction.created", "interaction": {"id": "i1", "status": "in_progress"}}


def sse(o):
    return b"event: %s\r\nid: 7\r\ndata: %s\r\n\r\n" % (o["event_type"].encode(), json.dumps(o).encode())


@pytest.mark.unjudged
def test_each_event_at_once(start):
    """An event that has come is with the client before Google sends the next one; an error in a stream that has begun, too."""
    upstream = Streams()
    delta = {"event_type": "step.delta", "index": 0, "delta": {"text": "a"}}
    failed = {"event_type": "error", "error": {"code": "internal", "message": "x"}}
    upstream.pieces = [sse(CREATED), sse(delta), sse(failed)]
    d = start(GEMINI_BASE_URL=upstream.url)
    body = json.dumps({**ASK, "stream": True}).encode()
    with d.connect() as c:
        c.send(http1.compose("POST", "/v1beta/interactions", [("x-goog-api-key", SECRETS["TOKEN"])], body))
        for piece in (CREATED, delta, failed):
            c.read_until(f"event: {piece['event_type']}\ndata: {json.dumps(piece)}\n\n".encode())
            upstream.go.release()  # only now the next one is sent
    upstream.end()


@pytest.mark.unjudged
@pytest.mark.parametrize("first", [
    {"event_type": "error", "error": {"code": 429, "message": "Quota exceeded: per day", "status": "RESOURCE_EXHAUSTED"}},
    {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}},
])
def test_error_before_any_event(start, first):
    """Another key is tried, and the client gets an error that is none of a stream."""
    upstream = Streams()
    upstream.pieces = [b"data: " + json.dumps(first).encode() + b"\n\n"]
    for _ in range(99):
        upstream.go.release()
    d = start(GEMINI_BASE_URL=upstream.url)
    a = d.ask("POST", "/v1beta/interactions", [], {**ASK, "stream": True}, token="TOKEN")
    assert a.status == first["error"]["code"] and upstream.requests > 1
    upstream.end()
