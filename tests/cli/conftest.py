# SPDX-License-Identifier: MIT
import os
from pathlib import Path

import pytest

import house
from fixtures import running_sim, sim, start  # noqa: F401

RUNNER = house.BUILD / "src" / "gemgate-runner"
CLI = Path(os.environ["GEMGATE_CLI"])


@pytest.fixture
def gateway(start):  # noqa: F811
    """gateway(NAME="value", …): gemgated in front of gemini-sim, with the real Gemini CLI in a separate runner."""

    def one(**settings):
        return start(**{"CLI_RUNNER": str(RUNNER), "CLI_PATH": str(CLI / "bin/gemini"), "CLI_WARM": "0"} | settings)

    return one
