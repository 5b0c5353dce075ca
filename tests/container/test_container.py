# SPDX-License-Identifier: MIT
"""A user's `docker compose up -d`, without an engine: the two services of packaging/compose.yaml with their settings,
mounts and rights, in separate namespaces, in front of gemini-sim."""
import json
import os
import re
import socket
import subprocess
import time
from datetime import date
from pathlib import Path

import pytest

import house
import http1
import process
import wait
from house import SECRETS, leaked

GATEWAY = "172.18.0.1"  # of the network that Docker makes for the first project; tests/run gives it to us
NATIVE = "/v1beta/models/gemini-3.8-flash:generateContent"


def log_files(folder):
    return sorted(p for p in folder.glob("gemgate-*.log"))


def lines(path):
    whole, _, _ = path.read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def chats(path):
    return sum(e.get("dialect") == "openai-chat" for e in lines(path))


def stream(c, chunks, pace, sim):
    """A stream that has begun: its connection, with the first piece read."""
    sim.script(f'*: text "{"x" * chunks}" chunks={chunks} pace={pace}')
    connection = c.connect()
    body = {"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}")]
    connection.send(http1.compose("POST", "/v1/chat/completions", headers, json.dumps(body).encode()))
    connection.read_until(b'"content":"x')
    return connection


# --- it serves ---


def test_first_chat(up, sim):
    """Healthy, and an answer in each protocol, through the published port: that is, from the network's gateway."""
    c = up().ready()
    answer = c.ask("GET", "/health", token=None, source=GATEWAY)
    assert answer.status == 200 and json.loads(answer.body)["status"] == "healthy"
    sim.script('*: text "Hello."')
    answer = c.chat(source=GATEWAY)
    assert answer.status == 200 and json.loads(answer.body)["choices"][0]["message"]["content"] == "Hello."
    answer = c.ask("POST", NATIVE, {"contents": [{"parts": [{"text": "Hi"}]}]}, source=GATEWAY)
    assert answer.status == 200 and "Hello." in answer.body.decode()
    assert {r.key for r in sim.requests()} <= {SECRETS["KEY1"], SECRETS["KEY2"]} and sim.count() == 2


def test_first_process(up, image):
    """Its user, no capability, no way to gain one; and no secret in /proc."""
    c = up().ready()
    status = Path(f"/proc/{c.pid1}/status").read_text()
    field = dict(line.split(":\t", 1) for line in status.splitlines())
    assert field["Uid"].split() == [str(image.uid)] * 4 and field["Gid"].split() == [str(image.gid)] * 4
    assert field["Groups"].strip() == "" and field["NSpid"].split()[-1] == "1"
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(field[name], 16) == 0, name
    assert field["NoNewPrivs"] == "1"
    for name in ("environ", "cmdline"):
        assert not leaked(Path(f"/proc/{c.pid1}/{name}").read_bytes()), name


def test_forbidden_address_is_explained(up, project):
    """Who is refused reads why in the log: the address that was seen, and the setting that decides."""
    project.set(ALLOWED_IPS='["127.0.0.1"]')
    c = up().ready()
    assert c.ask("GET", "/v1/models", source=GATEWAY).status == 403
    wait.until("the line", lambda: any(e.get("client") == GATEWAY and "ALLOWED_IPS" in e["message"] for e in c.log()))


def test_no_client_token(up, project):
    """It listens beyond loopback: without a token it refuses to start."""
    project.set(ALLOWED_TOKENS="", ADMIN_TOKENS="")
    c = up()
    assert c.process.wait() == 78
    assert "ALLOWED_TOKENS" in c.said()


def test_secrets_as_files(up, project, image, tmp_path):
    """Those that an engine mounts below /run/secrets take the place of the environment's."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, text in (("api-keys", SECRETS["KEY3"]), ("allowed-tokens", SECRETS["TOKEN2"])):
        path = secrets / name
        path.write_text(text + "\n")
        path.chmod(0o400)
        os.chown(path, image.uid, image.gid)
    project.set(API_KEYS="", ALLOWED_TOKENS="")
    mounts = project.mounts(project.said()["services"]["gemgate"], image)
    c = up(mounts=mounts | {"/run/secrets": (secrets, "ro")}).ready()
    assert c.chat(token="TOKEN2").status == 200
    assert c.chat(token="TOKEN").status == 401


def test_writes_nowhere_else(up, image):
    """Without a volume it serves too, with a warning. Only its private socket must have a place."""
    c = up(tmpfs=("/run/gemgate:mode=1777",), mounts={}).ready()
    assert c.chat().status == 200


# --- the log ---


def test_log_file(up, project, image):
    """The folder was not there: the second service has given it to the image's user. No secret is in it."""
    assert not project.logs.exists()
    c = up(env={"TZ": "UTC"}).ready()
    assert project.logs.stat().st_uid == image.uid
    assert c.chat().status == 200
    path = wait.until("a log file", lambda: log_files(project.logs))[-1]
    assert re.fullmatch(r"gemgate-\d{4}-\d\d-\d\d\.log", path.name)
    line = wait.until("the line", lambda: next((e for e in lines(path) if e.get("dialect") == "openai-chat"), None))
    assert line["status"] == 200 and line["key"] in house.MASKS.values() and line["token"] == house.MASKS["TOKENMASK"]
    assert not leaked(path.read_bytes())
    wait.until("the same for the engine", lambda: any(e.get("request_id") == line["request_id"] for e in c.log()))


def test_reload_begins_the_file_anew(up, project):
    """What a log rotator does: the file is moved away, SIGHUP, and a new one is written."""
    c = up().ready()
    [path] = log_files(project.logs)
    path.rename(project.logs / "moved.log")
    c.signal("SIGHUP")
    wait.until("a new file", lambda: log_files(project.logs))
    assert c.chat().status == 200


def almost_midnight(after):
    """TZ of a place where it is midnight in so many seconds."""
    west = int(time.time() + after) % 86400  # in POSIX form: how far its clocks are behind
    if west > 43200:
        west -= 86400
    sign, west = ("-" if west < 0 else ""), abs(west)
    return f"XXX{sign}{west // 3600}:{west // 60 % 60:02}:{west % 60:02}"


def test_midnight(up, project):
    """Lines after the local midnight are in another file than those before."""
    for lead in (3, 10, 30):  # a machine that is too slow for the first is given more
        zone = almost_midnight(lead)
        end = time.time() + lead
        c = up(env={"TZ": zone}).ready()
        assert c.chat().status == 200
        wait.until("the request's line", lambda: any(map(chats, log_files(project.logs))))
        if time.time() < end - 1:
            break
        c.stop()
        for path in log_files(project.logs):
            path.unlink()
    assert len(log_files(project.logs)) == 1
    wait.until("midnight", lambda: time.time() > end + 1, lead + 5)
    assert c.chat().status == 200
    first, second = wait.until("another file", lambda: len(log_files(project.logs)) == 2 and log_files(project.logs))
    a, b = (date.fromisoformat(p.stem.removeprefix("gemgate-")) for p in (first, second))
    assert (b - a).days == 1
    wait.until("the line of the new day", lambda: chats(second) == 1)
    assert chats(first) == 1


@pytest.mark.parametrize("how", ["root's", "read-only"])
def test_no_log_to_write_to(up, project, image, how):
    """It warns and serves."""
    project.logs.mkdir(mode=0o755)
    mounts = project.mounts(project.said()["services"]["gemgate"], image)
    c = up(mounts=mounts | {"/logs": (project.logs, "ro" if how == "read-only" else "rw")})
    if how == "root's":
        os.chown(project.logs, 0, 0)
    c.ready()
    assert c.chat().status == 200
    wait.until("the warning", lambda: any(e["level"] == "warning" and "LOG_DIR" in e["message"] for e in c.log()))
    assert log_files(project.logs) == []


# --- its life ---


def test_restart_keeps_state(up):
    """`docker compose up -d --force-recreate`: another container, the same volumes."""
    c = up().ready()
    for _ in range(3):
        assert c.chat().status == 200

    def counted(c):
        return json.loads(c.ask("GET", "/stats", token="ADMIN").body)["global_summary"]["total_requests_all_time"]

    assert counted(c) == 3
    c.stop()
    c = up().ready()
    assert counted(c) == 3
    assert c.chat().status == 200
    assert counted(c) == 4


def test_stop_when_idle(up):
    """With 0, and before DRAIN_TIMEOUT, although silent connections are open."""
    c = up().ready()
    with c.connect():
        c.stop(deadline=process.STOP_DEADLINE)


def test_stop_drains(up, sim):
    """A stream that is open is finished before it ends."""
    c = up().ready()
    with stream(c, 40, "20ms", sim) as connection:
        c.signal("SIGTERM")
        wait.until("the port to be closed", lambda: refused(c))
        answer = connection.read_body()
        assert answer.complete and b"[DONE]" in answer.body
    assert c.process.wait() == 0


def refused(c):
    try:
        with c.connect():
            return False
    except ConnectionRefusedError:
        return True


def test_drain_ends(up, project, sim):
    """A stream that never ends is cut off after DRAIN_TIMEOUT, which is within compose's patience."""
    project.set(DRAIN_TIMEOUT="500ms")
    c = up().ready()
    with stream(c, 4000, "5ms", sim):
        c.stop()


def test_orphans_are_reaped(up):
    """As the first process it gets the children of others when these end; none of them stays a zombie."""
    c = up().ready()
    ns = ["nsenter", "-t", str(c.pid1), "-p", "--"]
    # each forks a child that outlives it, and is in the container's namespace like it
    for _ in range(5):
        subprocess.run([*ns, "sh", "-c", "(exec true) & exec true"], check=True, stdin=subprocess.DEVNULL)
    children = Path(f"/proc/{c.pid1}/task/{c.pid1}/children")
    wait.until("no child to be left", lambda: children.read_text().split() == [])
    assert c.chat().status == 200


# --- its administration ---


def test_gemgatectl(up):
    """`docker compose exec gemgate gemgatectl status`."""
    c = up().ready()
    assert c.chat().status == 200
    done = c.exec("/usr/bin/gemgatectl", "status", check=0)
    assert "2 of 2" in done.stdout and not leaked(done.stdout + done.stderr), done
    done = c.exec("/usr/bin/gemgatectl", "--json", "keys", check=0)
    assert len(json.loads(done.stdout)["keys"]) == 2
    c.exec("/usr/bin/gemgatectl", "reload", check=0)
    assert c.exec("/usr/bin/gemgatectl", "status", user=1234).returncode == 4


def test_health_fails_when_it_hangs(up):
    """What HEALTHCHECK asks is the daemon's loop."""
    c = up().ready()
    c.signal("SIGSTOP")
    try:
        assert not c.healthy()
    finally:
        c.signal("SIGCONT")
    c.ready()


# --- podman's way: a socket of systemd's, and its word that it is ready ---


def test_socket_is_passed(up, image, tmp_path, sim):
    """The socket was open before; READY=1 comes when it serves. LISTEN is not opened beside it."""
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    folder = tmp_path / "notify"
    folder.mkdir()
    notify.bind(str(folder / "socket"))
    os.chmod(folder / "socket", 0o666)
    notify.settimeout(wait.DEADLINE)
    listening = process.listen_tcp()
    c = up(sockets=[listening], mounts={"/run/notify": folder}, env={"NOTIFY_SOCKET": "/run/notify/socket"})
    address = listening.getsockname()
    said = b""
    while b"READY=1" not in said:
        said += notify.recv(4096) + b"\n"
    with http1.Connection(address) as connection:
        connection.send(http1.compose("GET", "/health", []))
        assert connection.read().status == 200
    assert refused(c)
    # what the quadlet's HealthCmd asks
    c.exec("/usr/bin/gemgatectl", "status", check=0)
    c.stop()
