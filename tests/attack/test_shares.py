# SPDX-License-Identifier: MIT
"""Attacks by a client with a good token on what all clients share: the queue, the pool's models, remembered files."""
import contextlib
import json

import http1
import wait
from house import SECRETS
from watch import MIB, Watch

OTHER = [("Authorization", f"Bearer {SECRETS['TOKEN2']}")]
TWO_CLIENTS = {"ALLOWED_TOKENS": json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])}
CHAT = "/v1/chat/completions"
BATCH = 50  # requests that are sent before an answer is read


def chat(model, size=20):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "x" * size}]}).encode()
    return http1.compose("POST", CHAT, OTHER, body)


def flood(d, requests, *statuses):
    """All of them on one connection; each is answered with one of these statuses. Returns the answers."""
    answers = []
    with d.connect() as c:
        for i in range(0, len(requests), BATCH):
            c.send(b"".join(requests[i : i + BATCH]))
            for _ in requests[i : i + BATCH]:
                answers.append(a := c.read("POST"))
                assert a and a.status in statuses, a and (a.head, a.body[:300])
    return answers


def stats(d):
    return json.loads(d.ask("GET", "/stats", token="ADMIN").body)


# --- the queue ---


def test_queue(sim, start):
    """One client waits as often as it can for many models: another one waits as well, and is served."""
    sim.script('model=sim-busy-*: error rpm retry=50s\nmodel=gemini-3.8-pro times=1: error rpm retry=1s\n*: text "Hello."')
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]), QUEUE_WAIT="60s", MAX_CONNECTIONS="8192", **TWO_CLIENTS)
    w = Watch(d)
    # A place holds the body twice, as it came and translated; the connection and the exchange take 30 KiB beside them.
    with w.attack("waiting clients", memory=2000 * 48 << 10, cpu=6), contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(d.connect()) for _ in range(2000)]
        for i, c in enumerate(waiting):
            c.send(chat(f"sim-busy-{i % 20}", size=8000))
        wait.until("a client without a place", lambda: stats(d)["queue"]["total_turned_away"] > 0)
        before = stats(d)["queue"]["total_waited"]
        w.chats(3, model="gemini-3.8-pro")  # the first of them waits
        assert stats(d)["queue"]["total_waited"] > before
        w.chats(20)
    wait.until("an empty queue", lambda: stats(d)["queue"]["waiting"] == 0)


def test_queue_of_large_bodies(sim, start):
    """The places of a client are bounded by the bytes that they hold too."""
    sim.script('model=sim-busy: error rpm retry=50s\nmodel=gemini-3.8-pro times=1: error rpm retry=1s\n*: text "Hello."')
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]), QUEUE_WAIT="60s", **TWO_CLIENTS)
    w = Watch(d)
    with w.attack("waiting bodies", memory=128 * MIB, cpu=6), contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(d.connect()).send(chat("sim-busy", size=2 * MIB))
        wait.until("a client without a place", lambda: stats(d)["queue"]["total_turned_away"] > 0)
        assert stats(d)["queue"]["waiting_bytes"] <= 64 * MIB
        w.chats(3, model="gemini-3.8-pro", content="x" * MIB)


# --- models ---


def test_invented_models(start):
    """Names that Google does not know, and names that it does: the pool keeps 256, and those in use are among them."""
    d = start(**TWO_CLIENTS)
    w = Watch(d)
    with w.attack("invented models", cpu=8):
        for n in range(0, 2000, 200):
            flood(d, [chat(f"{'sim' if i % 2 else 'no'}-{i}" + "x" * 90) for i in range(n, n + 200)], 200, 404, 503)
            w.chats(3)
    models = stats(d)["model_summary"]
    assert len(models) <= 256 and models["gemini-3.8-flash"]["total_requests"] >= 33, len(models)


# --- files ---


def start_of_upload(i):
    headers = [
        *OTHER,
        ("X-Goog-Upload-Protocol", "resumable"),
        ("X-Goog-Upload-Command", "start"),
        ("X-Goog-Upload-Header-Content-Length", "5"),
        ("X-Goog-Upload-Header-Content-Type", "text/plain"),
    ]
    return http1.compose("POST", "/upload/v1beta/files", headers, b'{"file":{"displayName":"n%d"}}' % i)


def test_uploads(sim, start):
    """A client that begins more uploads than one may have takes none of another's."""
    d = start(**TWO_CLIENTS)
    w = Watch(d)
    mine = d.ask("POST", "/v1beta/cachedContents", body={"model": "models/gemini-3.8-flash"})
    assert mine.status == 200, mine.body
    name = json.loads(mine.body)["name"]
    with w.attack("uploads", cpu=8):
        for n in range(0, 5000, 500):
            flood(d, [start_of_upload(i) for i in range(n, n + 500)], 200, 429)
            w.chats(3)
    assert d.ask("GET", f"/v1beta/{name}").status == 200
