# SPDX-License-Identifier: MIT
"""gemgated@1, gemgated@2 …: several processes behind one port."""
from collections import Counter

import pytest

import machine
import wait
from load import Load
from machine import SERVICE, SOCKET, TCP, chat_request, pid, show, systemctl

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
    """Whoever waits at one instance's socket waits for that one: nobody is refused."""
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
