# SPDX-License-Identifier: MIT
"""Gemini as it is in the wild: a name that DNS resolves, behind TLS by an authority that the machine trusts. Requests
to it reach gemini-sim."""
import contextlib
import select
import socket
import ssl
import subprocess
import threading
from pathlib import Path

HOST, PORT = "gemini.test", 8443
RESOLV, BUNDLE = Path("/etc/resolv.conf"), Path("/etc/ssl/certs/ca-certificates.crt")


def trust(cert, bundle):
    """As update-ca-certificates does: the certificate is in the bundle, and in the folder by OpenSSL's name."""
    BUNDLE.write_bytes(bundle + cert.encode())
    name = subprocess.run(["openssl", "x509", "-noout", "-subject_hash"], input=cert, capture_output=True, text=True, check=True)
    path = BUNDLE.parent / f"{name.stdout.strip()}.0"
    path.write_text(cert)
    return path


def answer(question):
    """One query of DNS (RFC 1035): our address for an A of our name, else nothing."""
    end = question.index(b"\0", 12) + 5
    name, kind = question[12 : end - 4], question[end - 4 : end - 2]
    known = name == b"".join(bytes([len(p)]) + p.encode() for p in HOST.split(".")) + b"\0" and kind == b"\0\1"
    head = question[:2] + b"\x81\x80\0\1" + (b"\0\1" if known else b"\0\0") + bytes(4)
    record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton("127.0.0.1") if known else b""
    return head + question[12:end] + record


class Google:
    def __init__(self, folder, sim_port):
        self.sim_port, self.asked, self.versions = sim_port, [], []
        key, cert = folder / "key.pem", folder / "cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", cert],
            check=True, capture_output=True,
        )
        self.cert = cert.read_text()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(cert, key)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 53))
        self.tcp = socket.create_server(("127.0.0.1", PORT))
        for serve in (self.serve_names, self.serve_tls):
            threading.Thread(target=serve, daemon=True).start()

    def close(self):
        for s in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def serve_names(self):
        with contextlib.suppress(OSError):
            while True:
                question, who = self.udp.recvfrom(512)
                if question:
                    self.asked.append(question)
                    self.udp.sendto(answer(question), who)

    def serve_tls(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.tcp.accept()
                threading.Thread(target=self.relay, args=(client,), daemon=True).start()

    def relay(self, client):
        with contextlib.suppress(OSError), self.tls.wrap_socket(client, server_side=True) as outer:
            self.versions.append(outer.version())
            with socket.create_connection(("127.0.0.1", self.sim_port)) as inner:
                while True:
                    ready = [outer] if outer.pending() else select.select([outer, inner], [], [])[0]
                    for s in ready:
                        data = s.recv(65536)
                        if not data:
                            return
                        (inner if s is outer else outer).sendall(data)


@contextlib.contextmanager
def google(folder, sim):
    """Known to the whole machine, until the end of the block; its authority is trusted after trust()."""
    g = Google(folder, sim.port)
    before, added = {path: path.read_bytes() for path in (RESOLV, BUNDLE)}, []
    try:
        RESOLV.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
        g.trust = lambda: added.append(trust(g.cert, before[BUNDLE]))
        yield g
    finally:
        for path, text in before.items():
            path.write_bytes(text)
        for path in added:
            path.unlink()
        g.close()
