# SPDX-License-Identifier: MIT
"""The one place where a test waits by the clock: it asks again until something is so, and gives up loudly."""
import time

DEADLINE = 20.0  # seconds; never what a test measures, only when it stops hoping
PAUSE = 0.002


def until(what, ask, deadline=DEADLINE):
    """Returns the first true answer of ask()."""
    end = time.monotonic() + deadline
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:g} s in vain for {what}")
        time.sleep(PAUSE)
