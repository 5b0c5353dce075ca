# SPDX-License-Identifier: MIT
"""What [arrived] finds in a request, and what it misses."""
import base64
import hashlib
import json

import arrived
import pytest

PICTURE = b"\x89PNG and so on"
SCHEMA = {"type": "object", "properties": {
    "city": {"type": "string", "enum": ["Paris", "Rome"]},
    "days": {"type": "array", "items": {"type": "object", "properties": {"a": {}, "b": {}}}}}}
BODY = json.dumps({
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Bonjour, \"you\""},
                                   {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PICTURE).decode()}},
                                   {"fileData": {"fileUri": "https://a/b.pdf"}}]},
        {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"city": "Paris"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": {"t": ["21 degrees"]}}}}]},
    ],
    "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}]}],
    "generationConfig": {"responseJsonSchema": {"properties": {"x": {}, "y": {}}}},
})
DIGEST = hashlib.sha256(PICTURE).hexdigest()

THERE = [
    'text "Bonjour, \\"you\\""', 'text brief', 'output f "21 degrees"', 'call f {"city":"Paris"}', "call f",
    f"sha256 image/png {DIGEST}", "file https://a/b.pdf", "properties f city,days", "properties f days,city",
    "properties f days.a,days.b", "properties = x,y", "enum f.city Paris,Rome", "# a comment", "",
]
NOT_THERE = [
    'text "Bonsoir"', 'output f "22"', 'output g "21"', 'call f {"city":"Rome"}', "call g", f"sha256 image/jpeg {DIGEST}",
    f"sha256 image/png {DIGEST[::-1]}", "file https://a/c.pdf", "properties f city", "properties f city,days,more",
    "properties g a", "properties f days.a", "properties = x", "enum f.city Paris", "enum f.city Rome,Paris",
]


@pytest.mark.parametrize("line", THERE)
def test_there(line):
    assert arrived.missing(line, BODY) is None
    assert arrived.missing("\n".join(THERE), BODY) is None


@pytest.mark.parametrize("line", NOT_THERE)
def test_not_there(line):
    assert "has not arrived" in arrived.missing(line, BODY)
    assert "has not arrived" in arrived.missing(THERE[0] + "\n" + line, BODY)


def test_no_kind():
    with pytest.raises(ValueError, match="begins with one of"):
        arrived.missing("pixels 1", BODY)
