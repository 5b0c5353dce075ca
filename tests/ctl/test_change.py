# SPDX-License-Identifier: MIT
"""What changes something: what the daemon is asked, and what comes of it."""
import json

import pytest

from gemgatectl import run
from mock import Error, get, health, key_path, row, signal


def lines(text):
    return text.splitlines()


RESETS = [
    (["reset", "work"], ["work", ""]),
    (["reset", "AIza****0001", "gemini-a"], ["AIza****0001", "gemini-a"]),
    (["reset", "--all"], ["", ""]),
    (["--all", "reset", "gemini-a"], ["", "gemini-a"]),
]


@pytest.mark.parametrize("args,asked", RESETS)
def test_reset(mock, ctl, args, asked):
    mock.answers["ResetHealth"] = "u", [2]
    of = {"work": "work", "AIza****0001": "AIza****0001 for gemini-a"}.get(asked[0], "All keys for gemini-a" if asked[1] else "All keys")
    assert ctl(*args) == f"{of}: 2 blocks lifted.\n"
    assert mock.calls == [("/org/gemgate1", "ResetHealth", *asked)]
    assert json.loads(ctl(*args, "--json")) == {"count": 2}


def test_reset_of_nothing(mock, ctl):
    mock.answers["ResetHealth"] = "u", [0]
    assert ctl("reset", "--all") == "All keys are already healthy.\n"
    assert ctl("reset", "work", "gemini-a") == "work is already healthy for gemini-a: there was no block to lift.\n"
    mock.answers["ResetHealth"] = Error("org.gemgate1.Error.NoSuchKey", "No such key.")
    assert ctl("reset", "nobody", status=3) == "gemgatectl: No such key.\n"


@pytest.mark.parametrize("args", [["reset"], ["reset", "--all", "a", "b"], ["reset", "a", "b", "c"], ["reset", ""]])
def test_reset_must_say_of_what(mock, ctl, args):
    ctl(*args, status=64)
    assert mock.calls == []


@pytest.mark.parametrize("verb,member,said", [
    ("enable", "Enable", ["über-key is already enabled.", "a is enabled."]),
    ("disable", "Disable", ["über-key is disabled; its open requests continue.", "a is already disabled."]),
])
def test_enable_and_disable(mock, ctl, verb, member, said):
    mock.answers["ListKeyHealth"] = health(row("a", state="disabled"), row("über-key", mask="AIza****0002"))
    mock.answers[member] = "", []
    assert lines(ctl(verb, "über-key", "a")) == said
    assert [c[:2] for c in mock.calls[1:]] == [(key_path("über-key"), member), (key_path("a"), member)]
    enabled = verb == "enable"
    assert json.loads(ctl(verb, "über-key", "a", "--json")) == {"keys": [
        {"key": "über-key", "enabled": enabled, "changed": not enabled}, {"key": "a", "enabled": enabled, "changed": enabled},
    ]}


def test_disable_goes_on_where_a_key_is_missing(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a"))
    mock.answers["Disable"] = "", []
    assert "there is no key zzz" in ctl("disable", "zzz", "a", status=3)
    assert mock.calls[-1] == (key_path("a"), "Disable")


def test_a_key_that_has_just_gone(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a"))
    mock.answers["Disable"] = Error("org.freedesktop.DBus.Error.UnknownObject")
    assert "there is no key a" in ctl("disable", "a", status=3)


WORKS = [key_path("a"), "a", "AIza****0001", "works", "3 models listed", 12, "direct"]
DEAD = [key_path("75288aa7f896"), "", "AIza****0002", "dead", "invalid key: no", 7, "http://10.0.0.1:3128"]


@pytest.mark.parametrize("args", [["test"], ["test", "--all"]])
def test_test(mock, ctl, args):
    """The status is that of the worst key."""
    mock.answers["TestKeys"] = "a(ossssus)u", [[WORKS], 1]
    assert [line.split() for line in lines(ctl(*args))] == [
        ["KEY", "MASK", "VERDICT", "TIME", "ROAD", "WHY"], ["a", "AIza****0001", "works", "12", "ms", "direct", "3", "models", "listed"]]
    mock.answers["TestKeys"] = "a(ossssus)u", [[WORKS, DEAD], 2]
    status, text, err = run([*args, "--json"], ctl.env)
    names = ["name", "mask", "verdict", "text", "milliseconds", "road"]
    assert (status, err) == (1, "") and json.loads(text) == {"keys": [
        {"key": "a"} | dict(zip(names, WORKS[1:])), {"key": "75288aa7f896"} | dict(zip(names, [None, *DEAD[2:]]))]}
    mock.answers["TestKeys"] = "a(ossssus)u", [[WORKS], 2]
    assert ctl(*args, status=1) == "gemgatectl: only 1 of 2 keys were tested; test the others one by one\n"
    mock.answers["TestKeys"] = "a(ossssus)u", [[], 0]
    assert ctl(*args, status=3) == "gemgatectl: there are no keys\n"
    mock.answers["TestKeys"] = "s", ["what?"]
    assert run([*args, "--json"], ctl.env)[:2] == (1, "")


def test_test_of_one_key(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a"), row("b", mask="AIza****0002"))
    mock.answers["Test"] = "ssus", ["works", "3 models listed", 12, "direct"]
    assert json.loads(ctl("test", "AIza****0002", "--json"))["keys"][0]["key"] == "b"
    assert mock.calls[-1] == (key_path("b"), "Test")
    mock.answers["Test"] = "ssus", ["refused", "key refused: \x1b[2J", 12, "direct"]
    status, text, _ = run(["test", "a"], ctl.env)
    assert status == 1 and "key refused: ?[2J" in text
    assert "there is no key zzz" in ctl("test", "zzz", status=3)
    for args in (["test", "a", "--all"], ["test", ""], ["test", "a", "b"]):
        ctl(*args, status=64)


def test_reload(mock, ctl):
    mock.answers["Reload"] = "", []
    assert ctl("reload") == "configuration reloaded\n"
    mock.answers["Reload"] = Error("org.gemgate1.Error.InvalidConfiguration", "MAX_BODY: x: must be a size from 1K to 1G")
    assert ctl("reload", status=1) == "gemgatectl: MAX_BODY: x: must be a size from 1K to 1G\n"
    mock.answers["Reload"] = Error("org.gemgate1.Error.InvalidConfiguration", "LISTEN: \x1b[2J\nMAX_BODY: y\n")
    assert ctl("reload", status=1) == "gemgatectl: LISTEN: ?[2J\ngemgatectl: MAX_BODY: y\n"


def test_reload_shows_what_changed(mock, ctl):
    """In a signal, which comes before the answer. That of another reload, which has failed, is not this one's."""
    def answer(m):
        mock.bus.send(signal("Reloaded", "bs", False, "MAX_BODY: x"))
        mock.bus.send(signal("Reloaded", "bs", True, "configuration reloaded: 1 key added"))
        return "", []

    mock.answers["Reload"] = answer
    assert ctl("reload") == "configuration reloaded: 1 key added\n"
    assert json.loads(ctl("reload", "--json")) == {"message": "configuration reloaded: 1 key added"}


def test_log_level(mock, ctl):
    mock.answers["Get"] = get("s", "DEBUG")
    mock.answers["SetLogLevel"] = "", []
    assert ctl("log-level") == "DEBUG\n"
    assert json.loads(ctl("log-level", "--json")) == {"log_level": "DEBUG"}
    assert ctl("log-level", "warning") == "The log level is WARNING until a restart or a reload.\n"
    assert json.loads(ctl("log-level", "warning", "--json")) == {"log_level": "WARNING"}
    assert mock.calls[-1] == ("/org/gemgate1", "SetLogLevel", "warning")
    mock.answers["SetLogLevel"] = Error("org.gemgate1.Error.InvalidLogLevel", "DEBUG, INFO, WARNING or ERROR.")
    assert "WARNING" in ctl("log-level", "loud", status=64)
