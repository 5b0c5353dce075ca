# SPDX-License-Identifier: MIT
"""LOG_FORMAT=text is read in a terminal: no client can move its cursor, break a line, or put bytes there that are not text."""
import pytest

import wait

# Bytes in place of the method, and what the log has instead.
ROWS = {
    "C1": (b"\xc2\x9b31mX", " 31mX"),
    "not UTF-8": (b"\xff\xfeX", "  X"),
    "separators": ("\u2028X\u2029Y".encode(), " X Y"),
    "direction": ("\u202eX\u2066Y".encode(), " X Y"),
    "a letter": ("GÉT".encode(), "GÉT"),
}


@pytest.mark.parametrize("method,shown", ROWS.values(), ids=ROWS)
def test_nothing_moves_the_cursor(start, method, shown):
    d = start(LOG_FORMAT="text")
    with d.connect() as c:
        c.send(method + b" /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert c.read("GET").status == 400
    wait.until("the request is in the log", lambda: " 400" in d.process.said())
    assert f"gemgated: {shown} (no route) 400 in " in d.process.said()
