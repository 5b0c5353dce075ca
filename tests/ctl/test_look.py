# SPDX-License-Identifier: MIT
"""What is shown, to people and to programs."""
import json
import time

import pytest

from mock import FOREVER, PATH, Error, Variant, get, health, key_path, properties, row

SOON = 41_000_000


def now():
    return time.time_ns() // 1000


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


DAEMON = properties(
    Version="9.9", State="running", LogLevel="INFO", StartTimestamp=1_795_000_000_000_000, KeysTotal=("u", 3),
    KeysEnabled=("u", 2), KeysUsable=("u", 1), ActiveExchanges=("u", 1), RequestsTotal=70, RequestsToday=7, ClientRequestsTotal=50, ClientRequestsToday=5,
    NextReset=1_795_300_000_000_000,
)

THREE = health(
    row("first", "gemini-a", project="p1"),
    row("first", "gemini-b", "unhealthy", FOREVER - 1, project="p1", errors=3, said="Overloaded."),
    row("second", "gemini-a", "dead", FOREVER, mask="AIza****0002", said="API key not valid."),
    row("0123456789ab", "", name="", mask="AIza****0003"),
)


def test_keys(mock, ctl):
    mock.answers["ListKeyHealth"] = THREE
    assert lines(ctl("keys")) == [
        "KEY           MASK          PROJECT  STATE   MODELS  FREES  LAST ERROR",
        "first         AIza****0001  p1       usable     1/2  -      Overloaded.",
        "second        AIza****0002  -        dead       0/1  never  API key not valid.",
        "0123456789ab  AIza****0003  -        usable       -  -      -",
    ]


def test_keys_for_programs(mock, ctl):
    mock.answers["ListKeyHealth"] = THREE
    keys = json.loads(ctl("keys", "--json"))["keys"]
    assert keys[1:] == [
        {
            "key": "second", "name": "second", "mask": "AIza****0002", "project": None, "state": "dead",
            "available_at": None,
            "models": [{"model": "gemini-a", "state": "dead", "consecutive_errors": 0, "available_at": None,
                        "last_error": "API key not valid."}],
        },
        {
            "key": "0123456789ab", "name": None, "mask": "AIza****0003", "project": None, "state": "usable",
            "available_at": None, "models": [],
        },
    ]
    assert [m["state"] for m in keys[0]["models"]] == ["usable", "unhealthy"]


def test_no_keys(mock, ctl):
    mock.answers["ListKeyHealth"] = health()
    assert "/etc/gemgate/api-keys" in ctl("keys", status=3)
    assert json.loads(ctl("keys", "--json")) == {"keys": []}


def test_a_time_is_told_from_here(mock, ctl):
    mock.answers["ListKeyHealth"] = lambda _: health(
        row("a", state="cooling", at=now() + SOON), row("b", state="cooling", at=now() + 3 * 3600 * 1_000_000),
        row("c", state="cooling", at=1),
    )
    a, b, c = lines(ctl("keys"))[1:]
    assert " in 4" in a and a.split("in 4")[1].split()[1] == "s"
    assert " in 3 h" in b or " in 2 h 59 min" in b
    assert " now " in c


def test_a_time_for_programs(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a", state="cooling", at=1_795_300_000_000_000))
    assert json.loads(ctl("keys", "--json"))["keys"][0]["available_at"] == "2026-11-21T22:26:40+00:00"


def test_what_strangers_wrote_moves_no_cursor(mock, ctl):
    said = "\x1b[2J\x1b]0;title\x07 two\nlines \u009b31m \x7f \u202e\u2028\u2066 end"
    mock.answers["ListKeyHealth"] = health(row("a", said=said))
    text = ctl("keys")
    assert text.count("\n") == 2
    assert all(c.isprintable() for c in text.replace("\n", ""))
    assert "two lines" in text
    assert json.loads(ctl("keys", "--json"))["keys"][0]["models"][0]["last_error"] == said


def test_columns_stand_under_each_other_whatever_is_in_them(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a", name="宽的名字"), row("b", name="é́"), row("c", name="plain"))
    wide, accents, plain = lines(ctl("keys"))[1:]
    assert wide.startswith("宽的名字  AIza") and plain.startswith("plain     AIza") and accents.startswith("é́         AIza")


def test_models(mock, ctl):
    mock.answers["ListKeyHealth"] = THREE
    assert lines(ctl("models"))[:2] == ["MODEL     STATE      USABLE KEYS  FREES", "gemini-a  usable             1/2  -"]
    assert lines(ctl("models"))[2].startswith("gemini-b  unhealthy          0/1  in ")
    assert [(m["model"], m["state"], m["usable_keys"], m["keys"])
            for m in json.loads(ctl("models", "--json"))["models"]] == [
        ("gemini-a", "usable", 1, 2), ("gemini-b", "unhealthy", 0, 1),
    ]


def test_a_model_that_is_not_there(mock, ctl):
    """Google does not know it: that is no trouble of the keys."""
    mock.answers["ListKeyHealth"] = health(row("one", "no-such", state="missing", said="It is not found."),
                                           row("one", "gemini-a"), row("two", "no-such", state="missing"))
    mock.answers["GetAll"] = DAEMON
    assert lines(ctl("models"))[1].split() == ["no-such", "missing", "0/2", "-"]
    assert "no-such" not in ctl("status")
    assert [[f for f in line.split() if f in ("usable", "missing", "1/2", "0/1", "found.")]
            for line in lines(ctl("keys"))[1:]] == [["usable", "1/2"], ["usable", "0/1"]]


def test_the_models_of_a_key_are_counted_alike_in_every_state(mock, ctl):
    def models_of(*states):
        mock.answers["ListKeyHealth"] = health(*(row("one", f"model-{i}", state=state) for i, state in enumerate(states)))
        return [field for field in lines(ctl("keys"))[1].split() if "/" in field]

    assert models_of("usable", "usable", "cooling", "missing") == ["2/4"]
    assert models_of("usable", "usable", "usable", "missing") == ["3/4"]
    assert models_of("disabled", "disabled", "disabled", "disabled") == ["0/4"]


def test_a_model_that_is_not_there_never_frees(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("work", "no-such", state="missing"))
    mock.answers[key_path("work"), "GetAll"] = properties(
        State="usable", Enabled=True, RequestsTotal=1, RequestsToday=1, LastUsed=0, LastError="", LastErrorAt=0
    )
    mock.answers[key_path("work"), "Get"] = get("a(ssuttttts)", [["no-such", "missing", 0, 0, 1, 1, 1, 0, "It is not found."]])
    shown = next(line.split() for line in lines(ctl("show", "work")) if line.startswith("no-such"))
    assert shown[:3] == ["no-such", "missing", "-"]
    assert lines(ctl("models"))[1].split()[-1] == "-"


MODELS = get("a(ssuttttts)", [["gemini-a", "cooling", 2, FOREVER, 10, 4, 3, 1_795_000_000_000_000, "Quota."]])


@pytest.mark.parametrize("what", ["work", "AIza****0001"])
def test_show(mock, ctl, what):
    mock.answers["ListKeyHealth"] = health(row("work", state="cooling", at=FOREVER), row("x", mask="AIza****0002"))
    mock.answers[key_path("work"), "GetAll"] = properties(
        State="usable", Enabled=True, RequestsTotal=10, RequestsToday=4, LastUsed=0, LastError="Not valid.", LastErrorAt=1_795_000_000_000_000
    )
    mock.answers[key_path("work"), "Get"] = MODELS
    text = ctl("show", what)
    assert "      Mask: AIza****0001\n" in text and "Attempts: 4 today, 10 in all\n" in text
    assert "Last error: Not valid. (" in text
    assert lines(text)[-1].split() == ["gemini-a", "cooling", "never", "4", "10", "3", *lines(text)[-1].split()[6:]]
    assert lines(text)[-1].endswith("Quota.")
    said = json.loads(ctl("show", what, "--json"))
    assert said["key"] == "work" and said["enabled"] is True and said["requests"] == 10 and said["last_used"] is None
    assert said["last_error"] == "Not valid." and said["last_error_at"] == "2026-11-18T11:06:40+00:00"
    assert said["models"][0] == {
        "model": "gemini-a", "state": "cooling", "consecutive_errors": 2, "available_at": None, "requests": 10,
        "requests_today": 4, "errors": 3, "last_used": "2026-11-18T11:06:40+00:00", "last_error": "Quota.",
    }


def test_show_needs_one_key(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a"), row("b", mask="AIza****0001#2"))
    assert "there is no key AIza…;" in ctl("show", "AIzaSy-a-whole-key-by-mistake", status=3)
    assert "there is no key zzz" in ctl("show", "zzz", status=3)
    assert "2 keys have the mask AIza****0001" in ctl("show", "AIza****0001", status=1)


def test_explain(mock, ctl):
    mock.answers["ExplainPick"] = "a(osbst)", [[
        [key_path("b"), "b", True, "would be picked first", 0],
        [key_path("a"), "a", False, "cooling", FOREVER],
    ]]
    assert lines(ctl("explain", "gemini-a")) == [
        "    KEY  FREES  WHY", "1.  b    -      would be picked first", " -  a    never  cooling",
    ]
    assert json.loads(ctl("explain", "gemini-a", "--json")) == {"model": "gemini-a", "keys": [
        {"key": "b", "name": "b", "usable": True, "reason": "would be picked first", "available_at": None},
        {"key": "a", "name": "a", "usable": False, "reason": "cooling", "available_at": None},
    ]}
    assert mock.calls[0] == ("/org/gemgate1", "ExplainPick", "gemini-a")


def test_explain_shows_the_rules(mock, ctl):
    mock.answers["ExplainPick"] = "a(osbst)", [[[key_path("b"), "b", True, "would be picked first", 0]]]
    rules = {"model": "gemini-a", "pattern": "gemini-*", "built_in": True, "source": "a\x1b[2Jguide", "thinking": "budget",
             "thinking_zero": True}
    answer = {name: Variant("b" if isinstance(v, bool) else "s", v) for name, v in rules.items()} | {
        "thinking_lowest": Variant("t", 0), "thinking_highest": Variant("t", 8192), "novelty": Variant("as", ["x"]),
        "takes": Variant("a{sv}", {"sampling": Variant("b", False), "tools": Variant("b", True), "json": Variant("b", True)}),
        "price": Variant("a{sv}", {"input": Variant("d", 0.3), "cached": Variant("d", 0.0305), "output": Variant("d", 3.0)}),
    }
    mock.answers["ExplainModel"] = "a{sv}", [answer]
    assert lines(ctl("explain", "gemini-a"))[2:] == [
        "",
        "     Rules: gemini-*",
        "      From: built in: a?[2Jguide",
        "  Thinking: budget from 0 to 8192, or none",
        "     Takes: tools, json",
        "       Not: sampling",
        "     Price: input $0.3, cached $0.0305, output $3 for a million tokens",
    ]
    said = json.loads(ctl("explain", "gemini-a", "--json"))
    assert said["rules"] == rules | {
        "thinking_lowest": 0, "thinking_highest": 8192, "novelty": ["x"],
        "takes": {"sampling": False, "tools": True, "json": True}, "price": {"input": 0.3, "cached": 0.0305, "output": 3},
    }
    mock.answers["ExplainModel"] = "s", ["something else"]
    assert "gemgatectl version" in ctl("explain", "gemini-a", status=1)


def test_status(mock, ctl):
    mock.answers["ListKeyHealth"] = THREE
    mock.answers["GetAll"] = DAEMON
    text = ctl()
    assert text.startswith("gemgated 9.9, running\n")
    for fact in ("Since: Wed 2026-11-18 11:06:40 UTC; ", "Keys: 1 of 3 usable, 1 disabled", "Now: 1 open request",
                 "Today: 5 requests, 7 attempts at Google; the quotas' day ends ", "In all: 50 requests, 70 attempts at Google"):
        assert fact in text
    assert [line.split()[0] for line in lines(text)[-2:]] == ["first", "second"]
    said = json.loads(ctl("status", "--json"))
    assert said["keys"] == {"total": 3, "enabled": 2, "usable": 1} and said["reloaded"] is None


def test_status_of_a_daemon_of_another_version(mock, ctl):
    """What isn't there is left out, and what is new is passed over."""
    mock.answers["ListKeyHealth"] = health()
    mock.answers["GetAll"] = properties(Version="1", Novelty=("a(sv)", [["x", Variant("u", 1)]]), KeysTotal="many")
    text = ctl("status")
    assert "Keys: none" in text and "In all: 0 attempts at Google\n" in text
    assert json.loads(ctl("status", "--json"))["client_requests"] is None


def statistics(**more):
    model = {"total_requests": Variant("t", 4), "total_daily_requests": Variant("t", 3), "total_errors": Variant("t", 1),
             "usable_keys": Variant("t", 1), "healthy_keys": Variant("t", 2), "total_keys": Variant("t", 2), "error_rate": Variant("d", 25.0)}
    key = {"name": Variant("s", ""), "project": Variant("s", "p"), "total_requests": Variant("t", 4),
           "daily_requests": Variant("t", 3), "last_used": Variant("t", 1_795_000_000_000_000),
           "models": Variant("a{sa{sv}}", {"gemini-a": {"is_healthy": Variant("b", True)}})}
    return "a{sv}", [{
        "api_key_stats": Variant("a{sa{sv}}", {"AIza****0001": key}),
        "model_summary": Variant("a{sa{sv}}", {"gemini-a": model}),
        "global_summary": Variant("a{sv}", {"total_api_keys": Variant("t", 1),
                                            "total_requests_all_time": Variant("t", 4),
                                            "total_requests_today": Variant("t", 3),
                                            "client_requests_all_time": Variant("t", 2),
                                            "client_requests_today": Variant("t", 1)}),
        "load_balancing": Variant("a{sv}", {"strategy": Variant("s", "…")}),
    }]


def test_stats(mock, ctl):
    mock.answers["GetStatistics"] = statistics()
    text = lines(ctl("stats"))
    assert text[:2] == ["MODEL     ATTEMPTS TODAY  IN ALL  ERRORS     RATE  USABLE KEYS",
                        "gemini-a               3       4       1  25.00 %          1/2"]
    assert text[4].startswith("AIza****0001  AIza****0001  p                     3       4  ")
    assert text[-2:] == ["Today: 1 request, 3 attempts at Google.", "In all: 2 requests, 4 attempts at Google."]
    said = json.loads(ctl("stats", "--json"))
    assert said["model_summary"]["gemini-a"]["error_rate"] == 25
    assert said["api_key_stats"]["AIza****0001"]["name"] is None
    assert said["api_key_stats"]["AIza****0001"]["last_used"] == "2026-11-18T11:06:40+00:00"
    assert said["api_key_stats"]["AIza****0001"]["models"] == {"gemini-a": {"is_healthy": True}}


DAYS = "a(sstttt)", [[
    ["2026-11-23", "", 20, 5, 1000, 300], ["2026-11-23", "gemini-a", 12, 5, 600, 200],
    ["2026-11-23", "gemini-b", 8, 0, 400, 100], ["2026-11-25", "", 3, 0, 30, 10],
]]


# Two answers: a day may be in one of them alone.
CLIENT_DAYS = "a(st)", [[["2026-11-22", 9], ["2026-11-23", 14], ["2026-11-25", 3], ["2026-11-26", 1]]]


def test_days_of_an_older_daemon(mock, ctl):
    """It counts no requests of clients."""
    mock.answers["ListDays"] = DAYS
    assert lines(ctl("stats", "--days=7"))[1].split()[:3] == ["2026-11-23", "-", "20"]
    assert json.loads(ctl("stats", "--days=7", "--json"))["days"][0]["client_requests"] is None


def test_days(mock, ctl):
    mock.answers["ListDays"] = DAYS
    mock.answers["ListClientDays"] = CLIENT_DAYS
    assert lines(ctl("stats", "--days=7")) == [
        "DATE        REQUESTS  ATTEMPTS  ERRORS     RATE  INPUT TOKENS  OUTPUT TOKENS",
        "2026-11-23        14        20       5  25.00 %          1000            300",
        "2026-11-25         3         3       0   0.00 %            30             10",
    ]
    assert mock.calls == [(PATH, "ListDays", 7), (PATH, "ListClientDays", 7)]
    said = json.loads(ctl("-d", "7", "stats", "--json"))["days"]
    assert [d["date"] for d in said] == ["2026-11-23", "2026-11-25"]
    assert said[0]["models"]["gemini-b"] == {"requests": 8, "errors": 0, "input_tokens": 400, "output_tokens": 100}
    assert said[0]["client_requests"] == 14 and said[0]["requests"] == 20 and list(said[0]["models"]) == ["gemini-a", "gemini-b"] and said[1]["models"] == {}
    mock.answers["ListDays"] = "a(sstttt)", [[]]
    assert "there were no requests" in ctl("stats", "--days=1", status=3)
    assert json.loads(ctl("stats", "--days=1", "--json")) == {"days": []}


@pytest.mark.parametrize("args", [("stats", "--days=0"), ("stats", "--days=x"), ("keys", "--days=3"), ("stats", "--days")])
def test_days_of_what(mock, ctl, args):
    ctl(*args, status=64)
    assert mock.calls == []


ROW = "a(ssssstssut)u"
REQUESTS = [
    ["8f2c0d5e7a914b36", "laptop", "/v1/chat/completions", "gemini-a", "streaming", 125_400_000, "AIza****0001", "work", 3,
     20480],
    ["upload", "tok-1-ab…", "/upload/v1beta/files", "", "asking", 900_000, "AIza****0002", "", 1, 0],
    ["x", "", "", "", "reading", 0, "", "", 0, 0],
]


def test_requests(mock, ctl):
    mock.answers["ListRequests"] = ROW, [REQUESTS, 3]
    assert lines(ctl("requests")) == [
        "ID                CLIENT     MODEL                 STATE        AGE  KEY           ATTEMPTS  BYTES",
        "8f2c0d5e7a914b36  laptop     gemini-a              streaming  2 min  work                 3  20480",
        "upload            tok-1-ab…  /upload/v1beta/files  asking       1 s  AIza****0002         1      0",
        "x                 -          -                     reading      0 s  -                    0      0",
    ]
    said = json.loads(ctl("requests", "--json"))
    assert said["total"] == 3 and [r["id"] for r in said["requests"]] == [r[0] for r in REQUESTS]
    assert said["requests"][0] == {
        "id": "8f2c0d5e7a914b36", "client": "laptop", "route": "/v1/chat/completions", "model": "gemini-a",
        "state": "streaming", "age": 125.4, "key": "AIza****0001", "key_name": "work", "attempts": 3, "bytes": 20480}
    assert said["requests"][2] == {"id": "x", "client": None, "route": None, "model": None, "state": "reading", "age": 0,
                                   "key": None, "key_name": None, "attempts": 0, "bytes": 0}


def test_requests_that_are_not_all(mock, ctl):
    mock.answers["ListRequests"] = ROW, [REQUESTS, 5000]
    assert lines(ctl("requests"))[-1] == "The oldest 3 of 5000 requests."
    mock.answers["ListRequests"] = ROW, [[], 0]
    assert ctl("requests") == ""
    assert json.loads(ctl("requests", "--json")) == {"requests": [], "total": 0}


def test_version(mock, ctl):
    mock.answers["Get"] = get("s", "9.9")
    assert lines(ctl("version"))[1] == "gemgated 9.9"
    mock.answers["Get"] = Error("org.freedesktop.DBus.Error.AccessDenied")
    assert len(lines(ctl("version"))) == 1
    assert json.loads(ctl("--version", "--json"))["gemgated"] is None


@pytest.mark.parametrize("verb", [["keys"], ["models"], ["status"], ["stats"], ["requests"], ["explain", "m"],
                                  ["reset", "k"]])
def test_an_answer_of_another_form(mock, ctl, verb):
    """An answer in another shape is an error, and nothing is made up."""
    for member in ("ListKeyHealth", "GetAll", "GetStatistics", "ListRequests", "ExplainPick", "ResetHealth"):
        mock.answers[member] = "s", ["something else"]
    assert "gemgatectl version" in ctl(*verb, status=1)
