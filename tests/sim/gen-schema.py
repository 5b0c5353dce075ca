#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes sim-schema-table.c: the request messages of the Gemini API as tables.

    gen-schema.py OPENAPI.json > sim-schema-table.c

OPENAPI.json is Google's v1beta discovery document in the form of an OpenAPI 3 file. PATCH holds what the API takes
and that document (2026-08-23) lacks. Run it again when a newer document is at hand; the build never does."""
import json
import re
import sys

ROOTS = ["GenerateContentRequest", "CountTokensRequest", "EmbedContentRequest", "BatchEmbedContentsRequest"]
STRING, ANY = {"type": "string"}, {}
BYTES = {"type": "string", "format": "byte"}
PATCH = {
    "GenerateContentRequest": {"continuationToken": BYTES,
                               "labels": {"type": "object", "additionalProperties": STRING}},
    "Part": {"speechMetadata": ANY, "documentMetadata": ANY, "spreadsheetMetadata": ANY, "audioMetadata": ANY,
             "audioTranscription": ANY},
    "FunctionResponsePart": {"fileData": {"$ref": "#/components/schemas/FileData"}},
}
ENUM_PATCH = {("ThinkingConfig", "thinkingLevel"): ["XHIGH"],
              ("SafetySetting", "category"): ["HARM_CATEGORY_JAILBREAK"],
              ("ToolCall", "toolType"): ["MEDIA_PROCESSING"],
              ("ToolResponse", "toolType"): ["MEDIA_PROCESSING"]}
# The members of one `oneof`: at most one of them may be set.
UNION = {"Part": {"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode",
                  "codeExecutionResult", "toolCall", "toolResponse"}}

schemas = json.load(open(sys.argv[1]))["components"]["schemas"]
for name, fields in PATCH.items():
    schemas[name]["properties"].update(fields)
for (name, field), values in ENUM_PATCH.items():
    enum = schemas[name]["properties"][field]["enum"]
    enum.extend(v for v in values if v not in enum)


def resolve(s):
    """The schema itself, or the name of the message that it refers to."""
    if len(s.get("allOf", [])) == 1:
        s = s["allOf"][0]
    return s["$ref"].split("/")[-1] if "$ref" in s else s


def kind(s, owner, field):
    """(kind, name of a message or an enum)"""
    s = resolve(s)
    if isinstance(s, str):
        return "MESSAGE", s
    if "enum" in s:
        return "ENUM", enum_name(owner, field, s["enum"])
    if s.get("type") == "object":
        more = s.get("additionalProperties")
        more = resolve(more) if isinstance(more, dict) else more
        if isinstance(more, str):
            return "MAP", more
        return ("STRING_MAP" if isinstance(more, dict) and more.get("type") == "string" else "STRUCT"), None
    if s.get("format") == "byte":
        return "BYTES", None
    return {None: "ANY", "boolean": "BOOL", "string": "STRING", "number": "NUMBER", "integer": "INT"}[s.get("type")] \
        if s.get("format") not in ("int64", "uint64") else "INT64", None


enums = {}


def enum_name(owner, field, values):
    name = owner + field[0].upper() + field[1:]
    enums[name] = values
    return name


messages, queue = {}, list(ROOTS)
while queue:
    name = queue.pop(0)
    if name in messages:
        continue
    rows = messages[name] = []
    for field, s in sorted(schemas[name].get("properties", {}).items()):
        t = resolve(s)
        repeated = isinstance(t, dict) and t.get("type") == "array"
        k, ref = kind(t["items"] if repeated else s, name, field)
        rows.append((field, k, ref, repeated, field in UNION.get(name, ())))
        if k in ("MESSAGE", "MAP"):
            queue.append(ref)


def snake(name):
    return re.sub(r"([A-Z])", r"_\1", name).lower()


print('/* SPDX-License-Identifier: MIT */')
print('/* Written by gen-schema.py; do not edit. */\n#include "sim-schema-table.h"\n\n#define ROWS(fields) fields, ELEMENTSOF(fields)\n')
for name, values in sorted(enums.items()):
    line, lines = "       ", []
    for v in values + [None]:
        word = f' "{v}",' if v else " NULL,"
        if len(line) + len(word) > 105:
            lines.append(line)
            line = "       "
        line += word
    print(f"static const char *const {snake(name).lstrip('_')}[] = {{\n" + "\n".join(lines + [line]) + "\n};")
print()
index = {name: i for i, name in enumerate(sorted(messages))}
for name in sorted(messages):
    if not messages[name]:
        continue
    print(f"static const SchemaField {snake(name).lstrip('_')}_fields[] = {{")
    for field, k, ref, repeated, union in messages[name]:
        extra = ", .repeated = true" if repeated else ""
        extra += ", .in_union = true" if union else ""
        if k in ("MESSAGE", "MAP"):
            extra += f", .message = {index[ref]} /* {ref} */"
        elif k == "ENUM":
            extra += f', .values = {snake(ref).lstrip("_")}'
        row = f'        {{ "{field}", "{snake(field)}", SCHEMA_{k}'
        broken = f",\n          {extra[2:]}" if extra and len(row + extra) > 105 else extra
        print(f"{row}{broken} }},")
    print("};")
print("\nconst SchemaMessage schema_messages[] = {")
for name in sorted(messages):
    rows = f"ROWS({snake(name).lstrip('_')}_fields)" if messages[name] else "NULL, 0"
    print(f'        {{ "{name}", {rows} }},')
print("};\nconst size_t n_schema_messages = ELEMENTSOF(schema_messages);")
