# SPDX-License-Identifier: MIT
"""The command lines of the scripts in packaging/, in a copy of them, where nothing may be made or removed."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted(p.name for p in (ROOT / "packaging").iterdir() if p.is_file() and os.access(p, os.X_OK))
# The others take at least one argument.
NONE_IS_FINE = {"build-deb", "build-rpm", "deps", "install-gemini-cli", "quickstart"}
WRONG = [
    ("build-deb", "--no-such"), ("build-deb", "--arch="), ("build-deb", "--arch=a b"), ("build-deb", "--arch"),
    ("build-deb", "one", "two"), ("build-deb", "one", "--arch=arm64"),
    ("build-rpm", "--no-such"), ("build-rpm", "one", "two"), ("build-rpm", "one", "--help"),
    ("clean-tree", "--no-such"), ("clean-tree", ""), ("clean-tree", "one", "two"),
    ("container-root", "--no-such", "/bin/true=/true"), ("container-root", "--on=here", "root", "/bin/true=/true"),
    ("deps", "--no-such"), ("deps", "foo"), ("deps", "build", "foo"),
    ("install-gemini-cli", "--no-such"), ("install-gemini-cli", "foo"),
    ("install-texts", "--no-such"), ("install-texts", ""), ("install-texts", "one", "two"),
    ("progress", "--no-such"), ("progress", "one", "two"),
    ("quickstart", "--no-such"), ("quickstart", "foo"), ("quickstart", ""),
    ("release", "--no-such"), ("release", "v1", "--no-such"), ("release", "v1", "two", "three"),
]


@pytest.fixture
def run(tmp_path):
    """Runs a script of the copy; the copy must stay as it was."""
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "packaging", tree / "packaging")
    shutil.copy(ROOT / "meson.build", tree)

    def paths():
        return sorted(tmp_path.rglob("*"))

    def run(name, *argv):
        before = paths()
        p = subprocess.run([f"packaging/{name}", *argv], cwd=tree, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        assert paths() == before
        return p

    return run


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_help(run, name, option):
    p = run(name, option)
    assert (p.returncode, p.stderr) == (0, "")
    assert name in p.stdout and len(p.stdout.splitlines()) > 3
    assert p.stdout.startswith("usage: ") or name == "install-gemini-cli"


@pytest.mark.parametrize("command", WRONG, ids=" ".join)
def test_wrong(run, command):
    p = run(*command)
    assert (p.returncode, p.stdout) == (64, "")
    assert p.stderr.count("\n") == 1 and ("usage: " in p.stderr or "--help" in p.stderr)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in NONE_IS_FINE])
def test_no_argument(run, name):
    p = run(name)
    assert p.returncode == 64 and "usage: " in p.stderr


def test_help_of_the_installer(run):
    """What is installed beside gemgated: its help must not speak of what only its text has."""
    assert "digests below" not in run("install-gemini-cli", "--help").stdout


@pytest.mark.parametrize("file", ["packaging/debian/control", "packaging/gemgate.spec", "docs/man/gemgated.8.scd", "src/daemon/main.c"])
def test_descriptions_name_every_protocol(file):
    text = (ROOT / file).read_text()
    said = next(line for line in text[text.lower().index("serves"):].split(".") if "OpenAI" in line)
    assert "Anthropic" in said and "Gemini" in said
