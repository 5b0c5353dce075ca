# SPDX-License-Identifier: MIT
"""packaging/compose.yaml in a user's folder, as docker-compose resolves it, carried out with containers of the tests."""
import os
import re
import subprocess

from ruamel.yaml import YAML

import container

SERVICE, LOGS = "gemgate", "logs"


def load(text):
    return YAML(typ="safe", pure=True).load(text)


class Project:
    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "packaging/compose.yaml"
        self.env = folder / ".env"
        self.logs = folder / "logs"
        self.volumes = {}

    def set(self, **settings):
        """Edits .env: the line of the example is uncommented and changed, or one is added."""
        text = self.env.read_text()
        for name, value in settings.items():
            text, n = re.subn(rf"^#?{name}=.*$", lambda _: f"{name}={value}", text, flags=re.M)
            if not n:
                text += f"{name}={value}\n"
        self.env.write_text(text)

    def said(self):
        """The file itself."""
        return load(self.file.read_text())

    def resolved(self, **env):
        """The result of docker-compose, called as a user calls it: in the folder with .env, and without naming files."""
        done = subprocess.run(
            ["docker-compose", "config"], cwd=self.folder, env={"PATH": os.environ["PATH"]} | env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return load(done.stdout)["services"]

    def mounts(self, service, image):
        """{path: folder}; a folder that is missing is made, and made root's, as Docker does."""
        out = {}
        for mount in service["volumes"]:
            source, path = mount.split(":")[:2]
            if source.startswith("."):
                folder = (self.file.parent / source).resolve()
                folder.mkdir(mode=0o755, exist_ok=True)
            else:
                if source not in self.volumes:
                    self.volumes[source] = container.Volume(self.folder / f"volume-{source}", image, path).path
                folder = self.volumes[source]
            out[path] = folder
        return out

    def own_logs(self, image, folder):
        """The service that ends, in the base image; waits until it has."""
        s = self.said()["services"][LOGS]
        uid, gid = map(int, s["user"].split(":"))
        with container.Container(
            folder, image, root=image.base, argv=[which(image.base, s["command"][0]), *s["command"][1:]], user=(uid, gid),
            mounts=self.mounts(s, image), read_only=s["read_only"], caps=s["cap_add"],
        ) as c:  # fmt: skip
            status = c.process.wait()
            assert status == 0, c.said()

    def up(self, image, folder, **changes):
        said = self.said()["services"]
        s = said[SERVICE]
        if LOGS in s["depends_on"]:
            self.own_logs(image, folder.with_name(folder.name + "-logs"))
        given = {
            "env": self.resolved()[SERVICE]["environment"],
            "mounts": self.mounts(s, image),
            "tmpfs": s["tmpfs"],
            "read_only": s["read_only"],
        }
        env = changes.pop("env", {})
        given["env"] |= env
        return container.Container(folder, image, **given | changes)


def which(root, name):
    """Where PATH has it in an image."""
    return next(f"{d}/{name}" for d in ("/usr/bin", "/bin") if os.path.lexists(f"{root}{d}/{name}"))


