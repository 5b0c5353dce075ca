# SPDX-License-Identifier: MIT
"""Files and cached contents: made with one project's key, and from then on asked for with that project's keys alone."""
import gzip
import http.server
import json
import re
import signal
import sqlite3
import threading
import time

import pytest

import house
import http1
import wait
from house import SECRETS, Daemon
from test_reload import Configured

MODEL = "gemini-3.8-flash"
GENERATE = f"/v1beta/models/{MODEL}:generateContent"
KEYS = [SECRETS[f"KEY{i}"] for i in range(1, 5)]
POOL = json.dumps([KEYS[0], {"key": KEYS[1], "project": "p"}, {"key": KEYS[2], "project": "p"}, KEYS[3]])
PROJECTS = f"project {KEYS[1]} p\nproject {KEYS[2]} p\n"
FORBIDDEN = "You do not have permission to access the File"


class Files:
    """What a client does about files, in the words of Google's SDKs."""

    def __init__(self, daemon, token="TOKEN"):
        self.daemon, self.token = daemon, token

    def ask(self, method, target, body=None, headers=(), status=200, **kw):
        a = self.daemon.ask(method, target, headers, body, token=kw.pop("token", self.token), **kw)
        assert a.status == status, (a.status, a.body)
        return json.loads(a.body) if a.body else None

    def start(self, headers=(), size=5, **about):
        a = self.daemon.ask(
            "POST",
            "/upload/v1beta/files",
            [
                ("X-Goog-Upload-Protocol", "resumable"),
                ("X-Goog-Upload-Command", "start"),
                ("X-Goog-Upload-Header-Content-Length", str(size)),
                ("X-Goog-Upload-Header-Content-Type", "text/plain"),
                *headers,
            ],
            {"file": about},
            token=self.token,
        )
        assert (a.status, a.header("x-goog-upload-status")) == (200, "active"), a.body
        return a.header("x-goog-upload-url")

    def piece(self, url, data, offset=0, command="upload, finalize", token=""):
        path = re.fullmatch(r"https?://[^/]+(/.*)", url).group(1)
        headers = [("X-Goog-Upload-Command", command), ("X-Goog-Upload-Offset", str(offset))]
        return self.daemon.ask("POST", path, headers, data, token=self.token if token == "" else token)

    def upload(self, data=b"hello", **about):
        a = self.piece(self.start(size=len(data), **about), data)
        assert (a.status, a.header("x-goog-upload-status")) == (200, "final"), a.body
        return json.loads(a.body)["file"]

    def cache(self, **fields):
        return self.ask("POST", "/v1beta/cachedContents", {"model": f"models/{MODEL}", **fields})

    def generate(self, *parts, status=200, **fields):
        body = {"contents": [{"role": "user", "parts": [*parts, {"text": "Hi"}]}], **fields}
        return self.ask("POST", GENERATE, body, status=status)

    def names(self, kind, query=""):
        page = self.ask("GET", f"/v1beta/{kind}{query}")
        return [x["name"] for x in page.get(kind, [])], page.get("nextPageToken")


def of(file):
    return {"fileData": {"fileUri": file["uri"], "mimeType": file["mimeType"]}}


def keys(sim):
    return [r.header("x-goog-api-key") for r in sim.requests()]


@pytest.fixture
def daemon(sim, start):
    sim.script(PROJECTS)
    return start(API_KEYS=POOL, ALLOWED_TOKENS=json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]]))


@pytest.fixture
def files(daemon):
    return Files(daemon)


def test_upload_and_what_becomes_of_it(sim, daemon, files):
    made = [files.upload(displayName=f"n{i}") for i in range(4)]
    owner = [k for r in sim.requests() if "displayName" in r.body for k in [r.header("x-goog-api-key")]]
    assert len(set(owner)) >= 3, "all on one key"
    for file, key in zip(made, owner):
        mine = {key} if key not in KEYS[1:3] else set(KEYS[1:3])
        sim.clear()
        assert files.ask("GET", f"/v1beta/{file['name']}") == file
        for _ in range(3):
            files.generate(of(file))
        files.ask("POST", GENERATE.replace("generate", "count").replace("Content", "Tokens"), {"contents": [{"parts": [of(file)]}]})
        assert set(keys(sim)) <= mine and len(keys(sim)) == 5
    assert files.names("files")[0] == sorted(f["name"] for f in made)
    assert files.ask("DELETE", f"/v1beta/{made[0]['name']}") == {}
    assert files.names("files")[0] == sorted(f["name"] for f in made[1:])
    stats = json.loads(daemon.ask("GET", "/stats", token="ADMIN").body)
    assert stats["global_summary"]["total_requests_today"] == 12, "only what generated"


def test_pieces(sim, files):
    url = files.start(size=12)
    assert re.fullmatch(r"http://gemgate\.test/upload/v1beta/files\?upload_id=[0-9a-f]{32}&upload_protocol=resumable", url)
    a = files.piece(url, b"hello ", command="upload")
    assert (a.status, a.header("x-goog-upload-status"), a.header("x-goog-upload-size-received")) == (200, "active", "6")
    a = files.piece(url, None, command="query")
    assert (a.header("x-goog-upload-status"), a.header("x-goog-upload-size-received")) == ("active", "6")
    a = files.piece(url, b"world!", 6)
    assert json.loads(a.body)["file"]["sizeBytes"] == "12" and a.header("x-goog-upload-status") == "final"
    assert len(set(keys(sim))) == 1
    assert [r.body for r in sim.requests()][1:] == ["hello ", "", "world!"]
    assert all(r.target.startswith("/upload/v1beta/files") for r in sim.requests())
    sim.clear()
    assert files.piece(url, b"more", 12).status == 404, "it is over"
    assert sim.requests() == []


def test_upload_is_cancelled(sim, files):
    url = files.start()
    assert files.piece(url, None, command="cancel").header("x-goog-upload-status") == "cancelled"
    assert files.piece(url, b"hello").status == 404


def test_upload_of_another(sim, files):
    """An upload's id opens nothing for another token, nor one that was invented."""
    url = files.start()
    sim.clear()
    assert files.piece(url, b"hello", token="TOKEN2").status == 404
    for id in ("sim000000001", "..", "a/b", "%2e%2e", "a&b=c", "x" * 5000, ""):
        assert files.piece(re.sub("upload_id=[^&]*", "upload_id=" + id, url), b"hello").status in (400, 404, 414, 431)
    assert sim.requests() == []


def test_upload_without_a_token(sim, daemon, files):
    """Google's SDKs send the pieces with the upload's id alone: it is good for that upload, and for nothing else."""
    url = files.start(size=10)
    assert files.piece(url, b"hello", command="upload", token=None).status == 200
    target = "/v1beta/files?" + url.partition("?")[2]
    assert daemon.ask("GET", target, token=None).status == 401
    assert daemon.ask("POST", GENERATE + "?" + url.partition("?")[2], body={}, token=None).status == 401
    other = re.sub("upload_id=.", lambda m: m.group()[:-1] + ("0" if m.group()[-1] != "0" else "1"), url)
    assert files.piece(other, b"hello", token=None).status == 401
    a = files.piece(url, b"world", 5, token=None)
    assert files.names("files")[0] == [json.loads(a.body)["file"]["name"]], "it is its token's"
    assert files.piece(url, b"more", 10, token=None).status == 401, "it is over"
    assert url.split("upload_id=")[1][:32] not in daemon.process.said(), "it is not logged"


def test_multipart(sim, files):
    body = (
        b'--xyz\r\nContent-Type: application/json\r\n\r\n{"file":{"displayName":"d","mimeType":"text/plain"}}'
        b"\r\n--xyz\r\nContent-Type: text/plain\r\n\r\nhello\r\n--xyz--\r\n"
    )
    headers = [("X-Goog-Upload-Protocol", "multipart"), ("Content-Type", "multipart/related; boundary=xyz")]
    file = files.ask("POST", "/upload/v1beta/files", body, headers)["file"]
    [r] = sim.requests()
    assert r.body.encode() == body and r.header("content-type") == "multipart/related; boundary=xyz"
    for _ in range(4):
        files.generate(of(file))
    assert len(set(keys(sim)[1:])) <= 2 and keys(sim)[0] in keys(sim)[1:]


WRONG = [
    ([], 400),
    ([("X-Goog-Upload-Protocol", "resumable")], 400),
    ([("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "begin")], 400),
    ([("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "upload, finalize")], 400),
    ([("X-Goog-Upload-Protocol", "RESUMABLE"), ("X-Goog-Upload-Command", "start")], 400),
    (
        [
            ("X-Goog-Upload-Protocol", "resumable"),
            ("X-Goog-Upload-Command", "start"),
            ("X-Goog-Upload-Header-Content-Length", "-1"),
        ],
        400,
    ),
]


@pytest.mark.parametrize("headers,status", WRONG)
def test_wrong_upload(sim, files, headers, status):
    e = files.ask("POST", "/upload/v1beta/files", {"file": {}}, headers, status=status)
    assert e["error"]["status"] == "INVALID_ARGUMENT"
    assert sim.requests() == []


@pytest.mark.parametrize(
    "trusted,proto,scheme",
    [(None, "https", "http"), ('["127.0.0.1"]', "https", "https"), ('["127.0.0.1"]', None, "http"), ('["127.0.0.1"]', "ftp", "http")],
)
def test_url_behind_a_proxy(sim, start, trusted, proto, scheme):
    d = start(**({"TRUSTED_PROXIES": trusted} if trusted else {}))
    headers = [("Host", "gate.example:8443")] + ([("X-Forwarded-Proto", proto)] if proto else [])
    if trusted:
        headers.append(("X-Forwarded-For", "127.0.0.1"))
    assert Files(d).start(headers).startswith(f"{scheme}://gate.example:8443/upload/v1beta/files?upload_id=")


@pytest.mark.parametrize("host", ["evil.example/x?", "a b", "user@host", "é"])
def test_url_of_no_host(sim, files, host):
    headers = [("Host", host), ("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "start")]
    assert files.daemon.ask("POST", "/upload/v1beta/files", headers, {}).status == 400
    assert sim.requests() == []


def test_names(sim, files):
    """They become part of a path upstream."""
    for name in ("..", "a/b", "a%2fb", "a.b", "a%3fb", "a:download", "%20", "x" * 129, "ä", "a%00b"):
        for kind in ("files", "cachedContents"):
            a = files.daemon.ask("GET", f"/v1beta/{kind}/{name}")
            assert a.status == (404 if re.search("/|%2f|:", name) and (kind, name) != ("files", "a:download") else 400), (name, a.status)
    assert sim.requests() == []
    assert files.daemon.ask("PUT", "/v1beta/files/a").status == 405


def test_unknown_name(sim, daemon, files):
    """Any key, once; Google's refusal of it is not the key's fault."""
    e = files.ask("GET", "/v1beta/files/nobodys", status=404)
    assert FORBIDDEN in e["error"]["message"]
    assert len(sim.requests()) == 1
    uri = "https://generativelanguage.googleapis.com/v1beta/files/nobodys"
    for _ in range(8):
        files.generate({"fileData": {"fileUri": uri}}, status=404)
        files.generate(cachedContent="cachedContents/nobodys", status=404)
    assert len(sim.requests()) == 17
    health = json.loads(daemon.ask("GET", "/stats", token="ADMIN").body)["api_key_stats"]
    assert all(k["models"][MODEL]["is_healthy"] and k["models"][MODEL]["consecutive_errors"] == 0 for k in health.values())


def test_cache(sim, files):
    before = time.time()
    cache = files.cache(ttl="600s", displayName="c")
    owner = keys(sim)[0]
    name = cache["name"]
    mine = {owner} if owner not in KEYS[1:3] else set(KEYS[1:3])
    assert files.ask("GET", "/v1beta/" + name) == cache
    patched = files.ask("PATCH", f"/v1beta/{name}?updateMask=ttl", {"ttl": "1200s"})
    assert patched["expireTime"] > cache["expireTime"]
    assert "updateMask=ttl" in sim.requests()[-1].target
    for _ in range(5):
        files.generate(cachedContent=name)
        files.generate(cached_content=name)
    assert set(keys(sim)) <= mine
    assert files.names("cachedContents") == ([name], None)
    files.ask("DELETE", "/v1beta/" + name)
    assert files.names("cachedContents") == ([], None)
    assert time.time() >= before


def test_of_another_client(sim, daemon, files):
    """What another client has made does not exist: not in a path, not in a body. Nothing goes upstream."""
    file, cache = files.upload(), files.cache()
    other, admin = Files(daemon, "TOKEN2"), Files(daemon, "ADMIN")
    sim.clear()
    for name in (file["name"], cache["name"]):
        e = other.ask("GET", f"/v1beta/{name}", status=404)
        assert e["error"]["status"] == "NOT_FOUND"
        assert other.ask("DELETE", f"/v1beta/{name}", status=404) == e
    other.ask("PATCH", f"/v1beta/{cache['name']}", {"ttl": "60s"}, status=404)
    other.generate(of(file), status=404)
    other.generate(cachedContent=cache["name"], status=404)
    contents = [{"parts": [of(file)]}]
    count = GENERATE.replace("generate", "count").replace("Content", "Tokens")
    other.ask("POST", count, {"contents": contents}, status=404)
    other.ask("POST", count, {"generateContentRequest": {"cachedContent": cache["name"], "contents": contents}}, status=404)
    other.ask("POST", GENERATE.replace("generate", "streamGenerate") + "?alt=sse", {"contents": contents}, status=404)
    other.ask("POST", "/v1beta/cachedContents", {"model": f"models/{MODEL}", "contents": contents}, status=404)
    assert other.names("files") == other.names("cachedContents") == ([], None)
    assert sim.requests() == []
    # The same answer as for a name that Google does not know.
    gone = other.ask("GET", "/v1beta/files/nobodys", status=404)
    mine = other.ask("GET", f"/v1beta/{file['name']}", status=404)
    assert json.dumps(mine).replace(file["name"][len("files/"):], "nobodys") == json.dumps(gone)
    for who in (files, admin):
        assert who.ask("GET", f"/v1beta/{file['name']}") == file
        who.generate(of(file))
        who.generate(cachedContent=cache["name"])
    admin.ask("DELETE", f"/v1beta/{file['name']}")


@pytest.mark.parametrize("spelling", [
    "{uri}", "{name}", "HTTPS://h/v1beta/{name}", "https://h/v9//{name}", "{uri}?alt=media", "{uri}:download", " {uri} ",
    "https://h/v1beta/%66iles%2F{id}", "v1beta/{name}", "{uri}?" + 5000 * "x", "files//{id}", "files/./{id}", "{uri}/",
    "{uri}:download?alt=media", "%2566iles/{id}", "\u00a0{name}", "https://generativelanguage.googleapis.com/files/{id}",
    "https://h/x?y={name}",
])
def test_spellings_of_another_clients_file(sim, daemon, files, spelling):
    file = files.upload()
    uri = spelling.format(uri=file["uri"], name=file["name"], id=file["name"][len("files/"):])
    sim.clear()
    for member in ({"fileData": {"fileUri": uri}}, {"file_data": {"file_uri": uri}}):
        Files(daemon, "TOKEN2").generate(member, status=404)
    assert sim.requests() == []


@pytest.mark.parametrize("spelling", [
    "/{name}", "{name}/", "https://h/v1beta/{name}", "cachedContents%2F{id}", "{name}?x=y", "cachedContents//{id}",
])
def test_spellings_of_another_clients_cache(sim, daemon, files, spelling):
    cache = files.cache()
    name = spelling.format(name=cache["name"], id=cache["name"][len("cachedContents/"):])
    sim.clear()
    for member in ({"cachedContent": name}, {"cached_content": name}):
        Files(daemon, "TOKEN2").generate(status=404, **member)
    assert sim.requests() == []


def test_spelling_is_refused(sim, daemon, files):
    """Where a value can only be a name, it is spelled as documented: there is nothing to be interpreted."""
    file = files.upload()
    sim.clear()
    for who in (files, Files(daemon, "TOKEN2")):
        for name in ("files//nobodys", "v1beta/files/nobodys", "https://generativelanguage.googleapis.com/v1beta/files/nobodys/"):
            e = who.generate({"fileData": {"fileUri": name}}, status=400)
            assert "fileUri must be files/ID" in e["error"]["message"]
        e = who.generate(cachedContent="/cachedContents/nobodys", status=400)
        assert "must be cachedContents/ID" in e["error"]["message"]
    files.generate({"fileData": {"fileUri": f"files//{file['name'][len('files/'):]}"}}, status=400)
    assert sim.requests() == []
    files.generate({"fileData": {"fileUri": "https://example.com/files//x"}})
    assert len(sim.requests()) == 1


def test_sharing(sim, start):
    """FILE_SHARING=yes: a name is enough. Lists are still those of the token, and uploads those of their client."""
    d = start(FILE_SHARING="yes", ALLOWED_TOKENS=json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]]))
    files, other = Files(d), Files(d, "TOKEN2")
    file, cache = files.upload(), files.cache()
    assert other.ask("GET", f"/v1beta/{file['name']}") == file
    other.generate(of(file))
    other.generate(cachedContent=cache["name"])
    assert other.names("files") == ([], None)
    url = files.start()
    assert other.piece(url, b"hello").status == 404
    other.ask("DELETE", f"/v1beta/{file['name']}")


def test_an_admin_ends_an_upload(sim, daemon, files):
    """The file belongs to the client that has begun it."""
    url = files.start()
    a = files.piece(url, b"hello", token="ADMIN")
    assert a.status == 200
    file = json.loads(a.body)["file"]
    assert files.names("files") == ([file["name"]], None)
    files.ask("GET", f"/v1beta/{file['name']}")
    Files(daemon, "TOKEN2").ask("GET", f"/v1beta/{file['name']}", status=404)


# --- answers that are none ---

class Upstream:
    """Answers each request with the same bytes and status 200."""

    def __init__(self):
        self.requests, self.body, self.headers = 0, b"{}", {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests += 1
                body = outer.body.replace(b"KEY", self.headers.get("x-goog-api-key", "").encode())
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server.server_address[1]


@pytest.fixture
def upstream():
    with Upstream() as u:
        yield u


CALLS = {
    "get": ("GET", "/v1beta/files/a", None),
    "delete": ("DELETE", "/v1beta/files/a", None),
    "create": ("POST", "/v1beta/cachedContents", b'{"model":"models/x"}'),
    "patch": ("PATCH", "/v1beta/cachedContents/a", b'{"ttl":"60s"}'),
    "upload": ("POST", "/upload/v1beta/files", b"x"),
}
NO_ANSWERS = {
    "gzip": gzip.compress(b'{"name":"files/a"}'),
    "NULs": b'{"name":"files/a"}\0\0',
    "no UTF-8": b'{"name":"files/a","displayName":"\xff"}',
    "cut": b'{"name":"files/a","displ',
    "a page": b"<html>hello</html>",
    "a list": b'[{"name":"files/a"}]',
    "two": b'{"name":"files/a"}{"name":"files/b"}',
    "null": b"null",
}


def call(d, which):
    method, target, body = CALLS[which]
    headers = [("X-Goog-Upload-Protocol", "raw")] if which == "upload" else []
    return d.ask(method, target, headers, body)


@pytest.mark.parametrize("which", CALLS)
def test_no_answer(start, upstream, which):
    """With status 200 comes what is none: the client gets an error in Google's form."""
    d = start(GEMINI_BASE_URL=upstream.url)
    for what, body in NO_ANSWERS.items():
        upstream.body = body
        a = call(d, which)
        assert (a.status, json.loads(a.body)["error"]["status"]) == (502, "INTERNAL"), (what, a.status, a.body)
    upstream.body = b""
    assert call(d, which).status == (502 if which in ("get", "create", "patch") else 200)


@pytest.mark.parametrize("which", CALLS)
@pytest.mark.parametrize("code, status, expected", [(429, "RESOURCE_EXHAUSTED", 429), (400, "INVALID_ARGUMENT", 400), (404, "NOT_FOUND", 404), (503, "UNAVAILABLE", 503)])
def test_an_error_with_status_200(start, upstream, which, code, status, expected):
    """It is the error that it holds, and shows no key."""
    d = start(GEMINI_BASE_URL=upstream.url)
    upstream.body = json.dumps({"error": {"code": code, "message": "Not for KEY.", "status": status}}).encode()
    a = call(d, which)
    assert a.status == expected, a.body
    assert not house.leaked(a.body) and b"AIza" not in a.body


@pytest.mark.parametrize("which", CALLS)
def test_an_answer_shows_no_key(start, upstream, which):
    d = start(GEMINI_BASE_URL=upstream.url)
    upstream.body = b'{"name":"files/a","uri":"https://h/v1beta/files/a?key=KEY","x":"KEY"}'
    a = call(d, which)
    assert a.status == 200 and json.loads(a.body)["name"] == "files/a"
    assert not house.leaked(a.body)


def test_a_failed_file(start, upstream):
    """Its processing has failed: that is no failure of the call."""
    d = start(GEMINI_BASE_URL=upstream.url)
    upstream.body = b'{"name":"files/a","state":"FAILED","error":{"code":13,"message":"It could not be read."}}'
    a = call(d, "get")
    assert (a.status, a.body) == (200, upstream.body)


def test_cache_of_a_file(sim, files):
    for _ in range(4):
        file = files.upload()
        owner = keys(sim)[-1]
        cache = files.cache(contents=[{"role": "user", "parts": [of(file)]}])
        assert keys(sim)[-1] == owner or {owner, keys(sim)[-1]} == set(KEYS[1:3])
        files.generate(of(file), cachedContent=cache["name"])


def test_two_projects(sim, files):
    made = [files.upload() for _ in range(2)]
    sim.clear()
    e = files.generate(of(made[0]), of(made[1]), status=400)
    assert "different Google projects" in e["error"]["message"]
    assert made[0]["name"] in e["error"]["message"] and made[1]["name"] in e["error"]["message"]
    assert sim.requests() == []
    files.generate(of(made[0]), of(made[0]))


def test_data_is_no_name(sim, files):
    """What a function was called with is the client's own."""
    made = [files.upload() for _ in range(2)]
    call = {"functionCall": {"name": "f", "args": {"fileData": {"fileUri": "files/" + made[0]["name"]}}}}
    result = {"functionResponse": {"name": "f", "response": {}}}
    sim.script(PROJECTS + "signatures off\n*: default")
    body = {"contents": [{"parts": [{"text": "Hi"}]}, {"role": "model", "parts": [call]},
                         {"role": "user", "parts": [result, of(made[1])]}]}
    files.ask("POST", GENERATE, body)


def test_exhausted(sim, start):
    """The project that has the file has no quota left: 429 with its time, and no other key is tried."""
    sim.script(PROJECTS)
    d = start(API_KEYS=POOL, QUEUE_WAIT="30s", HEDGE_AFTER="50ms", FALLBACK_MODELS=json.dumps({MODEL: ["gemini-3.8-pro"]}))
    files = Files(d)
    file = files.upload()
    owner = keys(sim)[0]
    sim.clear()
    sim.script(PROJECTS + f"key={owner}: error rpm retry=40s")
    files.generate(of(file), status=429)
    assert set(keys(sim)) == {owner}
    sim.clear()
    a = d.ask("POST", GENERATE, body={"contents": [{"parts": [of(file)]}]})
    assert a.status == 429 and 30 <= int(a.header("retry-after")) <= 45
    assert file["name"] in json.loads(a.body)["error"]["message"]
    assert sim.requests() == []
    files.generate()  # without it, any usable key


def test_no_hedge_leaves_the_project(sim, start):
    sim.script(PROJECTS)
    files = Files(start(API_KEYS=POOL, HEDGE_AFTER="50ms"))
    file = files.upload()
    owner = keys(sim)[0]
    sim.script(PROJECTS + '*: text "Hello." delay=200ms')
    sim.clear()
    for _ in range(3):
        files.generate(of(file))
    assert keys(sim) == [owner] * 3


def test_lists(sim, daemon, files):
    """A token sees what it has made, wherever it is, page by page; whatever others have."""
    other = Files(daemon, "TOKEN2")
    mine = sorted(files.upload()["name"] for _ in range(7))
    theirs = sorted(other.upload()["name"] for _ in range(3))
    assert files.names("files") == (mine, None)
    assert other.names("files") == (theirs, None)
    assert Files(daemon, "ADMIN").names("files") == ([], None)
    first, token = files.names("files", "?pageSize=3")
    second, token2 = files.names("files", f"?pageSize=3&pageToken={token}")
    third, end = files.names("files", f"?pageSize=3&pageToken={token2}")
    assert (first, second, third, end) == (mine[:3], mine[3:6], mine[6:], None)
    for query in ("?pageSize=x", "?pageToken=..%2f", "?pageToken=a/b"):
        files.ask("GET", "/v1beta/files" + query, status=400)


def test_list_of_what_is_gone(sim, files):
    """What Google does not know any more is left out, and no page is empty while there is more."""
    made = sorted(files.upload()["name"] for _ in range(5))
    sim.script(PROJECTS + "\n".join(f"method=files.get model={n}: error file_403" for n in made[:3]))
    first, token = files.names("files", "?pageSize=2")
    assert first == made[3:4] and files.names("files", f"?pageSize=2&pageToken={token}") == (made[4:], None)
    sim.script(PROJECTS)
    assert files.names("files") == (made[3:], None), "it was forgotten"


def test_list_fails(sim, files):
    files.upload()
    sim.script(PROJECTS + "method=files.get: error overloaded")
    files.ask("GET", "/v1beta/files", status=503)


def test_failover(sim, files):
    """A dead key makes nothing: another one does. What was begun is not begun twice."""
    sim.script(PROJECTS + "method=caches.create times=1: error invalid_key\nmethod=caches.create times=1: error limit_zero")
    cache = files.cache()
    assert len(set(keys(sim))) == 3
    files.generate(cachedContent=cache["name"])
    assert keys(sim)[-1] == keys(sim)[2] or {keys(sim)[-1], keys(sim)[2]} == set(KEYS[1:3])
    sim.clear()
    sim.script(PROJECTS + "method=caches.create: error overloaded")
    files.ask("POST", "/v1beta/cachedContents", {"model": f"models/{MODEL}"}, status=503)
    assert len(sim.requests()) == 1


@pytest.mark.parametrize("body", [None, b"", b"{", b"[]", b'{"a":"\xff"}'])
def test_wrong_body(sim, files, body):
    files.ask("POST", "/v1beta/cachedContents", body, status=400)
    assert sim.requests() == []


def test_too_large(sim, start):
    """Uploads are not limited by MAX_BODY, but by MAX_UPLOAD."""
    d = start(MAX_BODY="1K", MAX_UPLOAD="4K")
    files = Files(d)
    url = files.start()
    assert files.piece(url, b"x" * 4097).status == 413
    for i in range(4):
        assert files.piece(url, b"x" * 1024, i * 1024, "upload").status == 200
    assert json.loads(files.piece(url, None, 4096, "finalize").body)["file"]["sizeBytes"] == "4096"


def test_client_hangs_up(sim, daemon, files):
    sim.script(PROJECTS + "method=upload: hang")
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("X-Goog-Upload-Protocol", "multipart"), ("Content-Type", "multipart/related; boundary=x")]
    with daemon.connect() as c:
        c.send(http1.compose("POST", "/upload/v1beta/files", headers, b"--x--"))
        wait.until("it is asked", lambda: sim.requests())
    wait.until("it is given up", lambda: json.loads(sim.control("GET", "/sim/status"))["hung_up"])
    sim.script(PROJECTS)
    files.upload()


@pytest.mark.parametrize("explain", ["no", "yes"])
def test_deadline(sim, start, explain):
    sim.script("method=files.get: hang\nmethod=files.list: hang")
    files = Files(start(REQUEST_DEADLINE="300ms", EXPLAIN_HEADER=explain))
    files.upload()
    files.ask("GET", "/v1beta/files", status=504)
    files.ask("GET", "/v1beta/files/x", status=504)


def test_kept(sim, tmp_path):
    """Bindings are there after a restart, and after kill -9 once they are written; no key or token is in the file."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    sim.script(PROJECTS)
    tokens = json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])
    settings = {"API_KEYS": POOL, "ALLOWED_TOKENS": tokens, "STATE_DIRECTORY": str(state)}

    def start(n):
        (tmp_path / n).mkdir()
        return Daemon(tmp_path / n, sim, settings)

    first = start("1")
    files = Files(first)
    made = [files.upload() for _ in range(3)]
    cache = files.cache()
    url = files.start(size=5)
    rows = lambda: sqlite3.connect(f"file:{state}/state.db?mode=ro", uri=True).execute("SELECT count(*) FROM bindings").fetchone()[0]
    wait.until("all of it is written", lambda: rows() == 5)
    first.process.signal(signal.SIGKILL)
    assert first.process.wait() == -signal.SIGKILL

    with start("2") as second:
        files = Files(second)
        assert files.names("files")[0] == sorted(f["name"] for f in made)
        assert files.names("cachedContents")[0] == [cache["name"]]
        other = Files(second, "TOKEN2")
        other.ask("GET", f"/v1beta/{made[0]['name']}", status=404)
        other.generate(of(made[0]), status=404)
        for file in made:
            for _ in range(3):
                files.generate(of(file))
        made.append(json.loads(files.piece(url, b"hello").body)["file"])
        files.ask("DELETE", f"/v1beta/{made[0]['name']}")
    with start("3") as third:
        files = Files(third)
        assert files.names("files")[0] == sorted(f["name"] for f in made[1:])
        for file in made[1:]:
            files.generate(of(file))
    data = (state / "state.db").read_bytes()
    assert not any(s.encode() in data for s in SECRETS.values())


def test_reload(sim, tmp_path):
    """A removed key takes its files along; when it is back they are known again, from the state file."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    with Configured(tmp_path, sim, {"STATE_DIRECTORY": str(state)}) as d:
        files = Files(d)
        made = [files.upload() for _ in range(2)]
        owners = keys(sim)[0], keys(sim)[2]
        names = {SECRETS["KEY1"]: "KEY1", SECRETS["KEY2"]: "KEY2"}
        d.keys(names[owners[1]])
        d.reload()
        wait.until("the first is no more", lambda: files.names("files")[0] == [made[1]["name"]])
        files.generate(of(made[0]), status=404)
        d.keys("KEY1", "KEY2")
        d.reload()
        wait.until("the rows of the new key", lambda: len(files.names("files")[0]) == 2)  # the reload does not wait for the disk
        sim.clear()
        for _ in range(3):
            files.generate(of(made[0]))
            files.generate(of(made[1]))
        assert keys(sim) == list(owners) * 3
