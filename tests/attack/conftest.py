# SPDX-License-Identifier: MIT
from fixtures import pytest_collection_modifyitems, running_sim, sim, start  # noqa: F401
