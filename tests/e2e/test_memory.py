# SPDX-License-Identifier: MIT
"""What one request may cost in memory, and that the memory is given back."""
import json

import pytest

import wait
from cost import forget_peak, memory, peak
from simulator import Simulator

MIB = 1 << 20
HI = {"role": "user", "content": "Hi"}
CHAT = "/v1/chat/completions"
NATIVE = "/v1beta/models/gemini-3.8-flash:generateContent"


@pytest.fixture(scope="module")
def running_sim(tmp_path_factory):
    """It does not look at the bodies: a million values take it two seconds."""
    with Simulator(tmp_path_factory.mktemp("sim"), "--lax") as s:
        yield s


# The sanitizer keeps what is freed for a while, and replaces the daemon's allocator.
measured = pytest.mark.unsanitized


def fill(text, size):
    """A list of about `size` bytes of JSON."""
    return "[" + ",".join([text] * (size // (len(text) + 1))) + "]"


BODIES = {
    "messages": (CHAT, '{"model":"gemini-3.8-flash","messages":%s}'),
    "ignored": (CHAT, '{"model":"gemini-3.8-flash","messages":[{"role":"user","content":"Hi"}],"user":%s}'),
    "parts": (CHAT, '{"model":"gemini-3.8-flash","messages":[{"role":"user","content":%s}]}'),
    "native": (NATIVE, '{"contents":%s}'),
    "cli": ("/run-gemini", '{"prompt":"Hi","x":%s}'),
    "admin": ("/reset-api-key-health", '{"x":%s}'),
    "cache": ("/v1beta/cachedContents", '{"contents":%s}'),
}
VALUES = ["{}", "[]", "0", '""', '{"a":{}}', "[[[[]]]]", '{"role":"user","content":"a"}', '{"type":"text","text":"a"}']


@measured
@pytest.mark.parametrize("where", BODIES)
def test_a_body_costs_at_most_eight_times_its_size(sim, start, where):
    path, frame = BODIES[where]
    token = "ADMIN" if where == "admin" else "TOKEN"
    d = start(CLI_PATH="/nonexistent")
    assert d.chat().status == 200
    for value in VALUES:
        body = (frame % fill(value, 3_000_000)).encode()
        forget_peak(d)
        before = memory(d)
        a = d.ask("POST", path, [("Content-Type", "application/json")], body, token=token)
        assert a.status in (200, 400, 413, 503), a.body[:200]
        assert peak(d) - before <= 8 * len(body) + 16 * MIB, (value, a.status, a.body[:200])


def test_the_refusal_names_the_count(start):
    d = start()
    body = ('{"command":%s}' % fill("{}", 3_000_000)).encode()
    a = d.ask("POST", "/run-gemini", [], body)
    assert a.status == 413
    error = json.loads(a.body)["error"]
    assert error["message"].startswith("The request body has 1,000,002 JSON values; at most ")
    assert error["code"] == "request_too_large"


def test_the_shortest_messages_fit(sim, start):
    """As many as chat takes at all."""
    d = start()
    messages = [{"role": "user", "content": "a"}] * 16384
    assert d.ask("POST", CHAT, [], {"model": "gemini-3.8-flash", "messages": messages}).status == 200
    messages.append(HI)
    a = d.ask("POST", CHAT, [], {"model": "gemini-3.8-flash", "messages": messages})
    assert a.status == 400


@measured
@pytest.mark.parametrize("stream", [False, True])
def test_a_large_image_costs_at_most_twice_its_size(sim, start, stream):
    """20 MB; twice its size beyond the body itself, of which the request that is made of it is one."""
    d = start()
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBORw0K" * 2_600_000}}
    body = json.dumps({"model": "gemini-3.8-flash", "stream": stream, "messages": [
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]}).encode()
    assert d.chat().status == 200
    forget_peak(d)
    before = memory(d)
    assert d.ask("POST", CHAT, [], body).status == 200
    grown = (peak(d) - before) / len(body)
    assert grown <= 1 + 2, f"{grown:.2f} times the body"


@measured
def test_memory_is_given_back(sim, start):
    """After large requests of all kinds: allowed and refused, of many values and of one long text."""
    d = start()
    many = ('{"messages":%s}' % fill('{"role":"user","content":"a"}', 480_000)).encode()
    dense = ('{"messages":%s}' % fill("{}", 3_000_000)).encode()
    long = json.dumps({"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "x" * 12_000_000}]}).encode()
    bodies = [(CHAT, many), (CHAT, dense), (CHAT, long), (NATIVE, ('{"contents":%s}' % fill("{}", 3_000_000)).encode())]
    for _ in range(20):
        assert d.chat().status == 200
    before = memory(d)
    for i in range(50):
        path, body = bodies[i % len(bodies)]
        assert d.ask("POST", path, [], body).status in (200, 400, 413)
    wait.until("the memory to be given back", lambda: memory(d) < before + 8 * MIB)
