# SPDX-License-Identifier: MIT
import pytest

from desk import Desk
from fixtures import daemon, running_sim, sim, start  # noqa: F401


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "desk")
