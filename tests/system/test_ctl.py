# SPDX-License-Identifier: MIT
"""gemgatectl as an operator, a member of the group and a stranger have it."""
import json
from pathlib import Path

import pytest

import machine
from house import MASKS, SECRETS, leaked
from machine import MODEL, SERVICE, run, systemctl

READING = (["status"], ["keys"], ["models"], ["stats"], ["explain", MODEL])


@pytest.fixture(autouse=True)
def served(running, sim):
    assert machine.chat().status == 200


@pytest.mark.parametrize("user", [None, "member"])
def test_who_may(user):
    for argv in READING:
        text = run("gemgatectl", *argv, user=user)
        assert text.strip() and not leaked(text), argv
        assert json.loads(run("gemgatectl", "--json", *argv, user=user)) is not None, argv
    assert MASKS["MASK1"] in run("gemgatectl", "keys", user=user)
    run("gemgatectl", "reload", user=user)


def test_stranger_is_told_what_he_lacks():
    for argv in (*READING, ["reload"], ["reset", "--all"]):
        result = run("gemgatectl", *argv, user="stranger", check=False)
        assert result.returncode == 4, (argv, result)
        assert "group gemgate" in result.stderr, result.stderr
        if argv != ["status"]:  # that is properties, which polkit cannot open
            assert "org.gemgate1." in result.stderr, result.stderr


def test_machine():
    """Into a container as systemd's tools go; `.host` is the one that is always there."""
    assert MASKS["MASK1"] in run("gemgatectl", "--machine=.host", "keys")
    for machine_, user, status, said in ((".host", "member", 4, "only root"), ("nonesuch", None, 1, "cannot reach nonesuch")):
        result = run("gemgatectl", "-M", machine_, "keys", user=user, check=False)
        assert (result.returncode, said in result.stderr) == (status, True), result


@pytest.fixture
def impatient_bus():
    """It waits for a start 25 s else."""
    path = Path("/etc/dbus-1/system.d/test-impatient.conf")
    reload = "busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig".split()
    path.write_text('<busconfig><limit name="service_start_timeout">2000</limit></busconfig>\n')
    run(*reload)
    yield
    path.unlink()
    run(*reload)


def test_daemon_that_cannot_start(sim, impatient_bus):
    """The bus tried to start it and gave up: the error names the journal to look into."""
    machine.configure(sim, MAX_BODY="banana")
    systemctl("stop", SERVICE)
    result = run("gemgatectl", "keys", check=False)
    assert result.returncode == 1 and "could not be started" in result.stderr and "journalctl -u gemgated" in result.stderr
    assert "MAX_BODY: banana" in run("journalctl", "-b", "-t", "gemgated", "-p", "err", "-o", "cat")


def test_exit_statuses():
    assert run("gemgatectl", "no-such-verb", check=False).returncode == 64
    assert run("gemgatectl", "reset", "no-such-key", check=False).returncode == 3
    assert run("gemgatectl", "version").strip()


def test_a_dead_key_as_an_operator_meets_it(sim):
    """Seen, explained, disabled, replaced."""
    sim.script(f"key={SECRETS['KEY1']} : error invalid_key")
    for _ in range(3):
        assert machine.chat().status == 200
    assert "dead" in run("gemgatectl", "keys")
    assert "dead" in run("gemgatectl", "explain", MODEL)
    run("gemgatectl", "disable", MASKS["MASK1"])
    assert "disabled" in run("gemgatectl", "keys")
    machine.configure(sim, keys=("KEY2", "KEY3"))
    run("systemctl", "reload", "gemgated")
    keys = run("gemgatectl", "keys")
    assert MASKS["MASK3"] in keys and MASKS["MASK1"] not in keys


def test_check_config():
    run("gemgatectl", "check-config")
    machine.write(machine.ETC / "gemgate.env", "MAX_BODY=banana\n")
    result = run("gemgatectl", "check-config", check=False)
    assert result.returncode != 0 and "MAX_BODY: banana" in result.stdout + result.stderr


@pytest.mark.parametrize("mode, owner", [(0o600, "root:gemgate"), (0o640, "root:root")], ids=["mode", "group"])
def test_keys_that_only_root_can_read(mode, owner):
    """The mode of a file after an editor or a umask: a check as root reports it, and so does the reload."""
    path = machine.ETC / "api-keys"
    path.chmod(mode)
    run("chown", owner, path)
    result = run("gemgatectl", "check-config", check=False)
    assert f"{path}: only root can read it" in result.stdout + result.stderr, result
    result = run("gemgatectl", "reload", check=False)
    assert result.returncode == 1 and f"{path}: Permission denied" in result.stderr and "root:gemgate" in result.stderr, result
    assert machine.chat().status == 200
    run("chown", "root:gemgate", path)
    path.chmod(0o640)
    result = run("gemgatectl", "check-config", check=False)
    assert "only root" not in result.stdout + result.stderr, result
    run("gemgatectl", "reload")
