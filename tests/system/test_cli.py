# SPDX-License-Identifier: MIT
"""The Gemini CLI under systemd: each process is a separate service, in a sandbox that has only Node.js, the CLI and a socket
of gemgated. The real CLI does the jobs; a test program in its place lists what it can reach."""
import json
import os
import re
import shutil
import threading
from pathlib import Path

import pytest

import http1
import machine
import wait
from house import MASKS, ROOT, SECRETS, leaked
from machine import MODEL, run, show, systemctl

RUNNER = "gemgate-runner.socket"
SCORE_MAX = 1.5
PREFIX = Path("/opt/gemgate-cli")
PROBE = PREFIX / "probe"


@pytest.fixture(scope="module")
def cli(installed):
    """As install-gemini-cli leaves it; the download is the test run's (tests/run)."""
    if not PREFIX.exists():
        shutil.copytree(os.environ["GEMGATE_CLI"], PREFIX, symlinks=True)
    shutil.copytree(ROOT / "tests/system/probe", PROBE, dirs_exist_ok=True)
    run("chown", "-R", "root:root", PREFIX)
    run("chmod", "-R", "a+rX,go-w", PREFIX)
    assert run("/usr/lib/gemgate/install-gemini-cli", "--check").startswith(str(PREFIX))


@pytest.fixture(autouse=True)
def no_job_is_left(cli, fresh):
    yield
    run("systemctl", "stop", "gemgated.service", check=False)
    wait.until("every job to be gone", lambda: not jobs())


@pytest.fixture
def probe(cli, sim):
    with machine.drop_in(
        "[Service]\nExecStart=\nExecStart=/usr/lib/gemgate/gemgate-runner --cli=/opt/gemgate-cli/probe/gemini.js "
        "--upstream=/run/gemgate-job/api.sock --isolation=unit\n",
        unit="gemgate-runner@.service",
    ):
        machine.configure(sim, CLI_WARM="0")
        yield


def jobs():
    lines = run("systemctl", "list-units", "--all", "--plain", "--no-legend", "gemgate-runner@*.service").splitlines()
    return [line.split()[0] for line in lines]


def run_gemini(command, **fields):
    body = {"command": command, "model": MODEL, **fields}
    return machine.ask("POST", "/run-gemini", body=body)


def good(a):
    assert a and a.status == 200, a and a.body
    return json.loads(a.body)


def test_sockets_are_there(installed):
    for unit, path, mode, owner in [
        (RUNNER, "/run/gemgate/runner.sock", 0o600, ("gemgate", "gemgate")),
        ("gemgated-job.socket", "/run/gemgate-job/api.sock", 0o660, ("root", "gemgate-job")),
    ]:
        assert run("systemctl", "is-enabled", unit).strip() == "enabled" and machine.is_active(unit)
        s = Path(path)
        assert s.stat().st_mode & 0o777 == mode and (s.owner(), s.group()) == owner
    folder = Path("/run/gemgate-job")
    assert folder.stat().st_mode & 0o777 == 0o750 and (folder.owner(), folder.group()) == ("root", "gemgate-job")


def test_a_job(sim):
    """The real CLI, started by systemd, and asked through gemgate: cold, then warm."""
    sim.script('*: text "Hello there." usage=5/2/7')
    got = good(run_gemini("Say hello to @/etc/passwd and $HOME"))
    assert got["stdout"] == "Hello there." and got["success"] and got["exit_code"] == 0, got
    assert got["api_key_used"] == MASKS["MASK1"] and got["finish_reason"] == "STOP"
    [seen] = sim.requests()
    assert json.loads(seen.body)["contents"][-1]["parts"][-1]["text"] == "Say hello to @/etc/passwd and $HOME"
    health = json.loads(machine.ask("GET", "/health").body)
    assert health["gemini_cli_available"] and health["gemini_cli_version"] == "0.61.0" and health["isolation"] == "unit"

    wait.until("one to be started ahead", lambda: len(jobs()) == 1)
    a = machine.chat("Again", model=f"cli/{MODEL}")
    assert good(a)["choices"][0]["message"]["content"] == "Hello there."


def test_gemgated_has_no_children(sim):
    good(run_gemini("Hi"))
    tasks = run("ps", "-o", "pid=", "--ppid", machine.pid(), check=False).stdout.split()
    assert tasks == []


def test_what_a_job_finds(probe):
    """Every socket it could connect to, every file that it can read, and what it may do."""
    said = good(run_gemini("look"))["stdout"]
    assert said.startswith("{"), said[:1000]
    found = json.loads(said)
    assert {s for s, r in found["sockets"].items() if r == "connected"} == {"/run/gemgate-job/api.sock"}
    assert {s for s, r in found["network"].items() if r == "connected"} == {"127.0.0.1 relay"}
    assert (isinstance(found["interfaces"], str) or found["interfaces"] == ["lo"]) and found["raw"] != "sent"
    assert found["files"] == [], "files of the machine beyond Node.js, the CLI and libraries"
    assert not [f for f, r in found["read"].items() if r == "done"], found["read"]
    assert {f for f, r in found["write"].items() if r == "done"} == {"/tmp/x"}, found["write"]
    assert {f for f, r in found["exec"].items() if r == "done"} == {"node"}, found["exec"]
    assert len(found["processes"]) <= 3, found["processes"]
    s = found["status"]
    assert s["CapEff"] == s["CapBnd"] == "0" * 16 and s["NoNewPrivs"] == "1" and s["Seccomp"] == "2"
    assert "gemgate-runner@" in found["cgroup"]
    assert not leaked(json.dumps(found)), "a secret within reach of the job"
    names = {"PATH", "LANG", "NO_COLOR", "TERM", "COLORTERM", "HOME", "TMPDIR", "GEMINI_API_KEY", "GEMINI_CLI_NO_RELAUNCH",
             "GEMINI_SYSTEM_MD", "GEMINI_EXP", "GOOGLE_GEMINI_BASE_URL"}
    assert set(found["env"]) <= names, set(found["env"]) - names


def test_each_job_is_a_user_of_its_own(probe, sim):
    """Two at once: neither has gemgate's uid or the other's, and each has its own cgroup."""
    threads = [threading.Thread(target=run_gemini, args=("stay",)) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        units = wait.until("two jobs", lambda: len(jobs()) == 2 and jobs())
        wait.until("both to have asked", lambda: len(sim.requests()) == 2)
        uids = {int(run("stat", "-c", "%u", f"/proc/{machine.pid(u)}")) for u in units}
        assert len(uids) == 2 and 0 not in uids
        assert all(uid >= 61184 for uid in uids), "DynamicUser's range"
        groups = [Path(f"/proc/{machine.pid(u)}/cgroup").read_text() for u in units]
        assert len({re.search(r"gemgate-runner@[^/\n]*", g).group() for g in groups}) == 2
    finally:
        systemctl("kill", "--signal=KILL", "gemgate-runner@*.service")
        for t in threads:
            t.join(wait.DEADLINE)


def test_a_client_that_hangs_up_ends_its_job(probe, sim):
    c = machine.connect()
    body = json.dumps({"command": "stay", "model": MODEL}).encode()
    c.send(http1.compose("POST", "/run-gemini", [("Authorization", f"Bearer {SECRETS['TOKEN']}")], body))
    wait.until("the job to have asked", lambda: len(sim.requests()) == 1)
    [unit] = jobs()
    c.close()
    wait.until("the job to be gone", lambda: unit not in jobs())
    assert not list(Path("/tmp").glob("gemgate-runner-*"))


def test_memory_has_an_end(probe):
    a = run_gemini("eat")
    assert a.status == 502, a.body
    assert good(run_gemini("talk"))["stdout"] == "talked"


def test_processes_have_an_end(probe):
    failed, n = good(run_gemini("fork"))["stdout"].split()
    assert failed == "EAGAIN" and int(n) < 64


@pytest.mark.parametrize("command", ["id", "kill -9 -1", "@/etc/passwd", "/dir add /etc,@/etc/passwd", "/quit", "?"])
def test_nothing_is_interpreted(sim, command):
    good(run_gemini(command))
    [seen] = sim.requests()
    assert json.loads(seen.body)["contents"][-1]["parts"][-1]["text"] == command


def test_two_hundred_jobs_leave_nothing(probe):
    before = snapshot()
    for _ in range(200):
        assert good(run_gemini("talk"))["stdout"] == "talked"
    wait.until("the last to be gone", lambda: not jobs())
    assert snapshot() == before


def snapshot():
    """What could be left behind: units, users, files, cgroups."""
    failed = run("systemctl", "list-units", "--all", "--failed", "--plain", "--no-legend").splitlines()
    files = [str(p) for d in ("/run/gemgate", "/run/gemgate-job", "/var/lib/private", "/var/cache/private")
             for p in sorted(Path(d).rglob("*"))] + [str(p) for p in Path("/tmp").glob("gemgate-runner-*")]
    groups = [p for p in Path("/sys/fs/cgroup").rglob("gemgate-runner@*")]
    return failed, files, groups


def test_the_canaries_are_in_no_job(sim):
    """What the real CLI's process holds while it waits: its environment, its argv and its memory's own files."""
    good(run_gemini("Hi"))
    wait.until("one to be started ahead", lambda: len(jobs()) == 1)
    [unit] = jobs()
    pids = Path(f"/sys/fs/cgroup/systemd{show('ControlGroup', unit)}/cgroup.procs")
    if not pids.exists():
        pids = Path(f"/sys/fs/cgroup{show('ControlGroup', unit)}/cgroup.procs")
    seen = wait.until("the CLI's process", lambda: len(pids.read_text().split()) >= 2 and pids.read_text().split())
    for p in seen:
        for name in ("environ", "cmdline"):
            assert not leaked(Path(f"/proc/{p}/{name}").read_bytes()), (p, name)
    journal = run("journalctl", "-q", "-o", "export", "-u", "gemgate-runner@*")
    assert not leaked(journal)


def test_score(installed):
    last = run("systemd-analyze", "security", "--no-pager", "gemgate-runner@1.service", check=False).stdout.strip().splitlines()[-1]
    figure = float(re.search(r"exposure level for \S+: ([0-9.]+)", last).group(1))
    print(f"gemgate-runner@.service: {figure}")
    assert figure <= SCORE_MAX


def test_without_the_cli_it_says_what_to_do(sim):
    PREFIX.rename("/opt/away")
    try:
        a = run_gemini("Hi")
        assert a.status == 503 and "install-gemini-cli" in json.loads(a.body)["error"]["message"]
        assert not json.loads(machine.ask("GET", "/health").body)["gemini_cli_available"]
    finally:
        Path("/opt/away").rename(PREFIX)
    wait.until("it to be found again", lambda: run_gemini("Hi").status == 200)


def test_without_the_runner_socket_it_says_so(sim):
    systemctl("stop", RUNNER)
    try:
        a = run_gemini("Hi")
        assert a.status == 503 and "runner" in json.loads(a.body)["error"]["message"]
        assert "systemctl enable --now" in machine.said()
    finally:
        systemctl("start", RUNNER)
    good(run_gemini("Hi"))
