# SPDX-License-Identifier: MIT
"""Whole screens, on 80 and on 40 columns, as tests/ctl/screens/ has them.

    tests/ctl/test_screens.py     shows what differs; with GEMGATE_WRITE_DOCS set the test writes the files: look at the change
"""
import os
import re
import time
from pathlib import Path

import pytest

from gemgatectl import run
from mock import FOREVER, Error, Variant, get, health, key_path, properties, row, signal

SCREENS = Path(__file__).parent / "screens"
SECOND = 1_000_000
HOUR = 3600 * SECOND

QUOTA = "day quota: You exceeded your current quota, please check your plan and billing details. For more information on this " \
        "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
DEAD = "invalid key: API key not valid. Please pass a valid API key."
REFUSED = "unreachable: connection refused (Failed to connect to generativelanguage.googleapis.com port 443)"


def answers(now):
    """A pool with a bit of everything; `now` in microseconds. Times are far enough from each other to stay as they are shown."""
    soon, tomorrow, before = now + 3 * HOUR + 30 * SECOND, now + 24 * HOUR + 2 * HOUR + 60 * SECOND, now - 2 * HOUR
    rows = [
        row("first", "gemini-3.8-flash", project="p1"),
        row("first", "gemini-3.8-pro", "unhealthy", soon, project="p1", errors=3, said=REFUSED),
        row("edef37a64d36", "gemini-3.8-flash", "cooling", tomorrow, name="", mask="AIza****Seco", said=QUOTA),
        row("75288aa7f896", "gemini-flash-latest", "dead", soon, name="", mask="AQ.t****ird1", said=DEAD),
        row("spare", "", "disabled", FOREVER, mask="AIza****0009"),
    ]
    key = {"project": Variant("s", ""), "total_requests": Variant("t", 80), "daily_requests": Variant("t", 8), "last_used": Variant("t", before)}
    keys = {
        "AIza****0001": key | {"id": Variant("s", "first"), "name": Variant("s", "first"), "project": Variant("s", "p1")},
        "AIza****Seco": key | {"id": Variant("s", "edef37a64d36"), "name": Variant("s", "")},
    }
    model = {"total_requests": Variant("t", 84), "total_daily_requests": Variant("t", 14), "total_errors": Variant("t", 5),
             "usable_keys": Variant("t", 1), "total_keys": Variant("t", 3)}
    sums = {"total_requests_all_time": 160, "total_requests_today": 16, "client_requests_all_time": 90, "client_requests_today": 9}
    rules = {"model": Variant("s", "gemini-nosuch"), "listed": Variant("b", False), "pattern": Variant("s", "gemini-*"),
             "built_in": Variant("b", True), "source": Variant("s", "https://ai.google.dev/gemini-api/docs/thinking"),
             "thinking": Variant("s", "level"),
             "takes": Variant("a{sv}", {n: Variant("b", True) for n in ("sampling", "tools", "json", "images", "audio", "video", "pdf", "system")})}
    return {
        "ListKeyHealth": health(*rows),
        ("/org/gemgate1", "GetAll"): properties(
            Version="9.9", State="running", LogLevel="INFO", StartTimestamp=before, KeysTotal=("u", 4), KeysEnabled=("u", 3),
            KeysUsable=("u", 2), ActiveExchanges=("u", 1), RequestsTotal=160, RequestsToday=16, ClientRequestsTotal=90,
            ClientRequestsToday=9, NextReset=soon),
        (key_path("edef37a64d36"), "GetAll"): properties(
            State="usable", Enabled=True, RequestsTotal=80, RequestsToday=8, LastUsed=before, LastError=QUOTA, LastErrorAt=before),
        (key_path("edef37a64d36"), "Get"): get("a(ssuttttts)", [["gemini-3.8-flash", "cooling", 0, tomorrow, 80, 8, 1, before, QUOTA]]),
        "GetStatistics": ("a{sv}", [{
            "api_key_stats": Variant("a{sa{sv}}", keys), "model_summary": Variant("a{sa{sv}}", {"gemini-3.8-flash": model}),
            "global_summary": Variant("a{sv}", {k: Variant("t", v) for k, v in sums.items()})}]),
        "ListDays": ("a(sstttt)", [[["2026-11-23", "", 20, 5, 1000, 300]]]),
        "ListClientDays": ("a(st)", [[["2026-11-23", 12]]]),
        "ListRequests": ("a(ssssstssut)u", [[
            ["4ff719b638f4019b", "127.0.0.1", "/v1/chat/completions", "gemini-3.8-flash", "streaming", 4 * SECOND, "AIza****0001",
             "first", 2, 1024]], 3]),
        "ExplainPick": ("a(osbst)", [[
            [key_path("first"), "first", True, "would be picked first: 78 requests today; 2 of 10 requests a minute (learned)", 0],
            [key_path("edef37a64d36"), "edef37a64d36", False, "cooling: the quota of this model is spent; frees in 26 h", tomorrow],
            [key_path("75288aa7f896"), "75288aa7f896", False, "dead: Google refuses this key for every model; is tried again in 3 h",
             soon]]]),
        "ExplainModel": ("a{sv}", [rules]),
        "TestKeys": ("a(ossssus)u", [[
            [key_path("first"), "first", "AIza****0001", "works", "23 models listed", 312, "http://10.1.2.3:3128"],
            [key_path("edef37a64d36"), "", "AIza****Seco", "unreachable", REFUSED, 21, "direct"],
            [key_path("75288aa7f896"), "", "AQ.t****ird1", "dead", DEAD, 180, "direct"]], 3]),
        "Test": ("ssus", ["works", "1 model listed", 97, "direct"]),
        "ResetHealth": ("u", [2]), "Enable": ("", []), "Disable": ("", []), "SetLogLevel": ("", []),
    }  # fmt: skip


VERBS = [
    ["status"], ["keys"], ["show", "edef37a64d36"], ["models"], ["stats"], ["stats", "--days=7"], ["requests"],
    ["explain", "gemini-nosuch"], ["reset", "first"], ["reset", "--all", "gemini-3.8-flash"], ["enable", "first", "spare"],
    ["disable", "first", "spare"], ["test"], ["test", "spare"], ["reload"], ["log-level", "debug"],
]


def screens(mock, ctl, width):
    mock.answers.update(answers(time.time_ns() // 1000))

    def reloaded(m):
        mock.bus.send(signal("Reloaded", "bs", True, "configuration reloaded: 1 key added, 0 removed, 3 kept; changed: "
                             "ALLOWED_TOKENS, ALLOWED_IPS, MODEL_ALIASES"))
        return "", []

    mock.answers["Reload"] = reloaded
    for args in VERBS:
        status, text, err = run(args, ctl.env | {"COLUMNS": str(width)})
        assert (status, err) == (int(args == ["test"]), ""), err
        text = re.sub(r"\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "Sun 2026-11-22 22:57:03 UTC", text)
        yield f"$ gemgatectl {' '.join(args)}\n{text}"


@pytest.mark.parametrize("width", [80, 40])
def test_whole_screens(mock, ctl, width):
    path = SCREENS / f"{width}.txt"
    got = "\n".join(screens(mock, ctl, width))
    if os.environ.get("GEMGATE_WRITE_DOCS"):
        path.write_text(got)
    assert got == path.read_text()
    assert [line for line in got.splitlines() if len(line) > width and not line.startswith("$ ")] == []


def test_one_name_for_a_key_on_all_screens(mock, ctl):
    """Its name, else its id, which the log has, too."""
    mock.answers.update(answers(time.time_ns() // 1000))
    for args in (["status"], ["keys"], ["stats"], ["explain"], ["show", "AIza****Seco"]):
        text = ctl(*args)
        assert "edef37a64d36" in text, args
    for verb in ("keys", "stats"):
        assert [line.split()[:2] for line in ctl(verb).splitlines() if "AIza****Seco" in line] == [["edef37a64d36", "AIza****Seco"]]


def test_a_daemon_that_does_not_know_whether_a_model_is_listed(mock, ctl):
    given = answers(time.time_ns() // 1000)
    rules = dict(given["ExplainModel"][1][0])
    for listed in (None, True):
        given["ExplainModel"] = "a{sv}", [{k: v for k, v in rules.items() if k != "listed"} | ({"listed": Variant("b", True)} if listed else {})]
        mock.answers.update(given)
        assert "does not list" not in ctl("explain", "gemini-nosuch")
    mock.answers["ExplainModel"] = Error("org.freedesktop.DBus.Error.UnknownMethod")
    assert ctl("explain", "gemini-nosuch").startswith("    KEY ")
