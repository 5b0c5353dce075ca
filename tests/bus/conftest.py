# SPDX-License-Identifier: MIT
import os

import pytest

import private
from fixtures import pytest_collection_modifyitems, running_sim, sim, stop_all  # noqa: F401

assert os.geteuid() == 0, "tests/bus plays several users, which takes root"


@pytest.fixture(scope="session")
def machine():
    m = private.Machine()
    m.start_bus()
    yield m
    m.close()


@pytest.fixture
def start(machine, sim):
    """start(NAME="value", …) starts a gemgated on the machine's bus, as the user gemgate."""
    running = []

    def one(**kw):
        d = machine.start(sim, **kw)
        running.append(d)
        return d

    yield one
    stop_all(running)


@pytest.fixture
def gemgated(machine, start):
    d = start()
    machine.wait_owned()
    return d


@pytest.fixture
def connect(machine):
    """connect(user) gives a client on the machine's bus."""
    clients = []

    def one(*args):
        clients.append(machine.client(*args))
        return clients[-1]

    yield one
    for c in clients:
        c.close()


@pytest.fixture
def root(gemgated, connect):
    return connect()


@pytest.fixture
def polkit(machine):
    p = private.Polkit(machine.address)
    yield p
    p.close()
