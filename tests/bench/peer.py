# SPDX-License-Identifier: MIT
"""Another gateway, which the command line names: one that runs, or a command that starts one.

    --peer NAME=http://127.0.0.1:PORT            it runs, and its upstream is the simulator at --sim-port
    --peer NAME='COMMAND {port} {upstream}'      it is started, once for each upstream

In a command {port} is where it must listen on 127.0.0.1, {upstream} is Gemini's base URL, {ca} the file with the authority
that signed the certificate of an upstream with TLS, {key} an API key and {directory} a folder of the peer's own. It is
asked in OpenAI's, Gemini's and Anthropic's form; what it does not answer is not measured.
"""

import os
import pathlib
import re
import shlex

from servers import ENVIRONMENT, KEYS, Server, ServerError, free_port
from usage import descendants


class PeerOptions:
    """What the command line has of one peer."""

    def __init__(self, spec: str):
        self.name, equals, self.what = spec.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z][\w-]*", self.name) or not self.what:
            raise ServerError(f"--peer {spec}: must be NAME=URL or NAME=COMMAND")
        self.headers: dict[str, str] = {}
        self.pid: int | None = None
        url = re.fullmatch(r"http://(?:127\.0\.0\.1|localhost):(\d+)/?", self.what)
        self.port = int(url.group(1)) if url else None
        if "://" in self.what.partition(" ")[0] and not url:
            raise ServerError(f"--peer {spec}: a URL must be http://127.0.0.1:PORT")

    @property
    def runs(self) -> bool:
        return self.port is not None


def read_options(peers: list[str], headers: list[str], pids: list[str]) -> dict[str, PeerOptions]:
    out = {options.name: options for options in map(PeerOptions, peers)}
    for option, values in (("--peer-header", headers), ("--peer-pid", pids)):
        for value in values:
            name, equals, rest = value.partition("=")
            if name not in out or not equals:
                raise ServerError(f"{option} {value}: must begin with the name of a --peer and =")
            if option == "--peer-pid":
                out[name].pid = int(rest)
                continue
            header, colon, content = rest.partition(":")
            if not colon:
                raise ServerError(f"{option} {value}: must be NAME=HEADER: VALUE")
            out[name].headers[header.strip()] = content.strip()
    return out


class Peer(Server):
    def __init__(self, directory: pathlib.Path, options: PeerOptions, upstream: str, authority: pathlib.Path | None):
        self.name, self.options = options.name, options
        super().__init__(directory, options.port or free_port())
        self.values = {"port": str(self.port), "upstream": upstream, "ca": str(authority or ""), "key": KEYS[0],
                       "directory": str(directory)}

    def argv(self) -> list[str]:
        return [re.sub(r"\{(\w+)\}", lambda m: self.values.get(m.group(1), m.group()), part)
                for part in shlex.split(self.options.what)]

    def environment(self) -> dict[str, str]:
        """A peer may be a program of an interpreter that is found by its environment."""
        return os.environ | ENVIRONMENT | ({"SSL_CERT_FILE": self.values["ca"]} if self.values["ca"] else {})

    @property
    def pids(self) -> list[int]:
        if self.options.runs:
            return descendants(self.options.pid) if self.options.pid else []
        return descendants(self.child.pid)

    def start(self) -> None:
        if not self.options.runs:
            super().start()

    def check(self) -> None:
        if not self.options.runs:
            super().check()
