# SPDX-License-Identifier: MIT
"""The official Node SDKs in a page of another origin (CORS_ORIGINS)."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from house import SECRETS
from sdks import NODE, NODE_PROGRAM

DRIVER = Path(__file__).with_name("browser.mjs")
APP = "https://app.example.org"
SDKS = ["openai", "anthropic", "google"]


def run(daemon, sdk, token=SECRETS["TOKEN"], origin=APP):
    env = {"PATH": os.environ["PATH"], "GEMGATE_NODE": str(NODE), "SDK_BASE_URL": daemon.url, "SDK_TOKEN": token}
    job = json.dumps({"sdk": sdk, "origin": origin, "model": "gemini-3.8-flash"})
    done = subprocess.run([NODE_PROGRAM, DRIVER], input=job, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("sdk", SDKS)
def test_stream(sim, start, sdk):
    sim.script('*: text "Hello, page."')
    out = run(start(CORS_ORIGINS=APP), sdk)
    assert "error" not in out and out["text"] == "Hello, page."
    assert out["asked"] and out["headers"]["x-request-id"]


@pytest.mark.parametrize("sdk", SDKS)
def test_wrong_token(start, sdk):
    """The SDK in the page sees the error, not "failed to fetch"."""
    out = run(start(CORS_ORIGINS=APP), sdk, token="wrong")
    assert out["error"]["status"] == 401


@pytest.mark.parametrize("sdk", SDKS)
def test_other_origin(start, sdk):
    assert "Failed to fetch" in run(start(CORS_ORIGINS=APP), sdk, origin="https://evil.example")["error"]["message"]
