# SPDX-License-Identifier: MIT
"""The Live API: sessions, their keys, their ends."""
import concurrent.futures
import json
import signal

import pytest
from websockets.exceptions import InvalidStatus

import http1
import wait
from cost import memory
from house import SECRETS
from live import MODEL, PATH, ask, ended, line, receive, say, send, session, settled, setup, stats, turn
from test_files import KEYS, POOL, PROJECTS

TWO = json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])
OPEN = 'method=live : live <<END\nsend {"setupComplete":{}}\n'


def keys(sim):
    return [r.key for r in sim.requests()]


# --- a session ---

def test_a_session(sim, daemon):
    """Setup, two turns; the log's line, the counters."""
    with session(daemon) as ws:
        setup(ws)
        text, end = turn(ws, "one")
        assert text == "gemini-sim got: one" and end["usageMetadata"]["totalTokenCount"] == 15
        assert turn(ws, "two")[0] == "gemini-sim got: two"
        assert stats(daemon)["live"] == {"open": 1, "total": 1, "total_turned_away": 0}
    [r] = sim.requests()
    assert r.target == PATH.format("v1beta") and r.answer["model"] == MODEL and r.answer["n_messages"] == 3
    assert r.key in KEYS[:2] and r.header("authorization") is None
    m = line(daemon)
    assert (m["status"], m["model"], m["verdict"], m["dialect"]) == (101, MODEL, "ok", "gemini")
    assert (m["messages_in"], m["messages_out"], m["tokens_in"], m["tokens_out"]) == (3, 7, 20, 10)
    settled(daemon)
    s = stats(daemon)
    assert s["model_summary"][MODEL]["total_daily_requests"] == 1 and s["global_summary"]["client_requests_today"] == 1
    assert s["model_summary"][MODEL]["total_errors"] == 0


def test_messages_pass_byte_for_byte(sim, daemon):
    sim.script(OPEN + 'await any\nsend-text {"serverContent": {"x" : 1.0e3},"é":"\\u0041"}\n'
               'send-pieces {"toolCall":{"functionCalls":[]}}\nEND\n')
    said = '{"realtimeInput" :{"audio": {"data":"AAAA", "mimeType":"audio/pcm"}}, "realtimeInput":{"text":"ü"} }'
    with session(daemon) as ws:
        setup(ws)
        ws.send('{"realtimeInput" :{"text": "ü\\u00fc" } }')
        assert ws.recv(timeout=wait.DEADLINE) == '{"serverContent": {"x" : 1.0e3},"é":"\\u0041"}'
        assert ws.recv(timeout=wait.DEADLINE) == b'{"toolCall":{"functionCalls":[]}}'
        ws.send(said.encode())
    settled(daemon)
    [r] = sim.requests()
    assert r.answer["messages"] and r.answer["n_messages"] == 3


@pytest.mark.parametrize("version", ["v1beta", "v1alpha", "v1"])
def test_versions(sim, daemon, version):
    with session(daemon, version=version) as ws:
        setup(ws)
    assert sim.requests()[0].target == PATH.format(version)


def test_messages_behind_setup_wait(sim, daemon):
    """For the second key, too."""
    sim.script("times=1 method=live : error rpd\n")
    with session(daemon) as ws:
        ask(ws)
        for i in range(3):
            say(ws, f"{i}")
        assert receive(ws) == {"setupComplete": {}}
        texts = []
        while len(texts) < 3:
            m = receive(ws).get("serverContent", {}).get("modelTurn")
            texts += [m["parts"][0]["text"]] if m else []
        assert texts == [f"gemini-sim got: {i}" for i in range(3)]


def test_a_base_url_that_ends_with_a_slash(sim, daemon):
    """As Google's SDK for JavaScript makes it; no other path may begin so."""
    from websockets.sync.client import connect

    with connect(f"ws://{daemon.host}/{PATH.format('v1beta')}?key={SECRETS['TOKEN']}", proxy=None) as ws:
        setup(ws)
    assert daemon.ask("GET", "//health").status == 404 and sim.requests()[0].target == PATH.format("v1beta")


def test_an_alias(sim, start):
    d = start(MODEL_ALIASES=json.dumps({"talk": MODEL, "cli-talk": "cli/gemini-3.8-flash"}))
    with session(d) as ws:
        setup(ws, "talk", systemInstruction={"parts": [{"text": "models/talk"}]})
    [r] = sim.requests()
    assert r.answer["model"] == MODEL and '"models/talk"' in json.dumps(r.answer["messages"])
    m = line(d)
    assert (m["model"], m["served_model"]) == ("talk", MODEL)
    with session(d) as ws:
        ask(ws, "cli-talk")
        code, reason = ended(ws)
        assert code == 1007 and "Gemini CLI" in reason


# --- who may ---

@pytest.mark.parametrize("headers, query", [
    ({"x-goog-api-key": "{TOKEN}"}, ""), ({"Authorization": "Bearer {TOKEN}"}, ""), ({}, "?key={TOKEN}"),
])
def test_the_token(daemon, headers, query):
    fill = lambda s: s.replace("{TOKEN}", SECRETS["TOKEN"])
    with session(daemon, headers={k: fill(v) for k, v in headers.items()}, query=fill(query)) as ws:
        setup(ws)


@pytest.mark.parametrize("headers, query", [
    ({}, ""), ({"x-goog-api-key": "wrong"}, ""), ({"Authorization": "Token auth_tokens/x"}, ""), ({}, "?access_token=auth_tokens/x"),
])
def test_without_a_token(sim, daemon, headers, query):
    with pytest.raises(InvalidStatus) as e:
        session(daemon, headers=headers, query=query)
    assert e.value.response.status_code == 401 and sim.count() == 0


HANDSHAKE = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
             ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]


def test_what_is_no_handshake(sim, daemon, start):
    path = PATH.format("v1beta")
    a = daemon.ask("GET", path)
    assert a.status == 426 and a.header("upgrade") == "websocket" and "WebSocket" in json.loads(a.body)["error"]["message"]
    assert daemon.ask("POST", path, body={}).status == 405
    a = daemon.ask("GET", path + "Constrained", HANDSHAKE)
    assert a.status == 403 and "auth_tokens" in json.loads(a.body)["error"]["message"]
    a = daemon.ask("GET", path, [*HANDSHAKE, ("Origin", "https://example.com")])
    assert a.status == 403 and "CORS_ORIGINS" in json.loads(a.body)["error"]["message"]
    a = start(MAX_LIVE="0").ask("GET", path, HANDSHAKE)
    assert a.status == 404 and "MAX_LIVE" in json.loads(a.body)["error"]["message"]
    assert sim.count() == 0


def test_a_page(start):
    d = start(CORS_ORIGINS='["https://example.com"]')
    with session(d, origin="https://example.com") as ws:
        setup(ws)


def test_too_many(start):
    d = start(MAX_LIVE="1")
    with session(d) as ws:
        setup(ws)
        with pytest.raises(InvalidStatus) as e:
            session(d)
        assert e.value.response.status_code == 503
        assert turn(ws)[0]
    settled(d)
    assert stats(d)["live"] == {"open": 0, "total": 1, "total_turned_away": 1}
    with session(d) as ws:
        setup(ws)


# --- keys ---

@pytest.mark.parametrize("fault, verdict", [
    ("error invalid_key", "key_dead"), ("error rpd", "rate_unknown"), ("error denied", "project_dead"),
    ("error overloaded", "overload"), ('status 503 body "x"', "foreign"), ("reset", "unreachable"), ("close", "unreachable"),
    ("live <<END\ncut\nEND", "unreachable"), ("live <<END\nreset\nEND", "unreachable"),
    ("live <<END\nclose 1011 Internal error encountered.\nEND", "overload"), ("live <<END\nclose 1000\nEND", "overload"),
    ("live <<END\nraw garbage\nEND", "foreign"),
])
def test_another_key_before_setup_is_complete(sim, daemon, fault, verdict):
    sim.script(f"times=1 method=live : {fault}\n")
    with session(daemon) as ws:
        setup(ws)
        assert turn(ws)[0] == "gemini-sim got: Hi"
    m = line(daemon)
    assert m["verdicts"] == f"{verdict}, ok" and m["attempts"] == 2
    first, second = keys(sim)
    assert first != second
    settled(daemon)
    assert stats(daemon)["live"]["total"] == 1


def test_all_keys_fail(sim, daemon):
    sim.script("method=live : error rpd\n")
    with session(daemon) as ws:
        ask(ws)
        code, reason = ended(ws)
    assert code == 1011 and 0 < len(reason.encode()) <= 123
    assert sorted(keys(sim)) == sorted(KEYS[:2])
    m = line(daemon)
    assert m["stream_error"] == 429 and m["verdict"] == "rate_unknown"


def test_invalid_keys(sim, daemon):
    """A fault of the pool is not the client's: no 1007, and no key in the reason."""
    sim.script("method=live : error invalid_key\n")
    with session(daemon) as ws:
        ask(ws)
        code, reason = ended(ws)
    assert code == 1011 and not any(k[:12] in reason for k in KEYS)
    with session(daemon) as ws:
        ask(ws)
        assert ended(ws)[0] == 1011
    assert sim.count() == 2  # the second session has no key to try


@pytest.mark.parametrize("step, end", [
    ("close 1007 Request contains an invalid argument.", (1007, "Request contains an invalid argument.")),
    ("close 1008 models/x is not found for API version v1beta", (1008, "models/x is not found for API version v1beta")),
])
def test_the_request_is_at_fault(sim, daemon, step, end):
    """One try, and Google's own end."""
    sim.script(f"method=live : live <<END\n{step}\nEND\n")
    with session(daemon) as ws:
        ask(ws)
        assert ended(ws) == end
    assert sim.count() == 1 and line(daemon)["verdict"] == "request"


def test_a_long_reason_is_cut_at_a_character(sim, start):
    d = start(MODEL_ALIASES="{}")
    sim.script("method=live : live <<END\nclose 1007 " + "é" * 61 + "\nEND\n")
    with session(d) as ws:
        ask(ws)
        assert ended(ws) == (1007, "é" * 60) or ended(ws)[1].startswith("é" * 60)


# --- the first message ---

@pytest.mark.parametrize("first, code", [
    ('{"clientContent":{}}', 1007), ("[]", 1007), ("{", 1007), ("", 1007), (b"\x00\x01", 1007), ('{"setup":{}}', 1007),
    ('{"setup":{"model":"models/a","model":"models/b"}}', 1007), ('{"setup":{"model":"models/{TOKEN}"}}', 1007),
])
def test_a_wrong_first_message(sim, daemon, first, code):
    with session(daemon) as ws:
        ws.send(first.replace("{TOKEN}", SECRETS["TOKEN"]) if isinstance(first, str) else first)
        got, reason = ended(ws)
        assert got == code and reason and SECRETS["TOKEN"] not in reason
    assert sim.count() == 0
    settled(daemon)


@pytest.mark.parametrize("later", ["{,}", '{"s\\u0065tup":{"model":"models/other"}}'])
def test_a_wrong_later_message(sim, daemon, later):
    with session(daemon) as ws:
        setup(ws)
        ws.send(later)
        assert ended(ws)[0] == 1007
    settled(daemon)
    [r] = sim.requests()
    assert r.answer["n_messages"] == 1 and r.answer["closed"] == 1001


@pytest.mark.parametrize("first", [True, False])
def test_an_oversized_message(sim, start, first):
    d = start(LIVE_MAX_MESSAGE="64K")
    with session(d) as ws:
        if not first:
            setup(ws)
            ws.send('{"realtimeInput":{"text":"' + "a" * (60 << 10) + '"}}')
            assert "serverContent" in receive(ws)
        ws.send('{"setup":{"model":"' + "a" * (64 << 10) + '"}}')
        assert ended(ws)[0] == 1009
    assert line(d)["stream_error"] == 413


# --- handles and files ---

@pytest.fixture
def shared(sim, start):
    sim.script(PROJECTS)
    return start(API_KEYS=POOL, ALLOWED_TOKENS=TWO)


def handle_of(ws):
    setup(ws, sessionResumption={})
    return receive(ws)["sessionResumptionUpdate"]["newHandle"]


def project_of(key):
    return "p" if key in KEYS[1:3] else key


def test_a_session_is_resumed_with_a_key_of_its_project(sim, shared):
    for _ in range(3):
        with session(shared) as ws:
            handle = handle_of(ws)
        with session(shared) as ws:
            setup(ws, sessionResumption={"handle": handle})
        first, second = keys(sim)[-2:]
        assert project_of(first) == project_of(second)


@pytest.mark.parametrize("spell", [
    lambda h: {"sessionResumption": {"handle": h}}, lambda h: {"session_resumption": {"handle": h}},
])
def test_a_handle_is_its_clients(sim, shared, spell):
    with session(shared) as ws:
        handle = handle_of(ws)
    n = sim.count()
    with session(shared, "TOKEN2") as ws:
        ask(ws, **spell(handle))
        code, reason = ended(ws)
        assert code == 1008 and handle not in reason
    with session(shared, "TOKEN2") as ws:
        ws.send('{"setup":{"model":"models/%s","sessionResumption":{"handle":"x","h\\u0061ndle":%s}}}' % (MODEL, json.dumps(handle)))
        assert ended(ws)[0] == 1008
    with session(shared) as ws:
        ask(ws, sessionResumption={"handle": "unknown"})
        assert ended(ws)[0] == 1008
    assert sim.count() == n
    with session(shared, "ADMIN") as ws:
        setup(ws, **spell(handle))


def test_a_handle_outlives_a_restart(sim, start, tmp_path):
    state = {"API_KEYS": POOL, "STATE_URL": f"sqlite:{tmp_path}/s", "ALLOWED_TOKENS": TWO}
    sim.script(PROJECTS)
    d = start(**state)
    with session(d) as ws:
        handle = handle_of(ws)
        turn(ws)
        newer = receive(ws)["sessionResumptionUpdate"]["newHandle"]
    settled(d)
    d.process.stop()
    d = start(**state)
    for h in (handle, newer):
        with session(d) as ws:
            setup(ws, sessionResumption={"handle": h})


def test_a_file_of_another_client(sim, shared):
    from test_files import Files

    files = Files(shared)
    name = json.loads(files.piece(files.start(), b"hello").body)["file"]["name"]
    content = {"turns": [{"role": "user", "parts": [{"fileData": {"fileUri": name}}]}], "turnComplete": True}
    with session(shared, "TOKEN2") as ws:
        setup(ws)
        send(ws, clientContent=content)
        code, reason = ended(ws)
        assert code == 1008 and "permission" in reason
    with session(shared) as ws:
        setup(ws)
        send(ws, clientContent=content)
        assert "serverContent" in receive(ws)


# --- ends ---

@pytest.mark.parametrize("code, reason", [(1000, ""), (1001, "bye"), (4001, "my own")])
def test_the_client_leaves(sim, daemon, code, reason):
    with session(daemon) as ws:
        setup(ws)
        ws.close(code, reason)
    settled(daemon)
    wait.until("the end upstream", lambda: sim.requests()[0].answer["done"])
    assert sim.requests()[0].answer["closed"] == code
    assert line(daemon)["verdict"] == "ok"


MOMENTS = {
    "waits for setup": ("", lambda ws: None),
    "dialling": ("method=live : hang\n", ask),
    "setting up": ("method=live : live <<END\nhang\nEND\n", ask),
    "waiting": ('method=live : status 503 header="Retry-After: 4"\n', ask),
    "open": ("", setup),
}


def state_of(daemon):
    requests = json.loads(daemon.ask("GET", "/admin/requests", token="ADMIN").body)
    return [r["state"] for r in requests["requests"] if "/ws/" in r["route"]]


@pytest.fixture(params=MOMENTS)
def moment(request, sim, start):
    """(daemon, connection) in each state."""
    script, do = MOMENTS[request.param]
    sim.script(script)
    d = start(DRAIN_TIMEOUT="300ms")
    with session(d, close_timeout=1) as ws:
        do(ws)
        wait.until(f"the state {request.param}", lambda: state_of(d) == [request.param])
        yield d, ws, request.param


@pytest.mark.parametrize("how", ["close", "cut"])
def test_the_client_leaves_at_each_moment(sim, moment, how):
    d, ws, state = moment
    if how == "close":
        ws.close(1000)
    else:
        ws.socket.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER of 0 s: RST
        ws.socket.close()
    settled(d)
    wait.until("the end upstream", lambda: all(r.answer["done"] for r in sim.requests()))
    assert line(d)["status"] == 101


def test_the_daemon_ends_at_each_moment(sim, moment):
    d, ws, state = moment
    d.interrupt(signal.SIGTERM)
    end = ended(ws)
    assert end and end[0] == 1001 and "shutting down" in end[1]
    d.process.wait()
    wait.until("the end upstream", lambda: all(r.answer["done"] for r in sim.requests()))


def test_an_open_session_is_asked_to_go(sim, start):
    d = start(DRAIN_TIMEOUT="20s")
    with session(d) as ws:
        setup(ws)
        d.interrupt(signal.SIGTERM)
        assert receive(ws) == {"goAway": {"timeLeft": "20s"}}
        assert turn(ws)[0]
    d.process.wait()


@pytest.mark.parametrize("step, end", [
    ("close 1000", (1000, "")), ("close 1001 Going away", (1001, "Going away")),
    ("close 1011 Internal error encountered.", (1011, "Internal error encountered.")),
    ("close 1011 You exceeded your current quota", (1011, "You exceeded your current quota")),
    ("cut", None), ("reset", None), ("raw garbage", None),
])
def test_gemini_leaves(sim, daemon, step, end):
    """Its end is the client's; a break is an end in words. No other key is tried."""
    sim.script(OPEN + f"await any\n{step}\nEND\n")
    with session(daemon) as ws:
        setup(ws)
        say(ws, "Hi")
        got = ended(ws)
    assert got == end if end else got[0] == 1011 and "Gemini" in got[1]
    assert sim.count() == 1
    settled(daemon)
    verdict = {1000: "ok", 1001: "ok"}.get(end and end[0]) or ("rate_unknown" if "quota" in step else None)
    assert verdict is None or line(daemon)["verdict"] == verdict


def test_deadlines(start, sim):
    d = start(LIVE_DEADLINE="200ms")
    with session(d) as ws:
        setup(ws)
        assert ended(ws) == (1001, "The session has lasted for LIVE_DEADLINE.")
    d = start(LIVE_IDLE_TIMEOUT="200ms")
    with session(d) as ws:
        setup(ws)
        assert ended(ws) == (1001, "No message has come within LIVE_IDLE_TIMEOUT.")


def test_a_reload_leaves_sessions(sim, tmp_path):
    from test_reload import Configured

    with Configured(tmp_path, sim) as d:
        with session(d) as ws:
            setup(ws)
            d.keys("KEY3")
            d.reload()
            assert turn(ws)[0]
        with session(d) as ws:
            setup(ws)
        assert keys(sim)[-1] == KEYS[2]


# --- many, and slow ones ---

def test_sixty_four_beside_each_other(sim, daemon):
    def one(i):
        with session(daemon) as ws:
            setup(ws)
            return [turn(ws, f"{i} {k}")[0] for k in range(3)]

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(one, range(64)))
    assert answers == [[f"gemini-sim got: {i} {k}" for k in range(3)] for i in range(64)]
    settled(daemon)
    s = stats(daemon)
    assert s["live"]["total"] == 64 and s["model_summary"][MODEL]["total_daily_requests"] == 64
    assert sum(m["tokens_in"] for m in line(daemon, 64)) == 64 * 30
    assert abs(keys(sim).count(KEYS[0]) - 32) <= 1


@pytest.mark.unsanitized
def test_a_slow_reader_holds_gemini_back(sim, daemon):
    """256 MiB for a client that reads nothing: they stay where they are."""
    sim.script(OPEN + "flood 4096 64K\nEND\n")
    with session(daemon, max_queue=1) as ws:
        setup(ws)
        before = memory(daemon)
        sent = wait.until("the sender is held back", lambda: held(sim))
        assert sent < 3000
        assert memory(daemon) - before < 16 << 20
        for _ in range(4096):
            ws.recv(timeout=wait.DEADLINE)
        assert turn(ws)[0]


def held(sim):
    """What was sent, if no more is sent for some looks."""
    seen = [sim.requests()[0].answer["events"] for _ in range(20)]
    return seen[0] if len(set(seen)) == 1 and seen[0] > 3 else None


@pytest.mark.unsanitized
def test_a_slow_gemini_holds_the_client_back(sim, daemon):
    sim.script(OPEN + "deaf\nEND\n")
    sound = json.dumps({"realtimeInput": {"audio": {"data": "A" * (256 << 10), "mimeType": "audio/pcm"}}})
    with session(daemon, close_timeout=1) as ws:
        setup(ws)
        before = memory(daemon)
        ws.socket.settimeout(2)
        with pytest.raises(OSError):
            for _ in range(1000):
                ws.socket.sendall(frame(sound))
        assert memory(daemon) - before < 24 << 20
        ws.socket.shutdown(2)
    settled(daemon)


def frame(text):
    """One text frame of a client, masked by zeros."""
    return b"\x81\xff" + len(text).to_bytes(8, "big") + bytes(4) + text.encode()
