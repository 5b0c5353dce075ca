# SPDX-License-Identifier: MIT
"""Requests of real clients (tests/captures), played through gemgated: each is answered, what goes upstream is legal, and
nothing of it is lost.

What the simulator and tests/strict find by themselves is part of it: a body that breaks a rule fails the test of its
client. The requests of NOT_YET are known to fail. The list only shrinks: one that has come to work has to leave it.
"""
import base64
import json
import math
import struct
from pathlib import Path

import pytest

from house import SECRETS
from strict import judge, lost
from strict import messages as strict_messages
from strict.shape import schemas

FOLDER = Path(__file__).resolve().parents[1] / "captures"
CLIENTS = sorted(p.stem for p in FOLDER.glob("*.json"))
SAYS = "The answer of the simulator."


def names(table):
    """`openai-node 06 07` are openai-node/06 and openai-node/07."""
    rows = [line.split() for text in table.values() for line in text.splitlines() if line.strip()]
    return {f"{client}/{n}" for client, *numbers in rows for n in numbers}


NOT_YET = names({
})


class Play:
    """One request of a client's."""

    def __init__(self, daemon, sim, request, last):
        self.daemon, self.sim, self.request, self.last = daemon, sim, request, last
        self.path, self.body = request["path"], request.get("body")

    def faults(self):
        """What is wrong with the answer and with what went upstream for it; an empty list if nothing is."""
        native, headers = judge.method(self.path), list(self.request.get("headers", {}).items())
        target = self.path + ("?" + self.request["query"] if "query" in self.request else "")
        token = None if native or "x-goog-api-client" in self.request.get("headers", {}) else "TOKEN"
        if not token:
            headers.append(("x-goog-api-key", SECRETS["TOKEN"]))
        if self.request.get("upgrade"):
            headers += [("Connection", "Upgrade"), ("Upgrade", "websocket")]
        target = target.replace(self.path, stored_path(self.path, self.last), 1)
        self.sim.clear()
        if self.body and self.path == "/v1/responses":
            self.body = answered_here(self.body, self.last)
        raw = None if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()
        self.answer = self.daemon.ask(self.request["method"], target, headers, raw, token)
        self.seen = self.sim.requests()
        if self.request.get("upgrade"):
            return [] if (self.answer.status, self.answer.header("Allow")) == (405, "POST") else ["no 405"]
        if self.body and self.path.startswith("/v1/messages"):
            return self.messages()
        if self.answer.status != 200:
            return [f"{self.answer.status} {self.answer.body.decode()[:200]}"]
        if self.body is None:
            return self.models() if "/models" in self.path else [] if self.last.get("id", "-") in self.answer.body.decode() else ["another"]
        if self.path == "/v1/responses":
            return self.responses()
        return self.native(raw) if native else self.embeddings() if "input" in self.body else self.chat()

    def models(self):
        told = json.loads(self.answer.body)
        if "anthropic-version" in self.request.get("headers", {}):
            return [] if told["data"] and told["has_more"] is False else ["not in Anthropic's form"]
        if "x-goog-api-client" in self.request.get("headers", {}):
            return [] if "models" in told or "name" in told else ["not in Google's form"]
        kind = "ListModelsResponse" if "data" in told else "Model"
        return schemas("openai").faults(kind, told)

    def native(self, raw):
        if [r.body for r in self.seen] != [raw.decode()]:
            return ["the body is another one"]
        out = judge.upstream(self.seen[0].target, raw.decode())
        if "generate" in self.path.lower() and SAYS[:3] not in self.answer.body.decode():
            out.append("no answer")
        return out

    def chat(self):
        out = lost.chat(self.body, json.loads(self.seen[0].body))
        text = self.answer.body.decode()
        if self.body.get("stream"):
            chunks = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
            text = "".join(c["delta"].get("content") or "" for k in chunks for c in k["choices"])
        return out if SAYS in text else [*out, "no answer"]

    def messages(self):
        """A request with a thread is refused so that its SDK sends it again without one."""
        answer = json.loads(self.answer.body) if self.answer.status != 200 or not self.body.get("stream") else None
        if "thread" in self.body:
            details = answer["error"].get("details") if self.answer.status == 400 else None
            return [] if details == {"error_code": "thread_unsupported_request", "unsupported": ["thread"]} else [f"{answer}"]
        if self.answer.status != 200:
            return [f"{self.answer.status} {answer}"]
        upstream = json.loads(self.seen[0].body)
        if self.path.endswith("/count_tokens"):
            return lost.messages(self.body, upstream["generateContentRequest"]) + ([] if answer["input_tokens"] else ["no number"])
        if answer is None:
            events = [e for _, e in strict_messages.events_of(self.answer.body.decode())]
            text = "".join(e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta")
        else:
            text = "".join(b.get("text", "") for b in answer["content"])
        out = lost.messages(self.body, upstream)
        return out if SAYS in text else [*out, "no answer"]

    def responses(self):
        text = self.answer.body.decode()
        if self.body.get("stream"):
            events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
            answer = events[-1]["response"]
        else:
            answer = json.loads(text)
        self.last.update(answer)
        out = [] if "previous_response_id" in self.body else lost.responses(self.body, json.loads(self.seen[0].body))
        return out if SAYS in json.dumps(answer["output"]) else [*out, "no answer"]

    def embeddings(self):
        out = lost.embeddings(self.body, [json.loads(r.body) for r in self.seen])
        told = json.loads(self.answer.body)
        out += schemas("openai").faults("CreateEmbeddingResponse", told) if self.plain() else []
        asked = self.body["input"]
        if len(told["data"]) != (1 if isinstance(asked, str) else len(asked)):
            out.append(f"{len(told['data'])} vectors")
        for i, one in enumerate(told["data"]):
            values = one["embedding"] if self.plain() else unpacked(one["embedding"])
            if one["index"] != i or len(values) != self.body.get("dimensions", 3072):
                out.append(f"vector {i} is no. {one['index']} and has {len(values)} numbers")
            if not math.isclose(math.sqrt(sum(v * v for v in values)), 1, rel_tol=1e-4):
                out.append(f"vector {i} is not of length 1")
        return out

    def plain(self):
        return self.body.get("encoding_format") != "base64"


def stored_path(path, last):
    """The path of a stored response is that of gemgate's last one."""
    return "/v1/responses/" + last["id"] if path.startswith("/v1/responses/resp_") else path


def answered_here(body, last):
    """The request, with ids of gemgate's last response in the place of those of the recorded server."""
    texts = [i for i in last.get("output", []) if i["type"] == "message"]
    if body.get("previous_response_id"):
        body = body | {"previous_response_id": last["id"]}
    if isinstance(body.get("input"), list) and texts:
        body = body | {"input": [i | {"id": texts[0]["id"]} if i.get("type") == "item_reference" else i for i in body["input"]]}
    return body


def unpacked(text):
    data = base64.b64decode(text)
    return struct.unpack(f"<{len(data) // 4}f", data)


@pytest.mark.parametrize("client", CLIENTS)
def test_client(daemon, sim, client):
    # The signatures are those of another simulator.
    sim.script(f'signatures any\n* : text "{SAYS}"')
    found, last = {}, {}
    for request in json.loads((FOLDER / f"{client}.json").read_text()):
        if faults := Play(daemon, sim, request, last).faults():
            found[f"{client}/{request['name']}"] = faults
    known = {name for name in NOT_YET if name.split("/")[0] == client}
    new = {name: faults for name, faults in found.items() if name not in known}
    assert not new, "\n".join(f"{name}: {'; '.join(faults)}" for name, faults in new.items())
    works = known - set(found)
    assert not works, f"remove it from the list NOT_YET: {', '.join(sorted(works))}"


def test_the_list_names_what_there_is():
    there = {f"{c}/{r['name']}" for c in CLIENTS for r in json.loads((FOLDER / f"{c}.json").read_text())}
    assert set(NOT_YET) <= there
