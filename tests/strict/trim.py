#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes gemini-schemas.json and openai-schemas.json: the vendors' descriptions, cut to what the checkers read; and
openai-fields.txt: the path of each member of OpenAI's requests, which tests/conformance must have a row for.

    trim.py GEMINI-OPENAPI.json OPENAI-OPENAPI.json

The first is Google's v1beta discovery document in the form of an OpenAPI 3 file, the second OpenAI's own. What the
two lack, or leave open, is in the tables here. Run it again when newer documents are at hand; the tests never do.
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
KEPT = {"type", "enum", "nullable", "required", "items", "properties", "additionalProperties", "anyOf", "oneOf",
        "allOf", "$ref"}

TEXT, WHOLE, FLAG, ANY = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {}


def members(**properties):
    return {"type": "object", "properties": properties}


def list_of(items):
    return {"type": "array", "items": items}


GEMINI_ROOTS = ["GenerateContentRequest", "CountTokensRequest", "EmbedContentRequest", "BatchEmbedContentsRequest",
                "GenerateContentResponse", "CountTokensResponse", "EmbedContentResponse",
                "BatchEmbedContentsResponse"]

# What the API takes and gives, and the document (2026-08-23) lacks; from Google's SDKs.
GEMINI_MORE = {
    "GenerateContentRequest": {"continuationToken": TEXT, "labels": {"type": "object", "additionalProperties": TEXT}},
    "Candidate": {"continuationToken": TEXT},
    "PromptFeedback": {"blockReasonMessage": TEXT},
    "GenerateContentResponse": {"createTime": TEXT},
    "UsageMetadata": {"trafficType": TEXT},
    "Part": {"speechMetadata": ANY, "documentMetadata": ANY, "spreadsheetMetadata": ANY, "audioMetadata": ANY,
             "audioTranscription": ANY},
    "FunctionResponsePart": {"fileData": {"$ref": "#/FileData"}},
}
GEMINI_ENUMS = {
    ("Candidate", "finishReason"): ["CONTINUATION", "PUP_LIMITED_DISABLED"],
    ("ThinkingConfig", "thinkingLevel"): ["XHIGH"],
    ("SafetySetting", "category"): ["HARM_CATEGORY_JAILBREAK"],
    ("ToolCall", "toolType"): ["MEDIA_PROCESSING"],
    ("ToolResponse", "toolType"): ["MEDIA_PROCESSING"],
}

REQUESTS = {"chat": "CreateChatCompletionRequest", "embeddings": "CreateEmbeddingRequest",
            "responses": "CreateResponse"}
# Requests that are not in the document at hand; their members, from OpenAI's reference.
MORE_FIELDS = {
    "completions": "best_of echo frequency_penalty logit_bias logprobs max_tokens model n presence_penalty prompt seed stop "
                   "stream stream_options stream_options.include_obfuscation stream_options.include_usage suffix "
                   "temperature top_p user",
    "images": "background model moderation n output_compression output_format partial_images prompt quality response_format "
              "size stream style user",
    "speech": "input instructions model response_format speed stream_format voice voice.id",
    "transcriptions": "chunking_strategy file include[] known_speaker_names[] known_speaker_references[] language model "
                      "prompt response_format stream temperature timestamp_granularities[]",
}
DEPTH = {"responses": 1}  # its items and tools have rows by their types instead
OPENAI_ROOTS = ["CreateChatCompletionResponse", "CreateChatCompletionStreamResponse", "ErrorResponse",
                "ListModelsResponse", "CreateEmbeddingResponse", "CreateCompletionResponse", "ImagesResponse",
                "CreateTranscriptionResponse", "Response", "ResponseStreamEvent"]

# Members that no client is hurt by, and that many ask for: the whole list of what a chat answer may hold beyond OpenAI's.
SIGNED = members(google=members(thought_signature=TEXT))
IMAGES = list_of(members(type={"type": "string", "enum": ["image_url"]}, index=WHOLE, image_url=members(url=TEXT)))
OPENAI_MORE = {
    "ChatCompletionResponseMessage": {"reasoning_content": TEXT, "images": IMAGES, "extra_content": SIGNED},
    "ChatCompletionStreamResponseDelta": {"reasoning_content": TEXT, "images": IMAGES, "extra_content": SIGNED,
                                          "audio": ANY},
    "CompletionUsage": {"initial_prompt_tokens": WHOLE},
    "ChatCompletionMessageToolCall": {"extra_content": SIGNED},
    "ChatCompletionMessageCustomToolCall": {"extra_content": SIGNED},
    "ChatCompletionMessageToolCallChunk": {"extra_content": SIGNED, "custom": members(name=TEXT, input=TEXT)},
    "CustomToolCall": {"status": TEXT},  # as the API has it
    "WebSearchTool": {"search_content_types": list_of(TEXT)},  # Codex sends it, and gets its tools back
}
# The codes that Codex acts on, and OpenAI's file lacks.
CODES = ["context_length_exceeded", "insufficient_quota"]


def required(**properties):
    return {**members(**properties), "required": sorted(properties)}


# What OpenAI's file lacks; from the reference and from the types of its SDKs.
ENDS = {"type": "string", "enum": ["stop", "length", "content_filter"]}
NULL = {"type": "null"}
COMPLETION = required(text=TEXT, index=WHOLE, logprobs=NULL, finish_reason={"anyOf": [ENDS, NULL]})
COMPLETION["properties"]["native_finish_reason"] = TEXT
KINDS = required(text_tokens=WHOLE, image_tokens=WHOLE)
IMAGE = members(b64_json=TEXT, url=TEXT)
IMAGE_USAGE = required(input_tokens=WHOLE, output_tokens=WHOLE, total_tokens=WHOLE, input_tokens_details=KINDS)
IMAGE_USAGE["properties"]["output_tokens_details"] = KINDS
SOUND_USAGE = required(type={"type": "string", "enum": ["tokens"]}, input_tokens=WHOLE, output_tokens=WHOLE,
                       total_tokens=WHOLE)
SOUND_USAGE["properties"]["input_token_details"] = required(text_tokens=WHOLE, audio_tokens=WHOLE)
OPENAI_OWN = {
    "CreateCompletionResponse": required(
        id=TEXT, object={"type": "string", "enum": ["text_completion"]}, created=WHOLE, model=TEXT,
        choices=list_of(COMPLETION), usage={"anyOf": [{"$ref": "#/CompletionUsage"}, NULL]}),
    "ImagesResponse": required(
        created=WHOLE, data=list_of(IMAGE), output_format={"type": "string", "enum": ["png", "jpeg", "webp"]},
        usage=IMAGE_USAGE),
    "CreateTranscriptionResponse": required(text=TEXT, usage=SOUND_USAGE),
}
CHOICES = {"CreateChatCompletionResponse": {"native_finish_reason": TEXT},
           "CreateChatCompletionStreamResponse": {"native_finish_reason": TEXT}}


def cut(schema):
    """A schema without descriptions, examples and formats; `properties` holds names, which all stay."""
    if isinstance(schema, bool):
        return schema
    out = {}
    for key in sorted(schema.keys() & KEPT):
        value = schema[key]
        if key == "properties":
            value = {name: cut(s) for name, s in sorted(value.items())}
        elif key in ("anyOf", "oneOf", "allOf"):
            value = [cut(s) for s in value]
        elif key in ("items", "additionalProperties"):
            value = cut(value)
        elif key == "$ref":
            value = "#/" + value.split("/")[-1]
        out[key] = value
    if schema.get("format") in ("int64", "uint64"):
        out["type"] = ["integer", "string"]  # proto3 JSON
    if "const" in schema:
        out["enum"] = [schema["const"]]
    return out


def named(schema):
    """The names that this schema refers to."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].removeprefix("#/")
        for value in schema.values():
            yield from named(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from named(value)


def reachable(schemas, roots):
    found, queue = {}, list(roots)
    while queue:
        name = queue.pop()
        if name not in found:
            found[name] = schemas[name]
            queue.extend(named(schemas[name]))
    return found


def write(name, schemas):
    lines = ",\n".join(f"{json.dumps(n)}: {json.dumps(s, sort_keys=True)}" for n, s in sorted(schemas.items()))
    (HERE / f"{name}-schemas.json").write_text("{\n" + lines + "\n}\n")


def load(path):
    return {name: cut(s) for name, s in json.load(open(path))["components"]["schemas"].items()}


def gemini(path):
    schemas = load(path)
    for name, more in GEMINI_MORE.items():
        schemas[name]["properties"].update(more)
    for (name, field), values in GEMINI_ENUMS.items():
        known = schemas[name]["properties"][field]["enum"]
        known.extend(v for v in values if v not in known)
    write("gemini", reachable(schemas, GEMINI_ROOTS))


def paths(schemas, schema, at, above=()):
    """The path of each member of a schema."""
    name = schema.get("$ref", "").removeprefix("#/")
    if name in above:
        return
    if name:
        yield from paths(schemas, schemas[name], at, above + (name,))
    for alternatives in ("anyOf", "oneOf", "allOf"):
        for s in schema.get(alternatives, []):
            yield from paths(schemas, s, at, above)
    for member, s in schema.get("properties", {}).items():
        path = f"{at}.{member}"
        yield path
        yield from paths(schemas, s, path, above)
    if "items" in schema:
        yield from paths(schemas, schema["items"], at + "[]", above)


def write_fields(schemas):
    lines = [p for at, root in REQUESTS.items() for p in sorted(set(paths(schemas, schemas[root], at)))
             if p.count(".") <= DEPTH.get(at, 99)]
    lines += [f"{at}.{name}" for at, names in MORE_FIELDS.items() for name in names.split()]
    (HERE / "openai-fields.txt").write_text("\n".join(lines) + "\n")


def joined(schemas, schema):
    """The parts of an allOf as one object: a strict reader would miss the members of the others in each."""
    out = {"type": "object", "properties": {}, "required": []}
    for part in schema.get("allOf", [schema]):
        while "$ref" in part:
            part = schemas[part["$ref"].removeprefix("#/")]
        if "allOf" in part:
            part = joined(schemas, part)
        out["properties"].update(part.get("properties", {}))
        out["required"] += part.get("required", [])
    return out


def openai(path):
    schemas = load(path)
    write_fields(schemas)
    for name, more in OPENAI_MORE.items():
        for member, s in more.items():
            schemas[name]["properties"].setdefault(member, s)
    for name, more in CHOICES.items():
        schemas[name]["properties"]["choices"]["items"]["properties"].update(more)
    schemas["ResponseErrorCode"]["enum"].extend(CODES)
    probs = schemas["ResponseLogProb"]["properties"]  # those of an item have the bytes, too
    probs["bytes"] = probs["top_logprobs"]["items"]["properties"]["bytes"] = list_of(WHOLE)
    schemas["Response"] = joined(schemas, schemas["Response"])
    schemas["Response"]["properties"]["store"] = FLAG  # as the API has it
    # Of a stream OpenAI's file knows neither the citations nor the custom tools that its SDKs read.
    delta, message = schemas["ChatCompletionStreamResponseDelta"], schemas["ChatCompletionResponseMessage"]
    delta["properties"]["annotations"] = message["properties"]["annotations"]
    schemas["ChatCompletionMessageToolCallChunk"]["properties"]["type"]["enum"].append("custom")
    schemas.update(OPENAI_OWN)
    write("openai", reachable(schemas, OPENAI_ROOTS))


if __name__ == "__main__":
    gemini(sys.argv[1])
    openai(sys.argv[2])
