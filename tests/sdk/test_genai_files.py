# SPDX-License-Identifier: MIT
"""Files and cached contents with Google's own SDKs, whose uploads go to the returned URL, in pieces of 8 MiB."""
import base64
import json

import pytest

import genais
import transfer
from house import SECRETS
from test_genai import HI, MODEL, bad, good

GENAIS = genais.all_genais()
MIB = 1 << 20


@pytest.fixture(params=GENAIS, ids=[g.name for g in GENAIS])
def genai(request):
    return request.param


def keys(sim):
    return [r.header("x-goog-api-key") for r in sim.requests()]


@pytest.fixture
def text(tmp_path):
    def write(content="hello"):
        (tmp_path / "a.txt").write_text(content)
        return str(tmp_path / "a.txt")

    return write


def test_a_file(genai, sim, daemon, text):
    file = good(genai.call("upload", daemon, {"path": text(), "config": {"displayName": "A", "mimeType": "text/plain"}}))
    assert (file["displayName"], file["mimeType"], file["state"], int(file["sizeBytes"])) == ("A", "text/plain", "ACTIVE", 5)
    assert [r.body for r in sim.requests()][-1] == "hello"
    assert good(genai.call("file_get", daemon, {"name": file["name"]}))["uri"] == file["uri"]
    part = {"fileData": {"fileUri": file["uri"], "mimeType": "text/plain"}}
    for _ in range(3):
        good(genai.call("generate", daemon, {"model": MODEL, "contents": [{"role": "user", "parts": [part, {"text": "Hi"}]}]}))
    assert len(set(keys(sim))) == 1
    assert [f["name"] for f in good(genai.call("file_list", daemon, {}))] == [file["name"]]
    good(genai.call("file_delete", daemon, {"name": file["name"]}))
    assert good(genai.call("file_list", daemon, {})) == []
    assert "File" in bad(genai, genai.call("file_get", daemon, {"name": file["name"]}), 404, "NOT_FOUND")


def test_larger_than_a_body_may_be(genai, sim, start, text):
    """Each piece is a separate request: MAX_BODY does not limit the file."""
    d = start(MAX_BODY="9M")
    path = text("x" * (20 * MIB))
    file = good(genai.call("upload", d, {"path": path, "config": {"mimeType": "text/plain"}}))
    assert int(file["sizeBytes"]) == 20 * MIB
    sent = [r for r in sim.requests() if "upload_id" in r.target]
    assert [r.header("x-goog-upload-offset") for r in sent] == ["0", str(8 * MIB), str(16 * MIB)]
    assert len(set(keys(sim))) == 1


def test_a_large_file_up_and_down(genai, sim, start, tmp_path):
    """Each of its pieces passes through, and what comes back is it, byte for byte."""
    d = start(MAX_BODY="1M")
    size = 30 * MIB + 12345
    given, taken = tmp_path / "given", tmp_path / "taken"
    given.write_bytes(b"".join(transfer.content(size)))
    file = good(genai.call("upload", d, {"path": str(given), "config": {"mimeType": "video/mp4"}}))
    expected = transfer.digest(transfer.content(size))
    assert (int(file["sizeBytes"]), base64.b64decode(file["sha256Hash"]).decode()) == (size, expected)
    good(genai.call("file_download", d, {"name": file["name"], "path": str(taken)}))
    assert transfer.digest([taken.read_bytes()]) == expected
    assert len(set(keys(sim))) == 1


def test_a_document_of_a_store(genai, sim, daemon, tmp_path):
    store = json.loads(daemon.ask("POST", "/v1beta/fileSearchStores", [], {"displayName": "S"}).body)["name"]
    path = tmp_path / "a.txt"
    path.write_bytes(b"".join(transfer.content(10 * MIB)))
    config = {"displayName": "D", "mimeType": "text/plain"}
    operation = good(genai.call("store_upload", daemon, {"store": store, "path": str(path), "config": config}))
    assert operation["name"].startswith(f"{store}/upload/operations/")
    sent = [r for r in sim.requests() if "upload_id" in r.target]
    assert [r.header("x-goog-upload-offset") for r in sent] == ["0", str(8 * MIB)]
    assert len(set(keys(sim))) == 1


def test_pages(genai, sim, daemon, text):
    made = sorted(good(genai.call("upload", daemon, {"path": text(), "config": {"mimeType": "text/plain"}}))["name"] for _ in range(5))
    assert [f["name"] for f in good(genai.call("file_list", daemon, {"config": {"pageSize": 2}}))] == made
    assert len({k for k in keys(sim)}) == 2, "of both projects"


def test_another_token(genai, sim, start, text):
    d = start(ALLOWED_TOKENS=json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]]))
    good(genai.call("upload", d, {"path": text(), "config": {"mimeType": "text/plain"}}))
    assert good(genai.call("file_list", d, {}, token=SECRETS["TOKEN2"])) == []


def test_a_cache(genai, sim, daemon):
    config = {"contents": [{"role": "user", "parts": [{"text": "long"}]}], "displayName": "C", "ttl": "600s"}
    cache = good(genai.call("cache_create", daemon, {"model": MODEL, "config": config}))
    name = cache["name"]
    assert good(genai.call("cache_get", daemon, {"name": name}))["displayName"] == "C"
    longer = good(genai.call("cache_update", daemon, {"name": name, "config": {"ttl": "6000s"}}))
    assert longer["expireTime"] > cache["expireTime"]
    for _ in range(3):
        good(genai.call("generate", daemon, HI | {"config": {"cachedContent": name}}))
    assert len(set(keys(sim))) == 1
    assert [c["name"] for c in good(genai.call("cache_list", daemon, {}))] == [name]
    good(genai.call("cache_delete", daemon, {"name": name}))
    assert good(genai.call("cache_list", daemon, {})) == []


def test_exhausted(genai, sim, daemon, text):
    """The project that has the file is spent: its own time, and no other project is asked for what it cannot see."""
    file = good(genai.call("upload", daemon, {"path": text(), "config": {"mimeType": "text/plain"}}))
    owner = keys(sim)[0]
    sim.script(f"key={owner}: error rpd")
    part = {"fileData": {"fileUri": file["uri"], "mimeType": "text/plain"}}
    out = genai.call("generate", daemon, {"model": MODEL, "contents": [{"role": "user", "parts": [part]}]})
    bad(genai, out, 429, "RESOURCE_EXHAUSTED")
    assert set(keys(sim)) == {owner}
