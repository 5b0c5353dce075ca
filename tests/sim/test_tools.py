# SPDX-License-Identifier: MIT
"""Functions: the parts of an answer, what their declarations and turns must be, and their signatures."""
import base64
import json

import pytest
from ask import MODEL, ask, events, hello, text_of

STREAM = "streamGenerateContent"
OLD, FOUR = "gemini-2.5-flash", "gemini-4-argon"
DECLARED = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]
SENTINEL = "skip_thought_signature_validator"


def parts_of(body):
    return body["candidates"][0]["content"]["parts"]


def call(name="f", **more):
    return {"functionCall": {"name": name, "args": {"a": [1, 2.5]}}, **more}


def result(name="f", **more):
    return {"functionResponse": {"name": name, "response": {"output": 1}, **more}}


def talk(*turns):
    return {"contents": [{"role": role, "parts": list(parts)} for role, *parts in turns], "tools": DECLARED}


USER = ("user", {"text": "Hi"})


# --- answers ---


def forced(names=(), **functions):
    """The mode ANY, with functions and the schemas of their parameters."""
    config = {"mode": "ANY"} | ({"allowedFunctionNames": names} if names else {})
    declared = [{"name": n, "parametersJsonSchema": s} for n, s in functions.items()]
    return hello(tools=[{"functionDeclarations": declared}], toolConfig={"functionCallingConfig": config})


CITY = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3},
                                         "unit": {"enum": ["C", "F"]}}, "required": ["city", "days"]}


@pytest.mark.parametrize("names,called", [((), "look"), (["tell"], "tell")])
@pytest.mark.parametrize("verb", ["generateContent", STREAM])
def test_a_function_that_must_be_called_is_called(sim, verb, names, called):
    answer, body = ask(sim, verb, forced(names, look=CITY, tell={"type": "object"}))
    body = body or events(answer)[-1]
    [part] = parts_of(body)
    assert part["functionCall"]["name"] == called and part["functionCall"]["id"] and part["thoughtSignature"]
    assert part["functionCall"]["args"] == ({"city": "simulated", "days": 3} if called == "look" else {})


def test_no_function_need_be_called(sim):
    assert text_of(ask(sim, body=hello(tools=DECLARED))[1]).startswith("This answer is simulated")


@pytest.mark.parametrize("schema,sample", [
    (None, {}),
    (CITY, {"city": "simulated", "days": 3}),
    ({"type": "object", "properties": {"a": {"type": "string"}}}, {}),
    ({"type": "array", "minItems": 2, "items": {"type": "boolean"}}, [False, False]),
    ({"type": ["null", "number"], "maximum": -1.5}, -1.5),
    ({"type": "integer", "exclusiveMinimum": 1.5}, 3),
    ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}, "sim"),
    ({"type": "string", "minLength": 11}, "simulatedxx"),
    ({"type": "string", "format": "date"}, "2026-01-01"),
    ({"$ref": "#/$defs/x", "$defs": {"x": {"enum": [7, 8]}}}, 7),
    ({"allOf": [CITY, {"type": "object", "properties": {"x": {"const": 1}}, "required": ["x"]}]},
     {"city": "simulated", "days": 3, "x": 1}),
    ({"type": "null"}, None),
])
def test_json_fits_the_schema(sim, schema, sample):
    config = {"responseMimeType": "application/json"} | ({"responseJsonSchema": schema} if schema else {})
    assert json.loads(text_of(ask(sim, body=hello(generationConfig=config))[1])) == sample


def test_json_fits_a_schema_that_refers_to_itself(sim):
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    config = {"responseMimeType": "application/json", "responseJsonSchema": node}
    assert json.loads(text_of(ask(sim, body=hello(generationConfig=config))[1]))["next"]


def test_json_fits_a_schema_of_google(sim):
    schema = {"type": "OBJECT", "required": ["a"], "properties": {
        "a": {"type": "ARRAY", "minItems": "1", "items": {"type": "STRING", "enum": ["x", "y"]}}}}
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    assert json.loads(text_of(ask(sim, body=hello(generationConfig=config))[1])) == {"a": ["x"]}


def test_calls(sim):
    sim.script('*: call f {"a": [1, 2.5]} call g thought="hm" thoughts=3')
    _, body = ask(sim)
    thought, f, g = parts_of(body)
    assert thought == {"text": "hm", "thought": True}
    assert f["functionCall"]["args"] == {"a": [1, 2.5]} and "args" not in g["functionCall"]
    assert f["functionCall"]["id"] != g["functionCall"]["id"]
    assert base64.b64decode(f["thoughtSignature"]) and "thoughtSignature" not in g
    assert body["candidates"][0]["finishReason"] == "STOP" and body["usageMetadata"]["thoughtsTokenCount"] == 3


def test_calls_of_older_models_have_neither_id_nor_signature(sim):
    sim.script("*: call f")
    assert parts_of(ask(sim, model=OLD)[1]) == [{"functionCall": {"name": "f"}}]


def test_calls_without(sim):
    sim.script("*: call f unsigned no-ids")
    assert parts_of(ask(sim)[1]) == [{"functionCall": {"name": "f"}}]


def test_calls_in_a_stream(sim):
    sim.script('*: text "Let me look." call f call g')
    answer = events(ask(sim, STREAM)[0])
    assert [len(parts_of(e)) for e in answer] == [1, 1, 1]
    assert text_of(answer[0]) == "Let me look."
    assert ["finishReason" in e["candidates"][0] for e in answer] == [False, False, True]
    sim.script('*: text "Let me look." call f call g together')
    assert [len(parts_of(e)) for e in events(ask(sim, STREAM)[0])] == [3]


def test_parts(sim):
    sim.script('*: parts [{"executableCode":{"language":"PYTHON","code":"1"}}, {"codeExecutionResult":{"output":"1"}}] '
               'parts [{"inlineData":{"mimeType":"image/png","data":"AAAA"}}] finish=MAX_TOKENS')
    _, body = ask(sim)
    assert [list(p)[0] for p in parts_of(body)] == ["executableCode", "codeExecutionResult", "inlineData"]
    assert body["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_more_members(sim):
    sim.script('*: text "x y z" candidate {"groundingMetadata": {"webSearchQueries": ["q"]}, "finishReason": "OTHER"} '
               'counts {"toolUsePromptTokenCount": 7, "promptTokensDetails": []}')
    answer = events(ask(sim, STREAM)[0])
    assert "groundingMetadata" not in answer[0]["candidates"][0]
    last = answer[-1]["candidates"][0]
    assert last["groundingMetadata"] == {"webSearchQueries": ["q"]} and last["finishReason"] == "OTHER"
    assert answer[-1]["usageMetadata"]["toolUsePromptTokenCount"] == 7
    assert answer[-1]["usageMetadata"]["promptTokensDetails"] == []


@pytest.mark.parametrize("rule", ["call", "call f {", "parts {}", "parts [", "candidate x"])
def test_wrong_scripts(sim, rule):
    with pytest.raises(AssertionError, match="400"):
        sim.script("*: " + rule)


def test_logprobs(sim):
    sim.script('*: text "one two three"')
    config = {"responseLogprobs": True, "logprobs": 2}
    candidate = ask(sim, body=hello(generationConfig=config))[1]["candidates"][0]
    chosen, top = candidate["logprobsResult"]["chosenCandidates"], candidate["logprobsResult"]["topCandidates"]
    assert [t["token"] for t in chosen] == ["one", " two", " three"]
    assert [len(t["candidates"]) for t in top] == [2, 2, 2] and top[1]["candidates"][0] == chosen[1]
    assert candidate["avgLogprobs"] == pytest.approx(sum(t["logProbability"] for t in chosen) / 3, abs=1e-3)
    streamed = [e["candidates"][0] for e in events(ask(sim, STREAM, hello(generationConfig=config))[0])]
    assert "".join(t["token"] for c in streamed for t in c["logprobsResult"]["chosenCandidates"]) == "one two three"
    assert "logprobsResult" not in ask(sim)[1]["candidates"][0]


def test_modalities_are_counted(sim):
    files = [{"inlineData": {"mimeType": kind, "data": "AAAA"}} for kind in ("image/png", "audio/wav", "application/pdf")]
    usage = ask(sim, body={"contents": [{"parts": [{"text": "12345678"}, *files]}]})[1]["usageMetadata"]
    assert {d["modality"]: d["tokenCount"] for d in usage["promptTokensDetails"]} == {
        "TEXT": 2, "IMAGE": 258, "AUDIO": 258, "DOCUMENT": 258}
    assert usage["promptTokenCount"] == 2 + 3 * 258


# --- declarations ---

NAME = "* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name. Must start with"
PARAMETERS = "* GenerateContentRequest.tools[0].function_declarations[0].parameters"
ALLOWED = "* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names"


def tools(*declarations, **calling):
    more = {"toolConfig": {"functionCallingConfig": calling}} if calling else {}
    return hello(tools=[{"functionDeclarations": list(declarations)}], **more)


def schema(**members):
    return tools({"name": "f", "parameters": members})


@pytest.mark.parametrize("body, message", [
    (tools({"name": "1"}), NAME),
    (tools({"name": "a b"}), NAME),
    (tools({"name": "a" * 129}), NAME),
    (tools({}), NAME),
    (tools(), "* GenerateContentRequest.tools[0].tool_type: required one_of 'tool_type' must have one initialized"),
    (tools({"name": "f"}, {"name": "f"}), "Duplicate function declaration found: f"),
    (tools(*[{"name": f"f{i}"} for i in range(513)]), "Request contains an invalid argument."),
    (schema(type="object", properties={}), PARAMETERS + ".properties: should be non-empty for OBJECT type\n"),
    (schema(type="OBJECT", properties={"a": {"type": "ARRAY"}}), PARAMETERS + ".properties[a].items: missing field.\n"),
    (schema(anyOf=[{"type": "ARRAY"}]), PARAMETERS + ".any_of[0].items: missing field.\n"),
    (schema(type="OBJECT", properties={"a": {}}, required=["a", "b"]),
     PARAMETERS + ".required[1]: property is not defined\n"),
    (schema(type="OBJECT", properties={"a": {"type": "ARRAY", "items": {"type": "OBJECT", "properties": {}}}}),
     PARAMETERS + ".properties[a].items.properties: should be"),
    (hello(generationConfig={"responseSchema": {"type": "ARRAY"}}),
     "* GenerateContentRequest.generation_config.response_schema.items: missing field.\n"),
    (tools({"name": "f", "parametersJsonSchema": {"type": "string"}}), "* GenerateContentRequest.tools[0]"),
    (tools({"name": "f", "parametersJsonSchema": {}, "parameters": {}}), "* GenerateContentRequest.tools[0]"),
    (hello(toolConfig={"functionCallingConfig": {"mode": "ANY"}}),
     "Function calling config is set without function_declarations."),
    (tools({"name": "f"}, allowedFunctionNames=["f"]), ALLOWED + ": should only be set when the mode is ANY"),
    (tools({"name": "f"}, mode="ANY", allowedFunctionNames=["g"]), ALLOWED + "[0]: function is not declared.\n"),
])
def test_wrong_tools(sim, body, message):
    answer, said = ask(sim, body=body)
    assert answer.status == 400
    assert said["error"]["message"].startswith(message) and said["error"]["status"] == "INVALID_ARGUMENT"


def test_several_faults_of_tools(sim):
    message = ask(sim, body=tools({"name": "1"}, {"name": "2"}))[1]["error"]["message"]
    assert message.count("\n") == 2 and "function_declarations[1]" in message


@pytest.mark.parametrize("body", [
    tools({"name": "_a.b:c-9"}, mode="VALIDATED", allowedFunctionNames=["_a.b:c-9"]),
    tools({"name": "f", "parametersJsonSchema": {"type": "object", "properties": {}, "const": 1}}, mode="ANY"),
    tools({"name": "f"}, mode="NONE"),
    schema(type="object", properties={"properties": {"type": "string"}}, required=["properties"]),
    hello(tools=[{"googleSearch": {}}]),
])
def test_good_tools(sim, body):
    assert ask(sim, body=body)[0].status == 200


# --- turns ---

EQUAL = ("Please ensure that the number of function response parts is equal to the number of function call parts of the "
         "function call turn.")
CALL_TURN = "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
RESPONSE_TURN = "Please ensure that function response turn comes immediately after a function call turn."
SIGNED = call(thoughtSignature=SENTINEL)


@pytest.mark.parametrize("body, message", [
    (talk(USER, ("model", SIGNED), ("user", {"text": "x"})), EQUAL),
    (talk(USER, ("model", SIGNED, call()), ("user", result())), EQUAL),
    (talk(USER, ("model", SIGNED), ("user", result(), result())), EQUAL),
    (talk(USER, ("user", result())), RESPONSE_TURN),
    (talk(("model", SIGNED), ("user", result())), CALL_TURN),
    (talk(USER, ("model", {"text": "x"}), ("model", SIGNED), ("user", result())), CALL_TURN),
    (talk(USER, ("model", SIGNED), ("user", result(""))),
     "* GenerateContentRequest.contents[2].parts[0].function_response.name: Name cannot be empty.\n"),
    (talk(("user", {"inlineData": {"data": "AAAA"}})),
     "* GenerateContentRequest.contents[0].parts[0].inline_data.mime_type: mime_type is required.\n"),
    (talk(("user", {"inlineData": {"mimeType": "image/png", "data": "AAAAA"}})),
     "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed for \"AAAAA\""),
])
def test_wrong_turns(sim, body, message):
    answer, said = ask(sim, body=body)
    assert answer.status == 400 and said["error"]["message"] == message


@pytest.mark.parametrize("body", [
    talk(USER, ("model", SIGNED, call("g")), ("user", result(), result("g"))),
    talk(USER, ("model", {"text": "x"}, SIGNED), ("user", result()), ("model", SIGNED), ("user", result())),
    talk(USER, ("model", call()), ("user", result()), ("model", {"text": "x"}), ("user", {"text": "y"})),
])
def test_good_turns(sim, body):
    answer, said = ask(sim, body=body)
    assert answer.status == 200, said


# --- signatures ---


def given(sim, model=MODEL):
    """A call as the simulator gave it, with its signature."""
    sim.script('times=1: call f {"a": [1, 2.5]}')
    return parts_of(ask(sim, model=model, body=hello(tools=DECLARED))[1])[0]


def back(sim, part, model=MODEL):
    """What becomes of this call when it comes back: None, or the refusal."""
    answer, said = ask(sim, model=model, body=talk(USER, ("model", part), ("user", result())))
    return None if answer.status == 200 else said["error"]["message"]


CORRUPTED = "Corrupted thought signature."
MISSING = "Function call is missing a thought_signature in functionCall parts. This is required"


def test_a_signature_comes_back(sim):
    part = given(sim)
    assert back(sim, part) is None
    spelled = {"function_call": {"args": {"a": [1.0, 2.50]}, "name": "f"}, "thought_signature": part["thoughtSignature"]}
    assert back(sim, spelled) is None
    assert back(sim, part, "gemini-3.6-flash") is None  # the same generation


def test_a_signature_is_of_one_call(sim):
    part = given(sim)
    signature = part["thoughtSignature"]
    assert back(sim, call("g", thoughtSignature=signature)) == CORRUPTED
    assert back(sim, {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": signature}) == CORRUPTED
    assert back(sim, call(thoughtSignature="QUJD")) == CORRUPTED
    assert back(sim, part, FOUR) == CORRUPTED
    assert back(sim, call()).startswith(MISSING) and "`default_api:f` , position 2." in back(sim, call())
    assert back(sim, call(thoughtSignature="%")).startswith("Invalid value at 'contents[1].parts[0].thought_signature'")


@pytest.mark.parametrize("text", [SENTINEL, "context_engineering_is_the_way_to_go"])
def test_sentinels(sim, text):
    assert back(sim, call(thoughtSignature=text)) is None
    assert back(sim, call(thoughtSignature=base64.b64encode(text.encode()).decode())) is None


def test_signatures_of_a_script(sim):
    part = call(thoughtSignature="QUJDRA==")
    content = '{"candidates":[{"content":{"role":"model","parts":[%s]},"finishReason":"STOP"}]}'
    sim.script("times=1: sse <<E\n" + content % str(part).replace("'", '"') + "\nE")
    assert parts_of(events(ask(sim, STREAM)[0])[0]) == [part]
    assert back(sim, part) is None and back(sim, call("g", thoughtSignature="QUJDRA==")) == CORRUPTED
    sim.reset()
    assert back(sim, part) == CORRUPTED


def test_demands(sim):
    for demand, foreign, missing in (("strict", CORRUPTED, True), ("any", None, True), ("off", None, False)):
        sim.script(f"signatures {demand}\n")
        assert back(sim, call(thoughtSignature="QUJD")) == foreign
        assert bool(back(sim, call())) == missing
    with pytest.raises(AssertionError):
        sim.script("signatures all\n")


def test_older_models_want_no_signature(sim):
    assert back(sim, call(), OLD) is None and back(sim, call(thoughtSignature="QUJD"), OLD) is None


def test_only_the_first_call_since_the_user_spoke(sim):
    part = given(sim)
    turn = [("model", part, call("g")), ("user", result(), result("g"))]
    assert ask(sim, body=talk(USER, *turn))[0].status == 200
    assert ask(sim, body=talk(USER, *turn, ("model", call()), ("user", result())))[0].status == 400
    assert ask(sim, body=talk(USER, ("model", call()), ("user", result()), USER, *turn))[0].status == 200
