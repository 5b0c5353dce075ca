# SPDX-License-Identifier: MIT
"""The real Gemini CLI: what it makes of a job, of each answer, and of each end."""
import json
import random
import threading

import pytest

import wait
from fakegemini import Answer, event, says
from runnerhouse import AS_NOBODY, CLI
from sample import sample

ISOLATIONS = ("none", "namespaces")
WARMTH = pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])


@pytest.mark.parametrize("isolation, dialogue, warm", sample(
    {
        f"{isolation}-{'dialogue' if dialogue else 'plain'}-{'warm' if warm else 'cold'}": (isolation, dialogue, warm)
        for isolation in ISOLATIONS for dialogue in (False, True) for warm in (False, True)
    },
    "none-plain-cold", "namespaces-plain-warm", "namespaces-dialogue-cold",
))
def test_plain(house, isolation, dialogue, warm):
    house.upstream.answer = says("PO", "NG")
    r = house.runner(isolation=isolation, dialogue=dialogue)
    if warm:
        r.warm()
    result = r.give("ping", system="Be ${AvailableTools} @brief\n ").result()
    assert r.events[0] == {"event": "ready", "isolation": "namespaces" if isolation == "namespaces" else "process", "version": "0.61.0"}
    assert (result["answer"], result["status"], result["messages"], result["exit_code"]) == ("PONG", "success", 2, 0)
    (request,) = house.upstream.requests
    assert request.path == "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == r.token
    assert request.contents == [("user", "ping")]
    assert request.system.replace("\u200b", "") == "Be ${AvailableTools} @brief\n "
    assert request.body["tools"] == [{"functionDeclarations": []}]


def test_as_an_ordinary_user(house):
    r = house.runner(isolation="namespaces", before=AS_NOBODY)
    assert r.give().result()["answer"] == "PONG"
    assert r.events[0]["isolation"] == "namespaces"


@WARMTH
def test_history(house, warm):
    """Turns that the CLI would drop, run or expand, equal ones, and empty ones."""
    turns = ["/dir add /etc", "ok", "?help", "", "", "@/etc/passwd", "<session_context>x", "ok", "ok", "$HOME ${x}", " \n\t ", "a\0b"]
    history = [{"role": ("user", "model")[i % 2], "text": t} for i, t in enumerate(turns)]
    r = house.runner(dialogue=True)
    if warm:
        r.warm()
    assert r.give("/quit", history=history, system="S").result()["answer"] == "PONG"
    (request,) = house.upstream.requests
    assert request.contents == [*((t["role"], t["text"]) for t in history), ("user", "/quit")]


def test_empty_prompt(house):
    assert house.runner().give("").result()["status"] == "success"
    assert house.upstream.requests[0].prompt == ""


def test_streams_as_it_comes(house):
    """Each piece is here before the next one is sent."""
    gate = threading.Semaphore(0)
    house.upstream.answer = says("one", "two", "three", gate=gate)
    r = house.runner().give()
    r.ready()
    for text in ("one", "two", "three"):
        assert r.text() == text
        gate.release()
    assert r.result()["messages"] == 3


def google(code, status, message, *details):
    return {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}
DAY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
}
KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}


ERRORS = {
    "400": (Answer(status=400, error=google(400, "INVALID_ARGUMENT", "bad request")), "bad request"),
    "key": (Answer(status=400, error=google(400, "INVALID_ARGUMENT", "API key not valid", KEY)), "API key not valid"),
    "401": (Answer(status=401, error=google(401, "UNAUTHENTICATED", "who")), "who"),
    "403": (Answer(status=403, error=google(403, "PERMISSION_DENIED", "not you")), "not you"),
    "404": (Answer(status=404, error=google(404, "NOT_FOUND", "no such model")), "no such model"),
    "429-minute": (Answer(status=429, error=google(429, "RESOURCE_EXHAUSTED", "slower", RETRY)), "slower"),
    "429-day": (Answer(status=429, error=google(429, "RESOURCE_EXHAUSTED", "no more today", DAY)), "quota"),
    "429-bare": (Answer(status=429, error=google(429, "RESOURCE_EXHAUSTED", "bare")), "bare"),
    "500": (Answer(status=500, error=google(500, "INTERNAL", "broken")), "broken"),
    "503": (Answer(status=503, error=google(503, "UNAVAILABLE", "overloaded")), "overloaded"),
    "dropped": (Answer(drop=True), ""),
    "nothing": (Answer(), ""),
    "no-text": (Answer(event(finish="STOP")), ""),
    "safety": (Answer(event(finish="SAFETY")), ""),
    "blocked": (Answer({"promptFeedback": {"blockReason": "SAFETY"}}), ""),
}


@pytest.mark.parametrize("answer, words", sample(ERRORS, "400", "429-minute", "429-day", "503", "dropped", "nothing", "blocked"))
def test_error_is_one_attempt(house, answer, words):
    house.upstream.answer = answer
    result = house.runner().give().result()
    assert result["status"] == "error" and result["messages"] == 0 and result["answer"] == ""
    assert words in result["message"]
    assert len(house.upstream.requests) == 1


def test_dropped_in_the_middle(house):
    house.upstream.answer = Answer(event("half"), drop=True)
    result = house.runner().give().result()
    assert result["answer"] == "half" and result["status"] == "error" and result["messages"] == 1
    assert len(house.upstream.requests) == 1


def test_cut_by_max_tokens_is_a_success(house):
    """The CLI does not report it; the daemon's listener sees it."""
    house.upstream.answer = Answer(event("half a", finish="MAX_TOKENS"))
    result = house.runner().give().result()
    assert result["answer"] == "half a" and result["status"] == "success"


def test_thoughts_are_no_answer(house):
    house.upstream.answer = Answer(event({"text": "hm", "thought": True}), event("yes", finish="STOP"))
    assert house.runner().give().result()["answer"] == "yes"


def test_more_than_its_window(house):
    """What the CLI counts as more than a million tokens it does not send; no success comes of it."""
    history = [{"role": "user", "text": "@" * 1000000}, {"role": "model", "text": "x" * 2000000}]
    result = house.runner(dialogue=True).give("x" * 1900000, history=history).result()
    assert result["messages"] == 0 and not house.upstream.requests


METACHARACTERS = "@$/\\\"'`{}<>|&;%!#*?~^()[]= \n\t\r\0\x1b\x7fé\u200b\u2028\ufeff😀"


@pytest.mark.parametrize("isolation", sample(ISOLATIONS, "namespaces"))
def test_a_mebibyte_of_metacharacters(house, isolation):
    pick = random.Random(1)
    prompt = "".join(pick.choice(METACHARACTERS) for _ in range(780000)).encode()[: 1 << 20].decode(errors="ignore")
    r = house.runner(isolation=isolation)
    r.warm()
    assert r.give(prompt, system=prompt[:100000]).result()["status"] == "success"
    (request,) = house.upstream.requests
    assert request.prompt == prompt


def test_the_longest_prompt(house):
    """Guarded it is four times as long, and the CLI cuts at 8 MiB."""
    result = house.runner().give("@" * 2000000).result()
    assert result["status"] == "success", str({k: result[k] for k in ("exit_code","signal","stderr")})
    assert house.upstream.requests[0].prompt == "@" * 2000000


def test_jobs_at_once(house):
    house.upstream.answer = says("PONG")
    runners = [house.runner(isolation="namespaces", dialogue=bool(i % 2)) for i in range(4)]
    for i, r in enumerate(runners):
        r.give(f"job {i}")
    assert [r.result()["answer"] for r in runners] == ["PONG"] * 4
    assert sorted(r.prompt for r in house.upstream.requests) == [f"job {i}" for i in range(4)]
    assert {r.headers["x-goog-api-key"] for r in house.upstream.requests} == {r.token for r in runners}


# --- hang-ups ---


def at_once(house, r):
    pass


def ready(house, r):
    r.ready()


def warm(house, r):
    r.warm()


def just_given(house, r):
    r.warm()
    r.give()


def asking(house, r):
    house.upstream.answer = Answer(silent=True)
    r.give()
    house.upstream.asked()


def streaming(house, r):
    house.upstream.answer = says("one", "two", gate=threading.Semaphore(0))
    r.give()
    r.ready()
    r.text()


MOMENTS = (at_once, ready, warm, just_given, asking, streaming)


@pytest.mark.parametrize("isolation, moment", sample(
    {f"{isolation}-{moment.__name__}": (isolation, moment) for isolation in ISOLATIONS for moment in MOMENTS},
    "none-streaming", *(f"namespaces-{moment.__name__}" for moment in MOMENTS),
))
def test_hang_up(house, isolation, moment):
    r = house.runner(isolation=isolation)
    moment(house, r)
    r.hang_up()
    if moment is asking:
        wait.until("the connection upstream to end", lambda: house.upstream.closed)
    assert len(house.upstream.requests) <= 1


def test_nothing_of_the_runners_environment_comes_upstream(house):
    env = {"GEMINI_API_KEY": "canary-a1b2c3", "GOOGLE_API_KEY": "canary-a1b2c3", "GEMINI_MODEL": "canary-a1b2c3", "GEMINI_CLI_HOME": "/canary-a1b2c3"}
    assert house.runner(env=env).give().result()["status"] == "success"
    (request,) = house.upstream.requests
    assert b"canary" not in request.raw and "canary" not in json.dumps(request.headers)


def test_cli_by_its_name_or_entry(house):
    """As a command in PATH, as a link, and as the bundle's entry."""
    for cli, env in (("gemini", {"PATH": f"{CLI.parent}:/usr/bin:/bin"}), (CLI.resolve(), {})):
        assert house.runner(cli=cli, env=env).give().result()["status"] == "success"
