# SPDX-License-Identifier: MIT
"""GEMINI_STORE: which `store` upstream gets. The simulator is not Google's host."""
import json

import pytest

HI = {"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize("setting, client, sent", [
    (None, None, None), (None, False, False), (None, True, False),
    ("off", None, False), ("off", True, False),
    ("client", None, False), ("client", False, False), ("client", True, True),
    ("project", None, None), ("project", False, False), ("project", True, None),
])  # fmt: skip
def test_store(sim, start, setting, client, sent):
    d = start(**({"GEMINI_STORE": setting} if setting else {}))
    body = HI | ({} if client is None else {"store": client})
    assert d.ask("POST", "/v1/chat/completions", body=body).status == 200
    (seen,) = sim.requests()
    assert json.loads(seen.body).get("store") is sent


@pytest.mark.parametrize("store", [True, False, None])
def test_native_bytes(sim, start, store):
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]} | ({} if store is None else {"store": store})
    d = start(GEMINI_STORE="off")
    assert d.ask("POST", "/v1beta/models/gemini-3.8-flash:generateContent", body=body).status == 200
    (seen,) = sim.requests()
    assert json.loads(seen.body) == body
