# SPDX-License-Identifier: MIT
"""GET /admin/requests: what is under way, in which state, and that it is gone from the list when it is over."""
import json
import resource

import pytest

import http1
import wait
from house import MASKS, SECRETS

MODEL = "gemini-3.8-flash"
SHOWN_MAX = 1024  # base/limits.h
NAMED = json.dumps([{"key": SECRETS["KEY1"], "name": "home"}])
CLIENT = json.dumps([{"token": SECRETS["TOKEN"], "name": "laptop"}])


def send(d, request_id, stream=False, where="/v1/chat/completions", method="POST", length=None, **fields):
    """A request whose answer is not read yet. `length`: of a body that does not come."""
    body = json.dumps({"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": "Hi"}], **fields}).encode()
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("x-request-id", request_id)]
    c = d.connect(receive_buffer=4096)
    if length:
        c.send(http1.compose(method, where, headers + [("Content-Length", str(length))]))
    elif method == "GET":
        c.send(http1.compose(method, where, headers))
    else:
        c.send(http1.compose(method, where, headers + [("Content-Type", "application/json")], body))
    return c


def listed(d):
    answer = json.loads(d.ask("GET", "/admin/requests", token="ADMIN").body)
    assert answer["total"] >= len(answer["requests"])
    return answer["requests"]


def wait_state(d, request_id, state):
    """The request, once it is in this state."""
    return wait.until(f"{request_id} {state}", lambda: next(
        (r for r in listed(d) if (r["id"], r["state"]) == (request_id, state)), None))


def wait_none(d):
    wait.until("an empty list", lambda: not listed(d))


def test_a_stream(sim, start):
    sim.script('*: text "Hello" chunks=1000000 pace=5ms')
    d = start(API_KEYS=NAMED, ALLOWED_TOKENS=CLIENT)
    with send(d, "the-stream", stream=True) as c:
        c.read_until(b"Hello")
        r = wait_state(d, "the-stream", "streaming")
        assert 0 <= r.pop("age") < wait.DEADLINE and r.pop("bytes") > 0
        assert r == {"id": "the-stream", "client": "laptop", "route": "/v1/chat/completions", "model": MODEL,
                     "state": "streaming", "key": MASKS["MASK1"], "key_name": "home", "attempts": 1}
        older, newer = (wait_state(d, "the-stream", "streaming") for _ in range(2))
        assert older["age"] <= newer["age"]
    wait_none(d)


def test_queued_and_then_served(sim, start):
    sim.script('* times=1: error rpm retry=1s\n*: text "Hello."')
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]), QUEUE_WAIT="20s")
    with send(d, "it-waits") as c:
        r = wait_state(d, "it-waits", "queued")
        assert r["attempts"] == 1 and r["bytes"] == 0 and r["client"] == MASKS["TOKENMASK"]
        assert (r["key"], r["key_name"]) == (MASKS["MASK1"], None)
        assert c.read().status == 200
    wait_none(d)


def test_no_byte_yet(sim, start):
    sim.script("*: hang")
    d = start(API_KEYS=NAMED)
    with send(d, "no-byte") as c:
        sim.wait_count(1)
        r = wait_state(d, "no-byte", "attempting")
        assert (r["key_name"], r["attempts"], r["bytes"]) == ("home", 1, 0)
        c.close()
    wait_none(d)
    sim.wait_hung_up()


@pytest.mark.parametrize("script,request_of,state,expected", [
    ("*: default", {"length": 10}, "reading", {"model": None, "attempts": 0, "route": "/v1/chat/completions"}),
    ("*: big 20M", {}, "answering", {"model": MODEL, "attempts": 1}),
    ("*: hang", {"method": "GET", "where": "/v1/models"}, "asking", {"model": None, "route": "/v1/models"}),
], ids=["reading", "answering", "asking"])
def test_others(sim, start, script, request_of, state, expected):
    """Requests that are not an exchange, or no longer one, are listed too."""
    sim.script(script)
    d = start()
    with send(d, "other", **request_of):
        r = wait_state(d, "other", state)
        assert {name: r[name] for name in expected} == expected
        assert (r["bytes"] > 20 << 20) == (state == "answering")
    wait_none(d)


def test_the_oldest_are_shown(sim, start):
    """The list is bounded: the oldest are in it, and how many there are in all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    d = start()
    waiting = []
    try:
        for i in range(SHOWN_MAX + 3):
            waiting.append(send(d, f"number-{i}", length=10))
            if i == 0:
                wait_state(d, "number-0", "reading")
        answer = wait.until("all of them", lambda: next(
            (a for a in [json.loads(d.ask("GET", "/admin/requests", token="ADMIN").body)] if a["total"] == len(waiting)),
            None))
        assert len(answer["requests"]) == SHOWN_MAX and answer["requests"][0]["id"] == "number-0"
    finally:
        for c in waiting:
            c.close()
    wait_none(d)
