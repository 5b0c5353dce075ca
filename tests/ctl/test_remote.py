# SPDX-License-Identifier: MIT
"""--host: the daemon of another machine, by way of an ssh that leads to the mock's bus. (--machine: tests/system.)"""
import pytest

from gemgatectl import Ctl
from mock import health, row

SSH = """#!/bin/sh
echo "$@" >>{log}
exec {program}
"""


@pytest.fixture
def remote(mock, tmp_path):
    """A gemgatectl on a machine without a bus, and the answer of its ssh."""
    ctl = Ctl(f"unix:path={tmp_path}/no-bus-here")
    ctl.env["PATH"] = f"{tmp_path}:{ctl.env['PATH']}"
    ctl.log = tmp_path / "log"

    def answer(program=f"systemd-stdio-bridge --bus-path='{mock.address}'"):
        ssh = tmp_path / "ssh"
        ssh.write_text(SSH.format(log=ctl.log, program=program))
        ssh.chmod(0o755)
        return ctl

    return answer


@pytest.mark.parametrize("option", [["--host=admin@elsewhere"], ["-H", "admin@elsewhere"]], ids=["long", "short"])
def test_host(mock, remote, option):
    mock.answers["ListKeyHealth"] = health(row("far-away"))
    ctl = remote()
    assert "far-away" in ctl(*option, "keys")
    words = ctl.log.read_text().split()
    assert "admin@elsewhere" in words and "systemd-stdio-bridge" in words
    mock.answers["Reload"] = ("", [])
    ctl(*option, "reload")
    assert [member for _, member, *_ in mock.calls] == ["ListKeyHealth", "Reload"]


def test_completion_of_a_host(mock, remote):
    mock.answers["ListKeyHealth"] = health(row("far-away"))
    assert remote()("-H", "elsewhere", "_complete", "show", "1").startswith("far-away\t")


@pytest.mark.parametrize("program", ["sh -c 'exit 255'", "false"])
def test_host_that_cannot_be_reached(remote, program):
    """ssh reports its errors itself; gemgatectl ends and names the host."""
    assert "elsewhere" in remote(program)("--host=elsewhere", "keys", status=1)


def test_no_ssh(mock, remote, tmp_path):
    ctl = remote("false")
    (tmp_path / "ssh").unlink()
    assert "elsewhere" in ctl("--host=elsewhere", "keys", status=1, PATH=str(tmp_path))
