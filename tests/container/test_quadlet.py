# SPDX-License-Identifier: MIT
"""packaging/quadlet: no podman with quadlets is to be had on Debian 12, so the keys are held against podman 5.0's manual
(podman-systemd.unit(5)), and what systemd itself reads of the files against systemd-analyze."""
import subprocess

import pytest

import compose
import house
from test_compose import seconds, settings

FOLDER = house.ROOT / "packaging/quadlet"

# Those of podman 5.0's that are used or near to it. Memory=, ReloadSignal= and others came later.
CONTAINER = {
    "ContainerName", "DropCapability", "Environment", "EnvironmentFile", "HealthCmd", "HealthInterval", "HealthRetries",
    "HealthStartPeriod", "HealthTimeout", "Image", "Network", "NoNewPrivileges", "Notify", "PidsLimit", "Pull", "ReadOnly",
    "Secret", "StopTimeout", "Timezone", "Tmpfs", "Volume",
}  # fmt: skip
VOLUME = {"VolumeName"}


def read(name):
    """Section → list of (key, value)."""
    out, section = {}, None
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("["):
            section = out.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            section.append((key, value))
    return out


@pytest.fixture(scope="module")
def unit():
    return read("gemgate.container")


def values(unit, key, section="Container"):
    return [v for k, v in unit[section] if k == key]


def test_keys(unit):
    assert {k for k, _ in unit["Container"]} <= CONTAINER
    for path in FOLDER.glob("*.volume"):
        assert {k for k, _ in read(path.name)["Volume"]} <= VOLUME
    assert {v.split(":")[0] for v in values(unit, "Volume")} == {p.name for p in FOLDER.glob("*.volume")}


def test_systemd_reads_the_rest(unit, tmp_path):
    """The service as podman's generator would write it, but for the command, and the socket beside it."""
    lines = []
    for section in ("Unit", "Service", "Install"):
        lines += [f"[{section}]", *(f"{k}={v}" for k, v in unit[section])]
        if section == "Service":
            lines += ["Type=notify", "NotifyAccess=all", "ExecStart=/bin/true"]
    text = "\n".join(lines).replace("/usr/bin/podman", "/bin/true")
    (tmp_path / "gemgate.service").write_text(text + "\n")
    (tmp_path / "gemgate.socket").write_bytes((FOLDER / "gemgate.socket").read_bytes())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / "gemgate.socket", tmp_path / "gemgate.service"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and "gemgate" not in done.stderr, done.stderr


def test_kept_small(unit, image):
    """As in the compose file."""
    s = compose.Project(house.ROOT).said()["services"]["gemgate"]
    assert values(unit, "ReadOnly") == ["true"] and values(unit, "NoNewPrivileges") == ["true"]
    assert values(unit, "DropCapability") == ["all"]
    assert values(unit, "PidsLimit") == [str(s["pids_limit"])]
    assert values(unit, "Tmpfs") == s["tmpfs"]
    assert {v.split(":")[1] for v in values(unit, "Volume")} == set(image.config["Volumes"])


def test_secrets_are_found(unit, image):
    for value in values(unit, "Secret"):
        name, *options = value.split(",")
        options = dict(o.split("=") for o in options)
        assert options["target"] in ("api-keys", "allowed-tokens", "admin-tokens") and name == f"gemgate-{options['target']}"
        assert (options["uid"], options["gid"], options["mode"]) == (str(image.uid), str(image.gid), "0400")


def test_patience(unit):
    """systemd waits longer than podman, and podman longer than gemgated."""
    stop, unit_stop = (float(values(unit, k, s)[0]) for k, s in (("StopTimeout", "Container"), ("TimeoutStopSec", "Service")))
    assert seconds(settings()["DRAIN_TIMEOUT"]) < stop < unit_stop


def test_socket_is_systemds(unit):
    """Nothing is published: a client keeps its address."""
    assert "gemgate.socket" in values(unit, "Requires", "Unit") and "gemgate.socket" in values(unit, "After", "Unit")
    assert values(unit, "Notify") == ["true"] and values(unit, "PublishPort") == []
    assert [v for k, v in read("gemgate.socket")["Socket"] if k == "ListenStream"] == ["127.0.0.1:8080"]
