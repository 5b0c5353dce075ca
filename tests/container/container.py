# SPDX-License-Identifier: MIT
"""The image as it was built, and containers of it: as an engine would run them, but on the network of the tests."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import house
import http1
import process
import wait

HERE = Path(__file__).parent
OUT = Path(os.environ.get("GEMGATE_IMAGE", house.ROOT / "build-test/container"))
CAPS = {"CHOWN": 0}


class Image:
    """What build.sh left in OUT."""

    def __init__(self, name="gemgate"):
        self.root = OUT / name / "root"
        self.base = OUT / "base"
        self.whole = (OUT / name / "image.json").read_text()
        self.config = json.loads(self.whole)["Docker"]["config"]
        self.oci = OUT / name / "oci"
        self.canary = (OUT / "canary").read_text().strip()
        self.env = dict(pair.split("=", 1) for pair in self.config["Env"])
        self.uid, self.gid = map(int, self.config["User"].split(":"))

    def blob(self, digest):
        return self.oci / "blobs" / digest.replace(":", "/")

    def layers(self):
        """The files that a registry would have of it."""
        index = json.loads((self.oci / "index.json").read_text())
        manifest = json.loads(self.blob(index["manifests"][0]["digest"]).read_text())
        return [self.blob(layer["digest"]) for layer in manifest["layers"]]


class Volume:
    """A named one: when it is new, it takes its owner and mode from what the image has in its place."""

    def __init__(self, folder, image, path):
        self.path = folder
        like = os.stat(image.root / path.lstrip("/"))
        folder.mkdir()
        os.chown(folder, like.st_uid, like.st_gid)
        os.chmod(folder, like.st_mode & 0o7777)


class Container:
    """`mounts` is {path: folder, or (folder, "ro")}; `sockets` are passed as systemd would."""

    ADDRESS = ("127.0.0.1", 8080)

    def __init__(self, folder, image, *, env=None, mounts=None, tmpfs=(), read_only=True, sockets=(), argv=None,
                 root=None, user=None, caps=()):
        self.folder = folder
        self.image = image
        folder.mkdir(exist_ok=True)
        (folder / "scratch").mkdir()
        uid, gid = user or (image.uid, image.gid)
        pairs = [(path, m if isinstance(m, tuple) else (m, "rw")) for path, m in (mounts or {}).items()]
        self.spec = {
            "root": str(root or image.root),
            "scratch": str(folder / "scratch"),
            "read_only": read_only,
            "tmpfs": [(t.split(":", 1) + [""])[:2] for t in tmpfs],
            "mounts": [(str(source), path, mode == "ro") for path, (source, mode) in pairs],
            "argv": list(argv or image.config["Entrypoint"]),
            "env": image.env | (env or {}),
            "uid": uid,
            "gid": gid,
            "cwd": image.config.get("WorkingDir") or "/",
            "caps": [CAPS[c] for c in caps],
            "fds": len(sockets),
        }
        # The outer namespace's first process is root's and dies with this one; what runs in the inner one cleared
        # its own death signal when it changed its user, and dies with the outer one.
        self.process = process.Process(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child=SIGKILL", "--",
             "unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--propagation", "private", "--",
             sys.executable, HERE / "inside.py", "run", self._spec("run", {})],
            {}, folder, sockets,
        )  # fmt: skip
        self._pid1 = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None and not self.process.ended():
            self.stop()
        self.process.kill()

    def _spec(self, name, changes):
        path = self.folder / f"{name}.json"
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            json.dump(self.spec | changes, f)
        return path

    # --- its processes ---

    @property
    def pid1(self):
        """The host's number of its first process."""

        def child(pid):
            try:
                return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
            except (IndexError, FileNotFoundError):
                return None

        def look():
            assert not self.process.ended(), self.said()
            inner = child(self.process.pid)
            pid = inner and child(inner)
            return pid and os.readlink(f"/proc/{pid}/exe").endswith(self.spec["argv"][0]) and pid

        self._pid1 = self._pid1 or wait.until("the container's first process", look)
        return self._pid1

    def exec(self, *argv, user=None, check=None):
        """Beside it, as `docker exec` does; as its user, in its environment."""
        changes = {"argv": list(argv), "fds": 0}
        if user is not None:
            changes |= {"uid": user, "gid": user}
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid1), "-m", "-p", "-i", "-u", "--",
             sys.executable, HERE / "inside.py", "exec", self._spec("exec", changes)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert check is None or done.returncode == check, done
        return done

    def healthy(self):
        """The command of HEALTHCHECK; in exec form, because there is no shell."""
        kind, *argv = self.image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.exec(*argv).returncode == 0

    def ready(self):
        wait.until("the container to be healthy", self.healthy)
        return self

    def signal(self, name):
        os.kill(self.pid1, getattr(signal, name))

    def stop(self, expected=0, deadline=wait.DEADLINE):
        self.signal(self.image.config["StopSignal"])
        status = self.process.wait(deadline)
        assert status == expected, f"it ended with {status}, expected {expected}:\n{self.said()}"

    def said(self):
        return self.process.said()

    def log(self):
        """The whole lines of its standard output and error: what an engine keeps."""
        files = (self.process.out, self.process.err)
        return [json.loads(line) for f in files for line in f.read_text().rpartition("\n")[0].splitlines()]

    # --- its port ---

    def connect(self, source=None):
        return http1.Connection(self.ADDRESS, **({"source": source} if source else {}))

    def ask(self, method, target, body=None, token="TOKEN", headers=(), source=None):
        headers = list(headers)
        if token:
            headers.append(("Authorization", f"Bearer {house.SECRETS[token]}"))
        if body is not None:
            body = json.dumps(body).encode()
        with self.connect(source) as c:
            c.send(http1.compose(method, target, headers, body))
            return c.read(method)

    def chat(self, content="Hi", **kw):
        messages = [{"role": "user", "content": content}]
        return self.ask("POST", "/v1/chat/completions", {"model": "gemini-3.8-flash", "messages": messages}, **kw)
