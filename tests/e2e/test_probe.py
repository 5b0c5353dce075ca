# SPDX-License-Identifier: MIT
"""After a wait: an answer that takes long keeps no other request from a key that works again."""
import json

import http1
import wait
from house import SECRETS

MODEL = "gemini-3.8-flash"


def send(d, content):
    """A request that is on its way: the connection to read its answer from."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": content}]}
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("Content-Type", "application/json")]
    c = d.connect()
    c.send(http1.compose("POST", "/v1/chat/completions", headers, json.dumps(body).encode()))
    return c


def usable(d):
    answer = d.ask("GET", f"/explain?model={MODEL}", token="ADMIN")
    return sum(k["usable"] for k in json.loads(answer.body)["keys"])


def test_slow_start(sim, start):
    """After a throttle whose end is known, one slow answer for each key is no reason to refuse the others."""
    keys = json.dumps([SECRETS[k] for k in ("KEY1", "KEY2", "KEY3")])
    sim.script('* times=3: error rpm retry=0.3s\nbody="slow": hang\n*: text "Hello."')
    d = start(API_KEYS=keys)
    assert d.chat().status == 429
    wait.until("three usable keys", lambda: usable(d) == 3)
    slow = [send(d, "slow") for _ in range(3)]
    wait.until("three probes", lambda: len(sim.requests()) == 6)
    assert [d.chat().status for _ in range(9)] == [200] * 9
    for c in slow:
        c.close()


def test_slow_probe_passes(sim, start):
    """A probe that is not refused within two seconds has passed; a request that waits is served then."""
    sim.script('* times=1: error exhausted_plain\nbody="slow": hang\n*: text "Hello."')
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]), QUEUE_WAIT="60s")
    slow = send(d, "slow")
    wait.until("the probe", lambda: len(sim.requests()) == 2)
    assert d.chat("quick").status == 200
    assert json.loads(d.ask("GET", "/stats", token="ADMIN").body)["queue"]["total_waited"] == 2
    slow.close()
