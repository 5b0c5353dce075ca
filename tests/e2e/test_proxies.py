# SPDX-License-Identifier: MIT
"""The reverse proxies of the README, with the text that is there: streams are not held, and gemgate sees who asks, and how."""
import contextlib
import os
import socket
import ssl
import subprocess

import pytest
from websockets.sync.client import connect

import http1
import live
import process
import readme
import wait
from house import SECRETS

SETTINGS = {"TRUSTED_PROXIES": '["127.0.0.1"]', "ALLOWED_IPS": '["127.0.0.7"]'}
CLIENT = "127.0.0.7"
MODEL = "gemini-3.8-flash"
NAME = "gemgate.example.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate and its key, for NAME."""
    folder = tmp_path_factory.mktemp("tls")
    crt, key = folder / "gemgate.crt", folder / "gemgate.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", crt],
        check=True, capture_output=True,
    )  # fmt: skip
    return crt, key


def replaced(text, *pairs):
    """Each of them must be there."""
    for old, new in pairs:
        assert old in text, f"{old} is not in the block"
        text = text.replace(old, new)
    return text


def free_port():
    with process.listen_tcp() as s:
        return s.getsockname()[1]


def nginx(folder, daemon, port, certificate):
    server = replaced(
        readme.block("nginx"), ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"), ("127.0.0.1:8080", daemon.host),
        ("/etc/ssl/gemgate.crt", str(certificate[0])), ("/etc/ssl/gemgate.key", str(certificate[1])),
    )  # fmt: skip
    paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        + ("user root;\n" if os.getuid() == 0 else "")
        + "events { worker_connections 64; }\nhttp { access_log off;\n" + paths + server + "}\n"
    )
    return ["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"], {}


def caddy(folder, daemon, port, certificate):
    """Here it does not get its certificate from an authority."""
    crt, key = certificate
    site = replaced(
        readme.block("caddyfile"), ("127.0.0.1:8080", daemon.host),
        (f"{NAME} {{\n", f"https://{NAME}:{port} {{\n    bind 127.0.0.1\n    tls {crt} {key}\n"),
    )  # fmt: skip
    (folder / "Caddyfile").write_text("{\n    admin off\n    auto_https disable_redirects\n}\n" + site)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"], {"HOME": str(folder)}


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(request, start, tmp_path, certificate):
    """(daemon, the proxy's port); nothing of it but TLS is left to this test."""
    daemon, port = start(**SETTINGS), free_port()
    argv, env = request.param(tmp_path, daemon, port, certificate)
    p = process.Process(argv, env, tmp_path)

    def ready():
        assert not p.ended(), p.said()
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait.until(f"{argv[0]} to listen", ready)
        yield daemon, port
    finally:
        p.kill_all()


@contextlib.contextmanager
def connected(port, certificate):
    context = ssl.create_default_context(cafile=str(certificate[0]))
    with http1.Connection(("127.0.0.1", port), source=CLIENT) as c:
        c.sock = context.wrap_socket(c.sock, server_hostname=NAME)
        yield c


def ask(connection, method, target, headers=(), body=b""):
    token = ("Authorization", f"Bearer {SECRETS['TOKEN']}")
    connection.send(http1.compose(method, target, [token, *headers], body, host=NAME))


STREAMS = {
    "/v1/chat/completions": b'{"model": "%s", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}',
    "/v1/messages": b'{"model": "%s", "stream": true, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}',
    "/v1beta/models/%s:streamGenerateContent?alt=sse": b'{"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}',
    "/v1beta/models/%s:streamGenerateContent": b'{"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}',
}


@pytest.mark.parametrize("target", STREAMS)
def test_stream(sim, proxy, certificate, target):
    """The first event arrives although there is never a second one."""
    _, port = proxy
    sim.script('* : text "first-second" chunks=2 hang after=1\n')
    body = STREAMS[target].replace(b"%s", MODEL.encode())
    with connected(port, certificate) as c:
        ask(c, "POST", target.replace("%s", MODEL), body=body)
        c.read_until(b"first")


def test_client(proxy, certificate):
    """The address of the client, not the proxy's; the scheme and the name in the URL of an upload; a body of 3 MB."""
    daemon, port = proxy
    with connected(port, certificate) as c:
        ask(c, "GET", "/v1/models")
        assert c.read().status == 200
        ask(c, "POST", "/upload/v1beta/files", [("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "start"),
            ("X-Goog-Upload-Header-Content-Length", "5"), ("X-Goog-Upload-Header-Content-Type", "text/plain")], b"{}")
        answer = c.read("POST")
        assert answer.status == 200
        assert answer.header("x-goog-upload-url").startswith(f"https://{NAME}/upload/v1beta/files")
        text = b"x" * 3_000_000
        ask(c, "POST", "/v1/chat/completions", body=b'{"model": "%s", "messages": [{"role": "user", "content": "%s"}]}'
            % (MODEL.encode(), text))
        assert c.read("POST").status == 200
    line = daemon.wait_log("the last request", lambda line: line.get("dialect") == "openai-chat")
    assert line["client"] == CLIENT


def test_live(proxy, certificate):
    """A WebSocket of the Live API."""
    _, port = proxy
    context = ssl.create_default_context(cafile=str(certificate[0]))
    sock = socket.create_connection(("127.0.0.1", port), source_address=(CLIENT, 0))
    with connect(f"wss://{NAME}{live.PATH.format('v1beta')}", sock=sock, ssl=context, proxy=None,
                 additional_headers={"x-goog-api-key": SECRETS["TOKEN"]}, open_timeout=wait.DEADLINE) as ws:
        live.setup(ws)
        assert live.turn(ws, "one")[0] == "gemini-sim got: one"
