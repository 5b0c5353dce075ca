# SPDX-License-Identifier: MIT
"""A request is sent once, also when a kept connection is reset."""
import json

from house import SECRETS

CACHE = {"model": "models/gemini-3.8-flash", "contents": [{"role": "user", "parts": [{"text": "x" * 20000}]}]}


def keep_connection(d):
    assert d.chat().status == 200


def attempts(d):
    stats = json.loads(d.ask("GET", "/stats", token="ADMIN").body)
    return stats["global_summary"]["total_requests_all_time"]


def posts(sim):
    return [r for r in sim.requests() if r.method == "POST"]


def test_reset_is_counted(start, sim):
    """Google may have carried out the request that was reset: each sending is an attempt, and has its line."""
    d = start(LOG_LEVEL="DEBUG")
    keep_connection(d)
    for i in range(5):
        sim.script('* times=1: reset\n* : text "Hello."')
        assert d.chat().status == 200
        assert attempts(d) == len(posts(sim)) == 3 + 2 * i
    ended = [e for e in d.log() if e["message"].startswith("attempt_end: ")]
    assert len(ended) == attempts(d)
    cut = [e for e in ended if "cause" in e]
    assert len(cut) == 5
    assert all(e["cause"] == "The connection was closed before an answer came" for e in cut)


def test_creation_is_not_repeated(start, sim):
    """What was created by a request that was reset would be created twice."""
    d = start()
    keep_connection(d)
    sim.script("method=caches.create : reset")
    answer = d.ask("POST", "/v1beta/cachedContents", body=CACHE)
    assert answer.status in (502, 503)
    assert len([r for r in posts(sim) if "cachedContents" in r.target]) == 1


def test_loopback_has_no_proxy(start, sim):
    """The keys would be readable there."""
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"]]), http_proxy="http://proxy.invalid:3128", no_proxy="",
              ALL_PROXY="http://proxy.invalid:3128")  # fmt: skip
    assert d.chat().status == 200
    assert [r.key for r in posts(sim)] == [SECRETS["KEY1"]]
