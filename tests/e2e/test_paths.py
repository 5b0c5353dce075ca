# SPDX-License-Identifier: MIT
"""Google's whole API by its table of paths: what a client makes belongs to one project and to that client, and nothing that
is not in the table goes upstream."""
import json
import re

import pytest

from house import SECRETS
from test_files import KEYS, MODEL, POOL, PROJECTS

REVISION = ("Api-Revision", "2026-05-20")
TOKENS = json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])

# kind: how it is made, Google's list of it, what is below it (GET), its verbs (method, behind its name, body)
KINDS = {
    "batches": (f"models/{MODEL}:batchGenerateContent", {"batch": {"displayName": "b"}}, "operations", [], [
        ("POST", ":cancel", None), ("PATCH", ":updateGenerateContentBatch?updateMask=priority", {"priority": "1"}),
        ("PATCH", ":updateEmbedContentBatch?updateMask=priority", {"priority": "1"})]),
    "tunedModels": ("tunedModels", {"displayName": "t"}, "tunedModels", ["operations", "operations/o", "permissions"], [
        ("PATCH", "?updateMask=displayName", {"displayName": "u"}), ("POST", ":transferOwnership", {"emailAddress": "a@b"}),
        ("POST", "/permissions", {"role": "READER"}), ("POST", ":generateContent", {"contents": [{"parts": [{"text": "Hi"}]}]}),
        ("POST", ":streamGenerateContent?alt=sse", {"contents": [{"parts": [{"text": "Hi"}]}]}),
        ("POST", ":countTokens", {"contents": []}), ("POST", ":embedContent", {"content": {}}),
        ("POST", ":batchEmbedContents", {"requests": []}), ("POST", ":predict", {"instances": []}),
        ("POST", ":predictLongRunning", {"instances": []}),
        ("POST", ":batchGenerateContent", {"batch": {}}), ("POST", ":asyncBatchEmbedContent", {"batch": {}})]),
    "fileSearchStores": ("fileSearchStores", {"displayName": "s"}, "fileSearchStores",
                         ["documents?pageSize=3", "operations/o", "upload/operations/o"],
                         [("POST", ":importFile", {"fileName": "files/nobodys"})]),
    "corpora": ("corpora", {"displayName": "c"}, "corpora", ["operations/o", "permissions"], [
        ("POST", "/permissions", {"role": "READER"})]),
    "interactions": ("interactions", {"model": MODEL, "input": "Hi"}, None, [], [
        ("POST", "/cancel", None), ("GET", "?include_input=true", None), ("GET", "?stream=true", None)]),
    "agents": ("agents", {"id": "my-agent", "base_agent": "deep-research"}, "agents", [], []),
    "environments": ("environments", {"mode": "x"}, "environments", ["files?recursive=true", "files/a/b.txt"], [("GET", ":get", None)]),
    "triggers": ("triggers", {"schedule": "* * * * *", "time_zone": "UTC"}, "triggers", ["executions?page_size=3"], [
        ("PATCH", "", {"display_name": "t"}), ("POST", "/executions", None)]),
    "voices": ("voices", {"type": "prompted"}, "voices", [], []),
    "webhooks": ("webhooks", {"uri": "https://example.com/", "name": "files/x"}, "webhooks", [], [
        ("PATCH", "?update_mask=uri", {"uri": "https://example.org/"}), ("POST", ":ping", None),
        ("POST", ":rotateSigningSecret", {})]),
    "credentials": ("credentials", {"type": "http_bearer"}, "credentials", [], [
        ("PATCH", "?update_mask=type", {"type": "oauth2"})]),
}


class Api:
    def __init__(self, daemon, token="TOKEN"):
        self.daemon, self.token = daemon, token

    def ask(self, method, target, body=None, headers=(), status=200):
        a = self.daemon.ask(method, target, headers, body, token=self.token)
        assert a.status == status, (method, target, a.status, a.body)
        return json.loads(a.body) if a.body and a.body.lstrip()[:1] == b"{" else a.body

    def make(self, kind, version="v1beta", **more):
        path, body, *_ = KINDS[kind]
        made = self.ask("POST", f"/{version}/{path}", {**body, **more}, [REVISION])
        return named(kind, made)

    def names(self, kind, query=""):
        member = KINDS[kind][2]
        page = self.ask("GET", f"/v1beta/{kind}{query}")
        assert set(page) <= {member, "nextPageToken", "next_page_token"}, page
        return [named(kind, x) for x in page.get(member, [])], page.get("nextPageToken") or page.get("next_page_token")


def named(kind, o):
    return f"{kind}/{o['id']}" if "id" in o else "/".join(o["name"].split("/")[:2])


def each_call(kind, name):
    """Each verb of the kind, but its deletion."""
    _, _, _, below, verbs = KINDS[kind]
    yield "GET", f"/v1beta/{name}", None
    for sub in below:
        yield "GET", f"/v1beta/{name}/{sub}", None
    for method, behind, body in verbs:
        yield method, f"/v1beta/{name}{behind}", body


def keys(sim):
    return [r.header("x-goog-api-key") for r in sim.requests()]


def project_of(key):
    return set(KEYS[1:3]) if key in KEYS[1:3] else {key}


@pytest.fixture
def daemon(sim, start):
    sim.script(PROJECTS)
    return start(API_KEYS=POOL, ALLOWED_TOKENS=TOKENS)


@pytest.fixture
def api(daemon):
    return Api(daemon)


@pytest.mark.unjudged
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_its_projects(sim, api, kind):
    """Whatever is asked about it goes to a key of the project that made it, as it is."""
    name = api.make(kind)
    mine = project_of(keys(sim)[-1])
    for round in range(3):  # any other choice would be another project by now
        for method, target, body in each_call(kind, name):
            sim.clear()
            api.ask(method, target, body, [REVISION])
            [r] = sim.requests()
            assert r.header("x-goog-api-key") in mine, target
            assert r.method == method
            assert r.target.replace("?alt=sse", "") == target.replace("?alt=sse", ""), target
            assert json.loads(r.body or "null") == body
    assert api.ask("DELETE", f"/v1beta/{name}") == {}
    assert keys(sim)[-1] in mine
    sim.clear()
    api.ask("GET", f"/v1beta/{name}", status=404)
    if KINDS[kind][2]:
        assert api.names(kind) == ([], None)


@pytest.mark.unjudged
@pytest.mark.parametrize("kind", KINDS)
def test_of_another_client(sim, daemon, api, kind):
    """Another client's does not exist: for no verb, and in no list. Nothing goes upstream."""
    name = api.make(kind)
    other, admin = Api(daemon, "TOKEN2"), Api(daemon, "ADMIN")
    calls = [*each_call(kind, name), ("DELETE", f"/v1beta/{name}", None)]
    sim.clear()
    for method, target, body in calls:
        for version in ("v1beta", "v1", "v1alpha"):
            e = other.ask(method, target.replace("v1beta", version), body, [("x-goog-api-client", "x")], status=404)
            assert e["error"]["status"] == "NOT_FOUND" and name not in json.dumps(e)
    if KINDS[kind][2]:
        assert other.names(kind) == ([], None)
    assert sim.requests() == []
    admin.ask("GET", f"/v1beta/{name}")
    api.ask("GET", f"/v1beta/{name}")


@pytest.mark.parametrize("body", [
    {"model": MODEL, "input": "Hi", "previous_interaction_id": "{interactions}"},
    {"model": MODEL, "input": "Hi", "previousInteractionId": "interactions/{interactions}"},
    {"agent": "{agents}", "input": "Hi"},
    {"agent": "agents/{agents}", "input": "Hi"},
    {"model": MODEL, "input": "Hi", "environment": "{environments}"},
    {"model": MODEL, "input": "Hi", "environment": {"environment_id": "{environments}"}},
    {"model": MODEL, "input": "Hi", "tools": [{"type": "file_search", "file_search_store_names": ["fileSearchStores/{fileSearchStores}"]}]},
    {"model": MODEL, "input": [{"type": "user_input", "content": [{"type": "document", "uri": "files/{files}"}]}]},
    {"model": MODEL, "input": [{"type": "function_result", "result": [{"type": "image", "uri": "{uri}"}]}]},
])
@pytest.mark.unjudged
def test_named_in_a_body(sim, daemon, api, body):
    """A name in a body limits the request to its project; another client's is refused before anything is sent."""
    made = {kind: api.make(kind).split("/")[1] for kind in ("interactions", "agents", "environments", "fileSearchStores")}
    file = api.ask("POST", "/v1beta/cachedContents", {"model": f"models/{MODEL}"})
    made["files"], made["uri"] = upload(daemon)
    owners = {}
    for r in sim.requests():
        kind = re.search(r"/v1beta/(\w+)", r.target).group(1)
        owners[kind] = r.header("x-goog-api-key")
    assert file["name"]
    text = json.dumps(body)
    kind = re.search(r"\{(\w+)\}", text).group(1)
    text = re.sub(r"\{(\w+)\}", lambda m: made[m.group(1)], text)
    kind = "files" if kind == "uri" else kind
    sim.clear()
    a = Api(daemon, "TOKEN2").ask("POST", "/v1beta/interactions", text.encode(), status=404)
    assert a["error"]["status"] == "NOT_FOUND" and sim.requests() == []
    for _ in range(3):
        api.ask("POST", "/v1beta/interactions", text.encode())
    assert len(sim.requests()) == 3 and set(keys(sim)) <= project_of(owners[kind])
    assert all(r.body == text for r in sim.requests())


def upload(daemon):
    from test_files import Files

    file = Files(daemon).upload()
    return file["name"].split("/")[1], file["uri"]


@pytest.mark.unjudged
def test_two_projects(sim, api):
    """Two names of different projects: no key could serve it."""
    names = [api.make("fileSearchStores") for _ in range(3)]
    owners = keys(sim)
    other = next(i for i in (1, 2) if owners[i] not in project_of(owners[0]))
    body = {"model": MODEL, "input": "x", "tools": [{"type": "file_search", "file_search_store_names": [names[0], names[other]]}]}
    generate = {"contents": [{"parts": [{"text": "x"}]}], "tools": [{"fileSearch": {"fileSearchStoreNames": [names[0], names[other]]}}]}
    sim.clear()
    for target, b in (("interactions", body), (f"models/{MODEL}:generateContent", generate)):
        e = api.ask("POST", f"/v1beta/{target}", b, status=400)
        assert "different Google projects" in e["error"]["message"]
    file, _ = upload(api.daemon)
    owner = keys(sim)[-1]
    foreign = next(n for n, k in zip(names, owners) if k not in project_of(owner))
    sim.clear()
    api.ask("POST", f"/v1beta/{foreign}:importFile", {"fileName": f"files/{file}"}, status=400)
    assert sim.requests() == []


@pytest.mark.unjudged
def test_list_is_merged_in_pages(sim, api):
    """Over all projects, each once, in pages of any size; after a deletion without it."""
    for kind in ("batches", "webhooks", "fileSearchStores"):
        sim.clear()
        made = sorted(api.make(kind) for _ in range(7))
        assert len({frozenset(project_of(k)) for k in keys(sim)}) == 3
        seen, token = [], ""
        size = "page_size" if kind == "webhooks" else "pageSize"
        while token is not None:
            page, token = api.names(kind, f"?{size}=3" + (f"&{size[:4]}{'_t' if '_' in size else 'T'}oken={token}" if token else ""))
            assert len(page) <= 3
            seen += page
        assert seen == made
        api.ask("DELETE", f"/v1beta/{made[3]}")
        assert api.names(kind, f"?{size}=50")[0] == made[:3] + made[4:]


@pytest.mark.unjudged
def test_after_a_restart(sim, start, tmp_path):
    sim.script(PROJECTS)
    settings = dict(API_KEYS=POOL, ALLOWED_TOKENS=TOKENS, STATE_URL=f"sqlite:{tmp_path}/state.db")
    d = start(**settings)
    api, made = Api(d), {}
    for kind in KINDS:
        made[kind] = (api.make(kind), project_of(keys(sim)[-1]))
    d.process.stop()
    d = start(**settings)
    for kind, (name, mine) in made.items():
        sim.clear()
        Api(d, "TOKEN2").ask("GET", f"/v1beta/{name}", status=404)
        assert sim.requests() == []
        Api(d).ask("GET", f"/v1beta/{name}")
        assert keys(sim)[0] in mine


@pytest.mark.unjudged
def test_name_that_another_has_chosen(sim, daemon, api):
    """An id that the client chooses is one of all clients of gemgate: whose it is stays clear."""
    api.make("agents")
    sim.clear()
    e = Api(daemon, "TOKEN2").ask("POST", "/v1beta/agents", {"id": "my-agent"}, status=409)
    assert "choose another" in e["error"]["message"] and sim.requests() == []
    assert api.ask("POST", "/v1beta/agents", {"id": "my-agent"}, status=409)["error"]["message"].startswith("Requested")
    assert len(sim.requests()) == 1, "its project has refused it"
    api.ask("POST", "/v1beta/tunedModels?tunedModelId=mine", {})
    sim.clear()
    other = Api(daemon, "TOKEN2")
    for query in ("tunedModelId=mine", "TUNEDMODELID=mine", "tuned_model_id=mine", "tunedModelId=%6dine", "tunedModelId=a&tunedModelId=mine",
                  "tunedModelId=mine&tunedModelId=a", "tunedModelId=tunedModels/mine"):
        other.ask("POST", f"/v1beta/tunedModels?{query}", {}, status=409)
    long = b'{"description":"%s",' % (b"x" * 300_000)  # which the worker reads
    for begin in (b"{", long):
        for rest in (b'"id":"my-agent"}', b'"id":"my\\u002dagent"}', b'"id":"a","id":"my-agent"}', b'"id":"my-agent","id":"a"}',
                     b'"id":"agents/my-agent"}'):
            other.ask("POST", "/v1beta/agents", begin + rest, status=409)
        other.ask("POST", "/v1beta/tunedModels", begin + b'"name":"tunedModels/mine"}', status=409)
        other.ask("POST", "/v1beta/agents", begin + b'"id":"a",' * 400 + b'"x":1}', status=400)
    other.ask("GET", "/v1beta/tunedModels/mine", status=404)
    assert sim.requests() == []
    api.ask("GET", "/v1beta/tunedModels/mine")
    api.ask("GET", "/v1beta/agents/my-agent")


@pytest.mark.unjudged
def test_what_google_makes_is_the_clients(sim, daemon, api):
    """The results of a batch, and a video: files that no client has uploaded."""
    batch = api.make("batches")
    owner = project_of(keys(sim)[-1])
    results = api.ask("GET", f"/v1beta/{batch}")["metadata"]["output"]["responsesFile"]
    operation = api.ask("POST", f"/v1beta/models/veo-3.1:predictLongRunning", {"instances": [{"prompt": "x"}]})["name"]
    maker = project_of(keys(sim)[-1])
    sim.clear()
    other = Api(daemon, "TOKEN2")
    other.ask("GET", f"/v1beta/{results}", status=404)
    other.ask("GET", f"/v1beta/{operation}", status=404)
    assert sim.requests() == []
    for _ in range(3):
        assert api.ask("GET", f"/v1beta/{operation}")["done"]
    assert set(keys(sim)) <= maker
    assert [o["name"] for o in api.ask("GET", "/v1beta/models/veo-3.1/operations")["operations"]] == [operation]
    sim.clear()
    other.ask("GET", "/v1beta/files/video1", status=404)
    assert sim.requests() == []
    api.ask("GET", f"/v1beta/{results}", status=404)  # the simulator has none of that name
    assert keys(sim)[0] in owner


@pytest.mark.unjudged
def test_what_google_makes_is_not_of_who_asks(sim, daemon, api):
    """Others may ask: an admin for any batch, everyone for what gemgate has forgotten. The files stay those of the maker."""
    admin, other = Api(daemon, "ADMIN"), Api(daemon, "TOKEN2")
    batch = api.make("batches")
    results = admin.ask("GET", f"/v1beta/{batch}")["metadata"]["output"]["responsesFile"]
    api.ask("GET", f"/v1beta/{batch}")
    sim.clear()
    other.ask("GET", f"/v1beta/{results}", status=404)
    assert sim.requests() == []
    sim.script(PROJECTS + """
method=files.get : json {"name":"files/old","uri":"https://generativelanguage.googleapis.com/v1beta/files/old"}
method=batches.get : json {"name":"batches/old","metadata":{"output":{"responsesFile":"files/results"}}}
""")
    for path in ("files/old", "batches/old", "files/results"):
        for client in (other, api):
            client.ask("GET", f"/v1beta/{path}")
    assert len(sim.requests()) == 6


@pytest.mark.unjudged
@pytest.mark.parametrize("headers,url", [
    ([], "http://gemgate.test"), ([("Host", "gate.example:8443"), ("X-Forwarded-Proto", "https")], "https://gate.example:8443"),
    ([("Host", "a b")], None), ([("x-goog-api-client", "google-genai-sdk/3.6.1 gl-python/3.11")], None),
    ([("x-goog-api-client", "google-genai-sdk/3.6.1"), ("X-Forwarded-Proto", "https")], "https://gemgate.test"),
])
def test_urls_become_gemgates(sim, start, headers, url):
    """Those of the content of a file. Google's SDK takes the name from it, if it begins with https, and asks its own base URL."""
    api = Api(start(TRUSTED_PROXIES='["127.0.0.1"]'))
    operation = api.ask("POST", "/v1beta/models/veo-3.1:predictLongRunning", {"instances": [{"prompt": "x"}]})["name"]
    a = api.ask("GET", f"/v1beta/{operation}", headers=[*headers, ("X-Forwarded-For", "127.0.0.1")])
    google = "https://generativelanguage.googleapis.com"
    assert a["response"]["video"]["uri"] == f"{url or google}/v1beta/files/video1:download?alt=media"
    a = api.ask("GET", "/v1beta/models/veo-3.1/operations", headers=[*headers, ("X-Forwarded-For", "127.0.0.1")])
    assert a["operations"][0]["response"]["video"]["uri"].startswith(url or google)


@pytest.mark.unjudged
def test_operation_of_a_dynamic_model(sim, daemon, api):
    operation = api.ask("POST", "/v1beta/dynamic/d:predictLongRunning", {"instances": []})["name"]
    mine = project_of(keys(sim)[-1])
    Api(daemon, "TOKEN2").ask("GET", f"/v1beta/{operation}", status=404)
    for _ in range(3):
        assert api.ask("GET", f"/v1beta/{operation}")["done"]
    assert set(keys(sim)) <= mine


@pytest.mark.unjudged
def test_operation_of_a_tuned_model_is_of_its_owner(sim, daemon, api):
    """An admin who predicts with it does not become its owner."""
    name = api.make("tunedModels")
    operation = Api(daemon, "ADMIN").ask("POST", f"/v1beta/{name}:predictLongRunning", {"instances": []})["name"]
    for _ in range(3):
        assert api.ask("GET", f"/v1beta/{operation}")["name"] == operation
    Api(daemon, "TOKEN2").ask("GET", f"/v1beta/{operation}", status=404)


GENERATE = {"contents": [{"parts": [{"text": "Hi"}]}]}
NAMED = [  # where, a body that names one, the name
    ("interactions", {"model": MODEL, "input": "Hi", "previous_interaction_id": "x1"}, "interactions/x1"),
    ("interactions", {"model": MODEL, "input": "Hi", "previousInteractionId": "interactions/x1"}, "interactions/x1"),
    ("interactions", {"agent": "my-x1", "input": "Hi"}, "agents/my-x1"),
    ("interactions", {"model": MODEL, "input": "Hi", "environment": "x1"}, "environments/x1"),
    ("interactions", {"model": MODEL, "input": "Hi", "environment": {"environment_id": "x1"}}, "environments/x1"),
    ("interactions", {"model": MODEL, "input": "Hi", "cached_content": "cachedContents/x1"}, "cachedContents/x1"),
    ("interactions", {"model": MODEL, "input": [{"type": "document", "uri": "files/x1"}]}, "files/x1"),
    ("interactions", {"model": MODEL, "input": "Hi", "tools": [
        {"type": "file_search", "file_search_store_names": ["fileSearchStores/x1"]}]}, "fileSearchStores/x1"),
    ("interactions", {"model": MODEL, "input": "Hi", "generation_config": {"speech_config": [{"voice": "x1"}]}}, "voices/x1"),
    ("interactions", {"model": MODEL, "input": "Hi", "tools": [{"type": "mcp_server", "credential": "x1"}]}, "credentials/x1"),
    ("interactions", {"model": MODEL, "input": "Hi", "background": True, "stream": True, "previous_interaction_id": "x1"}, "interactions/x1"),
    (f"models/{MODEL}:generateContent", {**GENERATE, "cachedContent": "cachedContents/x1"}, "cachedContents/x1"),
    (f"models/{MODEL}:streamGenerateContent", {"contents": [{"parts": [{"fileData": {"fileUri": "files/x1"}}]}]}, "x1"),
    (f"models/{MODEL}:generateContent", {**GENERATE, "tools": [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/x1"]}}]},
     "fileSearchStores/x1"),
    (f"models/{MODEL}:batchGenerateContent", {"batch": {"inputConfig": {"fileName": "files/x1"}}}, "files/x1"),
    ("agents", {"id": "my-agent", "base_agent": "my-x1"}, "agents/my-x1"),
    ("triggers", {"interaction": {"agent": "my-x1", "input": "Hi"}}, "agents/my-x1"),
    ("cachedContents", {"model": "models/" + MODEL, "contents": [{"parts": [{"fileData": {"fileUri": "files/x1"}}]}]}, "x1"),
]
GOOGLES = {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}


@pytest.mark.unjudged
@pytest.mark.parametrize("path,body,name", NAMED)
def test_error_names_what_is_missing(sim, daemon, api, path, body, name):
    """In Google's form, and about no model: which stays usable."""
    answer = json.dumps({"error": GOOGLES})
    methods = ("generate", "stream", "*.create")
    sim.script(PROJECTS + "".join(f"method={m} : status 404 type=application/json body {json.dumps(answer)}\n" for m in methods))
    for _ in range(4):
        e = api.ask("POST", f"/v1beta/{path}", body, status=404)["error"]
        assert (e["code"], e["status"]) == (404, "NOT_FOUND")
        assert name in e["message"] and "model" not in e["message"], e
    assert len(sim.requests()) == 4, "no other key has it"
    sim.script(PROJECTS)
    api.ask("POST", f"/v1beta/models/{MODEL}:generateContent", GENERATE)
    stats = json.loads(daemon.ask("GET", "/stats", token="ADMIN").body)
    assert "missing" not in json.dumps(stats["model_summary"])


@pytest.mark.unjudged
def test_error_does_not_tell_whose_it_is(sim, daemon, api):
    """Another client's is refused in the words of what Google does not know."""
    made = {kind: api.make(kind).split("/")[1] for kind in ("interactions", "agents", "environments", "fileSearchStores")}
    other = Api(daemon, "TOKEN2")
    for more, kind in (({"previous_interaction_id": "%s"}, "interactions"), ({"agent": "%s"}, "agents"),
                       ({"environment": "%s", "voice": "v"}, "environments"),
                       ({"tools": [{"file_search_store_names": ["fileSearchStores/%s"]}], "voice": "v"}, "fileSearchStores")):
        body = json.dumps({"model": MODEL, "input": "x", **more})
        sim.script(PROJECTS)
        sim.clear()
        e = other.ask("POST", "/v1beta/interactions", (body % made[kind]).encode(), status=404)
        assert sim.requests() == []
        sim.script(PROJECTS + f"method=interactions.create : status 404 type=application/json body {json.dumps(json.dumps({'error': GOOGLES}))}\n")
        unknown = other.ask("POST", "/v1beta/interactions", (body % "my-x1").encode(), status=404)
        assert json.dumps(e).replace(made[kind], "ID") == json.dumps(unknown).replace("my-x1", "ID")
        assert f"{kind}/{made[kind]}" in e["error"]["message"]


@pytest.mark.unjudged
def test_error_of_a_missing_model_is_its_own(sim, api):
    """Whatever else the request names."""
    message = "models/x is not found for API version v1beta, or is not supported for generateContent."
    sim.script(PROJECTS + "method=interactions.create : status 404 type=application/json body "
               + json.dumps(json.dumps({"error": {**GOOGLES, "message": message}})) + "\n")
    e = api.ask("POST", "/v1beta/interactions", {"model": "x", "input": "Hi", "previous_interaction_id": "x1"}, status=404)
    assert "no such model" in e["error"]["message"]


@pytest.mark.unjudged
def test_predict(sim, daemon, api):
    """It counts on the model's quota, and another key is tried."""
    sim.script(PROJECTS + f"key={KEYS[0]} method=predict times=1 : error rpd\n")
    for _ in range(4):
        assert api.ask("POST", "/v1beta/models/imagen-9:predict", {"instances": [{"prompt": "x"}]})["predictions"]
    stats = json.loads(daemon.ask("GET", "/stats", token="ADMIN").body)
    assert stats["global_summary"]["total_requests_today"] == len(sim.requests())
    assert sum("imagen-9" in k["models"] for k in stats["api_key_stats"].values()) >= 3
    assert all(r.target == "/v1beta/models/imagen-9:predict" for r in sim.requests())


# --- what passes, and what does not ---


@pytest.mark.unjudged
def test_credentials_and_heads(sim, daemon, api):
    """Of the client's head only what the table has goes upstream, and none of its credentials in any form."""
    name = api.make("webhooks")
    sim.clear()
    token = SECRETS["TOKEN"]
    for headers, target in (
        ([("Authorization", f"Bearer {token}")], f"/v1beta/{name}"),
        ([("x-api-key", token)], f"/v1beta/{name}"),
        ([("x-goog-api-key", token)], f"/v1beta/{name}"),
        ([], f"/v1beta/{name}?key={token}"),
        ([], f"/v1beta/{name}?$key={token}"),
    ):
        a = daemon.ask("GET", target, [*headers, REVISION, ("Cookie", "a=b"), ("X-Goog-User-Project", "p"), ("Forwarded", "for=1"),
                                       ("X-Forwarded-Host", "h"), ("TE", "trailers"), ("X-Http-Method-Override", "DELETE")], token=None)
        assert a.status == 200, a.body
    for r in sim.requests():
        assert r.method == "GET" and r.target == f"/v1beta/{name}"
        heads = {n.lower(): v for n, v in r.headers.items()}
        assert set(heads) <= {"host", "user-agent", "accept", "x-goog-api-key", "content-type", "content-length", "api-revision", "connection"}, heads
        assert heads["x-goog-api-key"] in KEYS and heads["api-revision"] == REVISION[1]


@pytest.mark.unjudged
@pytest.mark.parametrize("query,passed", [
    ("pageSize=3&pageToken=a%2Fb", "pageSize=3&pageToken=a%2Fb"),
    ("pageSize=3&key=K&alt=media&$alt=sse&fields=x&access_token=t&callback=f&$.xgafv=2", "pageSize=3"),
    ("pageSize=3&page_token=b", "pageSize=3&page_token=b"),
    ("alt=sse&=3", ""),
])
def test_arguments(sim, api, query, passed):
    name = api.make("fileSearchStores")
    sim.clear()
    api.daemon.ask("GET", f"/v1beta/{name}/documents?{query.replace('key=K', 'key=' + SECRETS['TOKEN'])}", token=api.token)
    [r] = sim.requests()
    assert r.target == f"/v1beta/{name}/documents" + ("?" + passed if passed else "")


@pytest.mark.unjudged
@pytest.mark.parametrize("query", ["filter=x", "orderBy=name", "upload_id=1", "pagesize=3", "%70ageSize=3", "page__size=3"])
def test_arguments_of_lists_that_google_does_not_have(sim, api, query):
    """Google refuses them as well. For others than lists they are left out."""
    name = api.make("fileSearchStores")
    sim.clear()
    for path in ("fileSearchStores", f"{name}/documents", "files", "cachedContents", "corpora", "generatedFiles"):
        e = api.ask("GET", f"/v1beta/{path}?pageSize=3&{query}", status=400)
        assert f"Unknown name \"{query.split('=')[0]}\": Cannot bind query parameter." in e["error"]["message"]
    assert sim.requests() == []
    api.ask("GET", f"/v1beta/{name}?{query}")
    assert sim.requests()[0].target == f"/v1beta/{name}"


@pytest.mark.unjudged
def test_filters_that_gemgate_cannot_evaluate(sim, api):
    """It makes these lists itself. Without its filter a list would have what the client does not want."""
    for path in ("batches", "models/veo-3.1/operations", "triggers", "tunedModels"):
        e = api.ask("GET", f"/v1beta/{path}?filter=state%3Dactive", status=400)
        assert e["error"]["message"].startswith("filter is not served as it is: gemgate makes this list itself"), e
        assert api.ask("GET", f"/v1beta/{path}?filter=") == {}
    made = api.make("tunedModels")
    sim.clear()
    for query in ("filter=owner:me", "filter=owner%3Ame&page_size=5"):
        assert api.names("tunedModels", "?" + query)[0] == [made]
    assert "Only owner:me is." in api.ask("GET", "/v1beta/tunedModels?filter=readers:everyone", status=400)["error"]["message"]


@pytest.mark.unjudged
def test_filters_of_lists(sim, api):
    """What compares one member: any case, one of several values."""
    made = {}
    for voice, members in {"a": {"type": "prompted", "gender": "Female", "language_code": "en-US", "description": "Reads A"},
                           "b": {"type": "replicated", "gender": "male", "language_code": "de-DE", "display_name": "B reads"},
                           "c": {"type": "prompted"}}.items():  # fmt: skip
        made[api.make("voices", **members)] = voice
    for query, wanted in (("", "abc"), ("type=prompted", "ac"), ("type=PROMPTED&type=replicated", "abc"), ("gender=female", "a"),
                          ("gender=female&gender=MALE&type=replicated", "b"), ("languageCode=en-us", "a"), ("language_code=en%2DUS", "a"),
                          ("search=reads", "ab"), ("search=READS%20a", "a"), ("pitch=low", ""), ("gender=", "abc"), ("region_code=US", ""),
                          ("type=prebuilt&type=prompted", "ac")):  # fmt: skip
        found, token = api.names("voices", f"?page_size=50&{query}")
        assert ("".join(sorted(made[n] for n in found)), token) == (wanted, None), query
    found, token = api.names("voices", "?page_size=1&gender=male")  # pages without any are passed over
    assert [made[n] for n in found] == ["b"]
    a, b = api.make("environments", mode="EPHEMERAL"), api.make("environments", mode="PERSISTENT")
    assert api.names("environments", "?mode=ephemeral")[0] == [a]
    assert api.ask("GET", "/v1beta/environments:list?mode=persistent")["environments"][0]["id"] == b.split("/")[1]
    api.ask("GET", f"/v1beta/voices?search={'x' * 600}", status=400)
    api.make("agents")
    assert api.names("agents", "?parent=projects/p/locations/l")[0] == ["agents/my-agent"]


@pytest.mark.unjudged
def test_a_part_of_a_list(sim, api):
    """returnPartialSuccess: what cannot be reached is named, and the list has the rest."""
    made = [api.make("batches") for _ in range(6)]
    lost = [n for n, k in zip(made, keys(sim)) if k == KEYS[0]]
    assert lost and len(lost) < 6
    sim.script(PROJECTS + f"key={KEYS[0]} method=* : error api_disabled\n")
    api.ask("GET", "/v1beta/batches?returnPartialSuccess=false", status=503)
    for name in ("returnPartialSuccess", "return_partial_success"):
        page = api.ask("GET", f"/v1beta/batches?{name}=true")
        assert sorted(o["name"] for o in page["operations"]) == sorted(set(made) - set(lost))
        assert sorted(page["unreachable"]) == sorted(lost) and set(page) == {"operations", "unreachable"}
    pages, token = [], ""
    while token is not None:
        page = api.ask("GET", f"/v1beta/batches?returnPartialSuccess=true&pageSize=1&pageToken={token}")
        pages.append(page)
        token = page.get("nextPageToken")
    assert sorted(n for p in pages for n in p.get("unreachable", [])) == sorted(lost) and len(pages) == 6


@pytest.mark.unjudged
def test_operations_are_of_their_model(sim, api):
    made = {m: api.ask("POST", f"/v1beta/models/{m}:predictLongRunning", {"instances": []})["name"] for m in ("veo-3.1", "veo-3", "veo-9")}
    for model, name in made.items():
        page = api.ask("GET", f"/v1beta/models/{model}/operations")
        assert [o["name"] for o in page["operations"]] == [name]
    assert api.ask("GET", "/v1beta/models/veo/operations") == {}


@pytest.mark.parametrize("method,path", [
    ("POST", "/v1beta/auth_tokens"), ("POST", "/v1alpha/auth_tokens"), ("POST", "/v1beta/interactions/i/auth_tokens"),
    ("DELETE", "/v1beta/interactions/i/auth_tokens/t"),
])
def test_ephemeral_tokens_are_refused(sim, api, method, path):
    e = api.ask(method, path, {} if method == "POST" else None, status=403)
    assert e["error"]["status"] == "PERMISSION_DENIED" and "past gemgate's limits" in e["error"]["message"]
    assert sim.requests() == []


NOT_THERE = """
GET /v1beta/nothing
GET /v1beta/file
GET /v1beta/files/a/b
GET /v1beta/Batches
POST /v1beta/batches/b:delete
POST /v1beta/models/m:tuneModel
POST /v1beta/models/m:computeTokens
POST /v1beta/webhooks/w:delete
GET /v1beta/interactions/i/steps
POST /v1beta/fileSearchStores/s:uploadToFileSearchStore
POST /v1beta/projects/p/locations/l:predict
GET /v1beta/tuningJobs
GET /v1beta/operations/x
GET /v1beta/corpora/c/permissions/p/q
POST /v1beta/credentials/c:reveal
GET /v1beta/..%2Fv1beta/batches
GET /v1beta/batches%2F..%2Ffiles/x
GET /v1beta2/batches
GET /download/v1beta/batches/x
POST /upload/v1beta/batches
POST /batch
GET /$discovery/rest
""".split("\n")[1:-1]


@pytest.mark.parametrize("line", NOT_THERE)
def test_not_in_the_table(sim, api, line):
    """Nothing unknown goes upstream with a key; the answer is a 404 in Google's form."""
    method, path = line.split()
    a = api.daemon.ask(method, path, [("x-goog-api-client", "x")], {} if method == "POST" else None, token="TOKEN")
    e = json.loads(a.body)["error"]
    assert a.status == 404 and "Invalid URL" in e["message"] or "methods served here" in e["message"]
    if path.startswith(("/v1beta/", "/upload/", "/download/")):
        assert e["status"] == "NOT_FOUND"
    assert sim.requests() == []


@pytest.mark.parametrize("path", ["/v1beta/batches/x", "/v1beta/agents", "/v1beta/fileSearchStores/s/documents", "/v1beta/webhooks/w:ping"])
def test_other_methods(sim, api, path):
    for method in ("PUT", "TRACE", "OPTIONS", "PROPFIND"):
        a = api.daemon.ask(method, path, [("x-goog-api-client", "x")], token="TOKEN")
        assert a.status in (405, 501, 400) and a.header("Allow")
    assert sim.requests() == []


def test_openais_batches(sim, api):
    """The same path, in the form of another protocol."""
    a = api.daemon.ask("GET", "/v1/batches", token="TOKEN")
    assert a.status == 404 and "type" in json.loads(a.body)["error"]
    assert api.daemon.ask("GET", "/v1/batches", [("x-goog-api-client", "x")], token="TOKEN").status == 200
