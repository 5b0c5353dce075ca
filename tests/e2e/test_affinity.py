# SPDX-License-Identifier: MIT
"""Conversations stay with a project. Which one that is, is a matter of hashes: what is shown is that it is the same."""
import json
import signal

import pytest

from house import SECRETS

KEYS = json.dumps([SECRETS[f"KEY{i}"] for i in range(1, 5)])
TURNS = 5  # no more than may be at once before another project is preferred


def keys(sim):
    return [r.key for r in sim.requests()]


def messages(first, turn):
    out = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": first}]
    for i in range(turn):
        out += [{"role": "assistant", "content": f"answer {i}"}, {"role": "user", "content": f"and {i}?"}]
    return out


def ask_messages(d, body, headers=()):
    answer = d.ask("POST", "/v1/messages", headers, {"model": "gemini-3.8-flash", "max_tokens": 9, **body})
    assert answer.status == 200, answer.body


def chat(d, body, headers=()):
    answer = d.ask("POST", "/v1/chat/completions", headers, {"model": "gemini-3.8-flash", **body})
    assert answer.status == 200, answer.body


NAMES = {
    "prompt_cache_key": lambda turn: ({"prompt_cache_key": "c", "user": f"u{turn}", "messages": messages(f"{turn}", 0)}, ()),
    "user": lambda turn: ({"user": "somebody", "messages": messages(f"{turn}", 0)}, ()),
    "x-session-id": lambda turn: ({"messages": messages(f"{turn}", 0)}, [("x-session-id", "s-1")]),
    "claude": lambda turn: ({"messages": messages(f"{turn}", 0)}, [("X-Claude-Code-Session-Id", "s-1")]),
    "opening": lambda turn: ({"messages": messages("Tell me a story.", turn)}, ()),
}


@pytest.mark.parametrize("name", NAMES)
def test_stays(sim, start, name):
    """By whatever a client names it, and by its first message else."""
    d = start(API_KEYS=KEYS, AFFINITY_SPILL="25%")
    for turn in range(TURNS):
        chat(d, *NAMES[name](turn))
    assert len(set(keys(sim))) == 1


CLAUDE = {
    "session": lambda turn: ({"messages": [{"role": "user", "content": f"{turn}"}]}, [("x-claude-code-session-id", "s-1")]),
    "attribution": lambda turn: ({"system": [{"type": "text", "text": f"x-anthropic-billing-header: cch={turn};"}, {"type": "text", "text": "S."}],
                                  "messages": [{"role": "user", "content": "Tell me a story."}]}, ()),
}


@pytest.mark.parametrize("name", CLAUDE)
def test_messages_stay(sim, start, name):
    """Also if Claude Code's attribution is another one each time: nothing of it goes upstream."""
    d = start(API_KEYS=KEYS, AFFINITY_SPILL="25%")
    for turn in range(TURNS):
        ask_messages(d, *CLAUDE[name](turn))
    assert len(set(keys(sim))) == 1
    assert not any("billing" in r.body for r in sim.requests())


def test_native(sim, start):
    d = start(API_KEYS=KEYS, AFFINITY_SPILL="25%")
    contents = []
    for turn in range(TURNS):
        contents += [{"role": "user", "parts": [{"text": f"turn {turn}"}]}, {"role": "model", "parts": [{"text": "yes"}]}]
        body = {"contents": contents[:-1]}
        assert d.ask("POST", "/v1beta/models/gemini-3.8-flash:generateContent", body=body).status == 200
    assert len(set(keys(sim))) == 1


def test_different_ones_spread(sim, start):
    d = start(API_KEYS=KEYS, AFFINITY_SPILL="25%")
    for i in range(40):
        chat(d, {"messages": messages(f"story {i}", 0)})
    assert len(set(keys(sim))) == 4


def test_spills(sim, start):
    """One conversation alone does not use up one project while the others are idle."""
    d = start(API_KEYS=KEYS, AFFINITY_SPILL="25%")
    for _ in range(40):
        chat(d, {"user": "one", "messages": messages("Hi", 0)})
    seen = keys(sim)
    assert len(set(seen)) == 4
    assert max(seen.count(k) for k in seen) <= 10 + 8


def test_off(sim, start):
    """Then the key that did least comes next, as ever."""
    d = start(API_KEYS=KEYS, AFFINITY_SPILL="off")
    for _ in range(4):
        chat(d, {"user": "one", "messages": messages("Hi", 0)})
    assert keys(sim) == [SECRETS[f"KEY{i}"] for i in range(1, 5)]


def test_home_rests(sim, start):
    """Who served last is the home, also when it was a stranger first."""
    d = start(API_KEYS=KEYS, AFFINITY_SPILL="25%")
    body = {"user": "one", "messages": messages("Hi", 0)}
    chat(d, body)
    home = keys(sim)[0]
    sim.script(f"key={home}: error day\n*: default")
    for _ in range(3):
        chat(d, body)
    seen = keys(sim)[-4:]  # the log continues
    assert seen[0] == home and home not in seen[1:] and len(set(seen[1:])) == 1


def test_keys_change(sim, tmp_path, start):
    """A project that a reload takes away is forgotten with all that was bound to it."""
    folder = tmp_path / "etc"
    folder.mkdir()
    keys_file = folder / "api-keys"
    keys_file.write_text("\n".join(SECRETS[f"KEY{i}"] for i in range(1, 5)))
    d = start(unset=["API_KEYS"], argv=[f"--config-dir={folder}"], AFFINITY_SPILL="25%")
    body = {"user": "one", "messages": messages("Hi", 0)}
    chat(d, body)
    home = keys(sim)[0]
    keys_file.write_text("\n".join(SECRETS[f"KEY{i}"] for i in range(1, 5) if SECRETS[f"KEY{i}"] != home))
    d.interrupt(signal.SIGHUP)
    d.wait_log("the reload", lambda e: "1 removed" in e.get("message", ""))
    for _ in range(3):
        chat(d, body)
    assert home not in keys(sim)[1:] and len(set(keys(sim)[1:])) == 1
