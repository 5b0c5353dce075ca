# SPDX-License-Identifier: MIT
"""Bodies that take long to read: as large as MAX_BODY allows by default, and full of what is slow in JSON.

The loop's thread, which serves everyone, must not be held by them: no turn of the loop takes more than 50 ms of CPU, and
/health is answered meanwhile. How soon is asserted only where little else runs, because other work delays an answer, too.
"""
import contextlib
import json
import mmap
import multiprocessing
import os
import struct
import time

import pytest

import http1
from house import BUILD, SECRETS
from test_upstream import Upstream
from watch import MIB

SIZE = 31_000_000
TURN_MAX = 50_000_000  # nanoseconds of CPU
WAIT_MAX = 5 * TURN_MAX / 1e9
TRIES = 3  # of which the quickest counts

CHAT = ("/v1/chat/completions", '{"model":"gemini-3.8-flash","messages":[{"role":"user","content":%s}]}')
IGNORED = (CHAT[0], '{"model":"gemini-3.8-flash","messages":[{"role":"user","content":"Hi"}],"x":%s}')
MESSAGES = (CHAT[0], '{"model":"gemini-3.8-flash","messages":%s}')
NATIVE = ("/v1beta/models/gemini-3.8-flash:generateContent", '{"contents":[{"role":"user","parts":%s}]}')
STREAM = ("/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse", NATIVE[1])
OTHER = (NATIVE[0], '{"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"x":%s}')
CACHE = ("/v1beta/cachedContents", OTHER[1])
CLI = ("/run-gemini", '{"command":"Hi","x":%s}')
CLI_CHAT = (CHAT[0], CHAT[1].replace("gemini-3.8", "cli/gemini-3.8"))


def fill(text, of=SIZE):
    return "[" + ",".join([text] * (of // (len(text) + 1))) + "]"


def text(piece):
    return '"' + piece * (SIZE // len(piece.encode())) + '"'


BODIES = {
    "numbers": (IGNORED, lambda: fill("0"), 200),
    "objects": (MESSAGES, lambda: fill("{}"), 400),
    "parts": (CHAT, lambda: fill('{"type":"text","text":"aaaa"}'), 400),
    "base64": (CHAT, lambda: text("QUJDREVGR0hJ"), 200),
    "escapes": (CHAT, lambda: text("\\u0041"), 200),
    "lines": (CHAT, lambda: text("\\n"), 200),
    "letters": (CHAT, lambda: text("é"), 200),
    "messages": (MESSAGES, lambda: fill('{"role":"user","content":"%s"}' % ("\\n" * 960)), 200),
    "native arrays": (OTHER, lambda: fill("[]"), 200),
    "native, deep": (OTHER, lambda: fill("[" * 50 + "]" * 50), 200),
    "native media": (STREAM, lambda: '[{"inlineData":{"mimeType":"image/png","data":%s}}]' % text("QUJDREVG"), 200),
    "native escapes": (STREAM, lambda: '[{"text":%s}]' % text("\\u0041"), 200),
    "native files": (NATIVE, lambda: fill('{"fileData":{"fileUri":"files/a"}}'), 400),
    "cache": (CACHE, lambda: fill("{}"), 200),
    "cli": (CLI, lambda: fill("0"), 413),
    "cli lines": (CLI_CHAT, lambda: text("\\n"), 400),
}


def tools(properties, copies, **more):
    """A chat of `copies` functions whose parameters have these properties."""
    parameters = {"type": "object", "properties": properties} | more
    one = [{"type": "function", "function": {"name": f"f{i}", "parameters": parameters}} for i in range(copies)]
    chat = {"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}], "tools": one}
    return json.dumps(chat, ensure_ascii=False).encode()


def references(targets):
    return {f"p{i}": {"$ref": target} for i, target in enumerate(targets)}


LETTERS = [chr(0xE000 + i) for i in range(512)]  # none of them can be in the name of a definition
# A body below 256 KiB is read in the loop itself.
SMALL = {
    "names": lambda: tools(references(f"#/$defs/{c}" for c in LETTERS), 7, **{"$defs": {c: {} for c in LETTERS}}),
    "anchors": lambda: tools(references(f"#{i}" for i in range(1000)), 4,
                             **{"$defs": {i: {"$anchor": str(i)} for i in range(1000)}}),
    "properties": lambda: tools(references(f"#/properties/p{i + 1}" for i in range(4000)), 1),
}  # fmt: skip


class Turns:
    def __init__(self, path):
        path.write_bytes(bytes(mmap.PAGESIZE))
        with path.open("r+b") as f:
            self.map = mmap.mmap(f.fileno(), mmap.PAGESIZE)

    def forget(self):
        self.map[:8] = bytes(8)

    def longest(self):
        return struct.unpack("Q", self.map[:8])[0]


def ask_health(d, ends, longest):
    with d.connect() as c:
        while not ends.is_set():
            began = time.monotonic()
            c.send(http1.compose("GET", "/health", []))
            assert c.read().status == 200
            longest.value = max(longest.value, time.monotonic() - began)


@contextlib.contextmanager
def health(d):
    """Asks for /health again and again: how long the slowest answer took. A separate process, because Python's threads
    wait for each other."""
    fork = multiprocessing.get_context("fork")
    ends, longest = fork.Event(), fork.Value("d", 0.0)
    asking = fork.Process(target=ask_health, args=(d, ends, longest))
    asking.start()
    yield longest
    ends.set()
    asking.join()
    assert asking.exitcode == 0


@pytest.mark.unsanitized
@pytest.mark.parametrize("name", BODIES)
def test_no_body_holds_the_loop(start, tmp_path, name):
    (path, frame), content, status = BODIES[name]
    body = (frame % content()).encode()
    assert len(body) < 32 * MIB
    headers = [("Content-Type", "application/json"), ("Authorization", f"Bearer {SECRETS['TOKEN']}")]
    turns = Turns(tmp_path / "turns")
    with Upstream(b"") as upstream:
        d = start(GEMINI_BASE_URL=upstream.url, CLI_PATH="/nonexistent", LD_PRELOAD=str(BUILD / "tests/attack/turns.so"),
                  TURNS_FILE=str(tmp_path / "turns"))
        assert d.chat().status == 200
        quickest = turn = None  # what holds the loop does so each time; what else the machine does costs CPU time, too
        for _ in range(TRIES):
            turns.forget()
            with health(d) as slowest:
                a = d.ask("POST", path, headers, body, token=None)
            assert a.status == status, a.body[:200]
            quickest = min(filter(None, (quickest, slowest.value)))
            print(f"\n{name}: a turn of {turns.longest() / 1e6:.1f} ms, /health within {slowest.value * 1e3:.0f} ms")
            turn = min(filter(None, (turn, turns.longest())))
            if turn <= TURN_MAX and (quickest <= WAIT_MAX or os.getloadavg()[0] > os.cpu_count()):
                break
        else:
            raise AssertionError(f"a turn of {turn / 1e6:.1f} ms, /health took {quickest:.2f} s")


@pytest.mark.unsanitized
@pytest.mark.parametrize("name", SMALL)
def test_no_small_body_holds_the_loop(sim, start, tmp_path, name):
    body = SMALL[name]()
    assert len(body) < 256 << 10
    turns = Turns(tmp_path / "turns")
    d = start(LD_PRELOAD=str(BUILD / "tests/attack/turns.so"), TURNS_FILE=str(tmp_path / "turns"))
    assert d.chat().status == 200
    found = []
    for _ in range(TRIES):
        turns.forget()
        assert d.ask("POST", CHAT[0], body=body).status == 200
        found.append(turns.longest())
        if 0 < found[-1] <= TURN_MAX:
            return
    raise AssertionError(f"turns of {[round(n / 1e6, 1) for n in found]} ms")
