# SPDX-License-Identifier: MIT
"""A reload swaps the whole configuration or changes nothing, and clients don't notice."""
import json

import pytest

import machine
import wait
from house import MASKS, SECRETS
from load import Load
from machine import ETC, SERVICE, TCP, chat_request, pid, run, systemctl, write

BUS = ("busctl", "call", "org.gemgate1", "/org/gemgate1", "org.gemgate1.Manager")


def stats():
    a = machine.ask("GET", "/stats", token="ADMIN")
    assert a.status == 200, a
    return json.loads(a.body)["api_key_stats"]


def by_systemctl():
    systemctl("reload", SERVICE)


def by_signal():
    after = machine.cursor()
    systemctl("kill", "--signal=HUP", "--kill-who=main", SERVICE)
    machine.wait_said("reload", after)


def by_bus():
    run(*BUS, "Reload")


@pytest.mark.parametrize("how", [by_systemctl, by_signal, by_bus])
def test_good_reload(running, sim, how):
    """All three ways do the same: a new key is there, one that went is not, one that stays keeps its counters."""
    for _ in range(4):
        assert machine.chat().status == 200
    before = stats()[MASKS["MASK1"]]["total_requests"]
    assert before == 2
    machine.configure(sim, keys=("KEY1", "KEY3"), tokens=("TOKEN2",))
    how()
    wait.until("the new keys", lambda: MASKS["MASK3"] in stats())
    assert set(stats()) == {MASKS["MASK1"], MASKS["MASK3"]}
    assert stats()[MASKS["MASK1"]]["total_requests"] == before
    assert machine.chat(token="TOKEN").status == 401
    assert machine.chat(token="TOKEN2").status == 200
    assert pid() == running


# The wrong file, its content, and the line that every caller of the reload gets.
WRONG = {
    "a value": ("gemgate.env", "# settings\nMAX_BODY=banana\n", "MAX_BODY: banana: "),
    "a grammar": ("gemgate.env", '# settings\nALLOWED_IPS="[\n', "/etc/gemgate/gemgate.env:2: "),
    "keys": ("api-keys", '["AIza", \n', "API_KEYS: "),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_bad_reload(running, sim, wrong):
    """systemctl reload fails, the faulty line is named, and nothing has changed."""
    file, text, told = WRONG[wrong]
    assert machine.chat().status == 200
    before = stats()
    after = machine.cursor()
    write(ETC / file, text)
    write(ETC / "allowed-tokens", SECRETS["TOKEN2"] + "\n")  # good, but not alone
    result = run("systemctl", "reload", SERVICE, check=False)
    assert result.returncode != 0
    assert f"gemgatectl: {told}" in machine.said(after) or told in machine.said(after), machine.said(after)
    assert told in run("systemctl", "status", "--no-pager", SERVICE)
    for argv in (("gemgatectl", "reload"), (*BUS, "Reload")):
        result = run(*argv, check=False)
        assert result.returncode != 0 and told in result.stderr, (argv, result)
    assert stats() == before
    assert machine.chat(token="TOKEN").status == 200
    assert machine.chat(token="TOKEN2").status == 401
    assert pid() == running


def test_reloads_under_load(running, sim):
    """Good and bad ones in turn; a stream that was open before the first is still whole after the last."""
    sim.script('body="stream" : text "word" chunks=1000000 pace=20ms\n* : default')
    with machine.connect() as stream:
        stream.send(chat_request("stream", stream=True))
        stream.read_until(b"word")
        with Load(TCP, chat_request()) as load:
            for i in range(10):
                machine.configure(sim, keys=("KEY1", "KEY2", "KEY3") if i % 2 else ("KEY1", "KEY2"))
                systemctl("reload", SERVICE)
                write(ETC / "gemgate.env", "MAX_BODY=banana\n")
                assert run("systemctl", "reload", SERVICE, check=False).returncode != 0
        n = len(stream.answer.body)
        stream.answer.body = b""
        assert stream.read_until(b"word") and n > 0
    load.check()
    assert pid() == running


def test_what_is_fixed_until_a_restart_is_told(sim):
    """A setting that cannot change in a running process, and one that the environment has: one line names both."""
    with machine.drop_in("[Service]\nEnvironment=DEFAULT_MODEL=gemini-3.8-flash\n"):
        assert machine.health()["status"] == "healthy"
        after = machine.cursor()
        machine.configure(sim, MAX_CONNECTIONS="100", DEFAULT_MODEL="gemini-3.8-pro")
        systemctl("reload", SERVICE)
        lines = [line for line in machine.said(after).splitlines() if line.startswith("changed") and "MAX_CONNECTIONS" in line]
        assert len(lines) == 1 and "restart" in lines[0] and "DEFAULT_MODEL" in lines[0], machine.said(after)
