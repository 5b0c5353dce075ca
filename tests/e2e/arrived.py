# SPDX-License-Identifier: MIT
"""What a request upstream holds, wherever it is in it: texts, results of functions, pictures, schemas.

A case names what must have arrived in an [arrived] section, one a line; a Python test calls check() with such lines.

    text "Bonjour"               a text part, or one of the system instruction, holds this
    output NAME "21 degrees"     a result of this function holds this, in any of its texts
    call NAME {"city":"Paris"}   this call is in the history; without the arguments: any of this function
    sha256 image/png 0a1b…       inline data of this type, whose bytes have this digest
    file URI                     a file of this URI
    properties NAME a,b,c        the parameters of this function have exactly these properties, in any order
    properties = a,b,c           the same of the schema of the answer; a dot leads into a property: `a.b,a.c`
    enum NAME.a one,two          this property of the function takes exactly these values
"""
import base64
import hashlib
import json

from strict import google


def texts(value):
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for v in value.values() if isinstance(value, dict) else value:
            yield from texts(v)


def parts(body):
    yield from google.parts(google.member(body, "systemInstruction"))
    for _, part in google.all_parts(body):
        yield part
        for inner in google.objects(google.member(part, "functionResponse").get("parts")):
            yield inner


def members(body, name):
    return [google.member(p, name) for p in parts(body) if name in p]


def schema_of(body, name):
    """The JSON Schema of a function's parameters, or of the answer (`=`)."""
    if name == "=":
        config = google.member(body, "generationConfig")
        return config.get("responseJsonSchema", config.get("responseSchema"))
    found = [d for d in google.declarations(body) if d.get("name") == name]
    return found[0].get("parametersJsonSchema", found[0].get("parameters")) if found else None


def inside(schema, path):
    """The schema of a property, through arrays."""
    for name in path:
        while isinstance(schema, dict) and "items" in schema:
            schema = schema["items"]
        schema = google.member(google.member(schema, "properties"), name)
    while isinstance(schema, dict) and "items" in schema:
        schema = schema["items"]
    return schema


def decoded(blob):
    try:
        return base64.b64decode(str(blob.get("data", "")).translate(str.maketrans("-_", "+/")) + "==")
    except ValueError:
        return b""


# --- one line each: what is there instead, or None if it has arrived ---


def text(body, wanted):
    there = [p["text"] for p in parts(body) if "text" in p]
    return None if any(wanted in t for t in there) else there


def output(body, name, wanted):
    there = [r.get("response") for r in members(body, "functionResponse") if r.get("name") == name]
    return None if any(wanted in t for r in there for t in texts(r)) else there


def call(body, name, arguments=None):
    there = [c.get("args", {}) for c in members(body, "functionCall") if c.get("name") == name]
    return None if there and arguments is None or arguments and json.loads(arguments) in there else there


def sha256(body, kind, digest):
    there = [(b.get("mimeType"), hashlib.sha256(decoded(b)).hexdigest()) for b in members(body, "inlineData")]
    return None if (kind, digest) in there else there


def file(body, uri):
    there = [f.get("fileUri") for f in members(body, "fileData")]
    return None if uri in there else there


def properties(body, name, wanted):
    paths = [p.split(".") for p in wanted.split(",")]
    schema = schema_of(body, name)
    for path in paths:
        there = sorted(google.member(inside(schema, path[:-1]), "properties"))
        if there != sorted(p[-1] for p in paths if p[:-1] == path[:-1]):
            return {".".join([name, *path[:-1]]): there}
    return None


def enum(body, path, wanted):
    name, *path = path.split(".")
    there = google.member(inside(schema_of(body, name), path), "enum", list)
    return None if [str(v) for v in there] == wanted.split(",") else there


KINDS = {f.__name__: f for f in (text, output, call, sha256, file, properties, enum)}


def words(line):
    """The words of a line; one in quotes is a JSON string, one in braces is JSON."""
    out = []
    while line := line.strip():
        if line[0] in '"{':
            value, end = json.JSONDecoder().raw_decode(line)
            out.append(value if isinstance(value, str) else json.dumps(value))
        else:
            end = len(line.split()[0])
            out.append(line[:end])
        line = line[end:]
    return out


def missing(lines, text_of_body):
    """What of the lines has not arrived in this body: a text for people, or None."""
    body = google.camel(json.loads(text_of_body))
    for line in lines.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        kind, *more = words(line)
        if kind not in KINDS:
            raise ValueError(f"{line}: begins with one of {', '.join(KINDS)}")
        there = KINDS[kind](body, *more)
        if there is not None:
            return f"{line}\nhas not arrived; there is {json.dumps(there, ensure_ascii=False)[:2000]}"
    return None


def check(sim, *lines, request=-1):
    """Fails unless all of this has arrived in one request; the last one, if none is named."""
    fault = missing("\n".join(lines), sim.requests()[request].body)
    assert fault is None, fault
