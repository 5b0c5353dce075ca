# SPDX-License-Identifier: MIT
"""gemgated@1, gemgated@2 …: several processes behind one port."""
from collections import Counter

import pytest

import machine
import wait
from house import ROOT
from load import Load
from machine import SOCKET, TCP, chat_request, pid, run, systemctl

INSTANCES = (1, 2, 3)


@pytest.fixture
def instances(fresh):
    systemctl("stop", SOCKET)
    systemctl("start", *(f"gemgated@{i}.socket" for i in INSTANCES))
    yield
    systemctl("stop", *(f"gemgated@{i}.{kind}" for i in INSTANCES for kind in ("socket", "service")))
    systemctl("reset-failed")


def services():
    return {i: pid(f"gemgated@{i}.service") for i in INSTANCES}


def test_instances_share_the_port(instances):
    with Load(TCP, chat_request(), clients=24) as load:
        wait.until("every instance to have been reached", lambda: all(services().values()))
    load.check()
    answered = Counter(e["_SYSTEMD_UNIT"] for e in machine.journal("GEMGATE_STATUS=200", unit="gemgated@*.service"))
    assert len(answered) == len(INSTANCES), answered


def test_instances_restart_one_after_the_other(instances):
    """A client at one instance's socket waits for that instance: no connection is refused."""
    with Load(TCP, chat_request(), clients=24) as load:
        wait.until("every instance to have been reached", lambda: all(services().values()))
        before = services()
        for i in INSTANCES:
            systemctl("restart", f"gemgated@{i}.service")
        assert not set(before.values()) & set(services().values())
    load.check()


def test_instance_has_a_unix_socket_and_reloads(instances, sim):
    where = "/run/gemgate/http-2.sock"
    assert machine.chat(where=where).status == 200
    assert services()[2] and not services()[1]
    machine.configure(sim, tokens=("TOKEN2",))
    systemctl("reload", "gemgated@2.service")
    wait.until("the new token", lambda: machine.chat(where=where, token="TOKEN2").status == 200)
    assert machine.chat(where=where).status == 401


def sockets_are_active():
    return [machine.is_active(f"gemgated@{i}.socket") for i in INSTANCES]


def test_a_call_on_the_bus_takes_no_socket_away(instances):
    """No instance runs, so the bus asks systemd for gemgated.service, and any user can cause that: it must not start, and the
    instances must stay."""
    after = machine.cursor()
    call = ["busctl", "--timeout=1s", "call", "org.gemgate1", "/org/gemgate1", "org.gemgate1.Manager", "ListKeyHealth"]
    assert run(*call, user="stranger", check=False).returncode != 0
    wait.until("systemd to have tried", lambda: machine.said(after, SOCKET))
    assert all(sockets_are_active()) and not machine.is_active(SOCKET)
    with Load(TCP, chat_request()) as load:
        pass
    load.check()


def test_one_kind_does_not_start_beside_the_other(instances):
    assert run("systemctl", "start", SOCKET, check=False).returncode != 0
    assert all(sockets_are_active())
    systemctl("stop", *(f"gemgated@{i}.{kind}" for i in INSTANCES for kind in ("socket", "service")))
    systemctl("start", SOCKET)
    assert run("systemctl", "start", "gemgated@1.socket", check=False).returncode != 0
    assert machine.is_active(SOCKET) and machine.health()


def test_instance_that_cannot_start(instances, sim):
    """Its clients are turned away, then let go, and the journal has the two commands with its name in them."""
    curl = ["curl", "-s", "--max-time", "20", "http://127.0.0.1:8080/health"]

    def let_go():
        result = run(*curl, check=False)
        assert result.returncode != 28 and (result.returncode != 0 or "gemgate cannot start" in result.stdout), result
        return result.returncode != 0

    after = machine.cursor()
    gave_up = "gemgated-gave-up@gemgated@1.service"
    with machine.drop_in("[Unit]\nStartLimitBurst=2\n", "gemgated@.service"):
        machine.configure(sim, MAX_BODY="banana")
        systemctl("stop", "gemgated@2.socket", "gemgated@3.socket")
        wait.until("the socket to give up", let_go)
        machine.wait_said("systemctl reset-failed gemgated@1.service; systemctl start gemgated@1.socket", after, gave_up)
    machine.configure(sim)
    systemctl("reset-failed", "gemgated@1.service")
    systemctl("start", "gemgated@1.socket")
    assert machine.health()["status"] == "healthy"


def test_installation_page():
    """docs/INSTALL.md: several processes, word for word."""
    page = (ROOT / "docs/INSTALL.md").read_text()
    commands = page.partition("Several processes behind one port")[2].partition("```sh\n")[2].partition("```")[0]
    assert "gemgated@1.socket" in commands
    try:
        run("bash", "-euc", commands)
        assert sockets_are_active()[:2] == [True, True] and not machine.is_active(SOCKET)
        with Load(TCP, chat_request(), clients=24) as load:
            wait.until("both to have been reached", lambda: pid("gemgated@1.service") and pid("gemgated@2.service"))
        load.check()
    finally:
        run("systemctl", "disable", "--now", "gemgated@1.socket", "gemgated@2.socket")
        systemctl("stop", "gemgated@1.service", "gemgated@2.service")
        run("systemctl", "enable", "--now", SOCKET)
