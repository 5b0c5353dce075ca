# SPDX-License-Identifier: MIT
from fixtures import daemon, running_sim, sim, start  # noqa: F401
