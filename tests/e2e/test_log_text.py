# SPDX-License-Identifier: MIT
"""LOG_FORMAT=text is read in a terminal: no client can move its cursor, break a line, or put bytes there that are not text."""
import re

import pytest

import wait
from house import SECRETS, leaked

# Bytes in place of the method, and what the log has instead.
ROWS = {
    "C1": (b"\xc2\x9b31mX", " 31mX"),
    "not UTF-8": (b"\xff\xfeX", "  X"),
    "separators": ("\u2028X\u2029Y".encode(), " X Y"),
    "direction": ("\u202eX\u2066Y".encode(), " X Y"),
    "a letter": ("GÉT".encode(), "GÉT"),
}


@pytest.mark.parametrize("method,shown", ROWS.values(), ids=ROWS)
def test_nothing_moves_the_cursor(start, method, shown):
    d = start(LOG_FORMAT="text")
    with d.connect() as c:
        c.send(method + b" /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert c.read("GET").status == 400
    wait.until("the request is in the log", lambda: " 400" in d.process.said())
    assert f"gemgated: {shown} (no route) 400 in " in d.process.said()


# A target, the token, the status, and what the log has: the path and the reason.
REFUSALS = [
    ("POST", "/v1/chat/completions", None, 401, "/v1/chat/completions", "no token"),
    ("POST", "/v1/chat/completions", "KEY1", 401, "/v1/chat/completions", "the token is unknown"),
    ("GET", "/nowhere?key=AIzaSyQuery", None, 401, "/nowhere", "no token"),
    ("GET", "/stats", "TOKEN", 403, "/stats", "the token is not one of ADMIN_TOKENS"),
    ("POST", "/chat/completions", "TOKEN", 404, "/chat/completions", "there is no such path"),
    ("GET", "/v1/responses/resp_none", "TOKEN", 404, "/v1/responses/resp_none", None),
    ("GET", "/v1/models/gemini-nosuch", "TOKEN", 404, "/v1/models/gemini-nosuch", None),
    ("GET", "/v1/chat/completions", "TOKEN", 405, "/v1/chat/completions", "the path has other methods"),
    ("GET", "/x%0aERROR%20%1b%5b2J%e2%80%ae%25", "TOKEN", 404, "/x%0AERROR%20%1B[2J%E2%80%AE%25", "there is no such path"),
    ("GET", "/" + "a/" * 100 + "?q=1", "TOKEN", 404, "/" + "a/" * 63 + "a…", "there is no such path"),
]  # fmt: skip


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_refusal_names_method_path_and_reason(start, log_format):
    d = start(LOG_FORMAT=log_format)
    said = d.process.said if log_format == "text" else lambda: "\n".join(e["message"] for e in d.log())
    for method, target, token, status, path, reason in REFUSALS:
        assert d.ask(method, target, token=token).status == status, target
        pattern = rf"{method} {re.escape(path)} {status} in [0-9.]+ s{': ' + re.escape(reason) if reason else '[:,] .+'}"
        wait.until(f"the line of {target}", lambda p=pattern: re.search(rf"{p}(\n|$| \w+=)", said()))
    assert "q=1" not in said() and "AIzaSyQuery" not in said()


@pytest.mark.parametrize("token", [None, "TOKEN"])
def test_a_secret_in_a_path_is_covered(start, token):
    """A client's token, an admin's and keys, in plain and escaped; what is beside them is shown."""
    d = start(LOG_FORMAT="text")
    for name in ("TOKEN", "ADMIN", "KEY1"):
        secret = SECRETS[name]
        for form in (secret, "".join(f"%{b:02x}" for b in secret.encode())):
            assert d.ask("GET", f"/v1beta/nowhere/{form}:x/tail", token=token).status in (401, 404)
    wait.until("six lines", lambda: d.process.said().count("GET /v1beta/nowhere/") == 6)
    assert d.process.said().count(":x/tail 40") == 6
    for n in range(96, 128):  # what is shown ends within the secret
        d.ask("GET", f"/{'a/' * (n // 2)}{SECRETS['TOKEN']}", token=token)
    d.process.stop()
    assert not leaked(d.process.said())


def test_lines_about_strangers_paths_are_limited(start):
    """Each path differs, and the limit is that of the kind."""
    d = start(LOG_FORMAT="text")
    for i in range(120):
        assert d.ask("GET", f"/nowhere/{i}", token=None).status == 401
    d.process.stop()
    assert d.process.said().count("GET /nowhere/") < 120 and "left out" in d.process.said()
