# SPDX-License-Identifier: MIT
"""The reader of shapes finds what is wrong, and where."""
import pytest
from strict.shape import schemas

WHOLE = "GenerateContentRequest"


@pytest.mark.parametrize("body, faults", [
    ({"contents": [{"role": "user", "parts": [{"text": "a"}]}]}, []),
    ({"contents": [], "topK": 1}, ["GenerateContentRequest.topK: unknown"]),
    ({"contents": "a"}, ["GenerateContentRequest.contents: str instead of array"]),
    ({"contents": [{"parts": [{"text": 1}]}]}, ["GenerateContentRequest.contents[0].parts[0].text: int instead of string"]),
    ({"contents": [{"parts": [{"text": "a", "functionCall": {}}]}]},
     ["GenerateContentRequest.contents[0].parts[0]: several of ['functionCall', 'text']"]),
    ({"generationConfig": {"candidateCount": True}},
     ["GenerateContentRequest.generationConfig.candidateCount: bool instead of integer"]),
    ({"generationConfig": {"seed": None}}, ["GenerateContentRequest.generationConfig.seed: NoneType instead of integer"]),
    ({"generationConfig": {"responseJsonSchema": {"$ref": [1, None]}}}, []),
    ({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"const": 1}}]}]},
     ["GenerateContentRequest.tools[0].functionDeclarations[0].parameters.const: unknown"]),
    ({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "maxItems": "3"}}]}]}, []),
    ({"generationConfig": {"topK": 40.0}}, []),
    ({"generationConfig": {"topK": 40.5}}, ["GenerateContentRequest.generationConfig.topK: float instead of integer"]),
    ({"labels": {"a": "b"}, "continuationToken": "x"}, []),
    ({"labels": {"a": 1}}, ["GenerateContentRequest.labels.a: int instead of string"]),
    ({"serviceTier": "STANDARD"}, ["GenerateContentRequest.serviceTier: 'STANDARD' is none of "
                                   "['unspecified', 'standard', 'flex', 'priority']"]),
])
def test_gemini(body, faults):
    assert schemas("gemini").faults(WHOLE, body) == faults


ANSWER = {"id": "a", "object": "chat.completion", "created": 1, "model": "m",
          "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "native_finish_reason": "STOP",
                       "message": {"role": "assistant", "content": "x", "refusal": None, "reasoning_content": "y"}}]}


@pytest.mark.parametrize("more, faults", [
    ({}, []),
    ({"system_fingerprint": None}, ["CreateChatCompletionResponse.system_fingerprint: NoneType instead of string"]),
    ({"extra": 1}, ["CreateChatCompletionResponse.extra: unknown"]),
    ({"usage": {}}, ["CreateChatCompletionResponse.usage.prompt_tokens: missing",
                     "CreateChatCompletionResponse.usage.completion_tokens: missing",
                     "CreateChatCompletionResponse.usage.total_tokens: missing"]),
])
def test_openai(more, faults):
    assert schemas("openai").faults("CreateChatCompletionResponse", ANSWER | more) == faults
