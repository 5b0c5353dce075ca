# SPDX-License-Identifier: MIT
"""The script: which rule is taken, every behaviour, every error, and the control routes."""
import base64
import hashlib
import json
import re
import signal
import time
from pathlib import Path

import house
import process
import pytest
import wait
from ask import MODEL, ask, connect, events, get, hello, request, text_of

STREAM = "streamGenerateContent"
README = Path(__file__).with_name("README.md").read_text()


def texts(sim, *asks):
    return [text_of(ask(sim, *a, **kw)[1]) for a, kw in asks]


# --- rules ---

RULES = """
# the order of lines is the order of trying
key=K1 model=gemini-3.8-flash times=2 : text one
key=K1                                : text "two"
key=K[23] method=stream: text three
body="needle \\" here"                : text four
* : text five
"""


def test_rules(sim):
    sim.script(RULES.replace('needle \\" here', "needle"))
    assert texts(sim, ((), {"model": "gemini-3.7-flash"}), *[((), {})] * 3) == ["two", "one", "one", "two"]
    assert texts(sim, ((), {"key": "K2"}), (("generateContent", hello("the needle")), {"key": "K2"})) == ["five", "four"]
    answer, _ = ask(sim, STREAM, key="K3")
    assert "".join(map(text_of, events(answer))) == "three"
    lines = [r.answer["line"] for r in sim.requests()]
    assert lines == [4, 3, 3, 4, 7, 6, 5]
    assert sim.requests()[1].answer["rule"] == "text one"


def test_skip(sim):
    sim.script("key=K1 skip=2 times=1: text third\n*: text other\n")
    assert texts(sim, *[((), {})] * 4) == ["other", "other", "third", "other"]


def test_a_bad_request_takes_nothing_from_times(sim):
    sim.script("times=1: text scripted\n")
    assert ask(sim, body={})[0].status == 400
    assert texts(sim, ((), {})) == ["scripted"]


def test_only_generating_without_a_method(sim):
    sim.script("*: error rpm\nmethod=count: error internal\n")
    assert get(sim, "/v1beta/models")[0].status == 200
    assert ask(sim, "countTokens")[0].status == 500
    assert ask(sim)[0].status == 429
    sim.script("method=*: error rpm\n")
    assert get(sim, "/v1beta/models")[0].status == get(sim, f"/v1beta/models/{MODEL}")[0].status == 429


def test_append(sim):
    sim.script("key=K1: text a\n")
    sim.control("POST", "/sim/script?append=1", b"*: text b\n")
    assert texts(sim, ((), {}), ((), {"key": "K2"})) == ["a", "b"]
    sim.script("*: text c\n")
    assert texts(sim, ((), {})) == ["c"]


WRONG = [
    ("x\n", "line 1: no `:` between conditions and behaviour"),
    ("\n*: text\n", "line 2: `text`: its value is wrong"),
    ('*: text "x\n', "line 1: `text`: its value is wrong"),
    ("*: error nothing\n", "line 1: `error`: no error of this name"),
    ("*: fly\n", "line 1: unknown word `fly`"),
    ("*: text x speed=1\n", "line 1: unknown word `speed`"),
    ("*: text x chunks=many\n", "line 1: `chunks`: its value is wrong"),
    ("*: delay 5parsecs\n", "line 1: `delay`: its value is wrong"),
    ("*: json {\n", "line 1: `json`: its value is wrong"),
    ("*: sse <<END\n{}\n", "line 1: the here-document has no end"),
    ("colour=red: text x\n", "line 1: `colour`: unknown condition"),
    ("times=x: text x\n", "line 1: `times`: its value is no number"),
    ("K1: text x\n", "line 1: `K1`: is no NAME=VALUE"),
    ("*: text good\nK1: text x\n", "line 2: `K1`: is no NAME=VALUE"),
]


@pytest.mark.parametrize("script, message", WRONG)
def test_wrong_script(sim, script, message):
    sim.script("*: text before\n")
    with connect(sim) as c:
        c.send(b"POST /sim/script?append=1 HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(script), script.encode()))
        answer = c.read("POST")
    assert (answer.status, answer.body.decode().strip()) == (400, message)
    assert texts(sim, ((), {})) == ["before"], "a script that is wrong must change nothing"


# --- answers ---


def test_text_options(sim):
    sim.script('*: text "ab" chunks=2 finish=SAFETY model=other usage=10/5/99 thoughts=3 cached=4 thought="hm" '
               "signature=c2ln header=\"X-Extra: 1\"\n")
    answer, _ = ask(sim, STREAM)
    assert answer.header("x-extra") == "1"
    first, a, b = events(answer)
    assert first["candidates"][0]["content"]["parts"] == [{"text": "hm", "thought": True}]
    assert a["candidates"][0]["content"]["parts"] == [{"text": "a"}]
    assert b["candidates"][0]["content"]["parts"] == [{"text": "b", "thoughtSignature": "c2ln"}]
    assert b["candidates"][0]["finishReason"] == "SAFETY" and b["modelVersion"] == "other"
    usage = b["usageMetadata"]
    del usage["promptTokensDetails"]
    assert usage == {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 99, "thoughtsTokenCount": 3,
                     "cachedContentTokenCount": 4}
    assert len(ask(sim)[1]["candidates"][0]["content"]["parts"]) == 2


def test_more_chunks_than_bytes(sim):
    sim.script('*: text "xy" chunks=1000')
    parts = events(ask(sim, STREAM)[0])
    assert [text_of(p) for p in parts] == ["xy"] * 1000
    assert [i for i, p in enumerate(parts) if "finishReason" in p["candidates"][0]] == [999]


def test_literal(sim):
    sim.script('key=K1: json {"a": [1, "x : y"]} header="X-A: b"\n'
               "key=K2: sse <<EOT\n{\"n\":1}\n\n{\"n\":2}\nEOT\n"
               'key=K3: raw "event: x\\ndata: y\\n\\n"\n'
               "key=K4: text <<EOT\n two\nlines\nEOT\n")
    assert ask(sim)[0].body == b'{"a": [1, "x : y"]}'
    assert events(ask(sim, STREAM)[0]) == [{"a": [1, "x : y"]}]
    assert events(ask(sim, STREAM, key="K2")[0]) == [{"n": 1}, {"n": 2}]
    assert ask(sim, STREAM, key="K2", alt=None)[1] == [{"n": 1}, {"n": 2}]
    assert ask(sim, STREAM, key="K3")[0].body == b"event: x\ndata: y\n\n"
    assert texts(sim, ((), {"key": "K4"})) == [" two\nlines"]


def test_without_candidates(sim):
    sim.script("key=K1: empty\nkey=K2: blocked SAFETY\nkey=K3: garbage\n")
    body = ask(sim)[1]
    assert "candidates" not in body and body["usageMetadata"]["promptTokenCount"] == 2
    assert ask(sim, key="K2")[1]["promptFeedback"] == {"blockReason": "SAFETY"}
    assert [e["promptFeedback"] for e in events(ask(sim, STREAM, key="K2")[0])] == [{"blockReason": "SAFETY"}]
    answer, body = ask(sim, key="K3")
    assert answer.status == 200 and body is None


def test_status(sim):
    sim.script('*: status 418 body "short\\nstout" type=text/plain header="Retry-After: 3"')
    for verb in ("generateContent", STREAM):
        answer, _ = ask(sim, verb)
        assert (answer.status, answer.body, answer.header("content-type")) == (418, b"short\nstout", "text/plain")
        assert answer.header("retry-after") == "3"


@pytest.mark.parametrize("size, chunks", [(10, 1), (16384, 1), (16385, 2), (5 << 20, 320)])
def test_big(sim, size, chunks):
    sim.script(f"*: big {size}")
    parts = events(ask(sim, STREAM)[0])
    assert len(parts) == chunks and sum(len(text_of(p)) for p in parts) == size
    assert len(text_of(ask(sim)[1])) == size


def test_big_waits_for_its_reader(sim):
    sim.script("*: big 300M chunks=20000")
    with connect(sim, receive_buffer=4096) as c:
        c.send(request(STREAM))
        c.read_head()

        def stalled():
            before = sim.requests()[-1].answer["bytes"]
            end = time.monotonic() + 0.1
            wait.until("a moment to pass", lambda: time.monotonic() > end)
            return before == sim.requests()[-1].answer["bytes"] > 0

        wait.until("the server to wait", stalled)
        assert sim.requests()[-1].answer["bytes"] < 32 << 20


# --- errors ---


def error_names():
    text = re.search(r"^Errors: (.*?)\n\n", README, re.M | re.S)[1]
    return [n for n in re.findall(r"[a-z][a-z0-9_]+", text.replace("(= day)", "day"))]


@pytest.mark.parametrize("name", error_names())
def test_every_error_has_its_shape(sim, name):
    sim.script(f"*: error {name}")
    answer, body = ask(sim, key="KEY-OF-MINE")
    if name.startswith("html"):
        assert body is None and f"{answer.status}.".encode() in answer.body
        assert answer.header("content-type").startswith("text/html")
        return
    error = body["error"]
    assert answer.status == error["code"] and error["message"] and error["status"] and "$" not in error["message"]
    assert set(error) <= {"code", "message", "status", "details"}
    for d in error.get("details", []):
        assert d["@type"].startswith("type.googleapis.com/google.rpc.")
    assert ("KEY-OF-MINE" in answer.body.decode()) == (name == "suspended")


def test_errors_word_for_word(sim):
    sim.script("key=K1: error invalid_key\nkey=K2: error rpd\n")
    message = "API key not valid. Please pass a valid API key."
    assert ask(sim)[1] == {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
         "metadata": {"service": "generativelanguage.googleapis.com"}},
        {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message}]}}
    model = "gemini-3.5-flash"
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    assert ask(sim, key="K2", model=model)[1] == {"error": {
        "code": 429,
        "message": "You exceeded your current quota, please check your plan and billing details. For more information on "
        "this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: "
        f"https://ai.dev/rate-limit. \n* Quota exceeded for metric: {metric}, limit: 20, model: {model}\n"
        "Please retry in 38.90923309s.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.Help", "links": [
                {"description": "Learn more about Gemini API quotas",
                 "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}]},
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
                {"quotaMetric": metric, "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
                 "quotaDimensions": {"location": "global", "model": model}, "quotaValue": "20"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "38s"}]}}


def test_error_options(sim):
    sim.script('key=K1: error rpm retry=0.5s quota=7\nkey=K2: error rpm retry=none\n'
               'key=K3: error overloaded message="no \\"such\\" luck" code=500 nocode array\n')
    error = ask(sim)[1]["error"]
    assert error["message"].endswith("limit: 7, model: gemini-3.8-flash\nPlease retry in 0.5s.")
    assert error["details"][1]["violations"][0]["quotaValue"] == "7" and error["details"][2]["retryDelay"] == "0.5s"
    error = ask(sim, key="K2")[1]["error"]
    assert len(error["details"]) == 2 and "retry in" not in error["message"]
    answer, body = ask(sim, key="K3")
    assert answer.status == 500
    assert body == [{"error": {"message": 'no "such" luck', "status": "INTERNAL"}}]


def test_limit_zero_has_no_value(sim):
    sim.script("*: error limit_zero")
    error = ask(sim)[1]["error"]
    assert "limit: 0, model" in error["message"]
    assert all("quotaValue" not in v for v in error["details"][1]["violations"])


def test_the_key_is_quoted_well(sim):
    sim.script("*: error suspended")
    assert "'api_key:K\"1\\'" in ask(sim, key='K"1\\')[1]["error"]["message"]


# --- failures ---

TEXT = '*: text "a b c d" chunks=4 '


def broken(sim, verb=STREAM):
    """What a client got: (answer or None, was it a reset)."""
    with connect(sim) as c:
        c.send(request(verb))
        resets = []

        def fill():
            """As Connection's, but it remembers how the end came."""
            if c.closed:
                return False
            try:
                data = c.sock.recv(65536)
            except ConnectionResetError:
                data = b""
                resets.append(True)
            c.closed = not data
            c.buffer += data
            return bool(data)

        c.fill = fill
        answer = c.read("POST")
        if answer is None or not answer.complete:
            c.wait_closed()
    return answer, bool(resets)


@pytest.mark.parametrize("verb", ["generateContent", STREAM])
@pytest.mark.parametrize("how, reset", [("reset", True), ("close", False)])
def test_no_byte(sim, how, reset, verb):
    sim.script(f"*: {how}")
    assert broken(sim, verb) == (None, reset)
    answer = sim.requests()[-1].answer
    assert (answer["status"], answer["bytes"], answer["done"], answer["hung_up"]) == (0, 0, True, False)


@pytest.mark.parametrize("how, reset", [("reset", True), ("cut", False)])
@pytest.mark.parametrize("after", [0, 1, 3, 4])
def test_broken_stream(sim, how, reset, after):
    sim.script(TEXT + f"{how} after={after}")
    answer, was_reset = broken(sim)
    assert answer.status == 200 and not answer.complete and was_reset == reset
    assert answer.body.count(b"data: ") == after == sim.requests()[-1].answer["events"]


@pytest.mark.parametrize("how", ["reset", "cut", "hang"])
def test_broken_plain_answer(sim, how):
    sim.script(TEXT + f"{how} after=10")
    with connect(sim) as c:
        c.send(request())
        head = c.read_head()
        while len(c.buffer) < 10:
            assert c.fill()
        assert int(head.header("content-length")) > 10 and len(c.buffer) == 10
        if how != "hang":
            c.wait_closed()
            assert len(c.buffer) == 10


def test_stream_without_an_end(sim):
    sim.script(TEXT + "end after=2")
    answer, _ = broken(sim)
    assert answer.complete
    assert [text_of(e) for e in events(answer)] == ["a", " b"] and b"finishReason" not in answer.body


ERRORS_IN_STREAM = [
    ("", {"code": 503, "status": "UNAVAILABLE"}),
    ("code=500", {"code": 500, "status": "INTERNAL"}),
    ("error=suspended", {"code": 403, "status": "PERMISSION_DENIED"}),
    ("error=internal nocode", {"status": "INTERNAL"}),
]


@pytest.mark.parametrize("options, wanted", ERRORS_IN_STREAM)
def test_error_in_stream(sim, options, wanted):
    sim.script(TEXT + f"error-in-stream after=2 {options}")
    answer, _ = ask(sim, STREAM)
    assert answer.status == 200 and answer.complete
    *good, bad = events(answer)
    assert [text_of(e) for e in good] == ["a", " b"]
    assert {k: v for k, v in bad["error"].items() if k in ("code", "status")} == wanted
    assert len(ask(sim, STREAM, alt=None)[1]) == 3


def test_hang_in_stream(sim):
    sim.script(TEXT + "hang after=1")
    with connect(sim) as c:
        c.send(request(STREAM))
        c.read_until(b'"a"')
        assert sim.requests()[-1].answer["events"] == 1
    sim.wait_hung_up()


def test_pace_and_delay(sim):
    """Never early; how late depends on the machine."""
    sim.script('*: text "a b c d" chunks=4 pace=20ms delay=30ms')
    start = time.monotonic()
    assert len(events(ask(sim, STREAM)[0])) == 4
    assert time.monotonic() - start >= 0.09


@pytest.mark.parametrize("how", ["slow-headers pace=100us", "drip pace=100us", "drip pace=1ms size=50"])
@pytest.mark.parametrize("verb", ["generateContent", STREAM])
def test_slow(sim, how, verb):
    sim.script(f"*: text abc {how}")
    answer, _ = ask(sim, verb)
    assert answer.status == 200 and answer.complete and b'"STOP"' in answer.body


def test_thousand_streams_in_step(sim):
    """All are open at once: none has an end before the last has its beginning."""
    sim.script('*: text "a b" chunks=2 hang after=1')
    streams = [connect(sim) for _ in range(1000)]
    for c in streams:
        c.send(request(STREAM))
    for c in streams:
        c.read_until(b'"a"')
    assert json.loads(sim.control("GET", "/sim/status"))["in_progress"] == 1000
    for c in streams:
        c.close()
    wait.until("the end of all", lambda: json.loads(sim.control("GET", "/sim/status"))["in_progress"] == 0)


# --- control, and the program ---


def test_log(sim):
    ask(sim, STREAM, hello("ümlaut"), headers=[("User-Agent", "me")])
    entry = json.loads(sim.control("GET", "/sim/log"))
    assert (entry["seq"], entry["method"], entry["path"], entry["query"], entry["model"], entry["verb"], entry["key"]) == (
        1, "POST", f"/v1beta/models/{MODEL}:{STREAM}", "alt=sse", MODEL, STREAM, "K1")
    assert entry["headers"]["user-agent"] == "me" and entry["headers"]["x-goog-api-key"] == "K1"
    assert json.loads(entry["body"]) == hello("ümlaut")
    assert abs(entry["time"] - time.time()) < 60
    sim.control("DELETE", "/sim/log")
    assert sim.requests() == []
    ask(sim)
    sim.control("POST", "/sim/log/clear")
    assert sim.requests() == []


class At:
    """A simulator that listens at a port."""

    def __init__(self, folder):
        file = folder / "port"
        self.port = int(wait.until("the port", lambda: file.exists() and file.read_text()))


def run(folder, *argv):
    p = process.Process([house.GEMINI_SIM, *argv], {}, folder)
    return p.wait(), p.out.read_text(), p.err.read_text()


@pytest.mark.parametrize("argv, status", [
    (["--listen=0.0.0.0:0"], 64), (["--listen=192.0.2.1:80"], 64), (["--listen=[::]:80"], 64), (["--listen=x"], 64),
    (["--fly"], 64), (["extra"], 64), (["--help"], 0), (["--script=/nonexistent"], 78),
])
def test_arguments(tmp_path, argv, status):
    assert run(tmp_path, *argv)[0] == status


def test_wrong_script_file(tmp_path):
    (tmp_path / "script").write_text("\n*: fly\n")
    status, _, err = run(tmp_path, "--script=script")
    assert status == 78 and err == "gemini-sim: script: line 2: unknown word `fly`\n"


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_program(tmp_path, which):
    (tmp_path / "script").write_text("*: text scripted\n")
    p = process.Process([house.GEMINI_SIM, "--script=script", "--log=log", "--port-file=port"], {}, tmp_path)
    sim = At(tmp_path)
    assert p.out.read_text() == f"gemini-sim: listening on http://127.0.0.1:{sim.port}\n"
    assert texts(sim, ((), {})) == ["scripted"]
    line = wait.until("the log", lambda: (tmp_path / "log").read_text())
    assert json.loads(line)["answer"]["status"] == 200
    with connect(sim), connect(sim) as waiting:
        waiting.send(request()[:-5])
        p.signal(which)
        assert p.wait() == 0
    p.check()


def test_lax(tmp_path):
    (tmp_path / "script").write_text("key=K1: text scripted\nkey=K2: error suspended\n")
    p = process.Process([house.GEMINI_SIM, "--script=script", "--lax", "--port-file=port"], {}, tmp_path)
    sim = At(tmp_path)
    assert texts(sim, (("generateContent", b"no json"), {}), ((), {"model": "sim-2"})) == ["scripted", "scripted"]
    assert [ask(sim, model=m)[1]["modelVersion"] for m in ("sim-2", MODEL)] == ["sim-2", MODEL]
    assert len(events(ask(sim, STREAM)[0])) == 3
    assert "K2" in ask(sim, key="K2")[1]["error"]["message"]
    assert get(sim, "/sim/log")[0].body == b""
    assert get(sim, "/sim/status")[1]["total"] == 6
    p.stop()


# --- what must have arrived ---

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
HOLDS = f"""
unmatched refuse
result="21 degrees" result=rain : text results
sha256={hashlib.sha256(PICTURE).hexdigest()} : text picture
property=city property=unit : text schema
body="Hi there" : text plain
"""


def parted(*parts, **more):
    return {"contents": [{"role": "user", "parts": list(parts)}], **more}


def test_what_arrived(sim):
    sim.script("signatures off" + HOLDS)
    data = base64.b64encode(PICTURE).decode()
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}}
    tool = {"functionDeclarations": [{"name": "f", "parametersJsonSchema": schema}]}
    assert texts(
        sim,
        ((), {"body": parted({"inlineData": {"mimeType": "image/png", "data": data}})}),
        ((), {"body": parted({"inlineData": {"mimeType": "image/png", "data": data.rstrip("=").replace("+", "-")}})}),
        ((), {"body": hello("x", tools=[tool])}),
        ((), {"body": hello("x", generationConfig={"responseMimeType": "application/json", "responseJsonSchema": schema})}),
        ((), {}),
    ) == ["picture", "picture", "schema", "schema", "plain"]
    asked = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
    for response, wanted in (({"a": ["21 degrees, rain"]}, 200), ({"a": "21 degrees"}, 400)):
        result = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": response}}]}
        body = {"contents": [hello("x")["contents"][0], asked, result], "tools": [{"functionDeclarations": [{"name": "f"}]}]}
        assert ask(sim, body=body)[0].status == wanted


def test_what_did_not_arrive(sim):
    """A text is no result, and another picture is another."""
    sim.script(HOLDS)
    for body in (hello("21 degrees, rain"), parted({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
                 hello("city unit"), hello("x")):
        answer, refusal = ask(sim, body=body)
        assert answer.status == 400 and refusal["error"]["message"] == "No rule of the script fits this request."
