# SPDX-License-Identifier: MIT
"""The loops of loops.py with frameworks that use OpenAI's Python SDK. Each set of requirements in tests/sdk/loops has
its own environment, since they need different versions of that SDK. Only in `./tests/run long frameworks`."""
import os
from pathlib import Path

import loops
import pytest

FRAMEWORKS = Path(os.environ.get("GEMGATE_FRAMEWORKS", ""))
BY_FUNCTION = ("structured_by_function",)
OWN = ("structured", "structured_by_function", "structured_image", "structured_stream")


def client(name, ops, requirements="frameworks", **more):
    python = FRAMEWORKS / requirements / "bin/python"
    return loops.Client(name, loops.python(f"with_{name}.py", of=python), ops, **more)


CLIENTS = [
    client("langchain", (*loops.CHAT, *BY_FUNCTION, "embeddings")),
    client("llama_index", (*loops.CHAT, "embeddings"), "llama-index", forgets=True),
    client("openai_agents", loops.CHAT),
    client("pydantic_ai", (*loops.CHAT, *BY_FUNCTION, "embeddings"), function="final_result"),
    client("instructor", OWN),
]

pytestmark = pytest.mark.long


@pytest.mark.parametrize("client,op", [pytest.param(c, op, id=f"{c.name}-{op}") for c in CLIENTS for op in c.ops])
def test_loop(sim, daemon, client, op):
    sim.script(client.script(op))
    loops.check(client, daemon, op)
