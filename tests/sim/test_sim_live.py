# SPDX-License-Identifier: MIT
"""The Live API of the simulator, asked by the `websockets` package."""
import json

import pytest
import wait
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

MODEL = "gemini-3.8-live"
PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"


def session(sim, key="K1", **kw):
    return connect(f"ws://127.0.0.1:{sim.port}{PATH}", additional_headers={"x-goog-api-key": key},
                   max_size=None, proxy=None, open_timeout=wait.DEADLINE, **kw)


def send(ws, **message):
    ws.send(json.dumps(message))


def receive(ws):
    data = ws.recv(timeout=wait.DEADLINE)
    assert isinstance(data, bytes), "Google sends binary frames"
    return json.loads(data)


def setup(ws, **more):
    send(ws, setup={"model": f"models/{MODEL}", **more})
    return receive(ws)


def say(ws, text):
    send(ws, clientContent={"turns": [{"role": "user", "parts": [{"text": text}]}], "turnComplete": True})


def closed(ws):
    with pytest.raises(ConnectionClosed) as e:
        ws.recv(timeout=wait.DEADLINE)
    return e.value.rcvd.code, e.value.rcvd.reason


def test_a_plain_session(sim):
    with session(sim) as ws:
        assert setup(ws) == {"setupComplete": {}}
        say(ws, "one two")
        assert receive(ws)["serverContent"]["modelTurn"]["parts"] == [{"text": "gemini-sim got: one two"}]
        assert receive(ws) == {"serverContent": {"generationComplete": True}}
        end = receive(ws)
        assert end["serverContent"] == {"turnComplete": True}
        assert end["usageMetadata"]["totalTokenCount"] == 15
        assert end["usageMetadata"]["responseTokensDetails"] == [{"modality": "AUDIO", "tokenCount": 5}]
        send(ws, realtime_input={"audio": {"data": "AAAA", "mimeType": "audio/pcm"}})
        send(ws, realtimeInput={"audioStreamEnd": True})
        assert "a sound" in receive(ws)["serverContent"]["modelTurn"]["parts"][0]["text"]
    wait.until("the end", lambda: sim.requests()[0].answer["done"])
    answer = sim.requests()[0].answer
    assert (answer["model"], answer["status"], answer["closed"]) == (MODEL, 101, 1000)
    assert answer["n_messages"] == 4 and "setup" in answer["messages"][0]
    assert sim.requests()[0].key == "K1"


def test_a_session_is_resumed_in_its_project(sim):
    with session(sim) as ws:
        setup(ws, sessionResumption={})
        handle = receive(ws)["sessionResumptionUpdate"]["newHandle"]
    with session(sim) as ws:
        assert setup(ws, sessionResumption={"handle": handle}) == {"setupComplete": {}}
    with session(sim, "K2") as ws:
        send(ws, setup={"model": f"models/{MODEL}", "session_resumption": {"handle": handle}})
        assert closed(ws) == (1008, "BidiGenerateContent session not found")


def test_steps(sim):
    sim.script("""method=live : live <<END
    send {"setupComplete":{}}
    await clientContent
    send {"toolCall":{"functionCalls":[{"id":"1","name":"f","args":{}}]}}
    await toolResponse
    send-pieces {"goAway":{"timeLeft":"5s"}}
    flood 3 100K
    close 1011 The service is currently unavailable.
    END
    """)
    with session(sim) as ws:
        assert setup(ws) == {"setupComplete": {}}
        say(ws, "hi")
        assert "toolCall" in receive(ws)
        send(ws, toolResponse={"functionResponses": [{"id": "1", "name": "f", "response": {}}]})
        assert receive(ws) == {"goAway": {"timeLeft": "5s"}}
        for _ in range(3):
            data = receive(ws)["serverContent"]["modelTurn"]["parts"][0]["inlineData"]["data"]
            assert len(data) == 100 * 1024
        assert closed(ws) == (1011, "The service is currently unavailable.")


@pytest.mark.parametrize("error, code, words", [
    ("invalid_key", 1007, "API key not valid"),
    ("rpd", 1011, "You exceeded your current quota"),
    ("overloaded", 1011, "high demand"),
    ("denied", 1008, "denied access"),
])
def test_an_error_is_a_close(sim, error, code, words):
    sim.script(f"key=K1 method=live : error {error}\n")
    with session(sim) as ws:
        send(ws, setup={"model": f"models/{MODEL}"})
        got, reason = closed(ws)
    assert got == code and words in reason and len(reason.encode()) <= 123


def test_an_error_of_the_handshake(sim):
    sim.script('method=live : status 503 body "no"\n')
    with pytest.raises(InvalidStatus) as e:
        session(sim)
    assert e.value.response.status_code == 503


@pytest.mark.parametrize("step", ["cut", "reset"])
def test_a_cut(sim, step):
    sim.script(f'method=live : live <<END\nsend {{"setupComplete":{{}}}}\n{step}\nEND\n')
    with session(sim) as ws:
        setup(ws)
        with pytest.raises(ConnectionClosed) as e:
            ws.recv(timeout=wait.DEADLINE)
        assert e.value.rcvd is None


@pytest.mark.parametrize("first", ['{"clientContent":{}}', "[]", "x", '{"setup":{}}', '{"setup":{"model":"m"}}'])
def test_what_is_no_setup(sim, first):
    with session(sim) as ws:
        ws.send(first)
        assert closed(ws)[0] == 1007


def test_an_unknown_model(sim):
    with session(sim) as ws:
        send(ws, setup={"model": "models/nothing"})
        code, reason = closed(ws)
        assert code == 1008 and reason.startswith("models/nothing is not found")
