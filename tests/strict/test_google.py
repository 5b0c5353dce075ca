# SPDX-License-Identifier: MIT
"""Each rule of Google's finds the body that breaks it, and none complains of a good one."""
import pytest
from strict import google

MODEL = "gemini-3.8-flash"
USER = {"role": "user", "parts": [{"text": "Hi"}]}
DECLARED = {"name": "f", "parametersJsonSchema": {"type": "object", "properties": {"$ref": {"type": "string"}}}}


def call(name="f", **more):
    return {"functionCall": {"name": name, "args": {}}, **more}


def answer(name="f", response=None, **more):
    return {"functionResponse": {"name": name, "response": {"output": 1} if response is None else response, **more}}


def talk(*turns):
    """contents: each turn is a role and its parts."""
    return {"contents": [{"role": role, "parts": list(parts)} for role, *parts in turns]}


def asked(**more):
    return {"contents": [USER], **more}


def tools(*declarations, **config):
    more = {"toolConfig": {"functionCallingConfig": config}} if config else {}
    return asked(tools=[{"functionDeclarations": list(declarations)}], **more)


def image(data="AAAA", **more):
    return talk(("user", {"inlineData": {"data": data, **more}}))


SIGNED = call(thoughtSignature="QUJD")

GOOD = [
    asked(),
    asked(tools=[{"googleSearch": {}}]),
    tools(DECLARED, mode="ANY", allowedFunctionNames=["f"]),
    tools(DECLARED, mode="NONE"),
    talk(("user", {"text": "a"}), ("model", SIGNED, call("g")), ("user", answer(), answer("g"))),
    talk(("user", {"text": "a"}), ("model", SIGNED)),
    # An earlier step than the user's last text needs no signature.
    talk(("user", {"text": "a"}), ("model", call()), ("user", answer()), ("model", {"text": "b"}), ("user", {"text": "c"})),
    image("-_8=", mimeType="image/png"),
    tools({"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "ARRAY", "items": {}}},
                                       "required": ["a"]}}),
]


@pytest.mark.parametrize("body", GOOD)
def test_good(body):
    assert google.faults(body, MODEL) == []


BAD = [
    ("declaration-name", tools({"name": "a b"})),
    ("declaration-name", tools({"name": "1"})),
    ("declaration-name", tools({"name": "a" * 129})),
    ("declaration-name", tools({})),
    ("declaration-twice", tools(DECLARED, DECLARED)),
    ("declarations-number", tools()),
    ("declarations-number", tools(*[{"name": f"f{i}"} for i in range(513)])),
    ("declaration-forms", tools(DECLARED | {"parameters": {}})),
    ("declaration-forms", tools(DECLARED | {"response": {}, "responseJsonSchema": {}})),
    ("schema-node", tools({"name": "f", "parameters": {"type": "object", "properties": {}}})),
    ("schema-node", tools({"name": "f", "parameters": {"properties": {"a": {"type": "ARRAY"}}}})),
    ("schema-node", asked(generationConfig={"responseSchema": {"anyOf": [{"required": ["a"]}]}})),
    ("json-schema-kind", tools({"name": "f", "parametersJsonSchema": {"type": "string"}})),
    ("json-schema-kind", tools({"name": "f", "parametersJsonSchema": []})),
    ("mode-any", asked(toolConfig={"functionCallingConfig": {"mode": "ANY"}})),
    ("allowed-names", tools(DECLARED, mode="AUTO", allowedFunctionNames=["f"])),
    ("allowed-names", tools(DECLARED, mode="ANY", allowedFunctionNames=["g"])),
    ("contents", {}),
    ("contents", talk(("user",))),
    ("role", talk(("system", {"text": "a"}))),
    ("part-data", talk(("user", {"thought": True}))),
    ("inline-data", image()),
    ("inline-data", image("A", mimeType="image/png")),
    ("inline-data", image("data:image/png;base64,AAAA", mimeType="image/png")),
    ("function-response", talk(("user", {"text": "a"}), ("model", SIGNED), ("user", answer("")))),
    ("function-response", talk(("user", {"text": "a"}), ("model", SIGNED), ("user", answer(response=[])))),
    ("function-response", talk(("user", {"text": "a"}), ("model", SIGNED), ("user", answer(response={"a": {"$ref": 1}})))),
    ("call-pairs", talk(("model", SIGNED))),
    ("call-pairs", talk(("user", {"text": "a"}), ("model", SIGNED, call()), ("user", answer()))),
    ("call-pairs", talk(("user", {"text": "a"}), ("model", SIGNED), ("user", {"text": "b"}))),
    ("call-pairs", talk(("user", {"text": "a"}), ("user", answer()))),
    ("call-pairs", talk(("user", {"text": "a"}), ("model", {"text": "b"}), ("model", SIGNED), ("user", answer()))),
    ("signature", talk(("user", {"text": "a"}), ("model", call()), ("user", answer()))),
    ("signature", talk(("user", {"text": "a"}), ("model", call(), SIGNED), ("user", answer(), answer()))),
    ("stops", asked(generationConfig={"stopSequences": list("abcdef")})),
]


@pytest.mark.parametrize("rule, body", BAD)
def test_bad(rule, body):
    assert {f.partition(":")[0] for f in google.faults(body, MODEL)} == {rule}


def test_every_rule_has_a_bad_body():
    assert {rule for rule, _ in BAD} == set(google.RULES)


def test_older_models_want_no_signature():
    unsigned = talk(("user", {"text": "a"}), ("model", call()), ("user", answer()))
    assert google.faults(unsigned, "gemini-2.5-flash") == []
    for model in ("gemini-4-argon", "gemini-flash-latest", "gemini-3-flash-preview"):
        assert google.faults(unsigned, model) != []


@pytest.mark.parametrize("requests, rules", [
    ([{"model": "models/x", "content": {}}], []),
    ([], ["embed-number"]),
    ([{"model": "models/x"}] * 101, ["embed-number"]),
    ([{"content": {}}], ["embed-model"]),
])
def test_batch(requests, rules):
    assert [f.partition(":")[0] for f in google.batch_faults({"requests": requests})] == rules


def test_both_spellings_are_one():
    snake = {"system_instruction": {"parts": []}, "tools": [{"function_declarations": [
        {"name": "f", "parameters_json_schema": {"$defs": {"a_b": {}}},
         "parameters": {"any_of": [], "properties": {"a_b": {"max_items": 1}}}}]}],
        "contents": [{"parts": [{"function_call": {"name": "f", "args": {"a_b": {"c_d": 1}}}}]}]}
    assert google.camel(snake) == {"systemInstruction": {"parts": []}, "tools": [{"functionDeclarations": [
        {"name": "f", "parametersJsonSchema": {"$defs": {"a_b": {}}},
         "parameters": {"anyOf": [], "properties": {"a_b": {"maxItems": 1}}}}]}],
        "contents": [{"parts": [{"functionCall": {"name": "f", "args": {"a_b": {"c_d": 1}}}}]}]}
