# SPDX-License-Identifier: MIT
"""What can be seen while it runs: the client's trace, the points that are traced, whose request a line is of."""
import json

import pytest

from house import SECRETS
from test_queue import send, wait_queue

MODEL = "gemini-3.8-flash"
HI = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ONE = json.dumps([SECRETS["KEY1"]])


def ask(d, request_id, *headers):
    return d.ask("POST", "/v1/chat/completions", [("x-request-id", request_id), *headers], HI)


def lines_of(d, request_id):
    """All lines of a request: its own is the last one."""
    d.wait_log("its line", lambda e: e.get("request_id") == request_id and "status" in e)
    return [e for e in d.log() if e.get("request_id") == request_id]


def messages(lines):
    return [e["message"] for e in lines]


@pytest.mark.parametrize("value, trace_id", [
    (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
    (f"00-{TRACE}-00f067aa0ba902b7-01-more", None),
    (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
    (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", None),
])  # fmt: skip
def test_traceparent(start, value, trace_id):
    d = start(LOG_LEVEL="DEBUG")
    assert ask(d, "mine", ("traceparent", value)).status == 200
    lines = lines_of(d, "mine")
    assert [e.get("trace_id") for e in lines] == [trace_id] * len(lines) and len(lines) > 1


def test_points_of_a_request(start):
    d = start(LOG_LEVEL="DEBUG")
    assert ask(d, "mine").status == 200
    lines = lines_of(d, "mine")
    assert lines[0]["message"] == "request_begin: POST /v1/chat/completions" and lines[0]["level"] == "debug"
    assert "trace_id" not in lines[0]


def test_no_points_at_info(start):
    d = start(LOG_LEVEL="INFO")
    assert ask(d, "mine").status == 200
    assert len(lines_of(d, "mine")) == 1


def test_no_path_of_a_stranger(start):
    d = start(LOG_LEVEL="DEBUG")
    assert d.ask("GET", "/what/is/this", token=None).status in (401, 404)
    d.wait_log("its beginning", lambda e: e["message"] == "request_begin: GET (no route)")
    line = d.wait_log("its end", lambda e: " 401 in " in e["message"])  # which has it escaped and bounded: test_log_text.py
    assert not [e for e in d.log() if "what" in e["message"] and e != line]


def test_key_waits(sim, start):
    """A change of a key's health is logged with the id of the request that caused it."""
    d = start(LOG_LEVEL="DEBUG", API_KEYS=ONE)
    sim.script("* : error rpm retry=60s")
    assert ask(d, "mine", ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01")).status == 429
    lines_of(d, "mine")
    for what in ["waits: its project's quota is spent", "no key is left"]:
        line = d.wait_log(what, lambda e: what in e["message"])
        assert line["request_id"] == "mine" and line["trace_id"] == TRACE, line


def test_queue(sim, start):
    sim.script('* times=1: error rpm retry=1s\n*: text "Hello."')
    d = start(LOG_LEVEL="DEBUG", API_KEYS=ONE, QUEUE_WAIT="20s")
    c = send(d, "Hi")
    wait_queue(d, 1)
    request_id = c.read().header("x-request-id")
    c.close()
    said = messages(lines_of(d, request_id))
    join, leave = (said.index(f"queue_{what}: model {MODEL}, {n} in the queue") for what, n in [("join", 1), ("leave", 0)])
    assert join < leave


def ends(lines):
    return [e for e in lines if e["message"].startswith("attempt_end: ")]


QUERIES = {
    "a file": ("GET", "/v1beta/files/abc", "Google's API", "resource"),
    "a list of files": ("GET", "/v1beta/files", None, None),
    "an upload": ("POST", "/upload/v1beta/files", "Google's API", "ok"),
    "the models": ("GET", "/v1/models", "the list of models", "ok"),
}


@pytest.mark.parametrize("what", QUERIES)
def test_query(start, what):
    """Each call to Google is a line, also one for no model. The list of models is fetched for no request."""
    method, target, subject, verdict = QUERIES[what]
    d = start(LOG_LEVEL="DEBUG", API_KEYS=ONE)
    headers = [("x-request-id", "mine")]
    if method == "POST":
        headers += [("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "start")]
    d.ask(method, target, headers, {"file": {}} if method == "POST" else None)
    of_request = ends(lines_of(d, "mine"))
    own = [e for e in ends(d.log()) if "request_id" not in e]
    if subject is None:  # nothing is bound, so nothing is asked
        assert not of_request and not own
        return
    (line,) = own if what == "the models" else of_request
    assert not (of_request if what == "the models" else own)
    whose = "no client request, " if what == "the models" else ""
    key = line["key_name"]
    begin = line["message"].split(": ")[1]
    assert begin == f"{whose}key {key}, rotation, {subject}" and "model" not in line
    assert line["verdict"] == verdict and line["choice"] == "rotation" and line["duration_usec"] >= 0
    assert f"attempt_begin: {begin}" in messages(d.log())
