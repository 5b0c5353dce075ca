# SPDX-License-Identifier: MIT
"""Embeddings: a long list in several requests, all or nothing, each with its own tries."""
import base64
import json
import math
import struct

MODEL = "gemini-embedding-001"


def ask(d, n, **more):
    body = {"model": MODEL, "input": [f"text {i}" for i in range(n)], **more}
    return d.ask("POST", "/v1/embeddings", body=json.dumps(body).encode())


def test_long_list(sim, start):
    """250 texts are three requests; the vectors are in order, of length 1, and the same in both forms."""
    d = start()
    floats = json.loads(ask(d, 250, dimensions=128).body)
    packed = json.loads(ask(d, 250, dimensions=128, encoding_format="base64").body)
    assert [v["index"] for v in floats["data"]] == list(range(250))
    assert len({tuple(v["embedding"]) for v in floats["data"]}) == 250
    for one, other in zip(floats["data"], packed["data"]):
        values = struct.unpack("<128f", base64.b64decode(other["embedding"]))
        assert abs(math.sqrt(sum(x * x for x in values)) - 1) < 1e-3
        assert max(abs(x - y) for x, y in zip(one["embedding"], values)) < 1e-6
    assert floats["usage"]["prompt_tokens"] == floats["usage"]["total_tokens"] > 0
    sent = [len(json.loads(r.body)["requests"]) for r in sim.requests()]
    assert sent == [100, 100, 50] * 2


def test_one_text_has_the_same_vector(start):
    d = start()
    body = {"model": MODEL, "input": "text 7", "dimensions": 128}
    alone = json.loads(d.ask("POST", "/v1/embeddings", body=json.dumps(body).encode()).body)
    among = json.loads(ask(d, 120, dimensions=128).body)
    assert alone["data"][0]["embedding"] == among["data"][7]["embedding"]
