# SPDX-License-Identifier: MIT
"""Requests of clients and attempts at Google are counted apart, and no total falls: which requests count, and reloads,
restarts and keys that leave.
"""
import json

import pytest

import wait
from house import SECRETS, Daemon
from test_reload import HI, Configured, ask

CHAT, NATIVE = "/v1/chat/completions", "/v1beta/models/gemini-3.8-flash:"
CONTENTS = {"contents": [{"parts": [{"text": "Hi"}]}]}
TEXT = '*: text "Hello."'
OF_BOTH = "client_requests_all_time", "total_requests_all_time"
OF_TODAY = "client_requests_today", "total_requests_today"


def counts(d, names=OF_BOTH):
    answer = d.ask("GET", "/stats?days=2", token="ADMIN")
    assert answer.status == 200
    stats = json.loads(answer.body)
    whole = stats["global_summary"]
    assert [whole[n] for n in OF_TODAY] == [whole[n] for n in OF_BOTH]
    days = [(d["client_requests"], d["requests"]) for d in stats["days"]]
    assert days in ([], [tuple(whole[n] for n in OF_BOTH)])
    assert all("client_requests" not in m for d in stats["days"] for m in d["models"].values())
    return tuple(whole[n] for n in names)


# Method, path, body, what the simulator answers, the status, and what is counted: requests, attempts.
ROWS = {
    "a chat": ("POST", CHAT, HI, TEXT, 200, 1, 1),
    "a stream": ("POST", CHAT, HI | {"stream": True}, TEXT, 200, 1, 1),
    "a native one": ("POST", NATIVE + "generateContent", CONTENTS, TEXT, 200, 1, 1),
    "Anthropic's": ("POST", "/v1/messages", HI | {"max_tokens": 9}, TEXT, 200, 1, 1),
    "embeddings": ("POST", "/v1/embeddings", {"model": "gemini-embedding-001", "input": "x"}, TEXT, 200, 1, 1),
    "one whose first key fails": ("POST", CHAT, HI, f'key={SECRETS["KEY1"]}: error rpd\n{TEXT}', 200, 1, 2),
    "a model that is not there": ("POST", CHAT, HI | {"model": "no-such"}, "*: error model_not_found", 404, 1, 1),
    "Google's 400": ("POST", CHAT, HI, "*: error invalid_argument", 400, 1, 1),
    "spent keys": ("POST", CHAT, HI, "*: error rpd", 429, 1, 2),
    "a count of tokens": ("POST", NATIVE + "countTokens", CONTENTS, TEXT, 200, 0, 0),
    "Anthropic's count": ("POST", "/v1/messages/count_tokens", HI, TEXT, 200, 0, 0),
    "no JSON": ("POST", CHAT, "{", TEXT, 400, 0, 0),
    "no messages": ("POST", CHAT, {"model": "m"}, TEXT, 400, 0, 0),
    "no path": ("POST", "/v1/chat", HI, TEXT, 404, 0, 0),
    "no such method": ("GET", CHAT, None, TEXT, 405, 0, 0),
    "models": ("GET", "/v1/models", None, TEXT, 200, 0, 0),
    "the management": ("GET", "/stats", None, TEXT, 403, 0, 0),
}


@pytest.mark.parametrize("method,path,body,script,status,requests,attempts", ROWS.values(), ids=ROWS.keys())
def test_what_counts(sim, daemon, method, path, body, script, status, requests, attempts):
    sim.script(script)
    body = body if body is None or isinstance(body, str) else json.dumps(body)
    answer = daemon.ask(method, path, [("Content-Type", "application/json")], body and body.encode())
    assert answer.status == status, answer.body
    assert counts(daemon) == (requests, attempts)


@pytest.fixture
def daemon(sim, tmp_path):
    with Daemon(tmp_path, sim) as d:
        yield d


@pytest.mark.parametrize("token", ["WRONG", None])
def test_strangers_count_nothing(sim, daemon, token):
    headers = [("Authorization", "Bearer an-unknown-token")] if token else []
    assert daemon.ask("POST", CHAT, headers, json.dumps(HI).encode(), token=None).status == 401
    assert counts(daemon) == (0, 0)


def test_no_key_is_usable(sim, daemon):
    """Then a request is no attempt; the day has a row all the same."""
    sim.script("*: error invalid_key")
    assert daemon.chat().status == 503
    n = counts(daemon)[1]
    for i in range(3):
        assert daemon.chat().status == 503
        assert counts(daemon) == (2 + i, n)
    assert daemon.ask("GET", "/stats?days=1", token="ADMIN").status == 200


def test_a_large_body_counts_once(sim, daemon):
    """It is read by the worker."""
    assert daemon.chat(content="x " * 400_000).status == 200
    assert counts(daemon) == (1, 1)


def test_client_that_hangs_up(sim, daemon):
    sim.script("*: hang")
    ask(daemon, HI).close()
    wait.until("the request to be counted", lambda: counts(daemon)[0] == 1)


def test_many_rounds_are_one_request(sim, daemon):
    """Embeddings are asked for in batches."""
    body = {"model": "gemini-embedding-001", "input": ["x"] * 250}
    assert daemon.ask("POST", "/v1/embeddings", [], json.dumps(body).encode()).status == 200
    requests, attempts = counts(daemon)
    assert requests == 1 and attempts == sim.count() > 1


def test_a_model_that_is_not_there(sim, tmp_path):
    """It is usable for no key, also after a restart; and no key is blamed."""
    state = {"STATE_URL": f"sqlite:{tmp_path}/state.db"}
    for n in range(2):
        (tmp_path / str(n)).mkdir()
        with Daemon(tmp_path / str(n), sim, state) as d:
            if n == 0:
                sim.script("*: error not_found")
                assert d.chat(model="no-such").status == 404
            stats = json.loads(d.ask("GET", "/stats", token="ADMIN").body)
            model = stats["model_summary"]["no-such"]
            assert (model["usable_keys"], model["healthy_keys"], model["total_keys"]) == (0, 2, 2)
            states = [m["state"] for k in stats["api_key_stats"].values() for m in k["models"].values()]
            assert states == ["missing"]
            advice = json.loads(d.ask("GET", "/api-key-recommendations", token="ADMIN").body)["advice"]
            assert any(a.startswith("Google does not know no-such") for a in advice)
            assert json.loads(d.ask("GET", "/health").body)["status"] == "healthy"


def test_totals_never_fall(sim, tmp_path):
    """Keys leave by a reload and by a restart, and come back."""
    state = {"STATE_URL": f"sqlite:{tmp_path}/state.db"}
    last, folders = (0, 0), (tmp_path / str(n) for n in range(9))
    for n, keys in enumerate([("KEY1", "KEY2"), ("KEY3",), ("KEY1", "KEY2", "KEY3")]):
        folder = next(folders)
        folder.mkdir()
        with Configured(folder, sim, state) as d:
            assert counts(d) == last
            for names in keys, (), keys:
                d.keys(*names)
                d.reload()
                assert counts(d) == last
                sim.script(f'times=1: error overloaded\n{TEXT}')
                status = d.chat().status
                assert status == (200 if names else 503)
                now = counts(d)
                assert now[0] == last[0] + 1 and now[1] == last[1] + (2 if names else 0)
                last = now
            summary = json.loads(d.ask("GET", "/api-key-recommendations", token="ADMIN").body)["current_system_status"]
            assert (summary["client_requests_today"], summary["today_total_requests"]) == last
            d.process.stop()
