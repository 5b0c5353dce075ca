# SPDX-License-Identifier: MIT
"""The most tries of one request."""
import json
import secrets

TRIES_MAX = 64  # base/limits.h


def test_cheap_tries_end_at_the_ceiling(sim, start):
    """Each key refuses at once. The keys beyond the ceiling are left for the next request."""
    keys = [f"AIzaSy{secrets.token_hex(14)}y{i:04d}" for i in range(TRIES_MAX + 3)]
    sim.script("*: error rpm retry=50s")
    d = start(API_KEYS=json.dumps(keys))
    assert d.chat().status == 429
    tried = [r.key for r in sim.requests()]
    assert len(tried) == len(set(tried)) == TRIES_MAX
    d.wait_log("the attempts", lambda e: e.get("attempts") == TRIES_MAX and e["status"] == 429)

    sim.clear()
    assert d.chat().status == 429
    left = [r.key for r in sim.requests()]
    assert len(left) == 3 and not set(left) & set(tried)
