#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What becomes of each member of OpenAI's and Anthropic's requests, and of Gemini's answers: a row for each, with a probe.

test_conformance.py sends each probe through gemgated and holds it to its row; docs/CONFORMANCE.md is written from the same
rows, so neither can differ from what gemgated does:

    tests/e2e/conformance.py          writes docs/CONFORMANCE.md
    tests/e2e/conformance.py --check  fails if it is not up to date
"""
import itertools
import json
import sys
from pathlib import Path

import conformance_google
import conformance_paths
import conformance_responses
from conformance_messages import BASES, EVENTS, MESSAGES
from conformance_rows import ABSENT, CONFIG, DECLARED, MODE, MODEL, OLD, OLDEST, PART, PNG, STREAM, answered, gemini, ignored, refused, to

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/CONFORMANCE.md"
FIELDS = [ROOT / "tests/strict/openai-fields.txt", ROOT / "tests/strict/anthropic-fields.txt"]

IMAGE, SPEECH = "gemini-3.1-flash-image", "gemini-2.5-flash-preview-tts"
EMBEDDER = "gemini-embedding-2"
HI = {"role": "user", "content": "Hi"}
BASE = {
    "chat": {"model": MODEL, "messages": [HI]},
    "embeddings": {"model": EMBEDDER, "input": "Hi"},
    "completions": {"model": MODEL, "prompt": "Hi"},
    "images": {"model": IMAGE, "prompt": "A dog"},
    "speech": {"model": SPEECH, "input": "Hi", "voice": "nova"},
    **BASES, **conformance_responses.BASES,
    "transcriptions": {"model": MODEL, "file": ["a.wav", "audio/wav", "RIFF$\0\0\0WAVE"]},
}
PATHS = {
    "chat": "/v1/chat/completions", "embeddings": "/v1/embeddings", "completions": "/v1/completions",
    "images": "/v1/images/generations", "speech": "/v1/audio/speech", "transcriptions": "/v1/audio/transcriptions",
    "responses": "/v1/responses", "responses-answers": "/v1/responses",
    "messages": "/v1/messages", "messages-answers": "/v1/messages",
}
FORMS = {"transcriptions"}  # their members are the fields of a form: a text, or a file's name, type and contents

def user(*parts):
    return {"messages": [{"role": "user", "content": list(parts)}]}


def text(t):
    return {"type": "text", "text": t}


def tools(*declared, **more):
    return {"tools": list(declared), **more}


def function(name, **more):
    return {"type": "function", "function": {"name": name, **more}}


def called(*calls, **more):
    """A conversation with these calls, each of them answered, and the assistant's members."""
    results = [{"role": "tool", "tool_call_id": c["id"], "content": "sunny"} for c in calls]
    return {"messages": [HI, {"role": "assistant", "content": None, "tool_calls": list(calls), **more}, *results]}


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
F = function("f", parameters=SCHEMA)
G = function("g", parameters=SCHEMA)
CALL = {"id": "call-1", "type": "function", "function": {"name": "f", "arguments": '{"city":"Rome"}'}}
CUSTOM = {"id": "call-1", "type": "custom", "custom": {"name": "c", "input": "a text"}}
SYNTAX = {"syntax": "regex", "definition": "^a+$"}

SPOKEN = {"model": SPEECH, "modalities": ["audio"], "audio": {"voice": "alloy", "format": "wav"}}


SOUND = gemini({"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AAABAAIA"}})

CHAT = [
    to("model", "the model of the path; `models/` and `google/` before it are dropped", {"model": "google/" + OLD}, {"(path)": f"/v1beta/models/{OLD}:generateContent"}),
    refused("model", {"model": 7}, "model must be a string", "model"),
    refused("model", {"model": "a b"}, "model must be the name of a model", "model"),
    to("stream", "the method of the path", STREAM, {"(path)": f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"}),
    refused("stream", {"stream": "yes"}, "stream must be a boolean", "stream"),
    answered("stream_options.include_usage", "a last chunk with the usage", "text Hi", {"-1.choices": [], "-1.usage.prompt_tokens": 1}, **STREAM, stream_options={"include_usage": True}),
    ignored("stream_options", "alone it asks for nothing", {"stream_options": {}}),
    refused("stream_options", {"stream_options": []}, "stream_options must be an object", "stream_options"),
    refused("stream_options.include_usage", {"stream_options": {"include_usage": 1}}, "stream_options.include_usage must be a boolean", "stream_options.include_usage"),
    ignored("stream_options.include_obfuscation", "chunks are not padded", {"stream_options": {"include_obfuscation": True}}),
    # --- numbers ---
    to("temperature", "the same, for models that sample", {"model": OLD, "temperature": 0.5}, {CONFIG + "temperature": 0.5}),
    ignored("temperature", "the model ignores it or refuses it", {"temperature": 0.5}),
    refused("temperature", {"temperature": 9}, "temperature must be between 0 and 2", "temperature"),
    to("top_p", "the same, for models that sample", {"model": OLD, "top_p": 0.9}, {CONFIG + "topP": 0.9}),
    ignored("top_p", "the model ignores it or refuses it", {"top_p": 0.9}),
    refused("top_p", {"top_p": 2}, "top_p must be between 0 and 1", "top_p"),
    to("n", "several candidates, for models that have them", {"n": 2}, {CONFIG + "candidateCount": 2}),
    refused("n", {"n": 2, "model": "gemini-4-flash"}, "n must be 1 with this model", "n"),
    refused("n", {"n": 9}, "n must be between 1 and 8", "n"),
    to("max_completion_tokens", "the same, before `max_tokens`", {"max_completion_tokens": 9, "max_tokens": 7}, {CONFIG + "maxOutputTokens": 9}),
    ignored("max_completion_tokens", "-1 and 0 are no limit", {"max_completion_tokens": -1}),
    refused("max_completion_tokens", {"max_completion_tokens": "9"}, "max_completion_tokens must be an integer", "max_completion_tokens"),
    to("max_tokens", "the same", {"max_tokens": 9}, {CONFIG + "maxOutputTokens": 9}),
    ignored("max_tokens", "-1 and 0 are no limit", {"max_tokens": -1}),
    refused("max_tokens", {"max_tokens": 1.5}, "max_tokens must be an integer", "max_tokens"),
    to("seed", "folded to 32 bits", {"seed": 4294967297}, {CONFIG + "seed": 0}),
    refused("seed", {"seed": "7"}, "seed must be an integer", "seed"),
    ignored("frequency_penalty", "models from Gemini 2.5 on refuse it", {"frequency_penalty": 0.5}),
    to("frequency_penalty", "the same, for models that have it", {"model": OLDEST, "frequency_penalty": 0.5}, {CONFIG + "frequencyPenalty": 0.5}),
    refused("frequency_penalty", {"frequency_penalty": 3}, "frequency_penalty must be between -2 and 2", "frequency_penalty"),
    ignored("presence_penalty", "models from Gemini 2.5 on refuse it", {"presence_penalty": 0.5}),
    to("presence_penalty", "the same, for models that have it", {"model": OLDEST, "presence_penalty": 0.5}, {CONFIG + "presencePenalty": 0.5}),
    refused("presence_penalty", {"presence_penalty": -3}, "presence_penalty must be between -2 and 2", "presence_penalty"),
    to("logprobs", "the same", {"logprobs": True}, {CONFIG + "responseLogprobs": True}),
    refused("logprobs", {"logprobs": 2}, "logprobs must be a boolean", "logprobs"),
    to("top_logprobs", "the same", {"logprobs": True, "top_logprobs": 3}, {CONFIG + "logprobs": 3}),
    refused("top_logprobs", {"top_logprobs": 21}, "top_logprobs must be between 0 and 20", "top_logprobs"),
    to("stop", "a list of at most five; the log has a `LOSS` for more", {"stop": list("abcdef")}, {CONFIG + "stopSequences": list("abcde")}),
    to("stop", "a string is a list of one", {"stop": "END"}, {CONFIG + "stopSequences": ["END"]}),
    refused("stop", {"stop": [1]}, "stop must be a string or an array of strings", "stop"),
    to("reasoning_effort", "a level", {"reasoning_effort": "low"}, {CONFIG + "thinkingConfig.thinkingLevel": "LOW", CONFIG + "thinkingConfig.includeThoughts": True}),
    to("reasoning_effort", "a budget, for models before Gemini 3", {"model": OLD, "reasoning_effort": "none"}, {CONFIG + "thinkingConfig.thinkingBudget": 0}),
    refused("reasoning_effort", {"reasoning_effort": "much"}, "reasoning_effort must be one of none, minimal, low, medium, high, xhigh, max", "reasoning_effort"),
    # --- tools ---
    to("tools", "declarations of functions", tools(F, G), {DECLARED + "name": "f", "tools.0.functionDeclarations.1.name": "g"}),
    refused("tools", {"tools": {}}, "tools must be an array", "tools"),
    refused("tools[].type", tools({"type": "riddle"}), "tools[0].type must be function or custom", "tools[0].type"),
    to("tools[].type", "`function`, `custom`; without it, what the other members say", tools({"function": F["function"]}), {DECLARED + "name": "f"}),
    to("tools[].function", "a declaration", tools(F), {DECLARED + "name": "f"}),
    to("tools[].function.name", "the same, if Gemini takes it; else a name made of it, which the client never sees", tools(function("a/b")), {DECLARED + "name": "(a name)"}),
    refused("tools[].function.name", tools(function("")), "tools[0].function.name must not be empty", "tools[0].function.name"),
    to("tools[].function.description", "the same", tools(function("f", description="Weather.")), {DECLARED + "description": "Weather."}),
    refused("tools[].function.description", tools(function("f", description=1)), "tools[0].function.description must be a string", "tools[0].function.description"),
    to("tools[].function.parameters", "parametersJsonSchema, in what Gemini has of JSON Schema", tools(F), {DECLARED + "parametersJsonSchema": SCHEMA}),
    refused("tools[].function.parameters", tools(function("f", parameters={"type": "array"})), "tools[0].function.parameters must be a JSON Schema of an object", "tools[0].function.parameters"),
    to("tools[].function.strict", "the mode VALIDATED", tools(function("f", parameters=SCHEMA, strict=True)), {MODE + "mode": "VALIDATED"}),
    refused("tools[].function.strict", tools(function("f", strict="yes")), "tools[0].function.strict must be a boolean", "tools[0].function.strict"),
    to("tools[].custom", "a function with one text", tools({"type": "custom", "custom": {"name": "c"}}), {DECLARED + "name": "c", DECLARED + "parametersJsonSchema.required": ["input"]}),
    to("tools[].custom.name", "the same, as of a function", tools({"type": "custom", "custom": {"name": "c"}}), {DECLARED + "name": "c"}),
    to("tools[].custom.description", "the same", tools({"type": "custom", "custom": {"name": "c", "description": "Any."}}), {DECLARED + "description": "Any."}),
    *(
        to(f"tools[].custom.format{m}", "in the description", tools({"type": "custom", "custom": {"name": "c", "format": {"type": "grammar", "grammar": SYNTAX}}}), {DECLARED + "description": "(holds) ^a+$"})
        for m in ("", ".type", ".grammar", ".grammar.syntax", ".grammar.definition")
    ),
    to("functions", "declarations, as of `tools`", {"functions": [F["function"]]}, {DECLARED + "name": "f"}),
    to("functions[].name", "the same", {"functions": [F["function"]]}, {DECLARED + "name": "f"}),
    to("functions[].description", "the same", {"functions": [{"name": "f", "description": "Weather."}]}, {DECLARED + "description": "Weather."}),
    to("functions[].parameters", "parametersJsonSchema", {"functions": [F["function"]]}, {DECLARED + "parametersJsonSchema": SCHEMA}),
    refused("functions", {"functions": [7]}, "functions[0] must be an object", "functions[0]"),
    to("tool_choice", "`none`: the mode NONE", tools(F, tool_choice="none"), {MODE + "mode": "NONE"}),
    to("tool_choice", "`auto`: no mode", tools(F, tool_choice="auto"), {"toolConfig": ABSENT}),
    to("tool_choice", "`required`: the mode ANY", tools(F, tool_choice="required"), {MODE + "mode": "ANY"}),
    refused("tool_choice", tools(F, tool_choice="maybe"), "tool_choice must be none, auto, required, or an object", "tool_choice"),
    to("tool_choice.type", "`function`, `custom`, `allowed_tools`", tools(F, G, tool_choice={"type": "function", "function": {"name": "g"}}), {MODE + "mode": "ANY", MODE + "allowedFunctionNames": ["g"]}),
    refused("tool_choice.type", tools(F, tool_choice={"type": "riddle"}), "tool_choice.type must be function, custom or allowed_tools", "tool_choice.type"),
    *(to(f"tool_choice.function{m}", "the one that must be called", tools(F, G, tool_choice={"type": "function", "function": {"name": "g"}}), {MODE + "mode": "ANY", MODE + "allowedFunctionNames": ["g"]}) for m in ("", ".name")),
    refused("tool_choice.function.name", tools(F, tool_choice={"type": "function", "function": {"name": "h"}}), "tool_choice must name a function of tools", "tool_choice"),
    *(to(f"tool_choice.custom{m}", "the one that must be called", tools({"type": "custom", "custom": {"name": "c"}}, tool_choice={"type": "custom", "custom": {"name": "c"}}), {MODE + "allowedFunctionNames": ["c"]}) for m in ("", ".name")),
    *(to(f"tool_choice.allowed_tools{m}", "those that may be called, or must", tools(F, G, tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}}), {MODE + "mode": "ANY", MODE + "allowedFunctionNames": ["f"]}) for m in ("", ".mode", ".tools")),
    refused("tool_choice.allowed_tools.mode", tools(F, tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "never", "tools": []}}), "tool_choice.allowed_tools.mode must be auto or required", "tool_choice.allowed_tools.mode"),
    to("function_call", "as `tool_choice`", {"functions": [F["function"]], "function_call": "none"}, {MODE + "mode": "NONE"}),
    to("function_call.name", "the one that must be called", {"functions": [F["function"]], "function_call": {"name": "f"}}, {MODE + "allowedFunctionNames": ["f"]}),
    refused("function_call", {"functions": [F["function"]], "function_call": "maybe"}, "function_call must be none, auto, or an object", "function_call"),
    answered("parallel_tool_calls", "`false`: only the first call is passed on", "call f {} call f {}", {"choices.0.message.tool_calls.1": ABSENT, "choices.0.message.tool_calls.0.function.name": "f"}, tools=[F], parallel_tool_calls=False),
    refused("parallel_tool_calls", {"parallel_tool_calls": 0}, "parallel_tool_calls must be a boolean", "parallel_tool_calls"),
    to("web_search_options", "Google Search", {"web_search_options": {}}, {"tools.0.googleSearch": {}}),
    *(ignored(f"web_search_options.{m}", "Google Search has no setting for it", {"web_search_options": {m.split(".")[0]: v}}, {"web_search_options": {}}) for m, v in (("search_context_size", "low"), ("user_location", {"type": "approximate", "approximate": {"city": "Rome"}}))),
    # --- the form of the answer ---
    to("response_format.type", "`json_object`: JSON", {"response_format": {"type": "json_object"}}, {CONFIG + "responseMimeType": "application/json"}),
    ignored("response_format", "`text` is what there is without it", {"response_format": {"type": "text"}}),
    refused("response_format.type", {"response_format": {"type": "xml"}}, "response_format.type must be text, json_object or json_schema", "response_format.type"),
    *(to(f"response_format.json_schema{m}", "responseJsonSchema", {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}}, {CONFIG + "responseJsonSchema": SCHEMA, CONFIG + "responseMimeType": "application/json"}) for m in ("", ".schema")),
    to("response_format.json_schema.schema", "a function whose arguments are the answer, where a model has no JSON beside functions", {"model": OLD, "tools": [F], "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}}, {"tools.0.functionDeclarations.1.name": "answer_in_json", MODE + "mode": "ANY"}),
    refused("response_format.json_schema.schema", {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": 7}}}, "response_format.json_schema.schema must be a JSON Schema", "response_format.json_schema.schema"),
    *(ignored(f"response_format.json_schema.{m}", why, {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA, m: v}}}, {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}}) for m, v, why in (("name", "n", "Gemini's schema has no name"), ("description", "d", "Gemini's schema has the description inside"), ("strict", True, "Gemini always keeps to a schema"))),
    to("modalities", "responseModalities, of what the model has", {"model": IMAGE, "modalities": ["text", "image"]}, {CONFIG + "responseModalities": ["TEXT", "IMAGE"]}),
    refused("modalities", {"modalities": ["smell"]}, "modalities must be text, image or audio, or several of them", "modalities"),
    refused("modalities", {"modalities": ["audio"]}, f"modalities: the model {MODEL} has no answer of this kind", "modalities"),
    *(to(f"audio{m}", "the voice: a similar one of Gemini's, or the same name", {"model": SPEECH, "modalities": ["audio"], "audio": {"voice": "alloy" if m != ".voice.id" else {"id": "alloy"}, "format": "wav"}}, {CONFIG + "speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName": "Kore"}) for m in ("", ".voice", ".voice.id")),
    answered("audio.format", "`wav` or `pcm16`, for models that speak: the form of the sound", SOUND, {"choices.0.message.audio.data": "UklGR(and more)"}, **SPOKEN),
    refused("audio.format", SPOKEN | {"audio": {"voice": "alloy", "format": "mp3"}}, "audio.format must be wav or pcm16", "audio.format"),
    ignored("audio.format", "the model does not speak", {"audio": {"voice": "alloy", "format": "wav"}}),
    refused("audio.format", {"audio": {"voice": "alloy", "format": "midi"}}, "audio.format must be wav, mp3, flac, opus, aac or pcm16", "audio.format"),
    # --- the rest ---
    to("service_tier", "`flex` and `priority`; others by the table in HTTP.md", {"service_tier": "flex"}, {"serviceTier": "flex"}),
    ignored("service_tier", "`auto` and `default` are what there is without it", {"service_tier": "auto"}),
    to("store", "`false`: Google keeps nothing", {"store": False}, {"store": False}),
    refused("store", {"store": "no"}, "store must be a boolean", "store"),
    *(ignored(m, "the name of the conversation, which keeps its project; Gemini gets none", {m: "abc"}) for m in ("prompt_cache_key", "user")),
    *(
        row
        for m, v, types, why in (
            ("safety_identifier", "x", "a string", "Gemini has no such mark"),
            ("metadata", {"a": "b"}, "an object", "Gemini keeps none"),
            ("prompt_cache_retention", "24h", "a string", "Gemini's own cache has no setting"),
            ("prompt_cache_options", {"mode": "explicit"}, "an object", "Gemini's own cache has no setting"),
            ("prediction", {"type": "content", "content": "x"}, "an object", "it only saves time at OpenAI's"),
            ("moderation", {"model": "m"}, "an object", "Gemini has its own safety settings"),
            ("verbosity", "low", "a string", "a preference that Gemini does not have"),
            ("logit_bias", {"50256": -100}, "an object", "its keys are OpenAI's tokens"),
        )
        for row in (ignored(m, why, {m: v}), refused(m, {m: 7}, f"{m} must be {types}", m))
    ),
    # --- messages ---
    to("messages", "contents", {}, {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
    refused("messages", {"messages": []}, "messages must not be empty", "messages"),
    to("messages[].role", "`system`, `developer`: the instructions; `user`, `assistant`: contents", {"messages": [{"role": "developer", "content": "Be brief."}, HI, {"role": "assistant", "content": "Yes?"}, HI]}, {"systemInstruction.parts": [{"text": "Be brief."}], "contents.1.role": "model"}),
    refused("messages[].role", {"messages": [{"role": "robot"}]}, "messages[0].role must be one of system, developer, user, assistant, tool, function", "messages[0].role"),
    to("messages[].content", "a text, parts, or nothing, in every role", user(text("a"), text("b")), {"contents.0.parts": [{"text": "a"}, {"text": "b"}]}),
    refused("messages[].content", {"messages": [{"role": "user", "content": 7}]}, "messages[0].content must be a string or an array", "messages[0].content"),
    to("messages[].content[].type", "see the rows of each", user(text("a")), {PART + "text": "a"}),
    refused("messages[].content[].type", user({"type": "smell"}), "messages[0].content[0].type must be text, image_url, input_audio, file or refusal", "messages[0].content[0].type"),
    to("messages[].content[].text", "a text", user(text("a")), {PART + "text": "a"}),
    refused("messages[].content[].text", user({"type": "text", "text": 1}), "messages[0].content[0].text must be a string", "messages[0].content[0].text"),
    *(to(f"messages[].content[].image_url{m}", "`data:`: inlineData", user({"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG}}), {PART + "inlineData": {"mimeType": "image/png", "data": PNG}}) for m in ("", ".url")),
    to("messages[].content[].image_url.url", "`https:`: fileData, which Google reads", user({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}), {PART + "fileData": {"mimeType": "image/png", "fileUri": "https://example.org/a.png"}}),
    refused("messages[].content[].image_url.url", user({"type": "image_url", "image_url": {"url": "ftp://a/b"}}), "(begins) messages[0].content[0].image_url.url must be", "messages[0].content[0].image_url.url"),
    ignored("messages[].content[].image_url.detail", "not all of Gemini's models have a resolution for each image", user({"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG, "detail": "low"}}), user({"type": "image_url", "image_url": {"url": "data:image/png;base64," + PNG}})),
    *(to(f"messages[].content[].input_audio{m}", "inlineData", user({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}), {PART + "inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}}) for m in ("", ".data", ".format")),
    refused("messages[].content[].input_audio.format", user({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "midi"}}), "messages[0].content[0].input_audio.format must be wav, mp3 or another format of sound", "messages[0].content[0].input_audio.format"),
    *(to(f"messages[].content[].file{m}", "inlineData", user({"type": "file", "file": {"file_data": "data:text/csv;base64,YSxi"}}), {PART + "inlineData": {"mimeType": "text/csv", "data": "YSxi"}}) for m in ("", ".file_data")),
    to("messages[].content[].file.filename", "the type, where the data do not tell it", user({"type": "file", "file": {"file_data": "data:;base64,YSxi", "filename": "a.csv"}}), {PART + "inlineData": {"mimeType": "text/csv", "data": "YSxi"}}),
    refused("messages[].content[].file.file_id", user({"type": "file", "file": {"file_id": "a b"}}), "(begins) messages[0].content[0].file.file_id must be the name of a file that was uploaded through gemgate", "messages[0].content[0].file.file_id"),
    to("messages[].content[].file.file_id", "fileData; a file of this client, or an `https:` URL", user({"type": "file", "file": {"file_id": "https://example.org/a.pdf"}}), {PART + "fileData.fileUri": "https://example.org/a.pdf"}),
    ignored("messages[].content[].prompt_cache_breakpoint", "Gemini's own cache has no setting", user({**text("Hi"), "prompt_cache_breakpoint": {"mode": "explicit"}}), user(text("Hi"))),
    to("messages[].content[].refusal", "a text of the model", {"messages": [HI, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, HI]}, {"contents.1.parts": [{"text": "No."}]}),
    refused("messages[].content[].refusal", user({"type": "refusal", "refusal": "No."}), "messages[0].content[0].type must not be refusal: only an assistant has one", "messages[0].content[0].type"),
    to("messages[].refusal", "a text of the model", {"messages": [HI, {"role": "assistant", "refusal": "No."}, HI]}, {"contents.1.parts": [{"text": "No."}]}),
    ignored("messages[].name", "Gemini's contents have no names", {"messages": [{**HI, "name": "Ann"}]}),
    to("messages[].name", "of the role `function`: whose result it is", {"functions": [F["function"]], "messages": [HI, {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}, {"role": "function", "name": "f", "content": "sunny"}]}, {"contents.2.parts.0.functionResponse.name": "f"}),
    ignored("messages[].audio", "a sound that OpenAI has kept", {"messages": [HI, {"role": "assistant", "content": "a", "audio": {"id": "audio-1"}}, HI]}, {"messages": [HI, {"role": "assistant", "content": "a"}, HI]}),
    *(to(f"messages[].function_call{m}", "a functionCall", {"functions": [F["function"]], "messages": [HI, {"role": "assistant", "function_call": {"name": "f", "arguments": '{"city":"Rome"}'}}, {"role": "function", "name": "f", "content": "sunny"}]}, {"contents.1.parts.0.functionCall.name": "f", "contents.1.parts.0.functionCall.args": {"city": "Rome"}}) for m in ("", ".name", ".arguments")),
    to("messages[].tool_call_id", "finds the call whose result it is, in any order", {"tools": [F], **called(CALL)}, {"contents.2.parts.0.functionResponse.name": "f", "contents.2.parts.0.functionResponse.response": {"output": "sunny"}}),
    *(to(f"messages[].tool_calls{m}", "a functionCall, with its signature or a sentinel", {"tools": [F], **called(CALL)}, {"contents.1.parts.0.functionCall.name": "f", "contents.1.parts.0.functionCall.args": {"city": "Rome"}}) for m in ("", "[].type", "[].function", "[].function.name", "[].function.arguments")),
    to("messages[].tool_calls[].id", "the same, if Gemini takes it", {"tools": [F], **called(CALL)}, {"contents.1.parts.0.functionCall.id": "call-1"}),
    *(to(f"messages[].tool_calls[].custom{m}", "a functionCall with one text", {"tools": [{"type": "custom", "custom": {"name": "c"}}], **called(CUSTOM)}, {"contents.1.parts.0.functionCall.name": "c", "contents.1.parts.0.functionCall.args": {"input": "a text"}}) for m in ("", ".name", ".input")),
    refused("messages[].tool_calls", {"messages": [{"role": "assistant", "tool_calls": [7]}]}, "messages[0].tool_calls[0] must be an object", "messages[0].tool_calls[0]"),
    # --- beyond OpenAI ---
    to("google", "Google's own members", {"google": {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]}}, {"safetySettings.0.threshold": "BLOCK_NONE"}),
    to("extra_body.google", "the same", {"extra_body": {"google": {"thinking_config": {"thinking_level": "low"}}}}, {CONFIG + "thinkingConfig.thinkingLevel": "LOW"}),
    ignored("(any other)", "clients send members of other vendors", {"top_k": 40, "provider": {"order": []}}),
]

EMBEDDINGS = [
    to("model", "the model of the path, and of each request", {}, {"(path)": f"/v1beta/models/{EMBEDDER}:batchEmbedContents", "requests.0.model": f"models/{EMBEDDER}"}),
    to("input", "a request for each text", {"input": ["a", "b"]}, {"requests.0.content.parts.0.text": "a", "requests.1.content.parts.0.text": "b"}),
    refused("input", {"input": [1, 2]}, "input[0] must be a string: Gemini does not take tokens, only texts", "input[0]"),
    refused("input", {"input": [[1, 2]]}, "input[0] must be a string: Gemini does not take tokens, only texts", "input[0]"),
    refused("input", {"input": ""}, "input must not be an empty string", "input"),
    to("dimensions", "outputDimensionality; the vector's length is 1", {"dimensions": 64}, {"requests.0.outputDimensionality": 64}),
    refused("dimensions", {"dimensions": 0}, "(begins) dimensions must be between 1 and", "dimensions"),
    answered("encoding_format", "`base64`: little-endian floats of 32 bits", "default", {"data.0.embedding": "(text)"}, encoding_format="base64", dimensions=64),
    answered("encoding_format", "`float`: numbers", "default", {"data.0.embedding": "(list)"}, encoding_format="float", dimensions=64),
    refused("encoding_format", {"encoding_format": "hex"}, "encoding_format must be float or base64", "encoding_format"),
    ignored("user", "Gemini has no such mark", {"user": "x"}),
]

COMPLETIONS = [
    to("model", "the model of the path", {"model": OLD}, {"(path)": f"/v1beta/models/{OLD}:generateContent"}),
    refused("model", {"model": "a b"}, "model must be the name of a model", "model"),
    to("prompt", "the one message of the user; also in a list of one", {"prompt": ["Once"]}, {"contents": [{"role": "user", "parts": [{"text": "Once"}]}]}),
    refused("prompt", {"prompt": ["a", "b"]}, "prompt must be one text: send several in a request each", "prompt"),
    refused("prompt", {"prompt": [1, 2]}, "prompt must be a string: Gemini does not take tokens, only texts", "prompt"),
    ignored("best_of", "one answer is as good as the best of several", {"best_of": 3}),
    answered("echo", "the text begins with the prompt", 'text " there"', {"choices.0.text": "Hi there"}, echo=True),
    refused("echo", {"echo": 1}, "echo must be a boolean", "echo"),
    refused("suffix", {"suffix": "end"}, "suffix must be empty: Gemini does not fill in the middle of a text", "suffix"),
    ignored("suffix", "an empty one asks for nothing", {"suffix": ""}),
    refused("logprobs", {"logprobs": 3}, "logprobs must be null: only /v1/chat/completions has them", "logprobs"),
    ignored("logit_bias", "its keys are OpenAI's tokens", {"logit_bias": {"50256": -100}}),
    to("max_tokens", "the same; no limit without it, where OpenAI's is 16", {"max_tokens": 9}, {CONFIG + "maxOutputTokens": 9}),
    to("n", "several candidates, for models that have them", {"n": 2}, {CONFIG + "candidateCount": 2}),
    refused("n", {"n": 9}, "n must be between 1 and 8", "n"),
    to("temperature", "the same, for models that sample", {"model": OLD, "temperature": 0.5}, {CONFIG + "temperature": 0.5}),
    ignored("temperature", "the model ignores it or refuses it", {"temperature": 0.5}),
    to("top_p", "the same, for models that sample", {"model": OLD, "top_p": 0.9}, {CONFIG + "topP": 0.9}),
    to("frequency_penalty", "the same, for models that have it", {"model": OLDEST, "frequency_penalty": 0.5}, {CONFIG + "frequencyPenalty": 0.5}),
    ignored("frequency_penalty", "models from Gemini 2.5 on refuse it", {"frequency_penalty": 0.5}),
    to("presence_penalty", "the same, for models that have it", {"model": OLDEST, "presence_penalty": 0.5}, {CONFIG + "presencePenalty": 0.5}),
    ignored("presence_penalty", "models from Gemini 2.5 on refuse it", {"presence_penalty": 0.5}),
    to("seed", "folded to 32 bits", {"seed": 7}, {CONFIG + "seed": 7}),
    to("stop", "a list of at most five; the log has a `LOSS` for more", {"stop": "END"}, {CONFIG + "stopSequences": ["END"]}),
    to("stream", "the method of the path", STREAM, {"(path)": f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"}),
    answered("stream", "chunks with a `text`", 'text "a b" chunks=2', {"0.object": "text_completion", "0.choices.0.text": "a", "-1.choices.0.finish_reason": "stop"}, **STREAM),
    answered("stream_options.include_usage", "a last chunk with the usage", "text Hi", {"-1.choices": [], "-1.usage.prompt_tokens": 1}, **STREAM, stream_options={"include_usage": True}),
    ignored("stream_options", "alone it asks for nothing", {"stream_options": {}}),
    ignored("user", "the name of the conversation, which keeps its project; Gemini gets none", {"user": "x"}),
    to("google", "Google's own members, as in chat; so are `extra_body`, `reasoning_effort`, `service_tier`, `store`", {"google": {"thinking_config": {"thinking_level": "low"}}}, {CONFIG + "thinkingConfig.thinkingLevel": "LOW"}),
    ignored("(any other)", "a prompt is no conversation with tools", {"tools": [F], "messages": []}),
]

IMAGES = [
    to("model", "the model of the path, one that makes images", {}, {"(path)": f"/v1beta/models/{IMAGE}:generateContent", CONFIG + "responseModalities": ["IMAGE"]}),
    refused("model", {"model": MODEL}, f"model: {MODEL} makes no images: name a model of Gemini's that does, or an alias of one (MODEL_ALIASES)", "model"),
    to("prompt", "the user's text", {"prompt": "A cat"}, {PART + "text": "A cat"}),
    refused("prompt", {"prompt": ""}, "prompt must not be empty", "prompt"),
    answered("n", "a request for each image", "default", {"data.1.b64_json": "(text)", "data.2": ABSENT}, n=2),
    refused("n", {"n": 11}, "n must be between 1 and 10", "n"),
    to("size", "the nearest of Gemini's ratios", {"size": "1536x1024"}, {CONFIG + "imageConfig.aspectRatio": "3:2"}),
    to("size", "2K and 4K, for large ones", {"size": "2048x2048"}, {CONFIG + "imageConfig": {"aspectRatio": "1:1", "imageSize": "2K"}}),
    ignored("size", "`auto` is what there is without it", {"size": "auto"}),
    refused("size", {"size": "large"}, "(begins) size must be auto, or WIDTHxHEIGHT of at most", "size"),
    answered("response_format", "`b64_json`, which is the default", "default", {"data.0.b64_json": "(text)"}, response_format="b64_json"),
    answered("response_format", "`url`: a `data:` URL, since gemgate stores nothing", "default", {"data.0.url": "data:image/png;base64,(and more)"}, response_format="url"),
    refused("response_format", {"response_format": "file"}, "response_format must be b64_json or url", "response_format"),
    refused("background", {"background": "transparent"}, "background must not be transparent: Gemini's images are opaque", "background"),
    ignored("background", "images are opaque", {"background": "opaque"}),
    refused("stream", STREAM, "stream must be false: Gemini sends an image in one piece", "stream"),
    *(
        ignored(m, why, {m: v})
        for m, v, why in (
            ("quality", "high", "Gemini has no such setting"), ("style", "vivid", "Gemini has no such setting"), ("moderation", "low", "Gemini has its own safety settings"),
            ("output_format", "webp", "Gemini chooses it; `output_format` of the answer names it"), ("output_compression", 50, "Gemini has no such setting"),
            ("partial_images", 2, "an image comes in one piece"), ("user", "x", "Gemini has no such mark"),
        )
    ),
]

SAYS = CONFIG + "speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName"
SPEECHES = [
    to("model", "the model of the path, one that speaks", {}, {"(path)": f"/v1beta/models/{SPEECH}:generateContent", CONFIG + "responseModalities": ["AUDIO"]}),
    refused("model", {"model": MODEL}, f"model: {MODEL} does not speak: name a model of Gemini's that does, or an alias of one (MODEL_ALIASES)", "model"),
    to("input", "the user's text", {"input": "Good day"}, {PART + "text": "Good day"}),
    refused("input", {"input": ""}, "input must not be empty", "input"),
    to("voice", "a similar one of Gemini's, or the same name", {"voice": "alloy"}, {SAYS: "Kore"}),
    to("voice.id", "the same", {"voice": {"id": "Puck"}}, {SAYS: "Puck"}),
    refused("voice", {"voice": None}, "voice is required", "voice"),
    to("instructions", "before the text, which is marked then", {"instructions": "Whisper."}, {PART + "text": "Whisper.\n\n#### TRANSCRIPT\nHi"}),
    refused("instructions", {"instructions": 7}, "instructions must be a string", "instructions"),
    answered("response_format", "`wav`, which is the default: a file", "default", {"(type)": "audio/wav", "(body)": "RIFF(and more)"}, response_format="wav"),
    answered("response_format", "`pcm`: the samples alone", "default", {"(type)": "audio/pcm"}, response_format="pcm"),
    refused("response_format", {"response_format": "mp3"}, "response_format must be wav or pcm: Gemini sends samples, and gemgate encodes nothing", "response_format"),
    ignored("speed", "1 is what there is without it", {"speed": 1}),
    refused("speed", {"speed": 2}, "speed must be 1: Gemini has no such setting, but instructions can ask for it", "speed"),
    ignored("stream_format", "`audio` is what there is without it", {"stream_format": "audio"}),
    refused("stream_format", {"stream_format": "sse"}, "stream_format must be audio", "stream_format"),
]

TRANSCRIPTIONS = [
    to("file", "inlineData", {}, {"contents.0.parts.1.inlineData": {"mimeType": "audio/wav", "data": "UklGRiQAAABXQVZF"}}),
    refused("file", {"file": ["a.txt", "text/plain", "Hello"]}, "file must be sound of a known format, such as wav, mp3, flac or ogg", "file"),
    refused("file", {"file": None}, "file is required", "file"),
    to("model", "the model of the path", {"model": OLD}, {"(path)": f"/v1beta/models/{OLD}:generateContent"}),
    refused("model", {"model": None}, "model is required", "model"),
    to("language", "part of what Gemini is asked", {"language": "en"}, {PART + "text": "(holds) The language is: en"}),
    to("prompt", "part of what Gemini is asked", {"prompt": "gemgate"}, {PART + "text": "(holds) how words are spelled:\ngemgate"}),
    to("temperature", "the same, for models that sample", {"model": OLD, "temperature": "0.5"}, {CONFIG + "temperature": 0.5}),
    ignored("temperature", "the model ignores it or refuses it", {"temperature": "0.5"}),
    refused("temperature", {"temperature": "2"}, "temperature must be between 0 and 1", "temperature"),
    answered("response_format", "`json`, which is the default", "text Hello", {"text": "Hello", "usage.type": "tokens"}, response_format="json"),
    answered("response_format", "`text`", "text Hello", {"(type)": "text/plain; charset=utf-8", "(body)": "Hello\n"}, response_format="text"),
    refused("response_format", {"response_format": "srt"}, "response_format must be json or text: Gemini tells no times", "response_format"),
    ignored("stream", "`false` is what there is without it", {"stream": "false"}),
    refused("stream", {"stream": "true"}, "stream must be false: a transcript is sent in one piece", "stream"),
    *(
        ignored(m, why, {m: v})
        for m, v, why in (
            ("include[]", "logprobs", "Gemini has no probabilities of a transcript"), ("timestamp_granularities[]", "word", "Gemini tells no times"),
            ("chunking_strategy", "auto", "Gemini takes the sound whole"), ("known_speaker_names[]", "Ann", "Gemini is not asked who speaks"),
            ("known_speaker_references[]", "data:audio/wav;base64,AAAA", "Gemini is not asked who speaks"),
        )
    ),
]

SAID = gemini({"text": "Hello"})
MESSAGE = "choices.0.message."
CALLED = gemini({"functionCall": {"id": "c1", "name": "f", "args": {"city": "Rome"}}, "thoughtSignature": "c2ln"})
COUNTED = 'text Hello usage=7/5/15 thoughts=3 cached=2'
ANSWERS = [
    answered("candidates[].content.parts[].text", "`content`", SAID, {MESSAGE + "content": "Hello", MESSAGE + "role": "assistant"}),
    answered("candidates[].content.parts[].thought", "`reasoning_content`, if thoughts were asked for", gemini({"text": "Hm", "thought": True}, {"text": "Hello"}), {MESSAGE + "reasoning_content": "Hm", MESSAGE + "content": "Hello"}, reasoning_effort="high"),
    answered("candidates[].content.parts[].thought", "nothing, if they were not", gemini({"text": "Hm", "thought": True}, {"text": "Hello"}), {MESSAGE + "reasoning_content": ABSENT, MESSAGE + "content": "Hello"}),
    answered("candidates[].content.parts[].functionCall", "`tool_calls`; the reason is `tool_calls`", CALLED, {MESSAGE + "tool_calls.0.id": "c1", MESSAGE + "tool_calls.0.function": {"name": "f", "arguments": '{"city":"Rome"}'}, "choices.0.finish_reason": "tool_calls"}, tools=[F]),
    answered("candidates[].content.parts[].functionCall", "`function_call`, for a request with `functions`", CALLED, {MESSAGE + "function_call.name": "f", "choices.0.finish_reason": "function_call"}, functions=[F["function"]]),
    answered("candidates[].content.parts[].thoughtSignature", "`extra_content` of the call", CALLED, {MESSAGE + "tool_calls.0.extra_content.google.thought_signature": "c2ln"}, tools=[F]),
    answered("candidates[].content.parts[].inlineData", "`images`", gemini({"inlineData": {"mimeType": "image/png", "data": PNG}}), {MESSAGE + "images.0.image_url.url": "data:image/png;base64," + PNG}, model=IMAGE),
    answered("candidates[].content.parts[].inlineData", "`audio`, for sound", SOUND, {MESSAGE + "audio.data": "UklGR(and more)"}, **SPOKEN),
    answered("candidates[].content.parts[].executableCode", "`content`, in a fence", gemini({"executableCode": {"language": "PYTHON", "code": "print(1)"}}), {MESSAGE + "content": "(holds) print(1)"}),
    answered("candidates[].content.parts[].codeExecutionResult", "`content`, in a fence", gemini({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "42"}}), {MESSAGE + "content": "(holds) 42"}),
    answered("candidates[].groundingMetadata", "`annotations`, with offsets in characters", gemini({"text": "Ümlaut"}, groundingMetadata={"groundingChunks": [{"web": {"uri": "https://example.org", "title": "E"}}], "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 7, "text": "Ümlaut"}, "groundingChunkIndices": [0]}]}), {MESSAGE + "annotations.0.url_citation": {"url": "https://example.org", "title": "E", "start_index": 0, "end_index": 6}}),
    answered("candidates[].index", "`index`", "text Hello", {"choices.1.index": 1}, n=2),
    *(
        answered(f"candidates[].finishReason {reason}", f"`{finish}`", gemini({"text": "Hello"}, finish=reason), {"choices.0.finish_reason": finish, "choices.0.native_finish_reason": reason})
        for reason, finish in (
            ("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"), ("LANGUAGE", "content_filter"), ("BLOCKLIST", "content_filter"),
            ("PROHIBITED_CONTENT", "content_filter"), ("SPII", "content_filter"), ("IMAGE_SAFETY", "content_filter"), ("IMAGE_PROHIBITED_CONTENT", "content_filter"), ("IMAGE_RECITATION", "content_filter"), ("OTHER", "stop"),
        )
    ),
    answered("candidates[].finishReason CONTINUATION", "the rest is requested with `continuationToken`, and joined", 'text "Hello" hops=2', {MESSAGE + "content": "Hello", "choices.0.finish_reason": "stop"}, model="gemini-4-argon"),
    answered("usageMetadata.promptTokenCount of a later hop", "`usage.prompt_tokens` is the sum, `usage.initial_prompt_tokens` the first one's", 'text "Hello" hops=2 usage=7/5/12', {"usage.prompt_tokens": 14, "usage.initial_prompt_tokens": 7}, model="gemini-4-argon"),
    answered("promptFeedback.blockReason", "`content_filter`, with no text", "blocked SAFETY", {"choices.0.finish_reason": "content_filter", "choices.0.native_finish_reason": "SAFETY"}),
    answered("candidates[].logprobsResult", "`logprobs`", "text Hello", {"choices.0.logprobs.content.0.logprob": "(number)"}, logprobs=True),
    answered("usageMetadata.promptTokenCount", "`usage.prompt_tokens`", COUNTED, {"usage.prompt_tokens": 7}),
    answered("usageMetadata.candidatesTokenCount", "`usage.completion_tokens`, with the thoughts", COUNTED, {"usage.completion_tokens": 8}),
    answered("usageMetadata.totalTokenCount", "`usage.total_tokens`", COUNTED, {"usage.total_tokens": 15}),
    answered("usageMetadata.thoughtsTokenCount", "`usage.completion_tokens_details`", COUNTED, {"usage.completion_tokens_details.reasoning_tokens": 3}),
    answered("usageMetadata.cachedContentTokenCount", "`usage.prompt_tokens_details`", COUNTED, {"usage.prompt_tokens_details.cached_tokens": 2}),
    answered("modelVersion", "not passed on: `model` is the name that was asked for", SAID, {"model": MODEL}),
    answered("(a stream)", "the role first, the reason at the end", "text \"a b\" chunks=2", {"0.choices.0.delta.role": "assistant", "-1.choices.0.finish_reason": "stop"}, **STREAM),
    answered("(a stream of calls)", "the name first, the arguments after", CALLED, {"(some).choices.0.delta.tool_calls.0.function.name": "f", "(some).choices.0.delta.tool_calls.0.function.arguments": '{"city":"Rome"}', "-1.choices.0.finish_reason": "tool_calls"}, **STREAM, tools=[F]),
]
TABLES = (
    ("chat", CHAT), ("completions", COMPLETIONS), ("embeddings", EMBEDDINGS), ("images", IMAGES), ("speech", SPEECHES), ("transcriptions", TRANSCRIPTIONS),
    ("answers", ANSWERS), ("responses", conformance_responses.RESPONSES), ("responses-answers", conformance_responses.RESPONSE_ANSWERS),
    ("messages", MESSAGES), ("messages-answers", EVENTS),
)


def named():
    """(name of the test, endpoint, row) of all rows."""
    for table, rows in TABLES:
        endpoint, seen = table if table in PATHS else "chat", {}
        for row in rows:
            n = seen[row.field] = seen.get(row.field, 0) + 1
            yield f"{table}.{row.field}-{n}", endpoint, row


def missing():
    """The members of requests that have no row; that of an ignored one is for what is in it, too."""
    rows = {(table, row.field) for table, rows in TABLES for row in rows}
    whole = [f"{t}.{row.field}." for t, rows in TABLES for row in rows if row.kind == "ignored"]
    for path in (path for file in FIELDS for path in file.read_text().split()):
        if tuple(path.split(".", 1)) not in rows and not path.startswith(tuple(whole)):
            yield path


# --- the document ---

HEAD = """# Conformance

What becomes of each member of OpenAI's and Anthropic's requests, of Gemini's answers, and of each path. This page is written by `tests/e2e/conformance.py` from the
table that `tests/e2e/test_conformance.py` runs: each row was sent through gemgate to a simulated Gemini, and found so. A member is
*mapped* to something of Gemini's, knowingly *ignored*, or *refused* with a 400. The golden cases (`tests/golden`), more than 150 in each
direction, have the whole bodies. [HTTP.md](HTTP.md) explains the rules.

A long value ends with `…`. In the last column a path has a number for each place in a list (in a stream: the place of the event, -1 is the
last one), and what is in brackets is not literal: `(holds) x` is a text that has x in it, `(some)` is one of the events, `(absent)` is no
such member. Gemini's answers are in the language of the simulator's script (`tests/sim/README.md`).
"""
TITLES = {
    "chat": "Requests: POST /v1/chat/completions\n\nThe probe is put into a request for `{model}` with one message.",
    "embeddings": "Requests: POST /v1/embeddings",
    "completions": "Requests: POST /v1/completions\n\nWhat becomes of an answer is as in chat.",
    "images": "Requests: POST /v1/images/generations",
    "speech": "Requests: POST /v1/audio/speech\n\n`(type)` is the answer's Content-Type, `(body)` the answer.",
    "transcriptions": "Requests: POST /v1/audio/transcriptions\n\nA probe has fields of the form; a file has its name, its type and its contents. `/v1/audio/translations` is the same.",
    "answers": "Answers of chat\n\nWhat becomes of each member of Gemini's answer.",
    "responses": "Requests: POST /v1/responses\n\nThe probe is put into a request for `{model}` with the input `Hi`. What an item or a tool holds is in the rows of its type.",
    "responses-answers": "Answers of responses\n\nWhat becomes of each member of Gemini's answer.",
    "messages": "Requests: POST /v1/messages\n\nThe probe is put into a request for `{model}` with one message. The same holds for `/v1/messages/count_tokens`.",
    "messages-answers": "Answers of messages\n\nWhat becomes of each member of Gemini's answer, and where each event of the stream comes from.",
}
COLUMNS = dict.fromkeys(("answers", "responses-answers", "messages-answers"), "Gemini's answer | the client's")


def code(value, limit=110):
    t = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    t = t if len(t) <= limit else t[: limit - 1] + "…"
    return "`` " + t.replace("|", "\\|") + " ``" if "`" in t else "`" + t.replace("|", "\\|") + "`"


def result(row):
    if row.kind == "refused":
        return f"400: {row.expected[1].replace('(begins) ', '')}{' …' if '(begins)' in row.expected[1] else ''}"
    if row.kind == "ignored":
        return "nothing of it"
    return "<br>".join(code(f"{k}: {json.dumps(v, ensure_ascii=False)}") for k, v in row.expected.items())


def first(row):
    """The probe with the member of the row first, so that it is never what is cut off."""
    name = row.field.split(".")[0].split("[")[0]
    return dict(sorted(row.probe.items(), key=lambda item: item[0] != name))


def document():
    out = [HEAD]
    for table, rows in TABLES:
        out.append(f"\n## {TITLES[table].format(model=MODEL)}\n\n| member | is | how, or why | {COLUMNS.get(table, 'probe | upstream, or the answer')} |\n|---|---|---|---|---|\n")
        for field, group in itertools.groupby(rows if table in COLUMNS else sorted(rows, key=lambda r: r.field), lambda r: r.field):
            for row in group:
                kind = "mapped" if row.kind == "answered" else row.kind
                probe = row.script if table in COLUMNS else first(row) or "(the request itself)"
                out.append(f"| `{field}` | {kind} | {row.note} | {code(probe)} | {result(row)} |\n")
    out.append(conformance_paths.document())
    out.append(conformance_google.document())
    return "".join(out)


def main():
    if lacking := list(missing()):
        sys.exit("tests/e2e/conformance.py: no row for " + ", ".join(lacking))
    if "--check" not in sys.argv:
        DOCUMENT.write_text(document())
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != document():
        sys.exit("docs/CONFORMANCE.md is not up to date: run tests/e2e/conformance.py")


if __name__ == "__main__":
    main()
