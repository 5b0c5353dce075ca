# SPDX-License-Identifier: MIT
"""Large replies: others are served while one is made, and a client that does not read gets no further ones."""
import json
import os
import select

import pytest

import people
import wait
from client import LIMITS, Error
from cost import memory
from peer import connected, message, version
from test_control import Controlled

PEERS = 16  # base/limits.h
CALLS = 300
LARGE = [("GetStatistics", "", ()), ("ListKeyHealth", "", ()), ("ExplainPick", "s", ("gemini-3.8-flash",))]


def control(machine, start, n_keys):
    folder = machine.new_folder()
    keys = [{"key": f"AIzaSy{i:029d}x{i % 10000:04d}", "name": f"k{i}"} for i in range(n_keys)]
    (folder / "api-keys").write_text(json.dumps(keys))
    for path in (folder, folder / "api-keys"):
        os.chown(path, people.DAEMON.uid, people.DAEMON.gid)
    c = Controlled(machine, start, argv=["--config-dir", str(folder)])
    assert json.loads(c.daemon.ask("GET", "/health").body)["keys"]["total"] == n_keys
    return c


@pytest.mark.parametrize("call", LARGE, ids=[name for name, *_ in LARGE])
def test_others_are_served_meanwhile(machine, start, call):
    """Both calls wait when the daemon wakes up, the large one first."""
    c = control(machine, start, 20_000)
    with connected(c.path) as large, connected(c.path) as small:
        os.kill(c.daemon.process.pid, 19)
        large.sendall(message(*call))
        small.sendall(version())
        os.kill(c.daemon.process.pid, 18)
        n = 0
        while not select.select([large], [], [], 0)[0]:
            assert b"0." in small.recv(65536)
            small.sendall(version())
            n += 1
        assert n >= 3, "the reply was made in one go"
        assert large.recv(1)[0:1] == b"l"


def test_the_end_does_not_wait_for_them(machine, start):
    c = control(machine, start, 3000)
    peers = [connected(c.path) for _ in range(PEERS - 1)]
    for s in peers:
        for i in range(CALLS):
            s.sendall(message("GetStatistics", serial=i + 2))
    assert c.daemon.chat().status == 200
    c.daemon.process.stop()
    for s in peers:
        s.close()


@pytest.mark.unsanitized
def test_clients_that_do_not_read(machine, start):
    c = control(machine, start, 3000)
    before = memory(c.daemon)
    peers = [connected(c.path) for _ in range(PEERS - 1)]
    for s in peers:
        for i in range(CALLS):
            s.sendall(message("GetStatistics", serial=i + 2))
    with c.client() as other:
        other.get("Version")
        assert c.daemon.chat().status == 200
        # The calls are read one by one, between all else: the memory has settled when none is left.
        last = [0]

        def settled():
            last.append(memory(c.daemon))
            return last[-1] == last[-2]

        wait.until("memory that stays", settled)
        assert memory(c.daemon) - before < 64 << 20
        for s in peers:
            s.close()
        wait.until("an answer", lambda: len(other.call("ListKeyHealth")) == 3000)


def test_a_client_that_does_not_read_is_told(machine, start):
    """Its second call gets an error, and after it has read, answers again."""
    c = control(machine, start, 3000)
    with connected(c.path) as s:
        s.sendall(message("GetStatistics", serial=2) + message("GetStatistics", serial=3))
        got = b""
        while LIMITS.encode() not in got:
            got += s.recv(1 << 20)


def test_too_many_rows(machine, start):
    c = control(machine, start, 70_000)
    with c.client() as a:
        for name, signature, body in LARGE:
            with pytest.raises(Error) as e:
                a.call(name, signature, *body)
            assert e.value.name == LIMITS and "more than 65536 rows" in e.value.sentence
