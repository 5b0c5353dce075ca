# SPDX-License-Identifier: MIT
"""Files and cached contents in the simulator: only keys of the project that made them see them."""
import json

import http1
from ask import MODEL, ask, connect, hello

RESUMABLE = [("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "start")]


def do(sim, method, path, key, body=None, headers=()):
    body = json.dumps(body).encode() if isinstance(body, dict) else body
    with connect(sim) as c:
        c.send(http1.compose(method, path, [*headers, ("x-goog-api-key", key)], body))
        a = c.read(method)
    return a, json.loads(a.body) if a.body else None


def test_upload_belongs_to_a_project(sim):
    sim.script("project K1 p\nproject K2 p")
    a, _ = do(sim, "POST", "/upload/v1beta/files", "K1", {"file": {"displayName": "d"}}, RESUMABLE)
    google, path = "https://generativelanguage.googleapis.com", a.header("x-goog-upload-url")
    assert path.startswith(google + "/upload/v1beta/files?upload_id=")
    path = path[len(google) :]
    piece = [("X-Goog-Upload-Command", "upload, finalize"), ("X-Goog-Upload-Offset", "0")]
    assert do(sim, "POST", path, "K3", b"hello", piece)[0].status == 404
    a, body = do(sim, "POST", path, "K2", b"hello", piece)
    file = body["file"]
    assert a.header("x-goog-upload-status") == "final" and (file["sizeBytes"], file["displayName"]) == ("5", "d")

    assert do(sim, "GET", "/v1beta/" + file["name"], "K1")[1] == file
    a, body = do(sim, "GET", "/v1beta/" + file["name"], "K3")
    assert a.status == 403 and "access the File" in body["error"]["message"]
    assert do(sim, "GET", "/v1beta/files", "K2")[1]["files"] == [file]
    assert do(sim, "GET", "/v1beta/files", "K3")[1]["files"] == []
    request = hello()
    request["contents"][0]["parts"].append({"fileData": {"fileUri": file["uri"], "mimeType": "text/plain"}})
    assert ask(sim, body=request, key="K2")[0].status == 200
    assert ask(sim, body=request, key="K3")[0].status == 403
    assert do(sim, "DELETE", "/v1beta/" + file["name"], "K3")[0].status == 403
    assert do(sim, "DELETE", "/v1beta/" + file["name"], "K1")[1] == {}
    assert ask(sim, body=request, key="K2")[0].status == 403


def test_pieces_in_their_order(sim):
    a, _ = do(sim, "POST", "/upload/v1beta/files", "K1", {}, RESUMABLE)
    path = a.header("x-goog-upload-url").split(".com")[1]
    piece = lambda at: [("X-Goog-Upload-Command", "upload"), ("X-Goog-Upload-Offset", str(at))]
    assert do(sim, "POST", path, "K1", b"abc", piece(0))[0].header("x-goog-upload-size-received") == "3"
    assert do(sim, "POST", path, "K1", b"abc", piece(0))[0].status == 400


def test_cached_content(sim):
    _, cache = do(sim, "POST", "/v1beta/cachedContents", "K1", {"model": "models/" + MODEL, "ttl": "60s"})
    assert ask(sim, body=hello(cachedContent=cache["name"]))[0].status == 200
    assert ask(sim, body=hello(cachedContent=cache["name"]), key="K2")[0].status == 403
    _, longer = do(sim, "PATCH", "/v1beta/" + cache["name"], "K1", {"ttl": "600s"})
    assert longer["expireTime"] > cache["expireTime"]


def test_rules_come_first(sim):
    sim.script("method=files.get: error overloaded")
    assert do(sim, "GET", "/v1beta/files/x", "K1")[0].status == 503
