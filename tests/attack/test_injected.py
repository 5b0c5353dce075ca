# SPDX-License-Identifier: MIT
"""What reaches Google by the table of its paths (dialect/gemini/path): for each row what a client may add to a request, in its
query, its head, its path and its method. All rows are asked of one daemon, and what came upstream is compared row by row."""
import json
import re
from collections import namedtuple

import pytest

import conformance_paths
import http1
from conformance_rows import MODEL
from house import SECRETS

MAKER, LISTER = SECRETS["TOKEN"], SECRETS["TOKEN2"]  # the second makes nothing, so that its lists are empty
KEYS = [SECRETS["KEY1"], SECRETS["KEY2"]]
VERSIONS = ("v1beta", "v1", "v1alpha")
PAGE, SNAKE = "pageSize=2&pageToken=t", "page_size=2&page_token=t"
PARTIAL = "filter=f&" + PAGE + "&returnPartialSuccess=true"
MEDIA = "?alt=media"
CONTENT = {"content": {"parts": [{"text": "Hi"}]}}
EMBEDDER = "models/gemini-embedding-2"
CONTENTS = conformance_paths.CONTENTS

# method, path under /v1beta, body; the target upstream, or None: nothing goes there; what the request always has
Row = namedtuple("Row", "method path body upstream query headers")

# The arguments that a row has, with values: method, the row's path.
ARGUMENTS = {
    ("GET", r"tunedModels/x/operations"): PARTIAL,
    ("POST", r"tunedModels"): "tunedModelId=%s",
    ("PATCH", r"(tunedModels/x|cachedContents/x|.*/permissions/y|batches/x:\w+)"): "updateMask=a,b",
    ("PATCH", r"(webhooks|credentials)/x"): "update_mask=a,b",
    ("GET", r".*/permissions"): PAGE,
    ("GET", r"fileSearchStores/x/documents"): PAGE,
    ("DELETE", r"(fileSearchStores/x|fileSearchStores/x/documents/y|corpora/x)"): "force=true",
    ("GET", r"interactions/x"): "include_input=true",
    ("GET", r"environments/x/files(/y)?"): SNAKE + "&recursive=true",
    ("PUT", r"environments/x/files/y"): "extract=true&overwrite=true",
    ("GET", r"triggers/x/executions"): SNAKE,
}
REVISED = re.compile(r"(interactions|agents|environments|triggers|voices|webhooks|credentials|decisions)(/.*)?$")
RAW = ("X-Goog-Upload-Protocol", "raw")


def exchanges():
    m = f"models/{MODEL}:"
    for path, body in ((m + "generateContent", CONTENTS), (m + "countTokens", CONTENTS), (EMBEDDER + ":embedContent", CONTENT),
                       (EMBEDDER + ":batchEmbedContents", {"requests": [{"model": EMBEDDER, **CONTENT}]}),
                       ("models/imagen-9:predict", {"instances": [{"prompt": "x"}]}),
                       ("models/veo-3.1:predictLongRunning", {"instances": [{"prompt": "x"}]}),
                       ("tunedModels/x:generateContent", CONTENTS), ("dynamic/x:generateContent", CONTENTS),
                       ("interactions", conformance_paths.INPUT), ("decisions", conformance_paths.INPUT)):
        yield Row("POST", path, body, f"/v1beta/{path}", "", ())
    for path in (m, "tunedModels/x:", "dynamic/x:"):
        path += "streamGenerateContent"
        yield Row("POST", path, CONTENTS, f"/v1beta/{path}?alt=sse", "", ())


def rows():
    yield from exchanges()
    for path in ("models", f"models/{MODEL}"):
        yield Row("GET", path, None, None, "", ())
    for route in conformance_paths.google():
        path = re.sub(r"^(?:/(?:upload|download))?/v1beta/", "", route.path)
        if path.startswith("models/x:"):
            yield Row(route.method, path, route.body, route.upstream, "", ())
        elif ":download" in path:
            yield Row("GET", route.path, None, f"/download/v1beta/{path}{MEDIA}", MEDIA, ())
        elif route.path.startswith("/upload/"):
            yield Row(route.method, route.path, b"x" * 5, route.path, "", (RAW,) if route.method == "POST" else ())
        else:
            yield Row(route.method, route.path if route.path[1:3] != "v1" else path, route.body, route.upstream or None, "", ())


ROWS = list(rows())


def named(row):
    return f"{row.method} {row.path}"


def bare(row):
    return row.path.rpartition("v1beta/")[2]


def target(row, version="v1beta"):
    path = row.path if row.path.startswith("/") else f"/v1beta/{row.path}"
    return path.replace("/v1beta/", f"/{version}/") + row.query


def arguments(row):
    for (method, path), query in ARGUMENTS.items():
        if method == row.method and re.fullmatch(path, bare(row)):
            return query
    return ""


def added(address, query):
    return address + ("&" if "?" in address else "?") + query if query else address


class Asker:
    """A client whose connection goes on, unless the daemon has closed it."""

    def __init__(self, daemon, row):
        self.daemon, self.row, self.connection = daemon, row, None
        self.token = MAKER if row.upstream else LISTER

    def send(self, method, address, headers=(), body=b"", token=True):
        names = {n.lower() for n, _ in headers}
        headers = [("x-goog-api-client", "x"), *self.row.headers, *headers]
        if token:
            headers.append(("x-goog-api-key", self.token))
        body = body or (json.dumps(self.row.body).encode() if isinstance(self.row.body, dict) else self.row.body)
        if method not in ("POST", "PUT", "PATCH") or "content-length" in names:
            body = None
        for again in (True, False):
            if not self.connection:
                self.connection = self.daemon.connect()
            try:
                self.connection.send(http1.compose(method, address, headers, body))
                a = self.connection.read(method)
            except (BrokenPipeError, ConnectionResetError):
                a = None
            if a is None or a.header("Connection") == "close" or self.connection.closed:
                self.connection.close()
                self.connection = None
            if a is not None or not again:
                return a

    def close(self):
        if self.connection:
            self.connection.close()


def allowed_headers(row):
    names = {"host", "user-agent", "accept", "x-goog-api-key", "content-type", "content-length", "connection", "accept-encoding"}
    if REVISED.match(bare(row)):
        names.add("api-revision")
    if row.path.startswith("/upload/"):
        names.add("x-goog-upload-protocol")
    return names


def compare(sim, row, expected, answers):
    """`expected`: (method, target) in order. Nothing else has come upstream, and that with the pool's key alone."""
    seen = sim.requests()
    sim.clear()
    seen = [r for r in seen if r.target != "/v1beta/models?pageSize=1000"]
    got = [(r.method, r.target) for r in seen]
    for i, (a, b) in enumerate(zip(got, expected)):
        assert a == b, (named(row), i, a, b)
    assert len(got) == len(expected), (named(row), len(got), len(expected), answers)
    allowed = allowed_headers(row)
    for r in seen:
        names = {n.lower() for n in r.headers}
        assert names <= allowed, (named(row), names - allowed)
        assert r.header("x-goog-api-key") in KEYS
        assert "gemgate.test" not in r.header("host") and "evil" not in r.header("host")
        there = json.dumps([r.target, r.headers, r.body])
        for secret in (MAKER, LISTER, SECRETS["ADMIN"], "AIzaEvil", "evil"):
            assert secret not in there, (named(row), secret, there)


@pytest.fixture(scope="module")
def gate(running_sim, tmp_path_factory):
    """One daemon for all rows."""
    import house

    running_sim.reset()
    tokens = json.dumps([MAKER, LISTER])
    with house.Daemon(tmp_path_factory.mktemp("gemgated"), running_sim, {"ALLOWED_TOKENS": tokens}) as d:
        yield d


@pytest.fixture
def ask(gate, running_sim):
    running_sim.clear()
    askers = []

    def one(row):
        asker = Asker(gate, row)
        askers.append(asker)
        if bare(row).startswith("tunedModels/x:") and row in METHODS_OF_MODELS:
            asker.row = row._replace(headers=())
            asker.send("POST", "/v1beta/tunedModels?tunedModelId=x", [], b"{}")
            asker.row = row
            running_sim.clear()
        return asker

    yield one
    for asker in askers:
        asker.close()


EXCHANGES = list(exchanges())
METHODS_OF_MODELS = [row for row in EXCHANGES if ":" in row.path]


def knows_other(row, alt):
    """A method of models takes only its own forms."""
    return row in METHODS_OF_MODELS and (alt != "sse" or "stream" not in row.path)


EVERY = pytest.mark.parametrize("row", ROWS, ids=[named(r) for r in ROWS])
# Nothing of it changes anything.
QUERIES = [
    "key={token}", "$key={token}", "%24key={token}", "access_token=AIzaEvil", "oauth_token=AIzaEvil", "bearer_token=AIzaEvil",
    "$alt=media", "%24alt=sse", "uploadType=media", "upload_protocol=raw", "callback=evil", "$callback=evil", "fields=evil", "$fields=evil",
    "prettyPrint=false", "$prettyPrint=false", "quotaUser=evil", "userIp=10.0.0.1", "$.xgafv=2", "$httpMethod=DELETE", "unknown=evil",
    "%6bey=AIzaEvil", "KEY=AIzaEvil", "=evil", "evil", "&&&evil=&", "alt%3Dmedia=1", "name=files/evil", "evil[]=1&evil[]=2",
    "access_token=AIzaEvil&fields=*&alt%00=x&prettyPrint=1&callback=evil&unknown=1",
]
HEADERS = [
    [("Cookie", "a=evil"), ("Cookie2", "evil")], [("X-Goog-User-Project", "evil"), ("X-Goog-Request-Params", "evil=1")],
    [("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "DELETE"), ("X-Method-Override", "DELETE")],
    [("X-Goog-Upload-Command", "start")], [("X-Goog-Upload-URL", "http://evil/"), ("X-Goog-Upload-Header-X", "evil")],
    [("Host", "evil.example")], [("Host", "evil.example:80")],
    [("X-Forwarded-For", "127.0.0.9"), ("X-Forwarded-Host", "evil"), ("X-Forwarded-Proto", "https"), ("Forwarded", "for=evil")],
    [("Proxy-Authorization", "Basic evil"), ("Proxy-Connection", "keep-alive")], [("Connection", "x-goog-api-key, x-evil"), ("X-Evil", "evil")],
    [("Keep-Alive", "timeout=evil"), ("TE", "trailers"), ("Trailer", "X-Evil")], [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", "evil")],
    [("Authorization", "Basic evil")], [("X-Goog-Api-Client", "gl-evil/1"), ("X-Goog-Iam-Authorization-Token", "evil"), ("X-Goog-Authenticated-User-Email", "evil")],
    [("X-Server-Timeout", "evil"), ("Grpc-Timeout", "1m"), ("X-Client-Data", "evil"), ("Via", "1.1 evil"), ("Origin", "http://evil")],
    [("Accept", "evil/x"), ("Accept-Language", "evil"), ("User-Agent", "evil"), ("Referer", "http://evil/"), ("DNT", "evil")],
    [("If-Match", "evil"), ("If-None-Match", "evil"), ("If-Modified-Since", "evil"), ("Cache-Control", "no-evil"), ("Pragma", "evil")],
    [("Content-Language", "evil"), ("Content-Location", "/evil"), ("Content-MD5", "evil"), ("Content-Disposition", "evil")],
    [("x_goog_api_key", "AIzaEvil"), ("x-goog-api_key", "AIzaEvil")], [("Api-Version", "evil"), ("OpenAI-Organization", "evil")],
]
# Two credentials that differ, and framing that two programs could read in different ways.
REFUSED_HEADERS = [
    [("Authorization", "Bearer AIzaEvil")], [("x-goog-api-key", "AIzaEvil")], [("x-api-key", "AIzaEvil")], [("api-key", "AIzaEvil")],
    [("Transfer-Encoding", "evil")], [("Transfer-Encoding", "chunked, identity")], [("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
    [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], [("Content-Length", "+5")], [("Content-Length", "5"), ("Content-Length", "6")],
    [("Content-Length", "5, 5")], [("Content-Length", "-1")], [("Transfer-Encoding ", "chunked")], [("Host", "a"), ("Host", "evil")],
]


def expected_of(row, method=None, query=""):
    if not row.upstream:
        return []
    method = method or row.method
    return [(method if ":download" in row.path or method != "HEAD" else "GET", added(row.upstream, query))]


def reads(row, headers):
    """A header that is one of the row."""
    return row.path.startswith("/upload/") and headers[0][0] == "X-Goog-Upload-Command"


@EVERY
def test_injected(ask, running_sim, row):
    """Arguments and headers: those of the row pass, as they are, and no other."""
    client, expected, answers = ask(row), [], []

    mine = arguments(row)
    is_list = "page" in mine

    def send(query="", headers=(), passes="", token=True, refused=False):
        version = VERSIONS[len(answers) % 3]
        a = client.send(row.method, added(target(row, version), query), headers, token=token)
        answers.append((query, headers, a and (a.status, a.body[:200])))
        if is_list and query and a.status == 400:  # Google's list does not have it
            pass
        elif not refused:
            expected.extend(expected_of(row, query=passes))
        else:
            assert a is None or 400 <= a.status < 500 or a.status == 501, answers[-1]

    n = 0

    def of_row():
        nonlocal n
        n += 1
        return mine.replace("%s", f"tuned-{n}")

    for q in QUERIES:
        form = re.search(r"(?:^|&)(?:\$|%24)?alt=(\w*)", q)
        send(q.replace("{token}", client.token), token="{token}" not in q, refused=form and knows_other(row, form.group(1)))
    for value in ("", "x"):
        q = "alt=" + value
        if "alt" not in row.query:
            send(q, refused=knows_other(row, value))
    if mine:
        q = of_row()
        send(q, passes=q)
        q = of_row()
        send("key=AIzaEvil&".replace("AIzaEvil", client.token) + q + ("" if is_list else "&unknown=evil"), passes=q)
        first, *_ = of_row().split("&")
        for bad in ("%0", "%00", "%zz", '"', "a;key=AIzaEvil", "\\", "a|b", "x" * 1025):
            send(first + bad, refused=True)
    for headers in HEADERS:
        if not reads(row, headers):
            send("", headers)
    for headers in REFUSED_HEADERS:
        send("", headers, refused=True)
    send("", [("Api-Revision", "2026-05-20")])
    compare(running_sim, row, expected, answers)


def spelled(path):
    """(another spelling of the path, what it is the same as: this path, or None)."""
    head, _, last = path.rpartition("/")
    verb = re.search(r":\w+$", path)
    yield path + "/", path
    yield path[:-1] + f"%{ord(path[-1]):02x}", path
    yield "/" + path[1:].replace("/", "%2f"), path
    for bad in ("//", "/.", "/..", "/../..", "/%2e", "/%2e%2e", "%2f%2e%2e", "/%2e%2e%2f..", "%00", "%00/x", ";", ";a=b", "%3bkey=AIzaEvil", "%20", "%0d%0aX-Evil:%201",
                "%", "%zz", "%252e%252e", "\\", "%5c..", "%c3%a9", "%ff", "*", "$", "@evil", ":evil", ":generateContent:evil", "%3fkey=AIzaEvil", "%23evil", "x" * 300, "{x}", "'", "%22", "~"):
        yield path + bad, None
    for bad in ("/", "/.", "/..", "/%2e%2e", "/x/..", "/v1", "//evil.example", "/%00", "/evil", "http://evil.example/.."):
        yield bad + path, None
    yield "http://evil.example" + path, path
    if not path.endswith("/files"):
        yield path + "/evil/evil/evil/evil", None
    yield path.upper(), None
    yield head + "//" + last, None
    yield head + "/./" + last, None
    yield head + "/evil/../" + last, None
    yield head + "/evil/%2e%2e/" + last, None
    yield head + ";evil/" + last, None
    yield path.replace("v1beta", "v1beta/openai"), None
    yield path.replace("v1beta", "v2"), None
    yield path.replace("v1beta", "v1beta1"), None
    if verb:
        yield path + verb.group(), None
        yield path.replace(verb.group(), verb.group().swapcase()), None
        yield path.replace(verb.group(), ":" + verb.group()), None
        yield path.replace(verb.group(), "%3a" + verb.group()[1:]), path


def is_below(row):
    """Of a file in an environment: whatever is behind its folder is its name."""
    return "/files/y" in row.path and "environments" in row.path


@EVERY
def test_paths(ask, running_sim, row):
    """Another spelling is the same path, or none at all."""
    client, expected, answers = ask(row), [], []
    plain = target(row._replace(query=""))
    for other, same in spelled(plain):
        a = client.send(row.method, other + row.query)
        answers.append((other, a and (a.status, a.body[:200])))
        if same:
            expected += expected_of(row)
        elif not is_below(row):
            assert a is None or 400 <= a.status < 500 or a.status == 501, answers[-1]
    if not is_below(row):
        compare(running_sim, row, expected, answers)
        return
    seen = running_sim.requests()
    running_sim.clear()
    for r in seen:
        folder, _, name = r.target.partition("?")[0].partition("/environments/x/files/")
        assert folder in ("/v1beta", "/upload/v1beta") and r.method == row.method, r.target
        steps = re.sub(r"%2e", ".", name, flags=re.IGNORECASE).split("/")
        assert not {"", ".", ".."} & set(steps) and re.fullmatch(r"[A-Za-z0-9_.~:/%-]+", name), r.target
    assert len(seen) >= len(expected)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "Post", "delete", "POSTX", "GE", "M-SEARCH")


@EVERY
def test_methods(ask, running_sim, row):
    """Only those of the table; another row of the same path has its own turn."""
    served = {r.method for r in ROWS if target(r) == target(row)}
    client, expected, answers = ask(row), [], []
    for method in METHODS:
        if method in served - {row.method} or (method == "HEAD" and "GET" in served - {row.method}):
            continue
        a = client.send(method, target(row))
        answers.append((method, a and (a.status, a.body[:200])))
        if method == row.method or (method == "HEAD" and row.method == "GET"):
            expected += expected_of(row, method)
        else:
            assert a is None or a.status in (400, 404, 405, 501), answers[-1]
    compare(running_sim, row, expected, answers)
