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
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:g} s for {what}, which did not come")
        time.sleep(PAUSE)
