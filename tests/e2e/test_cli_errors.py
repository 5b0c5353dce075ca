# SPDX-License-Identifier: MIT
"""Failures behind the Gemini CLI: errors are those of the API, with the same texts, and a 200 is an answer."""
import json

import pytest

from house import MASKS, SECRETS, leaked
from jobs import MODEL, error_of, events_of, gone, line_of, run


# --- errors, as without the CLI ---

ERRORS = [
    "rpm retry=30s", "rpm retry=400s", "rpd", "limit_zero", "tpm", "spend_cap", "overload_429", "exhausted_plain",
    "invalid_argument", "contents", "model_not_found", "not_found", "location", "invalid_key", "suspended", "denied",
    "unauthenticated", "prepay_402", "internal", "overloaded", "deadline_504", "html_404", "html_413", "html_502",
]
ENDS = [f"*: error {e}" for e in ERRORS] + [
    "*: status 418 body \"short and stout\"", "*: empty", "*: garbage", "*: reset", "*: close",
    '*: text "" finish=MALFORMED_FUNCTION_CALL', '*: text "" finish=OTHER',
    "key=* times=3 : error rpm\n*: error invalid_argument",
]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("script", ENDS)
def test_error_like_the_api(cli, sim, script, stream):
    """Status, headers and body are those that the same request has without the CLI; never a 200 around an error. What
    the CLI asks is always a stream."""
    answers = []
    for model, streams in ((MODEL, True), ("cli/" + MODEL, stream)):
        sim.reset()
        sim.script(script)
        answers.append(cli().chat(model=model, stream=streams))
    direct, by_cli = answers
    names = ("Content-Type", "Retry-After", "x-should-retry", "WWW-Authenticate")
    assert direct.status >= 400, "the script makes no error"
    assert by_cli.status == direct.status, by_cli.body
    assert json.loads(by_cli.body) == json.loads(direct.body)
    for name in names:
        assert by_cli.header(name) == direct.header(name), name


@pytest.mark.parametrize("error,status", [
    ("rpm retry=30s", 429), ("rpd", 429), ("invalid_argument", 400), ("model_not_found", 404), ("invalid_key", 503),
])
def test_run_error_like_chat(cli, sim, error, status):
    """The error of /run-gemini is that of chat."""
    answers = []
    for ask in (lambda d: d.chat(), lambda d: run(d, "Hi"), lambda d: run(d, "Hi", stream=True)):
        sim.reset()
        sim.script(f"*: error {error}")
        answers.append(ask(cli()))
    chat, plain, streamed = answers
    assert [a.status for a in answers] == [status] * 3
    for a in (plain, streamed):
        assert json.loads(a.body) == json.loads(chat.body)
        assert a.header("Retry-After") == chat.header("Retry-After")


def test_no_key_left(cli, sim):
    """A pool without a usable key gives the same error on both ways, with the time when one frees."""
    sim.script("*: error rpm retry=30s")
    d = cli()
    assert d.chat().status == 429
    seen = sim.count()
    direct, by_cli, by_run = d.chat(), d.chat(model="cli/" + MODEL), run(d, "Hi")
    assert sim.count() == seen
    for a in (by_cli, by_run):
        assert a.status == direct.status == 429
        assert error_of(a) == error_of(direct)
        assert 0 < int(a.header("Retry-After")) <= int(direct.header("Retry-After"))


def test_pool_without_keys(cli):
    d = cli(unset=("API_KEYS",))
    direct, by_cli = d.chat(), d.chat(model="cli/" + MODEL)
    assert by_cli.status == direct.status >= 400 and error_of(by_cli) == error_of(direct)


BREAKS = [
    '*: text "a b c" chunks=3 pace=20ms cut after=1', '*: text "a b c" chunks=3 pace=20ms reset after=1',
    '*: text "a b c" chunks=3 end after=1', '*: text "a b c" chunks=3 error-in-stream code=503 after=1',
    '*: text "a b c" chunks=3 error-in-stream error=rpm after=1', '*: text "a b c" chunks=3 hang after=1',
]


# Without a finishReason a stream that ends well is an answer for the API's clients, but none for the CLI.
@pytest.mark.parametrize("script", [s for s in BREAKS if " end " not in s])
def test_stream_that_breaks_off_like_the_api(cli, sim, script):
    """After the first byte: the pieces that came, and then the error in the stream."""
    answers = []
    for model in (MODEL, "cli/" + MODEL):
        sim.reset()
        sim.script(script)
        answers.append(cli(STREAM_IDLE_TIMEOUT="300ms").chat(model=model, stream=True))
    direct, by_cli = [[e for e in events_of(a.body)] for a in answers]
    assert answers[0].status == answers[1].status == 200
    assert direct[-1]["error"] == by_cli[-1]["error"]
    assert b"[DONE]" not in answers[1].body
    sim.reset()
    sim.script(script)
    d = cli(STREAM_IDLE_TIMEOUT="300ms")
    by_run = run(d, "Hi", stream=True)
    assert events_of(by_run.body) == [{"stdout": "a"}, {"error": direct[-1]["error"]}]
    line = line_of(d)
    assert line["level"] == "warning" and line["status"] == 200 and line["verdict"] != "ok"


@pytest.mark.parametrize("script", BREAKS)
def test_whole_answer_that_breaks_off(cli, sim, script):
    """Not streamed, half of an answer is none."""
    sim.script(script)
    a = run(cli(STREAM_IDLE_TIMEOUT="300ms"), "Hi")
    assert a.status in (429, 502, 503), a.body
    assert "stdout" not in json.loads(a.body)


# --- keys, counters, log ---


def test_another_key_serves(cli, sim):
    """Failover happens under the job: its client, its log line and its CLI see one answer."""
    sim.script(f'key={SECRETS["KEY1"]} : error invalid_key\n*: text "Hello." usage=5/2/7')
    d = cli(LOG_LEVEL="INFO")
    a = run(d, "Hi")
    assert a.status == 200 and json.loads(a.body)["api_key_used"] == MASKS["MASK2"]
    line = line_of(d)
    assert line["status"] == 200 and line["attempts"] == 2 and line["key"] == MASKS["MASK2"]
    assert line["verdict"] == "ok" and line["tokens_in"] == 5 and line["tokens_out"] == 2 and line["model"] == MODEL
    assert line["finish_reason"] == "STOP" and line["token"] == MASKS["TOKENMASK"]
    assert d.ask("GET", "/health").status == 200
    d.wait_log("the next line", lambda e: e["message"].startswith("GET /health"))
    assert len([e for e in d.log() if e.get("status")]) == 2, "inner requests are no lines of this level"


def test_inner_lines_are_for_debugging(cli, sim):
    d = cli(LOG_LEVEL="DEBUG")
    a = run(d, "Hi")
    inner = d.wait_log("the inner line", lambda e: e.get("dialect") == "gemini")
    assert inner["level"].lower() == "debug" and inner["request_id"] == a.header("x-request-id")
    assert inner["client"] == "unix"


@pytest.mark.parametrize("error,verdict", [
    ("rpm retry=30s", "minute"), ("rpd", "day"), ("invalid_argument", "request"), ("overloaded", "overload"), ("invalid_key", "key_dead"),
    ("html_502", "foreign"),
])
def test_the_log_of_a_failure(cli, sim, error, verdict):
    """The verdict and the cause are those of the CLI's own request."""
    sim.script(f"*: error {error}")
    d = cli()
    a = run(d, "Hi")
    line = line_of(d)
    assert line["status"] == a.status and line["attempts"] == sim.count() and line["key"] in MASKS.values()
    assert line["verdict"] == verdict and line["cause"]


def test_counted_once(cli, sim):
    sim.script('*: text "Hello." usage=5/2/7')
    d = cli()
    for _ in range(3):
        assert run(d, "Hi").status == 200
    assert d.chat(model="cli/" + MODEL).status == 200
    stats = json.loads(d.ask("GET", "/stats", token="ADMIN").body)
    counted = {mask: (k["total_requests"], k["daily_requests"]) for mask, k in stats["api_key_stats"].items()}
    assert sorted(counted) == [MASKS["MASK1"], MASKS["MASK2"]]
    assert [sum(n) for n in zip(*counted.values())] == [4, 4]
    assert stats["global_summary"]["total_requests_all_time"] == 4
    assert list(stats["model_summary"]) == [MODEL]


# --- runners that are not as they should be ---

ODD_RUNNERS = [
    ("crash", 502, "went away"),
    ("half", 502, "went away"),
    ("retired", 502, "went away"),
    ("nocall", 400, "sent nothing"),
    ("broken", 502, "no such thing"),
    ("killed", 502, "a warning"),
    ("lost", 502, "the terminal is on fire"),
    ("count", 502, "only counted"),
    ("many", 502, "too often"),
    ("long", 502, "went away"),
]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("word,status,says", ODD_RUNNERS, ids=[r[0] for r in ODD_RUNNERS])
def test_odd_runner(cli, sim, records, word, status, says, stream):
    """Each gets its own status and a sentence, and never a 200."""
    sim.script('method=count : default\n*: text "a b" chunks=2')
    d = cli()
    a = run(d, word, stream=stream)
    if word == "half" and stream:
        piece, end = events_of(a.body)
        assert a.status == 200 and piece == {"stdout": "a"} and says in end["error"]["message"]
    else:
        assert a.status == status and says in error_of(a)["message"], a.body
    assert not leaked(a.body)
    gone(records)
    assert run(d, "Hi").status == 200


def test_a_tool_call_is_no_answer(cli, sim):
    call = {"candidates": [{"content": {"role": "model", "parts": [{"functionCall": {"name": "run_shell_command", "args": {}}}]},
                            "finishReason": "STOP"}]}
    sim.script(f"*: sse <<END\n{json.dumps(call)}\nEND")
    a = run(cli(), "Hi")
    assert a.status == 502 and "tool call" in error_of(a)["message"]


def test_retired_runner_is_replaced_once(cli, sim, records):
    """It hung up before anything was asked: another one gets the job, and its client sees nothing of it."""
    sim.script('*: text "Hello."')
    d = cli()
    assert run(d, "retire").status == 200
    assert len(records()) == 2 and sim.count() == 1
    assert run(d, "retired").status == 502
    assert len(records()) == 4


def test_lines_that_mean_nothing(cli, sim):
    sim.script('*: text "Hello there." chunks=3')
    a = run(cli(), "odd")
    assert a.status == 200 and json.loads(a.body)["stdout"] == "Hello there."


def test_second_call_of_a_job(cli, sim):
    """It may ask more than once; all of it is the job's."""
    sim.script('*: text "Hello." usage=5/2/7')
    d = cli()
    a = run(d, "twice")
    assert a.status == 200 and sim.count() == 2
    assert json.loads(a.body)["usage"] == {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}
    assert line_of(d)["attempts"] == 2


def test_calls_of_a_job_are_bounded(cli, sim):
    run(cli(), "many")
    assert sim.count() == 8


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_runner_that_refuses(cli, sim, special, large):
    """Its report is read, although it hung up before it read the job."""
    d = cli(CLI_RUNNER=special("refuse"))
    for _ in range(5):
        a = run(d, "a" * 2_000_000 if large else "Hi")
        assert a.status == 502 and "too large a job" in error_of(a)["message"], a.body
    assert sim.count() == 0


def test_runner_that_is_gone(cli, special, records):
    d = cli(CLI_RUNNER=special("gone"))
    a = run(d, "a" * 2_000_000)
    assert a.status == 502 and "went away" in error_of(a)["message"]
    assert len(records()) == 2


def test_runner_that_is_none(cli, tmp_path):
    """503 with the reason: no such program, one that cannot be run, no such socket."""
    (tmp_path / "file").write_text("")
    for runner in (tmp_path / "none", tmp_path / "file", f"unix:{tmp_path}/none.sock"):
        d = cli(CLI_RUNNER=str(runner))
        a = run(d, "Hi")
        assert a.status == 503 and "CLI_RUNNER" in error_of(a)["message"], a.body
        d.wait_log("the warning", lambda e: e["level"] == "warning" and "CLI_RUNNER" in e["message"])
        line = line_of(d)
        assert line["verdict"] == "cli" and line["cause"].startswith(f"No runner for the Gemini CLI is available (CLI_RUNNER={runner})")


def test_no_socket_for_jobs(cli, tmp_path, records):
    """Without the inner listener there are no jobs, and all else is served."""
    d = cli(TMPDIR=str(tmp_path / "none"))
    a = run(d, "Hi")
    assert a.status == 503 and "no socket" in error_of(a)["message"], a.body
    line = line_of(d)
    assert line["verdict"] == "cli" and "no socket" in line["cause"]
    assert d.chat().status == 200 and records() == []
