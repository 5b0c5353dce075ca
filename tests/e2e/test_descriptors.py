# SPDX-License-Identifier: MIT
"""A limit of open files that is too small for all clients: some wait, and nothing fails that has begun."""
import contextlib
import json
import re
import select

import pytest

import cost
import house
import http1
import wait
from front import Front
from house import SECRETS

LIMIT = 300
ROOM = LIMIT - 128  # DESCRIPTORS_RESERVE
IDLE_CPU = 0.3 * (8 if house.SANITIZED else 1)  # seconds, while nothing happens for one second
FIRST = '* : text "first-second" chunks=2 hang after=1\n'


def body(stream=True):
    return json.dumps({"model": "gemini-3.8-flash", "stream": stream, "messages": [{"role": "user", "content": "Hi"}]})


def ask(c):
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("Content-Type", "application/json")]
    c.send(http1.compose("POST", "/v1/chat/completions", headers, body().encode()))


@contextlib.contextmanager
def limited(folder, sim, settings=None):
    """A daemon with LIMIT, of which no key is blamed."""
    under = folder / "daemon"
    under.mkdir()
    program = ["prlimit", f"--nofile={LIMIT}:{LIMIT}", house.GEMGATED]
    with house.Daemon(under, sim, {"STREAM_IDLE_TIMEOUT": "10m"} | (settings or {}), program=program) as d:
        yield d
        assert d.chat().status == 200
        assert [e["message"] for e in d.log() if e["message"].startswith("key ")] == []


def is_full(e):
    return e["message"].startswith("the limit of open files is reached")


def ready(connections, deadline=60.0):
    socks = {c.sock: c for c in connections}
    return [socks[s] for s in select.select(list(socks), [], [], deadline)[0]]


def assert_quiet(d, waiting):
    """None of them gets a byte, and the daemon does nothing meanwhile."""
    began = cost.cpu(d)
    assert ready(waiting, 1.0) == []
    assert cost.cpu(d) - began < IDLE_CPU


def first_event(c):
    assert c.read_head().status == 200
    c.read_until(b"first")


def serve_all(sim, connections):
    """Each gets its first event. It hangs up then, and leaves its place to another."""
    left = list(connections)
    while left:
        some = ready(left)
        assert some, f"{len(left)} of {len(connections)} are not served"
        for c in some:
            first_event(c)
            c.close()
            left.remove(c)
    sim.script("* : default\n")


def test_http1_takes_two(sim, tmp_path):
    """A stream takes a client's descriptor and one upstream. Clients beyond that wait to be accepted."""
    sim.script(FIRST)
    with limited(tmp_path, sim) as d, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(d.connect()) for _ in range(120)]
        for c in clients:
            ask(c)
        n = int(d.wait_log("the warning", is_full)["limit"])
        assert ROOM // 2 - 5 <= n <= ROOM // 2
        for c in clients[:n]:
            first_event(c)
        assert_quiet(d, clients[n:])
        assert sim.count() == n
        for c in clients[:n]:
            c.close()
        serve_all(sim, clients[n:])


KEPT = 130
LEFT = ROOM - KEPT - 1  # for upstream; the HTTP server has one, too


def keep(stack, d):
    """Clients between two requests, which take one descriptor each."""
    clients = [stack.enter_context(d.connect()) for _ in range(KEPT)]
    for c in clients:
        c.send(http1.compose("GET", "/health"))
        assert c.read().status == 200
    return clients


def test_kept_clients_begin_at_once(sim, tmp_path):
    """More than there are descriptors for upstream: they wait for one."""
    sim.script(FIRST)
    with limited(tmp_path, sim, {"CONNECT_TIMEOUT": "5m"}) as d, contextlib.ExitStack() as stack:
        clients = keep(stack, d)
        for c in clients:
            ask(c)
        served = []
        while len(served) < LEFT:
            served += ready([c for c in clients if c not in served])
        waiting = [c for c in clients if c not in served]
        assert_quiet(d, waiting)
        serve_all(sim, clients)
        assert sim.count() == KEPT


def test_no_descriptor_in_time(sim, tmp_path):
    """The error names the limit, and other clients keep their streams."""
    sim.script(FIRST)
    with limited(tmp_path, sim, {"CONNECT_TIMEOUT": "500ms"}) as d, contextlib.ExitStack() as stack:
        clients = keep(stack, d)
        for c in clients:
            ask(c)
        statuses = {200: [], 503: []}
        left = list(clients)
        while left:
            some = ready(left)
            assert some
            for c in some:
                statuses[c.read_head().status].append(c)
                left.remove(c)
        assert len(statuses[200]) == LEFT
        for c in statuses[503]:
            assert b"limit of open files (LimitNOFILE=)" in c.read_body("POST").body
        assert sim.count() == len(statuses[200])
        for c in statuses[200]:
            c.read_until(b"first")
        for c in clients:
            c.close()
        sim.script("* : default\n")


@pytest.fixture
def front(sim, tmp_path):
    under = tmp_path / "front"
    under.mkdir()
    with Front(under, sim) as f:
        yield f


def test_http2_takes_one(front, tmp_path):
    """Nearly as many streams as there are descriptors, because few connections upstream carry all."""
    front.script(FIRST)
    with limited(tmp_path, front) as d, contextlib.ExitStack() as stack:
        pattern = rf"open files, {LIMIT}, leaves room for (\d+): the limit \(LimitNOFILE=\) must be raised"
        most = int(wait.until("the warning at the start", lambda: re.search(pattern, d.process.said()))[1])
        assert most >= ROOM * 0.9
        clients = [stack.enter_context(d.connect()) for _ in range(most)]
        for c in clients:
            ask(c)
        for c in clients:
            first_event(c)
        front.script("* : default\n")
