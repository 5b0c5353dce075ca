# SPDX-License-Identifier: MIT
"""LOG_DIR: the content of the log files, and faults of their directory. Days and full disks: tests/unit/test-log-file.c."""
import datetime
import json
import os
import shutil
import signal

import wait
from house import leaked


def files(logs):
    return sorted(f.name for f in logs.iterdir())


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def reload(d):
    n = len([e for e in d.log() if e["message"].startswith("configuration reloaded")])
    d.interrupt(signal.SIGHUP)
    wait.until("the reload", lambda: len([e for e in d.log() if e["message"].startswith("configuration reloaded")]) > n)


def test_the_same_lines(start, tmp_path):
    """The file has what standard output has, to the letter, and nothing of it is lost at the end."""
    logs = tmp_path / "logs"
    d = start(LOG_DIR=logs)
    assert d.chat().status == 200
    d.process.stop()
    days = {datetime.datetime.fromisoformat(e["time"]).astimezone().date().isoformat() for e in d.log()}
    assert files(logs) == [f"gemgate-{day}.log" for day in sorted(days)]
    said = "".join((logs / name).read_text() for name in files(logs))
    assert said == d.process.out.read_text() and '"message":"ended"' in said
    assert not leaked(said) and "AIza****" in said
    assert not d.process.err.read_text()
    for name in files(logs):
        assert (logs / name).stat().st_mode & 0o777 == 0o640


def test_beside_text(start, tmp_path):
    """Whatever is on the terminal, the files are JSON."""
    logs = tmp_path / "logs"
    d = start(LOG_DIR=logs, LOG_FORMAT="text")
    assert d.chat().status == 200
    d.process.stop()
    assert "gemgated: " in d.process.err.read_text() and not d.process.out.read_text()
    assert [e for name in files(logs) for e in lines(logs / name) if e.get("status") == 200]


def test_another_day(start, tmp_path):
    """The day is the local one: two zones of which it is never the same day, and a reload between them."""
    logs, zone = tmp_path / "logs", tmp_path / "zone"
    shutil.copy("/usr/share/zoneinfo/Etc/GMT+12", zone)
    d = start(LOG_DIR=logs, TZ=f":{zone}")
    assert d.chat().status == 200
    shutil.copy("/usr/share/zoneinfo/Etc/GMT-14", tmp_path / "next")
    os.replace(tmp_path / "next", zone)
    reload(d)
    assert d.chat().status == 200
    d.process.stop()
    names = files(logs)
    for name in names:
        for e in lines(logs / name):
            at = datetime.datetime.fromisoformat(e["time"])
            dates = [(at + datetime.timedelta(hours=h)).date().isoformat() for h in (-12, 14)]
            assert name in [f"gemgate-{date}.log" for date in dates], (name, e)
    assert len(names) in (2, 3)  # 3: midnight came by
    for name in (names[0], names[-1]):
        assert [e for e in lines(logs / name) if e.get("dialect") == "openai-chat"], name


def test_moved_away(start, tmp_path):
    """logrotate's way: the file is moved, and a reload lets another be begun."""
    logs = tmp_path / "logs"
    d = start(LOG_DIR=logs)
    wait.until("the file", lambda: logs.exists() and files(logs))
    first = files(logs)[0]
    (logs / first).rename(logs / "moved")
    reload(d)
    assert d.chat().status == 200
    wait.until("the next one", lambda: len(files(logs)) > 1)
    d.process.stop()
    rest = [e for name in files(logs) if name != "moved" for e in lines(logs / name)]
    assert lines(logs / "moved") + rest == d.log()


def test_in_the_way(start, tmp_path):
    """One warning, and requests are served; once it works again, the lines that were buffered, and one that reports it."""
    logs = tmp_path / "logs"
    logs.write_text("a file\n")
    d = start(LOG_DIR=logs)
    assert d.chat().status == 200 and d.chat().status == 200
    d.wait_log("the warning", lambda e: e["level"] == "warning")
    assert [e["message"] for e in d.log() if e["level"] == "warning"] == [
        f"LOG_DIR: {logs}: Not a directory: no log file is written until this is repaired"
    ]
    logs.unlink()
    d.wait_log("the end of it", lambda e: "written again, nothing is missing" in e["message"])
    d.process.stop()
    assert [e for name in files(logs) for e in lines(logs / name)] == d.log()


def test_off_and_on(start, tmp_path):
    """LOG_DIR and LOG_RETENTION_DAYS change with a reload."""
    logs, env = tmp_path / "logs", tmp_path / "env"
    logs.mkdir()
    today = datetime.date.today()
    for days in (1, 9, 11):
        (logs / f"gemgate-{today - datetime.timedelta(days=days)}.log").write_text("{}\n")
    env.write_text("")
    d = start(argv=["--env-file", str(env)])
    assert d.chat().status == 200
    assert len(files(logs)) == 3
    env.write_text(f"LOG_DIR={logs}\nLOG_RETENTION_DAYS=3\n")
    reload(d)
    assert d.chat().status == 200
    wait.until("the file", lambda: f"gemgate-{datetime.date.today()}.log" in files(logs))
    gone = f"gemgate-{today - datetime.timedelta(days=11)}.log"
    wait.until("the oldest to be deleted", lambda: gone not in files(logs))
    assert f"gemgate-{today - datetime.timedelta(days=9)}.log" in files(logs)
    env.write_text("")
    reload(d)
    assert d.chat().status == 200
    d.process.stop()
    said = [e for f in logs.iterdir() for e in lines(f)]
    assert len([e for e in said if e.get("dialect") == "openai-chat"]) == 1  # of three
