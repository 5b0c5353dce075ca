# SPDX-License-Identifier: MIT
"""What is kept over restarts: counters, cooldowns, what an administrator disabled; kill -9 at any moment; and a file that
is broken, foreign, out of reach or too small for what is to be written, which never keeps the daemon from serving.

STATE_KILLS is how often a daemon is killed under load (200).
"""
import concurrent.futures
import contextlib
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

import wait
from house import BUILD, MASKS, SECRETS, Daemon
from simulator import Simulator
from test_reload import Configured

KILLS = int(os.environ.get("STATE_KILLS", "200"))
LANES = 8  # so many daemons die side by side
MODEL = "gemini-3.8-flash"
MODELS = [f"sim-{i}" for i in range(30)]
KEYS = json.dumps(
    [
        {"key": SECRETS["KEY1"], "name": "one"},
        {"key": SECRETS["KEY2"], "name": "two", "project": "p"},
        {"key": SECRETS["KEY3"], "name": "three", "project": "p"},
    ]
)


class Kept:
    """Daemons one after the other, with the same file."""

    def __init__(self, sim, folder, settings):
        self.sim, self.folder = sim, folder
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        self.file = self.state / "state.db"
        self.settings = {"API_KEYS": KEYS, "STATE_DIRECTORY": str(self.state)} | settings
        self.daemon = None
        self.n = 0

    def start(self, **settings):
        self.n += 1
        folder = self.folder / str(self.n)
        folder.mkdir()
        env = {k: v for k, v in (self.settings | settings).items() if v is not None}
        self.daemon = Daemon(folder, self.sim, env)
        assert self.daemon.ask("GET", "/health").status == 200
        return self.daemon

    def stop(self):
        self.daemon.process.stop()

    def kill(self):
        self.daemon.process.signal(signal.SIGKILL)
        assert self.daemon.process.wait() == -signal.SIGKILL

    def restart(self, **settings):
        self.stop()
        return self.start(**settings)

    def stats(self, query=""):
        answer = self.daemon.ask("GET", "/stats" + query, token="ADMIN")
        assert answer.status == 200
        stats = json.loads(answer.body)
        del stats["load_balancing"]
        return stats

    def total(self):
        return self.stats()["global_summary"]["total_requests_all_time"]

    def seen(self):
        """How many requests Gemini has had: the log of the simulator has an end."""
        return json.loads(self.sim.control("GET", "/sim/status"))["total"]

    def rows(self, sql):
        db = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=wait.DEADLINE)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def warnings(self):
        said = [e["message"] for e in self.daemon.log() if e["level"] == "warning"]
        return [m for m in said if m.startswith("STATE_URL: ")]


@pytest.fixture
def kept(sim, tmp_path):
    made = []

    def make(**settings):
        k = Kept(sim, tmp_path, settings)
        made.append(k)
        return k

    yield make
    for k in made:
        if k.daemon and k.daemon.process.status is None:
            k.stop()


# --- a restart ---

SCRIPTS = {
    "nothing is wrong": '*: text "Hello."',
    "a day's quota is spent": "*: error rpd",
    "a minute's quota is spent": "*: error rpm",
    "keys are dead": "*: error invalid_key",
    "projects are suspended": "*: error suspended",
    "Gemini is overloaded": "*: error overloaded",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_restart_keeps_everything(sim, kept, script):
    """/stats after the restart is /stats before it, and what was cooling is not asked."""
    k = kept()
    k.start()
    for _ in range(3):
        k.daemon.chat()
    sim.script(script)
    for _ in range(3):
        k.daemon.chat(model="gemini-3.8-pro")
    before = k.stats("?days=3")
    assert before["global_summary"]["total_requests_all_time"] > 3
    seen = sim.count()
    k.restart()
    assert k.stats("?days=3") == before
    if "text" not in script and "overloaded" not in script:
        assert k.daemon.chat(model="gemini-3.8-pro").status in (429, 503)
        assert sim.count() == seen
    assert k.warnings() == []


def test_restart_keeps_what_was_learned(sim, kept):
    """Learned projects and ceilings."""

    def known():
        answer = k.daemon.ask("GET", f"/explain?model={MODEL}", token="ADMIN")
        assert answer.status == 200
        ceilings = {e["name"]: e["ceilings"]["rpd"] for e in json.loads(answer.body)["keys"]}
        return ceilings, {e["name"]: e["project"] for e in json.loads(answer.body)["keys"]}

    k = kept(API_KEYS=json.dumps([{"key": SECRETS[n], "name": n} for n in ("KEY1", "KEY2")]))
    k.start()
    k.daemon.chat()
    sim.script("*: error rpd quota=20")
    k.daemon.chat()
    sim.script("*: error suspended")
    k.daemon.chat(model="gemini-3.8-pro")
    ceilings, projects = before = known()
    assert projects == {"KEY1": "projects/12345678", "KEY2": "projects/12345678"}
    assert ceilings["KEY1"] == ceilings["KEY2"] == {"limit": 20, "used": 1, "known": "learned"}
    seen = sim.count()
    for _ in range(2):
        k.restart()
        assert known() == before
    assert k.daemon.chat().status in (429, 503)
    assert sim.count() == seen
    assert k.warnings() == []


def test_restart_goes_on_counting(kept):
    k = kept()
    for i in range(3):
        k.start()
        assert k.total() == 2 * i
        k.daemon.chat()
        k.daemon.chat()
        days = k.stats("?days=1")["days"]
        assert len(days) == 1 and days[0]["requests"] == 2 * (i + 1)
        assert days[0]["models"][MODEL]["requests"] == 2 * (i + 1)
        k.stop()


def test_days_are_told_when_asked_for(kept):
    k = kept()
    k.start()
    assert "days" not in k.stats()
    assert k.stats("?days=1")["days"] == []
    for wrong in ("0", "-1", "x", ""):
        answer = k.daemon.ask("GET", f"/stats?days={wrong}", token="ADMIN")
        assert answer.status == 400 and b'"days"' in answer.body


def test_file_is_private(kept):
    k = kept()
    k.start()
    k.daemon.chat()
    wait.until("the row", lambda: k.rows("SELECT * FROM keys"))
    names = sorted(p.name for p in k.state.iterdir())
    assert names == ["state.db", "state.db-lock", "state.db-shm", "state.db-wal"]
    for p in k.state.iterdir():
        assert p.stat().st_mode & 0o7777 == 0o600, p
        data = p.read_bytes()
        for name, secret in SECRETS.items():
            assert secret[4:16].encode() not in data, f"{name} in {p.name}"
    k.stop()
    assert sorted(p.name for p in k.state.iterdir()) == ["state.db", "state.db-lock"]


@pytest.mark.parametrize(
    "settings,made",
    [
        ({}, "state.db"),
        ({"STATE_URL": "auto"}, "state.db"),
        ({"STATE_URL": "memory:"}, None),
        ({"STATE_URL": "sqlite:{state}/other"}, "other"),
        ({"STATE_URL": "sqlite:{state}/other", "STATE_DIRECTORY": None}, "other"),
        ({"STATE_DIRECTORY": None}, None),
        ({"STATE_DIRECTORY": "{state}:/var/lib/x"}, "state.db"),
    ],
)
def test_where_it_is(kept, settings, made):
    k = kept()
    k.start(**{n: v and v.format(state=k.state) for n, v in settings.items()})
    assert k.daemon.chat().status == 200
    k.stop()
    assert [p.name for p in k.state.iterdir() if "-" not in p.name] == ([made] if made else [])


# --- keys ---


def gemgatectl(*arguments, path):
    r = subprocess.run([BUILD / "src" / "gemgatectl", f"--socket={path}", *arguments], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr


def test_disabled_stays_disabled(sim, kept):
    """By an administrator, until an administrator or the configuration changes it."""
    k = kept()
    socket = k.folder / "bus"
    k.settings["CONTROL_SOCKET"] = str(socket)
    both = json.dumps([{"key": SECRETS["KEY1"], "name": "one"}, {"key": SECRETS["KEY2"], "name": "two"}])
    off = json.dumps([{"key": SECRETS["KEY1"], "name": "one", "disabled": True}, {"key": SECRETS["KEY2"], "name": "two"}])
    k.settings["API_KEYS"] = both

    def used():
        before = sim.count()
        for _ in range(4):
            assert k.daemon.chat().status == 200
        return sorted({r.key for r in sim.requests()[before:]})

    one, two = SECRETS["KEY1"], SECRETS["KEY2"]
    k.start()
    gemgatectl("disable", "one", path=socket)
    assert used() == [two]
    wait.until("the row", lambda: k.rows("SELECT * FROM keys WHERE disabled"))
    k.kill()
    k.start()
    assert used() == [two]
    k.restart(API_KEYS=off)  # the configuration now has the same value, and decides from here on
    assert used() == [two]
    k.restart(API_KEYS=both)
    assert one in used()
    gemgatectl("disable", "one", path=socket)
    k.restart()
    assert used() == [two]
    gemgatectl("enable", "one", path=socket)
    k.restart()
    assert one in used()


def lines_of_reading(d):
    return [e["level"] for e in d.log() if e["message"].startswith("state of ")]


def test_key_that_comes_back(sim, tmp_path):
    """By a reload, with what it had; what is not configured counts in the total."""
    with Configured(tmp_path, sim, {"STATE_URL": f"sqlite:{tmp_path}/state.db", "LOG_LEVEL": "DEBUG"}) as d:
        for _ in range(6):
            assert d.chat().status == 200
        before = d.stats()
        d.keys("KEY2")
        d.expect(0, 1, 1)
        assert list(d.stats()) == [MASKS["MASK2"]]
        d.keys("KEY1", "KEY2")
        d.expect(1, 0, 1)
        wait.until("the rows of the new key", lambda: d.stats() == before)  # the reload does not wait for the disk
        wait.until("the lines about it", lambda: len(lines_of_reading(d)) == 2)
        assert lines_of_reading(d) == ["info", "debug"]  # a start has one; reloads may be many


# --- kill -9 ---


class Client(threading.Thread):
    """One of several that ask without a pause, until the daemon is gone."""

    def __init__(self, daemon, sent):
        super().__init__(daemon=True)
        self.server, self.sent, self.longest = daemon, sent, 0.0

    def run(self):
        try:
            while True:
                began = time.monotonic()
                self.sent.append(began)
                self.server.chat(model=MODELS[len(self.sent) % len(MODELS)])
                self.longest = max(self.longest, time.monotonic() - began)
        except (OSError, EOFError, AssertionError, ValueError):
            pass


def die_under_load(k, deaths, chance):
    """Of what Gemini has counted, at most the last second is missing, nothing is there twice, and no half of a batch."""
    threads = 2
    k.start()
    total, upstream = 0, k.seen()
    for _ in range(deaths):
        sent = []
        clients = [Client(k.daemon, sent) for _ in range(threads)]
        for c in clients:
            c.start()
        assert not k.daemon.process.ended(chance.uniform(0.05, 3)), k.daemon.process.said()
        killed = time.monotonic()
        k.kill()
        for c in clients:
            c.join(wait.DEADLINE)
        k.start()
        stats = k.stats("?days=2")
        now = stats["global_summary"]["total_requests_all_time"]
        counted, seen = now - total, k.seen() - upstream
        # A machine that lets a request of a millisecond wait lets the thread that writes wait, too.
        second = 1.5 + 10 * max(c.longest for c in clients)
        recent = sum(at > killed - second for at in sent)
        assert seen - recent <= counted <= seen + threads, (counted, seen, recent)
        for part in ("api_key_stats", "model_summary"):
            assert sum(e["total_requests"] for e in stats[part].values()) == now, part
        assert sum(d["requests"] for d in stats["days"]) == now
        total, upstream = now, k.seen()
    assert k.warnings() == []
    k.stop()
    return total


def test_kill_under_load(tmp_path):
    """However often, at any moment. Several daemons run side by side, each with its own simulator: most of the time
    of a run is waiting for its end."""
    chances = [random.Random(20261125 + i) for i in range(LANES)]
    with contextlib.ExitStack() as stack:
        if os.path.isdir("/dev/shm"):  # with a disk that is never slow
            tmp_path = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm")))
        lanes = []
        for i in range(LANES):
            folder = tmp_path / f"lane-{i}"
            folder.mkdir()
            lanes.append(Kept(stack.enter_context(Simulator(folder)), folder, {}))
        with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
            lives = [
                pool.submit(die_under_load, k, KILLS // LANES + (i < KILLS % LANES), chances[i])
                for i, k in enumerate(lanes)
            ]
            concurrent.futures.wait(lives)
        for k in lanes:
            if k.daemon and k.daemon.process.status is None:
                k.daemon.process.kill()
        assert sum(life.result() for life in lives) > KILLS


def test_kill_keeps_cooldowns(sim, kept):
    """A quota that was found spent is known after kill -9, long before the counters' second is over."""
    k = kept(API_KEYS=json.dumps([SECRETS["KEY1"]]))
    k.start()
    sim.script("*: error rpd")
    assert k.daemon.chat().status == 429
    wait.until("the row", lambda: k.rows("SELECT * FROM quotas WHERE until > 0"))
    k.kill()
    seen = sim.count()
    k.start()
    assert k.daemon.chat().status == 429
    assert sim.count() == seen


# --- what may be wrong with it ---


def make_corrupt(path):
    path.write_bytes(b"this is no database" * 1000)


def make_foreign(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE bookmarks (url)")
    db.commit()
    db.close()


def make_newer(path):
    db = sqlite3.connect(path)
    db.executescript("PRAGMA application_id=0x676d6774; PRAGMA user_version=99; CREATE TABLE wings (span)")
    db.close()


@pytest.mark.parametrize("make,why", [(make_corrupt, "corrupt"), (make_foreign, "foreign"), (make_newer, "newer")])
def test_set_aside(kept, make, why):
    k = kept()
    make(k.file)
    before = k.file.read_bytes()
    k.start()
    assert k.daemon.chat().status == 200
    (warning,) = k.warnings()
    assert str(k.file) in warning and f"was {why} and is now state.db.{why}-" in warning
    (aside,) = k.state.glob(f"state.db.{why}-*Z")
    assert aside.read_bytes() == before
    k.restart()
    assert k.total() == 1 and k.warnings() == []


def test_broken_inside(kept):
    """A file that is found to be corrupt while it is read: what came before the fault is not lost."""
    k = kept()
    k.start()
    k.daemon.chat()
    k.stop()
    db = sqlite3.connect(k.file)
    db.executemany("INSERT INTO days VALUES (?, 'a name', 1, 1, 1, 1)", [(20200101 + i,) for i in range(20000)])
    db.commit()
    db.close()
    size = k.file.stat().st_size
    assert size > 50 * 4096
    with open(k.file, "r+b") as f:
        for at in range(size // 2, size, 4096):
            f.seek(at // 4096 * 4096)
            f.write(b"\xee" * 4096)
    k.start()
    assert k.daemon.chat().status == 200
    assert k.total() == 2
    part, aside = k.warnings()
    assert "could be read only in part" in part and "was corrupt and is now state.db.corrupt-" in aside
    k.restart()
    assert k.total() == 2 and k.warnings() == []


def remove(k):
    for path in k.state.glob("state.db*"):
        path.unlink()


def remove_only_the_file(k):
    k.file.unlink()


def replace(k):
    """By a copy of a file that another daemon has written."""
    other = k.folder / "other.db"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE t (a)")
    db.commit()
    db.close()
    os.replace(other, k.file)


@pytest.mark.parametrize("change", [remove, remove_only_the_file, replace])
@pytest.mark.parametrize("later", ["more requests", "a reload", "only the end"])
def test_not_there_any_more(kept, change, later):
    """A file that was removed or replaced while it was open: a new one is made from memory, and nothing is lost."""
    k = kept()
    k.start()
    assert k.daemon.chat().status == 200
    wait.until("the first request to be written", lambda: k.rows("SELECT total FROM total") == [(1,)])
    change(k)
    n = 1
    if later == "more requests":
        for _ in range(3):
            assert k.daemon.chat().status == 200
        n = 4
        wait.until("a warning", lambda: k.warnings())
        assert k.daemon.chat().status == 200
        n = 5
    elif later == "a reload":
        k.daemon.process.signal(signal.SIGHUP)
        wait.until("a warning", lambda: k.warnings())
    k.stop()
    (warning,) = k.warnings()
    if change is replace:
        assert "was replaced and is now state.db.replaced-" in warning and "a new file is in its place" in warning
        (aside,) = k.state.glob("state.db.replaced-*Z")
        assert sqlite3.connect(aside).execute("SELECT name FROM sqlite_schema").fetchall() == [("t",)]
        assert len(list(k.state.glob("state.db.replaced-*"))) == 1  # without the log of the open file
    else:
        assert f"{k.file}: was removed: a new file is in its place" in warning
    k.start()
    assert k.total() == n and k.warnings() == []


def test_lock_file_removed(kept):
    """Without its lock file the state file would be open to a second daemon."""
    k = kept()
    k.start()
    lock = k.state / "state.db-lock"
    lock.unlink()
    assert k.daemon.chat().status == 200
    wait.until("the lock file", lambda: lock.exists() and k.rows("SELECT total FROM total") == [(1,)])


@pytest.mark.parametrize("timeout", ["20s", "1s"])
def test_locked_at_the_end(kept, timeout):
    """A person who writes to the file holds up the end, for DRAIN_TIMEOUT at most."""
    k = kept(DRAIN_TIMEOUT=timeout)
    k.start()
    assert k.daemon.chat().status == 200
    db = sqlite3.connect(k.file, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    k.daemon.process.signal(signal.SIGTERM)
    wait.until("the warning that the file is locked", lambda: k.warnings())
    assert "database is locked" in k.warnings()[0]
    if timeout == "20s":
        assert k.daemon.process.status is None
        db.execute("COMMIT")
    assert k.daemon.process.wait() == 0
    db.close()
    if timeout == "20s":
        assert len(k.warnings()) == 1
        k.start()
        assert k.total() == 1
    else:
        said = [e["message"] for e in k.daemon.log() if e["level"] == "warning"]
        assert "DRAIN_TIMEOUT is over: another process still locks the state file" in said


def test_rows_of_anything(kept):
    """Rows edited by hand do not crash the daemon."""
    k = kept()
    k.start()
    k.daemon.chat()
    k.stop()
    db = sqlite3.connect(k.file)
    db.executescript(
        "UPDATE keys SET total = -1; UPDATE key_models SET today = 'many';"
        "INSERT INTO models VALUES (x'00', 1, 1, 1, 1, 1, 1, 1, 1);"
        "INSERT INTO models VALUES ('a b', 1, 1, 1, 1, 1, 1, 1, 1);"
    )
    db.close()
    k.start()
    assert k.daemon.chat().status == 200
    (warning,) = k.warnings()
    assert warning.endswith(": 4 rows make no sense and were passed over")
    k.stop()
    db = sqlite3.connect(k.file)
    db.execute("DELETE FROM models WHERE model = x'00'")
    db.commit()
    db.close()
    k.start()
    (warning,) = k.warnings()
    assert warning.endswith(": 1 row makes no sense and was passed over")


def test_out_of_reach(kept):
    """There is no such directory, and then there is: what was counted meanwhile is kept."""
    k = kept()
    where = k.state / "not" / "yet"
    k.file = where / "state.db"
    k.settings["STATE_URL"] = f"sqlite:{k.file}"
    k.start()
    assert k.daemon.chat().status == 200
    (warning,) = k.warnings()
    assert str(k.file) in warning and "cannot be opened" in warning and "make its directory" in warning
    where.mkdir(parents=True)
    k.daemon.wait_log("the line that it is over", lambda e: "is written again" in e["message"])
    wait.until("the row", lambda: k.rows("SELECT total FROM total") == [(1,)])
    k.kill()
    k.start()
    assert k.total() == 1


def test_no_room(kept):
    """As on a full disk: no file may grow. The log here is one, so it is given some room."""
    k = kept()
    k.start()
    k.daemon.chat()
    wait.until("the row", lambda: k.rows("SELECT * FROM keys"))
    grown = (k.state / "state.db-wal").stat().st_size
    pid = k.daemon.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (grown, resource.RLIM_INFINITY))
    assert k.daemon.chat().status == 200
    k.daemon.wait_log("the warning", lambda e: "cannot be written" in e["message"])
    assert k.daemon.chat().status == 200
    assert len(k.warnings()) == 1
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    wait.until("the rows", lambda: k.rows("SELECT total FROM total") == [(3,)])
    k.stop()
    k.start()
    assert k.total() == 3


def test_two_of_one_file(kept, sim, tmp_path):
    """Each would undo what the other has counted: the second stays in memory until the first is gone."""
    k = kept()
    first = k.start()
    first.chat()
    second = k.start()
    second.chat()
    (warning,) = k.warnings()
    assert "another gemgated has it" in warning and "each instance" in warning
    first.process.stop()
    second.wait_log("the line that it is over", lambda e: "is written again" in e["message"])
    assert k.total() == 2
    k.restart()
    assert k.total() == 2
