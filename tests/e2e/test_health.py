# SPDX-License-Identifier: MIT
"""gemgated --health, as a container's health check asks: with the same settings as the daemon, and nothing else."""
import socket

import pytest

import house
import process
from house import run_daemon


def ask(tmp_path, d, listen, **settings):
    folder = tmp_path / f"ask-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    env = house.defaults(None) | {"LISTEN": listen} | settings
    return run_daemon(folder, "--health", env=env)


@pytest.mark.parametrize("listen", ["127.0.0.1:{port}", "0.0.0.0:{port}", "unix:{unix}", "127.0.0.1:{port},unix:{unix}"])
def test_well(start, tmp_path, listen):
    d = start(unix=True)
    answer = ask(tmp_path, d, listen.format(port=d.address[1], unix=d.unix))
    assert answer == (0, "healthy\n", "")


def test_ipv6(start, tmp_path):
    s = process.listen_tcp("::1")
    port = s.getsockname()[1]
    start(sockets=[s])
    assert ask(tmp_path, None, f"[::]:{port}") == (0, "healthy\n", "")


def test_without_keys_it_is_there(start, tmp_path):
    """A restart would bring no key back, so only the text shows it, not the exit status."""
    d = start(API_KEYS="[]")
    assert ask(tmp_path, d, d.host, API_KEYS="[]") == (0, "no_keys\n", "")


def test_nobody_there(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        listen = "127.0.0.1:%d" % s.getsockname()[1]
        status, out, err = ask(tmp_path, None, listen)
    assert (status, out) == (69, "") and err == f"gemgated: {listen} does not answer: Connection refused\n"


def test_one_of_two_is_not_there(start, tmp_path):
    d = start()
    status, out, err = ask(tmp_path, d, f"{d.host},unix:{tmp_path}/nobody")
    assert (status, out) == (69, "") and "nobody does not answer: " in err


def test_somebody_else(sim, tmp_path):
    """A server that is not gemgated is no health."""
    status, out, err = ask(tmp_path, None, sim.url.removeprefix("http://"))
    assert (status, out) == (69, "") and "that is not gemgated" in err


def test_a_silent_one(tmp_path):
    """It does not wait for ever."""
    s = process.listen_tcp()
    listen = "127.0.0.1:%d" % s.getsockname()[1]
    status, out, err = ask(tmp_path, None, listen)
    s.close()
    assert (status, out) == (69, "") and "timed out" in err
