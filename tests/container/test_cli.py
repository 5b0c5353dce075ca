# SPDX-License-Identifier: MIT
"""The image with WITH_CLI=1: the same, and the Gemini CLI, which answers where the kernel allows it no sandbox."""
import json
import os

import house
import wait
from test_image import LIBRARY, MB, OTHERS, PROGRAMS, walk

MODEL = "gemini-3.8-flash"


def test_what_it_has_more(image, image_with_cli):
    """Node.js, the CLI, the runner and the libraries of these; the configuration is the same."""
    below, above = (dict(walk(i.root)) for i in (image, image_with_cli))
    assert set(below) <= set(above)
    more = {path for path in set(above) - set(below) if not LIBRARY.fullmatch(path) and not OTHERS.fullmatch(path)}
    more = {path for path in more if not path.startswith("/opt/gemgate-cli")}
    assert {path for path in more if not os.path.isdir(f"{image_with_cli.root}{path}")} == {"/usr/lib/gemgate/gemgate-runner"}
    assert (image_with_cli.root / "opt/gemgate-cli/bin/node").exists()
    for name in set(image.config) - {"Hostname", "Image"}:
        assert image_with_cli.config[name] == image.config[name], name
    assert all(os.path.lexists(f"{image_with_cli.root}{p}") for p in PROGRAMS)


def test_size(image_with_cli):
    size = sum(path.stat().st_size for path in image_with_cli.layers())
    assert size < 100 * MB, f"{size / MB:.1f} MB"


def test_chat(up, project, sim, image_with_cli):
    """ENGINE=cli, on a read-only root, without a capability, and with no namespaces to be had."""
    project.set(ENGINE="cli", CLI_WARM="0")
    c = up(image_with_cli).ready()
    sim.script('*: text "Hello there."')
    answer = c.chat("Say hello.")
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "Hello there."
    [seen] = sim.requests()
    assert "Say hello." in seen.body and seen.key in house.SECRETS.values()
    health = json.loads(c.ask("GET", "/health").body)
    assert health["gemini_cli_available"] is True and health["isolation"] == "process"
    children = f"/proc/{c.pid1}/task/{c.pid1}/children"
    wait.until("the runner to be gone", lambda: open(children).read().split() == [])
