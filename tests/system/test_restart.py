# SPDX-License-Identifier: MIT
"""Stopping, starting and what clients see of it: nothing, if they are new; a proper end, if they are idle."""
import json
import re
import subprocess
from pathlib import Path

import pytest

import http1
import machine
import wait
from house import ROOT, SECRETS
from load import Load
from machine import SERVICE, SOCKET, TCP, UNIX, chat_request, pid, show, systemctl

RESTARTS = 20


@pytest.mark.parametrize("where", [TCP, UNIX], ids=["tcp", "unix"])
def test_restarts_under_load(running, where):
    """No connection is refused, and every request is answered."""
    pids = [running]
    with Load(where, chat_request()) as load:
        for _ in range(RESTARTS):
            systemctl("restart", SERVICE)
            pids.append(pid())
    assert len(set(pids)) == RESTARTS + 1
    load.check()


def test_stop_and_start_under_load(running):
    """A stopped service is started again by the next client."""
    with Load(TCP, chat_request()) as load:
        for _ in range(3):
            systemctl("stop", SERVICE)
            machine.wait_active()
    load.check()


def idle_connection(where=TCP):
    """One that has had an answer and is kept."""
    c = machine.connect(where)
    c.send(http1.compose("GET", "/health"))
    assert c.read().status == 200
    return c


def test_idle_connections_end_by_fin(running):
    idle = [idle_connection(where) for where in (TCP, UNIX) for _ in range(20)]
    systemctl("restart", SERVICE)
    for c in idle:
        assert c.sock.recv(1) == b""  # ConnectionResetError would be a RST
        c.close()


def has_read_all(c):
    """Has the daemon read every byte that this TCP client sent?"""
    local = "%02X%02X%02X%02X:%04X" % (*reversed(bytes(map(int, TCP[0].split(".")))), TCP[1])
    peer = ":%04X" % c.sock.getsockname()[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        f = line.split()
        if f[1] == local and f[2].endswith(peer):
            return int(f[4].split(":")[1], 16) == 0
    return False


def stopping():
    return show("SubState") in ("stop-sigterm", "stop") or show("StatusText").lower().startswith("finishing")


@pytest.mark.parametrize("cut", ["first byte", "half the head", "half the body"])
def test_request_whose_first_byte_was_read_is_answered(running, cut):
    request = chat_request("Are you still there?")
    head = request.index(b"\r\n\r\n") + 4
    at = {"first byte": 1, "half the head": head // 2, "half the body": head + (len(request) - head) // 2}[cut]
    with machine.connect() as c:
        c.send(request[:at])
        wait.until("the daemon to have read it", lambda: has_read_all(c))
        systemctl("restart", "--no-block", SERVICE)
        wait.until("the daemon to be stopping", stopping)
        c.send(request[at:])
        a = c.read()
    assert a and a.status == 200 and a.complete, a
    assert machine.wait_active() != running


def test_stream_is_finished_before_the_end(running, sim):
    sim.script(f'* : text "{"word " * 40}" chunks=40 pace=20ms')
    with machine.connect() as c:
        c.send(chat_request(stream=True))
        c.read_until(b"word")
        systemctl("restart", "--no-block", SERVICE)
        wait.until("the daemon to be stopping", stopping)
        body = c.read_until(b"[DONE]")
    assert body.count(b"data: ") > 20


def test_drain_that_is_longer_than_the_stop(running, sim):
    """systemd gets the time that it takes, so it does not kill after TimeoutStopSec= what DRAIN_TIMEOUT still allows."""
    sim.script(f'* : text "{"word " * 30}" chunks=30 pace=100ms')
    with machine.drop_in("[Service]\nTimeoutStopSec=1s\n"), machine.connect() as c:
        c.send(chat_request(stream=True))
        c.read_until(b"word")
        after = machine.cursor()
        systemctl("stop", "--no-block", SERVICE)
        body = c.read_until(b"[DONE]")
        machine.wait_state("inactive")
    assert body.count(b"data: ") > 20
    assert show("Result") == "success" and "timed out" not in machine.said(after)


def test_unix_socket_after_a_restart(running):
    """http.sock is there after stop and start, and is the same: /run/gemgate is not the service's."""
    before = Path(UNIX).stat().st_ino
    systemctl("restart", SERVICE)
    assert machine.health(UNIX)["status"] == "healthy"
    systemctl("stop", SERVICE)
    assert Path(UNIX).stat().st_ino == before
    assert machine.health(UNIX)["status"] == "healthy"


def test_timeout_is_above_the_drain():
    """Else systemd kills what DRAIN_TIMEOUT still lets run."""
    drain = 30_000_000
    assert int(run_property("TimeoutStopUSec")) > drain


def run_property(name):
    path = "/org/freedesktop/systemd1/unit/gemgated_2eservice"
    out = machine.run(
        "busctl", "--json=short", "get-property", "org.freedesktop.systemd1", path, "org.freedesktop.systemd1.Service", name
    )
    return json.loads(out)["data"]


def test_start_limit_is_wide():
    """60 restarts by hand in a minute are no fault; the limit, when it trips, takes the socket along."""
    assert show("StartLimitBurst") == "60"
    assert show("StartLimitIntervalUSec") in ("1min", "60s")
    assert show("RestartUSec") == "200ms"


def waiting_client():
    """A client in a separate process: what `curl` sees."""
    return subprocess.Popen(
        ["curl", "-sS", "--max-time", "50", f"http://{TCP[0]}:{TCP[1]}/health"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )


def test_daemon_that_cannot_start_leaves_nobody_hanging(sim):
    """A wrong configuration: each client gets a 503, the journal has the fault once for each; and once it is corrected the
    next client is served."""
    after = machine.cursor()
    machine.configure(sim, MAX_BODY="banana")
    for n in (1, 2):
        client = waiting_client()
        out, _ = client.communicate(timeout=wait.DEADLINE)
        assert client.returncode == 0 and "its log says why" in out, f"the client hung or was served: {out}"
        machine.wait_state("failed", SERVICE)
        machine.wait_said("MAX_BODY: banana", after)
        assert machine.said(after).count("MAX_BODY: banana") == n
    assert show("ActiveState", SOCKET) == "active"
    machine.configure(sim)
    assert machine.health()["status"] == "healthy"


def test_daemon_that_crashes_again_and_again_leaves_nobody_hanging():
    """A daemon that dies at once for any reason: the start limit stops it, and the journal explains how to go on. The limit is
    smaller here, to save time."""
    after = machine.cursor()
    with machine.drop_in(
        "[Unit]\nStartLimitBurst=5\n[Service]\nExecStart=\nExecStart=/usr/bin/gemgated --config-dir=/etc/gemgate --no-such-option\n"
        "RestartPreventExitStatus=\n"
    ):
        client = waiting_client()
        out, _ = client.communicate(timeout=wait.DEADLINE)
        assert client.returncode not in (0, 28), out
        machine.wait_state("failed", SOCKET)
        # the advice comes from a separate unit, shortly after the connection is closed
        gave_up = "gemgated-gave-up@gemgated.service"
        machine.wait_said("systemctl reset-failed gemgated", after, gave_up)
        assert "systemctl start gemgated.socket" in machine.said(after, gave_up)
    systemctl("reset-failed", SERVICE, SOCKET)
    systemctl("start", SOCKET)
    assert machine.health()["status"] == "healthy"


def test_installation_page():
    """docs/INSTALL.md: stopping for good, and starting again, word for word."""
    page = (ROOT / "docs/INSTALL.md").read_text()
    stop, start = re.findall(r"```sh\n(.*?)```", page.partition("\n## Stopping")[2].partition("\n## ")[0], re.S)
    units = (SOCKET, "gemgated-job.socket", "gemgate-runner.socket")
    assert machine.health()
    machine.run("bash", "-euc", stop)
    try:
        assert machine.run("curl", "-s", "http://127.0.0.1:8080/health", check=False).returncode == 7
        assert machine.run("gemgatectl", "status", check=False).returncode != 0
        assert not [unit for unit in (SERVICE, *units) if machine.is_active(unit)]
        assert {machine.run("systemctl", "is-enabled", unit, check=False).stdout.strip() for unit in units} == {"disabled"}
    finally:
        machine.run("bash", "-euc", start)
    assert machine.chat().status == 200
    assert {machine.run("systemctl", "is-enabled", unit).strip() for unit in units} == {"enabled"}


def test_no_secret_in_the_arguments_or_environment(running):
    for name in ("cmdline", "environ"):
        data = Path(f"/proc/{running}/{name}").read_bytes()
        assert not any(s.encode() in data for s in SECRETS.values())
