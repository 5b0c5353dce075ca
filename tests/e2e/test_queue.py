# SPDX-License-Identifier: MIT
"""QUEUE_WAIT over time: the order, clients that hang up, and what is visible meanwhile."""
import json

import http1
import wait
from house import SECRETS

MODEL = "gemini-3.8-flash"
MINE = {"model": "gemini-3.8-pro", "messages": [{"role": "user", "content": "mine"}]}
ONE = json.dumps([SECRETS["KEY1"]])


def send(d, content, **fields):
    """A request that is on its way: the connection to read its answer from."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": content}], **fields}
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("Content-Type", "application/json")]
    c = d.connect()
    c.send(http1.compose("POST", "/v1/chat/completions", headers, json.dumps(body).encode()))
    return c


def queue(d):
    return json.loads(d.ask("GET", "/stats", token="ADMIN").body)["queue"]


def wait_queue(d, n):
    wait.until(f"{n} in the queue", lambda: queue(d)["waiting"] == n)


def asked(sim):
    return [json.loads(r.body)["contents"][0]["parts"][0]["text"] for r in sim.requests()]


def test_in_order(sim, start):
    """Who came first is served first; those of another model do not wait at all."""
    sim.script('model=%s times=1: error rpm retry=4s\n*: text "Hello."' % MODEL)
    d = start(API_KEYS=ONE, QUEUE_WAIT="20s")
    waiting = []
    for i in range(5):
        waiting.append(send(d, f"number {i}"))
        wait_queue(d, i + 1)
    assert queue(d)["waiting_by_model"] == {MODEL: 5}
    assert d.chat("another model", model="gemini-3.8-pro").status == 200
    assert queue(d)["waiting"] == 5
    for c in waiting:
        assert c.read().status == 200
        c.close()
    texts = asked(sim)
    assert texts[0] == "number 0" and texts[1] == "another model"
    assert texts[2:] == [f"number {i}" for i in range(5)]
    assert queue(d)["total_waited"] == 5


def test_one_is_woken(sim, start):
    """When the throttle still holds after its first end, it is one request that finds out, and the others keep
    their places."""
    sim.script("* times=6: error rpm retry=3s\n*: text \"Hello.\"")
    d = start(API_KEYS=ONE, QUEUE_WAIT="60s")
    waiting = []
    for i in range(4):
        waiting.append(send(d, f"number {i}"))
        wait_queue(d, i + 1)
    for c in waiting:
        assert c.read().status == 200
        c.close()
    texts = asked(sim)
    all_four = [f"number {i}" for i in range(4)]
    assert texts[0] == texts[5] == "number 0" and len(texts) == 10, texts
    assert sorted(texts[1:5]) == sorted(texts[6:]) == all_four


def test_client_goes(sim, start):
    """A client that hangs up gives its place away, and nothing is asked for it."""
    sim.script('* times=1: error rpm retry=4s\n*: text "Hello."')
    d = start(API_KEYS=ONE, QUEUE_WAIT="20s")
    first = send(d, "first")
    wait_queue(d, 1)
    gone = send(d, "gone")
    wait_queue(d, 2)
    last = send(d, "last")
    wait_queue(d, 3)
    gone.close()
    wait_queue(d, 2)
    assert "attempts" not in d.wait_log("its line", lambda e: e.get("status") == 499)
    for c in (first, last):
        assert c.read().status == 200
        c.close()
    assert asked(sim) == ["first", "first", "last"]


def test_reset_serves(sim, start):
    """Who revives the keys does not have to wait for those who wait."""
    sim.script('* times=1: error rpm retry=50s\n*: text "Hello."')
    d = start(API_KEYS=ONE, QUEUE_WAIT="60s")
    c = send(d, "first")
    wait_queue(d, 1)
    assert d.ask("POST", "/reset-api-key-health", body={"reset_all": True}, token="ADMIN").status == 200
    c.sock.settimeout(25)  # less than the throttle
    assert c.read().status == 200
    c.close()


def test_deadline_counts(sim, start):
    """REQUEST_DEADLINE is not longer for those who wait."""
    sim.script('* times=1: error rpm retry=50s\n*: text "Hello."')
    d = start(API_KEYS=ONE, QUEUE_WAIT="60s", REQUEST_DEADLINE="300ms")
    assert d.chat().status == 504
    assert queue(d)["waiting"] == 0


def test_patience_ends(sim, start):
    """A key that keeps saying no is waited for no longer than QUEUE_WAIT in all."""
    sim.script("*: error rpm retry=0.2s")
    d = start(API_KEYS=ONE, QUEUE_WAIT="500ms")
    answer = d.chat()
    assert answer.status == 429
    assert queue(d)["waiting"] == 0


def test_places_are_shared(sim, start):
    """A client that takes all the places that it can get leaves some for others."""
    sim.script('model=gemini-3.8-flash times=1: error rpm retry=50s\n'
               'model=gemini-3.8-pro times=1: error rpm retry=3s\n*: text "Hello."')
    tokens = json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])
    d = start(API_KEYS=ONE, QUEUE_WAIT="60s", ALLOWED_TOKENS=tokens)
    waiting = [send(d, "first")]
    wait_queue(d, 1)
    waiting += [send(d, "more") for _ in range(1030)]
    wait.until("refused ones", lambda: queue(d)["total_turned_away"] > 0)
    wait_queue(d, 1024)
    assert d.ask("POST", "/v1/chat/completions", body=MINE, token="TOKEN2").status == 200
    for c in waiting:
        c.close()
    wait_queue(d, 0)


def test_no_room(sim, start):
    """Beyond its share the next request of a client is refused at once."""
    sim.script("* times=1: error rpm retry=50s\n*: text \"Hello.\"")
    d = start(API_KEYS=ONE, QUEUE_WAIT="60s")
    waiting = [send(d, "first")]
    wait_queue(d, 1)
    waiting += [send(d, "more") for _ in range(1023)]
    wait_queue(d, 1024)
    assert d.chat("too many").status == 429
    assert queue(d)["total_turned_away"] == 1
    for c in waiting:
        c.close()
    wait_queue(d, 0)
