# SPDX-License-Identifier: MIT
"""IDLE_EXIT: off by default; if it is set, the daemon ends when idle, and the socket starts it again."""
import machine
from machine import SERVICE, SOCKET, TCP, chat_request, pid, show


def test_idle_exit_and_back(sim):
    machine.configure(sim, IDLE_EXIT="300ms")
    assert machine.chat().status == 200
    for _ in range(2):
        machine.wait_state("inactive")
        assert show("Result") == "success" and machine.is_active(SOCKET)
        assert machine.chat().status == 200


def test_nobody_is_lost_at_the_edge(sim):
    """Clients that come again and again about when it leaves: each of them is answered."""
    machine.configure(sim, IDLE_EXIT="100ms")
    ends = 0
    for _ in range(30):
        before = pid()
        a = machine.ask("GET", "/health", token=None)
        assert a and a.status == 200
        ends += pid() != before
        if _ % 3 == 0:
            machine.wait_state("inactive")
    assert ends >= 10


def test_a_stream_is_not_idle(sim):
    machine.configure(sim, IDLE_EXIT="100ms")
    sim.script('* : text "word" chunks=1000000 pace=100ms')
    with machine.connect() as c:
        c.send(chat_request(stream=True))
        c.read_until(b"word")
        first = pid()
        for _ in range(8):
            c.answer.body = b""
            c.read_until(b"word")
        assert pid() == first
    machine.wait_state("inactive")


def test_off_by_default(running):
    assert "off" in machine.run("gemgated", "--help").partition("IDLE_EXIT")[2][:400]
