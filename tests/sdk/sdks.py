# SPDX-License-Identifier: MIT
"""The official SDKs of OpenAI behind one small interface, so that each test is written once and held with all of them.

    sdk.call(op, daemon, params) → {"result": …, "chunks": […], "error": {class, status, code, …}}

op: chat, stream, accumulate (the SDK's own stream helper, strict about the sequence), models, model.
"""
import json
import os
import subprocess
from pathlib import Path

import openai

from house import SECRETS

NODE = Path(os.environ.get("GEMGATE_NODE", ""))
NODE_PROGRAM = NODE / "node_modules/.bin/node"  # the pinned one
DRIVER = Path(__file__).with_name("driver.mjs")


class Python:
    name = f"python-{openai.__version__}"

    def call(self, op, daemon, params=None, token=None, retries=0):
        client = openai.OpenAI(
            base_url=daemon.url + "/v1", api_key=token or SECRETS["TOKEN"], max_retries=retries, timeout=60
        )
        out = {"chunks": [], "error": None, "result": None}
        try:
            with client:
                result = getattr(self, op)(client, params or {}, out)
            out["result"] = [r.to_dict() for r in result] if isinstance(result, list) else result and result.to_dict()
        except openai.APIError as e:
            out["error"] = {
                "class": type(e).__name__,
                "message": e.message,
                "status": getattr(e, "status_code", None),
                "type": e.type,
                "code": e.code,
                "param": e.param,
                "request_id": getattr(e, "request_id", None),
            }
        return out

    def chat(self, client, params, out):
        return client.chat.completions.create(**params)

    def stream(self, client, params, out):
        with client.chat.completions.create(**params, stream=True) as stream:
            for chunk in stream:
                out["chunks"].append(chunk.to_dict())

    def accumulate(self, client, params, out):
        with client.chat.completions.stream(**params) as stream:
            return stream.get_final_completion()

    def models(self, client, params, out):
        return list(client.models.list())

    def model(self, client, params, out):
        return client.models.retrieve(params["id"])


class Node:
    def __init__(self, module):
        package = json.loads((NODE / "node_modules" / module / "package.json").read_text())
        self.module = module
        self.name = f"node-{package['version']}"

    def call(self, op, daemon, params=None, token=None, retries=0):
        env = {
            "PATH": os.environ["PATH"],
            "GEMGATE_NODE": str(NODE),
            "SDK_MODULE": self.module,
            "SDK_BASE_URL": daemon.url + "/v1",
            "SDK_TOKEN": token or SECRETS["TOKEN"],
            "SDK_RETRIES": str(retries),
        }
        job = json.dumps({"op": op, "params": params or {}})
        done = subprocess.run([NODE_PROGRAM, DRIVER], input=job, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return {"result": None, "error": None} | json.loads(done.stdout)


def all_sdks():
    """Every one that is pinned in requirements.txt and package.json; a missing one is an error, not a skip."""
    modules = json.loads((Path(__file__).with_name("package.json")).read_text())["dependencies"]
    return [Python(), *(Node(m) for m in modules if m.startswith("openai"))]
