# SPDX-License-Identifier: MIT
"""hadolint's rules, all of them. What a line of the Dockerfile asks it to overlook has its reason beside it."""
import subprocess
import sys
from pathlib import Path

import lint

HADOLINT = Path(sys.executable).parent / "hadolint"
DOCKERFILE = Path(lint.ROOT) / "Dockerfile"


def complaints(text):
    done = subprocess.run(
        [HADOLINT, "--no-color", "-"], input=text, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_dockerfile():
    assert complaints(DOCKERFILE.read_text()) == (0, "")


def test_it_would_complain():
    status, said = complaints(DOCKERFILE.read_text().replace("${DEBIAN}-slim", "latest"))
    assert status == 1 and "DL3007" in said
