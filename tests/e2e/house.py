# SPDX-License-Identifier: MIT
"""gemgated and gemini-sim as the tests start them, and the secrets that are planted in them."""
import contextlib
import json
import os
import secrets
import signal
from pathlib import Path

import http1
import process
import wait

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("GEMGATE_BUILD", ROOT / "build-test")).resolve()
GEMGATED = BUILD / "src" / "gemgated"
SANITIZED = GEMGATED.exists() and b"__asan_init" in GEMGATED.read_bytes()
GEMINI_SIM = BUILD / "tests" / "sim" / "gemini-sim"


def _key(i):
    """As long as Google's; the last four characters are fixed, so that a case can name the mask."""
    return f"AIzaSy{secrets.token_hex(14)}x{i:04d}"


# New ones in each run: nothing in the tree can have them by accident.
SECRETS = {f"KEY{i}": _key(i) for i in range(1, 5)} | {
    "TOKEN": "tok-1-" + secrets.token_hex(12),
    "TOKEN2": "tok-2-" + secrets.token_hex(12),
    "ADMIN": "adm-1-" + secrets.token_hex(12),
}
MASKS = {f"MASK{i}": f"AIza****{i:04d}" for i in range(1, 5)} | {
    "TOKENMASK": SECRETS["TOKEN"][:8] + "…",
    "ADMINMASK": SECRETS["ADMIN"][:8] + "…",
}


PIECE = 12  # longer than what a mask shows


def leaked(data):
    """The names of the secrets that these bytes contain a piece of."""
    if isinstance(data, str):
        data = data.encode()
    return [
        name
        for name, s in SECRETS.items()
        if any(s[i : i + PIECE].encode() in data for i in range(len(s) - PIECE + 1))
    ]


def defaults(sim):
    ca = getattr(sim, "ca", None)  # of a front with TLS
    return {
        **({"UPSTREAM_CA_FILE": ca} if ca else {}),
        "API_KEYS": json.dumps([SECRETS["KEY1"], SECRETS["KEY2"]]),
        "ALLOWED_TOKENS": json.dumps([SECRETS["TOKEN"]]),
        "ADMIN_TOKENS": json.dumps([SECRETS["ADMIN"]]),
        "GEMINI_BASE_URL": sim.url if sim else "http://127.0.0.1:9",
        "LOG_FORMAT": "json",
        "AFFINITY_SPILL": "off",  # else which key comes first is a matter of hashes
        "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent",  # never this machine's
    }


class Daemon:
    """A gemgated on a TCP socket that is there before it is; more sockets on demand."""

    def __init__(self, folder, sim=None, settings=None, unset=(), sockets=None, unix=False, argv=(), program=()):
        env = defaults(sim) | (settings or {})
        for name in unset:
            env.pop(name, None)
        self.unix = None
        self.socket = None
        if sockets is None:
            self.socket = process.listen_tcp()
            sockets = [self.socket]
            if unix:
                self.unix = str(folder / "gemgate.sock")
                sockets.append(process.listen_unix(self.unix))
        self.sockets = sockets
        self.process = process.Process([*(program or [GEMGATED]), *argv], env, folder, sockets)
        # The daemon has them now. Ours go, so that a connection fails when it is gone.
        self.address = self.socket.getsockname() if self.socket else None
        for s in sockets:
            (s[1] if isinstance(s, tuple) else s).close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.process.stop()
            assert not leaked(self.process.said()), "a secret in the daemon's output"
        else:
            self.process.kill()

    @property
    def host(self):
        return "%s:%d" % self.address[:2]

    @property
    def url(self):
        return f"http://{self.host}"

    def connect(self, **kw):
        return http1.Connection(kw.pop("where", self.address), **kw)

    def ask(self, method, target, headers=(), body=None, token="TOKEN", **kw):
        """One request on a separate connection."""
        headers = list(headers)
        if token:
            headers.append(("Authorization", f"Bearer {SECRETS[token]}"))
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        with self.connect(**kw) as c:
            with contextlib.suppress(BrokenPipeError):  # a refusal may come, and close, before the body is sent
                c.send(http1.compose(method, target, headers, body))
            return c.read(method)

    def chat(self, content="Hi", model="gemini-3.8-flash", **fields):
        messages = [{"role": "user", "content": content}]
        return self.ask("POST", "/v1/chat/completions", body={"model": model, "messages": messages, **fields})

    def log(self):
        """Every line of the log, parsed; a line that is not JSON is a fault."""
        whole, _, _ = self.process.out.read_text().rpartition("\n")  # the last one may still be being written
        return [json.loads(line) for line in whole.splitlines()]

    def wait_log(self, what, test):
        return wait.until(what, lambda: next((line for line in self.log() if test(line)), None))

    def interrupt(self, which=signal.SIGTERM):
        return self.process.signal(which)


def run_daemon(folder, *argv, env=None):
    """To its end, for what ends by itself: (exit status, stdout, stderr)."""
    p = process.Process([GEMGATED, *argv], env or {}, folder)
    status = p.wait()
    p.check()
    return status, p.out.read_text(), p.err.read_text()
