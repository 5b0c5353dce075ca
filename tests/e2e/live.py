# SPDX-License-Identifier: MIT
"""A client of the Live API, by the `websockets` package."""
import json

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import wait
from house import SECRETS

MODEL = "gemini-3.8-live"
PATH = "/ws/google.ai.generativelanguage.{}.GenerativeService.BidiGenerateContent"


def session(daemon, token="TOKEN", version="v1beta", query="", headers=None, **kw):
    headers = {"x-goog-api-key": SECRETS[token]} if headers is None else headers
    return connect(f"ws://{daemon.host}{PATH.format(version)}{query}", additional_headers=headers, proxy=None,
                   max_size=None, open_timeout=wait.DEADLINE, **{"close_timeout": wait.DEADLINE, **kw})


def send(ws, **message):
    ws.send(json.dumps(message))


def receive(ws):
    return json.loads(ws.recv(timeout=wait.DEADLINE))


def ask(ws, model=MODEL, **more):
    send(ws, setup={"model": f"models/{model}", **more})


def setup(ws, model=MODEL, **more):
    ask(ws, model, **more)
    answer = receive(ws)
    assert answer == {"setupComplete": {}}


def say(ws, text):
    send(ws, clientContent={"turns": [{"role": "user", "parts": [{"text": text}]}], "turnComplete": True})


def turn(ws, text="Hi"):
    """The text of the answer, and the message that ends it."""
    say(ws, text)
    out = ""
    while True:
        m = receive(ws)
        content = m.get("serverContent", {})
        out += "".join(p.get("text", "") for p in content.get("modelTurn", {}).get("parts", []))
        if content.get("turnComplete"):
            return out, m


def ended(ws):
    """(code, reason) of the close frame that comes; None: the connection broke without one."""
    try:
        while True:
            ws.recv(timeout=wait.DEADLINE)
    except ConnectionClosed as e:
        return (e.rcvd.code, e.rcvd.reason) if e.rcvd else None


def line(daemon, n=1):
    """The log's lines of sessions, when there are n."""
    def lines():
        found = [m for m in daemon.log() if "messages_in" in m]
        return found if len(found) >= n else None

    found = wait.until(f"{n} lines of sessions", lines)
    return found[0] if n == 1 else found


def stats(daemon):
    return json.loads(daemon.ask("GET", "/stats", token="ADMIN").body)


def settled(daemon):
    """No session is open."""
    wait.until("the end of all sessions", lambda: stats(daemon)["live"]["open"] == 0)
