# SPDX-License-Identifier: MIT
"""packaging/compose.yaml: by the specification's schema, by what an operator relies on, and as compose resolves it."""
import re
import subprocess
import sys

import pytest

import house
from compose import LOGS, SERVICE

SECONDS = {"ms": 0.001, "s": 1, "min": 60, "m": 60}


def seconds(text):
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()
    return float(number) * SECONDS[unit]


@pytest.fixture
def service(project):
    return project.said()["services"][SERVICE]


def settings():
    """Name → default, as gemgated's own page has them."""
    rows = re.findall(r"^\| ([A-Z_]+) \| (\S+) \|", (house.ROOT / "docs/CONFIG.md").read_text(), re.M)
    return {name: default.strip("`") for name, default in rows}


def test_schema():
    """The schema of the compose specification, as check-jsonschema carries it."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         house.ROOT / "packaging/compose.yaml"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_kept_small(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service and "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert "user" not in service  # the image's
    assert service["mem_limit"] == "${MEMORY:-2560m}" and service["pids_limit"] > 0
    assert {t.split(":")[0] for t in service["tmpfs"]} == {"/tmp", "/run/gemgate"}


def test_logs_service_can_do_one_thing(project, image):
    s = project.said()["services"][LOGS]
    assert f"chown {image.config['User']} /logs" in s["command"][-1]
    assert s["cap_drop"] == ["ALL"] and s["cap_add"] == ["CHOWN"] and s["read_only"] and s["network_mode"] == "none"
    assert "env_file" not in s and "environment" not in s


def test_patience(service):
    """A drain that is under way is not cut off."""
    assert seconds(service["stop_grace_period"]) > seconds(settings()["DRAIN_TIMEOUT"])


def test_same_as_the_image(service, image):
    said = image.config["Healthcheck"]
    assert service["healthcheck"]["test"] == said["Test"]
    assert seconds(service["healthcheck"]["interval"]) == said["Interval"] / 1e9
    assert seconds(service["healthcheck"]["timeout"]) == said["Timeout"] / 1e9
    assert service["healthcheck"]["retries"] == said["Retries"]
    for name, value in service["environment"].items():
        assert name in settings(), f"{name} is not a setting"
        assert name == "ALLOWED_IPS" or image.env[name] == value
    assert {v.split(":")[1] for v in service["volumes"]} == set(image.config["Volumes"])


def test_resolved(project):
    """From the project's root, with nothing but .env: which file, which paths, which settings."""
    s = project.resolved()[SERVICE]
    assert str(s["build"]["context"]) == str(project.folder)
    mounts = [v if isinstance(v, str) else f"{v['source']}:{v['target']}" for v in s["volumes"]]
    assert any(m.startswith(f"{project.logs}:/logs") for m in mounts)
    env = s["environment"]
    assert env["API_KEYS"].startswith('["AIza') and env["GEMINI_BASE_URL"].startswith("http://127.0.0.1:")
    assert "172.16.0.0/12" in env["ALLOWED_IPS"]
    assert "127.0.0.1" in str(s["ports"]) and "8080" in str(s["ports"])


def test_name(project):
    """docker-compose 1.29 knows no other way, and the volume has it in its name."""
    assert "name" not in project.said()
    assert "COMPOSE_PROJECT_NAME=gemgate\n" in (house.ROOT / ".env.example").read_text()
    assert "gemgate_state" in (house.ROOT / "docs/CONTAINER.md").read_text()


def test_env_has_its_say(project):
    """What a user sets is what holds, but for what other lines of the file rely on."""
    project.set(ALLOWED_IPS='["203.0.113.0/24"]', PUBLISH="0.0.0.0:9090", MEMORY="512m", WITH_CLI="1", TZ="Europe/Berlin",
                LOG_LEVEL="DEBUG", LISTEN="127.0.0.1:1", LOG_DIR="/elsewhere", STATE_URL="memory:")
    s = project.resolved()[SERVICE]
    env = s["environment"]
    assert env["ALLOWED_IPS"] == '["203.0.113.0/24"]' and env["LOG_LEVEL"] == "DEBUG" and env["TZ"] == "Europe/Berlin"
    assert (env["LISTEN"], env["LOG_DIR"]) == ("0.0.0.0:8080", "/logs") and env["STATE_URL"].startswith("sqlite:")
    assert "9090" in str(s["ports"]) and "127.0.0.1" not in str(s["ports"])
    assert str(s["build"]["args"]["WITH_CLI"]) == "1"
    assert str(s["mem_limit"]) in ("512m", str(512 << 20))


def test_gemgated_reads_it_too(project):
    """The same .env is good, and complete, for gemgated without a container: no line in it is a mistake."""
    done = subprocess.run(
        [house.GEMGATED, "--check-config"], cwd=project.folder, env={"LOG_FORMAT": "text"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "no setting" not in said and "otherwise" not in said, said
