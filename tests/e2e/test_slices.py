# SPDX-License-Identifier: MIT
"""Answers of the management that grow with the number of keys are made in slices: others are served in between."""
import json
import select
import signal

import pytest

import http1
import wait
from house import SECRETS
from test_reload import Configured

MANY = 30_000
ANSWERS_MAX = 8  # base/limits.h
LARGE = ["/stats", "/explain", "/api-key-recommendations"]


def many(n, first=0):
    return json.dumps([{"key": f"AIzaSy{i:029d}x{i % 10000:04d}", "name": f"k{i}"} for i in range(first, first + n)])


@pytest.fixture
def daemon(sim, tmp_path):
    with Configured(tmp_path, sim) as d:
        d.write("api-keys", many(MANY))
        d.expect(added=MANY, removed=2, kept=0)
        yield d


def send(d, where, token="ADMIN", c=None):
    c = c or d.connect()
    c.send(http1.compose("GET", where, [("Authorization", f"Bearer {SECRETS[token]}")]))
    return c


def warm(d):
    c = send(d, "/health")
    assert c.read().status == 200
    return c


def has_bytes(c):
    return bool(select.select([c.sock], [], [], 0)[0])


@pytest.mark.parametrize("where", LARGE)
def test_others_are_served_meanwhile(daemon, where):
    """Both requests wait when the daemon wakes up, the large one first. The small one is answered before."""
    large, small = warm(daemon), warm(daemon)
    daemon.process.signal(signal.SIGSTOP)
    send(daemon, where, c=large)
    send(daemon, "/health", c=small)
    daemon.process.signal(signal.SIGCONT)
    assert small.read().status == 200
    n = 0
    while not has_bytes(large):
        send(daemon, "/health", c=small)
        assert small.read().status == 200
        n += 1
    assert n >= 3, "the answer was made in one go"
    answer = large.read()
    assert answer.status == 200
    json.loads(answer.body)


def test_a_reload_meanwhile(daemon):
    """The answer is about the new keys only."""
    daemon.process.signal(signal.SIGSTOP)
    c = send(daemon, "/stats")
    daemon.write("api-keys", many(MANY // 2, first=MANY))
    daemon.process.signal(signal.SIGCONT)
    wait.until("the state", lambda: any(
        r["route"] == "/stats" for r in json.loads(daemon.ask("GET", "/admin/requests", token="ADMIN").body)["requests"]))
    daemon.process.signal(signal.SIGHUP)
    stats = json.loads(c.read().body)
    assert stats["global_summary"]["total_api_keys"] == len(stats["api_key_stats"])
    assert len(stats["api_key_stats"]) in (MANY, MANY // 2)


def test_clients_that_go(daemon):
    """Their answers are dropped, and leave room for others."""
    for _ in range(3 * ANSWERS_MAX):
        send(daemon, "/stats").close()
    wait.until("room", lambda: daemon.ask("GET", "/stats", token="ADMIN").status == 200)


def test_too_many_at_once(daemon):
    clients = [send(daemon, "/stats", c=daemon.connect(receive_buffer=4096)) for _ in range(ANSWERS_MAX)]
    for c in clients:
        c.fill()  # so each has begun, and is not read
    answer = daemon.ask("GET", "/stats", token="ADMIN")
    if answer.status == 503:  # else the first one was unread for LONG_ANSWER_PATIENCE already
        assert b"try again later" in answer.body and answer.header("Retry-After") == "2"
    # All of them are still open, but an unread one gives way.
    wait.until("room", lambda: daemon.ask("GET", "/stats", token="ADMIN").status == 200)
    answers = []
    for c in clients:
        answers.append(c.read())
        c.close()
    assert not all(a.complete for a in answers)
    assert all(a.status == 200 for a in answers)
