# SPDX-License-Identifier: MIT
"""Test and TestKeys: whether Google takes a key, by the key's own road, and nothing else comes of it."""
import json

import pytest

import road
import wait
from client import KEY, LIMITS, PATH, Error
from house import MASKS, SECRETS, leaked

KEYS = PATH + "/key"
NAMES = ["one", "two", "three"]
CONFIG = json.dumps([{"key": SECRETS[f"KEY{i}"], "name": name} for i, name in enumerate(NAMES, 1)])
TESTS_MAX = 8  # base/limits.h


def rule(n, what):
    return f"key={SECRETS[f'KEY{n}']} method=models : {what}"


@pytest.fixture
def three(machine, start, connect, sim):
    d = start(API_KEYS=CONFIG)
    machine.wait_owned()
    return d, connect()


def run_test(root, name):
    return root.call("Test", path=f"{KEYS}/{name}", interface=KEY)


def test_each_verdict(three, sim):
    d, root = three
    sim.script("\n".join([rule(2, "error invalid_key"), rule(3, "error denied")]))
    rows, total = root.call("TestKeys")
    assert total == 3 and [r[:4] for r in rows] == [
        [f"{KEYS}/one", "one", MASKS["MASK1"], "works"],
        [f"{KEYS}/two", "two", MASKS["MASK2"], "dead"],
        [f"{KEYS}/three", "three", MASKS["MASK3"], "refused"],
    ]
    assert rows[0][4].endswith(" models listed")
    assert rows[1][4].startswith("invalid key: ") and rows[2][4].startswith("project refused: ")
    assert all(r[5] < 10_000 and r[6] == "direct" for r in rows)
    assert not leaked(json.dumps(rows))
    for name, row in zip(NAMES, rows):
        verdict, text, _, way = run_test(root, name)
        assert [verdict, text, way] == [row[3], row[4], row[6]]


def test_it_only_tells(three, sim):
    """One request a key, which is no attempt; it blocks nothing, and a list that is given lifts nothing."""
    d, root = three
    before = sim.count()
    sim.script(rule(1, "error invalid_key"))
    root.listen()
    assert run_test(root, "one")[0] == "dead"
    assert [(r.method, r.key) for r in sim.requests()[before:]] == [("GET", SECRETS["KEY1"])]
    assert root.get("State", f"{KEYS}/one", KEY) == "usable" and root.get("RequestsTotal") == 0
    sim.script(f"key={SECRETS['KEY2']} : error invalid_key")
    wait.until("the key to be dead", lambda: d.chat().status == 200 and root.get("State", f"{KEYS}/two", KEY) == "dead")
    count = root.get("RequestsTotal")
    root.call("Disable", path=f"{KEYS}/three", interface=KEY)
    root.signals.clear()
    assert run_test(root, "two")[0] == run_test(root, "three")[0] == "works"
    assert root.get("State", f"{KEYS}/two", KEY) == "dead" and root.get("State", f"{KEYS}/three", KEY) == "disabled"
    assert root.get("RequestsTotal") == count and root.told("KeyHealthChanged") == []


@pytest.mark.parametrize("what,text", [
    ("status 502 body \"no\" type=text/html", "not Gemini's answer"), ("garbage", "not Gemini's answer"),
    ("reset", "unreachable: "), ("error overloaded", "overloaded: "),
])
def test_what_proves_nothing(three, sim, what, text):
    d, root = three
    sim.script(rule(1, what))
    verdict, got, _, _ = run_test(root, "one")
    assert verdict == "unreachable" and got.startswith(text), got


def test_unreachable(machine, start, connect):
    """By its own road, each: a proxy that is not there, and nothing at all."""
    port = road.free_port()
    keys = [{"key": SECRETS["KEY1"], "name": "one", "proxy": f"http://{road.USER}:{road.PASSWORD}@127.0.0.1:{port}"},
            {"key": SECRETS["KEY2"], "name": "two"}]
    d = start(API_KEYS=json.dumps(keys), GEMINI_BASE_URL="https://gemini.invalid")
    machine.wait_owned()
    rows, _ = connect().call("TestKeys")
    assert [(r[3], r[6]) for r in rows] == [("unreachable", f"http://127.0.0.1:{port}"), ("unreachable", "direct")]
    assert rows[0][4].startswith(f"unreachable: proxy 127.0.0.1:{port}: ") and rows[1][4].startswith("unreachable: ")
    assert not leaked(json.dumps(rows)) and road.USER not in json.dumps(rows)
    assert d.process.status is None


def test_one_that_hangs(three, sim):
    """It ends after its time; meanwhile clients are served, and another call of TestKeys is refused."""
    d, root = three
    before = sim.count()
    sim.script(rule(1, "hang"))
    task = root.start("TestKeys")
    wait.until("the tests", lambda: sim.count() - before == 3)
    with pytest.raises(Error, match=LIMITS):
        root.call("TestKeys")
    assert d.chat().status == 200 and run_test(root, "two")[0] == "works"
    rows, total = root.finish(task)
    assert [r[3] for r in rows] == ["unreachable", "works", "works"] and rows[0][4].startswith("no answer in time: ")
    assert rows[0][5] >= 10_000


def test_tests_of_one_key_are_bounded(three, sim, connect):
    d, root = three
    before = sim.count()
    sim.script(rule(1, "hang"))
    for _ in range(TESTS_MAX):
        root.start("Test", path=f"{KEYS}/one", interface=KEY)
    wait.until("the tests", lambda: sim.count() - before == TESTS_MAX)
    with pytest.raises(Error, match=LIMITS):
        run_test(root, "two")
    d.process.stop()  # with all of them under way


def test_many_keys_a_few_at_a_time(machine, start, connect, sim):
    """At most eight at one time: the ninth begins when one of them has ended."""
    start(API_KEYS=json.dumps([f"AIzaSyMany-{i:08d}-keys-and-keys-and" for i in range(20)]))
    machine.wait_owned()
    root = connect()
    before = sim.count()
    sim.script(f"method=models times={TESTS_MAX} : hang")
    task = root.start("TestKeys")
    wait.until("the first tests", lambda: sim.count() - before == TESTS_MAX)
    assert len(root.call("ListKeyHealth")) == 20 and sim.count() - before == TESTS_MAX
    rows, total = root.finish(task)
    assert total == len(rows) == 20 and [r[3] for r in rows] == ["unreachable"] * TESTS_MAX + ["works"] * (20 - TESTS_MAX)
    assert sim.count() - before == 20
