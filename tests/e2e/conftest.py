# SPDX-License-Identifier: MIT
import house
from fixtures import daemon, running_sim, sim, start  # noqa: F401
from jobs import cli, records, reloaded, settings, special, waiting  # noqa: F401


def pytest_collection_modifyitems(config, items):
    """What measures memory runs without sanitizers only: it is not chosen with them, so it is not counted as passed."""
    if house.SANITIZED:
        config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("unsanitized")])
        items[:] = [i for i in items if not i.get_closest_marker("unsanitized")]
