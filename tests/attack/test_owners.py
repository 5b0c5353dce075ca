# SPDX-License-Identifier: MIT
"""Two clients of one gemgate: what one has made does not exist for the other, by no row of the table of paths and in no place of a
body, before a restart and after it."""
import json
import re

import pytest

from house import SECRETS
from test_files import Files
from test_injected import ROWS
from test_paths import KINDS, MODEL, POOL, PROJECTS, Api, project_of

pytestmark = pytest.mark.unjudged
TOKENS = json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])
GOOGLE = "https://generativelanguage.googleapis.com/"
LONG = {"displayName": "x" * 300_000}  # the worker reads it
VEO = "models/veo-3.1"


def make_all(daemon):
    """{kind: id} of the first client's."""
    api = Api(daemon)
    made = {kind: api.make(kind).split("/")[1] for kind in KINDS}
    made["files"] = Files(daemon).upload()["name"].split("/")[1]
    made["cachedContents"] = Files(daemon).cache()["name"].split("/")[1]
    made["operations"] = api.ask("POST", f"/v1beta/{VEO}:predictLongRunning", {"instances": [{"prompt": "x"}]})["name"].split("/")[-1]
    made["uploads"] = re.search(r"upload_id=(\w+)", Files(daemon).start()).group(1)
    return made


def of_kinds(made):
    """Each row of the table that has an id of what was made: (method, target, body, headers)."""
    for row in ROWS:
        before, kind, rest = re.match(r"((?:/\w+)?/v1beta/|)(\w+)(.*)", row.path).groups()
        before = before or "/v1beta/"
        if kind == "models" and "/operations/" in rest:
            yield row.method, f"/v1beta/{VEO}/operations/{made['operations']}", None, ()
        elif kind in made and rest.startswith("/x"):
            query = "?alt=media" if "/media/" in rest else row.query
            yield row.method, before + kind + "/" + made[kind] + rest[2:] + query, row.body, row.headers
        if row.path.startswith("/upload/") and row.method == "POST" and not rest:
            for command in ("upload", "upload, finalize", "finalize", "query", "cancel", "start"):
                headers = (("X-Goog-Upload-Command", command), ("X-Goog-Upload-Offset", "0"))
                yield "POST", f"{row.path}?upload_id={made['uploads']}&upload_protocol=resumable", b"x", headers


GENERATE, COUNT = f"models/{MODEL}:generateContent", f"models/{MODEL}:countTokens"
BATCH, EMBED = f"models/{MODEL}:batchGenerateContent", f"models/{MODEL}:asyncBatchEmbedContent"
TEXT = {"role": "user", "parts": [{"text": "Hi"}]}
URIS = ("files/{files}", GOOGLE + "v1beta/files/{files}", GOOGLE + "v1/files/{files}")


def parts(*more):
    return {"contents": [{"role": "user", "parts": [*more, {"text": "Hi"}]}]}


def places():
    """(target, body, the kind whose id is in it)."""
    for uri in URIS:
        file = {"fileData": {"fileUri": uri, "mimeType": "text/plain"}}
        snake = {"file_data": {"file_uri": uri, "mime_type": "text/plain"}}
        requests = {"requests": {"requests": [{"request": parts({"text": "a"})}, {"request": parts(file)}]}}
        document = {"type": "document", "uri": uri, "mime_type": "text/plain"}
        step = {"type": "user_input", "content": [{"type": "text", "text": "a"}, document]}
        for path, body in (
            (GENERATE, parts(file)), (GENERATE, parts(snake)), (GENERATE, {**parts(), "systemInstruction": {"parts": [file]}}),
            (GENERATE, parts({"functionResponse": {"name": "f", "response": {}, "parts": [file]}})), (COUNT, parts(file)),
            (COUNT, {"generateContentRequest": {"model": f"models/{MODEL}", **parts(file)}}),
            (COUNT, {"generate_content_request": {"model": f"models/{MODEL}", **parts(snake)}}),
            ("cachedContents", {"model": f"models/{MODEL}", **parts(file)}), (BATCH, {"batch": {"inputConfig": requests}}),
            (BATCH, {"batch": {"input_config": requests}}), (f"{VEO}:predictLongRunning", {"instances": [{"video": {"uri": uri}}]}),
            (f"{VEO}:predictLongRunning", {"instances": [{"prompt": "x"}], "parameters": {"video": {"uri": uri}}}),
            ("interactions", {"model": MODEL, "input": document}), ("interactions", {"model": MODEL, "input": [document]}),
            ("interactions", {"model": MODEL, "input": [step]}), ("decisions", {"model": MODEL, "input": [document]}),
            ("interactions", {"model": MODEL, "input": [{"type": "function_result", "result": [document]}]}),
            ("triggers", {"interaction": {"agent": "deep-research", "input": [step]}}),
            (EMBED, {"batch": {"inputConfig": {"requests": {"requests": [{"request": {"content": {"parts": [file]}}}]}}}}),
        ):
            yield path, body, "files"
    for member in ("fileName", "file_name"):
        for path in (BATCH, EMBED):
            for config in ("inputConfig", "input_config"):
                yield path, {"batch": {config: {member: "files/{files}"}}}, "files"
        yield "fileSearchStores/mine:importFile", {member: "files/{files}"}, "files"
    for member in ("cachedContent", "cached_content"):
        cached = {member: "cachedContents/{cachedContents}"}
        yield GENERATE, {**parts(), **cached}, "cachedContents"
        yield COUNT, {"generateContentRequest": {"model": f"models/{MODEL}", **parts(), **cached}}, "cachedContents"
        yield BATCH, {"batch": {"inputConfig": {"requests": {"requests": [{"request": {**parts(), **cached}}]}}}}, "cachedContents"
        yield "interactions", {"model": MODEL, "input": "x", **cached}, "cachedContents"
    for tool in ({"fileSearch": {"fileSearchStoreNames": ["{s}"]}}, {"file_search": {"file_search_store_names": ["fileSearchStores/none", "{s}"]}}):
        tool = json.loads(json.dumps({"tools": [tool]}).replace("{s}", "fileSearchStores/{fileSearchStores}"))
        yield GENERATE, {**parts(), **tool}, "fileSearchStores"
        yield "cachedContents", {"model": f"models/{MODEL}", **parts(), **tool}, "fileSearchStores"
        yield BATCH, {"batch": {"inputConfig": {"requests": {"requests": [{"request": {**parts(), **tool}}]}}}}, "fileSearchStores"
    searched = [{"type": "file_search", "file_search_store_names": ["fileSearchStores/{fileSearchStores}"]}]
    yield "interactions", {"model": MODEL, "input": "x", "tools": searched}, "fileSearchStores"
    yield "agents", {"tools": searched}, "fileSearchStores"
    for member, kind in (("previous_interaction_id", "interactions"), ("previousInteractionId", "interactions"), ("environment", "environments"),
                         ("environment_id", "environments"), ("agent", "agents")):
        for name in ("{%s}" % kind, "%s/{%s}" % (kind, kind)):
            who = {} if member == "agent" else {"model": MODEL}
            yield "interactions", {**who, "input": "x", member: name}, kind
            yield "triggers", {"interaction": {**who, "input": "x", member: name}}, kind
    yield "interactions", {"model": MODEL, "input": "x", "environment": {"type": "remote", "environment_id": "{environments}"}}, "environments"
    yield "triggers", {"environment_id": "{environments}", "interaction": {"agent": "deep-research", "input": "x"}}, "environments"
    yield "agents", {"base_agent": "{agents}"}, "agents"
    yield "agents", {"base_environment": "{environments}"}, "environments"
    yield "agents", {"base_environment": {"environment_id": "environments/{environments}"}}, "environments"
    yield "environments", {"from_environment": "environments/{environments}"}, "environments"
    yield "environments", {"env": {"A": {"credential": "{credentials}"}}}, "credentials"
    yield "environments", {"network": {"allowlist": [{"domain": "a", "credential": "credentials/{credentials}"}]}}, "credentials"
    yield "interactions", {"model": MODEL, "input": "x", "tools": [{"type": "mcp_server", "credential_id": "{credentials}"}]}, "credentials"
    yield "interactions", {"model": MODEL, "input": "x", "generation_config": {"speech_config": [{"voice": "{voices}"}]}}, "voices"
    yield BATCH, {"batch": {"model": "tunedModels/{tunedModels}"}}, "tunedModels"
    yield "tunedModels", {"tunedModelSource": {"tunedModel": "tunedModels/{tunedModels}"}}, "tunedModels"
    yield "tunedModels", {"tuned_model_source": {"tuned_model": "tunedModels/{tunedModels}"}}, "tunedModels"
    yield "cachedContents", {"model": "tunedModels/{tunedModels}", **parts()}, "tunedModels"


PLACES = list(places())


def filled(body, made):
    return json.loads(re.sub(r"\{(\w+)\}", lambda m: made[m.group(1)], json.dumps(body)))


def is_refused(sim, daemon, made):
    """The other client's requests, none of which goes upstream."""
    for n, (method, target, body, headers) in enumerate(of_kinds(made)):
        version = ("v1beta", "v1", "v1alpha")[n % 3]
        headers = [("x-goog-api-client", "x"), *headers]
        a = daemon.ask(method, target.replace("v1beta", version), headers, body, token="TOKEN2")
        assert a.status == (403 if "/auth_tokens" in target else 404), (method, target, headers, a.status, a.body)
    for target, body, kind in PLACES:
        for more in ({}, LONG):
            a = daemon.ask("POST", f"/v1beta/{target}", body=filled({**more, **body}, made), token="TOKEN2")
            assert a.status == 404, (target, body, len(more), a.status, a.body)
    assert [r.target for r in sim.requests()] == []


@pytest.fixture
def settings(sim, tmp_path):
    sim.script(PROJECTS)
    return dict(API_KEYS=POOL, ALLOWED_TOKENS=TOKENS, STATE_URL=f"sqlite:{tmp_path}/state.db")


def test_what_another_has_made(sim, start, settings):
    """Each row with an id, each place of a body; also of the upload that has begun; by a daemon that has it from its state, too."""
    d = start(**settings)
    made = make_all(d)
    assert {kind for _, _, kind in PLACES} <= set(made)
    for again in (False, True):
        sim.clear()
        is_refused(sim, d, made)
        for kind, name in made.items():
            if kind not in ("uploads", "operations", "interactions"):
                assert Api(d, "TOKEN2").ask("GET", f"/v1beta/{kind}") == {}, kind
        assert sim.requests() == []
        for kind, name in made.items():
            if kind not in ("uploads", "operations"):
                Api(d).ask("GET", f"/v1beta/{kind}/{name}")
        if not again:
            d.process.stop()
            d = start(**settings)
    a = Files(d).piece(f"http://h/upload/v1beta/files?upload_id={made['uploads']}", b"hello")
    assert a.header("X-Goog-Upload-Status") == "final"


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_what_its_owner_names(sim, start, settings, long):
    """In each place of a body, however long: the request goes to the project of what it names, as it is."""
    d = start(**settings)
    api, made, owners = Api(d), make_all(d), {}
    for r in sim.requests():
        kind = re.search(r"/v1beta/(\w+)", r.target).group(1)
        owners.setdefault(kind, r.header("x-goog-api-key"))
    sim.clear()
    for target, body, kind in PLACES:
        if target.startswith("fileSearchStores/mine"):
            continue
        body = json.dumps(filled({**(LONG if long else {}), **body}, made)).encode()
        for _ in range(3):
            d.ask("POST", f"/v1beta/{target}", body=body)
        seen = sim.requests()
        sim.clear()
        assert seen, (target, body[-500:])
        assert {r.header("x-goog-api-key") for r in seen} <= project_of(owners[kind]), (target, body[-500:])
        assert all(r.body == body.decode() for r in seen)
    assert api.ask("GET", f"/v1beta/files/{made['files']}")
