# SPDX-License-Identifier: MIT
"""Agent loops that each client does in its own way, and what must have arrived upstream.

A loop is a job for a program of tests/sdk/loops, one for each client, and a script for gemini-sim, whose rules only fit
if what the client gave is there: the outputs of the tools, the digest of the picture, the names of the schema's
properties. Otherwise the simulator refuses, and the client has an error. It is strict about thought signatures as well,
which all of these clients drop.
"""
import base64
import hashlib
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

from house import SECRETS
from sdks import NODE, NODE_PROGRAM

HERE = Path(__file__).with_name("loops")
MODEL, EMBEDDING_MODEL = "gemini-3.8-flash", "gemini-embedding-2"


def png(width, height, color):
    """A picture of one colour, as bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes(color) * width) * height
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PICTURE = png(40, 30, (200, 20, 30))
SHA256 = hashlib.sha256(PICTURE).hexdigest()
WEATHER = {"Paris": "Paris: 21.5 degrees, light rain", "Rome": "Rome: 28.25 degrees, \"clear\""}
TRIP = {"title": "Two capitals", "days": 4,
        "places": [{"name": "Paris", "reason": "the Seine"}, {"name": "Rome", "reason": None}]}
JOB = {
    "model": MODEL,
    "embedding_model": EMBEDDING_MODEL,
    "prompt": "Plan a trip: what is it like?",
    "second": "And in Rome?",
    "weather": WEATHER,
    "image": "data:image/png;base64," + base64.b64encode(PICTURE).decode(),
    "input": ["first text", "second text", "the third, with ümlauts"],
}

SIGNED = "unmatched refuse\nsignatures strict\n"
TOOL = 'property=city property=unit body="what is it like?"'
PARIS, ROME = 'result="Paris: 21.5 degrees, light rain"', 'result="Rome: 28.25 degrees,"'
TOOLS_SCRIPT = SIGNED + f"""
{TOOL} {PARIS} {ROME} : text "Warm in both." chunks=4
{TOOL} times=1 : thought="I must ask." call get_weather {{"city": "Paris", "unit": "celsius"}} call get_weather {{"city": "Rome", "unit": "celsius"}}
"""
LATER = PARIS + ' body="And in Rome?"'
TURNS_SCRIPT = SIGNED + f"""
{TOOL} {ROME} {LATER} : text "Rome is warmer."
{TOOL} {LATER} times=1 : call get_weather {{"city": "Rome", "unit": "celsius"}}
{TOOL} {PARIS} times=1 : text "Light rain."
{TOOL} times=1 : call get_weather {{"city": "Paris", "unit": "celsius"}}
"""
SCHEMA = "property=title property=days property=places property=name property=reason"
ANSWER = json.dumps(json.dumps(TRIP))
STRUCTURED_SCRIPT = SIGNED + f'{SCHEMA} body="responseJsonSchema" body="application/json" : text {ANSWER} chunks=3\n'
IMAGE_SCRIPT = SIGNED + f'sha256={SHA256} body="what is it like?" : text "Red."\n'
STREAM_SCRIPT = SIGNED + '* : text "one two three four" chunks=4\n'

TOOLS_OUT = {"text": "Warm in both.", "calls": ["Paris", "Rome"]}
# op: the script, and what the client must have at the end
LOOPS = {
    "tools": (TOOLS_SCRIPT, TOOLS_OUT),
    "turns": (TURNS_SCRIPT, {"texts": ["Light rain.", "Rome is warmer."], "calls": ["Paris", "Rome"]}),
    "structured": (STRUCTURED_SCRIPT, {"data": TRIP}),
    "image": (IMAGE_SCRIPT, {"text": "Red."}),
    "stream": (STREAM_SCRIPT, {"text": "one two three four"}),
    "stream_tools": (TOOLS_SCRIPT, TOOLS_OUT),
    "embeddings": (SIGNED + "method=*mbed* : default\n", {}),
    # An object out of a text by a call that must come, or with a picture.
    "structured_by_function": (SIGNED + f'{SCHEMA} body="ANY" : call @NAME@ {json.dumps(TRIP)}\n', {"data": TRIP}),
    "structured_stream": (SIGNED + f'{SCHEMA} body="ANY" : call @NAME@ {json.dumps(TRIP)}\n', {"data": TRIP}),
    "structured_image": (SIGNED + f"{SCHEMA} sha256={SHA256} : text {ANSWER}\n", {"data": TRIP}),
}
STREAMED = ("stream", "stream_tools")
CHAT = ("tools", "turns", "structured", "image", "stream", "stream_tools")


class Client:
    """A program of tests/sdk/loops, and what runs it. `function`: its name for the function that is the answer;
    `forgets`: the calls and results of a turn are not in the next one."""

    def __init__(self, name, command, ops=CHAT + ("embeddings",), module="", function="Trip", forgets=False):
        self.name, self.command, self.ops, self.module, self.function = name, command, ops, module, function
        self.forgets = forgets

    def run(self, daemon, op, **more):
        env = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "GEMGATE_NODE": str(NODE),
            "LOOP_MODULE": self.module,
            "LOOP_BASE_URL": daemon.url + "/v1",
            "LOOP_TOKEN": SECRETS["TOKEN"],
        }
        job = json.dumps(JOB | {"op": op} | more)
        done = subprocess.run(self.command, input=job, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        out = json.loads(done.stdout.splitlines()[-1])
        assert "error" not in out, f"{out['error']}\n{out.get('trace', '')}"
        return out

    def script(self, op):
        script = LOOPS[op][0].replace("@NAME@", self.function)
        return script.replace(LATER, 'body="And in Rome?"') if self.forgets else script


def python(name, of=sys.executable):
    return [str(of), str(HERE / name)]


def node(name):
    return [str(NODE_PROGRAM), str(HERE / name)]


def check(client, daemon, op):
    out = client.run(daemon, op)
    for name, value in LOOPS[op][1].items():
        # Calls that came together may run at once.
        assert (sorted(out[name]) if name == "calls" else out[name]) == value, out
    if op in STREAMED:
        assert len(out["pieces"]) > 1 and "".join(out["pieces"]) == out["text"], out
    if "deltas" in out:
        assert "".join(out["deltas"]) == '{"city":"Paris","unit":"celsius"}{"city":"Rome","unit":"celsius"}'
    if op == "embeddings":
        vectors = out["vectors"]
        assert len(vectors) == len(JOB["input"]) and len({tuple(v) for v in vectors}) == len(vectors)
        for v in vectors:
            assert abs(sum(x * x for x in v) - 1) < 1e-4
        for v, w in zip(vectors, out.get("floats", vectors)):
            assert all(abs(a - b) < 1e-6 for a, b in zip(v, w, strict=True))
