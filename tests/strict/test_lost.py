# SPDX-License-Identifier: MIT
"""Of each thing that can be lost, a request upstream that has lost it."""
import json

import pytest
from strict import lost

SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome"]},
                                           "days": {"anyOf": [{"type": "object", "properties": {"n": {"const": 1}}}]}},
          "required": ["city"]}
REQUEST = {
    "model": "gemini-3.8-flash",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}},
            {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
            {"type": "input_audio", "input_audio": {"data": "AwQF", "format": "wav"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,BgcI"}}]},
        {"role": "assistant", "content": None, "refusal": "Hm", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "get weather", "arguments": '{"city": "Oslo"}'}},
            {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "plain"}]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"t": 3}'},
        {"role": "tool", "tool_call_id": "c9", "content": "orphan"},
    ],
    "tools": [{"type": "function", "function": {"name": "get weather", "description": "w", "parameters": SCHEMA}},
              {"type": "function", "function": {"name": "g"}}],
    "tool_choice": {"type": "function", "function": {"name": "get weather"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    "max_completion_tokens": 9, "stop": ["a", ""], "n": 2, "seed": 7, "logprobs": True, "top_logprobs": 3,
    "reasoning_effort": "low", "web_search_options": {},
}
UPSTREAM = {
    "system_instruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [
            {"text": "Look"}, {"inlineData": {"mimeType": "image/png", "data": "AAEC"}},
            {"fileData": {"fileUri": "https://a/b.png"}}, {"inlineData": {"mimeType": "audio/wav", "data": "AwQF"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "BgcI"}}]},
        {"role": "model", "parts": [{"text": "Hm"}, {"functionCall": {"name": "get_weather", "args": {"city": "Oslo"}}},
                                    {"functionCall": {"name": "g"}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "get_weather", "response": {"t": 3}}},
                                   {"functionResponse": {"name": "g", "response": {"output": "plain"}}}]},
        {"role": "user", "parts": [{"text": "A result without its call: orphan"}]},
    ],
    "tools": [{"functionDeclarations": [{"name": "get_weather", "description": "w", "parametersJsonSchema": SCHEMA},
                                        {"name": "g"}]}, {"googleSearch": {}}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}},
    "generationConfig": {"maxOutputTokens": 9, "stopSequences": ["a"], "candidateCount": 2, "seed": 7,
                         "responseLogprobs": True, "logprobs": 3, "responseMimeType": "application/json",
                         "responseJsonSchema": SCHEMA, "thinkingConfig": {"thinkingLevel": "LOW"}},
}


def changed(*path, value=None):
    """UPSTREAM with another value in this place, or without it."""
    body = json.loads(json.dumps(UPSTREAM))
    at = body
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return body


def test_nothing_lost():
    assert lost.chat(REQUEST, UPSTREAM) == []


FUNCTION, CONFIG = ("tools", 0, "functionDeclarations", 0), "generationConfig"


@pytest.mark.parametrize("body, losses", [
    (changed("system_instruction"), ["text: messages[0]: 'Be brief.'"]),
    (changed("contents", 0, "parts", 0), ["text: messages[1]: 'Look'"]),
    (changed("contents", 1, "parts", 0), ["text: messages[2]: 'Hm'"]),
    (changed("contents", 0, "parts", 1, "inlineData", "data", value="AAED"), ["file: messages[1]: image/png"]),
    (changed("contents", 0, "parts", 1, "inlineData", "mimeType", value="image/jpeg"), ["file: messages[1]: image/png"]),
    (changed("contents", 0, "parts", 2), ["file: messages[1]: https://a/b.png"]),
    (changed("contents", 0, "parts", 3), ["file: messages[1]: audio/wav"]),
    (changed("contents", 0, "parts", 4), ["file: messages[1]: application/pdf"]),
    (changed("contents", 1, "parts", 1, "functionCall", "args", value={"city": "Rome"}),
     ['call: messages[2]: get weather {"city": "Oslo"}']),
    (changed("contents", 1, "parts", 2), ["call: messages[2]: g {}"]),
    (changed("contents", 2, "parts", 1, "functionResponse", "response", value={"output": ""}),
     ["result: messages[3]: 'plain'"]),
    (changed("contents", 2, "parts", 0, "functionResponse", "id", value="c2"), ["result: messages[4]: '{\"t\": 3}'"]),
    (changed("contents", 3), ["result: messages[5]: 'orphan'"]),
    (changed(*FUNCTION, "description"), ["tool: get weather: its description"]),
    (changed(*FUNCTION, "parametersJsonSchema", "properties", "days"),
     ["tool: get weather: property days", "tool: get weather: property n", "tool: get weather: value 1"]),
    (changed(*FUNCTION, "parametersJsonSchema", "required"), ["tool: get weather: required city"]),
    (changed(*FUNCTION, "parametersJsonSchema", "properties", "city", "enum", 1), ["tool: get weather: value Rome"]),
    (changed("tools", 0, "functionDeclarations", 1), ["tool: g"]),
    (changed("tools", 1), ["tool: web search"]),
    (changed("toolConfig", "functionCallingConfig", "mode"), ["mode: AUTO is none of ['ANY']"]),
    (changed("toolConfig", "functionCallingConfig", "allowedFunctionNames"), ["mode: [] instead of ['get weather']"]),
    (changed(CONFIG, "responseMimeType"), ["format: responseMimeType"]),
    (changed(CONFIG, "responseJsonSchema", "properties", "days"),
     ["format: property days", "format: property n", "format: value 1"]),
    (changed(CONFIG, "maxOutputTokens"), ["limit: maxOutputTokens is None, not 9"]),
    (changed(CONFIG, "stopSequences"), ["limit: stopSequences is None, not ['a']"]),
    (changed(CONFIG, "candidateCount"), ["limit: candidateCount is None, not 2"]),
    (changed(CONFIG, "seed"), ["limit: seed is None, not 7"]),
    (changed(CONFIG, "responseLogprobs"), ["limit: responseLogprobs is None, not True"]),
    (changed(CONFIG, "logprobs"), ["limit: logprobs is None, not 3"]),
    (changed(CONFIG, "thinkingConfig"), ["limit: thinkingConfig for low"]),
])
def test_lost(body, losses):
    assert lost.chat(REQUEST, body) == losses


@pytest.mark.parametrize("choice, modes, names", [
    ("none", {"NONE"}, None), ("auto", {"AUTO", "VALIDATED"}, None), ("required", {"ANY"}, None),
    ({"type": "function", "function": {"name": "g"}}, {"ANY"}, ["g"]),
    ({"name": "g"}, {"ANY"}, ["g"]),
    ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {
        "name": "g"}}]}}, {"ANY"}, ["g"]),
    ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "name": "g"}]}},
     {"AUTO", "VALIDATED"}, ["g"]),
])
def test_modes(choice, modes, names):
    assert lost.mode_of(REQUEST | {"tool_choice": choice}) == (modes, names)
    assert lost.mode_of({"tool_choice": choice}) is None


def test_custom_and_legacy_tools():
    request = {"messages": [
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "run", "input": "x"}}]},
        {"role": "assistant", "function_call": {"name": "old", "arguments": "{}"}},
        {"role": "function", "name": "old", "content": "done"}],
        "tools": [{"type": "custom", "custom": {"name": "run"}}], "functions": [{"name": "old"}]}
    body = {"contents": [{"parts": [{"functionCall": {"name": "run", "args": {"input": "x"}}},
                                    {"functionCall": {"name": "old", "args": {}}},
                                    {"functionResponse": {"name": "old", "response": {"output": "done"}}}]}],
            "tools": [{"functionDeclarations": [{"name": "run"}, {"name": "old"}]}]}
    assert lost.chat(request, body) == []
    assert lost.chat(request, {}) == ["call: messages[0]: run {\"input\": \"x\"}", "call: messages[1]: old {}",
                                      "result: messages[2]: 'done'", "tool: run", "tool: old"]


def test_a_format_by_a_function():
    request = {"messages": [], "response_format": REQUEST["response_format"]}
    declared = {"tools": [{"functionDeclarations": [{"name": "answer", "parametersJsonSchema": SCHEMA}]}]}
    assert lost.chat(request, declared) == []
    assert lost.chat(request, {})[0] == "format: property city"
    assert lost.chat({"messages": [], "response_format": {"type": "json_object"}}, {}) == ["format: responseMimeType"]


@pytest.mark.parametrize("request_, bodies, losses", [
    ({"input": "a"}, [{"content": {"parts": [{"text": "a"}]}}], []),
    ({"input": ["a", "b"], "dimensions": 8},
     [{"requests": [{"content": {"parts": [{"text": "b"}]}, "outputDimensionality": 8}]},
      {"requests": [{"content": {"parts": [{"text": "a"}]}, "embed_content_config": {"output_dimensionality": 8}}]}], []),
    ({"input": ["a", "b"]}, [{"content": {"parts": [{"text": "a"}, {"text": "b"}]}}],
     ["input: 'a'", "input: 'b'", "input: 1 contents for 2 inputs"]),
    ({"input": ["a"], "dimensions": 8}, [{"content": {"parts": [{"text": "a"}]}}], ["limit: outputDimensionality"]),
])
def test_embeddings(request_, bodies, losses):
    assert lost.embeddings(request_, json.loads(json.dumps(bodies))) == losses
