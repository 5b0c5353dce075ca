# SPDX-License-Identifier: MIT
"""A 200 that is not Gemini's is as foreign as an error that is not: a portal's page, another server's JSON, nothing. On every route
the client gets what was seen, it is tried again, and nothing is struck."""
import json

import pytest

MODEL = "gemini-3.8-flash"
CONTENTS = {"contents": [{"parts": [{"text": "Hi"}]}]}
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
ROUTES = {
    "chat": ("POST", "/v1/chat/completions", CHAT),
    "chat stream": ("POST", "/v1/chat/completions", CHAT | {"stream": True}),
    "generate": ("POST", f"/v1beta/models/{MODEL}:generateContent", CONTENTS),
    "stream": ("POST", f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse", CONTENTS),
    "count": ("POST", f"/v1beta/models/{MODEL}:countTokens", CONTENTS),
    "embed": ("POST", "/v1beta/models/gemini-embedding-2:embedContent", {"content": CONTENTS["contents"][0]}),
    "embeddings": ("POST", "/v1/embeddings", {"model": "gemini-embedding-2", "input": "Hi"}),
    "completions": ("POST", "/v1/completions", {"model": MODEL, "prompt": "Hi"}),
    "models": ("GET", "/v1/models", None),
    "file": ("GET", "/v1beta/files/abc", None),
}
BODIES = {
    '{"login": "https://portal.example/"}': "JSON that is not Google's (200)",
    '"Hello."': "JSON that is not Google's (200)",
    "<html>Login</html>": "a page of HTML (200)",
    "": "an empty answer (200)",
}


@pytest.mark.unjudged
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("body", BODIES)
def test_success_of_something_else(sim, start, route, body):
    method, target, sent = ROUTES[route]
    sim.script(f"method=* : status 200 body {json.dumps(body)} type=application/json")
    d = start()
    a = d.ask(method, target, [], sent)
    assert a.status == 502
    assert json.loads(a.body)["error"]["message"].endswith(f": unexpected answer from the upstream: {BODIES[body]}")
    assert len([r for r in sim.requests() if r.method == method]) == 3
    health = json.loads(d.ask("GET", "/stats", token="ADMIN").body)["api_key_stats"]
    for k in health.values():
        for m in k["models"].values():
            assert m["state"] == "usable" and m["consecutive_errors"] == 0


@pytest.mark.unjudged
@pytest.mark.parametrize("body", ["{}", '{"models": []}'])
def test_list_without_models(sim, start, body):
    """It is not kept: the models that there are would not exist for ten minutes."""
    sim.script(f"method=models times=1 : status 200 body {json.dumps(body)} type=application/json")
    d = start()
    assert d.ask("GET", "/v1/models").status == 502
    assert d.ask("GET", f"/v1/models/{MODEL}").status == 200
