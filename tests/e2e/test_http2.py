# SPDX-License-Identifier: MIT
"""Gemini over TLS and HTTP/2, as Google serves it: many calls in one connection, and what ends some of them."""
import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import case
import conversation
import house
import http1
from front import Front
from house import SECRETS

MODEL = "gemini-3.8-flash"

# Cases about what comes from upstream, and how it ends.
GROUPS = (
    "answer-", "chat-stream", "embeddings", "error-after", "failover-", "foreign-", "gemini-errors", "gemini-media",
    "gemini-stream", "messages-large", "messages-stream", "models-pages", "redirect-", "responses", "retry-after-upstream",
    "stream-", "timeout-",
)  # fmt: skip
CASES = [p for p in sorted((Path(__file__).parent / "cases").glob("*.txt")) if p.stem.startswith(GROUPS)]


@pytest.fixture
def front(sim, tmp_path):
    with running(tmp_path, sim) as f:
        yield f


@contextlib.contextmanager
def running(folder, sim, more=""):
    under = folder / "front"
    under.mkdir()
    with Front(under, sim, more) as f:
        yield f
        assert all(line.protocol == "HTTP/2.0" for line in f.lines())


@pytest.fixture
def daemon(front, tmp_path):
    under = tmp_path / "daemon"
    under.mkdir()
    with house.Daemon(under, front, {"MAX_CONNECTIONS": "300"}) as d:
        yield d


def test_there_are_cases():
    assert len(CASES) > 20


@pytest.mark.parametrize("path", CASES, ids=[p.stem for p in CASES])
def test_case(path, front, tmp_path):
    under = tmp_path / "case"
    under.mkdir()
    fault = None
    try:
        conversation.run(case.parse(path.read_text()), front, under)
    except (conversation.Mismatch, case.CaseError) as e:
        fault = f"{path.name}: {e}"
    if fault:
        pytest.fail(fault, pytrace=False)


@contextlib.contextmanager
def stream(daemon, content="Hi", **kw):
    """A streamed chat whose first event has arrived."""
    body = json.dumps({"model": MODEL, "stream": True, "messages": [{"role": "user", "content": content}]}).encode()
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("Content-Type", "application/json")]
    with daemon.connect(**kw) as c:
        c.send(http1.compose("POST", "/v1/chat/completions", headers, body))
        c.read_until(b"data: ")
        yield c


def test_streams_share_a_connection(front, daemon):
    front.script('* : text "first-second" chunks=2 hang after=1\n')
    with contextlib.ExitStack() as all_streams:
        for _ in range(60):
            all_streams.enter_context(stream(daemon))
        # Beside them, others are answered.
        front.script("* : default\n")
        assert daemon.chat().status == 200
        assert daemon.chat(stream=True).status == 200
    lines = front.wait_lines(62)
    assert len({line.connection for line in lines}) < 12
    assert all(line.protocol == "HTTP/2.0" for line in lines)


def test_goaway(sim, tmp_path):
    """A connection that carries only a few requests: none is lost, and none is sent twice."""
    with running(tmp_path, sim, "keepalive_requests 7;") as f:
        under = tmp_path / "daemon"
        under.mkdir()
        with house.Daemon(under, f) as d, ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: d.chat(f"number {i}").status, range(150)))
        assert answers == [200] * 150
        assert sim.count() == 150
        assert len({line.connection for line in f.wait_lines(150)}) >= 150 // 7


def test_hang_up(front, daemon):
    """A client that hangs up ends its stream upstream, and no other one."""
    front.script('* : text "x" chunks=1000000 pace=5ms\n')
    with stream(daemon) as other:
        with stream(daemon):
            pass
        front.wait_hung_up(1)
        for _ in range(5):
            assert other.chunk()
        assert sum(r.answer["hung_up"] for r in front.requests()) == 1
    front.wait_hung_up(2)


def test_slow_reader(front, daemon):
    """Clients that read nothing hold up no others, although they share a connection."""
    front.script('body="all" : big 8M\n* : default\n')
    with contextlib.ExitStack() as slow:
        readers = [slow.enter_context(stream(daemon, "all", receive_buffer=4096)) for _ in range(5)]
        for _ in range(50):
            assert daemon.chat().status == 200
        n, last = 0, b""
        while part := readers[0].chunk():
            n, last = n + len(part), part
        assert n > 8 << 20 and b"[DONE]" in last


def test_large_body(front, daemon):
    """A request larger than all windows, while others go on."""
    text = "x" * (6 << 20)
    done = []
    thread = threading.Thread(target=lambda: done.append(daemon.chat(text).status))
    thread.start()
    while thread.is_alive():
        assert daemon.chat().status == 200
    thread.join()
    assert done == [200]
    assert any(text in r.body for r in front.requests())


def test_server_goes(front, daemon):
    """The end of the server ends its streams, and the next request has a new connection."""
    front.script('* : text "first-second" chunks=2 hang after=1\n')
    with stream(daemon) as c:
        front.stop()
        while part := c.chunk():
            c.answer.body += part
        assert c.answer.status == 200 and b'"error"' in c.answer.body
    front.script("* : default\n")
    (front.folder / "pid").unlink(missing_ok=True)
    front.start()
    assert daemon.chat().status == 200
