# SPDX-License-Identifier: MIT
"""What is in the image, and what is not."""
import gzip
import os
import re
import stat

import container
import house

MB = 1_000_000
LIBRARY = re.compile(r"/usr/lib(64|/[^/]+)/(ld-linux[^/]*|lib[^/]+)\.so[.0-9]*")
OTHERS = re.compile(
    r"/etc/(passwd|group|nsswitch\.conf|os-release|ssl/certs/ca-certificates\.crt)"
    r"|/usr/share/(zoneinfo/.*|doc/[^/]+/copyright)|/var/lib/dpkg/status\.d/[^/]+"
)
PROGRAMS = {"/usr/bin/gemgated", "/usr/bin/gemgatectl"}


def walk(root):
    """Path in the image → lstat."""
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            yield "/" + os.path.relpath(path, root), os.lstat(path)


def test_only_what_is_needed(image):
    """Two programs, their libraries, and a few files of which each has a reason. No shell, no package manager."""
    files = {path: st for path, st in walk(image.root) if not stat.S_ISDIR(st.st_mode)}
    left = {path for path, st in files.items() if not LIBRARY.fullmatch(path) and not OTHERS.fullmatch(path)}
    assert left == PROGRAMS | {"/lib", "/lib64"}
    special = [path for path, st in files.items() if not (stat.S_ISREG(st.st_mode) or stat.S_ISLNK(st.st_mode))]
    assert special == []


def test_nobody_may_change_it(image):
    """Everything belongs to root except the folders that the daemon writes to; nothing is setuid or world-writable."""
    own = {path for path, st in walk(image.root) if st.st_uid != 0 or st.st_gid != 0}
    assert own == {"/logs", "/run/gemgate", "/tmp", "/var/lib/gemgate"}
    assert all(os.lstat(f"{image.root}{path}").st_uid == image.uid for path in own)
    bad = [path for path, st in walk(image.root) if not stat.S_ISLNK(st.st_mode) and st.st_mode & 0o6002]
    assert bad == []


def test_each_package_is_named(image):
    """For scanners, which have no other way to identify a library; and each has its licence."""
    named = {p.name for p in (image.root / "var/lib/dpkg/status.d").iterdir()}
    assert {"libc6", "libmicrohttpd12", "libsqlite3-0", "libsystemd0"} <= named
    assert {p.name for p in (image.root / "usr/share/doc").iterdir()} == named
    for name in named:
        text = (image.root / "var/lib/dpkg/status.d" / name).read_text()
        assert re.search(rf"^Package: {re.escape(name)}$", text, re.M) and re.search(r"^Version: \S+$", text, re.M)


def test_configuration(image):
    c = image.config
    assert c["User"] == "10001:10001"
    assert c["Entrypoint"] == ["/usr/bin/gemgated"] and not c.get("Cmd")
    assert c["Healthcheck"]["Test"] == ["CMD", "/usr/bin/gemgated", "--health"]
    assert c["StopSignal"] == "SIGTERM"
    assert list(c["ExposedPorts"]) == ["8080/tcp"]
    assert set(c["Volumes"]) == {"/logs", "/var/lib/gemgate"}
    assert {k: v for k, v in image.env.items() if k != "PATH"} == {
        "LISTEN": "0.0.0.0:8080",
        "LOG_DIR": "/logs",
        "CONTROL_SOCKET": "/run/gemgate/bus",
        "STATE_URL": "sqlite:/var/lib/gemgate/state.db",
        "CREDENTIALS_DIRECTORY": "/run/secrets",
    }


def test_labels(image):
    labels = {k.removeprefix("org.opencontainers.image."): v for k, v in image.config["Labels"].items()}
    version = re.search(r"version: '([^']+)'", (house.ROOT / "meson.build").read_text()).group(1)
    assert labels["title"] == "gemgate" and labels["licenses"] == "MIT" and labels["version"] == version
    assert "Gemini" in labels["description"]


def test_user_has_a_name(image):
    passwd = dict(line.split(":", 1) for line in (image.root / "etc/passwd").read_text().splitlines())
    group = dict(line.split(":", 1) for line in (image.root / "etc/group").read_text().splitlines())
    assert passwd["gemgate"].split(":")[1:3] == [str(image.uid), str(image.gid)]
    assert group["gemgate"].split(":")[1] == str(image.gid)


def test_certificates_are_the_packages(image):
    """Not those that this machine trusts beside them, which were there while it was built."""
    bundle = (image.root / "etc/ssl/certs/ca-certificates.crt").read_text()
    assert bundle.count("BEGIN CERTIFICATE") > 100
    assert not (image.root / "usr/local").exists()
    for path in (container.Path("/usr/local/share/ca-certificates")).glob("*.crt"):
        assert path.read_text().strip() not in bundle


def test_no_secret_and_no_leftover(image):
    """What was planted around the sources is in no layer, no line of the history, and no part of the configuration."""
    assert len(image.canary) > 30
    needle = image.canary.encode()
    assert needle not in image.whole.encode()
    for path in image.oci.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert needle not in data
            if data.startswith(b"\x1f\x8b"):
                assert needle not in gzip.decompress(data)


def test_size(image):
    """Compressed, as it is fetched; and the README has the right size."""
    size = sum(path.stat().st_size for path in image.layers())
    assert size < 60 * MB
    said = re.search(r"(\d+) MB compressed", (house.ROOT / "README.md").read_text())
    assert said and abs(size / MB - int(said.group(1))) < 2, f"{size / MB:.1f} MB; in the README: {said and said.group()}"
