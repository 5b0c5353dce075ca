# SPDX-License-Identifier: MIT
"""The kinds of rows of conformance.py, and what their probes have in common."""
import json
from collections import namedtuple

MODEL, OLD, OLDEST = "gemini-3.8-flash", "gemini-2.5-flash", "gemini-2.0-flash"
ABSENT = "(absent)"
PNG = "iVBORw0KGgo="
CONFIG, PART, DECLARED, MODE = "generationConfig.", "contents.0.parts.0.", "tools.0.functionDeclarations.0.", "toolConfig.functionCallingConfig."
STREAM = {"stream": True}

# kind: mapped, ignored, refused, answered. field: its path; note: what it becomes, or why it is ignored. probe: members put
# into BASE; expected: by kind, {path: value} of the body upstream or of the answer, the same request without the member,
# or (param, message). script: what Gemini answers.
Row = namedtuple("Row", "kind field note probe expected script")


def mapped(field, note, probe, **upstream):
    return Row("mapped", field, note, probe, {k.replace("__", "."): v for k, v in upstream.items()}, "")


def to(field, note, probe, upstream):
    return Row("mapped", field, note, probe, upstream, "")


def ignored(field, note, probe, without=None):
    return Row("ignored", field, note, probe, without or {}, "")


def refused(field, probe, message, param=None):
    return Row("refused", field, "", probe, (param, message), "")


def answered(field, note, script, answer, **probe):
    return Row("answered", field, note, probe, answer, script)


def gemini(*parts, finish="STOP", **more):
    """A script: Gemini's answer with these parts."""
    answer = {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": finish, **more}],
              "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12},
              "responseId": "abc", "modelVersion": MODEL}
    return "json " + json.dumps(answer, ensure_ascii=False)
