# SPDX-License-Identifier: MIT
"""Why Gemini could not be reached: in the words of the resolver, the socket, TLS or the proxy, and without a secret."""
import contextlib
import json
import re
import socket
import threading

import pytest

from house import MASKS, SECRETS
from test_trace import ask, lines_of

ONE = json.dumps([{"key": SECRETS["KEY1"], "name": "k1"}])
PASSWORD = "hunter2hunter2"


@contextlib.contextmanager
def answering(answer):
    """A server that sends `answer` on every connection; None: it sends nothing. Yields its port."""
    s = socket.create_server(("127.0.0.1", 0))
    kept = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                c, _ = s.accept()
                kept.append(c)
                if answer is not None:
                    c.recv(65536)
                    c.sendall(answer)
                    c.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield s.getsockname()[1]
    finally:
        s.shutdown(socket.SHUT_RDWR)
        s.close()
        thread.join()
        for c in kept:
            c.close()


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


PROXY = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
DENIED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"

# What: (what listens, the settings, what the cause has to match)
ROWS = {
    "resolver": ("closed", {"GEMINI_BASE_URL": "https://gemini.invalid"}, "resolve host: gemini.invalid"),
    "refused": ("closed", {"GEMINI_BASE_URL": "http://127.0.0.1:{port}"}, "Connection refused .*port {port}"),
    "tls": (b"HTTP/1.1 400 Bad Request\r\n\r\n", {"GEMINI_BASE_URL": "https://127.0.0.1:{port}"}, "SSL|TLS"),
    "tls time-out": (None, {"GEMINI_BASE_URL": "https://127.0.0.1:{port}", "CONNECT_TIMEOUT": "200ms"},
                     "no TLS within CONNECT_TIMEOUT .*port {port}"),  # fmt: skip
    "silence": (None, {"GEMINI_BASE_URL": "http://127.0.0.1:{port}", "FIRST_BYTE_TIMEOUT": "200ms"},
                r"no byte within FIRST_BYTE_TIMEOUT \(0.2 s\)"),
    "hung up": (b"", {"GEMINI_BASE_URL": "http://127.0.0.1:{port}"}, "Empty reply from server|reset by peer"),
    "proxy unknown": ("closed", {"https_proxy": f"http://me:{PASSWORD}@proxy.invalid:3128"}, "proxy proxy.invalid:3128: its name"),
    "proxy refused": ("closed", {"https_proxy": f"http://me:{PASSWORD}@127.0.0.1:{{port}}"}, "proxy .*connection refused"),
    "proxy wants a password": (PROXY, {"https_proxy": f"http://me:{PASSWORD}@127.0.0.1:{{port}}"}, "407"),
    "proxy denies": (DENIED, {"https_proxy": f"http://me:{PASSWORD}@127.0.0.1:{{port}}"}, "403"),
}  # fmt: skip


@pytest.mark.parametrize("what", ROWS)
def test_cause(start, what):
    answer, settings, cause = ROWS[what]
    with contextlib.ExitStack() as stack:
        port = closed_port() if answer == "closed" else stack.enter_context(answering(answer))
        settings = {k: v.format(port=port) for k, v in settings.items()}
        if "https_proxy" in settings:
            settings |= {"GEMINI_BASE_URL": "https://gemini.invalid", "no_proxy": ""}
        d = start(LOG_LEVEL="DEBUG", API_KEYS=ONE, **settings)
        answer = ask(d, "mine")
        assert answer.status >= 500
        *before, line = lines_of(d, "mine")
        assert re.search(cause.format(port=port), line["cause"]), line
        assert line["cause"] in line["message"] and "cause" not in json.loads(answer.body)
        attempts = [e for e in before if e["message"].startswith("attempt_end: ")]
        assert len(attempts) == line["attempts"]
        assert all(re.search(cause.format(port=port), e["cause"]) and e["cause"] in e["message"] for e in attempts)
        log = d.process.said()
        assert PASSWORD.encode() not in (log if isinstance(log, bytes) else log.encode())
        d.process.stop()


def test_no_cause_of_what_went_well(start):
    d = start(LOG_LEVEL="DEBUG", API_KEYS=ONE)
    assert ask(d, "mine").status == 200
    assert not [e for e in lines_of(d, "mine") if "cause" in e]


TRIES = 'times=1: error rpm retry=60s\n* times=1: error overloaded\n* : text "Hello."'


def test_line_tells_all(sim, start):
    """The message alone is enough to follow what goes on."""
    sim.script("* " + TRIES)
    d = start(API_KEYS=json.dumps([{"key": SECRETS[f"KEY{i}"], "name": f"k{i}"} for i in (1, 2, 3)]))
    assert ask(d, "mine").status == 200
    (line,) = lines_of(d, "mine")
    assert re.fullmatch(
        r"POST /v1/chat/completions 200 in \d+\.\d{3} s, model gemini-3\.8-flash, key k\d, 3 attempts: minute, overload, ok"
        r" \(HTTP 503 UNAVAILABLE\)",
        line["message"],
    ), line["message"]  # fmt: skip
    assert line["verdicts"] == "minute, overload, ok" and line["cause"] == "HTTP 503 UNAVAILABLE"
    assert line["verdict"] == "ok" and line["attempts"] == 3


def test_attempts(sim, start):
    """At DEBUG each attempt is a line: the key, why that one, what came of it, and when."""
    sim.script("* " + TRIES)
    d = start(LOG_LEVEL="DEBUG", API_KEYS=json.dumps([{"key": SECRETS[f"KEY{i}"], "name": f"k{i}"} for i in (1, 2)]))
    assert ask(d, "mine").status == 200
    lines = lines_of(d, "mine")
    ends = [e for e in lines if e["message"].startswith("attempt_end: ")]
    assert [e["verdict"] for e in ends] == ["minute", "overload", "ok"]
    assert [e["key_name"] for e in ends] == ["k1", "k2", "k2"]
    assert [e["key"] for e in ends] == [MASKS["MASK1"], MASKS["MASK2"], MASKS["MASK2"]]
    choices = ["fewest today", "fewest today", "again after overload"]
    assert [e["choice"] for e in ends] == choices
    assert all(e["duration_usec"] >= e["first_byte_usec"] >= 0 for e in ends)
    begins = [e["message"] for e in lines if e["message"].startswith("attempt_begin: ")]
    keys = zip(("k1", "k2", "k2"), choices)
    assert begins == [f"attempt_begin: key {k}, {choice}, model gemini-3.8-flash" for k, choice in keys]


def test_cut_stream(sim, start):
    """The verdict with which a stream ends takes the place of the one with which it began."""
    sim.script('* : text "a b c d" chunks=4 cut after=1')
    d = start(API_KEYS=ONE)
    d.ask("POST", "/v1/chat/completions", [("x-request-id", "mine")],
          {"model": "gemini-3.8-flash", "stream": True, "messages": [{"role": "user", "content": "Hi"}]})  # fmt: skip
    (line,) = lines_of(d, "mine")
    assert line["verdicts"] == line["verdict"] == "cut" and line["cause"], line


def test_breaker(sim, start):
    sim.script("* : error rpm retry=60s")
    d = start(LOG_LEVEL="DEBUG", API_KEYS=ONE)
    assert ask(d, "mine").status == 429
    assert "breaker: bucket of key k1: open, by the verdict minute" in [e["message"] for e in lines_of(d, "mine")]


def test_refused_by_the_pool(sim, start):
    """The line of a request that gets no key has the states of the keys, and when the first one frees."""
    sim.script(f"key={SECRETS['KEY1']}: error rpm retry=600s\nkey={SECRETS['KEY2']}: error invalid_key")
    d = start(API_KEYS=json.dumps([{"key": SECRETS[f"KEY{i}"], "name": f"k{i}"} for i in (1, 2)]))
    assert ask(d, "first").status in (429, 503)
    assert ask(d, "mine").status == 429
    (line,) = lines_of(d, "mine")
    assert re.fullmatch(r"no usable key: 1 cooling, 1 dead; the first frees in (9|10) min", line["cause"]), line
    assert line["message"].endswith(f" ({line['cause']})") and "attempts" not in line


def test_refused_by_a_pool_without_keys(start):
    d = start(API_KEYS=json.dumps([{"key": SECRETS["KEY1"], "disabled": True}]))
    assert ask(d, "mine").status == 503
    (line,) = lines_of(d, "mine")
    assert line["cause"] == "no usable key: 1 disabled; none frees by itself"
