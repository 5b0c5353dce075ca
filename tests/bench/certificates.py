# SPDX-License-Identifier: MIT
"""A certificate authority of a run, an intermediate one, and a certificate for localhost and for the far side of
tests/net/relay.py: a chain as Google's is."""

import pathlib
import subprocess

from servers import ServerError

EXTENSIONS = """\
[middle]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:198.18.0.2
"""


class Certificates:
    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        directory.mkdir()
        (directory / "extensions").write_text(EXTENSIONS)
        self.openssl("req", "-x509", *self.new_key("root"), "-subj", "/CN=bench root", "-days", "2", "-out", "root.pem")
        self.signed("middle", "root", "/CN=bench middle")
        self.signed("leaf", "middle", "/CN=localhost")
        self.authority, self.key, self.chain = (directory / name for name in ("root.pem", "leaf.key", "chain.pem"))
        self.chain.write_text((directory / "leaf.pem").read_text() + (directory / "middle.pem").read_text())

    def new_key(self, name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]

    def signed(self, name: str, by: str, subject: str) -> None:
        self.openssl("req", *self.new_key(name), "-subj", subject, "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial",
                     "-days", "2", "-extfile", "extensions", "-extensions", name, "-out", f"{name}.pem")

    def openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.directory, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise ServerError(f"openssl {arguments[0]}: {done.stderr}")
