# SPDX-License-Identifier: MIT
"""What each generation refuses, answers in several hops, and vectors."""
import math

import pytest
from ask import ask, events, hello, text_of
from strict.shape import schemas

FUNCTIONS, SEARCH = {"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}
STREAM = "streamGenerateContent"


def config(**members):
    return hello(generationConfig=members)


def thinking(**members):
    return config(thinkingConfig=members)


def prefilled():
    return {"contents": [*hello()["contents"], {"role": "model", "parts": [{"text": "It"}]}]}


# A body, the beginning of the refusal, models that refuse it, models that take it.
ROWS = [
    (thinking(thinkingLevel="LOW", thinkingBudget=1), "You can only set only one of thinking budget and thinking level.",
     "gemini-3.8-flash gemini-2.5-flash gemini-4-argon", ""),
    (thinking(thinkingLevel="LOW"), "Thinking level is not supported for this model.", "gemini-2.5-flash",
     "gemini-3.8-flash gemini-4-argon"),
    (thinking(thinkingBudget=0), "Thinking budget is not supported for this model. Use thinking level instead.",
     "gemini-4-argon gemini-4-neon", "gemini-2.5-flash gemini-3.8-flash gemini-2.5-flash-lite"),
    (thinking(thinkingBudget=0), "Budget 0 is invalid. This model only works in thinking mode.", "gemini-2.5-pro", ""),
    (thinking(thinkingBudget=100), "The thinking budget 100 is invalid. Please choose a value between 128 and 32768.",
     "gemini-2.5-pro", "gemini-2.5-flash"),
    (thinking(thinkingBudget=30000), "The thinking budget 30000 is invalid. Please choose a value between ",
     "gemini-2.5-flash gemini-2.5-flash-lite", "gemini-2.5-pro"),
    (thinking(thinkingBudget=-1), "", "", "gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite"),
    (thinking(thinkingLevel="minimal"), "Thinking level MINIMAL is not supported for this model. Please retry with",
     "gemini-4-argon gemini-3.8-flash gemini-3.7-flash gemini-3.1-pro-preview gemini-pro-latest gemini-flash-latest",
     "gemini-3.6-flash gemini-3.5-flash-lite gemini-flash-lite-latest"),
    (thinking(thinkingLevel="XHIGH"), "Thinking level XHIGH is not supported for this model. Please retry with",
     "gemini-4-argon gemini-3.8-flash", "gemini-4-hydrogen gemini-4-neon"),
    (config(presencePenalty=1), "Penalty is not enabled for models/gemini-", "gemini-2.5-pro gemini-4-argon",
     "gemini-3.5-flash"),
    (config(candidateCount=2), "Multiple candidates is not enabled for models/gemini-4-argon", "gemini-4-argon",
     "gemini-3.8-flash"),
    (config(responseMimeType="application/json") | {"tools": [FUNCTIONS]},
     "Function calling with a response mime type: 'application/json' is unsupported", "gemini-2.5-flash",
     "gemini-3.8-flash gemini-4-argon"),
    (config(responseMimeType="application/json") | {"tools": [SEARCH]},
     "Tool use with a response mime type: 'application/json' is unsupported", "gemini-2.5-flash", "gemini-3.8-flash"),
    (hello(tools=[FUNCTIONS, SEARCH]), "Tool use with function calling is unsupported", "gemini-2.5-flash", ""),
    (hello(tools=[FUNCTIONS, SEARCH]), "Please enable tool_config.include_server_side_tool_invocations to use Built-in",
     "gemini-3.8-flash gemini-4-argon", ""),
    (hello(tools=[FUNCTIONS, SEARCH], toolConfig={"includeServerSideToolInvocations": True}), "", "", "gemini-3.8-flash"),
    (prefilled(), "Requests ending with a model turn are not supported unless the last part is a function response.",
     "gemini-4-argon gemini-3.6-flash gemini-3.5-flash-lite", "gemini-3.5-flash gemini-2.5-flash"),
    (config(responseModalities=["IMAGE"]), "The requested combination of response modalities is not supported by the",
     "gemini-3.8-flash", "gemini-3.1-flash-image"),
    (config(responseModalities=["AUDIO"]), "The requested combination of response modalities is not supported by the",
     "gemini-3.1-flash-image gemini-3.8-flash", "gemini-3.8-flash-tts"),
    (config(responseModalities=["TEXT"]), "The requested combination of response modalities is not supported by the",
     "gemini-3.8-flash-tts", "gemini-3.8-flash"),
    (config(stopSequences=list("abcdef")), "Request contains an invalid argument.", "gemini-3.8-flash", ""),
    (hello(systemInstruction={"parts": [{"text": "x"}]}), "Developer instruction is not enabled for models/gemma-3-27b-it",
     "gemma-3-27b-it", "gemma-4-31b-it gemini-3.8-flash"),
]


@pytest.mark.parametrize("body, message, refuse, take", ROWS)
def test_generation(sim, body, message, refuse, take):
    sim.script("model gemma-3-27b-it\nmodel gemma-4-31b-it\n")
    for model in refuse.split():
        answer, said = ask(sim, body=body, model=model)
        assert answer.status == 400 and said["error"]["message"].startswith(message), (model, said)
    for model in take.split():
        answer, said = ask(sim, body=body, model=model)
        assert answer.status == 200, (model, said)


# --- an answer in several hops ---

FOUR = "gemini-4-argon"


def hops(sim, verb="generateContent", body=None):
    """The answers of all hops, as a client follows them."""
    body, out = body or hello(), []
    while True:
        answer, said = ask(sim, verb, body, model=FOUR)
        assert answer.status == 200, said
        last = said if verb == "generateContent" else events(answer)[-1]
        out.append(text_of(said) if verb == "generateContent" else "".join(map(text_of, events(answer))))
        candidate = last["candidates"][0]
        if candidate["finishReason"] != "CONTINUATION":
            return out
        body = body | {"continuationToken": candidate["continuationToken"]}


@pytest.mark.parametrize("verb", ["generateContent", STREAM])
def test_hops(sim, verb):
    sim.script('*: text "one two three four" hops=3')
    out = hops(sim, verb)
    assert len(out) == 3 and all(out) and "".join(out) == "one two three four"
    assert len({r.body for r in sim.requests()}) == 3


def test_a_script_knows_the_hop(sim):
    sim.script('hop=1 times=1: error overloaded\n*: text "abcd" hops=2')
    token = ask(sim, model=FOUR)[1]["candidates"][0]["continuationToken"]
    again = hello(continuationToken=token)
    assert [ask(sim, body=again, model=FOUR)[0].status for _ in range(2)] == [503, 200]


def test_what_a_hop_refuses(sim):
    sim.script('*: text "abcd" hops=2')
    token = ask(sim, model=FOUR)[1]["candidates"][0]["continuationToken"]
    for body, model in ((hello("other", continuationToken=token), FOUR), (hello(continuationToken="QUJD"), FOUR),
                        (hello(continuationToken=token), "gemini-3.8-flash")):
        answer, said = ask(sim, body=body, model=model)
        assert answer.status == 400 and said["error"]["message"] == "Request contains an invalid argument."
    sim.script('*: text "abcd"')
    assert ask(sim, body=hello(continuationToken=token), model=FOUR)[0].status == 400


# --- what it answers is Google's ---

ANSWERS = [
    "default", 'text "x y" thought="hm" signature=QUJD', 'call f {"a": 1} call g', 'text "a b" hops=2', "empty",
    'parts [{"executableCode": {"language": "PYTHON", "code": "1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK"}}]',
    'text "x" candidate {"groundingMetadata": {"webSearchQueries": ["q"]}} counts {"toolUsePromptTokenCount": 3}',
    "blocked SAFETY",
]


@pytest.mark.parametrize("rule", ANSWERS)
def test_answers_have_googles_shape(sim, rule):
    sim.script("*: " + rule)
    body = config(responseLogprobs=True, logprobs=2)
    for answer in [ask(sim, body=body, model=FOUR)[1], *events(ask(sim, STREAM, body, model=FOUR)[0])]:
        assert schemas("gemini").faults("GenerateContentResponse", answer) == []


def test_vectors_have_googles_shape(sim):
    one = ask(sim, "embedContent", embed("a"), model=TWO)[1]
    batch = ask(sim, "batchEmbedContents", {"requests": [embed("a")]}, model=TWO)[1]
    assert schemas("gemini").faults("EmbedContentResponse", one) == []
    assert schemas("gemini").faults("BatchEmbedContentsResponse", batch) == []
    assert schemas("gemini").faults("CountTokensResponse", ask(sim, "countTokens")[1]) == []


# --- vectors ---

TWO, ONE = "gemini-embedding-2", "gemini-embedding-001"


def embed(text, model=TWO, **more):
    return {"model": f"models/{model}", "content": {"parts": [{"text": text}]}, **more}


def length(values):
    return math.sqrt(sum(v * v for v in values))


def vector(sim, text, model=TWO, **more):
    answer, said = ask(sim, "embedContent", embed(text, model, **more), model=model)
    assert answer.status == 200, said
    return said["embedding"]["values"]


def test_embed(sim):
    one = vector(sim, "a")
    assert len(one) == 3072 and length(one) == pytest.approx(1) and one == vector(sim, "a")
    assert one != vector(sim, "b") and one != vector(sim, "a", ONE)
    assert ask(sim, "embedContent", embed("12345678"), model=TWO)[1]["usageMetadata"] == {"promptTokenCount": 2}


@pytest.mark.parametrize("more", [{"outputDimensionality": 768}, {"embedContentConfig": {"outputDimensionality": 768}}])
def test_dimensions(sim, more):
    assert len(vector(sim, "a", **more)) == 768 and length(vector(sim, "a", **more)) == pytest.approx(1)
    short = vector(sim, "a", ONE, **more)
    assert length(short) < 0.9 and short == vector(sim, "a", ONE)[:768]


def test_batch(sim):
    batch = {"requests": [embed(t) for t in "abc"]}
    said = ask(sim, "batchEmbedContents", batch, model=TWO)[1]
    assert [e["values"] for e in said["embeddings"]] == [vector(sim, t) for t in "abc"]
    assert said["usageMetadata"]["promptTokenCount"] == 3


@pytest.mark.parametrize("verb, body, message", [
    ("batchEmbedContents", {"requests": [embed("a")] * 101},
     "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n"),
    ("batchEmbedContents", {"requests": []}, "* BatchEmbedContentsRequest.requests: requests is not specified\n"),
    ("batchEmbedContents", {"requests": [{"content": {"parts": [{"text": "a"}]}}]},
     "* BatchEmbedContentsRequest.requests[0].model: unexpected model name format\n"),
    ("batchEmbedContents", {"requests": [embed("a"), embed("a", ONE)]},
     "* BatchEmbedContentsRequest.requests[1].model: model must be models/gemini-embedding-2, as in the path\n"),
    ("embedContent", {"model": "models/" + TWO}, "* EmbedContentRequest.content: content is required\n"),
    ("embedContent", embed("a", outputDimensionality=3073), "* EmbedContentRequest.output_dimensionality: must be between"),
    ("embedContent", embed("a", dimensions=3), "Invalid JSON payload received. Unknown name \"dimensions\""),
    ("embedContent", embed("a" * 4194304), "Request payload size exceeds the limit: 4194304 bytes."),
])
def test_wrong_embeddings(sim, verb, body, message):
    answer, said = ask(sim, verb, body, model=TWO)
    assert answer.status == 400 and said["error"]["message"].startswith(message)


def test_models_and_methods(sim):
    assert ask(sim, "embedContent", embed("a", "gemini-3.8-flash"), model="gemini-3.8-flash")[0].status == 404
    assert ask(sim, model=TWO)[0].status == 404


def test_a_script_is_asked_for_embeddings(sim):
    sim.script("*: error internal\nmethod=embed-batch times=1: error rpm\n")
    batch = {"requests": [embed("a")]}
    assert [ask(sim, "batchEmbedContents", batch, model=TWO)[0].status for _ in range(2)] == [429, 200]
