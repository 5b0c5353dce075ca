# SPDX-License-Identifier: MIT
"""Speech: the body of the answer is sound."""
import io
import json
import wave

SAMPLES = b"\0\0\1\0\2\0\3\0\4\0\5\0"  # what gemini-sim sends


def ask(d, **more):
    body = {"model": "gemini-3.8-flash-tts", "input": "Hello", "voice": "nova", **more}
    return d.ask("POST", "/v1/audio/speech", body=json.dumps(body).encode())


def test_wav(sim, start):
    """Also the default. Python's own reader takes the file."""
    d = start()
    for more in ({}, {"response_format": "wav", "instructions": "Whisper."}):
        answer = ask(d, **more)
        assert (answer.status, answer.header("Content-Type")) == (200, "audio/wav")
        with wave.open(io.BytesIO(answer.body)) as w:
            assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (24000, 1, 2)
            assert w.readframes(100) == SAMPLES
    first, second = (json.loads(r.body) for r in sim.requests())
    assert first["generationConfig"] == {
        "responseModalities": ["AUDIO"],
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Leda"}}},
    }
    assert first["contents"][0]["parts"] == [{"text": "Hello"}]
    assert second["contents"][0]["parts"] == [{"text": "Whisper.\n\n#### TRANSCRIPT\nHello"}]


def test_pcm(start):
    answer = ask(start(), response_format="pcm")
    assert (answer.status, answer.header("Content-Type"), answer.body) == (200, "audio/pcm", SAMPLES)


def test_refused(start):
    answer = ask(start(), response_format="mp3")
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["param"]) == (400, "response_format")
    assert "must be wav or pcm" in error["message"]


def test_blocked(sim, start):
    sim.script("*: blocked SAFETY\n")
    answer = ask(start())
    assert answer.status == 400 and "blocked" in json.loads(answer.body)["error"]["message"]
    assert answer.header("Content-Type") == "application/json"


def test_another_key(sim, start):
    """Another key is tried, and nothing of the first answer is left."""
    sim.script('times=1: parts [{"inlineData":{"mimeType":"audio/flac","data":"AAAA"}}]\n')
    answer = ask(start(), response_format="pcm")
    assert (answer.status, answer.body) == (200, SAMPLES)
    assert len(sim.requests()) == 2
