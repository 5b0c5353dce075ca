# SPDX-License-Identifier: MIT
"""HEDGE_AFTER: a second attempt beside a late one; the first to answer wins, and neither key is blamed."""
import json

import pytest

import http1
import wait
from house import SECRETS

SHARE = 20  # one hedge in so many requests

TWO = json.dumps([{"key": SECRETS[f"KEY{i}"], "name": f"k{i}"} for i in (1, 2)])


def earn(d, n=SHARE - 1):
    """The requests without which no hedge is allowed."""
    for _ in range(n):
        assert d.chat().status == 200


def late(sim):
    return sim.requests()[SHARE - 1 :]


@pytest.mark.parametrize("stream", [False, True])
def test_messages(sim, start, stream):
    """Anthropic's messages are hedged, too."""
    d = start(API_KEYS=TWO, HEDGE_AFTER="50ms")
    earn(d)
    sim.script('* times=1: hang\n*: text "second" chunks=1')
    body = {"model": "gemini-3.8-flash", "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": "Hi"}]}
    answer = d.ask("POST", "/v1/messages", body=body)
    assert answer.status == 200 and b"second" in answer.body
    assert len(late(sim)) == 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("first", ["hang", "text \"late\" delay=10min", "hang after=0"])
def test_second_wins(sim, start, first, stream):
    d = start(API_KEYS=TWO, HEDGE_AFTER="50ms")
    earn(d)
    sim.script(f'* times=1: {first}\n*: text "second" chunks=1')
    answer = d.chat(stream=stream)
    assert answer.status == 200 and b"second" in answer.body and b"late" not in answer.body
    seen = late(sim)
    assert len(seen) == 2 and seen[0].key != seen[1].key
    sim.wait_hung_up()
    line = d.wait_log("its line", lambda e: e.get("hedged"))
    assert line["attempts"] == 2 and line["verdict"] == "ok"
    assert line["key"] == "AIza****" + seen[1].key[-4:]
    stats = json.loads(d.ask("GET", "/stats", token="ADMIN").body)
    for key in stats["api_key_stats"].values():
        for model in key["models"].values():
            assert model["errors"] == 0 and model["state"] == "usable"


def test_first_wins(sim, start):
    """The second one is given up when the first answers after all."""
    d = start(API_KEYS=TWO, HEDGE_AFTER="50ms")
    earn(d)
    sim.script('* times=1: text "first" delay=2s\n* times=1: hang\n*: default')
    answer = d.chat()
    assert answer.status == 200 and b"first" in answer.body
    assert len(late(sim)) == 2
    sim.wait_hung_up()
    line = d.wait_log("its line", lambda e: e.get("hedged"))
    assert line["key"] == "AIza****" + late(sim)[0].key[-4:]


def test_one_fails(sim, start):
    """Then the other one goes on alone, and an error is that one's."""
    d = start(API_KEYS=TWO, HEDGE_AFTER="50ms")
    earn(d)
    sim.script('* times=1: error day delay=2s\n* times=1: text "second" delay=4s\n*: default')
    answer = d.chat()
    assert answer.status == 200 and b"second" in answer.body
    assert len(late(sim)) == 2
    states = [m["state"] for k in json.loads(d.ask("GET", "/stats", token="ADMIN").body)["api_key_stats"].values() for m in k["models"].values()]
    assert sorted(states) == ["cooling", "usable"]


def test_both_fail(sim, start):
    d = start(API_KEYS=TWO, HEDGE_AFTER="50ms")
    earn(d)
    sim.script("* times=1: error day delay=2s\n* times=1: error day delay=3s\n*: default")
    assert d.chat().status == 429
    assert len(late(sim)) == 2


def test_client_goes(sim, start):
    """Both are cancelled."""
    d = start(API_KEYS=TWO, HEDGE_AFTER="50ms")
    earn(d)
    sim.script("*: hang")
    body = {"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}]}
    c = d.connect()
    c.send(http1.compose("POST", "/v1/chat/completions", [("Authorization", f"Bearer {SECRETS['TOKEN']}")], json.dumps(body).encode()))
    wait.until("both", lambda: len(late(sim)) == 2)
    c.close()
    sim.wait_hung_up(2)


def test_not_before_it_is_earned(sim, start):
    """Of the first nineteen requests none has a second try, nor has one right after a hedge."""
    d = start(API_KEYS=TWO, HEDGE_AFTER="50ms")
    sim.script('*: text "slow" delay=150ms')
    for _ in range(3):
        assert d.chat().status == 200
    assert sim.count() == 3
    sim.script("*: default")
    earn(d, SHARE - 4)
    sim.script('*: text "slow" delay=150ms')
    assert d.chat().status == 200
    assert d.chat().status == 200
    assert sim.count() == SHARE + 1 + 1


def test_siblings_do_not_help(sim, start):
    """A key of the same project, or one whose quota is spent, is not used for the second attempt."""
    same = json.dumps([{"key": SECRETS[f"KEY{i}"], "project": "p"} for i in (1, 2)])
    d = start(API_KEYS=same, HEDGE_AFTER="50ms")
    earn(d)
    sim.script('*: text "slow" delay=200ms')
    assert d.chat().status == 200
    assert len(late(sim)) == 1


def test_off(sim, start):
    d = start(API_KEYS=TWO)
    earn(d, SHARE + 1)
    sim.script('*: text "slow" delay=200ms')
    assert d.chat().status == 200
    assert sim.count() == SHARE + 2


def test_p95(sim, start):
    """What is late is learned from what came before."""
    d = start(API_KEYS=TWO, HEDGE_AFTER="p95")
    earn(d, 33)
    while (before := sim.count()) > 33:  # one of them was late, and had the hedge
        earn(d)
        if sim.count() == before + SHARE - 1:
            break
    before = sim.count()
    sim.script('* times=1: hang\n*: text "second" chunks=1')
    answer = d.chat()
    assert answer.status == 200 and b"second" in answer.body
    assert sim.count() == before + 2
