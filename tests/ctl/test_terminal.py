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

import pytest

from gemgatectl import GEMGATECTL
from mock import health, row

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
def test_long_lines_are_cut_to_the_terminal(mock, ctl, lang, dots):
    mock.answers["ListKeyHealth"] = health(row("a", said="überaus " * 30))
    text = on_terminal(ctl, "keys", LANG=lang, NO_COLOR="1")
    assert text.splitlines()[1].endswith(dots) and all(len(line) <= 80 for line in text.splitlines())
    whole = on_terminal(ctl, "keys", "--full", NO_COLOR="1").splitlines()[1]
    assert whole.rstrip() == ctl("keys").splitlines()[1].rstrip() and len(whole) > 80


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
