# SPDX-License-Identifier: MIT
"""What each generation refuses: the model that does, and one that does not."""
import pytest
from strict import generation

USER = {"role": "user", "parts": [{"text": "Hi"}]}
FUNCTIONS, SEARCH = {"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}


def thinking(**config):
    return {"generationConfig": {"thinkingConfig": config}}


def config(**members):
    return {"generationConfig": members}


MIXED = {"tools": [FUNCTIONS, SEARCH]}
INVOKED = MIXED | {"toolConfig": {"includeServerSideToolInvocations": True}}
PREFILL = {"contents": [USER, {"role": "model", "parts": [{"text": "a"}]}]}

# The row, a body, models that refuse it, models that do not.
CASES = [
    ("level-and-budget", thinking(thinkingLevel="LOW", thinkingBudget=1), "gemini-3.8-flash", ""),
    ("level", thinking(thinkingLevel="LOW"), "gemini-2.5-flash gemini-2.5-pro", "gemini-3.8-flash gemini-4-argon"),
    ("budget", thinking(thinkingBudget=0), "gemini-4-argon gemini-4-neon", "gemini-2.5-flash gemini-3.8-flash"),
    ("minimal", thinking(thinkingLevel="minimal"),
     "gemini-4-argon gemini-3.8-flash gemini-3.7-flash gemini-3.1-pro-preview gemini-pro-latest gemini-flash-latest",
     "gemini-3.6-flash gemini-3.5-flash-lite gemini-flash-lite-latest gemini-3.8-flash-lite"),
    ("xhigh", thinking(thinkingLevel="XHIGH"), "gemini-4-argon gemini-3.8-flash", "gemini-4-hydrogen gemini-4-neon"),
    ("penalty", config(presencePenalty=1), "gemini-2.5-pro gemini-4-argon", "gemini-3.5-flash"),
    ("penalty", config(frequencyPenalty=0), "gemini-2.5-flash", "gemini-3.5-flash"),
    ("candidates", config(candidateCount=2), "gemini-4-argon", "gemini-3.8-flash"),
    ("json-with-functions", config(responseMimeType="application/json") | {"tools": [FUNCTIONS]}, "gemini-2.5-flash",
     "gemini-3.8-flash"),
    ("tools-with-functions", INVOKED, "gemini-2.5-flash", "gemini-3.8-flash"),
    ("invocations", MIXED, "gemini-3.8-flash gemini-4-argon", ""),
    ("cached-content", {"cachedContent": "cachedContents/a"}, "gemini-4-argon", "gemini-3.8-flash"),
    ("prefill", PREFILL, "gemini-4-argon gemini-3.6-flash gemini-3.5-flash-lite", "gemini-3.5-flash gemini-2.5-flash"),
    ("image", config(responseModalities=["TEXT", "IMAGE"]), "gemini-3.8-flash gemini-4-argon",
     "gemini-3.1-flash-image gemini-2.5-flash-image gemini-nano-banana-2.1"),
    ("audio", config(responseModalities=["AUDIO"]), "gemini-3.8-flash gemini-3.1-flash-image",
     "gemini-3.8-flash-tts gemini-3.8-flash-lite-tts"),
    ("speech-only", {}, "gemini-3.8-flash-tts", "gemini-3.8-flash"),
    ("system-instruction", {"systemInstruction": {"parts": []}}, "gemma-3-27b-it", "gemma-4-31b-it gemini-3.8-flash"),
]


@pytest.mark.parametrize("row, body, refuse, take", CASES)
def test_row(row, body, refuse, take):
    for model in refuse.split():
        assert [f.split(":")[0] for f in generation.faults(body, model)] == [f"generation-{row}"], model
    for model in take.split():
        assert generation.faults(body, model) == [], model


def test_every_row_has_a_case():
    assert {row for row, *_ in CASES} == {row for row, *_ in generation.ROWS}


@pytest.mark.parametrize("model, good, bad", [
    ("gemini-2.5-flash", [0, -1, 24576], [-2, 24577]),
    ("gemini-2.5-flash-lite", [0, -1, 512], [511, 24577]),
    ("gemini-2.5-pro", [-1, 128, 32768], [0, 127, 32769]),
    ("gemini-3.8-flash", [0, 99999], []),
])
def test_budgets(model, good, bad):
    rules = [[f.split(":")[0] for f in generation.faults(thinking(thinkingBudget=n), model)] for n in good + bad]
    assert rules == [[]] * len(good) + [["generation-budget-range"]] * len(bad)


def test_continuing_is_no_prefill():
    assert generation.faults(PREFILL | {"continuationToken": "QUJD"}, "gemini-4-argon") == []
