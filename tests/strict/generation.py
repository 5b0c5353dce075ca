# SPDX-License-Identifier: MIT
"""What the generation of a model refuses.

It is a reading of Google's pages and of reports, apart from the tables of gemgated and of gemini-sim: a row that one of
them has wrong is found by the others.
"""
import re

OLD = r"gemini-[12]"
TWO_FIVE = r"gemini-2\.5"
FOUR = r"gemini-4"
PENALISED = rf"{TWO_FIVE}|{FOUR}"
LOWEST_IS_LOW = rf"{FOUR}|gemini-3\.[78]-flash(?!-lite)|gemini-[3-9].*-pro|gemini-pro-latest|gemini-flash-latest$"
XHIGH = r"gemini-4-(hydrogen|neon)"
NO_PREFILL = rf"{FOUR}|gemini-3\.6-flash|gemini-3\.5-flash-lite"
DRAWS = r"-image|gemini-nano-banana|^sim-"
SPEAKS = r"gemini-.*-tts|^sim-"
BUILT_IN = {"googleSearch", "googleSearchRetrieval", "urlContext", "codeExecution", "googleMaps", "fileSearch",
            "computerUse"}


class Asked:
    """What the rows look at."""

    def __init__(self, body):
        self.body = body
        self.config = body.get("generationConfig") or {}
        self.thinking = self.config.get("thinkingConfig") or {}
        self.level = str(self.thinking.get("thinkingLevel") or "").upper()
        tools = {name for tool in body.get("tools") or [] for name in tool}
        self.functions, self.built_in = "functionDeclarations" in tools, bool(tools & BUILT_IN)
        self.json = self.config.get("responseMimeType") == "application/json"
        self.modalities = {str(m).upper() for m in self.config.get("responseModalities") or []}
        turns = body.get("contents") or [{}]
        self.prefill = turns[-1].get("role") == "model" and "continuationToken" not in body

    def invocations(self):
        return (self.body.get("toolConfig") or {}).get("includeServerSideToolInvocations")


# Name, pattern of the models ("" fits all), what is there.
ROWS = [
    ("level-and-budget", "", lambda a: a.level and "thinkingBudget" in a.thinking),
    ("level", OLD, lambda a: a.level),
    ("budget", FOUR, lambda a: "thinkingBudget" in a.thinking),
    ("minimal", LOWEST_IS_LOW, lambda a: a.level == "MINIMAL"),
    ("xhigh", rf"(?!{XHIGH})", lambda a: a.level == "XHIGH"),
    ("penalty", PENALISED, lambda a: {"frequencyPenalty", "presencePenalty"} & a.config.keys()),
    ("candidates", FOUR, lambda a: a.config.get("candidateCount", 1) > 1),
    ("json-with-functions", OLD, lambda a: a.json and a.functions),
    ("tools-with-functions", OLD, lambda a: a.built_in and a.functions),
    ("invocations", rf"(?!{OLD})", lambda a: a.built_in and a.functions and not a.invocations()),
    ("cached-content", FOUR, lambda a: "cachedContent" in a.body),
    ("prefill", NO_PREFILL, lambda a: a.prefill),
    ("image", rf"(?!.*({DRAWS}))", lambda a: "IMAGE" in a.modalities),
    ("audio", rf"(?!.*({SPEAKS}))", lambda a: "AUDIO" in a.modalities),
    ("speech-only", r"gemini-.*-tts", lambda a: a.modalities != {"AUDIO"} or "systemInstruction" in a.body),
    ("system-instruction", r"gemma-3", lambda a: "systemInstruction" in a.body),
]


# The budgets of a model: its pattern, the least and the most, and whether 0 switches thinking off.
BUDGETS = [(r"gemini-2\.5-flash-lite", 512, 24576, True), (r"gemini-2\.5-flash", 0, 24576, True),
           (r"gemini-2\.5-pro", 128, 32768, False)]


def budget_faults(asked, model):
    budget = asked.thinking.get("thinkingBudget", -1)
    least, most, off = next(((a, b, c) for p, a, b, c in BUDGETS if re.match(p, model)), (0, 1 << 31, True))
    if budget != -1 and not (budget == 0 and off) and not least <= budget <= most:
        yield f"generation-budget-range: {model} takes {least} to {most}, not {budget}"


def faults(body, model):
    """The faults of a GenerateContentRequest in camelCase that has the right types."""
    asked = Asked(body)
    return [*budget_faults(asked, model)] + [f"generation-{name}: {model} refuses it" for name, models, there in ROWS
            if re.match(models, model) and there(asked)]
