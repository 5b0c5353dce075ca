# SPDX-License-Identifier: MIT
"""The README's programs, as they are there but for address and token."""
import subprocess
import sys

import pytest

import readme
from house import SECRETS
from sdks import NODE, NODE_PROGRAM

PROGRAMS = {"python": ([sys.executable], "first.py"), "js": ([NODE_PROGRAM], "first.mjs")}


@pytest.mark.parametrize("language", PROGRAMS)
def test_first_program(daemon, tmp_path, language):
    command, name = PROGRAMS[language]
    text = readme.block(language)
    assert "http://127.0.0.1:8080" in text and "the token it printed" in text
    (tmp_path / name).write_text(
        text.replace("http://127.0.0.1:8080", daemon.url).replace("the token it printed", SECRETS["TOKEN"]))
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    done = subprocess.run([*command, name], cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "Hello" in done.stdout and "simulat" in done.stdout, done
