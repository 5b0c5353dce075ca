# SPDX-License-Identifier: MIT
"""The bus may be missing, break, come back, or hang, and the name may be taken: serving goes on, and the name comes back by
itself."""
import contextlib
import json
import signal
import time
from pathlib import Path

import pytest

import private
import wait
from client import NAME, PATH
from dbus_fast import NameFlag
from house import SECRETS

KEYS = json.dumps([{"key": SECRETS["KEY1"], "name": "home"}])


@pytest.fixture
def own_machine():
    """Of this test alone: it breaks the bus."""
    m = private.Machine()
    yield m
    m.close()


@pytest.fixture
def gemgated(own_machine, sim):
    with own_machine.start(sim, API_KEYS=KEYS) as d:
        yield d


def said(daemon, word):
    return [line for line in daemon.log() if word in line["message"]]


def test_no_bus_and_then_one(own_machine, gemgated):
    gemgated.wait_log("the missing bus", lambda line: "no system bus" in line["message"])
    assert gemgated.chat().status == 200
    own_machine.start_bus()
    own_machine.wait_owned()
    with own_machine.client() as c:
        assert c.get("RequestsTotal") == 1
    assert len(said(gemgated, "no system bus")) == 1, "one line, however often it was tried"
    assert len(said(gemgated, "on the system bus as org.gemgate1")) == 1


def watches(daemon):
    """Whether inotify watches anything for it."""
    found = False
    for path in Path(f"/proc/{daemon.process.pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            found = found or "inotify wd:" in path.read_text()
    return found


def test_a_socket_that_is_missing_is_waited_for(own_machine, gemgated):
    """By inotify: an idle daemon does not look for it. The time between two looks is longer than a test may take."""
    for _ in range(2):
        wait.until("the watch", lambda: watches(gemgated))
        own_machine.start_bus()
        own_machine.wait_owned()
        assert not watches(gemgated)
        own_machine.stop_bus()


def test_bus_restarts(own_machine, gemgated):
    """With a stream open all the while: nothing of it is lost."""
    own_machine.start_bus()
    own_machine.wait_owned()
    for n in range(1, 4):
        before = len(said(gemgated, "no system bus"))  # one, where the daemon came before the bus
        own_machine.stop_bus()
        gemgated.wait_log("the loss", lambda line: len(said(gemgated, "no system bus")) > before)
        assert gemgated.chat().status == 200
        own_machine.start_bus()
        own_machine.wait_owned()
        with own_machine.client() as c:
            c.listen()
            c.call("SetLogLevel", "s", "DEBUG")
            c.call("SetLogLevel", "s", "INFO")
            assert c.get("RequestsTotal") == n


def test_calls_under_way_when_the_bus_breaks(own_machine, gemgated):
    """Callers that polkit was asked about are gone."""
    from people import STRANGER

    own_machine.start_bus()
    own_machine.wait_owned()
    polkit = private.Polkit(own_machine.address, "never")
    strangers = [own_machine.client(STRANGER) for _ in range(3)]
    for c in strangers:
        c.start("ListKeyHealth")
    wait.until("the questions", lambda: len(polkit.asked) == 3)
    own_machine.stop_bus()
    polkit.close()
    assert gemgated.chat().status == 200
    own_machine.start_bus()
    own_machine.wait_owned()


def test_bus_stands_still(own_machine, gemgated):
    """It accepts and never answers; what we send is not kept without bound."""
    own_machine.start_bus()
    own_machine.wait_owned()
    own_machine.bus.signal(signal.SIGSTOP)
    try:
        for _ in range(50):
            assert gemgated.chat().status == 200
    finally:
        own_machine.bus.signal(signal.SIGCONT)
    with own_machine.client() as c:
        assert c.get("RequestsTotal") == 50


def test_start_with_a_bus_that_stands_still(own_machine, sim):
    own_machine.start_bus()
    own_machine.bus.signal(signal.SIGSTOP)
    with own_machine.start(sim, API_KEYS=KEYS) as d:
        assert d.chat().status == 200
        own_machine.bus.signal(signal.SIGCONT)
        own_machine.wait_owned()
        assert d.chat().status == 200


def test_end_with_a_bus_that_stands_still(own_machine, gemgated):
    own_machine.start_bus()
    own_machine.wait_owned()
    own_machine.bus.signal(signal.SIGSTOP)
    try:
        gemgated.interrupt()
        assert gemgated.process.wait() == 0
    finally:
        own_machine.bus.signal(signal.SIGCONT)


def test_name_is_taken(own_machine, sim):
    """The second waits in the bus's queue, and follows the first."""
    own_machine.start_bus()
    with own_machine.start(sim, API_KEYS=KEYS) as first:
        own_machine.wait_owned()
        with own_machine.client() as c, own_machine.start(sim, API_KEYS=KEYS) as second:
            second.wait_log("the queue", lambda line: "waiting for it" in line["message"])
            assert second.chat().status == 200
            assert c.get("RequestsTotal") == 0, "the first one answers"
            before = c.owner()
            first.process.stop()
            wait.until("the second's turn", lambda: c.owner() not in (None, before))
            assert c.get("RequestsTotal") == 1
            c.listen()
            second.chat()
            c.wait("its signals", lambda: any(v.get("RequestsTotal") == 2 for v in c.changes()))


def test_no_policy_installed(own_machine, gemgated):
    """Without the policy the name cannot be owned, and one line has the remedy. With the policy it is owned."""
    own_machine.start_bus(rules="")
    line = gemgated.wait_log("the refusal", lambda line: "org.gemgate1.conf" in line["message"])
    assert line["level"].lower() == "warning"
    assert gemgated.chat().status == 200
    own_machine.stop_bus()
    own_machine.start_bus()
    own_machine.wait_owned()


def test_calls_keep_it_from_going_idle(own_machine, sim):
    own_machine.start_bus()
    with own_machine.start(sim, API_KEYS=KEYS, IDLE_EXIT="3s") as d:
        own_machine.wait_owned()
        with own_machine.client() as c:
            end = time.monotonic() + 5
            while time.monotonic() < end:
                assert c.get("State") == "running"
        assert d.process.wait() == 0


def test_who_waits_for_polkit_keeps_it_too(own_machine, sim):
    from people import STRANGER

    own_machine.start_bus()
    polkit = private.Polkit(own_machine.address, "never")
    with own_machine.start(sim, API_KEYS=KEYS, IDLE_EXIT="1s") as d:
        own_machine.wait_owned()
        with own_machine.client(STRANGER) as c:
            c.start("ListKeyHealth")
            wait.until("the question", lambda: polkit.asked)
            assert not d.process.ended(3)
        assert d.process.wait() == 0
    polkit.close()


def test_many_events_and_a_slow_listener(own_machine, gemgated, sim):
    """A subscriber that does not read does no harm: the bus enforces its own limits."""
    own_machine.start_bus()
    own_machine.wait_owned()
    lazy = own_machine.client()
    lazy.listen()
    root = own_machine.client()
    for _ in range(300):
        root.call("Disable", path=f"{PATH}/key/home", interface=NAME + ".Key")
        root.call("Enable", path=f"{PATH}/key/home", interface=NAME + ".Key")
    assert gemgated.chat().status == 200
    for c in root, lazy:
        c.close()
