# SPDX-License-Identifier: MIT
"""gemgatectl and gemgated together, on a bus with gemgate's policy and on the daemon's own socket; as root, as a member of
the group, and as a stranger whom polkit lets do something or not."""
import json
import os
import pty
import select
import shutil
import subprocess
import threading

import pytest

import people
import private
import wait
from fixtures import running_sim, sim  # noqa: F401
from gemgatectl import GEMGATECTL, GEMGATED, environment
from house import SECRETS

KEYS = [{"key": SECRETS["KEY1"], "name": "work"}, SECRETS["KEY2"], {"key": SECRETS["KEY3"], "project": "p"}]
MODEL = "gemini-3.8-flash"


@pytest.fixture(scope="module")
def machine():
    m = private.Machine()
    shutil.copy(GEMGATECTL, m.folder / "gemgatectl")
    m.start_bus()
    yield m
    m.close()


class Person:
    """gemgatectl as a user runs it."""

    def __init__(self, machine, user, *options):
        self.argv = [*people.world(machine.folder, user), machine.folder / "gemgatectl", *options]
        self.env = environment(machine.address)

    def __call__(self, *args, status=0):
        p = subprocess.run([*self.argv, *args], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=60)
        assert p.returncode == status, f"{args} ended with {p.returncode}:\n{p.stdout}{p.stderr}"
        assert not any(s in p.stdout + p.stderr for s in SECRETS.values())
        return p.stdout if status == 0 else p.stderr


@pytest.fixture
def daemon(machine, sim):
    """With a configuration that a reload reads again: the environment is fixed."""
    folder = machine.new_folder()
    (folder / "api-keys").write_text(json.dumps(KEYS))
    control = folder / "run" / "bus"
    control.parent.mkdir()
    shutil.chown(control.parent, people.GEMGATE, people.GEMGATE)
    d = machine.start(sim, argv=[f"--config-dir={folder}"], CONTROL_SOCKET=str(control))
    d.folder, d.control = folder, control
    machine.wait_owned()
    yield d
    if d.process.status is None:
        d.process.stop()


@pytest.fixture(params=["bus", "socket"])
def root(machine, daemon, request):
    return Person(machine, people.ROOT, *([f"--socket={daemon.control}"] if request.param == "socket" else []))


def keys(person):
    return json.loads(person("keys", "--json"))["keys"]


def test_an_operators_day(daemon, root):
    assert [k["name"] for k in keys(root)] == ["work", None, None]
    assert "3 of 3 usable" in root("status")
    assert "no model was used yet" in root("models", status=3)

    assert daemon.chat(model=MODEL).status == 200
    assert json.loads(root("models", "--json"))["models"][0]["model"] == MODEL
    stats = json.loads(root("stats", "--json"))
    assert stats["global_summary"]["total_requests_today"] == stats["global_summary"]["client_requests_today"] == 1
    assert "In all: 1 request, 1 attempt at Google\n" in root("status")
    days = json.loads(root("stats", "--days=30", "--json"))
    assert days["days"] == json.loads(daemon.ask("GET", "/stats?days=30", token="ADMIN").body)["days"] != []
    assert root("stats", "--days=30").splitlines()[1].split()[:4] == [days["days"][0]["date"], "1", "1", "0"]
    # the same names as over HTTP
    over_http = json.loads(daemon.ask("GET", "/stats", token="ADMIN").body)
    assert stats["api_key_stats"]["AIza****0001"].keys() == over_http["api_key_stats"]["AIza****0001"].keys()
    assert json.loads(root("requests", "--json")) == {"requests": [], "total": 0}
    used = next(k for k in keys(root) if k["models"])
    assert json.loads(root("show", used["mask"], "--json"))["requests"] == 1

    assert root("disable", "work") == "work is disabled; its open requests continue.\n"
    assert [k["state"] for k in keys(root)] == ["disabled", "usable", "usable"]
    assert "2 of 3 usable, 1 disabled" in root("status")
    reasons = json.loads(root("explain", MODEL, "--json"))["keys"]
    assert [k["usable"] for k in reasons] == [True, True, False] and reasons[2]["key"] == "work"
    root("enable", "work")
    assert [k["state"] for k in keys(root)] == ["usable"] * 3

    assert root("reset", "--all") == "All keys are already healthy.\n"
    root("reset", "nobody", status=3)
    assert [k["usable"] for k in json.loads(root("explain", "--json"))["keys"]] == [True] * 3
    root("explain", "no model", status=64)
    root("log-level", "debug")
    assert root("log-level").strip().lower() == "debug"
    root("log-level", "noise", status=64)


def test_reload(daemon, root):
    (daemon.folder / "api-keys").write_text(json.dumps(KEYS[:2]))
    said = root("reload")
    assert said == "configuration reloaded: 0 keys added, 1 removed, 2 kept\n" and len(keys(root)) == 2
    (daemon.folder / "api-keys").write_text(json.dumps(KEYS))
    (daemon.folder / "gemgate.env").write_text("MAX_BODY=enormous\n")
    assert "MAX_BODY" in root("reload", status=1)
    assert len(keys(root)) == 2


def test_monitor(daemon, root):
    p = subprocess.Popen([*root.argv, "monitor", "--json"], env=root.env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE)

    def tells():  # it is subscribed once it shows what we do
        root("disable", "work")
        root("enable", "work")
        return select.select([p.stdout], [], [], 0)[0]

    try:
        wait.until("the monitor", tells)
        line = json.loads(p.stdout.readline())
        p.terminate()
        assert p.wait(wait.DEADLINE) == 0
    finally:
        p.kill()
        p.communicate()
    assert line["signal"] == "KeyHealthChanged" and line["key"] == "work"
    assert {line["old"], line["new"]} == {"usable", "disabled"}


def test_monitor_tells_of_quotas(machine, sim, request):
    """Quota warnings, learned projects and exhaustion: from the daemon to the line on the screen."""
    keys = [{"key": SECRETS["KEY1"], "name": "one"}, {"key": SECRETS["KEY2"], "name": "two"}]
    d = machine.start(sim, API_KEYS=json.dumps(keys), AFFINITY="off",
                      MODEL_LIMITS=json.dumps({MODEL: {"rpd": 2}}))
    request.addfinalizer(d.process.stop)
    machine.wait_owned()
    root = Person(machine, people.ROOT)
    p = subprocess.Popen([*root.argv, "monitor"], env=root.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def tells():
        root("disable", "one")
        root("enable", "one")
        return select.select([p.stdout], [], [], 0)[0]

    patience = threading.Timer(wait.DEADLINE, p.kill)  # a line that does not come is an empty one
    patience.start()
    try:
        wait.until("the monitor", tells)
        assert [d.chat(model=MODEL).status for _ in range(5)] == [200] * 4 + [429]
        sim.script("*: error suspended")
        d.chat(model="gemini-3.8-pro")
        said = [""]
        while "project projects" not in said[-1]:
            said.append(p.stdout.readline().decode().rstrip("\n").partition("UTC  ")[2])
            assert said[-1], said
        p.terminate()
        assert p.wait(wait.DEADLINE) == 0
    finally:
        patience.cancel()
        p.kill()
        p.communicate()
    told = [line for line in said if line.startswith("model ") or "project projects" in line]
    assert told[:2] == [f"model {MODEL}: 2 of 2 requests of the day are used, the key {k}" for k in ("one", "two")]
    assert told[2].startswith(f"model {MODEL}: no key is left, the first frees ")
    assert told[-1] == "key two shares the project projects/12345678 with other keys"


READING = [["keys"], ["models", "--json"], ["stats"], ["requests", "--json"], ["explain", MODEL]]
GROUP = [["status"], ["show", "work"], ["log-level"]]
CHANGING = [["reset", "--all"], ["disable", "work"], ["enable", "work"], ["log-level", "info"], ["test"], ["reload"]]


def test_a_member_may_do_everything(machine, daemon):
    for user in (people.MEMBER, people.PRIMARY):
        member = Person(machine, user)
        for args in READING + GROUP + CHANGING:
            member(*args)


def test_a_stranger_without_polkit(machine, daemon):
    stranger = Person(machine, people.STRANGER)
    for args in READING + GROUP + CHANGING:
        assert "group gemgate" in stranger(*args, status=4)
    assert len(stranger("version").splitlines()) == 1
    stranger("_complete", "show", "1", status=4)


@pytest.fixture
def polkit(machine):
    p = private.Polkit(machine.address, "yes")
    yield p
    p.close()


def test_a_stranger_whom_polkit_lets(machine, daemon, polkit):
    stranger = Person(machine, people.STRANGER)
    for args in READING + [a for a in CHANGING if a != ["log-level"]]:
        stranger(*args)
    assert {action for action, _ in polkit.asked} == {"org.gemgate1.read", "org.gemgate1.reset", "org.gemgate1.manage"}
    for args in GROUP:  # properties are for root and the group only
        stranger(*args, status=4)


def test_a_stranger_whom_polkit_asks_for_a_password(machine, daemon, polkit):
    """There is no terminal here that could be asked on."""
    polkit.answer = "challenge"
    stranger = Person(machine, people.STRANGER)
    assert "org.gemgate1.manage" in stranger("reload", status=4) or polkit.asked == []


def test_a_stranger_at_the_control_socket(machine, daemon):
    stranger = Person(machine, people.STRANGER, f"--socket={daemon.control}")
    assert "group gemgate" in stranger("keys", status=4)


def test_the_daemon_has_ended(machine, daemon):
    daemon.process.stop()
    person = Person(machine, people.ROOT)
    assert "systemctl start gemgated.socket" in person("keys", status=1)
    assert "CONTROL_SOCKET" in Person(machine, people.ROOT, f"--socket={daemon.control}")("keys", status=1)


def test_check_config_runs_the_daemon_beside_it(machine):
    assert GEMGATED.exists() and (machine.folder / "gemgated").exists()
    bad = machine.folder / "bad.env"
    bad.write_text("MAX_BODY=enormous\n")
    assert "MAX_BODY" in Person(machine, people.ROOT)("check-config", bad, status=1)


AGENT = """#!/bin/sh
echo "$$ $*" >{folder}/agent-was
exec 3>&-
exec tail -f /dev/null
"""


def test_polkits_agent_asks_on_the_terminal(machine, daemon, polkit):
    """It is started for calls that may need a password, and ends with us; the call allows polkit to ask."""
    folder = machine.new_folder()
    folder.chmod(0o777)
    (folder / "pkttyagent").write_text(AGENT.format(folder=folder))
    (folder / "pkttyagent").chmod(0o755)
    stranger = Person(machine, people.STRANGER)
    env = stranger.env | {"PATH": f"{folder}:{stranger.env['PATH']}"}
    master, slave = pty.openpty()
    try:
        for args, started, flags in ((["keys"], False, 0), (["reload"], True, 1)):
            polkit.asked.clear()
            p = subprocess.run([*stranger.argv, *args], env=env, stdin=slave, capture_output=True, timeout=60)
            assert p.returncode == 0, p.stderr
            assert [f for _, f in polkit.asked] == [flags]
            assert (folder / "agent-was").exists() == started
    finally:
        os.close(master)
        os.close(slave)
    pid, *said = (folder / "agent-was").read_text().split()
    assert said == ["--notify-fd=3", "--fallback"] and not os.path.exists(f"/proc/{pid}")
