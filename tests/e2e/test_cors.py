# SPDX-License-Identifier: MIT
"""CORS_ORIGINS: what a page in a browser can and cannot do."""
import json

import pytest
from browser import Blocked, Page, listed

import http1
from house import SECRETS

APP = "https://app.example.org"
MODEL = "gemini-3.8-flash"
HI = {"messages": [{"role": "user", "content": "Hi"}]}
JSON = ("Content-Type", "application/json")
STAINLESS = [(f"X-Stainless-{n}", "x") for n in ("Arch", "Lang", "OS", "Package-Version", "Retry-Count", "Runtime",
                                                  "Runtime-Version", "Timeout")]
BEARER = ("Authorization", f"Bearer {SECRETS['TOKEN']}")
OPENAI = [BEARER, JSON, *STAINLESS]
ANTHROPIC = [("x-api-key", SECRETS["TOKEN"]), JSON, ("anthropic-version", "2023-06-01"),
             ("anthropic-dangerous-direct-browser-access", "true"), ("anthropic-beta", "x"), *STAINLESS]
GOOGLE = [("x-goog-api-key", SECRETS["TOKEN"]), JSON, ("x-goog-api-client", "google-genai-sdk/1")]
GOOGLE_HI = json.dumps({"contents": [{"parts": [{"text": "Hi"}]}]}).encode()


def chat(**more):
    return json.dumps({"model": MODEL, **HI, **more}).encode()


REQUESTS = {
    "openai": ("POST", "/v1/chat/completions", OPENAI, chat()),
    "openai stream": ("POST", "/v1/chat/completions", OPENAI, chat(stream=True)),
    "openai models": ("GET", "/v1/models", [BEARER, *STAINLESS], None),
    "anthropic": ("POST", "/v1/messages", ANTHROPIC, chat(max_tokens=100)),
    "anthropic stream": ("POST", "/v1/messages", ANTHROPIC, chat(max_tokens=100, stream=True)),
    "google": ("POST", f"/v1beta/models/{MODEL}:generateContent", GOOGLE, GOOGLE_HI),
    "google stream": ("POST", f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse", GOOGLE, GOOGLE_HI),
    "health": ("GET", "/health", [], None),
}


@pytest.mark.parametrize("allowed", [f'["http://localhost:3000", "{APP}"]', "*"])
@pytest.mark.parametrize("what", REQUESTS)
def test_page(sim, start, what, allowed):
    d = start(CORS_ORIGINS=allowed, EXPLAIN_HEADER="yes")
    page = Page(d, APP)
    method, target, headers, body = REQUESTS[what]
    a = page.fetch(method, target, headers, body)
    assert a.status == 200 and a.header("x-request-id")
    assert len(page.preflights) == (what != "health")
    for p in page.preflights:
        assert p.status == 204 and p.body == b"" and p.header("Content-Type") is None
        assert listed(p, "Vary") == {"origin"} and int(p.header("Access-Control-Max-Age")) > 0
    if body:
        assert a.header("x-gemgate-model") == MODEL and a.header("x-gemgate-attempts") == "1"


def test_network(daemon, start):
    """A public page, and gemgate at home."""
    d = start(CORS_ORIGINS=APP)
    assert Page(d, APP).fetch("GET", "/v1/models", [BEARER], network=True).status == 200
    assert Page(d, APP).fetch("DELETE", "/v1beta/files/abc", GOOGLE).status == 404


@pytest.mark.parametrize("headers, body, status", [
    ([JSON], chat(), 401),
    ([("Authorization", "Bearer wrong"), JSON], chat(), 401),
    (OPENAI, b"{", 400),
    (OPENAI, chat(model="gemini-nowhere"), 404),
    (OPENAI, b" " * 2048, 413),
    ([*OPENAI, ("Transfer-Encoding", "chunked")], b"zz\r\n", 400),
    ([*OPENAI, ("Content-Length", "1"), ("Content-Length", "2")], b"xx", 400),
])
def test_errors_are_seen(sim, start, headers, body, status):
    """An error that the page cannot read is "failed to fetch", without a reason."""
    d = start(CORS_ORIGINS=APP, MAX_BODY="1K")
    a = Page(d, APP).fetch("POST", "/v1/chat/completions", headers, body)
    assert a.status == status and json.loads(a.body)["error"]["message"]
    assert a.header("x-request-id")
    if status == 401:
        assert a.header("x-should-retry") == "false"


def test_quota_is_seen(sim, start):
    sim.script("*: error rpm retry=40s")
    a = Page(start(CORS_ORIGINS=APP), APP).fetch("POST", "/v1/chat/completions", OPENAI, chat())
    assert a.status == 429 and 30 <= int(a.header("Retry-After")) <= 40


def test_address_is_not_allowed(start):
    d = start(CORS_ORIGINS=APP, ALLOWED_IPS="127.0.0.9")
    with pytest.raises(Blocked, match="status 403"):
        Page(d, APP).fetch("POST", "/v1/chat/completions", OPENAI, chat())


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.example.org", f"{APP}:8443", f"{APP}.evil.example",
                                    "null"])
def test_other_origins(sim, start, origin):
    """They get no header of CORS, and their preflight is a request without a token."""
    d = start(CORS_ORIGINS=APP)
    page = Page(d, origin)
    with pytest.raises(Blocked, match="Allow-Origin"):
        page.fetch("POST", "/v1/chat/completions", OPENAI, chat())
    assert page.preflights[0].status == 401
    assert not [n for n, _ in page.preflights[0].headers if n.lower().startswith("access-control")]
    a = d.ask("GET", "/v1/models", [("Origin", origin)])  # not a browser: its token decides
    assert a.status == 200 and a.header("Access-Control-Allow-Origin") is None and listed(a, "Vary") == {"origin"}


def preflight(d, target, origin=APP, method="POST", names="authorization", more=(), verb="OPTIONS"):
    headers = [("Origin", origin), ("Access-Control-Request-Method", method), *more]
    if names:
        headers.append(("Access-Control-Request-Headers", names))
    return d.ask(verb, target, headers, token=None)


def cors(answer):
    return {n.lower(): v for n, v in answer.headers if n.lower().startswith("access-control") or n.lower() == "vary"}


ADMIN = ["/stats", "/reset-api-key-health", "/api-key-recommendations", "/explain", "/admin/requests", "/ip-config",
         "/test-ip"]


@pytest.mark.parametrize("target", ADMIN)
def test_management_is_not_for_pages(start, target):
    d = start(CORS_ORIGINS="*")
    a = preflight(d, target)
    assert a.status == 401 and not cors(a)
    for method in ("GET", "POST"):
        a = d.ask(method, target, [("Origin", APP)], token="ADMIN", body={} if method == "POST" else None)
        assert not cors(a)


def test_what_is_no_preflight(start):
    """Only a browser's question about a known path is answered without a token."""
    d = start(CORS_ORIGINS=APP)
    assert preflight(d, "/v1/nothing").status == 401
    assert preflight(d, "/v1/chat/completions", verb="GET").status == 401
    assert d.ask("OPTIONS", "/v1/models", [("Origin", APP)], token=None).status == 401
    assert d.ask("OPTIONS", "/v1/models", [("Access-Control-Request-Method", "GET")], token=None).status == 401
    assert d.ask("OPTIONS", "/v1/models", [("Origin", APP)]).status == 405
    assert d.ask("OPTIONS", "*", [("Origin", APP)], token=None).status in (400, 401)


def test_methods_of_the_path(start):
    d = start(CORS_ORIGINS=APP)
    rows = {"/v1/chat/completions": {"post"}, "/v1/models": {"get", "head"}, "/": {"get", "head"},
            "/v1/responses/resp_1": {"get", "head", "delete", "post"},
            "/v1beta/cachedContents/x": {"get", "head", "patch", "delete"}, "/upload/v1beta/files": {"post"},
            f"/v1beta/models/{MODEL}:generateContent": {"get", "head", "post"}, "/v1/models/": {"get", "head"}}
    for target, methods in rows.items():
        a = preflight(d, target)
        assert (a.status, listed(a, "Access-Control-Allow-Methods")) == (204, methods), target
        assert a.header("Access-Control-Allow-Credentials") is None


@pytest.mark.parametrize("names", ["a,,b", "a b", "", ",", "x-\xfc", "a;b", "x" * 2049])
def test_wrong_names(start, names):
    d = start(CORS_ORIGINS=APP)
    a = preflight(d, "/v1/models", names=None, more=[("Access-Control-Request-Headers", names)])
    assert a.status == (400 if names else 204)
    assert a.header("Access-Control-Allow-Headers") is None
    if names:
        assert "list of names" in json.loads(a.body)["error"]["message"]


def test_names_are_sent_back(start):
    d = start(CORS_ORIGINS=APP)
    long = ",".join(f"x-name-{i}" for i in range(150))
    for names in ("authorization", "x-a, x-b", long):
        assert preflight(d, "/v1/models", names=names).header("Access-Control-Allow-Headers") == names
    a = preflight(d, "/v1/models", names="x-a", more=[("Access-Control-Request-Headers", "x-b")])
    assert listed(a, "Access-Control-Allow-Headers") == {"x-a", "x-b"}


def test_one_connection(sim, start):
    """Preflight and request share one, as in a browser; the log has a line for each."""
    d = start(CORS_ORIGINS=APP)
    with d.connect() as c:
        for _ in range(3):
            c.send(http1.compose("OPTIONS", "/v1/chat/completions",
                                 [("Origin", APP), ("Access-Control-Request-Method", "POST")]))
            assert c.read("OPTIONS").status == 204
            c.send(http1.compose("POST", "/v1/chat/completions", [("Origin", APP), *OPENAI], chat()))
            assert c.read().status == 200
    line = d.wait_log("its line", lambda e: e.get("status") == 204)
    assert line["message"].startswith("OPTIONS (preflight) 204")


def test_off(daemon):
    """Without the setting nothing is different."""
    a = preflight(daemon, "/v1/chat/completions")
    assert a.status == 401 and not cors(a)
    assert not cors(daemon.ask("GET", "/v1/models", [("Origin", APP)]))


def test_reload(start, tmp_path):
    env = tmp_path / "env"
    env.write_text(f"CORS_ORIGINS={APP}\n")
    d = start(argv=[f"--env-file={env}"])
    assert preflight(d, "/v1/models").status == 204
    env.write_text("CORS_ORIGINS=https://other.example\n")
    d.interrupt(1)
    d.wait_log("the reload", lambda e: "reload" in e.get("message", ""))
    assert preflight(d, "/v1/models").status == 401
    assert preflight(d, "/v1/models", origin="https://other.example").status == 204
