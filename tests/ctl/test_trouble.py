# SPDX-License-Identifier: MIT
"""Failures: the exit status, and a sentence with advice."""
import os
import socket
import subprocess
import threading

import pytest

from gemgatectl import GEMGATECTL
from mock import Error, health, row

BUS = "org.freedesktop.DBus.Error."

# error, verb, status, output
TROUBLE = [
    (BUS + "AccessDenied", ["keys"], 4, ["group gemgate", "org.gemgate1.read"]),
    (BUS + "AccessDenied", ["reset", "--all"], 4, ["group gemgate", "org.gemgate1.reset"]),
    (BUS + "AccessDenied", ["test"], 4, ["group gemgate", "org.gemgate1.manage"]),
    (BUS + "LimitsExceeded", ["test"], 1, ["a sentence"]),
    (BUS + "AccessDenied", ["reload"], 4, ["group gemgate", "org.gemgate1.manage"]),
    (BUS + "AccessDenied", ["status"], 4, ["group gemgate"]),
    (BUS + "InteractiveAuthorizationRequired", ["reload"], 4, ["org.gemgate1.manage"]),
    ("org.freedesktop.PolicyKit1.Error.Failed", ["reload"], 4, ["org.gemgate1.manage"]),
    ("org.gemgate1.Error.NoSuchModel", ["explain", "m"], 3, ["a sentence"]),
    ("org.gemgate1.Error.InvalidModel", ["explain", "m"], 64, ["a sentence"]),
    ("org.gemgate1.Error.Novel", ["keys"], 1, ["a sentence"]),
    (BUS + "LimitsExceeded", ["keys"], 1, ["a sentence"]),
    (BUS + "NoReply", ["keys"], 1, ["systemctl status gemgated"]),
    (BUS + "Spawn.ChildExited", ["keys"], 1, ["journalctl -u gemgated"]),
    (BUS + "TimedOut", ["keys"], 1, ["journalctl -u gemgated"]),
    (BUS + "NameHasNoOwner", ["keys"], 1, ["could not be started", "journalctl -u gemgated"]),
    (BUS + "NameHasNoOwner", ["status"], 1, ["systemctl start gemgated.socket"]),
    ("org.freedesktop.systemd1.UnitMasked", ["keys"], 1, ["journalctl -u gemgated"]),
]


@pytest.mark.parametrize("name,verb,status,said", TROUBLE)
def test_errors_have_advice(mock, ctl, name, verb, status, said):
    for member in ("ListKeyHealth", "ResetHealth", "Reload", "GetAll", "ExplainPick", "TestKeys"):
        mock.answers[member] = Error(name)
    text = ctl(*verb, status=status)
    assert text.count("\n") == 1 and text.startswith("gemgatectl: ")
    for words in said:
        assert words in text


METHODS = ["ListKeyHealth", "GetStatistics", "ListDays", "ListRequests", "ResetHealth", "ExplainPick", "ExplainModel", "Reload",
           "SetLogLevel", "GetAll", "Enable", "Disable", "Test", "TestKeys"]


@pytest.mark.parametrize("error", [Error(BUS + "AccessDenied"), Error(BUS + "Failed", "Out of paper."), None])
@pytest.mark.parametrize("args", [
    ["status"], ["keys"], ["show", "a"], ["models"], ["stats"], ["stats", "--days=3"], ["requests"], ["explain"], ["reset", "--all"],
    ["enable", "a"], ["disable", "a"], ["reload"], ["log-level"], ["log-level", "info"], ["test"], ["test", "a"],
])
def test_no_error_has_a_name_of_d_bus(mock, ctl, args, error):
    """A failure has the verb, not the method; also with a daemon that has no such method."""
    if error:
        for member in (*METHODS, "Get"):
            mock.answers[member] = error
    text = ctl(*args, status=4 if error and "Denied" in error.name else 1)
    assert text.startswith(f"gemgatectl: {args[0]}: ") and text.count("\n") == 1
    assert not [m for m in (*METHODS, "freedesktop", "UnknownMethod") if m in text], text


@pytest.mark.parametrize("verb", ["status", "keys", "reload", "show"])
def test_no_daemon(ctl, verb):
    args = [verb, "k"] if verb == "show" else [verb]
    assert "systemctl start gemgated.socket" in ctl(*args, status=1)


def test_no_bus(ctl, tmp_path):
    if os.path.exists("/run/gemgate/bus"):
        pytest.fail("this machine runs a gemgated with a control socket")
    said = ctl("keys", status=1, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={tmp_path}/none")
    assert "no system bus" in said and "--socket=PATH" in said


def test_no_socket(ctl, tmp_path):
    assert "CONTROL_SOCKET" in ctl(f"--socket={tmp_path}/none", "keys", status=1)
    assert "too long" in ctl("--socket=/" + "x" * 200, "keys", status=1)


def test_a_socket_of_somebody_else(ctl, tmp_path):
    """The other side closes at once: that is reported, and does not hang."""
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        s.listen(1)
        thread = threading.Thread(target=lambda: s.accept()[0].close())
        thread.start()
        assert "group gemgate" in ctl(f"--socket={path}", "keys", status=4)
        thread.join()


USAGE = [
    ["nonsense"], ["--nonsense"], ["keys", "more"], ["show"], ["explain", "a", "b"], ["enable"], ["--all", "keys"],
    ["--host=a", "--socket=b", "keys"], ["--host=a", "check-config"], ["help", "nonsense"], ["--socket"],
]


@pytest.mark.parametrize("args", USAGE)
def test_usage(mock, ctl, args):
    assert "gemgatectl" in ctl(*args, status=64)
    assert mock.calls == []


def test_help_names_every_verb_and_nothing_hidden(ctl):
    text = ctl("help")
    assert text == ctl("--help")
    verbs = [line.split("\t")[0] for line in ctl("_complete", "verbs").splitlines()]
    for verb in verbs:
        assert f"\n  {verb} " in text and ctl("help", verb).startswith(f"  {verb} ")
    assert "_complete" not in text


def test_an_answer_that_cannot_be_written(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a"))
    with open("/dev/full", "w") as full:
        p = subprocess.run([GEMGATECTL, "keys"], env=ctl.env, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert p.returncode == 1 and b"No space left" in p.stderr


def test_check_config(ctl, tmp_path):
    good, bad = tmp_path / "good.env", tmp_path / "bad.env"
    good.write_text("API_KEYS=not-one-of-googles-000001\n")
    bad.write_text("MAX_BODY=enormous\n")
    ctl("check-config", good)
    assert "MAX_BODY" in ctl("check-config", bad, status=1)
    (tmp_path / "gemgate.env").write_text("MAX_BODY=enormous\n")
    assert "MAX_BODY" in ctl("check-config", tmp_path, status=1)
