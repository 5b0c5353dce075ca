# SPDX-License-Identifier: MIT
"""Comparison with what a case expects. Everything is exact except the wildcards:

{{any}}    anything within the line      {{lines}}  anything, also several lines
{{int}}    digits                        {{num}}    a JSON number
{{id}}     letters, digits, - and _      {{time}}   RFC 3339 with an offset

{{id:x}} remembers what it met as x; met again, {{id:x}} must be the same.
As a whole JSON value, {{any}} is any value, {{int}} and {{num}} are numbers; a member "...": "{{any}}" lets an object have
members that are not named.
"""
import difflib
import json
import re

WILDCARDS = {
    "any": r"[^\n]*?",
    "lines": r"[\s\S]*?",
    "int": r"\d+",
    "num": r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?",
    "id": r"[A-Za-z0-9_-]+",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[-+]\d\d:\d\d)",
}
TOKEN = re.compile(r"\{\{(\w+)(?::(\w+))?\}\}")


def pattern(expected, memory):
    """The regular expression of an expected text; `memory` holds the named ones met before."""
    out, at, here = [], 0, {}
    for m in TOKEN.finditer(expected):
        kind, name = m.groups()
        if kind not in WILDCARDS:
            raise ValueError(f"{m.group()} is no wildcard")
        out.append(re.escape(expected[at : m.start()]))
        at = m.end()
        if name is None:
            out.append(WILDCARDS[kind])
        elif name in memory:
            out.append(re.escape(memory[name]))
        elif name in here:
            out.append(f"(?P={name})")
        else:
            here[name] = True
            out.append(f"(?P<{name}>{WILDCARDS[kind]})")
    out.append(re.escape(expected[at:]))
    return re.compile("".join(out))


def text(expected, actual, memory=None):
    """None if it fits, else the difference as a text for people."""
    memory = {} if memory is None else memory
    m = pattern(expected, memory).fullmatch(actual)
    if m:
        memory.update(m.groupdict())
        return None
    return difference(expected, actual)


def difference(expected, actual):
    lines = difflib.unified_diff(expected.split("\n"), actual.split("\n"), "expected", "got", lineterm="", n=2)
    return "\n".join(lines)


def value(expected, actual, memory=None, path="$"):
    """The same for JSON values: None, or the first place that differs."""
    memory = {} if memory is None else memory
    if isinstance(expected, str) and TOKEN.search(expected):
        return _wild(expected, actual, memory, path)
    if type(expected) is not type(actual) and not (_number(expected) and _number(actual)):
        return f"{path}: expected {json.dumps(expected)}, got {json.dumps(actual)}"
    if isinstance(expected, dict):
        loose = "..." in expected
        for key in expected:
            if key != "..." and key not in actual:
                return f"{path}: no {key!r} in {json.dumps(actual)}"
        for key in actual:
            if key not in expected and not loose:
                return f"{path}: {key!r} is not expected: {json.dumps(actual[key])}"
        for key in expected:
            if key != "..." and (fault := value(expected[key], actual[key], memory, f"{path}.{key}")):
                return fault
        return None
    if isinstance(expected, list):
        if len(expected) != len(actual):
            return f"{path}: {len(expected)} entries expected, got {len(actual)}: {json.dumps(actual)}"
        for i, (e, a) in enumerate(zip(expected, actual)):
            if fault := value(e, a, memory, f"{path}[{i}]"):
                return fault
        return None
    return None if expected == actual else f"{path}: expected {json.dumps(expected)}, got {json.dumps(actual)}"


def _number(x):
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def _wild(expected, actual, memory, path):
    kind = m.group(1) if (m := TOKEN.fullmatch(expected)) else None
    if kind == "any" and not m.group(2):
        return None
    if kind in ("int", "num"):
        if _number(actual) and (kind == "num" or isinstance(actual, int)):
            return None
    elif isinstance(actual, str):
        if (found := pattern(expected, memory).fullmatch(actual)) is not None:
            memory.update(found.groupdict())
            return None
    return f"{path}: expected {expected}, got {json.dumps(actual)}"
