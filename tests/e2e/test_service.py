# SPDX-License-Identifier: MIT
"""gemgated as a service: its messages to the service manager, its end, and the events in its log."""
import json
import re
import select
import signal
import socket
import time

import pytest

import http1
import process
import wait
from house import MASKS, ROOT, SECRETS, leaked

IDS = dict(re.findall(r'#define (MESSAGE_\w+)\s+"([0-9a-f]{32})"', (ROOT / "src/daemon/message-ids.h").read_text()))
CATALOG = (ROOT / "packaging/gemgate.catalog").read_text()
HI = {"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}]}


class Manager:
    """systemd's end of $NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []

    def read(self):
        try:
            while True:
                self.heard += self.socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return self.heard

    @property
    def status(self):
        lines = [line for line in self.read() if line.startswith("STATUS=")]
        return lines[-1][7:] if lines else ""

    def wait_status(self, pattern):
        return wait.until(f"the status {pattern}", lambda: re.fullmatch(pattern, self.status))


@pytest.fixture
def manager(tmp_path):
    m = Manager(tmp_path / "notify")
    yield m
    m.socket.close()


# --- messages to the service manager ---


def test_ready_and_status(start, manager, sim):
    d = start(NOTIFY_SOCKET=manager.path)
    wait.until("READY", lambda: "READY=1" in manager.read())
    manager.wait_status("2 of 2 keys usable, 0 requests open, 0 requests today")
    assert d.chat().status == 200
    manager.wait_status("2 of 2 keys usable, 0 requests open, 1 request today")
    sim.script("* : hang")
    with d.connect() as c:
        c.send(http1.compose("POST", "/v1/chat/completions", [("x-api-key", SECRETS["TOKEN"])], json.dumps(HI).encode()))
        manager.wait_status("2 of 2 keys usable, 1 request open, 2 requests today")
    manager.wait_status("2 of 2 keys usable, 0 requests open, 2 requests today")
    sim.script("* : error invalid_key")
    d.chat()
    manager.wait_status("0 of 2 keys usable, 0 requests open, .*")
    d.process.stop()
    assert "STOPPING=1" in manager.read() and "EXTEND_TIMEOUT_USEC=35000000" in manager.heard
    assert manager.status.startswith("Finishing")


def test_status_is_coalesced(start, manager):
    """Many requests in a moment are a line or two, not many."""
    d = start(NOTIFY_SOCKET=manager.path)
    begin = time.monotonic()
    with d.connect() as c:
        for _ in range(300):
            c.send(http1.compose("POST", "/v1/chat/completions", [("x-api-key", SECRETS["TOKEN"])], json.dumps(HI).encode()))
            assert c.read().status == 200
            manager.read()  # its socket holds ten
    manager.wait_status("2 of 2 keys usable, 0 requests open, 300 requests today")
    n = len([line for line in manager.read() if line.startswith("STATUS=")])
    assert n <= 2 + (time.monotonic() - begin), n


def test_status_without_keys(start, manager, tmp_path):
    folder = tmp_path / "conf"
    folder.mkdir()
    start(NOTIFY_SOCKET=manager.path, unset=["API_KEYS"], argv=["--config-dir", str(folder)])
    manager.wait_status(f"No API keys: put them into {folder}/api-keys, .*")


def test_watchdog_is_fed_and_a_stopped_daemon_is_not(start, manager):
    d = start(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="90000")

    def fed():
        return manager.read().count("WATCHDOG=1")

    wait.until("three feeds of an idle daemon", lambda: fed() >= 3)
    d.process.signal(signal.SIGSTOP)
    wait.until("it to be stopped", lambda: "T" in open(f"/proc/{d.process.pid}/stat").read().rpartition(")")[2].split()[0])
    before = fed()
    end = time.monotonic() + 0.3
    wait.until("three periods", lambda: time.monotonic() > end)
    assert fed() == before
    d.process.signal(signal.SIGCONT)
    wait.until("it to be fed again", lambda: fed() > before)


# --- the end: accepted connections are answered ---


def let_in(d, first=b""):
    """A connection that the daemon has accepted, and has read this much of."""
    c = d.connect()
    if first:
        c.send(first)
    assert d.ask("GET", "/health").status == 200  # came later, and was served
    return c


REQUEST = http1.compose("GET", "/health")


def _connects(d):
    try:
        d.connect().close()
        return True
    except OSError:
        return False


HALF_A_HEAD = REQUEST.index(b"\r\n") + 4


@pytest.mark.parametrize("at", [0, 1, 10, HALF_A_HEAD], ids=["nothing", "a byte", "half a line", "half a head"])
def test_connection_without_a_request_yet_is_waited_for(start, at):
    d = start()
    with let_in(d, REQUEST[:at]) as c:
        d.interrupt()
        wait.until("the refusal of new connections", lambda: not _connects(d))
        c.send(REQUEST[at:])
        assert c.read().status == 200
    assert d.process.wait() == 0


def test_silent_connection_keeps_nobody_from_going(start):
    d = start(DRAIN_TIMEOUT="10min")
    with let_in(d), let_in(d, b"G"), let_in(d, REQUEST[:HALF_A_HEAD]):
        at = d.interrupt()
        assert d.process.wait() == 0
        assert time.monotonic() - at >= 0.5


def test_idle_keep_alive_ends_by_fin(start):
    """That it is not waited for at all, tests/unit/test-http-server.c shows: here a busy machine may take its time."""
    d = start(DRAIN_TIMEOUT="10min")
    with d.connect() as c:
        c.send(REQUEST)
        assert c.read().status == 200
        d.interrupt()
        assert c.sock.recv(1) == b""
        assert d.process.wait() == 0


# --- IDLE_EXIT ---


def test_idle_exit(start):
    at = time.monotonic()
    d = start(IDLE_EXIT="300ms")
    with d.connect() as c:  # idle keep-alive connections do not keep it
        c.send(REQUEST)
        assert c.read().status == 200
        assert d.process.wait() == 0
        assert time.monotonic() - at >= 0.3
        assert c.sock.recv(1) == b""
    assert d.wait_log("why", lambda e: e.get("message_id") == IDS["MESSAGE_DRAINING"])["message"].startswith("idle for 300ms")


def test_idle_exit_waits_for_a_request(start, sim):
    sim.script('* : text "Hello." delay=800ms')
    d = start(IDLE_EXIT="200ms")
    at = time.monotonic()
    assert d.chat().status == 200
    assert d.process.wait() == 0
    assert time.monotonic() - at >= 0.8 + 0.2


def test_idle_exit_needs_passed_sockets(start, tmp_path):
    path = tmp_path / "own.sock"
    d = start(IDLE_EXIT="100ms", LISTEN=f"unix:{path}", sockets=[])
    d.wait_log("the warning", lambda e: e["level"] == "warning" and "IDLE_EXIT" in e["message"])
    end = time.monotonic() + 0.5
    wait.until("some time", lambda: time.monotonic() > end)
    assert not d.process.ended()


def answered(c):
    return select.select([c.sock], [], [], 0)[0]


def test_idle_exit_loses_nobody(tmp_path):
    """The sockets are passed in, as by systemd: a client that connects at the end waits for the next daemon."""
    from house import Daemon

    with process.listen_tcp() as ours:
        address = ours.getsockname()
        for _ in range(10):
            with Daemon(tmp_path, None, {"IDLE_EXIT": "100ms"}, sockets=[("http", ours.dup())]) as d:
                while not d.process.ended():
                    with http1.Connection(address) as c:
                        c.send(REQUEST)
                        d.process.ended(0.102)
                        wait.until("an answer, or the end", lambda: answered(c) or d.process.ended())
                        if not answered(c):
                            break  # it is for the next one now, and still in the queue
                        assert c.read().status == 200


# --- events in the log ---


def event(d, name):
    return d.wait_log(name, lambda e: e.get("message_id") == IDS[name])


def test_every_id_has_its_entry():
    assert IDS
    assert sorted(re.findall(r"^-- ([0-9a-f]{32})$", CATALOG, re.M)) == sorted(IDS.values())
    assert len(set(IDS.values())) == len(IDS)


def test_catalog_is_accepted(tmp_path):
    """By systemd's own reader."""
    import shutil
    import subprocess

    folder = tmp_path / "usr/lib/systemd/catalog"
    folder.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    shutil.copy(ROOT / "packaging/gemgate.catalog", folder)
    r = subprocess.run(["journalctl", f"--root={tmp_path}", "--update-catalog"], capture_output=True, text=True)
    assert (r.returncode, r.stderr) == (0, ""), r
    r = subprocess.run(["journalctl", f"--root={tmp_path}", "--list-catalog"], capture_output=True, text=True)
    assert len([line for line in r.stdout.splitlines() if "gemgate" in line]) == len(IDS), r


def test_dead_keys(start, sim):
    sim.script("* : error invalid_key")
    d = start()
    d.chat()
    e = event(d, "MESSAGE_KEY_DEAD")
    assert e["key"] in (MASKS["MASK1"], MASKS["MASK2"]) and e["key_name"] and e["level"] == "warning"
    assert (e["state_before"], e["state"]) == ("usable", "dead") and e["reason"] and e["until"]
    assert event(d, "MESSAGE_KEYS_GONE")["level"] == "error"
    gone = [x for x in d.log() if x.get("message_id") == IDS["MESSAGE_KEYS_GONE"]]
    assert len(gone) == 1
    sim.script("")
    d.ask("POST", "/reset-api-key-health", body={"reset_all": True}, token="ADMIN")
    assert event(d, "MESSAGE_KEY_BACK")["reason"] == "reset"
    d.chat()
    d.wait_log("its line", lambda e: e.get("status") == 200 and e.get("dialect"))
    for name in "MESSAGE_KEY_DEAD", "MESSAGE_KEY_BACK":
        told = [x for x in d.log() if x.get("message_id") == IDS[name]]
        assert len({x["key_name"] for x in told}) == len(told) == 2, "once for a key, not again for its models"


def test_reload_that_takes_all_keys_away(start, manager, tmp_path):
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "api-keys").write_text(SECRETS["KEY1"] + "\n")
    d = start(NOTIFY_SOCKET=manager.path, unset=["API_KEYS"], argv=["--config-dir", str(folder)])
    manager.wait_status("1 of 1 key usable, .*")
    (folder / "api-keys").write_text("")
    d.process.signal(signal.SIGHUP)
    assert event(d, "MESSAGE_RELOADED")["level"] == "info"
    assert event(d, "MESSAGE_KEYS_GONE")["level"] == "error"
    manager.wait_status("No API keys: .*")
    heard = manager.read()
    assert heard.index("RELOADING=1") < len(heard) - heard[::-1].index("READY=1")
    (folder / "api-keys").write_text(SECRETS["KEY2"] + "\n")
    d.process.signal(signal.SIGHUP)
    manager.wait_status("1 of 1 key usable, .*")


def test_unhealthy_key(start, sim):
    sim.script(f"key={SECRETS['KEY1']} : error iam")
    d = start(API_KEYS=json.dumps([{"key": SECRETS["KEY1"], "name": "first"}, SECRETS["KEY2"]]))
    for _ in range(8):
        d.chat()
    e = event(d, "MESSAGE_KEY_UNHEALTHY")
    assert e["key_name"] == "first" and e["model"] == "gemini-3.8-flash" and "first" in e["message"]


def test_exhausted_model(start, sim):
    sim.script("* : error rpd")
    d = start()
    d.chat()
    e = event(d, "MESSAGE_QUOTA_EXHAUSTED")
    assert e["model"] == "gemini-3.8-flash" and e["level"] == "warning" and e["until"] in e["message"]


# --- the lines of requests ---


def test_request_names_its_key(start):
    d = start(API_KEYS=json.dumps([{"key": SECRETS["KEY1"], "name": "first"}]))
    d.chat()
    assert d.wait_log("the line", lambda e: e.get("status") == 200)["key_name"] == "first"


LEVELS = [
    ("", 200, "info"),
    ("* : error internal", 503, "warning"),
    ("* : error contents", 400, "info"),
    ('* : text "a b" chunks=2 cut after=1', 200, "warning"),
]


@pytest.mark.parametrize("script,status,level", LEVELS, ids=[s or "answered" for s, _, _ in LEVELS])
def test_level_by_outcome(start, sim, script, status, level):
    sim.script(script)
    d = start()
    d.chat(stream=status == 200)
    line = d.wait_log("the line", lambda e: e.get("dialect") == "openai-chat" and "status" in e)
    assert line["level"] == level, line
    assert line["status"] == status, line


def test_refused_address_says_why(start):
    d = start(ALLOWED_IPS="10.0.0.0/8")
    assert d.chat().status == 403
    line = d.wait_log("the line", lambda e: e.get("status") == 403)
    assert "ALLOWED_IPS" in line["message"] and line["client"] == "127.0.0.1"
    assert len([e for e in d.log() if "127.0.0.1" in json.dumps(e) and "listening" not in e["message"]]) == 1


@pytest.mark.parametrize("status,path,settings", [(401, "/stats", {}), (403, "/stats", {"ALLOWED_IPS": "10.0.0.0/8"}), (200, "/health", {})])
def test_strangers_cannot_flood_the_log(start, status, path, settings):
    d = start(**settings)
    for _ in range(300):
        assert d.ask("GET", path, token=None).status == status
    d.process.stop()
    lines = [e for e in d.log() if e.get("status") == status]
    left_out = sum(e.get("left_out", 0) for e in d.log())
    assert 0 < len(lines) <= 200 and len(lines) + left_out == 300, (len(lines), left_out)


def test_clients_with_a_token_are_all_logged(start):
    d = start()
    with d.connect() as c:
        for _ in range(300):
            c.send(http1.compose("POST", "/v1/chat/completions", [("x-api-key", SECRETS["TOKEN"])], json.dumps(HI).encode()))
            assert c.read().status == 200
    d.process.stop()
    assert len([e for e in d.log() if e.get("status") == 200]) == 300
    assert not leaked(d.process.said())
