# SPDX-License-Identifier: MIT
"""What an operator reads: fields to search by, events with an explanation, no secret."""
import re
import shutil
from pathlib import Path

import pytest

import machine
import wait
from house import MASKS, ROOT, SECRETS, leaked
from machine import MODEL, SERVICE, journal, run, systemctl

IDS = dict(
    re.findall(r'#define (MESSAGE_\w+)\s+"([0-9a-f]{32})"', (ROOT / "src/daemon/message-ids.h").read_text())
)


@pytest.fixture
def after(running):
    return machine.cursor()


def requests(after, n, *matches):
    """The lines of n requests; one is written when its request has ended, which is after the client has the answer."""

    def ask():
        found = [e for e in journal(*matches, after=after) if "GEMGATE_REQUEST_ID" in e]
        return len(found) >= n and found

    return wait.until(f"{n} requests in the journal", ask)


def test_fields_of_a_request(after):
    a = machine.chat()
    found = requests(after, 1, f"GEMGATE_REQUEST_ID={a.header('x-request-id')}")
    assert machine.chat().status == 200
    requests(after, 2)
    assert len(requests(after, 1, f"GEMGATE_REQUEST_ID={a.header('x-request-id')}")) == 1, "one line a request"
    e = found[0]
    assert e["GEMGATE_KEY"] in (MASKS["MASK1"], MASKS["MASK2"])
    assert e["GEMGATE_KEY_NAME"]
    assert e["GEMGATE_MODEL"] == MODEL
    assert e["GEMGATE_TOKEN"] == MASKS["TOKENMASK"]
    assert e["GEMGATE_CLIENT"] == "127.0.0.1"
    assert e["GEMGATE_DIALECT"] == "openai-chat"
    assert e["GEMGATE_STATUS"] == "200" and e["GEMGATE_VERDICT"] and e["GEMGATE_ATTEMPTS"] == "1"
    assert e["GEMGATE_VERDICTS"] == "ok" and "GEMGATE_CAUSE" not in e
    assert e["MESSAGE"].startswith("POST /v1/chat/completions 200 in ") and e["MESSAGE"].endswith(", 1 attempt: ok")
    assert int(e["GEMGATE_DURATION_USEC"]) >= int(e["GEMGATE_FIRST_BYTE_USEC"]) > 0
    assert int(e["GEMGATE_TOKENS_IN"]) > 0 and int(e["GEMGATE_TOKENS_OUT"]) > 0
    assert e["PRIORITY"] == "6" and e["_SYSTEMD_UNIT"] == SERVICE and e["SYSLOG_IDENTIFIER"] == "gemgated"
    assert e["CODE_FILE"].startswith("src/") and e["CODE_FUNC"] and int(e["CODE_LINE"]) > 0


def test_level_by_outcome(after, sim):
    assert machine.chat(token="TOKEN2").status == 401
    sim.script("* : error internal")
    assert machine.chat().status >= 500
    by_status = {e["GEMGATE_STATUS"]: int(e["PRIORITY"]) for e in requests(after, 2)}
    assert set(by_status.values()) <= {3, 4, 6} and by_status["401"] <= 6
    assert min(p for s, p in by_status.items() if s >= "500") <= 4


def test_search_by_field(after):
    for _ in range(3):
        machine.chat()
    machine.ask("GET", "/health")
    requests(after, 4)
    assert len(requests(after, 3, "GEMGATE_STATUS=200", f"GEMGATE_MODEL={MODEL}")) == 3
    assert not journal(f"GEMGATE_KEY={MASKS['MASK4']}", after=after)


def unhealthy(sim):
    sim.script(f"key={SECRETS['KEY1']} times=3 : error iam")
    for _ in range(8):
        machine.chat()


def dead(sim):
    sim.script(f"key={SECRETS['KEY1']} : error invalid_key")
    for _ in range(3):
        machine.chat()


def back(sim):
    dead(sim)
    sim.script("")
    run("gemgatectl", "reset", "--all")


def exhausted(sim):
    sim.script("* : error rpd")
    machine.chat()


def gone(sim):
    sim.script("* : error invalid_key")
    machine.chat()
    machine.chat()


def reloaded(sim):
    systemctl("reload", SERVICE)


def refused(sim):
    machine.write(machine.ETC / "gemgate.env", "MAX_BODY=banana\n")
    systemctl("reload", SERVICE, check=False)


def draining(sim):
    systemctl("restart", SERVICE)


CAUSES = {
    "MESSAGE_KEY_UNHEALTHY": unhealthy,
    "MESSAGE_KEY_DEAD": dead,
    "MESSAGE_KEY_BACK": back,
    "MESSAGE_QUOTA_EXHAUSTED": exhausted,
    "MESSAGE_KEYS_GONE": gone,
    "MESSAGE_RELOADED": reloaded,
    "MESSAGE_RELOAD_REFUSED": refused,
    "MESSAGE_DRAINING": draining,
}


@pytest.mark.parametrize("name", CAUSES)
def test_event_and_its_explanation(name, after, sim):
    """The event is in the journal under its id, and journalctl -x explains it, every field filled in."""
    CAUSES[name](sim)
    found = wait.until(name, lambda: journal(f"MESSAGE_ID={IDS[name]}", after=after))
    text = run("journalctl", "-q", "-x", "-o", "short", f"--since={after}", f"MESSAGE_ID={IDS[name]}")
    assert " Subject: " in text and " Defined-By: gemgate" in text, text
    assert not re.search(r"@[A-Z_]+@", text), text
    if "KEY_" in name and name != "MESSAGE_KEYS_GONE":
        assert found[0]["GEMGATE_KEY"] == MASKS["MASK1"] and found[0]["GEMGATE_KEY_NAME"]


def test_start_that_failed_and_its_explanation(sim):
    """The one event that is not gemgated's own: it could not be started, and the sockets are closed."""
    after = machine.cursor()
    with machine.drop_in("[Unit]\nStartLimitBurst=2\n"):
        machine.configure(sim, MAX_BODY="banana")
        for _ in range(3):
            machine.run("curl", "-s", "--max-time", "20", f"http://{machine.TCP[0]}:{machine.TCP[1]}/health", check=False)
        match = f"MESSAGE_ID={IDS['MESSAGE_START_FAILED']}"
        found = wait.until("the event", lambda: journal(match, after=after, unit=None))
    assert found[0]["SYSLOG_IDENTIFIER"] == "gemgated" and found[0]["PRIORITY"] == "3"
    text = run("journalctl", "-q", "-x", "-o", "short", f"--since={after}", match)
    assert " Subject: " in text and " Defined-By: gemgate" in text and not re.search(r"@[A-Z_]+@", text), text


def test_the_ten_lines_for_an_operator(sim):
    """Each command of docs/LOGS.md, except for what is an example: the id, the token, and -f, which never ends."""
    page = (ROOT / "docs/LOGS.md").read_text().partition("## Ten commands for operators")[2].partition("\n\n")[2]
    block = re.sub(r"([|,])\n +", r"\1 ", page.partition("\n\n")[0])
    lines = [re.sub(r" {3,}\S.*", "", line.strip()) for line in block.splitlines()]  # behind the blanks: what it is for
    assert len(lines) == 10 and all(line.startswith("journalctl ") for line in lines), lines

    machine.write(machine.ETC / "api-keys", '[{"key": "%s", "name": "first"}]' % SECRETS["KEY1"])
    a = machine.chat()
    sim.script("* : error rpd")
    assert a.status == 200 and machine.chat().status == 429
    sim.script("* : error invalid_key")
    run("gemgatectl", "reset", "--all")
    machine.chat()
    wait.until("the end of it all", lambda: journal(f"MESSAGE_ID={IDS['MESSAGE_KEY_DEAD']}"))
    for line in lines:
        line = line.replace(" -f", " -n 5").replace("4ff719b638f4019b", a.header("x-request-id"))
        line = line.replace("tok-en-…", MASKS["TOKENMASK"])
        out = run("bash", "-o", "pipefail", "-ec", line)
        assert out.strip() and "-- No entries --" not in out, line


def test_every_id_is_in_the_catalog():
    listed = run("journalctl", "--list-catalog")
    assert set(CAUSES) <= set(IDS)
    for name, id_ in IDS.items():
        assert id_ in listed, name


def test_strangers_cannot_flood_it(after):
    """Many refused requests: some lines, and a count of what was left out."""
    n = 400
    for _ in range(n):
        assert machine.ask("GET", "/stats", [("Authorization", "Bearer guess-guess-guess")], token=None).status == 401
    lines = journal("GEMGATE_STATUS=401", after=after)
    assert 0 < len(lines) < n / 2, len(lines)
    systemctl("restart", SERVICE)  # suppressed lines are counted now at the latest
    assert re.search(r"\b3\d\d\b.*(left out|suppressed|more)", machine.said(after)), machine.said(after)[-2000:]


EXAMPLES = Path("/usr/share/doc/gemgate/examples")


def test_log_namespace(sim):
    """The package's example: a journal of gemgate's own that keeps 30 days."""
    conf = Path("/etc/systemd/journald@gemgate.conf")
    shutil.copy(EXAMPLES / "journald@gemgate.conf", conf)
    with machine.drop_in((EXAMPLES / "log-namespace.conf").read_text()):
        after = machine.cursor()
        a = machine.chat()
        assert a.status == 200
        mine = f"GEMGATE_REQUEST_ID={a.header('x-request-id')}"
        found = wait.until("the line", lambda: journal(mine, namespace="gemgate"))
        assert found[0]["_SYSTEMD_UNIT"] == SERVICE
        assert not journal(mine, after=after)
        systemctl("stop", SERVICE)
    assert "MaxRetentionSec=30day" in conf.read_text()
    # whole journal, all namespaces: no secret
    assert not leaked(run("journalctl", "-q", "--namespace=gemgate", "-o", "export", "--all"))
    conf.unlink()
    systemctl("stop", "systemd-journald@gemgate.socket", "systemd-journald@gemgate.service", check=False)


def test_bodies_are_not_logged(after):
    canary = "canary-in-a-prompt-7f3a"
    assert machine.chat(canary).status == 200
    run("journalctl", "--sync")
    assert canary not in run("journalctl", "-q", "-o", "export", "--all")
