#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes recorded requests of real clients into CLIENT.json, one object for each, one line each.

    take.py FOLDER      FOLDER/CLIENT/NN.json: {"client", "method", "path", "query", "headers": [[name, value]], "body"}

Only requests of the protocols that are served are taken, and of the headers only what tells the kind of client: nothing
that belongs to a person, a machine or a session. Texts must have been replaced before.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
SPOKEN = re.compile(r"/v1/chat/completions|/v1/responses(?:/\w[\w-]*)?|/v1/messages(?:/count_tokens)?|/v1/embeddings|/v1/models(/[^:]+)?|/v1(beta)?/models/[^:]+:\w+")
KEPT = {"x-goog-api-client", "anthropic-version"}
PRIVATE = re.compile(r"/(?:root|home/(?!user/)|tmp|Users)/|[\w.]+@[\w-]+\.\w+|\b(?!127\.)\d+\.\d+\.\d+\.\d+\b")


def taken(path):
    r = json.loads(path.read_text())
    headers = {name.lower(): value for name, value in r["headers"] if name.lower() in KEPT}
    if not SPOKEN.fullmatch(r["path"]):
        return None
    out = {"name": path.stem, "method": r["method"], "path": r["path"]}
    out |= {"query": r["query"]} if r["query"] else {}
    out |= {"headers": headers} if headers else {}
    out |= {"body": r["body"]} if r["body"] is not None else {}
    out |= {"upgrade": True} if any(name.lower() == "upgrade" for name, _ in r["headers"]) else {}
    found = PRIVATE.search(json.dumps(out))
    if found:
        sys.exit(f"{path}: {found.group()!r} is private")
    return out


for folder in sorted(p for p in pathlib.Path(sys.argv[1]).iterdir() if p.is_dir()):
    requests = [r for r in map(taken, sorted(folder.glob("*.json"))) if r]
    if requests:
        lines = ",\n".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in requests)
        (HERE / f"{folder.name}.json").write_text(f"[\n{lines}\n]\n")
