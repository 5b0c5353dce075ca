# SPDX-License-Identifier: MIT
import pytest

import mock as gemgated
from gemgatectl import Ctl


@pytest.fixture(scope="session")
def private_bus(tmp_path_factory):
    bus = gemgated.PrivateBus(tmp_path_factory.mktemp("bus"))
    yield bus
    bus.close()


@pytest.fixture
def mock(private_bus):
    m = gemgated.Mock(private_bus.address)
    yield m
    m.close()


@pytest.fixture
def ctl(private_bus):
    return Ctl(private_bus.address)
