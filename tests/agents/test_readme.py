# SPDX-License-Identifier: MIT
"""The README's two lines for each program, as they are there but for address, token, and what makes it headless."""
import json
import re
import subprocess

import pytest

import readme
import test_claude
import test_opencode
from desk import DEADLINE, program
from house import ROOT, SECRETS

# The executable, and what becomes of the command.
PROGRAMS = {
    "claude": ("@anthropic-ai/claude-code-linux-*/claude", ("claude ", "claude -p Hello ")),
    "codex": ("@openai/codex-linux-*/vendor/*/bin/codex", ("codex ", "codex exec --skip-git-repo-check Hello ")),
    "opencode": ("opencode-linux-*/bin/opencode", ("opencode --", "opencode run Hello --")),
}


def aliases():
    return re.search(r"^ {4}MODEL_ALIASES=(.*)$", (ROOT / "README.md").read_text(), re.M).group(1)


@pytest.mark.parametrize("name", PROGRAMS)
def test_two_lines(start, desk, name):
    daemon = start(MODEL_ALIASES=aliases())
    path, (typed, headless) = PROGRAMS[name]
    (text,) = (b for b in readme.blocks("sh") if f"\n{name} " in b)
    assert len(text.splitlines()) == 2 and "http://127.0.0.1:8080" in text and "the token it printed" in text
    text = text.replace("http://127.0.0.1:8080", daemon.url).replace("the token it printed", SECRETS["TOKEN"])
    text = re.sub(rf"^{re.escape(typed)}", headless, text, flags=re.M)
    (desk.home / "bin").mkdir()
    (desk.home / "bin" / name).symlink_to(program(path))
    env = desk.environment | test_claude.QUIET | test_opencode.QUIET
    env["PATH"] = f"{desk.home}/bin:{env['PATH']}"
    done = subprocess.run(["bash", "-e", "-c", text], cwd=desk.work, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=DEADLINE)
    assert done.returncode == 0 and "simulat" in done.stdout, done
    requests = [line for line in daemon.log() if line.get("dialect")]
    assert requests and all(line["status"] == 200 for line in requests), requests


def test_own_models(start, desk):
    """The aliases take Claude Code's own names: it needs no --model."""
    daemon = start(MODEL_ALIASES=aliases())
    assert "simulat" in json.dumps(test_claude.claude(desk, daemon, "Hello", model="sonnet"))
