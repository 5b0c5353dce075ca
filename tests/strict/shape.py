# SPDX-License-Identifier: MIT
"""A strict reader of the two kinds of schema beside it: OpenAI's answers, and Gemini's requests and answers.

Stricter than the schemas themselves, which let any further member pass: here a member that is not named is a fault,
and so are a null where none is allowed and more than one kind of content in one Part.
"""
import functools
import json
import pathlib

HERE = pathlib.Path(__file__).parent

# A Part is one of these; the other members say something about it.
PART = {"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
        "toolCall", "toolResponse"}

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


@functools.cache
def schemas(name):
    return Schemas(name)


class Schemas:
    def __init__(self, name):
        self.is_proto = name == "gemini"
        self.schemas = json.loads((HERE / f"{name}-schemas.json").read_text())

    def faults(self, name, value):
        """Every fault of the value, each as `path: what`."""
        return list(self._check({"$ref": "#/" + name}, value, name))

    def _check(self, schema, value, path):
        name, nullable = None, schema.get("nullable")
        while "$ref" in schema:
            name = schema["$ref"].removeprefix("#/")
            schema = self.schemas[name]
            nullable = nullable or schema.get("nullable")
        if value is None and nullable:
            return
        for alternatives in ("anyOf", "oneOf"):
            if alternatives in schema:
                found = [list(self._check(s, value, path)) for s in schema[alternatives]]
                if all(found):
                    yield from min(found, key=len)
                return
        for part in schema.get("allOf", []):
            yield from self._check(part, value, path)
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if self.is_proto and isinstance(value, float) and value.is_integer():
            value = int(value)  # proto3 JSON takes 40.0 for 40
        if types and not any(is_a(value, t) for t in types):
            yield f"{path}: {type(value).__name__} instead of {' or '.join(types)}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{path}: {value!r} is none of {schema['enum']}"
        elif isinstance(value, list):
            for i, item in enumerate(value):
                yield from self._check(schema.get("items", {}), item, f"{path}[{i}]")
        elif isinstance(value, dict):
            yield from self._check_object(schema, value, path)
            if name == "Part" and len(PART & value.keys()) > 1:
                yield f"{path}: several of {sorted(PART & value.keys())}"

    def _check_object(self, schema, value, path):
        known = schema.get("properties", {})
        more = schema.get("additionalProperties", not known)
        for key in schema.get("required", []):
            if key not in value:
                yield f"{path}.{key}: missing"
        for key, member in value.items():
            if key in known:
                yield from self._check(known[key], member, f"{path}.{key}")
            elif isinstance(more, dict):
                yield from self._check(more, member, f"{path}.{key}")
            elif not more:
                yield f"{path}.{key}: unknown"


def is_a(value, name):
    # Python takes True for a number.
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
