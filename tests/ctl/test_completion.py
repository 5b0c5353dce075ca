# SPDX-License-Identifier: MIT
"""The shells' completion, in the shells themselves."""
import os
import subprocess

import pytest

from gemgatectl import GEMGATECTL, ROOT
from mock import Error, health, row

COMPLETIONS = ROOT / "packaging" / "completions"
ROWS = health(row("work", "gemini-a"), row("my key", "gemini-b", mask="AIza****0002"))

# the line up to the cursor, what is offered
LINES = [
    ("gemgatectl sta", ["stats", "status"]),
    ("gemgatectl show ", ["work", "my key"]),
    ("gemgatectl show w", ["work"]),
    ("gemgatectl show work ", []),
    ("gemgatectl explain ", ["gemini-a", "gemini-b"]),
    ("gemgatectl reset work gemini-b", ["gemini-b"]),
    ("gemgatectl disable work w", ["work"]),
    ("gemgatectl test w", ["work"]),
    ("gemgatectl log-level wa", ["warning"]),
    ("gemgatectl --js", ["--json"]),
    ("gemgatectl stats --da", ["--days="]),
    ("gemgatectl --json show m", ["my key"]),
    ("gemgatectl nonsense ", []),
]

BASH = r"""
source "$1"
line=$2
read -ra COMP_WORDS <<<"$line"
[[ $line != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }
_gemgatectl
[[ ${#COMPREPLY[@]} -eq 0 ]] || eval "printf '%s\n' ${COMPREPLY[*]}"
"""


def in_shell(ctl, argv):
    path = os.path.dirname(GEMGATECTL) + ":" + ctl.env["PATH"]
    p = subprocess.run(argv, env=ctl.env | {"PATH": path}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=60)
    assert p.returncode == 0 and not p.stderr, p.stderr
    return p.stdout.splitlines()


def bash(ctl, line):
    return in_shell(ctl, ["bash", "--norc", "-uc", BASH, "bash", COMPLETIONS / "gemgatectl.bash", line])


@pytest.mark.parametrize("line,offered", LINES)
def test_bash(mock, ctl, line, offered):
    mock.answers["ListKeyHealth"] = ROWS
    assert sorted(bash(ctl, line)) == sorted(offered)


def test_bash_completes_files(mock, ctl, tmp_path):
    (tmp_path / "one.env").touch()
    assert bash(ctl, f"gemgatectl check-config {tmp_path}/o") == [f"{tmp_path}/one.env"]
    assert bash(ctl, f"gemgatectl --socket = {tmp_path}/o") == [f"{tmp_path}/one.env"]


def test_bash_asks_the_daemon_that_the_line_names(mock, ctl, tmp_path):
    """COMP_WORDS as bash cuts them: at the equals sign."""
    mock.answers["ListKeyHealth"] = ROWS
    assert bash(ctl, f"gemgatectl --socket = {tmp_path}/none show ") == []
    assert bash(ctl, f"gemgatectl --socket {tmp_path}/none sho") == ["show"]


@pytest.mark.parametrize("line,offered", LINES)
def test_fish(mock, ctl, line, offered):
    mock.answers["ListKeyHealth"] = ROWS
    script = f'source {COMPLETIONS}/gemgatectl.fish; complete --do-complete "{line}"'
    found = in_shell(ctl, ["fish", "--no-config", "-c", script])
    assert sorted(f.split("\t")[0].replace("\\ ", " ") for f in found) == sorted(offered)


# zsh's completion needs a terminal; here we get what it would get.
ZSH = r"""
words=("${(@)${(z)2}}")
[[ $2 != *' ' ]] || words+=('')
CURRENT=$#words PREFIX=$words[-1]
_describe() { [[ $#found -eq 0 ]] || print -rl -- $found }
_files() { print -r :files }
source $1
"""


def zsh(ctl, line):
    return in_shell(ctl, ["zsh", "-fc", ZSH, "zsh", COMPLETIONS / "_gemgatectl", line])


@pytest.mark.parametrize("line,offered", LINES)
def test_zsh(mock, ctl, line, offered):
    """zsh itself leaves out what doesn't begin as the word does."""
    mock.answers["ListKeyHealth"] = ROWS
    found = [f.replace("\\:", "\0").split(":")[0] for f in zsh(ctl, line)]
    assert sorted(f for f in found if f.startswith(line.rpartition(" ")[2])) == sorted(offered)


def test_zsh_completes_files(mock, ctl):
    assert zsh(ctl, "gemgatectl check-config x") == [":files"]
    assert zsh(ctl, "gemgatectl --socket x") == [":files"]


@pytest.mark.parametrize("args", [["show", "1"], ["explain", "1"], ["reset", "2"]])
def test_silent_without_a_daemon(ctl, args):
    p = subprocess.run([GEMGATECTL, "_complete", *args], env=ctl.env, capture_output=True, timeout=60)
    assert p.stdout == p.stderr == b""


def test_silent_when_refused(mock, ctl):
    mock.answers["ListKeyHealth"] = Error("org.freedesktop.DBus.Error.AccessDenied")
    assert ctl("_complete", "show", "1", status=4) == ""


def test_names_that_would_be_two_words(mock, ctl):
    mock.answers["ListKeyHealth"] = health(row("a"), row("b\nc", mask="m\tn"), row("d", mask="m\tn"))
    assert ctl("_complete", "show", "1") == "a\tAIza****0001\nd\n"
