# SPDX-License-Identifier: MIT
"""What clients make beside files, in the simulator: each verb, in the project that made it, and lists in pages."""
import json

import http1
import pytest
from ask import MODEL, connect

# kind: how it is made, whether it has a bare id, the member of its list, its verbs (method, behind its name, body, a member)
KINDS = {
    "batches": (f"models/{MODEL}:batchGenerateContent", {"batch": {"displayName": "b"}}, False, "operations", [
        ("POST", ":cancel", None, None), ("PATCH", ":updateGenerateContentBatch", {"priority": "1"}, None)]),
    "tunedModels": ("tunedModels?tunedModelId=mine", {"displayName": "t"}, False, "tunedModels", [
        ("POST", ":transferOwnership", {}, None), ("GET", "/operations/o", None, "done"),
        ("POST", ":generateContent", {}, "candidates"), ("POST", ":countTokens", {}, "totalTokens"),
        ("POST", ":embedContent", {}, "embedding"), ("POST", ":batchEmbedContents", {}, "embeddings"), ("POST", ":batchGenerateContent", {"batch": {}}, "metadata")]),
    "fileSearchStores": ("fileSearchStores", {"displayName": "s"}, False, "fileSearchStores", [
        ("POST", ":importFile", {"fileName": "files/x"}, "done"), ("GET", "/upload/operations/o", None, "done")]),
    "corpora": ("corpora", {"displayName": "c"}, False, "corpora", [("GET", "/operations/o", None, "done")]),
    "interactions": ("interactions", {"model": MODEL, "input": "Hi"}, True, "interactions", [
        ("POST", "/cancel", None, "steps")]),
    "agents": ("agents", {"id": "my-agent"}, True, "agents", []),
    "environments": ("environments", {"mode": "x"}, True, "environments", [
        ("GET", ":get", None, "id"), ("GET", "/files/a", None, "done")]),
    "triggers": ("triggers", {"schedule": "x"}, True, "triggers", [("POST", "/executions", None, "id")]),
    "voices": ("voices", {"type": "prompted"}, True, "voices", []),
    "webhooks": ("webhooks", {"uri": "https://example.com/"}, True, "webhooks", [
        ("POST", ":ping", None, None), ("POST", ":rotateSigningSecret", {}, "secret")]),
    "credentials": ("credentials", {"type": "oauth2"}, True, "credentials", []),
}


def do(sim, method, path, key="K1", body=None, status=200):
    body = json.dumps(body).encode() if body is not None else None
    with connect(sim) as c:
        c.send(http1.compose(method, "/v1beta/" + path, [("x-goog-api-key", key)], body))
        a = c.read(method)
    assert a.status == status, (method, path, a.body)
    return json.loads(a.body) if a.body.startswith(b"{") else a.body


def make(sim, kind, key="K1", **more):
    path, body, by_id, *_ = KINDS[kind]
    made = do(sim, "POST", path, key, {**body, **more})
    return f"{kind}/{made['id']}" if by_id else "/".join(made["name"].split("/")[:2])


@pytest.fixture
def projects(sim):
    sim.script("project K1 p\nproject K2 p")
    return sim


@pytest.mark.parametrize("kind", KINDS)
def test_each_verb(projects, kind):
    """By each key of its project; for another project's it does not exist."""
    _, _, by_id, member, verbs = KINDS[kind]
    name = make(projects, kind)
    got = do(projects, "GET", name, "K2")
    assert (got["id"] if by_id else got["name"]) == (name.split("/")[1] if by_id else name)
    for method, behind, body, has in verbs:
        answer = do(projects, method, name + behind, "K2", body)
        assert has is None or has in answer, (behind, answer)
        e = do(projects, method, name + behind, "K3", body, status=404)
        assert e["error"]["message"] == "Requested entity was not found."
    assert do(projects, "PATCH", name, "K2", {"x": 1, "name": "other"})["x"] == 1
    got = do(projects, "GET", name)
    assert got["x"] == 1 and got.get("name") != "other"
    assert got in do(projects, "GET", kind, "K2")[member] and do(projects, "GET", kind, "K3")[member] == []
    for method in ("GET", "PATCH", "DELETE"):
        do(projects, method, name, "K3", {} if method == "PATCH" else None, status=404)
    assert do(projects, "DELETE", name, "K2") == {}
    do(projects, "GET", name, status=404)
    assert name not in json.dumps(do(projects, "GET", kind)[member])


@pytest.mark.parametrize("kind", ["batches", "fileSearchStores", "webhooks", "voices"])
def test_list_in_pages(projects, kind):
    """Each once, in the order in which they were made; of other projects none."""
    _, _, by_id, member, _ = KINDS[kind]
    size, token = ("page_size", "page_token") if by_id else ("pageSize", "pageToken")
    made = [make(projects, kind) for _ in range(7)]
    make(projects, kind, "K3")
    for n, sizes in ((3, [3, 3, 1]), (7, [7]), (50, [7]), (1, [1] * 7)):
        seen, at = [], ""
        while at is not None:
            page = do(projects, "GET", f"{kind}?{size}={n}&{token}={at}", "K2")
            seen.append([f"{kind}/{x['id']}" if by_id else x["name"] for x in page[member]])
            at = page.get(f"next_{token}" if by_id else "nextPageToken")
        assert [len(page) for page in seen] == sizes and sum(seen, []) == made


def test_below_an_object(projects):
    """It is listed below it alone, and goes with it."""
    store, other = make(projects, "fileSearchStores"), make(projects, "fileSearchStores")
    for n in range(3):
        do(projects, "POST", f"{store}:importFile", body={"fileName": f"files/{n}"})
    page = do(projects, "GET", f"{store}/documents?pageSize=2")
    assert [d["fileName"] for d in page["documents"]] == ["files/0", "files/1"]
    rest = do(projects, "GET", f"{store}/documents?pageSize=2&pageToken={page['nextPageToken']}")
    assert [d["fileName"] for d in rest["documents"]] == ["files/2"] and "nextPageToken" not in rest
    assert do(projects, "GET", f"{other}/documents")["documents"] == []
    document = page["documents"][0]["name"]
    assert do(projects, "GET", document)["fileName"] == "files/0"
    do(projects, "DELETE", store)
    do(projects, "GET", document, status=404)
    trigger = make(projects, "triggers")
    do(projects, "POST", f"{trigger}/executions", body={})
    assert len(do(projects, "GET", f"{trigger}/executions")["trigger_executions"]) == 1


def test_chosen_id(projects):
    assert make(projects, "agents") == "agents/my-agent" and make(projects, "agents", "K3") == "agents/my-agent"
    do(projects, "POST", "agents", "K2", {"id": "my-agent"}, status=409)
    do(projects, "POST", "tunedModels?tunedModelId=t", body={})
    do(projects, "POST", "tunedModels?tunedModelId=t", body={}, status=409)


@pytest.mark.parametrize("more,named", [
    ({"previous_interaction_id": "{interactions}"}, "interactions"),
    ({"agent": "{agents}"}, "agents"),
    ({"environment": {"environment_id": "{environments}"}}, "environments"),
    ({"tools": [{"fileSearchStoreNames": ["fileSearchStores/{fileSearchStores}"]}]}, "fileSearchStores"),
])
def test_what_a_body_names(projects, more, named):
    """It has to be there, for the project of the key."""
    text = json.dumps({"model": MODEL, "input": "Hi", **more})
    here = json.loads(text.replace("{%s}" % named, make(projects, named).split("/")[1]))
    do(projects, "POST", "interactions", "K2", here)
    do(projects, "POST", "interactions", "K3", here, status=404)


def test_interaction(projects):
    """Whole, as a stream, in the background, and one that is not kept."""
    ask = {"model": MODEL, "input": "Hi"}
    assert do(projects, "POST", "interactions", body=ask)["status"] == "completed"
    kinds = [line[7:] for line in do(projects, "POST", "interactions", body={**ask, "stream": True}).decode().splitlines()
             if line.startswith("event: ")]
    assert kinds == ["interaction.created", "step.start", "step.delta", "step.stop", "interaction.completed", "done"]
    runs = do(projects, "POST", "interactions", body={**ask, "background": True})
    assert runs["status"] == "in_progress" and do(projects, "GET", f"interactions/{runs['id']}")["status"] == "completed"
    gone = do(projects, "POST", "interactions", body={**ask, "store": False})
    do(projects, "GET", f"interactions/{gone['id']}", status=404)
    assert do(projects, "POST", "decisions", body=ask)["usage"]["total_tokens"] == 7


def test_operation_of_a_model(projects):
    made = do(projects, "POST", "models/veo-3.1:predictLongRunning", body={"instances": []})["name"]
    assert made.startswith("models/veo-3.1/operations/")
    assert do(projects, "GET", made, "K2")["response"]["video"]["uri"].endswith("files/video1:download?alt=media")
    do(projects, "GET", made, "K3", status=404)
    assert do(projects, "POST", "models/imagen-4:predict", body={"instances": []})["predictions"]


def test_rules_come_first(projects):
    projects.script("method=agents.list: error overloaded")
    do(projects, "GET", "agents", status=503)
