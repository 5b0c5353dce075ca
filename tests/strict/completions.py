# SPDX-License-Identifier: MIT
"""Answers of OpenAI's older protocol: texts instead of messages."""
import json

from strict import chat, judge
from strict.shape import schemas

NAME = "CreateCompletionResponse"


def answer_faults(answer):
    out = ["shape: " + f for f in schemas("openai").faults(NAME, answer)]
    if out:
        return out
    if [c["index"] for c in answer["choices"]] != list(range(len(answer["choices"]))):
        out.append("choices: not in order")
    return out + [f"finish: choices[{c['index']}] has none" for c in answer["choices"] if not c["finish_reason"]]


def stream_faults(text, complete=True, usage_wanted=None):
    """As strict.chat has it."""
    events, out = chat.objects(text)
    finished, with_usage = {}, 0
    for event in events:
        if event is None or "error" in event:
            continue
        with_usage += bool(event.get("usage"))
        wrong = schemas("openai").faults(NAME, {"usage": None, **event})
        out += ["shape: " + f for f in wrong]
        for choice in [] if wrong else event["choices"]:
            if finished.get(choice["index"]):
                out.append(f"finish: choices[{choice['index']}]: more behind it")
            finished[choice["index"]] = choice["finish_reason"]
    if not complete or any(e and "error" in e for e in events):
        return out
    if not events or events[-1] is not None:
        out.append("end: neither [DONE] nor an error")
    if not finished or None in finished.values():
        out.append("finish: a choice has none")
    if usage_wanted is not None and with_usage != usage_wanted:
        out.append(f"usage: {with_usage} chunks have it")
    return out


def downstream(status, kind, text, complete=True, request=None):
    """The faults of an answer to POST /v1/completions."""
    if kind.startswith("text/event-stream"):
        return stream_faults(text, complete, judge.usage_wanted(request))
    if not complete:
        return []
    try:
        answer = json.loads(text)
    except ValueError:
        return ["shape: no JSON"]
    return judge.error_faults(answer) if status != 200 else answer_faults(answer)
