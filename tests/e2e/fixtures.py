# SPDX-License-Identifier: MIT
"""The fixtures that the end-to-end and the SDK tests share."""
import pytest

import house
import road
import strictness
from simulator import Simulator


def pytest_collection_modifyitems(config, items):
    """What measures memory runs without sanitizers only: it is not chosen with them, so it is not counted as passed."""
    if house.SANITIZED:
        config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("unsanitized")])
        items[:] = [i for i in items if not i.get_closest_marker("unsanitized")]


@pytest.fixture(scope="session")
def running_sim(tmp_path_factory):
    with Simulator(tmp_path_factory.mktemp("sim")) as s:
        yield s


@pytest.fixture
def sim(running_sim, request):
    """gemini-sim with its default script and an empty log."""
    running_sim.reset()
    if request.node.get_closest_marker("unjudged"):
        yield running_sim
        return
    with strictness.watch(running_sim):
        yield running_sim


@pytest.fixture
def daemon(sim, tmp_path):
    with house.Daemon(tmp_path, sim) as d:
        yield d


def stop_all(daemons):
    """Stops those that still run. Each must have ended well, without a secret in its output."""
    faults = []
    for d in daemons:
        try:
            if d.process.status is None:
                d.process.stop()
            d.process.check()
            assert not house.leaked(d.process.said()), "a secret in the daemon's output"
        except AssertionError as e:
            faults.append(str(e))
    assert not faults, "\n".join(faults)


@pytest.fixture
def start(sim, tmp_path_factory):
    """start(NAME="value", …) starts a daemon with these settings; several may run at once."""
    running = []

    def one(*, unset=(), sockets=None, unix=False, argv=(), **settings):
        d = house.Daemon(tmp_path_factory.mktemp("gemgated"), sim, settings, unset, sockets, unix, argv)
        running.append(d)
        return d

    yield one
    stop_all(running)


@pytest.fixture
def roads(sim, tmp_path):
    """A Gemini behind proxies."""
    r = road.Roads(sim, tmp_path)
    with r.stack:
        yield r
