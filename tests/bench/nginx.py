# SPDX-License-Identifier: MIT
"""nginx in its two parts: the yardstick beside gemgated, and the front that gives the simulator TLS and HTTP/2."""

import os
import pathlib
import socket

from certificates import Certificates
from servers import Server, ServerError, free_port

HTTP = """\
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile {nofile};
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log error;
events {{ worker_connections {nofile}; use epoll; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_read_timeout 600s;
    proxy_set_header Connection "";
    upstream behind {{
        server 127.0.0.1:{upstream};
        keepalive 1024;
        keepalive_requests 1000000000;
        keepalive_timeout 600s;
    }}
    server {{
        {server}
    }}
}}
"""

# A stream is passed on as it comes, and so is a large body.
YARDSTICK = """\
listen 127.0.0.1:{port} backlog=4096;
        {verify}
        location / {{ proxy_pass {scheme}://behind; }}
        location ~ :streamGenerateContent$ {{ proxy_buffering off; proxy_pass {scheme}://behind; }}
        location ~ /bench-large: {{ proxy_request_buffering off; proxy_pass {scheme}://behind; }}"""

VERIFY = """\
proxy_ssl_verify on;
        proxy_ssl_verify_depth 3;
        proxy_ssl_trusted_certificate {authority};
        proxy_ssl_name localhost;
        proxy_ssl_server_name on;
        proxy_ssl_protocols TLSv1.3;"""

# Google allows 100 streams on a connection. The small answer comes from the front itself: the simulator behind it would
# make the load the client's and the front's, and leave the gateway idle.
FRONT = """\
listen 127.0.0.1:{port} ssl http2 backlog=4096;
        listen 127.0.0.1:{plain} backlog=4096;
        {far}
        server_name localhost;
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        http2_max_concurrent_streams 100;
        location / {{ proxy_buffering off; proxy_request_buffering off; proxy_pass http://behind; }}
        location = {path} {{ default_type "application/json; charset=UTF-8"; return 200 '{answer}'; }}"""


class Nginx(Server):
    """Only the worker counts: the master sleeps."""

    name = "nginx"

    def __init__(self, directory: pathlib.Path, program: str, upstream: int, nofile: int, server: str):
        super().__init__(directory, free_port())
        self.program = program
        self.conf = directory / "nginx.conf"
        self.conf.write_text(HTTP.format(
            user="user root;" if os.geteuid() == 0 else "", dir=directory, upstream=upstream, nofile=nofile,
            server=server.replace("{port}", str(self.port))))

    def argv(self) -> list[str]:
        return [self.program, "-p", str(self.directory), "-c", str(self.conf),
                "-e", str(self.directory / "nginx-error.log")]

    @property
    def pid(self) -> int:
        master = self.child.pid
        workers = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if len(workers) != 1:
            raise ServerError(f"nginx has {len(workers)} workers, not one")
        return int(workers[0])

    def said(self) -> str:
        errors = self.directory / "nginx-error.log"
        return super().said() + (errors.read_text(errors="replace")[-2000:] if errors.exists() else "")


def yardstick(directory: pathlib.Path, program: str, upstream: int, nofile: int,
              certificates: Certificates | None) -> Nginx:
    """proxy_pass with keep-alive; with certificates, over TLS that it verifies."""
    verify = VERIFY.format(authority=certificates.authority) if certificates else ""
    server = YARDSTICK.format(port="{port}", verify=verify, scheme="https" if certificates else "http")
    return Nginx(directory, program, upstream, nofile, server)


class Front(Nginx):
    """HTTP/2 or HTTP/1.1 by ALPN over TLS at `port`; the same without TLS at `plain`, which is the upstream alone. `far`: a
    socket of another network, at which TLS is served, too."""

    name = "front"

    def __init__(self, directory: pathlib.Path, program: str, sim: int, nofile: int, certificates: Certificates,
                 path: str, answer: str, far: socket.socket | None = None):
        self.plain = free_port()
        address = far.getsockname() if far else None
        if "'" in answer or "$" in answer or "\\" in answer:
            raise ServerError("the small answer must be without ', $ and backslashes")
        super().__init__(directory, program, sim, nofile, FRONT.format(
            port="{port}", plain=self.plain, chain=certificates.chain, key=certificates.key, path=path, answer=answer,
            far=f"listen {address[0]}:{address[1]} ssl http2;" if address else ""))
        self.passed = [far.fileno()] if far else []

    def environment(self) -> dict[str, str]:
        """nginx passes its sockets so to a new program."""
        return super().environment() | ({"NGINX": "".join(f"{fd};" for fd in self.passed)} if self.passed else {})
