# SPDX-License-Identifier: MIT
"""gemini-sim as Google's servers are reached: over TLS and HTTP/2, by an nginx that logs what came."""
import os
from dataclasses import dataclass

import process
import road
import wait

CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
{user}
events {{ worker_connections 4096; }}
http {{
    log_format seen '$server_protocol $connection $request_method $status';
    access_log {folder}/access.log seen;
    {paths}
    upstream sim {{ server 127.0.0.1:{sim}; keepalive 16; }}
    server {{
        listen {host}:{port} ssl http2;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        client_max_body_size 0;
        {more}
        location / {{
            proxy_pass http://sim;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 1h;
        }}
    }}
}}
"""


@dataclass
class Line:
    """A request that has ended."""

    protocol: str
    connection: str
    method: str
    status: int


class Front:
    """With `sim` in its place: what is asked of the simulator is asked of it, and only `url` is the front's."""

    def __init__(self, folder, sim, more="", listener=None):
        """`listener`: a socket that it gets as nginx passes its own to a new program; maybe of another network."""
        self.folder, self.sim = folder, sim
        self.sockets = [listener] if listener else []
        self.host, self.port = listener.getsockname() if listener else ("127.0.0.1", road.free_port())
        self.url = f"https://{self.host}:{self.port}"
        cert, key = road.authority(folder, self.host)
        self.ca = str(cert)
        names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        (folder / "nginx.conf").write_text(CONFIG.format(
            folder=folder, sim=sim.port, host=self.host, port=self.port, cert=cert, key=key, more=more,
            user="user root;" if os.getuid() == 0 else "",
            paths=" ".join(f"{name}_temp_path {folder}/{name};" for name in names),
        ))  # fmt: skip
        self.process = None
        self.start()

    def start(self):
        self.process = process.Process(
            ["/usr/sbin/nginx", "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"],
            {"NGINX": "3;"} if self.sockets else {}, self.folder, self.sockets,
        )
        pid = self.folder / "pid"  # it is written when the socket listens

        def listens():
            assert not self.process.ended(), self.process.said()
            return pid.exists() and pid.read_text().strip()

        wait.until("nginx to listen", listens)

    def stop(self):
        """At once, with all that is under way."""
        self.process.signal(15)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill_all()

    def __getattr__(self, name):
        return getattr(self.sim, name)

    def lines(self):
        log = self.folder / "access.log"
        words = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [Line(w[0], w[1], w[2], int(w[3])) for w in words]

    def wait_lines(self, n):
        return wait.until(f"{n} requests in nginx's log", lambda: len(lines := self.lines()) >= n and lines)
