# SPDX-License-Identifier: MIT
"""The servers of a run, and what the simulator answers. A stage is one kind of upstream, plain HTTP/1.1 or TLS, with the
gateways in front of it; stages share the simulator."""

import contextlib
import dataclasses
import pathlib
import shutil

import nginx
from ask import TOOL_NAME
from certificates import Certificates
from figures import DIRECT, OURS, YARDSTICK
from load import Target
from peer import Peer, PeerOptions
from servers import Gemgated, Server, ServerError, Sim

NOFILE = 20000
SMALL, TOOL, LARGE, PACED, SPACED, FIRST, SILENT = (
    "bench-small", "bench-tool", "bench-large", "bench-paced", "bench-spaced", "bench-first", "bench-silent")
ANSWER = "A proxy stands between a client and a server and speaks to each in the name of the other."
PLAIN, TLS = "plain", "tls"
PLURAL = {PLAIN: "plain HTTP/1.1 upstream", TLS: "TLS upstream, HTTP/2 or HTTP/1.1"}
STEPS = (10, 60)  # events of the streams whose difference is counted
FAILURES = {"429": "rpm", "503": "overloaded"}


def steps_model(n: int) -> str:
    return f"bench-steps-{n}"


def failing_model(status: str, i: int) -> str:
    return f"bench-{status}-{i}"


def refused_model(status: str) -> str:
    return f"bench-always-{status}"


def script(events: int, failovers: int) -> str:
    """What the simulator answers, by model; the language is tests/sim/README.md's."""
    words = " ".join(f"word{i}" for i in range(events))
    models = {
        SMALL: f'text "{ANSWER}"',
        LARGE: f'text "{ANSWER}"',
        TOOL: f'call {TOOL_NAME} {{"from":"TXL","to":"CDG","seats":2}}',
        PACED: f'text "{words}" chunks={events} pace=1ms',
        SPACED: f'text "{words}" chunks={events} pace=20ms',
        FIRST: f'text "{words}" chunks=5 pace=1ms',
        SILENT: f'text "{words}" chunks=2 hang after=1',
    }
    for n in STEPS:
        models[steps_model(n)] = f'text "{" ".join(f"word{i:02}" for i in range(n))}" chunks={n} pace=10ms'
    for status, name in FAILURES.items():
        models[refused_model(status)] = f"error {name}"
    lines = [f"model {name}\nmodel={name}: {action}\n" for name, action in models.items()]
    # The first request to each of these is answered, the second is refused once.
    for status, name in FAILURES.items():
        for i in range(failovers):
            model = failing_model(status, i)
            lines.append(f'model {model}\nmodel={model} skip=1 times=1: error {name}\nmodel={model}: text "{ANSWER}"\n')
    return "".join(lines)


@dataclasses.dataclass
class House:
    """What all stages need to start a server."""

    directory: pathlib.Path
    builddir: pathlib.Path
    nginx_program: str
    log_level: str
    peers: dict[str, PeerOptions]
    only_nginx: bool = False
    sim: Sim | None = None
    n_folders: int = 0

    def folder(self, name: str) -> pathlib.Path:
        self.n_folders += 1
        path = self.directory / f"{self.n_folders}-{name}"
        path.mkdir()
        return path

    @property
    def program(self) -> pathlib.Path:
        return self.builddir / "src/gemgated"

    def small_answer(self) -> str:
        """The simulator's, byte by byte."""
        a = Target(DIRECT, self.sim).ask("native", SMALL)
        status, answer = self.sim.get("POST", a.path, a.content(), a.headers)
        if status != 200:
            raise ServerError(f"gemini-sim answers {status}")
        return answer.decode()


class Stage:
    def __init__(self, house: House, upstream: str):
        self.house, self.upstream = house, upstream
        self.certificates: Certificates | None = None
        self.front: nginx.Front | None = None
        self.stack = contextlib.ExitStack()
        self.targets: dict[str, Target] = {}

    def started(self, server: Server) -> Server:
        self.stack.callback(server.stop)
        server.start()
        return server

    def start(self) -> None:
        sim = self.house.sim
        if self.upstream == TLS:
            self.certificates = Certificates(self.house.directory / "certificates")
            path = Target(DIRECT, sim).ask("native", SMALL).path
            self.front = self.started(nginx.Front(self.house.folder("front"), self.house.nginx_program, sim.port, NOFILE,
                                                  self.certificates, path, self.house.small_answer()))
        self.targets[DIRECT] = Target(DIRECT, self.front or sim, self.front.plain if self.front else sim.port)
        for name in self.gateway_names():
            self.targets[name] = self.stack.enter_context(self.fresh(name))

    def stop(self) -> None:
        self.stack.close()

    def servers(self) -> list[Server]:
        """All that run, the simulator included."""
        return [self.house.sim, *([self.front] if self.front else []),
                *(t.server for name, t in self.targets.items() if name != DIRECT)]

    def gateway_names(self) -> list[str]:
        """A peer that runs already has one upstream, which is the simulator."""
        peers = [name for name, options in self.house.peers.items() if self.upstream == PLAIN or not options.runs]
        return [YARDSTICK, OURS, *peers]

    def fresh_names(self) -> list[str]:
        """Those of which a second one can be started."""
        return [name for name in self.gateway_names()
                if name not in self.house.peers or not self.house.peers[name].runs]

    @property
    def upstream_url(self) -> str:
        return f"https://localhost:{self.front.port}" if self.front else f"http://127.0.0.1:{self.house.sim.port}"

    def settings(self) -> dict[str, str]:
        """Of gemgated: it trusts the authority of the run, and a busy machine is no reason to give up a connection."""
        trust = {"UPSTREAM_CA_FILE": str(self.certificates.authority)} if self.certificates else {}
        return {"CONNECT_TIMEOUT": "2min"} | trust

    def gateway(self, name: str, settings: dict[str, str] | None = None) -> Target:
        """One that has not been started."""
        directory = self.house.folder(name)
        if name == YARDSTICK or (name == OURS and self.house.only_nginx):
            port = self.front.port if self.front else self.house.sim.port
            return Target(name, nginx.yardstick(directory, self.house.nginx_program, port, NOFILE, self.certificates))
        if name == OURS:
            return Target(name, Gemgated(directory, self.house.program, self.upstream_url, self.house.log_level,
                                         self.settings() | (settings or {})), translates=True)
        options = self.house.peers[name]
        authority = self.certificates.authority if self.certificates else None
        return Target(name, Peer(directory, options, self.upstream_url, authority), translates=True,
                      headers=options.headers)

    @contextlib.contextmanager
    def fresh(self, name: str, settings: dict[str, str] | None = None):
        """A new server, for as long as the `with` lasts."""
        target = self.gateway(name, settings)
        try:
            target.server.start()
            if name not in self.house.peers:
                target.prove(target.ask("native" if not target.translates else "chat", SMALL))
            yield target
        finally:
            target.server.stop()
            shutil.rmtree(target.server.directory, ignore_errors=True)


