# SPDX-License-Identifier: MIT
"""A Gemini that is reached through proxies only.

The name gemini.test is in the /etc/hosts that the proxies see, not in the daemon's. It leads to a TLS server on
loopback with gemini-sim behind it. The daemon trusts its certificate. So there is no other way than through a proxy that
resolves the name.
"""
import contextlib
import socket
import ssl
import subprocess
import threading

import house
import process
import wait

NAME = "gemini.test"
USER, PASSWORD, PLAIN = "corp-user", "hunter2%2Dhunter2", "hunter2-hunter2"  # as in a URL, and what that means

TRUSTING = 'mount --bind "$1" /etc/ssl/certs/ca-certificates.crt && shift && exec "$@"'
KNOWING = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


def within(script, *argv):
    return ["unshare", "--mount", "--", "sh", "-c", script, "sh", *map(str, argv)]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def authority(folder, address="127.0.0.1"):
    """A certificate of gemini.test and of an address, which is its own authority: (certificate, key)."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=gemini.test", "-addext", f"subjectAltName=DNS:{NAME},IP:{address}", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


class Server:
    """Each connection has a thread. `serve` gets the socket, and may return anything to be kept."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.serve = serve
        self.open, self.ended = set(), 0
        self.thread = threading.Thread(target=self.accept)
        self.thread.start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.listener.accept()
                self.open.add(c)
                threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        with contextlib.suppress(OSError, ssl.SSLError):
            self.serve(c)
        c.close()
        self.ended += 1

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        self.hang_up()

    def hang_up(self):
        """On all clients."""
        for c in list(self.open):
            with contextlib.suppress(OSError):
                c.shutdown(socket.SHUT_RDWR)


def pump(a, b, seen=None):
    """All that comes from a goes to b."""
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := a.recv(65536):
            if seen is not None:
                seen.append(data)
            b.sendall(data)
    for s in (a, b):
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)


def join(a, b, seen=None):
    back = threading.Thread(target=pump, args=(b, a), daemon=True)
    back.start()
    pump(a, b, seen)
    back.join()


def head_of(c):
    head = b""
    while b"\r\n\r\n" not in head and (data := c.recv(65536)):
        head += data
    return head.decode()


class Google:
    """TLS before gemini-sim. `connections`: of each, where it came from and all that was sent on it."""

    def __init__(self, sim, cert, key):
        self.sim, self.connections = sim, []
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(cert, key)
        self.server = Server(self.one)
        self.url = f"https://{NAME}:{self.server.port}"

    def one(self, c):
        sent = []
        self.connections.append((c.getpeername()[1], sent))
        c = self.tls.wrap_socket(c, server_side=True)
        join(c, socket.create_connection(("127.0.0.1", self.sim.port)), sent)

    def keys(self):
        """Of each connection: the API keys that came on it."""
        out = []
        for port, sent in self.connections:
            text = b"".join(sent)
            out.append((port, {name for name, s in house.SECRETS.items() if s.encode() in text}))
        return out


class Connect:
    """A proxy of ours, to see what a real one does not show: `tunnels` has of each its user and its own port."""

    def __init__(self, behind, tls=None):
        self.behind, self.tls, self.tunnels, self.heads = behind, tls, [], []
        self.server = Server(self.one)
        self.port = self.server.port

    def one(self, c):
        if self.tls:
            c = self.tls.wrap_socket(c, server_side=True)
        head = head_of(c)
        self.heads.append(head)
        up = socket.create_connection(("127.0.0.1", self.behind))
        lines = [line for line in head.split("\r\n") if line.lower().startswith("proxy-authorization:")]
        self.tunnels.append((lines[0].split()[-1] if lines else "", up.getsockname()[1]))
        c.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: mine\r\n\r\n")
        join(c, up)


class Program:
    """A real proxy, from Debian. It listens once its port takes a connection."""

    def __init__(self, folder, hosts, *argv):
        folder.mkdir()
        self.port = free_port()
        self.process = process.Process(within(KNOWING, hosts, *[str(a).format(port=self.port) for a in argv]), {}, folder)

        def listens():
            assert not self.process.ended(), f"the proxy did not start:\n{self.process.said()}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return True

        wait.until("the proxy to listen", listens)

    def said(self):
        return self.process.said()

    def stop(self):
        self.process.kill()


TINYPROXY = """Port {port}
Listen 127.0.0.1
Timeout 600
MaxClients 50
Allow 127.0.0.1
LogLevel Connect
{more}
"""


class Roads:
    """Starts what is asked for, and stops it at the end."""

    def __init__(self, sim, folder):
        self.folder, self.stack, self.n = folder, contextlib.ExitStack(), 0
        self.cert, self.key = authority(folder)
        self.google = Google(sim, self.cert, self.key)
        self.stack.callback(self.google.server.stop)
        self.hosts = folder / "hosts"
        self.hosts.write_text(f"127.0.0.1 localhost {NAME}\n")
        self.program = within(TRUSTING, self.cert, house.GEMGATED)

    def place(self):
        self.n += 1
        return self.folder / f"proxy{self.n}"

    def keep(self, thing):
        self.stack.callback(thing.stop)
        return thing

    def tinyproxy(self, more=""):
        config = self.folder / f"tinyproxy{self.n}.conf"
        config.write_text(TINYPROXY.replace("{more}", more))
        script = 'sed "s/{port}/$2/" "$1" > "$1.now" && exec tinyproxy -d -c "$1.now"'
        return self.keep(Program(self.place(), self.hosts, "sh", "-c", script.replace("{", "{{").replace("}", "}}"), "sh",
                                 config, "{port}"))  # fmt: skip

    def microsocks(self, *argv):
        return self.keep(Program(self.place(), self.hosts, "microsocks", "-i", "127.0.0.1", "-p", "{port}", *argv))

    def connect(self, tls=False, behind=None):
        """`behind`: the port of another server than google."""
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.cert, self.key)
        proxy = Connect(behind or self.google.server.port, context)
        self.stack.callback(proxy.server.stop)
        return proxy

    def server(self, serve):
        s = Server(serve)
        self.stack.callback(s.stop)
        return s
