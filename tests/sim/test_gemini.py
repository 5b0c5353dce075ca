# SPDX-License-Identifier: MIT
"""What the simulator answers of itself: shapes, credentials, models, and its strictness."""
import json

import pytest
from ask import MODEL, ask, connect, events, get, hello, request, text_of


def test_answer(sim):
    answer, body = ask(sim)
    assert answer.status == 200
    assert answer.header("content-type") == "application/json; charset=UTF-8"
    assert answer.header("x-content-type-options") == "nosniff"
    assert "simulated" in text_of(body) and text_of(body).endswith("Hi there")
    candidate, usage = body["candidates"][0], body["usageMetadata"]
    assert candidate["finishReason"] == "STOP" and candidate["content"]["role"] == "model"
    assert usage["promptTokenCount"] == 2
    assert usage["totalTokenCount"] == 2 + usage["candidatesTokenCount"]
    assert body["modelVersion"] == MODEL and body["responseId"]


def test_answer_is_the_same_each_time(sim):
    assert ask(sim)[0].body == ask(sim)[0].body


def test_stream(sim):
    answer, _ = ask(sim, "streamGenerateContent")
    assert answer.status == 200 and answer.complete and answer.chunked
    assert answer.header("content-type") == "text/event-stream"
    parts = events(answer)
    assert len(parts) > 1
    assert "".join(map(text_of, parts)) == text_of(ask(sim)[1])
    assert ["finishReason" in p["candidates"][0] for p in parts] == [False] * (len(parts) - 1) + [True]
    counts = [p["usageMetadata"]["candidatesTokenCount"] for p in parts]
    assert counts == sorted(counts)


def test_stream_without_sse_is_an_array(sim):
    answer, body = ask(sim, "streamGenerateContent", alt=None)
    assert answer.header("content-type").startswith("application/json")
    assert "".join(map(text_of, body)) == text_of(ask(sim)[1])


def test_http10_gets_no_chunks(sim):
    with connect(sim) as c:
        c.send(request("streamGenerateContent").replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = c.read("POST")
    assert not answer.chunked and len(events(answer)) > 1


CONFIG = [
    ({"maxOutputTokens": 3}, "This answer ", "MAX_TOKENS", 1),
    ({"max_output_tokens": 3}, "This answer ", "MAX_TOKENS", 1),
    ({"stopSequences": ["zzz", " is"]}, "This answer", "STOP", 1),
    ({"candidateCount": 3, "maxOutputTokens": 1}, "This", "MAX_TOKENS", 3),
]


@pytest.mark.parametrize("config, text, finish, n", CONFIG)
@pytest.mark.parametrize("spelling", ["generationConfig", "generation_config"])
def test_config(sim, config, text, finish, n, spelling):
    _, body = ask(sim, body=hello(**{spelling: config}))
    assert text_of(body) == text
    assert [c["finishReason"] for c in body["candidates"]] == [finish] * n
    assert [c["index"] for c in body["candidates"]] == list(range(n))


def test_umlauts_are_not_split(sim):
    sim.script('*: text "äöüß€😀" chunks=6')
    answer, _ = ask(sim, "streamGenerateContent")
    assert "".join(map(text_of, events(answer))) == "äöüß€😀"
    assert b"\xef\xbf\xbd" not in answer.body
    _, body = ask(sim, body=hello(generationConfig={"maxOutputTokens": 1}))
    assert text_of(body) == "äö"


def test_count_tokens(sim):
    assert ask(sim, "countTokens")[1]["totalTokens"] == 2
    inner = {"generateContentRequest": {"model": f"models/{MODEL}", **hello("12345678")}}
    inner["generateContentRequest"]["systemInstruction"] = {"parts": [{"text": "1234"}]}
    assert ask(sim, "countTokens", inner)[1]["totalTokens"] == 3


INNER = {"model": f"models/{MODEL}", "contents": [{"parts": [{"text": "x"}]}]}
COUNT = [
    ({}, "* CountTokensRequest.contents: contents is not specified\n"),
    ({"contents": []}, "* CountTokensRequest.contents: contents is not specified\n"),
    ({"generateContentRequest": {"model": f"models/{MODEL}"}}, "* GenerateContentRequest.contents: contents is not"),
    ({"generateContentRequest": {"contents": INNER["contents"]}}, "* GenerateContentRequest.model: unexpected model"),
    ({"generateContentRequest": INNER | {"model": MODEL}}, "* GenerateContentRequest.model: unexpected model name"),
    ({"generateContentRequest": INNER, "contents": INNER["contents"]}, "* CountTokensRequest: contents and generate_"),
    ({"generateContentRequest": INNER | {"x": 1}}, "Invalid JSON payload received. Unknown name \"x\" at "),
    (hello(systemInstruction={}), "Invalid JSON payload received. Unknown name \"systemInstruction\""),
    (hello(generationConfig={}), "Invalid JSON payload received. Unknown name \"generationConfig\""),
]


@pytest.mark.parametrize("body, message", COUNT)
def test_what_count_tokens_refuses(sim, body, message):
    answer, said = ask(sim, "countTokens", body)
    assert answer.status == 400
    assert said["error"]["message"].startswith(message) and said["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("body", [hello("x"), {"generateContentRequest": INNER}, {"generate_content_request": INNER}])
def test_what_count_tokens_takes(sim, body):
    answer, said = ask(sim, "countTokens", body)
    assert answer.status == 200 and said["totalTokens"] == 1


# --- models ---


def test_models(sim):
    _, body = get(sim, "/v1beta/models")
    names = [m["name"] for m in body["models"]]
    assert {"models/gemini-flash-latest", "models/gemini-3.8-flash", "models/gemini-2.5-flash-lite"} <= set(names)
    assert "nextPageToken" not in body
    pages, token = [], ""
    while token is not None:
        _, page = get(sim, f"/v1beta/models?pageSize=5&pageToken={token}")
        pages.append([m["name"] for m in page["models"]])
        token = page.get("nextPageToken")
    assert sum(pages, []) == names and {len(p) for p in pages[:-1]} == {5}


def test_a_script_changes_the_models(sim):
    sim.script("model other-model\nno-model gemini-3.8-flash\nno-model sim-gone\n")
    assert get(sim, "/v1beta/models/other-model")[1]["name"] == "models/other-model"
    assert ask(sim, model="other-model")[0].status == 200
    assert ask(sim, model="sim-any")[0].status == 200
    assert ask(sim, model="sim-gone")[0].status == 404
    names = [m["name"] for m in get(sim, "/v1beta/models")[1]["models"]]
    assert "models/other-model" in names and "models/gemini-3.8-flash" not in names
    sim.reset()
    assert ask(sim)[0].status == 200


def test_unknown_model(sim):
    answer, body = ask(sim, "streamGenerateContent", model="gemini-1.0-pro")
    assert answer.status == 404
    assert body["error"] == {
        "code": 404,
        "message": "models/gemini-1.0-pro is not found for API version v1beta, or is not supported for "
        "streamGenerateContent. Call ListModels to see the list of available models and their supported methods.",
        "status": "NOT_FOUND",
    }
    assert get(sim, "/v1beta/models/gemini-1.0-pro")[1]["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize("path", ["/", "/v1beta/", "/v1beta/models/", f"/v1beta/models/{MODEL}:generateContent",
                                  f"/v1beta/models/{MODEL}:fly", "/v9/models", "/v1beta/modelsx"])
def test_unknown_path(sim, path):
    answer, _ = get(sim, path)
    assert answer.status == 404 and b"<!DOCTYPE html>" in answer.body


# --- credentials ---

CREDENTIALS = [
    ([], "", 403, "Method doesn't allow unregistered callers"),
    ([("x-goog-api-key", "")], "", 403, "Method doesn't allow unregistered callers"),
    ([("X-Goog-Api-Key", "K1")], "", 200, None),
    ([], "?key=K%31", 200, None),
    ([("x-goog-api-key", "K1")], "?key=K1", 400, "Multiple authentication credentials received. Please pass only"),
    ([("x-goog-api-key", "K1"), ("Authorization", "Bearer K1")], "", 400, "Multiple authentication credentials"),
    ([("Authorization", "Bearer K1")], "", 401, "Request had invalid authentication credentials."),
]


@pytest.mark.parametrize("headers, query, status, message", CREDENTIALS)
def test_credentials(sim, headers, query, status, message):
    answer, body = get(sim, "/v1beta/models" + query, headers)
    assert answer.status == status
    if message:
        assert body["error"]["message"].startswith(message) and body["error"]["code"] == status
    assert sim.requests()[-1].key == ("" if status == 401 or not (headers or query) or ("x-goog-api-key", "") in headers
                                      else "K1")


# --- strictness ---

PART = {"text": "x"}


def with_part(part):
    return {"contents": [{"role": "user", "parts": [part]}]}


def with_config(**config):
    return hello(generationConfig=config)


GOOD = [
    hello(),
    hello(systemInstruction={"parts": [PART]}, safetySettings=[{"category": "HARM_CATEGORY_JAILBREAK",
                                                                "threshold": "OFF"}]),
    hello(system_instruction={"parts": [PART]}, safety_settings=[]),
    hello(serviceTier="flex", store=False, model="models/x", labels={"a": "b"}),
    with_config(temperature=1, topP=0.5, topK=40, seed=-5, responseLogprobs=True, logprobs=3),
    with_config(thinkingConfig={"includeThoughts": True, "thinkingLevel": "HIGH"}),
    with_config(responseMimeType="application/json", responseJsonSchema={"type": "object", "$anything": [1, None]}),
    with_config(responseSchema={"type": "object", "properties": {"a": {"type": "STRING", "minLength": "1"},
                                                                 "b": {"anyOf": [{"type": "INTEGER"}]}}}),
    hello(tools=[{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"x": 1}}]}, {"googleSearch": {}}],
          toolConfig={"includeServerSideToolInvocations": True, "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}}),
    with_part({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
    with_part({"inline_data": {"mime_type": "image/png", "data": "AAAA"}, "thought": False}),
    {"contents": [{"role": "user", "parts": [PART]},
                  {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"any": [{"thing": None}]}},
                                               "thoughtSignature": "skip_thought_signature_validator"}]},
                  {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": 1}}}]}]},
]

UNKNOWN = "Invalid JSON payload received. Unknown name \"%s\"%s: Cannot find field."

BAD = [
    (hello(frequency_penalty=1), UNKNOWN % ("frequency_penalty", ""), None),
    (with_config(x=1), UNKNOWN % ("x", " at 'generation_config'"), "generation_config"),
    (with_part({"text": "x", "x": 1}), UNKNOWN % ("x", " at 'contents[0].parts[0]'"), "contents[0].parts[0]"),
    ({**hello(), "Contents": []}, UNKNOWN % ("Contents", ""), None),
    (hello(tools=[{"functionDeclarations": [{"name": "f", "strict": True}]}]),
     UNKNOWN % ("strict", " at 'tools[0].function_declarations[0]'"), "tools[0].function_declarations[0]"),
    (hello(tools=[{"functionDeclarations": [{"name": "f", "parameters": {"$schema": "x"}}]}]),
     UNKNOWN % ("$schema", " at 'tools[0].function_declarations[0].parameters'"), None),
    (with_config(temperature="warm"), "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"warm\"", None),
    (with_config(maxOutputTokens=1.5), "Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32), 1.5",
     "generation_config.max_output_tokens"),
    (with_config(seed=2**40), f"Invalid value at 'generation_config.seed' (TYPE_INT32), {2**40}", None),
    (with_config(stopSequences="x"), "Invalid value at 'generation_config.stop_sequences' (", None),
    (with_config(stopSequences=[1]), "Invalid value at 'generation_config.stop_sequences[0]' (TYPE_STRING), 1", None),
    (with_config(responseLogprobs="true"), "Invalid value at 'generation_config.response_logprobs' (TYPE_BOOL), ", None),
    (with_config(thinkingConfig={"thinkingLevel": "VERY"}),
     "Invalid value at 'generation_config.thinking_config.thinking_level' (", None),
    (with_config(temperature=None), "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), null", None),
    (with_config(temperature=[1]), "Invalid JSON payload received. Unknown name \"temperature\" at "
     "'generation_config': Proto field is not repeating, cannot start list.", None),
    (hello(safetySettings=[{"category": "HARM"}]), "Invalid value at 'safety_settings[0].category' (", None),
    (with_part({"text": 5}), "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 5", None),
    (with_part("x"), "Invalid value at 'contents[0].parts[0]' (type.googleapis.com/google.ai.generativelanguage."
     "v1beta.Part), \"x\"", None),
    (with_part({"text": "x", "inlineData": {}}),
     "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. Cannot set 'inlineData'",
     None),
    (with_part({"functionCall": {"name": "f", "args": "{}"}}),
     "Invalid value at 'contents[0].parts[0].function_call.args' (type.googleapis.com/google.protobuf.Struct), ", None),
    ({"contents": {"parts": [PART]}}, "Invalid value at 'contents' (", None),
]


@pytest.mark.parametrize("body", GOOD)
def test_good_request(sim, body):
    answer, said = ask(sim, body=body)
    assert answer.status == 200, said


@pytest.mark.parametrize("body, message, field", BAD)
def test_bad_request(sim, body, message, field):
    answer, said = ask(sim, body=body)
    error = said["error"]
    assert answer.status == error["code"] == 400 and error["status"] == "INVALID_ARGUMENT"
    assert error["message"].startswith(message)
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    violation = error["details"][0]["fieldViolations"][0]
    assert violation["description"] == error["message"]
    if field:
        assert violation["field"] == field


def test_several_faults_come_together(sim):
    error = ask(sim, body=hello(a=1, b=2))[1]["error"]
    assert error["message"].count("\n") == 1 and len(error["details"][0]["fieldViolations"]) == 2


SERVICE = [
    ({}, "* GenerateContentRequest.contents: contents is not specified\n"),
    ({"contents": []}, "* GenerateContentRequest.contents: contents is not specified\n"),
    ({"contents": [{"role": "user"}]}, "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n"),
    (with_part({"thought": True}), "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' "
     "must have one initialized field\n"),
    ({"contents": [{"role": "system", "parts": [PART]}]}, "Please use a valid role: user, model."),
]


@pytest.mark.parametrize("body, message", SERVICE)
def test_what_the_service_refuses(sim, body, message):
    answer, said = ask(sim, body=body)
    assert answer.status == 400
    assert said["error"] == {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b'"x"', b"{}x", b"\xff", b"[" * 1000, json.dumps(hello()).encode()[:-1]])
def test_no_json(sim, body):
    answer, said = ask(sim, body=body)
    assert answer.status == 400 and "Invalid JSON payload received." in said["error"]["message"]


def test_errors_of_the_array_form_are_wrapped(sim):
    assert ask(sim, "streamGenerateContent", {}, alt=None)[1][0]["error"]["code"] == 400
    assert ask(sim, "streamGenerateContent", {})[1]["error"]["code"] == 400
