# SPDX-License-Identifier: MIT
from fixtures import daemon, pytest_collection_modifyitems, roads, running_sim, sim, start  # noqa: F401
from jobs import cli, records, reloaded, settings, special, waiting  # noqa: F401
