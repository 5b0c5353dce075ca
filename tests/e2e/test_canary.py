# SPDX-License-Identifier: MIT
"""Keys and tokens are planted everywhere, everything is made to go wrong, and every output is searched for them."""
import json

import pytest

import house
from house import SECRETS, leaked

HI = {"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}]}
CONTENTS = {"contents": [{"parts": [{"text": "Hi"}]}]}
NATIVE = "/v1beta/models/gemini-3.8-flash:"
METHODS = ["generateContent", "streamGenerateContent?alt=sse", "streamGenerateContent", "countTokens"]

ERRORS = [
    "suspended", "invalid_key", "leaked", "blocked", "denied", "prepay_402", "unauthenticated", "rpm", "rpd",
    "limit_zero", "exhausted_plain", "unknown_name", "not_found", "location", "internal", "overloaded", "html_502",
]  # fmt: skip

# Google, or a proxy in between, echoes the key in every possible way.
ECHOES = [
    'error suspended message="Consumer \'api_key:{KEY1}\' has been suspended."',
    'error invalid_argument message="key={KEY1} is bad"',
    'error invalid_argument message="{KEY1}{KEY1}"',
    'error internal message="x-goog-api-key: {KEY1}, again {KEY1}."',
    'error rpm message="quota of {KEY1}"',
    "raw \"<html>{KEY1}</html>\" type=text/html",
    'text "a b" chunks=2 error-in-stream after=1 error=suspended',
]


def planted(text):
    for name, s in SECRETS.items():
        text = text.replace("{%s}" % name, s)
    return text


class Canary:
    def __init__(self, daemon):
        self.daemon = daemon
        self.n = 0

    def see(self, answer, of):
        self.n += 1
        data = (answer.head + "\n\n").encode() + answer.body
        assert not leaked(data), f"{of}: {leaked(data)} in {data!r}"
        return answer

    def ask(self, method, target, headers=(), body=None, token="TOKEN"):
        return self.see(self.daemon.ask(method, target, headers, body, token), f"{method} {target}")


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_canary(sim, start, tmp_path, level):
    config = tmp_path / "config"
    config.mkdir()
    (config / "api-keys").write_text("\n".join(SECRETS[f"KEY{i}"] for i in (1, 2, 3, 4)) + "\n")
    (config / "allowed-tokens").write_text(SECRETS["TOKEN"] + "\n" + SECRETS["TOKEN2"] + "\n")
    (config / "admin-tokens").write_text(SECRETS["ADMIN"] + "\n")
    logs = tmp_path / "logs"
    unset = ["API_KEYS", "ALLOWED_TOKENS", "ADMIN_TOKENS"]
    d = start(unset=unset, argv=["--config-dir", str(config)], LOG_LEVEL=level, LOG_BODIES="yes", LOG_DIR=logs)
    canary = Canary(d)

    sim.script('*: text "Hello."')
    for stream in (False, True):
        assert canary.ask("POST", "/v1/chat/completions", body=HI | {"stream": stream}).status == 200
    for method in METHODS:
        assert canary.ask("POST", NATIVE + method, body=CONTENTS).status == 200
    for i, script in enumerate([f"error {e}" for e in ERRORS] + ECHOES):
        sim.script(planted(f"*: {script}\nmethod=count: {script}"))
        for stream in (False, True):
            canary.ask("POST", "/v1/chat/completions", body=HI | {"stream": stream})
        canary.ask("POST", NATIVE + METHODS[i % len(METHODS)], body=CONTENTS)  # all of them would take minutes
        canary.ask("GET", "/stats", token="ADMIN")
        canary.ask("GET", "/api-key-recommendations", token="ADMIN")
        canary.ask("GET", "/v1/models")
        canary.ask("POST", "/reset-api-key-health", body={"reset_all": True}, token="ADMIN")

    # Mistakes of a client with its own token or another one
    token = SECRETS["TOKEN2"]
    for target in (f"/{token}", f"/v1/{token}", f"/v1/models/{token}", f"/stats?key={token}", f"/health?x={token}"):
        answer = d.ask("GET", target, token="ADMIN")
        canary.n += 1
        assert token not in answer.head
    for target in ("/", "/health", "/stats", "/ip-config", "/api-key-recommendations", "/nothing"):
        for who in ("TOKEN", "ADMIN", None):
            canary.ask("GET", target, token=who)
    for headers in (
        [("x-api-key", SECRETS["KEY1"])],
        [("x-api-key", SECRETS["TOKEN"]), ("x-goog-api-key", SECRETS["ADMIN"])],
        [("Authorization", "Basic " + SECRETS["TOKEN"])],
        [("Authorization", SECRETS["TOKEN"])],
        [("Cookie", "token=" + SECRETS["TOKEN"])],
    ):
        canary.ask("GET", "/stats", headers, token=None)
    canary.ask("POST", "/v1/chat/completions", body={"model": SECRETS["KEY1"][:6] + "/", "messages": []})
    canary.ask("POST", "/reset-api-key-health", body={"api_key_pattern": "AIza****9999"}, token="ADMIN")
    assert canary.n > 150

    # Upstream: the key in its header and nowhere else, the client's token not at all
    tokens = ("TOKEN", "TOKEN2", "ADMIN")
    for r in sim.requests():
        assert not leaked(r.target), r.target
        rest = {n: v for n, v in r.headers.items() if n != "x-goog-api-key"}
        assert not leaked(json.dumps(rest)), rest
        assert not leaked(r.body)
        assert not [n for n in leaked(json.dumps(r.headers)) if n in tokens]
    assert len(sim.requests()) > 50

    # What others on the machine may see
    pid = d.process.pid
    for name in ("cmdline", "environ", "comm", "status"):
        with open(f"/proc/{pid}/{name}", "rb") as f:
            assert not leaked(f.read()), f"/proc/PID/{name}"

    d.process.stop()
    assert not leaked(d.process.err.read_bytes())
    for log in d.process.out.read_bytes(), b"".join(f.read_bytes() for f in logs.iterdir()):
        assert not leaked(log), leaked(log)
        assert b"AIza****0001" in log, "the log should name the key by its mask"


# A secret in the place of a model's name, where Gemini would answer any name with 200.
MODELS = ["{}", "models/{}", "google/{}"]
ROUTES = {
    "/v1/chat/completions": HI, "/v1/completions": {"prompt": "Hi"}, "/v1/responses": {"input": "Hi"},
    "/v1/embeddings": {"input": "Hi"}, "/v1/messages": HI | {"max_tokens": 9}, "/v1/messages/count_tokens": HI,
    "/v1/images/generations": {"prompt": "Hi"}, "/v1/audio/speech": {"input": "Hi", "voice": "nova"},
}  # fmt: skip


@pytest.mark.parametrize("secret", ["TOKEN", "TOKEN2", "ADMIN", "KEY1", "KEY3"])
def test_canary_as_a_model(sim, start, secret):
    """It is refused before it goes anywhere: to Google, into the statistics, or into the log."""
    s = SECRETS[secret]
    sim.script(f'model {s}\n*: text "Hello."')
    d = start(ALLOWED_TOKENS=json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]]), LOG_LEVEL="DEBUG")
    for target, body in ROUTES.items():
        for name in MODELS if target == "/v1/chat/completions" else MODELS[:1]:
            a = d.ask("POST", target, body=body | {"model": name.format(s)})
            assert a.status == 400 and not leaked(a.body), (target, a.body)
            assert b"model must be the name of a model" in a.body or b"makes no" in a.body or b"speak" in a.body
    for method in METHODS:
        a = d.ask("POST", f"/v1beta/models/{s}:{method}", body=CONTENTS)
        assert a.status == 400 and not leaked(a.body)
    assert not leaked(d.ask("GET", "/stats", token="ADMIN").body)
    assert not sim.requests()
    d.process.stop()
    assert not leaked(d.process.out.read_bytes() + d.process.err.read_bytes())


@pytest.mark.unjudged
@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", ['*: text "Hello." finish={KEY1}', "*: blocked {KEY1}"])
def test_canary_in_a_finish_reason(sim, start, target, stream, script):
    sim.script(planted(script))
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]))
    a = Canary(d).ask("POST", target, body=HI | {"prompt": "Hi", "stream": stream})
    assert a.status == 200 and b'"native_finish_reason":"***' in a.body


# A secret in the query: taken as a token, refused as one, beside another, in the wrong place, escaped, malformed.
QUERIES = [
    ("POST", NATIVE + "generateContent?key={TOKEN}", 200),
    ("POST", NATIVE + "streamGenerateContent?alt=sse&key={TOKEN}", 200),
    ("POST", NATIVE + "countTokens?key={ADMIN}&x={KEY1}", 200),
    ("POST", NATIVE + "generateContent?key={TOKEN}&alt={TOKEN}", 400),
    ("POST", NATIVE + "generateContent?key={TOKEN}&key={ADMIN}", 401),
    ("POST", NATIVE + "generateContent?key={TOKEN2}", 401),
    ("POST", NATIVE + "generateContent?key={KEY1}", 401),
    ("POST", NATIVE + "generateContent?key={TOKEN}%zz", 401),
    ("POST", NATIVE + "generateContent?key={TOKEN}%00", 401),
    ("POST", NATIVE + "{TOKEN}?key={TOKEN}", 404),
    ("POST", "/v1beta/{TOKEN}?key={TOKEN}", 404),
    ("GET", NATIVE + "generateContent?key={TOKEN}", 405),
    ("GET", "/v1/models?key={TOKEN}", 200),
    ("POST", "/v1/chat/completions?key={TOKEN}", 401),
    ("GET", "/stats?key={ADMIN}", 401),
    ("GET", "/health?key={ADMIN}", 200),
    ("GET", "/v1beta/%zz?key={TOKEN}", 400),
    ("POST", NATIVE + "generateContent?key={TOKEN}" + "&x={TOKEN2}" * 1000, 431),
    ("POST", NATIVE + "generateContent?key={TOKEN}&x=" + "{TOKEN2}" * 2000, 414),
]


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_canary_in_the_query(sim, start, level):
    """Nothing of a query is in an answer, in the log at any level, or upstream."""
    d = start(LOG_LEVEL=level, LOG_BODIES="yes")
    for method, target, status in QUERIES:
        answer = d.ask(method, planted(target), body=CONTENTS, token=None)
        assert answer.status == status, (target, answer.head)
        assert not leaked((answer.head + "\n\n").encode() + answer.body), target
    for r in sim.requests():
        assert not leaked(r.target), r.target
    d.process.stop()
    log = d.process.out.read_bytes()
    assert not leaked(log), leaked(log)
    assert log.count(b'"message":"POST /v1beta/models/ 200 in ') == 3, "the requests should be in the log"


@pytest.mark.parametrize("form", ["text", "json"])
def test_canary_at_the_start(tmp_path, form):
    """Errors in the configuration are reported without the value."""
    for i, (name, value) in enumerate(
        [
            ("API_KEYS", json.dumps([SECRETS["KEY1"], SECRETS["KEY1"], "bad key"])),
            ("API_KEYS", '["' + SECRETS["KEY1"]),
            ("API_KEYS", SECRETS["KEY1"] + " " + SECRETS["KEY2"]),
            ("API_KEYS", json.dumps([{"key": SECRETS["KEY1"], "name": 5}])),
            ("ALLOWED_TOKENS", json.dumps([SECRETS["TOKEN"] + "\u00e9"])),
            ("ADMIN_TOKENS", json.dumps({"token": 5, "name": SECRETS["ADMIN"]})),
            ("ADMIN_TOKENS", json.dumps({"word": SECRETS["ADMIN"]})),
            ("LISTEN", SECRETS["KEY1"]),
        ]
    ):
        folder = tmp_path / str(i)
        folder.mkdir()
        env = house.defaults(None) | {"LOG_FORMAT": form, name: value}
        status, out, err = house.run_daemon(folder, env=env)
        assert status == 78, (name, err)
        assert not leaked(out + err), err
    for argument in (SECRETS["KEY1"], "--" + SECRETS["KEY1"], "--check-config=" + SECRETS["TOKEN"]):
        status, out, err = house.run_daemon(tmp_path, argument, env=house.defaults(None))
        assert status == 64 and "see --help" in out + err
        assert not leaked(out + err), err
