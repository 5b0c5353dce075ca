# SPDX-License-Identifier: MIT
"""What Google refuses in a request whose names and types are right. Each rule has a name and yields what is wrong.

The rules are from Google's reference and from the refusals that clients have reported; gemini-sim knows most of them,
too, and was written apart from this.
"""
import base64
import binascii
import re

# Their members are the user's: names in them mean nothing.
OWN = {"args", "response", "parametersJsonSchema", "responseJsonSchema", "partMetadata", "labels", "default", "example"}
DATA = ("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
        "toolCall", "toolResponse")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
DECLARATIONS_MAX, STOPS_MAX, EMBED_MAX = 512, 5, 100

# These are taken in the place of a signature. The first is the documented one.
SENTINELS = {"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"}


def camel(value, names=False):
    """The same request in camelCase: proto3 JSON takes snake_case, too. `names`: the keys are a user's."""
    if isinstance(value, list):
        return [camel(v) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, v in value.items():
        name = key if names else re.sub(r"_([a-z0-9])", lambda m: m.group(1).upper(), key)
        out[name] = v if name in OWN and not names else camel(v, not names and name in ("properties", "headers"))
    return out


# --- looking in ---


def objects(values):
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []


def member(value, name, kind=dict):
    v = value.get(name) if isinstance(value, dict) else None
    return v if isinstance(v, kind) else kind()


def contents(body):
    return objects(body.get("contents"))


def parts(content):
    return objects(content.get("parts"))


def all_parts(body):
    """(where, part) of every part in the contents."""
    for i, content in enumerate(contents(body)):
        for k, part in enumerate(parts(content)):
            yield f"contents[{i}].parts[{k}]", part


def declarations(body):
    return [d for tool in objects(body.get("tools")) for d in objects(tool.get("functionDeclarations"))]


def calling(body):
    """The mode of functionCallingConfig, and the names that it allows."""
    config = member(member(body, "toolConfig"), "functionCallingConfig")
    return str(config.get("mode", "AUTO")).upper(), member(config, "allowedFunctionNames", list)


def having(content, data):
    return [p for p in parts(content) if data in p]


def signs(model):
    """The models that want their signatures back."""
    return re.match(r"gemini-([3-9]|flash-latest|flash-lite-latest|pro-latest)", model)


def turn_begins(body):
    """The index of the last content of the user's that is no answer of a function; -1: there is none."""
    found = [i for i, c in enumerate(contents(body))
             if c.get("role", "user") == "user" and not having(c, "functionResponse")]
    return found[-1] if found else -1


# --- declarations ---


def declaration_name(body, _):
    for d in declarations(body):
        if not NAME.fullmatch(str(d.get("name", ""))):
            yield f"{d.get('name')!r} is no name"


def declaration_twice(body, _):
    names = [d.get("name") for d in declarations(body)]
    for name in sorted({str(n) for n in names if names.count(n) > 1}):
        yield f"{name!r} is declared twice"


def declarations_number(body, _):
    for i, tool in enumerate(objects(body.get("tools"))):
        if "functionDeclarations" in tool and not tool["functionDeclarations"]:
            yield f"tools[{i}].functionDeclarations is empty"
    if len(declarations(body)) > DECLARATIONS_MAX:
        yield f"{len(declarations(body))} declarations"


def declaration_forms(body, _):
    for d in declarations(body):
        for one, other in (("parameters", "parametersJsonSchema"), ("response", "responseJsonSchema")):
            if one in d and other in d:
                yield f"{d.get('name')!r} has {one} and {other}"


def schema_nodes(schema, where):
    """(where, node) of Google's own kind of schema, which is no JSON Schema."""
    if not isinstance(schema, dict):
        return
    yield where, schema
    for name, s in member(schema, "properties").items():
        yield from schema_nodes(s, f"{where}.{name}")
    for s in [schema.get("items"), *member(schema, "anyOf", list)]:
        yield from schema_nodes(s, where + "[]")


def schemas_of(body):
    for d in declarations(body):
        yield from schema_nodes(d.get("parameters"), f"{d.get('name')}.parameters")
    yield from schema_nodes(member(body, "generationConfig").get("responseSchema"), "responseSchema")


def schema_node(body, _):
    for where, s in schemas_of(body):
        kind = str(s.get("type", "")).upper()
        if kind == "OBJECT" and s.get("properties") == {}:
            yield f"{where}.properties: should be non-empty for OBJECT type"
        if kind == "ARRAY" and "items" not in s:
            yield f"{where}.items: missing field"
        for name in member(s, "required", list):
            if name not in member(s, "properties"):
                yield f"{where}.required: property {name!r} is not defined"


def json_schema_kind(body, _):
    for d in declarations(body):
        s = d.get("parametersJsonSchema", {})
        if not isinstance(s, dict) or s.get("type", "object") != "object":
            yield f"{d.get('name')!r}: parametersJsonSchema describes no object"


def mode_any(body, _):
    if calling(body)[0] == "ANY" and not declarations(body):
        yield "mode ANY without a declaration"


def allowed_names(body, _):
    mode, names = calling(body)
    if names and mode not in ("ANY", "VALIDATED"):
        yield f"allowedFunctionNames with mode {mode}"
    for name in names:
        if name not in [d.get("name") for d in declarations(body)]:
            yield f"allowedFunctionNames: {name!r} is not declared"


# --- contents ---


def contents_there(body, _):
    if not contents(body):
        yield "contents is not specified"
    for i, content in enumerate(contents(body)):
        if not parts(content):
            yield f"contents[{i}] has no part"


def role(body, _):
    for i, content in enumerate(contents(body)):
        if content.get("role", "user") not in ("user", "model", "function"):
            yield f"contents[{i}].role is {content['role']!r}"


def part_data(body, _):
    for where, part in all_parts(body):
        if not any(d in part for d in DATA):
            yield f"{where} holds only {sorted(part)}"


def inline_data(body, _):
    for where, part in all_parts(body):
        if "inlineData" not in part:
            continue
        blob = member(part, "inlineData")
        if not blob.get("mimeType"):
            yield f"{where} has no mimeType"
        try:
            base64.b64decode(str(blob.get("data", "")).translate(str.maketrans("-_", "+/")), validate=True)
        except (ValueError, binascii.Error):
            yield f"{where} is not base64"


def holds_key(value, key):
    if isinstance(value, dict):
        return key in value or any(holds_key(v, key) for v in value.values())
    return isinstance(value, list) and any(holds_key(v, key) for v in value)


def function_response(body, _):
    for where, part in all_parts(body):
        if "functionResponse" not in part:
            continue
        response = member(part, "functionResponse")
        if not response.get("name"):
            yield f"{where} has no name"
        if not isinstance(response.get("response"), dict):
            yield f"{where}: response is no object"
        elif holds_key(response["response"], "$ref"):
            yield f"{where}: response holds $ref, which is reserved"


def call_pairs(body, _):
    """All answers to the calls of one turn are in the turn behind it."""
    turns = contents(body)
    for i, content in enumerate(turns):
        calls, before = len(having(content, "functionCall")), turns[i - 1] if i > 0 else {}
        if calls and i == 0:
            yield "contents[0] has a call; a turn of the user must come before"
        if calls and before.get("role") == "model":
            yield f"contents[{i}] has a call behind another turn of the model"
        if calls and i + 1 < len(turns):
            answers = len(having(turns[i + 1], "functionResponse"))
            if answers != calls:
                yield f"contents[{i}]: {calls} calls, {answers} responses behind it"
        if having(content, "functionResponse") and not having(before, "functionCall"):
            yield f"contents[{i}]: responses without calls before"


def signature(body, model):
    """The first call of each step since the user spoke last has its signature; others need none."""
    if not signs(model):
        return
    for i, content in enumerate(contents(body)):
        calls = having(content, "functionCall")
        if calls and i > turn_begins(body) and not calls[0].get("thoughtSignature"):
            yield f"contents[{i}]: the first call has no thoughtSignature"


def stops(body, _):
    n = len(member(member(body, "generationConfig"), "stopSequences", list))
    if n > STOPS_MAX:
        yield f"{n} stopSequences"


RULES = {
    "declaration-name": declaration_name,
    "declaration-twice": declaration_twice,
    "declarations-number": declarations_number,
    "declaration-forms": declaration_forms,
    "schema-node": schema_node,
    "json-schema-kind": json_schema_kind,
    "mode-any": mode_any,
    "allowed-names": allowed_names,
    "contents": contents_there,
    "role": role,
    "part-data": part_data,
    "inline-data": inline_data,
    "function-response": function_response,
    "call-pairs": call_pairs,
    "signature": signature,
    "stops": stops,
}


def faults(body, model):
    """The faults of a GenerateContentRequest in camelCase. `model`: its plain name."""
    return [f"{name}: {text}" for name, rule in RULES.items() for text in rule(body, model)]


def batch_faults(body):
    """The faults of a BatchEmbedContentsRequest in camelCase."""
    requests = objects(body.get("requests"))
    out = [] if requests else ["embed-number: no requests"]
    if len(requests) > EMBED_MAX:
        out.append(f"embed-number: {len(requests)} requests")
    out += [f"embed-model: requests[{i}] has no model" for i, r in enumerate(requests) if not r.get("model")]
    return out
