# SPDX-License-Identifier: MIT
"""UPSTREAM_WARM: the connection to Gemini that is open before the first request, over TLS and HTTP/2."""
from pathlib import Path

import pytest

import wait
from front import Front
from test_reload import Configured

ESTABLISHED = "01"


@pytest.fixture
def folder(tmp_path):
    for name in ("front", "gemgated"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def front(sim, folder):
    with Front(folder / "front", sim) as f:
        yield f


def connections(front):
    """The client's ports of the open connections to a front."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    port = lambda address: int(address.split(":")[1], 16)
    return {port(local) for _, local, remote, state, *_ in rows if port(remote) == front.port and state == ESTABLISHED}


def wait_connected(front):
    return wait.until("a connection to Gemini", lambda: connections(front))


def test_first_request(front, folder):
    """It finds a connection, and needs no other one."""
    with Configured(folder / "gemgated", front, {"UPSTREAM_WARM": "yes"}) as d:
        before = wait_connected(front)
        assert len(before) == 1
        assert front.lines() == []
        assert [d.chat().status for _ in range(3)] == [200] * 3
        assert connections(front) == before
        assert len({line.connection for line in front.wait_lines(3)}) == 1


def test_reload(front, folder):
    with Configured(folder / "gemgated", front) as d:
        d.set(UPSTREAM_WARM="yes")
        d.reload()
        before = wait_connected(front)
        # The file of CAs is read again, so it is another one.
        d.reload()
        wait.until("another connection", lambda: connections(front) and not connections(front) & before)
        before = connections(front)
        assert d.chat().status == 200
        assert connections(front) == before
        # Without it nothing is dialled any more.
        d.set(UPSTREAM_WARM=None)
        d.reload()
        front.stop()
        wait.until("the end of the connection", lambda: not connections(front))


def test_server_goes(front, folder):
    """A connection that ends is followed by another one, without a request."""
    with Configured(folder / "gemgated", front, {"UPSTREAM_WARM": "yes"}) as d:
        before = wait_connected(front)
        front.stop()
        (front.folder / "pid").unlink(missing_ok=True)
        front.start()
        assert not wait_connected(front) & before
        assert d.chat().status == 200
        assert front.wait_lines(1)


def test_server_ends_idle_connections(sim, folder):
    with Front(folder / "front", sim, "keepalive_timeout 1s;") as f:
        with Configured(folder / "gemgated", f, {"UPSTREAM_WARM": "yes"}) as d:
            for _ in range(2):
                before = wait_connected(f)
                assert d.chat().status == 200
                wait.until("another connection", lambda: connections(f) and not connections(f) & before)
