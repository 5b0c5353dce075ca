# SPDX-License-Identifier: MIT
"""The one place where a test waits by the clock: it asks again until something is so, and gives up loudly."""
import os
import time

# Seconds; never what a test measures, only when it gives up: a busy machine must not reach it.
DEADLINE = float(os.environ.get("TEST_DEADLINE", "60"))
PAUSE = 0.002


def until(what, ask, deadline=DEADLINE):
    """Returns the first true answer of ask()."""
    end = time.monotonic() + deadline
    while True:
        asked = time.monotonic()
        answer = ask()
        if answer:
            return answer
        now = time.monotonic()
        if now > end:
            raise AssertionError(f"waited {deadline:g} s for {what}, which did not come")
        # At least as long as the question took: one that starts a program leaves the core to what it waits for.
        time.sleep(max(PAUSE, now - asked))
