# SPDX-License-Identifier: MIT
"""Files that pass through: nothing of them is held but a buffer, and what goes wrong on one side ends the other."""
import contextlib
import json
import signal
import socket
import threading

import pytest

import house
import wait
from cost import forget_peak, memory, peak
from front import Front
from house import SECRETS, Daemon
from test_files import KEYS, POOL, PROJECTS, Files, keys
from test_life import _connects as connects
from transfer import BAD_KEY, MIB, Download, Gone, Upload, Upstream, chunked, compose, content, digest, error, told, under_way, upload, wait_idle, wait_state

SIZE = 8 * MIB if house.SANITIZED else 200 * MIB
SMALL = 2 * MIB + 12345
# Above what it was, while a file passes: buffers of both sides, of TLS, and what the allocator keeps.
ROOM = 6 * MIB


@contextlib.contextmanager
def road(kind, folder, upstream):
    """The upstream as it is, or behind TLS and HTTP/2."""
    if kind == "http1":
        yield upstream
        return
    under = folder / "front"
    under.mkdir()
    with Front(under, upstream) as f:
        yield f


RAW = [("X-Goog-Upload-Protocol", "raw")]


def line_of(daemon, words):
    return daemon.wait_log("its line", lambda line: line.get("message", "").startswith(words))


ROADS = pytest.mark.parametrize("kind", ["http1", "http2"])


@contextlib.contextmanager
def gateway(folder, upstream, settings=None):
    under = folder / "gemgated"
    under.mkdir()
    with Daemon(under, upstream, settings) as d:
        yield d


# --- a file as it should be ---

@ROADS
def test_a_large_file(sim, tmp_path, kind):
    """Up and down, byte for byte, and the daemon holds nothing of it."""
    with road(kind, tmp_path, sim) as upstream, gateway(tmp_path, upstream) as d:
        files = Files(d)
        small = files.upload(b"x" * 300_000)
        files.ask("GET", f"/v1beta/{small['name']}")
        expected = digest(content(SIZE))
        forget_peak(d)
        before = memory(d)
        url = files.start(size=SIZE)
        path = url[url.index("/", len("http://")):]
        command = [("X-Goog-Upload-Command", "upload, finalize"), ("X-Goog-Upload-Offset", "0")]
        file = upload(d, SIZE, path=path, headers=command, token=None)
        assert (file["sizeBytes"], told(file)) == (str(SIZE), expected)
        up = peak(d) - before
        forget_peak(d)
        before = memory(d)
        with Download(d, file["name"]) as down:
            a = down.head()
            assert (a.status, a.header("Content-Length"), a.header("Content-Type")) == (200, str(SIZE), "text/plain")
            assert digest(down.pieces()) == expected
        if not house.SANITIZED:
            assert max(up, peak(d) - before) <= ROOM, (up, peak(d) - before)
        lines = d.wait_log("both lines", lambda _: [line for line in d.log() if line.get("status") == 200][4:]) and d.log()
        assert {line["verdict"] for line in lines if line.get("status")} == {"ok"}


@ROADS
@pytest.mark.parametrize("protocol", ["raw", "multipart", "raw in chunks"])
def test_forms(sim, tmp_path, kind, protocol):
    with road(kind, tmp_path, sim) as upstream, gateway(tmp_path, upstream) as d:
        pieces = list(content(SMALL))
        headers = [("X-Goog-Upload-Protocol", protocol.split()[0]), ("Content-Type", "video/mp4")]
        if protocol == "multipart":
            headers[1] = ("Content-Type", "multipart/related; boundary=b")
            about = b'--b\r\nContent-Type: application/json\r\n\r\n{"file":{"displayName":"A"}}\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
            pieces = [about, *pieces, b"\r\n--b--"]
        size = sum(map(len, pieces))
        with Upload(d, None if "chunks" in protocol else size, headers=headers) as u:
            u.send(pieces)
            file = u.file()
        assert (file["sizeBytes"], told(file)) == (str(size), digest(pieces))
        assert Files(d).names("files")[0] == [file["name"]], "it is bound"
        sent, = [r for r in sim.requests() if r.target.startswith("/upload")]
        assert sent.header("content-type") == headers[1][1]


def test_pieces(sim, daemon):
    """Large ones and small ones of one file; the client asks where it is, and goes on."""
    files = Files(daemon)
    url = files.start(size=SMALL)
    path = url[url.index("/", len("http://")):]
    data = b"".join(content(SMALL))
    at = 0
    for n in (MIB, 1000, MIB):
        headers = [("X-Goog-Upload-Command", "upload"), ("X-Goog-Upload-Offset", str(at))]
        with Upload(daemon, n, path=path, headers=headers) as u:
            u.send([data[at : at + n]])
            a = u.answer()
        at += n
        assert (a.status, a.header("x-goog-upload-size-received")) == (200, str(at))
    assert files.piece(url, None, 0, "query").header("x-goog-upload-size-received") == str(at)
    with Upload(daemon, MIB, path=path, headers=[("X-Goog-Upload-Command", "upload"), ("X-Goog-Upload-Offset", "5")]) as u:
        u.send(content(MIB))
        assert u.answer().status == 400
    a = files.piece(url, data[at:], at)
    assert told(json.loads(a.body)["file"]) == digest([data])
    assert len(set(keys(sim))) == 1


def test_cancel(sim, daemon):
    files = Files(daemon)
    url = files.start(size=SMALL)
    path = url[url.index("/", len("http://")):]
    with Upload(daemon, MIB, path=path, headers=[("X-Goog-Upload-Command", "upload"), ("X-Goog-Upload-Offset", "0")]) as u:
        u.send(content(MIB))
        assert u.answer().status == 200
    assert files.piece(url, None, 0, "cancel").header("x-goog-upload-status") == "cancelled"
    assert files.piece(url, None, 0, "query").status == 404


def test_expect(sim, daemon):
    with Upload(daemon, SMALL, more=[("Expect", "100-continue")]) as u:
        assert u.c.read_head().status == 100
        u.send(content(SMALL))
        assert told(u.file()) == digest(content(SMALL))


def test_a_connection_goes_on(sim, daemon):
    """After an upload, and after a download, with other requests on the same connection."""
    with Upload(daemon, SMALL) as u:
        for _ in range(3):
            u.send(content(SMALL))
            file = u.file()
            u.c.sock.sendall(compose("GET", f"/v1beta/{file['name']}:download?alt=media"))
            assert u.c.read().body == b"".join(content(SMALL))
            u.c.sock.sendall(compose("POST", Upload.PATH, [("X-Goog-Upload-Protocol", "raw"), ("Content-Length", str(SMALL))]))


def test_what_follows(sim, daemon):
    """Behind the announced length, or the last chunk, is the next request, or what is none."""
    data = b"".join(content(SMALL))
    for size, body in ((SMALL, data), (None, b"".join(chunked([data[:MIB], data[MIB:]])))):
        with Upload(daemon, size) as u:
            u.c.sock.sendall(body + compose("GET", "/health", token=None) + b"nonsense\r\n\r\n")
            assert told(u.file()) == digest([data])
            assert u.c.read().status == 200
            assert u.c.read().status == 400


def test_less_than_announced(tmp_path):
    """Upstream sees an end without the rest, never a shorter file."""
    seen = []

    def serve(peer):
        try:
            seen.extend(peer.head().body())
        except Gone:
            seen.append(None)

    with Upstream(serve) as u, gateway(tmp_path, u) as d:
        with Upload(d, SMALL) as up:
            up.send([b"x" * (SMALL - 1)])
            wait.until("it is there", lambda: sum(map(len, seen)) == SMALL - 1)
        wait.until("the end", lambda: seen[-1] is None)


@ROADS
def test_parts_of_a_file(sim, tmp_path, kind):
    with road(kind, tmp_path, sim) as upstream, gateway(tmp_path, upstream) as d:
        whole = b"".join(content(SMALL))
        for path in ("/v1beta/%s:download?alt=media", "/download/v1beta/%s:download?alt=media"):
            with Download(d, f"files/gen-{SMALL}", headers=[("Range", "bytes=5000-1000000")], path=path) as down:
                a = down.head()
                assert (a.status, a.header("Content-Range")) == (206, f"bytes 5000-1000000/{SMALL}")
                assert (a.header("Accept-Ranges"), a.header("ETag")) == ("bytes", f'"{SMALL}"')
                assert a.header("Content-Disposition") == 'attachment; filename="a.bin"'
                assert b"".join(down.pieces()) == whole[5000:1000001]
        with Download(d, f"files/gen-{SMALL}", "HEAD") as down:
            assert down.head().header("Content-Length") == str(SMALL)
            assert down.c.read_body("HEAD").complete
        tried = sim.count()
        assert d.ask("HEAD", "/v1beta/files/none:download?alt=media").status == 404, "Google's answer has no body"
        assert sim.count() == tried + 1
        sim.clear()
        with Download(d, f"files/gen-{SMALL}") as down:
            assert down.head().header("Content-Length") == str(SMALL)
        with Download(d, "files/gen-0") as down:
            assert down.head().header("Content-Length") == "0"
        assert {r.target for r in sim.requests() if "download" in r.target} == {
            f"/download/v1beta/files/gen-{n}:download?alt=media" for n in (0, SMALL)}


@pytest.mark.parametrize("target,headers,status", [
    ("/v1beta/files/a:download", [], 400),
    ("/v1beta/files/a:download?alt=json", [], 400),
    ("/v1beta/files/a%2fb:download?alt=media", [], 404),
    ("/v1beta/files/:download?alt=media", [], 404),
    ("/download/v1beta/files/a?alt=media", [], 404),
    ("/v1beta/files/a:download?alt=media", [("Range", "lines=1-2")], 400),
    ("/v1beta/cachedContents/a:download?alt=media", [], 404),
])  # fmt: skip
def test_wrong_downloads(sim, daemon, target, headers, status):
    a = daemon.ask("GET", target, headers)
    assert a.status == status, a.body
    assert sim.requests() == []


def test_of_another_client(sim, start):
    sim.script(PROJECTS)
    d = start(API_KEYS=POOL, ALLOWED_TOKENS=json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]]))
    file = upload(d, SMALL)
    sim.clear()
    for path in ("/v1beta/%s:download?alt=media", "/download/v1beta/%s:download?alt=media"):
        a = d.ask("GET", path % file["name"], token="TOKEN2")
        assert a.status == 404 and "permission" in json.loads(a.body)["error"]["message"]
    assert sim.requests() == []
    for _ in range(4):
        with Download(d, file["name"]) as down:
            assert down.head().status == 200 and digest(down.pieces()) == digest(content(SMALL))
    assert d.ask("GET", "/v1beta/files/none:download?alt=media").status == 404


# --- other places that files go to ---

STORE = "/v1beta/fileSearchStores"


@ROADS
def test_a_document_of_a_store(sim, tmp_path, kind):
    """Resumable and in one go, by the keys of the store's project, for the client that has made it."""
    settings = {"API_KEYS": POOL, "ALLOWED_TOKENS": json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])}
    sim.script(PROJECTS)
    with road(kind, tmp_path, sim) as upstream, gateway(tmp_path, upstream, settings) as d:
        files = Files(d)
        for _ in range(3):
            sim.clear()
            store = files.ask("POST", STORE, {"displayName": "S"})["name"]
            path = f"/upload/v1beta/{store}:uploadToFileSearchStore"
            start = [("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "start"),
                     ("X-Goog-Upload-Header-Content-Length", str(SMALL)), ("X-Goog-Upload-Header-Content-Type", "text/plain")]
            url = d.ask("POST", path, start, {"displayName": "D"}).header("x-goog-upload-url")
            assert url.startswith(f"http://gemgate.test{path}?upload_id=")
            command = [("X-Goog-Upload-Command", "upload, finalize"), ("X-Goog-Upload-Offset", "0")]
            for target, headers, token in ((url[url.index(path):], command, None), (path, RAW, "TOKEN")):
                with Upload(d, SMALL, path=target, headers=headers, token=token) as u:
                    u.send(content(SMALL))
                    a = u.answer()
                operation = json.loads(a.body)
                assert a.status == 200 and told(operation["response"]) == digest(content(SMALL))
                assert operation["name"].startswith(f"{store}/upload/operations/")
            assert len(set(keys(sim)) - set(KEYS[1:3])) <= 1 and (len(set(keys(sim))) == 1 or set(keys(sim)) == set(KEYS[1:3]))
        sim.clear()
        assert d.ask("POST", path, start, {"displayName": "D"}, token="TOKEN2").status == 404
        with Upload(d, SMALL, path=path, headers=RAW, token="TOKEN2") as u:
            assert u.answer().status == 404
        assert sim.requests() == []


def test_a_file_of_an_environment(sim, daemon):
    files = Files(daemon)
    environment = files.ask("POST", "/v1beta/environments", {})["id"]
    sim.clear()
    path = f"/upload/v1beta/environments/{environment}/files/a/b%20c.txt"
    for size in (5, SMALL):
        data = b"".join(content(size))
        a = daemon.ask("PUT", path + "?overwrite=true&x=y", [("Content-Type", "text/plain")], data)
        assert a.status == 200 and told(json.loads(a.body)["file"]) == digest([data])
    assert {r.target for r in sim.requests()} == {path + "?overwrite=true"}
    assert daemon.ask("PUT", path + "?upload_id=0123", [], b"x").status == 400


def test_a_file_of_an_environment_in_pieces(sim, start):
    """As Google's SDKs send it: a PUT begins, and gemgate's URL takes the pieces. It comes back with alt=media."""
    d = start(ALLOWED_TOKENS=json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]]))
    environment = Files(d).ask("POST", "/v1beta/environments", {})["id"]
    for name, version in (("a/b%20c.txt", "v1beta"), ("%C3%A9%3F%25", "v1alpha")):
        path = f"/environments/{environment}/files/{name}"
        revision = [("Api-Revision", "2026-05-20")]
        begin = [*revision, ("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "start"),
                 ("X-Goog-Upload-Header-Content-Length", str(SMALL)), ("X-Goog-Upload-Header-Content-Type", "text/plain")]
        sim.clear()
        assert d.ask("PUT", f"/upload/{version}{path}", begin, b"", token="TOKEN2").status == 404
        assert sim.requests() == []
        a = d.ask("PUT", f"/upload/{version}{path}?extract=false&overwrite=true", begin, b"")
        assert a.status == 200
        url = a.header("X-Goog-Upload-URL")
        assert url.startswith(f"http://gemgate.test/upload/{version}{path}?upload_id="), url
        assert sim.requests()[-1].target == f"/upload/v1beta{path}?extract=false&overwrite=true"
        assert sim.requests()[-1].header("api-revision") == "2026-05-20"
        data, target = b"".join(content(SMALL)), url[url.index("/upload") :]
        for at, command, method in ((0, "upload", "POST"), (5, "upload, finalize", "PUT")):
            piece = data[at:5] if at == 0 else data[at:]
            a = d.ask(method, target, [("X-Goog-Upload-Command", command), ("X-Goog-Upload-Offset", str(at))], piece, token=None)
            assert a.status == 200, a.body
            r = sim.requests()[-1]
            assert r.method == method and r.target.startswith(f"/upload/v1beta{path}?upload_id=sim")
        assert told(json.loads(a.body)["file"]) == digest([data])
        a = d.ask("GET", f"/{version}{path}?alt=media")
        assert (a.status, a.body, a.header("Content-Type")) == (200, data, "text/plain")
        assert d.ask("GET", f"/{version}{path}?alt=media", token="TOKEN2").status == 404
        assert len(set(keys(sim))) == 1
    many = [("Api-Revision", "1")] * 8 + begin
    assert d.ask("PUT", f"/upload/v1beta{path}", many, b"").status == 400


def test_media_of_a_store(sim, start):
    d = start(ALLOWED_TOKENS=json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]]))
    store = Files(d).ask("POST", "/v1beta/fileSearchStores", {})["name"]
    for size in (0, 5, SMALL):
        a = d.ask("GET", f"/v1beta/{store}/media/gen-{size}?alt=media")
        assert (a.status, a.body) == (200, b"".join(content(size)))
    a = d.ask("GET", f"/v1beta/{store}/media/gen-5?alt=media", [("Range", "bytes=1-2")])
    assert (a.status, a.header("Content-Range")) == (206, "bytes 1-2/5")
    assert d.ask("GET", f"/v1beta/{store}/media/gen-5").status == 400
    assert d.ask("GET", f"/v1beta/{store}/media/gen-5?alt=media", token="TOKEN2").status == 404
    assert len(set(keys(sim))) == 1


# --- the slower side makes the other one wait ---

@ROADS
def test_it_is_not_held(tmp_path, kind):
    """What the client has sent is upstream before it sends more."""
    got, more = threading.Semaphore(0), []

    def serve(peer):
        left = SMALL
        for piece in peer.head().body():
            left -= len(piece)
            more.append(piece)
            got.release()
        assert left == 0
        peer.file()

    with Upstream(serve) as u, road(kind, tmp_path, u) as upstream, gateway(tmp_path, upstream) as d:
        with Upload(d, SMALL) as up:
            sent = 0
            for piece in content(SMALL):
                for at in range(0, len(piece), 100_000):
                    up.c.sock.sendall(piece[at : at + 100_000])
                    sent += len(piece[at : at + 100_000])
                    while sum(map(len, more)) < sent:
                        assert got.acquire(timeout=wait.DEADLINE)
            assert up.answer().status == 200
    assert digest(more) == digest(content(SMALL))


def test_it_is_listed(tmp_path):
    """As one whose body arrives, and then as one that waits for Google."""
    go = threading.Event()

    def serve(peer):
        digest(peer.head().body())
        go.wait()
        peer.file()

    with Upstream(serve) as u, gateway(tmp_path, u) as d, Upload(d, SMALL) as up:
        data = b"".join(content(SMALL))
        up.send([data[:MIB]])
        wait_state(d, "reading")
        up.send([data[MIB:]])
        wait_state(d, "asking")
        go.set()
        assert up.answer().status == 200


@ROADS
def test_a_slow_upstream(tmp_path, kind):
    go, total = threading.Event(), 64 * MIB
    seen = []

    def serve(peer):
        peer.head()
        assert go.wait(wait.DEADLINE)
        seen.append(digest(peer.body()))
        peer.file()

    with Upstream(serve) as u, road(kind, tmp_path, u) as upstream, gateway(tmp_path, upstream) as d:
        assert under_way(d) == 0
        before = memory(d)
        with Upload(d, total) as up:
            data = b"".join(content(total))
            sent = up.send_until_stuck([data])
            assert sent < total, "nothing made it wait"
            assert house.SANITIZED or memory(d) - before <= ROOM
            go.set()
            up.c.sock.sendall(data[sent:])
            assert up.answer().status == 200
    assert seen == [digest(content(total))]


@ROADS
def test_a_slow_client(sim, tmp_path, kind):
    """It reads nothing of a file that does not fit into the sockets, then all of it."""
    size = 64 * MIB
    with road(kind, tmp_path, sim) as upstream, gateway(tmp_path, upstream) as d:
        assert under_way(d) == 0
        before = memory(d)
        with Download(d, f"files/gen-{size}", receive_buffer=65536) as down:
            assert down.head().status == 200
            for _ in range(20):
                assert d.chat().status == 200
            assert under_way(d) == 1, "it is not in the sockets"
            assert house.SANITIZED or memory(d) - before <= ROOM
            assert digest(down.pieces()) == digest(content(size))
        wait_idle(d)


def test_beside_chats(sim, daemon):
    """Two uploads that have stopped in the middle hold up nothing."""
    data = b"".join(content(SMALL))
    with Upload(daemon, SMALL) as one, Upload(daemon, None) as other:
        one.send([data[:MIB]])
        other.c.sock.sendall(b"%x\r\n%s\r\n" % (MIB, data[:MIB]))
        wait.until("both are there", lambda: under_way(daemon) == 2)
        for _ in range(10):
            assert daemon.chat().status == 200
        one.send([data[MIB:]])
        other.send([data[MIB:]])
        assert told(one.file()) == told(other.file()) == digest([data])


# --- what ends in the middle ---

STAGES = ["head", "body", "answer"]


@ROADS
@pytest.mark.parametrize("stage", STAGES)
def test_the_client_hangs_up(tmp_path, kind, stage):
    """Upstream sees the end, nothing is left of the request, and the next one is served."""
    arrived, gone = threading.Event(), threading.Event()

    def serve(peer):
        peer.head()
        if stage == "body":
            peer.read(MIB)
        elif stage == "answer":
            digest(peer.body())
        arrived.set()
        peer.wait_gone()
        gone.set()

    with Upstream(serve) as u, road(kind, tmp_path, u) as upstream, gateway(tmp_path, upstream) as d:
        with Upload(d, SMALL) as up:
            up.send({"head": [b"x"], "body": [b"".join(content(SMALL))[: MIB + 1000]], "answer": content(SMALL)}[stage])
            assert arrived.wait(wait.DEADLINE)
            up.hang_up()
        assert gone.wait(wait.DEADLINE)
        wait_idle(d)
        line = line_of(d, "POST /upload")
        assert (line["level"], line["status"]) == ("info", 499), line
        u.serve = lambda peer: (digest(peer.head().body()), peer.file())
        with Upload(d, SMALL) as up:
            up.send(content(SMALL))
            assert up.answer().status == 200


@ROADS
@pytest.mark.parametrize("stage", ["head", "body"])
def test_the_client_hangs_up_a_download(tmp_path, kind, stage):
    asked, gone = threading.Event(), threading.Event()

    def serve(peer):
        peer.head()
        if stage == "body":
            peer.send(200, b"x" * 100_000, length=SMALL)
        asked.set()
        peer.wait_gone()
        gone.set()

    with Upstream(serve) as u, road(kind, tmp_path, u) as upstream, gateway(tmp_path, upstream) as d:
        with Download(d, "files/a") as down:
            assert asked.wait(wait.DEADLINE)
            if stage == "body":
                assert down.head().status == 200
        assert gone.wait(wait.DEADLINE)
        wait_idle(d)


@ROADS
def test_an_answer_while_the_body_arrives(tmp_path, kind):
    """An error upstream is the answer at once, and no other key is tried. The client may send on and read at its end."""

    def serve(peer):
        peer.head().read(1000)
        peer.send(429, error(429, "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED"))
        peer.wait_gone()

    with Upstream(serve) as u, road(kind, tmp_path, u) as upstream, gateway(tmp_path, upstream) as d:
        with Upload(d, SMALL) as up:
            data = b"".join(content(SMALL))
            up.send([data[:MIB]])
            a = up.answer()
            assert (a.status, a.complete, a.header("Connection")) == (429, True, "close")
            assert json.loads(a.body)["error"]["status"] == "RESOURCE_EXHAUSTED"
        assert len(u.peers) == 1
        with Upload(d, SMALL) as up:
            up.send([data])
            assert up.answer().status == 429
        wait_idle(d)


@ROADS
def test_another_key(tmp_path, kind):
    """It is tried as long as no byte has gone up."""
    used = []

    def serve(peer):
        used.append(peer.head().key)
        if len(used) == 1:
            peer.send(400, BAD_KEY)
            peer.wait_gone()
        else:
            assert digest(peer.body()) == digest(content(SMALL))
            peer.file()

    with Upstream(serve) as u, road(kind, tmp_path, u) as upstream, gateway(tmp_path, upstream) as d:
        with Upload(d, SMALL) as up:
            wait.until("another key", lambda: len(used) == 2)
            up.send(content(SMALL))
            assert up.answer().status == 200
        assert len(set(used)) == 2


def test_a_small_one_goes_to_another_key(tmp_path):
    """It is held, so that it can be sent again if Google refuses it."""
    used = []

    def serve(peer):
        used.append(peer.head().key)
        assert digest(peer.body()) == digest([b"x" * 100_000])
        if len(used) == 1:
            peer.send(400, BAD_KEY, [("Connection", "close")])
        else:
            peer.file()

    with Upstream(serve) as u, gateway(tmp_path, u) as d:
        with Upload(d, 100_000) as up:
            up.send([b"x" * 100_000])
            assert up.answer().status == 200
        assert len(set(used)) == 2


@ROADS
@pytest.mark.parametrize("how", ["head", "body", "reset"])
def test_upstream_breaks_off(tmp_path, kind, how):
    def serve(peer):
        peer.head()
        if how != "head":
            peer.read(MIB)
        if how == "reset":
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with Upstream(serve) as u, road(kind, tmp_path, u) as upstream, gateway(tmp_path, upstream) as d:
        with Upload(d, 16 * MIB) as up:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                up.send(content(2 * MIB))
            a = up.answer()
            assert a.status in (502, 503) and a.complete, a.body
        wait_idle(d)


@ROADS
def test_a_download_breaks_off(tmp_path, kind):
    """The client sees that it has not all of it."""
    def serve(peer):
        peer.head()
        peer.send(200, b"x" * 100_000, length=SMALL)

    with Upstream(serve) as u, road(kind, tmp_path, u) as upstream, gateway(tmp_path, upstream) as d:
        with Download(d, "files/a") as down:
            assert down.head().header("Content-Length") == str(SMALL)
            assert sum(map(len, down.pieces())) < SMALL
        line = line_of(d, "GET /v1beta/files/")
        assert line["verdict"] == "cut", line


@ROADS
def test_a_download_is_refused(tmp_path, kind):
    def serve(peer):
        peer.head()
        peer.send(403, error(403, "You do not have permission to access the File a or it may not exist.", "PERMISSION_DENIED"))

    with Upstream(serve) as u, road(kind, tmp_path, u) as upstream, gateway(tmp_path, upstream) as d:
        a = d.ask("GET", "/v1beta/files/a:download?alt=media")
        assert a.status == 404 and "permission" in json.loads(a.body)["error"]["message"]


# --- limits ---

def too_large(a):
    assert a.status == 413, a
    assert "MAX_UPLOAD" in json.loads(a.body)["error"]["message"]
    return True


def test_max_upload(sim, start):
    d = start(MAX_UPLOAD="1M", MAX_BODY="1K")
    for more in ([], [("Expect", "100-continue")]):
        with Upload(d, MIB + 1, more=more) as u:
            assert too_large(u.answer())
    with Upload(d, None) as u:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            u.send(content(3 * MIB))
        assert too_large(u.answer())
    with Upload(d, MIB) as u:
        u.send(content(MIB))
        assert u.file()["sizeBytes"] == str(MIB)
    headers = [("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "start")]
    for size in (MIB + 1, 10**30):
        assert too_large(d.ask("POST", Upload.PATH, [*headers, ("X-Goog-Upload-Header-Content-Length", str(size))], b"{}"))
    url = Files(d).start(size=MIB)
    assert too_large(Files(d).piece(url, b"xx", MIB - 1))
    half = [("X-Goog-Upload-Command", "upload"), ("X-Goog-Upload-Offset", "0")]
    path = url[url.index("/", len("http://")):]
    with Upload(d, None, path=path, headers=half) as u:
        u.send(content(MIB // 2))
        assert u.answer().header("X-Goog-Upload-Size-Received") == str(MIB // 2)
    for size, offset in ((MIB, str(MIB // 2)), (MIB, str(MIB - 1)), (MIB, str(MIB)), (MIB, str(10**30)), (None, str(MIB // 2)),
                         (None, str(MIB - 1)), (None, str(MIB))):  # all pieces together, of a length that is known or not
        with Upload(d, size, path=path, headers=[("X-Goog-Upload-Command", "upload, finalize"), ("X-Goog-Upload-Offset", offset)]) as u:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                u.send(content(MIB))
            assert too_large(u.answer()), (size, offset)
    for offset in ([], [("X-Goog-Upload-Offset", "")], [("X-Goog-Upload-Offset", "-1")], [("X-Goog-Upload-Offset", "0x1")]):
        a = d.ask("POST", path, [("X-Goog-Upload-Command", "upload"), *offset], b"x")
        assert a.status == 400 and (b"has X-Goog-Upload-Offset" in a.body or offset and b"A header" in a.body), (offset, a.body)
    path = (url := Files(d).start(size=MIB))[url.index("/", len("http://")):]
    for command, offset in (("upload", 0), ("upload, finalize", MIB // 2)):
        with Upload(d, None, path=path, headers=[("X-Goog-Upload-Command", command), ("X-Goog-Upload-Offset", str(offset))]) as u:
            u.send(content(MIB // 2))
            a = u.answer()
    assert json.loads(a.body)["file"]["sizeBytes"] == str(MIB)
    wait_idle(d)


def test_max_upload_ends_the_call(tmp_path):
    gone = threading.Event()

    def serve(peer):
        peer.head()
        peer.wait_gone()
        gone.set()

    with Upstream(serve) as u, gateway(tmp_path, u, {"MAX_UPLOAD": "1M"}) as d:
        with Upload(d, None) as up:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                up.send(content(3 * MIB))
            assert too_large(up.answer())
        assert gone.wait(wait.DEADLINE)


def test_room(sim, start):
    """A transfer has a fixed share of MAX_INFLIGHT_BYTES, however large it is."""
    d = start(MAX_BODY="1M", MAX_INFLIGHT_BYTES="1M")
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(Upload(d, SMALL))
        wait.until("they are there", lambda: under_way(d) == 2)
        with Upload(d, SMALL) as u:
            a = u.answer()
            assert (a.status, a.header("Retry-After")) == (503, "2")
    wait_idle(d)
    with Upload(d, SMALL) as u:
        u.send(content(SMALL))
        u.file()


def test_no_token(sim, daemon):
    with Upload(daemon, SMALL, token=None) as u:
        assert u.answer().status == 401
    assert sim.requests() == []


def test_malformed_chunks(sim, daemon):
    with Upload(daemon, None) as u:
        u.c.sock.sendall(b"4\r\nabcd\r\nzz\r\n")
        a = u.answer()
        assert a.status == 400 and "chunks" in json.loads(a.body)["error"]["message"]
    wait_idle(daemon)


# --- the end of the daemon ---

def test_a_drain_waits(sim, start):
    d = start()
    data = b"".join(content(SMALL))
    with Upload(d, SMALL) as u:
        u.send([data[:MIB]])
        wait.until("it is there", lambda: under_way(d) == 1)
        d.process.signal(signal.SIGTERM)
        wait.until("the refusal of new connections", lambda: not connects(d))
        u.send([data[MIB:]])
        assert told(u.file()) == digest([data])
    assert d.process.wait() == 0


def test_a_drain_is_over(sim, start):
    """An upload gets an error, a download no end."""
    d = start(DRAIN_TIMEOUT="100ms")
    with Upload(d, SMALL) as u, Download(d, f"files/gen-{64 * MIB}", receive_buffer=65536) as down:
        u.send([b"x" * MIB])
        assert down.head().status == 200
        wait.until("both are there", lambda: under_way(d) == 2)
        d.process.signal(signal.SIGTERM)
        a = u.answer()
        assert a.status == 503 and "stopping" in json.loads(a.body)["error"]["message"]
        assert sum(map(len, down.pieces())) < 64 * MIB
    assert d.process.wait() == 0


# --- what takes long: ./tests/run long files ---

@ROADS
@pytest.mark.long
def test_two_gigabytes(sim, tmp_path, kind):
    """The largest that is allowed by default, and the daemon holds no more than of a small one."""
    size = 2 << 30
    with road(kind, tmp_path, sim) as upstream, gateway(tmp_path, upstream) as d:
        upload(d, SMALL)
        expected = digest(content(size))
        forget_peak(d)
        before = memory(d)
        file = upload(d, size)
        assert (file["sizeBytes"], told(file)) == (str(size), expected)
        with Download(d, file["name"]) as down:
            assert down.head().header("Content-Length") == str(size)
            assert digest(down.pieces()) == expected
        assert peak(d) - before <= ROOM
        with Upload(d, size + 1) as u:
            assert too_large(u.answer())


@pytest.mark.long
def test_silence(tmp_path):
    """Each side falls silent in the middle, all at once: each of these transfers ends, with the right error."""

    def serve(peer):
        if peer.head().line.startswith("GET"):
            peer.send(200, b"x" * (100_000 if "silent" in peer.line else 64 * MIB), length=64 * MIB)
        if peer.headers.get("x-goog-upload-file-name") == "stuck":
            over.wait()
        peer.wait_gone()

    over = threading.Event()
    names = [("X-Goog-Upload-Protocol", "raw")]
    with Upstream(serve) as u, gateway(tmp_path, u) as d, contextlib.ExitStack() as stack:
        silent = stack.enter_context(Upload(d, SMALL, headers=[*names, ("X-Goog-Upload-File-Name", "taken")]))
        mute = stack.enter_context(Upload(d, SMALL, headers=[*names, ("X-Goog-Upload-File-Name", "taken")]))
        stuck = stack.enter_context(Upload(d, 64 * MIB, headers=[*names, ("X-Goog-Upload-File-Name", "stuck")]))
        unread = stack.enter_context(Download(d, "files/a", receive_buffer=65536))
        broken = stack.enter_context(Download(d, "files/silent"))
        for c in (silent, mute, stuck, unread, broken):
            c.c.sock.settimeout(300)
        silent.send([b"x"])
        assert stuck.send_until_stuck(content(64 * MIB)) < 64 * MIB
        assert (silent.answer().status, mute.answer().status) == (408, 408)
        assert stuck.answer().status == 504
        over.set()
        assert broken.head().status == 200 and sum(map(len, broken.pieces())) == 100_000
        wait.until("all have ended", lambda: under_way(d) == 0, 300)
