#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server of the Model Context Protocol on stdin and stdout, with one tool: what it answers is in its environment."""
import json
import os
import sys

TOOL = {
    "name": "look.up-city",
    "description": "Looks up what is known about a city",
    "inputSchema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"city_name": {"$ref": "#/$defs/name"}, "in_year": {"type": ["integer", "null"]}},
        "required": ["city_name"],
        "additionalProperties": False,
        "$defs": {"name": {"type": "string"}},
    },
}


def answer(method, params):
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "cities", "version": "1"}}
    if method == "tools/list":
        return {"tools": [TOOL]}
    if method == "tools/call":
        text = f"{params['arguments']['city_name']}: {os.environ['CITY_FACT']}"
        return {"content": [{"type": "text", "text": text}]}
    return {}


for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        result = answer(asked["method"], asked.get("params", {}))
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
