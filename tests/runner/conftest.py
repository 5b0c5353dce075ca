# SPDX-License-Identifier: MIT
import pytest

from runnerhouse import House


@pytest.fixture
def house():
    h = House()
    yield h
    h.close()
