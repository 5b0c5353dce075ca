# SPDX-License-Identifier: MIT
from fixtures import running_sim, sim, start  # noqa: F401
