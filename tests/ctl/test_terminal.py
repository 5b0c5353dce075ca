# SPDX-License-Identifier: MIT
"""Colour, ornament, width and pager are for a terminal only."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import unicodedata

import pytest

from gemgatectl import GEMGATECTL
from mock import health, properties, row

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
MANY = [row(f"key-{i}") for i in range(50)]


def on_terminal(ctl, *args, columns=80, rows=24, **env):
    """What a terminal of that size gets to see."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    env = ctl.env | {"TERM": "xterm"} | env
    p = subprocess.Popen([GEMGATECTL, *args], env=env, stdin=slave, stdout=slave, stderr=subprocess.PIPE)
    os.close(slave)
    out = b""
    while select.select([master], [], [], 60)[0]:
        try:
            data = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        out += data
    os.close(master)
    assert p.wait(60) == 0, p.stderr.read()
    p.stderr.close()
    return out.decode().replace("\r\n", "\n")


def test_colour_on_a_terminal_only(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a"), row("b", state="dead", mask="AIza****0002"))
    text = on_terminal(ctl, "keys")
    assert "\x1b[32musable\x1b[0m" in text and "\x1b[1;31mdead\x1b[0m" in text
    assert "\x1b" not in ctl("keys")
    assert [line.rstrip() for line in ESCAPE.sub("", text).splitlines()] == \
        [line.rstrip() for line in ctl("keys").splitlines()]


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_if_not_wanted(mock, ctl, env):
    mock.answers["ListKeyHealth"] = health(row("a"))
    assert "\x1b" not in on_terminal(ctl, "keys", **env)


def test_an_empty_no_color_means_nothing(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a"))
    assert "\x1b" in on_terminal(ctl, "keys", NO_COLOR="")


@pytest.mark.parametrize("lang,dots", [("C.UTF-8", "…"), ("C", "...")])
def test_a_long_name_is_cut_to_the_terminal(mock, ctl, lang, dots):
    mock.answers["ListKeyHealth"] = health(row("a", model="gemini-überaus-" + "lang" * 30))
    text = on_terminal(ctl, "models", LANG=lang, NO_COLOR="1")
    assert re.search(rf"lang(l|la|lan|lang){re.escape(dots)}  usable ", text.splitlines()[1])
    assert all(len(line) <= 80 for line in text.splitlines())


LONG = "day quota: You exceeded your current quota, please check your plan and billing details. " + "überaus " * 12


@pytest.mark.parametrize("verb,answer,width", [
    ("keys", health(row("a", said=LONG)), 80), ("keys", health(row("a", said=LONG)), 40),
    ("keys", health(row("a-long-name-of-a-key", said=LONG)), 30), ("status", health(row("a", "m", "cooling", said=LONG)), 80),
    ("keys", health(row("a", said="x" * 200)), 60), ("keys", health(row("a", said="宽的名字" * 30)), 61),
])
def test_what_explains_is_wrapped(mock, ctl, verb, answer, width):
    """Nothing of it is lost, and no line is wider than the terminal."""
    mock.answers["GetAll"] = properties(Version="1", State="running", KeysTotal=("u", 1), KeysUsable=("u", 1), KeysEnabled=("u", 1))
    mock.answers["ListKeyHealth"] = answer
    said = answer[1][0][0][-1]
    lines = on_terminal(ctl, verb, NO_COLOR="1", columns=width).splitlines()
    assert all(columns_of(line) <= width for line in lines)
    joined = re.sub(r"\s", "", "".join(line.removeprefix("LAST ERROR: ") for line in lines))
    assert re.sub(r"\s", "", said) in joined


def columns_of(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_full_is_one_line_a_row(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a", said=LONG))
    whole = on_terminal(ctl, "keys", "--full", NO_COLOR="1").splitlines()
    assert len(whole) == 2 and len(whole[1]) > 80
    assert [line.rstrip() for line in whole] == [line.rstrip() for line in ctl("keys").splitlines()]


def test_a_pipe_has_the_width_of_columns(mock, ctl):
    """Without it a line has no end; a value that is no width is none."""
    mock.answers["ListKeyHealth"] = health(row("a", said=LONG), row("b", said=LONG))
    for width in (40, 72, 100):
        text = ctl("keys", COLUMNS=str(width))
        assert "\x1b" not in text and max(len(line) for line in text.splitlines()) <= width
        assert text == "".join(line + "\n" for line in on_terminal(ctl, "keys", "--no-pager", NO_COLOR="1", columns=width).splitlines())
        assert text == on_terminal(ctl, "keys", "--no-pager", NO_COLOR="1", COLUMNS=str(width))
    for none in ("", "0", "wide", "-1"):
        assert ctl("keys", COLUMNS=none) == ctl("keys") and len(ctl("keys").splitlines()) == 3


def test_a_pager_only_for_what_is_longer_than_the_terminal(mock, ctl):
    pager = {"PAGER": "sed s/^/paged:/", "NO_COLOR": "1"}
    mock.answers["ListKeyHealth"] = health(*MANY)
    assert all(line.startswith("paged:") for line in on_terminal(ctl, "keys", **pager).splitlines())
    assert "paged:" not in on_terminal(ctl, "keys", "--no-pager", **pager)
    assert "paged:" not in on_terminal(ctl, "keys", "--json", **pager)
    assert "paged:" not in on_terminal(ctl, "keys", rows=60, **pager)
    assert "paged:" not in ctl("keys", **pager)


@pytest.mark.parametrize("env", [
    {"PAGER": "cat"}, {"PAGER": ""}, {"SYSTEMD_PAGER": "", "PAGER": "sed s/^/paged:/"}, {"PAGER": "/nowhere/pager"},
])
def test_without_a_pager_it_is_shown_all_the_same(mock, ctl, env):
    mock.answers["ListKeyHealth"] = health(*MANY)
    # less and more are not found either
    path = os.path.dirname(GEMGATECTL)
    assert len(on_terminal(ctl, "keys", PATH=path, **env).splitlines()) == 51


def test_a_pager_that_ends_early(mock, ctl):
    mock.answers["ListKeyHealth"] = health(*(row(f"key-{i}", said="x" * 200) for i in range(2000)))
    assert len(on_terminal(ctl, "keys", PAGER="head -n 1").splitlines()) == 1
