# SPDX-License-Identifier: MIT
"""Google's own SDKs behind one small interface, as sdks.py has those of OpenAI.

    genai.call(op, daemon, params) → {"result": …, "chunks": […], "error": {class, message, code}}

op: generate, stream, count, models {config}, model {model}, and live {model, turns, config}, and files: upload {path, config}, file_get, file_delete {name}, file_download {name, path}, store_upload {store, path}, file_list {config}, cache_create
{model, config}, cache_get, cache_delete {name}, cache_update {name, config}, cache_list {config}. params: model, contents, config.
"""
import asyncio
import json
import os
import subprocess
from pathlib import Path

import httpx
from google import genai
from google.genai import errors, types

from house import SECRETS
from sdks import NODE, NODE_PROGRAM

DRIVER = Path(__file__).with_name("genai.mjs")


def plain(response):
    text = {"text": response.text} if hasattr(response, "text") else {}
    return response.model_dump(mode="json", by_alias=True, exclude_none=True) | text


class Python:
    name = f"python-{genai.__version__}"

    def call(self, op, daemon, params, token=None):
        options = types.HttpOptions(base_url=daemon.url, timeout=60000)
        client = genai.Client(api_key=token or SECRETS["TOKEN"], http_options=options)
        out = {"chunks": [], "error": None, "result": None}
        if op == "live":
            params = params | {"url": daemon.url, "token": token or SECRETS["TOKEN"]}
        try:
            about = {"file": client.files, "cache": client.caches, "store": client.file_search_stores}.get(op.split("_")[0], client.models)
            about = client.files if op == "upload" else about
            out["result"] = getattr(self, op)(about, params, out)
        except (errors.APIError, httpx.HTTPError, ValueError) as e:
            out["error"] = {"class": type(e).__name__, "message": str(e), "code": getattr(e, "code", None)}
        finally:
            client.close()
        return out

    def generate(self, models, params, out):
        return plain(models.generate_content(**params))

    def stream(self, models, params, out):
        for chunk in models.generate_content_stream(**params):
            out["chunks"].append(plain(chunk))

    def models(self, models, params, out):
        return [plain(m) for m in models.list(**params)]

    def model(self, models, params, out):
        return plain(models.get(**params))

    def count(self, models, params, out):
        return plain(models.count_tokens(**params))

    def upload(self, files, params, out):
        return plain(files.upload(file=params["path"], config=params.get("config")))

    def file_get(self, files, params, out):
        return plain(files.get(**params))

    def file_download(self, files, params, out):
        with open(params["path"], "wb") as f:
            f.write(files.download(file=params["name"]))

    def store_upload(self, stores, params, out):
        name = params["store"]
        return plain(stores.upload_to_file_search_store(file_search_store_name=name, file=params["path"], config=params.get("config")))

    def file_delete(self, files, params, out):
        files.delete(**params)

    def file_list(self, files, params, out):
        return [plain(f) for f in files.list(**params)]

    def cache_create(self, caches, params, out):
        return plain(caches.create(**params))

    def cache_get(self, caches, params, out):
        return plain(caches.get(**params))

    def cache_update(self, caches, params, out):
        return plain(caches.update(**params))

    def cache_delete(self, caches, params, out):
        caches.delete(**params)

    def cache_list(self, caches, params, out):
        return [plain(c) for c in caches.list(**params)]


    def live(self, models, params, out):
        """The texts of the turns; the messages as chunks."""
        options = types.HttpOptions(base_url=params["url"])
        client = genai.Client(api_key=params["token"], http_options=options)

        # It takes TLS for granted, which a program in front of gemgate has.
        client._api_client._websocket_base_url = lambda *_: params["url"].replace("http", "ws", 1)
        client._api_client._websocket_ssl_ctx = {}

        async def converse():
            async with client.aio.live.connect(model=params["model"], config=params.get("config")) as session:
                for text in params["turns"]:
                    await session.send_client_content(turns={"role": "user", "parts": [{"text": text}]}, turn_complete=True)
                    out["chunks"] += [plain(m) async for m in session.receive()]

        asyncio.run(converse())


class Node:
    def __init__(self):
        package = json.loads((NODE / "node_modules/@google/genai/package.json").read_text())
        self.name = f"node-{package['version']}"

    def call(self, op, daemon, params, token=None):
        env = {
            "PATH": os.environ["PATH"],
            "GEMGATE_NODE": str(NODE),
            "SDK_BASE_URL": daemon.url,
            "SDK_TOKEN": token or SECRETS["TOKEN"],
        }
        job = json.dumps({"op": op, "params": params})
        done = subprocess.run([NODE_PROGRAM, DRIVER], input=job, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return {"result": None, "error": None} | json.loads(done.stdout)


def all_genais():
    return [Python(), Node()]
