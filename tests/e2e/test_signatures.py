# SPDX-License-Identifier: MIT
"""Clients that drop thought signatures: only the calls' ids come back, as from opencode, LangChain and OpenAI's runTools.
The simulator refuses a call without the signature that it has given for it."""
import json
import sqlite3

import pytest

import wait
from test_state import Kept

MODEL = "gemini-3.8-flash"
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}, "day": {"type": "integer"}}}}}]
# Two calls at once, then one, then the text; a call of an earlier turn is checked as well.
SCRIPT = f"""
times=1 : call look_up {{"city":"Oslo","day":1}} call look_up {{"city":"Rome"}}
times=1 : call look_up {{"city":"Bonn"}}
* : text "Cold."
"""


@pytest.fixture
def kept(sim, tmp_path):
    k = Kept(sim, tmp_path, {})
    yield k
    if k.daemon and k.daemon.process.status is None:
        k.stop()


def signatures(k):
    try:
        return len(k.rows("SELECT call FROM signatures"))
    except sqlite3.OperationalError:
        return 0  # the table is made with the first row


def turn(k, messages, stream):
    """Sends the conversation, and adds what a client of this kind keeps of the answer: no signature."""
    answer = k.daemon.chat(messages=messages, model=MODEL, tools=TOOLS, stream=stream)
    assert answer.status == 200, answer.body
    if not stream:
        message = json.loads(answer.body)["choices"][0]["message"]
        calls, text = message.get("tool_calls", []), message["content"]
    else:
        calls, text = {}, None
        for line in answer.body.decode().splitlines():
            if not line.startswith("data: {"):
                continue
            delta = json.loads(line[6:])["choices"][0]["delta"]
            text = (text or "") + delta["content"] if delta.get("content") else text
            for d in delta.get("tool_calls", []):
                call = calls.setdefault(d["index"], {"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
                call["id"] += d.get("id", "")
                for name, piece in d["function"].items():
                    call["function"][name] += piece
        calls = list(calls.values())
    spelled = lambda c: json.dumps(json.loads(c["function"]["arguments"]), indent=1)  # as JSON libraries write it again
    kept = [{"id": c["id"], "type": "function", "function": {"name": c["function"]["name"], "arguments": spelled(c)}}
            for c in calls]
    messages.append({"role": "assistant", "content": text, **({"tool_calls": kept} if kept else {})})
    messages += [{"role": "tool", "tool_call_id": c["id"], "content": "cold"} for c in reversed(kept)]
    return text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_the_next_turn_after_a_restart(sim, kept, stream, end):
    """Killed between two turns: the signature was written with the answer's other rows, so the next turn has it."""
    sim.script(SCRIPT)
    messages = [{"role": "user", "content": "Where is it cold?"}]
    kept.start()
    for n in 1, 2:
        assert turn(kept, messages, stream) is None
        wait.until(f"{n} signatures in the file", lambda n=n: signatures(kept) >= n)
        getattr(kept, end)()
        kept.start()
    assert turn(kept, messages, stream) == "Cold."
    sent = [p for c in json.loads(sim.requests()[-1].body)["contents"] for p in c["parts"] if "functionCall" in p]
    assert [bool(p.get("thoughtSignature")) for p in sent] == [True, False, True]
    assert not any("skip_thought" in p.get("thoughtSignature", "") for p in sent)


def test_without_the_vault_the_sentinel_is_sent(sim, kept):
    """The signatures are lost with the file: the conversation goes on."""
    sim.script(SCRIPT)
    messages = [{"role": "user", "content": "Where is it cold?"}]
    kept.start()
    turn(kept, messages, False)
    wait.until("the signature in the file", lambda: signatures(kept) == 1)
    kept.kill()
    kept.start(STATE_DIRECTORY=None)
    turn(kept, messages, False)
    sent = [p for c in json.loads(sim.requests()[-1].body)["contents"] for p in c["parts"] if "functionCall" in p]
    assert [p.get("thoughtSignature") for p in sent] == ["skip_thought_signature_validator", None]
