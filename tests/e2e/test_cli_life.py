# SPDX-License-Identifier: MIT
"""Moments of a job: clients that go, the queue, runners that were started ahead, the end of the daemon, tokens.
"""
import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

import house
import process
import wait
from cost import memory
from house import MASKS, SECRETS, leaked
from jobs import (MODEL, chat_with, error_of, events_of, gone, inner, install, jobs, line_of, run, send,
                  wait_queued)
from test_service import manager  # noqa: F401


ENDLESS = '*: text "x" chunks=40000 pace=5ms'


# --- time, and clients that go ---


def test_timeout_of_the_settings(cli, sim, records):
    sim.script("*: hang")
    d = cli(CLI_TIMEOUT="2s")
    for stream in (False, True):
        a = run(d, "Hi", stream=stream)
        assert a.status == 504 and error_of(a)["code"] == "timeout" and "CLI_TIMEOUT" in error_of(a)["message"], a.body
    gone(records)
    sim.wait_all_hung_up()
    line = line_of(d)
    assert line["status"] == 504 and line["verdict"] == "timeout"
    if sim.count() == 2:  # a busy machine's runner may have had no time to ask
        assert line["attempts"] == 1 and line["key"] in MASKS.values()


def test_timeout_of_the_request(cli, sim, records):
    sim.script("*: hang")
    d = cli()
    a = run(d, "Hi", timeout=1)
    assert a.status == 504 and error_of(a)["code"] == "timeout" and "the request's timeout" in error_of(a)["message"]
    gone(records)
    sim.wait_all_hung_up()


def test_timeout_of_the_request_is_no_longer_than_ours(cli):
    assert run(cli(CLI_TIMEOUT="300ms"), "hang", timeout=3600).status == 504


def test_timeout_in_the_middle_of_a_stream(cli, sim, records):
    sim.script('*: text "a b" chunks=2 hang after=1')
    d = cli(CLI_TIMEOUT="4s")
    with send(d, "Hi", stream=True) as c:
        begin = c.read_until(b"stdout")
        piece, end = events_of(begin + c.read_body("POST").body)
    assert piece == {"stdout": "a"} and end["error"]["code"] == "timeout"
    gone(records)


@pytest.mark.parametrize("command,script,stream", [
    ("Hi", "*: hang", False), ("Hi", ENDLESS, True), ("hang", "*: hang", True), ("mute", '*: text "a"', False),
])
def test_hang_up_ends_the_job(cli, sim, records, command, script, stream):
    """Runner and upstream call."""
    sim.script(script)
    d = cli()
    c = send(d, command, stream=stream)
    wait.until("the job", lambda: any(r.find("job") for r in records()))
    if command != "hang":
        wait.until("the upstream request", lambda: sim.count() == 1)
    if script == ENDLESS:
        c.read_until(b"stdout")
    c.close()
    gone(records)
    if command == "Hi":
        sim.wait_hung_up()
    line = line_of(d)
    assert line["status"] == (200 if script == ENDLESS else 499)
    assert line.get("attempts") == (None if command == "hang" else 1)
    assert run(d, "nocall").status == 400, "the next one is served"


def test_what_the_cli_asks_is_listed_beside_its_client(cli, sim):
    """Under the same id, and with no client: it is a job's token that opens the inner listener."""
    sim.script("*: hang")
    d = cli()
    with send(d, "Hi"):
        wait.until("the upstream request", lambda: sim.count() == 1)
        outer, asked = json.loads(d.ask("GET", "/admin/requests", token="ADMIN").body)["requests"]
        assert (outer["route"], outer["client"], outer["key"]) == ("/run-gemini", MASKS["TOKENMASK"], None)
        assert (asked["id"], asked["client"]) == (outer["id"], None)
        assert asked["route"] == "/v1beta/models/" and asked["key"] in MASKS.values() and asked["attempts"] == 1
        assert outer["state"] == asked["state"] == "attempting"


# --- much output ---


def test_big_answer(cli):
    text = "".join(f"{i:05d}" * 12000 for i in range(100))
    d = cli()
    assert json.loads(run(d, "big").body)["stdout"] == text
    *pieces, last = events_of(run(d, "big", stream=True).body)
    assert "".join(p["stdout"] for p in pieces) == text == last["stdout"]


def test_slow_reader_gets_everything(cli):
    with send(cli(), "big", stream=True, receive_buffer=8192) as c:
        *pieces, last = events_of(c.read().body)
    assert len(pieces) == 100 and last["success"]


def test_slow_reader_stalls_the_runner(cli, records):
    """Output that the client does not read stays in the runner, whose socket is full."""
    d = cli()
    assert run(d, "Hi").status == 200
    before = memory(d)
    said = lambda: max((line["said"] for line in records()[-1].lines if "said" in line), default=-1)

    def stalled():
        first, end = said(), time.monotonic() + 0.3
        wait.until("a moment to pass", lambda: time.monotonic() > end)
        return first if first == said() > 0 else None

    with send(d, "flood", stream=True, receive_buffer=8192) as c:
        c.read_until(b'"stdout"')
        n = wait.until("the runner to stall", stalled)
        assert n * 60000 < 16 << 20
        assert house.SANITIZED or memory(d) - before < 16 << 20
    gone(records)


def test_answer_without_a_bound(cli, records):
    """Not streamed it is collected, up to a ceiling."""
    d = cli()
    a = run(d, "flood")
    assert a.status == 502 and "larger" in error_of(a)["message"], a.body[:300]
    gone(records)


# --- what is visible while it runs ---


def test_a_job_is_one_request(cli, sim, manager, records):
    """What its CLI asks is not another one."""
    sim.script("*: hang")
    d = cli(NOTIFY_SOCKET=manager.path)
    with send(d, "Hi"), send(d, "hang"):
        wait.until("the upstream request", lambda: sim.count() == 1)
        manager.wait_status("2 of 2 keys usable, 2 requests open, 2 requests today")
    manager.wait_status("2 of 2 keys usable, 0 requests open, 2 requests today")
    gone(records)


# --- the queue ---


def test_queue_keeps_the_order(cli, sim, records):
    sim.script('*: text "Hello." delay=50ms')
    d = cli(CLI_MAX_JOBS="1")
    held = send(d, "hang first")
    wait.until("the first job", lambda: jobs(records))
    others = []
    for i in range(4):
        others.append(send(d, f"number {i}"))
        wait_queued(d)
    assert len(records()) == 1, "no runner for those who wait"
    held.close()
    assert [c.read().status for c in others] == [200] * 4
    assert [p for p in jobs(records) if p.startswith("number")] == [f"number {i}" for i in range(4)]


def test_as_many_as_may_run(cli, records):
    d = cli(CLI_MAX_JOBS="3")
    held = [send(d, f"hang {i}") for i in range(5)]
    wait.until("three jobs", lambda: len(jobs(records)) == 3)
    wait_queued(d)
    assert len(jobs(records)) == 3
    held[0].close()
    held[1].close()
    wait.until("the others", lambda: len(jobs(records)) == 5)
    for c in held:
        c.close()
    gone(records)


@pytest.mark.parametrize("stream", [False, True])
def test_queue_wait(cli, records, stream):
    d = cli(CLI_MAX_JOBS="1", CLI_QUEUE_WAIT="1200ms")
    with send(d, "hang"):
        wait.until("the job", lambda: jobs(records))
        at = time.monotonic()
        a = run(d, "Hi", stream=stream)
        assert time.monotonic() - at >= 1.2
        assert a.status == 429 and a.header("Retry-After") == "2", a.head
        error = error_of(a)
        assert "CLI_MAX_JOBS" in error["message"] and error["code"] == "rate_limit_exceeded"
    gone(records)


def test_no_queue(cli, records):
    d = cli(CLI_MAX_JOBS="1", CLI_QUEUE_WAIT="0")
    with send(d, "hang"):
        wait.until("the job", lambda: jobs(records))
        for _ in range(3):
            a = run(d, "Hi")
            assert a.status == 429 and int(a.header("Retry-After")) >= 1
        line = line_of(d)
        assert line["verdict"] == "cli" and line["cause"].endswith("(CLI_MAX_JOBS) are busy")
    gone(records)
    assert run(d, "Hi").status == 200


def test_no_queue_but_seats(cli, sim):
    """Those that come at the same moment need no queue where there are seats for them."""
    sim.script('*: text "Hello."')
    d = cli(CLI_MAX_JOBS="4", CLI_QUEUE_WAIT="0")
    assert d.ask("GET", "/health").status == 200
    d.process.signal(signal.SIGSTOP)
    at_once = [send(d, "Hi") for _ in range(4)]
    d.process.signal(signal.SIGCONT)
    assert [c.read().status for c in at_once] == [200] * 4


def test_hang_up_in_the_queue(cli, records):
    d = cli(CLI_MAX_JOBS="1")
    held = send(d, "hang")
    wait.until("the first job", lambda: jobs(records))
    gone_one, last = send(d, "gone"), None
    wait_queued(d)
    last = send(d, "nocall")
    wait_queued(d)
    gone_one.close()
    d.wait_log("its line", lambda e: e.get("status") == 499)
    held.close()
    assert last.read().status == 400
    assert jobs(records) == ["hang", "nocall"]


def test_queue_has_an_end(cli, records):
    """More than 256 are not kept."""
    d = cli(CLI_MAX_JOBS="1")
    held = send(d, "hang")
    wait.until("the first job", lambda: jobs(records))
    queued = [send(d, "Hi") for _ in range(256)]
    wait_queued(d)
    assert run(d, "Hi").status == 429
    for c in [held, *queued]:
        c.close()
    gone(records)


# --- started ahead ---


def test_warm_after_the_first_use(cli, sim, records, waiting):
    """None at first, then CLI_WARM processes; each is used once, and another takes its place."""
    sim.script('*: text "Hello."')
    d = cli(CLI_WARM="2")
    assert d.chat().status == 200 and d.ask("GET", "/health").status == 200
    assert records() == []
    assert run(d, "one").status == 200
    first = wait.until("two that wait", lambda: len(w := waiting()) == 2 and [r.pid for r in w])
    assert run(d, "two").status == 200
    used = next(r for r in records() if r.find("job") == {"prompt": "two"})
    assert used.pid in first
    second = wait.until("two again", lambda: len(w := waiting()) == 2 and {r.pid for r in w} - set(first) and [r.pid for r in w])
    assert used.pid not in second and set(first) & set(second)
    assert len(records()) == 4


def test_no_warm_ones(cli, records, waiting):
    d = cli(CLI_WARM="0")
    assert run(d, "Hi").status == 200
    gone(records)
    assert len(records()) == 1


def children(d):
    with open(f"/proc/{d.process.pid}/task/{d.process.pid}/children") as f:
        return f.read().split()


def test_nothing_is_started_while_one_waits(cli, sim, waiting, records):
    """A CLI that starts takes the CPU from the one that is asked for; once that one speaks, there is time."""
    d = cli(CLI_WARM="1")
    assert run(d, "Hi").status == 200
    wait.until("one that waits", waiting)
    sim.script('body="slow" : hang\n*: text "a b" chunks=2 hang after=1')
    with send(d, "slow"), send(d, "Hi", stream=True) as other:
        other.read_until(b'"stdout"')
        wait_queued(d)
        assert len(children(d)) == 2
        with send(d, "hang"):
            wait_queued(d)
            assert len(children(d)) == 3
    wait.until("one that waits", waiting)


def test_warm_token_opens_nothing(cli, sim, waiting):
    """Not before it has a job."""
    d = cli(CLI_WARM="1")
    assert run(d, "Hi").status == 200
    [r] = wait.until("one that waits", waiting)
    assert inner(r, r.find("start")["token"]) == 401
    assert sim.count() == 1


def test_warm_of_the_dialogue_kind(cli, sim, records, waiting):
    """After a dialogue those that wait take one; a job without one fits them too."""
    sim.script('*: text "Hello."')
    d = cli(CLI_WARM="1")
    assert run(d, "one").status == 200
    [plain] = wait.until("one that waits", waiting)
    assert plain.find("start")["dialogue"] is False
    messages = [{"role": r, "content": "a"} for r in ("user", "assistant", "user")]
    assert d.ask("POST", "/v1/chat/completions", body=chat_with(messages=messages)).status == 200
    [other] = wait.until("one of the other kind", lambda: [r for r in waiting() if r.find("start")["dialogue"]])
    wait.until("the end of the one that does not fit", lambda: not plain.lives)
    assert plain.find("job") is None
    assert run(d, "two").status == 200
    assert next(r.pid for r in records() if r.find("job") == {"prompt": "two"}) == other.pid


def test_warm_one_that_went_is_not_missed(cli, sim, waiting):
    sim.script('*: text "Hello."')
    d = cli(CLI_WARM="1")
    assert run(d, "one").status == 200
    [r] = wait.until("one that waits", waiting)
    os.kill(r.pid, signal.SIGKILL)
    wait.until("its end", lambda: not r.lives)
    assert run(d, "two").status == 200
    wait.until("one that waits", lambda: [w for w in waiting() if w.pid != r.pid])


def test_warm_ones_of_another_cli_are_dropped(reloaded, sim, tmp_path, waiting, records):
    """CLI_PATH is another after a reload: those of the old one go, and the new ones are of the new one."""
    sim.script('*: text "Hello."')
    reloaded.set(CLI_WARM="1")
    reloaded.reload()
    assert run(reloaded, "one").status == 200
    [old] = wait.until("one that waits", waiting)
    other = install(tmp_path, "other", "0.61.0")
    reloaded.set(CLI_PATH=other)
    reloaded.reload()
    wait.until("the end of the old one", lambda: not old.lives)
    [new] = wait.until("a new one", waiting)
    assert f"--cli={other}" in new.find("argv"), "it was started at once, and as another"
    assert run(reloaded, "two").status == 200
    assert next(r.pid for r in records() if r.find("job") == {"prompt": "two"}) == new.pid


def test_fewer_warm_ones_after_a_reload(reloaded, waiting, records):
    reloaded.set(CLI_WARM="3")
    reloaded.reload()
    assert run(reloaded, "Hi").status == 200
    wait.until("three that wait", lambda: len(waiting()) == 3)
    reloaded.set(CLI_WARM="1")
    reloaded.reload()
    wait.until("one that waits", lambda: len(waiting()) == 1)
    reloaded.set(CLI_WARM="0")
    reloaded.reload()
    gone(records)


def test_drain_starts_nothing(cli, sim, records, waiting):
    """Processes started in advance would not be needed."""
    d = cli(CLI_WARM="1")
    assert run(d, "Hi").status == 200
    wait.until("one that waits", waiting)
    sim.script('*: text "a b" delay=300ms')
    with send(d, "two", stream=True) as c:
        wait.until("its job", lambda: "two" in jobs(records))
        d.interrupt()
        assert c.read().complete
    assert d.process.wait() == 0
    assert [r.find("job") for r in records()] == [{"prompt": "Hi"}, {"prompt": "two"}]


# --- the end of the daemon ---


def test_sigterm_finishes_the_job(cli, sim, records, waiting, tmp_path):
    sim.script('*: text "a b c d e f" chunks=6 pace=60ms')
    d = cli(CLI_WARM="1")
    assert run(d, "Hi").status == 200
    wait.until("one that waits", waiting)
    with send(d, "Hi", stream=True) as c:
        c.read_until(b'"stdout"')
        d.interrupt()
        *pieces, last = events_of(c.read_body("POST").body)
        assert last["stdout"] == "a b c d e f" and last["success"]
    assert d.process.wait() == 0
    gone(records)
    assert not list(tmp_path.glob("gemgate-job-*"))


def test_sigterm_with_jobs_in_the_queue(cli, sim, records):
    """They are under way, too."""
    sim.script('*: text "Hello." delay=200ms')
    d = cli(CLI_MAX_JOBS="1")
    all_ = [send(d, f"Hi {i}") for i in range(3)]
    wait.until("the first job", lambda: jobs(records))
    wait_queued(d)
    d.interrupt()
    assert [c.read().status for c in all_] == [200] * 3
    assert d.process.wait() == 0


def test_drain_timeout_ends_the_job(cli, records, tmp_path):
    d = cli(DRAIN_TIMEOUT="200ms", CLI_WARM="1")
    with send(d, "hang"):
        wait.until("the job", lambda: jobs(records))
        d.interrupt()
        assert d.process.wait() == 0
    gone(records)
    assert not list(tmp_path.glob("gemgate-job-*"))


def test_sigkill_ends_the_jobs(cli, records, waiting):
    """The daemon cannot do anything any more: the runners see that it hung up."""
    d = cli(CLI_WARM="1")
    assert run(d, "Hi").status == 200
    wait.until("one that waits", waiting)
    with send(d, "hang"):
        wait.until("the job", lambda: "hang" in jobs(records))
        d.process.kill()
    gone(records)


# --- tokens and the inner socket ---


def test_what_a_job_token_opens(cli, sim):
    """The three native methods, whatever model they name: it is the job's that is asked. Nothing else."""
    sim.script('method=count : default\n*: text "Hello."')
    told = dict(line.split(" ") for line in json.loads(run(cli(), "other").body)["stdout"].splitlines())
    assert told == {
        "/v1beta/models/another-model:generateContent": "200",
        "/v1beta/models/x:countTokens": "200",
        "/v1beta/models/x:embedContent": "404",
        "/v1/chat/completions": "404",
        "/stats": "404",
        "/health": "404",
        "/v1beta/models/x:generateContent": "401",
    }
    assert {r.target.split("/")[-1].split(":")[0] for r in sim.requests()} == {MODEL}


def test_who_is_refused_at_the_inner_socket(cli, records):
    d = cli()
    with send(d, "hang"):
        [r] = wait.until("the job", lambda: [r for r in records() if r.find("job")])
        for token in (SECRETS["TOKEN"], SECRETS["ADMIN"], "wrong", r.find("start")["token"][:-1], None):
            for target in (f"/v1beta/models/{MODEL}:generateContent", "/health", "/stats", "/v1/models", "/", "/run-gemini"):
                assert inner(r, token, target) == 401
        assert inner(r, f"Bearer {r.find('start')['token']}", header="Authorization") == 200
        assert inner(r, r.find("start")["token"], f"/v1beta/models/{MODEL}") == 404


def test_a_job_token_is_good_nowhere_else(cli, records):
    d = cli(unix=True)
    with send(d, "hang"):
        [r] = wait.until("the job", lambda: [r for r in records() if r.find("job")])
        for where in (d.address, d.unix):
            for method, target in (("GET", "/v1/models"), ("GET", "/stats"), ("POST", "/run-gemini"),
                                   ("POST", f"/v1beta/models/{MODEL}:generateContent")):
                a = d.ask(method, target, [("x-goog-api-key", r.find("start")["token"])], b"{}", token=None, where=where)
                assert a.status in (401, 403), target


def test_a_job_token_ends_with_the_job(cli, sim, records):
    d = cli()
    assert run(d, "after").status == 200
    assert wait.until("its word", lambda: records()[0].find("after")) == 401
    assert sim.count() == 1


def test_tokens_are_never_the_same(cli, sim, records):
    d = cli(CLI_WARM="1")
    for _ in range(5):
        assert run(d, "Hi").status == 200
    tokens = [r.find("start")["token"] for r in records() if r.find("start")]
    assert len(tokens) >= 5 and len(set(tokens)) == len(tokens) and all(len(t) >= 32 for t in tokens)


def test_the_inner_socket(cli, tmp_path):
    """In a directory that only we can look into, and gone afterwards."""
    d = cli()
    assert run(d, "Hi").status == 200
    [folder] = tmp_path.glob("gemgate-job-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    d.process.stop()
    assert not folder.exists()


def test_left_by_a_killed_daemon(cli, tmp_path):
    """The directory of its inner socket; not one with a listener, one that is new, or one with other files."""
    d = cli()
    assert run(d, "Hi").status == 200
    [left] = tmp_path.glob("gemgate-job-*")
    d.process.kill()
    assert left.exists()
    names = "empty", "listened", "young", "full"
    folders = {n: tmp_path / f"gemgate-job-{n:A<6.6}" for n in names}
    for f in folders.values():
        f.mkdir(0o700)
    (tmp_path / "gemgate-job-link42").symlink_to(folders["full"])
    (folders["full"] / "something").touch()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folders["listened"] / "api.sock"))
        listening.listen()
        for f in [left, *folders.values()]:
            if f != folders["young"]:
                os.utime(f, (1, 1))
        d = cli()
        assert run(d, "Hi").status == 200
    assert not left.exists() and not folders["empty"].exists()
    assert folders["listened"].exists() and folders["young"].exists() and (folders["full"] / "something").exists()
    assert (tmp_path / "gemgate-job-link42").is_symlink()


# --- how a runner is started ---


def test_what_a_runner_inherits(cli, records):
    """Its socket and the daemon's output; no other descriptor, no blocked signal, and a separate process group."""
    d = cli()
    assert run(d, "Hi").status == 200
    [r] = records()
    assert r.find("group") == r.pid
    assert int(r.find("masks")["SigBlk"], 16) == 0
    ignored = {n for n in range(1, 65) if int(r.find("masks")["SigIgn"], 16) >> (n - 1) & 1}
    assert ignored <= {signal.SIGPIPE, signal.SIGXFSZ, 32, 33}, "those of the interpreter and of glibc"
    assert set(r.find("open_fds")) - {0, 1, 2} <= {3, 4}, "the runner's own two files are open"


class Unit:
    """gemgate-runner.socket with its Accept=yes, as the daemon sees it."""

    def __init__(self, folder, runner, upstream):
        self.path = str(folder / "runner.sock")
        self.listener = process.listen_unix(self.path)
        self.command = [runner, "--cli=none", f"--upstream={upstream}", "--told=unit"]
        self.folder = folder
        self.children = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            env = {"TMPDIR": str(self.folder)}
            self.children.append(subprocess.Popen(self.command, stdin=peer, env=env))
            peer.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for c in self.children:
            c.wait(wait.DEADLINE)


def test_runners_of_systemd(start, settings, sim, tmp_path):
    """Both sockets are systemd's: that of the runners, and the inner one, passed as `job`; the daemon starts nothing."""
    sim.script('*: text "Hello." chunks=2')
    job, tcp = tmp_path / "job.sock", process.listen_tcp()
    u = Unit(tmp_path, settings["CLI_RUNNER"], job)
    address = tcp.getsockname()
    d = start(sockets=[("http", tcp), ("job", process.listen_unix(job))],
              **settings | {"CLI_RUNNER": f"unix:{u.path}", "CLI_WARM": "1"})
    d.address = address
    for _ in range(3):
        a = run(d, "Hi")
        assert a.status == 200 and json.loads(a.body)["stdout"] == "Hello.", a.body
    assert health(d)["isolation"] == "unit"
    assert children(d) == []
    assert not list(tmp_path.glob("gemgate-job-*"))
    d.process.stop()
    u.close()
    assert job.exists(), "it is not ours to remove"


def test_socket_of_runners_is_full(start, settings, tmp_path):
    """Who has no room for another is not waited for."""
    tcp, listener = process.listen_tcp(), socket.socket(socket.AF_UNIX)
    address = tcp.getsockname()
    listener.bind(str(tmp_path / "runner.sock"))
    listener.listen(0)
    d = start(sockets=[("http", tcp), ("job", process.listen_unix(tmp_path / "job.sock"))],
              **settings | {"CLI_RUNNER": f"unix:{tmp_path}/runner.sock"})
    d.address = address
    with send(d, "Hi"):
        wait_queued(d)
        for _ in range(2):
            a = run(d, "Hi")
            assert a.status == 503 and "temporarily unavailable" in error_of(a)["message"], a.body
    listener.close()


# --- where the CLI is, and what is shown of it ---


def health(d):
    return json.loads(d.ask("GET", "/health").body)


def test_health(cli, tmp_path, special):
    path = install(tmp_path, "versioned", "0.61.0")
    d = cli(CLI_PATH=path, CLI_RUNNER=special("usual", **{"told": "namespaces"}))
    h = health(d)
    assert h["gemini_cli_available"] is True and h["gemini_cli_version"] == "0.61.0" and h["isolation"] == "unknown"
    assert run(d, "Hi").status == 200
    assert health(d)["isolation"] == "namespaces"
    d.wait_log("the word of it", lambda e: e["level"] == "info" and "namespaces" in e["message"])
    stranger = json.loads(d.ask("GET", "/health", token=None).body)
    assert stranger["gemini_cli_available"] is True
    assert not {"gemini_cli_version", "isolation"} & stranger.keys()


def test_isolation_is_warned_of(cli):
    d = cli()
    assert run(d, "Hi").status == 200 and run(d, "Hi").status == 200
    d.wait_log("the warning", lambda e: e["level"] == "warning" and "process" in e["message"])
    assert len([e for e in d.log() if "isolation: process" in e["message"]]) == 1


def test_no_cli(cli, tmp_path, records):
    """503 with advice, on every way to it."""
    for path in (str(tmp_path / "none"), "no-such-gemini"):
        d = cli(CLI_PATH=path)
        for a in (run(d, "Hi"), run(d, "Hi", stream=True), d.chat(model="cli/" + MODEL)):
            assert a.status == 503, a.body
            message = error_of(a)["message"]
            assert path in message and "install-gemini-cli" in message
        line = line_of(d)
        assert line["verdict"] == line["verdicts"] == "cli" and "attempts" not in line
        assert line["cause"].startswith(f"The Gemini CLI is not installed here (CLI_PATH={path})")
        assert f": cli ({line['cause']})" in line["message"]
        assert line_of(d, "openai-chat")["verdict"] == "cli"
        h = health(d)
        assert h["gemini_cli_available"] is False and "gemini_cli_version" not in h and h["isolation"] == "none"
        assert d.chat().status == 200
    assert records() == []


def test_cli_that_comes_later(cli, sim, tmp_path):
    """No restart is needed, and no reload."""
    path = tmp_path / "later" / "bundle" / "gemini.js"
    d = cli(CLI_PATH=str(path))
    assert run(d, "Hi").status == 503 and health(d)["gemini_cli_available"] is False
    assert install(tmp_path, "later", "0.62.0") == str(path)
    wait.until("the health to tell it", lambda: health(d)["gemini_cli_available"])
    assert health(d)["gemini_cli_version"] == "0.62.0"
    assert run(d, "Hi").status == 200
    path.unlink()
    assert run(d, "Hi").status == 503


def test_cli_in_path(cli, tmp_path):
    """A bare name is looked for, and links are followed to its package."""
    real = install(tmp_path, "package", "0.61.1")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "my-gemini").symlink_to(real)
    d = cli(CLI_PATH="my-gemini", PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert health(d)["gemini_cli_version"] == "0.61.1"
    assert run(d, "Hi").status == 200


def test_reload_changes_the_settings(reloaded, records, tmp_path):
    d = reloaded
    d.set(CLI_TIMEOUT="300ms")
    d.reload()
    assert run(d, "hang").status == 504  # on a busy machine before the runner has read its job
    d.set(CLI_TIMEOUT="900s", CLI_MAX_JOBS="1", CLI_QUEUE_WAIT="0")
    d.reload()
    with send(d, "hang again"):
        wait.until("the job", lambda: "hang again" in jobs(records))
        assert run(d, "Hi").status == 429
        d.set(CLI_MAX_JOBS="2")
        d.reload()
        assert run(d, "Hi").status == 200
    assert health(d)["isolation"] == "process"
    d.set(CLI_RUNNER=str(tmp_path / "none"))
    d.reload()
    assert health(d)["isolation"] == "unknown"
    assert run(d, "Hi").status == 503


def test_more_seats_after_a_reload(reloaded, records):
    """Those in the queue need not wait for the end of another."""
    d = reloaded
    d.set(CLI_MAX_JOBS="1")
    d.reload()
    with send(d, "hang"), send(d, "nocall") as second:
        wait.until("the job", lambda: jobs(records))
        wait_queued(d)
        d.set(CLI_MAX_JOBS="2")
        d.reload()
        assert second.read().status == 400


# --- secrets ---


def test_the_runner_gets_no_secret(cli, sim, records):
    """Its environment is two variables; no key and no client's token is in anything that it gets."""
    sim.script(f'key={SECRETS["KEY1"]} : error invalid_key\n*: text "Hello."')
    d = cli(CLI_WARM="1")
    for command in ("Hi", "odd", "other", "crash", "retire"):
        run(d, command)
    for r in records():
        if not r.find("start"):
            continue
        assert not leaked(json.dumps(r.lines)), r.lines
        assert r.find("environment").keys() - {"LC_CTYPE"} == {"PATH", "TMPDIR"}
        assert not r.find("start")["token"] in json.dumps(r.find("argv"))
    told = d.process.said()
    assert not any(r.find("start")["token"] in told for r in records() if r.find("start"))


def test_a_quoted_key_is_covered(cli, sim):
    """The CLI quotes upstream errors, and its standard error goes to the client."""
    sim.script(f'*: error invalid_argument message="about {SECRETS["KEY1"]}"')
    a = run(cli(), "Hi")
    assert a.status == 400 and not leaked(a.body)
