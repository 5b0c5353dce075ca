# SPDX-License-Identifier: MIT
"""org.gemgate1.Manager, as root calls it."""
import json
import time

import pytest

import http1
import wait
from client import FOREVER, MANAGER, PATH, Error, plain
from house import MASKS, SECRETS

FLASH = "gemini-3.8-flash"
DEAD = f"key={SECRETS['KEY1']}: error invalid_key"
SPENT = f"key={SECRETS['KEY1']} model={FLASH}: error day\n*: text x"
TWO = [{"key": SECRETS["KEY1"], "name": "home", "project": "p1"}, {"key": SECRETS["KEY2"], "name": "büro/2"}]


@pytest.fixture
def named(machine, start, connect):
    """A daemon whose keys have names, and root's connection."""
    d = start(API_KEYS=json.dumps(TWO))
    machine.wait_owned()
    return d, connect()


def now():
    return time.time() * 1e6


def rows(root):
    """ListKeyHealth by name (or mask) and model."""
    return {(r[1] or r[2], r[4]): r for r in root.call("ListKeyHealth")}


def error_of(root, *args, **kw):
    with pytest.raises(Error) as e:
        root.call(*args, **kw)
    assert e.value.sentence.endswith((".", "#2.")), e.value.sentence
    return e.value.name


def test_health_of_keys_never_asked(named):
    _, root = named
    assert root.call("ListKeyHealth") == [
        [f"{PATH}/key/home", "home", MASKS["MASK1"], "p1", "", 0, "usable", 0, ""],
        [f"{PATH}/key/b_c3_bcro_2f2", "büro/2", MASKS["MASK2"], "", "", 0, "usable", 0, ""],
    ]


def test_health_of_keys_in_use(named, sim):
    d, root = named
    sim.script(SPENT)
    assert d.chat().status == 200
    have = rows(root)
    home, office = have["home", FLASH], have["büro/2", FLASH]
    assert home[5:7] == [0, "cooling"] and now() < home[7] < FOREVER and "quota" in home[8]
    assert office[5:] == [0, "usable", 0, ""]


def test_a_key_without_a_name_has_an_id_that_is_no_mask(root):
    for row in root.call("ListKeyHealth"):
        assert row[1] == "" and row[2].startswith("AIza****")
        key = root.get_all(row[0], "org.gemgate1.Key")
        assert len(key["Id"]) == 12 and set(key["Id"]) <= set("0123456789abcdef") and key["Name"] == ""


def test_requests_are_those_of_http(named, sim):
    d, root = named
    assert root.call("ListRequests") == [[], 0]
    sim.script("*: hang")
    body = json.dumps({"model": FLASH, "messages": [{"role": "user", "content": "Hi"}]}).encode()
    with d.connect() as c:
        c.send(http1.compose("POST", "/v1/chat/completions", [("Authorization", f"Bearer {SECRETS['TOKEN']}"),
                                                              ("Content-Type", "application/json")], body))
        sim.wait_count(1)
        rows, total = root.call("ListRequests")
        http = json.loads(d.ask("GET", "/admin/requests", token="ADMIN").body)
        assert total == http["total"] == len(rows) == 1
        row, r = rows[0], http["requests"][0]
        assert row[5] / 1e6 <= r.pop("age") + 0.001 and r["state"] == "attempting" and r["key"]
        assert [v or "" for v in r.values()] == [*row[:5], *row[6:8], row[8], row[9] or ""]
    wait.until("no request", lambda: root.call("ListRequests") == [[], 0])


def test_statistics_are_those_of_http(named, sim):
    d, root = named
    sim.script(SPENT)
    for model in FLASH, "gemini-3.8-pro", FLASH:
        assert d.chat(model=model).status == 200
    http = json.loads(d.ask("GET", "/stats", token="ADMIN").body)
    bus = plain(root.call("GetStatistics"))

    def like(h, b, where):
        if isinstance(h, dict):
            assert set(h) == set(b), where
            for name in h:
                like(h[name], b[name], f"{where}/{name}")
        elif where.endswith(("time", "last_used", "available_at", "error_at")):
            assert (h is None) == (b in (0, FOREVER)), where
        elif h is None:
            assert b == "", where
        elif isinstance(h, float):
            assert round(b, 2) == h, where
        else:
            assert h == b, where

    for part in "api_key_stats", "model_summary", "global_summary":
        like(http[part], bus[part], part)
    by_model = http["queue"].pop("waiting_by_model")
    assert by_model == {} and bus["queue"] == http["queue"]
    assert bus["load_balancing"].pop("daily_reset_timezone") == "America/Los_Angeles"
    assert bus["load_balancing"]["strategy"] == http["load_balancing"]["strategy"]
    assert set(bus["load_balancing"]) == set(http["load_balancing"]) - {"daily_reset"}


def test_days_are_those_of_http(named, sim):
    d, root = named
    assert root.call("ListDays", "u", 7) == []
    sim.script(SPENT)
    for model in FLASH, "gemini-3.8-pro", FLASH:
        assert d.chat(model=model).status == 200
    rows = root.call("ListDays", "u", 7)
    clients = root.call("ListClientDays", "u", 7)
    (day,) = json.loads(d.ask("GET", "/stats?days=7", token="ADMIN").body)["days"]
    names = "requests", "errors", "input_tokens", "output_tokens"
    assert rows[0] == [day["date"], "", *(day[n] for n in names)] and day["requests"] == 4 and day["errors"] == 1
    assert rows[1:] == [[day["date"], m, *(c[n] for n in names)] for m, c in day["models"].items()] and len(rows) == 3
    assert clients == [[day["date"], day["client_requests"]]] and day["client_requests"] == 3
    assert error_of(root, "ListClientDays", "u", 0) == "org.freedesktop.DBus.Error.InvalidArgs"
    assert error_of(root, "ListDays", "u", 0) == "org.freedesktop.DBus.Error.InvalidArgs"


def test_reset(named, sim):
    d, root = named
    sim.script(SPENT)
    d.chat()
    assert rows(root)["home", FLASH][6] == "cooling"
    assert root.call("ResetHealth", "ss", "büro/2", "") == 0
    assert root.call("ResetHealth", "ss", "", "models/" + FLASH) == 1
    assert rows(root)["home", FLASH][6] == "usable"
    assert root.call("ResetHealth", "ss", "", "") == 0


@pytest.mark.parametrize("what", ["home", MASKS["MASK1"], MASKS["MASK1"] + "#1"])
def test_reset_by_any_name(named, sim, what):
    d, root = named
    sim.script(SPENT)
    d.chat()
    assert root.call("ResetHealth", "ss", what, FLASH) == 1


def test_reset_of_what_is_not(named):
    d, root = named
    d.chat()
    assert error_of(root, "ResetHealth", "ss", "nobody", "") == "org.gemgate1.Error.NoSuchKey"
    assert error_of(root, "ResetHealth", "ss", "", "gemini-9") == "org.gemgate1.Error.NoSuchModel"
    assert error_of(root, "ResetHealth", "ss", "home", "gemini-9") == "org.gemgate1.Error.NoSuchModel"
    for bad in "a b", "../x", "cli/x", "x" * 129:
        assert error_of(root, "ResetHealth", "ss", "", bad) == "org.gemgate1.Error.InvalidModel"


def test_an_error_never_repeats_what_may_be_a_key(named):
    _, root = named
    with pytest.raises(Error) as e:
        root.call("ResetHealth", "ss", SECRETS["KEY3"], "")
    assert SECRETS["KEY3"][:12] not in e.value.sentence


def test_explain(named, sim):
    d, root = named
    sim.script(SPENT)
    d.chat()
    first, second = root.call("ExplainPick", "s", FLASH)
    assert first[:3] == [f"{PATH}/key/b_c3_bcro_2f2", "büro/2", True] and "first" in first[3] and first[4] == 0
    assert second[:3] == [f"{PATH}/key/home", "home", False] and "quota" in second[3] and now() < second[4]
    assert all(r[2] for r in root.call("ExplainPick", "s", "gemini-3.8-pro"))
    assert error_of(root, "ExplainPick", "s", "a/b") == "org.gemgate1.Error.InvalidModel"


def test_explain_knows_aliases_and_the_default(machine, start, connect, sim):
    d = start(DEFAULT_MODEL=FLASH, MODEL_ALIASES=json.dumps({"gpt-9": FLASH, "claude-*": FLASH, "*-cli": f"cli/{FLASH}"}),
              MODEL_RULES=json.dumps({FLASH: {"price": {"input": 0.3}}}))
    machine.wait_owned()
    root = connect()
    sim.script(SPENT)
    d.chat()
    want = [r[:3] for r in root.call("ExplainPick", "s", FLASH)]
    assert [r[2] for r in want] == [True, False]
    for name in "", "gpt-9", "models/" + FLASH, "claude-opus", "the-cli":
        assert [r[:3] for r in root.call("ExplainPick", "s", name)] == want
        rules = root.call("ExplainModel", "s", name)
        assert rules["model"].value == FLASH and rules["built_in"].value is False
        assert rules["price"].value["input"].value == 0.3 and rules["takes"].value["sampling"].value is False
        assert rules["listed"].value is True
    assert root.call("ExplainModel", "s", "gemini-3.8-pro")["built_in"].value is True
    assert root.call("ExplainModel", "s", "gemini-no-such")["listed"].value is False
    assert error_of(root, "ExplainModel", "s", "a/b") == "org.gemgate1.Error.InvalidModel"


def test_log_level(gemgated, root):
    assert root.get("LogLevel") == "INFO"
    root.listen()
    root.call("SetLogLevel", "s", "debug")
    root.wait("LogLevel's change", lambda: {"LogLevel": "DEBUG"} in root.changes())
    assert root.get("LogLevel") == "DEBUG"
    assert error_of(root, "SetLogLevel", "s", "LOUD") == "org.gemgate1.Error.InvalidLogLevel"
    assert root.get("LogLevel") == "DEBUG"


def test_properties(gemgated, root):
    have = root.get_all()
    assert have["State"] == "running" and have["Version"]
    assert (have["KeysTotal"], have["KeysEnabled"], have["KeysUsable"], have["ModelsInUse"]) == (2, 2, 2, 0)
    assert have["StartTimestamp"] == have["ReloadTimestamp"] and 0 <= now() - have["StartTimestamp"] < 600e6
    assert have["LastReset"] <= now() < have["NextReset"] <= have["LastReset"] + 25 * 3600e6
    for _ in range(3):
        gemgated.chat()
    gemgated.chat(model="no model")
    have = root.get_all()
    assert (have["ClientRequestsTotal"], have["ClientRequestsToday"]) == (3, 3)
    assert (have["RequestsTotal"], have["RequestsToday"], have["ModelsInUse"], have["ActiveExchanges"]) == (3, 3, 1, 0)


def test_active_exchanges(gemgated, root, sim):
    sim.script("*: hang")
    with gemgated.connect() as c:
        body = json.dumps({"model": FLASH, "messages": [{"role": "user", "content": "Hi"}]}).encode()
        root.listen()
        c.sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                       b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                       % (SECRETS["TOKEN"].encode(), len(body), body))
        root.wait("the request", lambda: any(c.get("ActiveExchanges") == 1 for c in root.changes()))
    root.wait("its end", lambda: root.changes()[-1].get("ActiveExchanges") == 0)


def test_changes_are_coalesced(gemgated, root):
    """Many requests, few signals; and the last one has the final value."""
    root.listen()
    started = time.monotonic()
    for _ in range(60):
        assert gemgated.chat().status == 200
    root.wait("the last count", lambda: any(c.get("RequestsToday") == 60 for c in root.changes()))
    seconds = time.monotonic() - started
    assert len(root.changes()) <= seconds + 2


def test_nothing_changes_nothing_is_said(gemgated, root):
    """A signal has only the present value of a property."""
    root.listen()
    gemgated.chat()
    root.wait("the count", lambda: any(c.get("RequestsToday") == 1 for c in root.changes()))
    for change in root.changes():
        assert "KeysTotal" not in change and "NextReset" not in change and "State" not in change


def test_signal_of_health(named, sim):
    d, root = named
    root.listen()
    sim.script(SPENT)
    d.chat()
    key, model, old, new, reason, until = root.wait_told("KeyHealthChanged")
    assert (key, model, old, new, reason) == (f"{PATH}/key/home", FLASH, "usable", "cooling", "day")
    assert now() < until < FOREVER
    root.signals.clear()
    root.call("ResetHealth", "ss", "home", "")
    assert root.wait_told("KeyHealthChanged")[1:] == [FLASH, "cooling", "usable", "reset", 0]


def test_signal_of_a_dead_key(named, sim):
    d, root = named
    root.listen()
    sim.script(DEAD)
    d.chat()
    key, model, old, new, reason, until = root.wait_told("KeyHealthChanged")
    assert (key, model, old, new, reason) == (f"{PATH}/key/home", "", "usable", "dead", "key_dead")
    root.wait("the key's State", lambda: {"State": "dead"} in root.changes("org.gemgate1.Key", key))
    root.wait("KeysUsable", lambda: any(c.get("KeysUsable") == 1 for c in root.changes()))


def test_signal_of_exhaustion(named, sim):
    d, root = named
    root.listen()
    sim.script(f"model={FLASH}: error day")
    assert d.chat().status == 429
    model, until = root.wait_told("QuotaExhausted")
    assert model == FLASH and now() < until < FOREVER


def test_signal_of_a_quota_that_runs_low(machine, start, connect):
    """Once a day and quota, at QUOTA_WARN_AT of the known limit; with a key of the project."""
    limits = {FLASH: {"rpd": 5, "projects": {"p1": {"rpd": 4}}}}
    d = start(API_KEYS=json.dumps(TWO), MODEL_LIMITS=json.dumps(limits), AFFINITY="off")
    machine.wait_owned()
    root = connect()
    root.listen()
    for _ in range(6):
        assert d.chat().status == 200
    assert root.told("QuotaWarning") == []  # three of four, three of five
    for _ in range(3):
        assert d.chat().status == 200
    assert d.chat().status == 429
    # What comes after it on the same connection: no second warning is under way.
    assert root.wait_told("QuotaExhausted")[0] == FLASH
    assert root.told("QuotaWarning") == [
        [f"{PATH}/key/home", "p1", FLASH, 4, 4],
        [f"{PATH}/key/b_c3_bcro_2f2", "", FLASH, 4, 5],
    ]


def test_no_signal_of_a_quota_where_none_is_wanted(machine, start, connect):
    d = start(API_KEYS=SECRETS["KEY1"], MODEL_LIMITS=json.dumps({FLASH: {"rpd": 2}}), QUOTA_WARN_AT="off")
    machine.wait_owned()
    root = connect()
    root.listen()
    assert [d.chat().status for _ in range(3)] == [200, 200, 429]
    root.wait_told("QuotaExhausted")
    assert root.told("QuotaWarning") == []


def test_signal_of_a_project_that_was_learned(machine, start, connect, sim):
    """Once for the key that joins another; not for one whose project is configured."""
    keys = [{"key": SECRETS["KEY1"], "name": "one"}, {"key": SECRETS["KEY2"], "name": "two"},
            {"key": SECRETS["KEY3"], "name": "three", "project": "mine"}]
    d = start(API_KEYS=json.dumps(keys))
    machine.wait_owned()
    root = connect()
    root.listen()
    sim.script("*: error suspended")
    for _ in range(2):
        d.chat()
        root.wait("all to be found suspended", lambda: {"KeysUsable": 0}.items() <= latest(root).items())
        # If Google names it again, there is no second signal.
        root.call("ResetHealth", "ss", "", "")
        root.wait("the reset", lambda: {"KeysUsable": 3}.items() <= latest(root).items())
    assert root.told("ProjectLearned") == [[f"{PATH}/key/two", "projects/12345678"]]


def latest(root):
    """The Manager's properties as the signals gave them."""
    have = {}
    for change in root.changes():
        have |= change
    return have


def test_draining(gemgated, root, sim):
    """A daemon that ends has the state draining as long as a request is under way."""
    sim.script('*: text "x" chunks=1000000 pace=5ms')
    root.listen()
    with gemgated.connect() as c:
        body = json.dumps({"model": FLASH, "stream": True, "messages": [{"role": "user", "content": "Hi"}]}).encode()
        c.sock.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                       b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                       % (SECRETS["TOKEN"].encode(), len(body), body))
        assert c.sock.recv(1)
        gemgated.interrupt()
        root.wait("State", lambda: any(c.get("State") == "draining" for c in root.changes()))
    assert gemgated.process.wait() == 0


def test_a_model_is_explained_without_the_list_of_models(machine, connect, sim):
    """Google cannot be reached, or does not answer in time: the rules are there all the same."""
    sim.script("method=models: hang")
    d = machine.start(sim)
    machine.wait_owned()
    root = connect()
    assert "listed" not in root.call("ExplainModel", "s", FLASH)
    d.process.stop()
