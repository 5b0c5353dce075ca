# SPDX-License-Identifier: MIT
"""OpenAI's Python SDK beside chat: completions, images, speech and transcriptions, with its types."""
import base64
import json

import openai
import pytest

from house import SECRETS

SAMPLES = b"\0\0\1\0\2\0\3\0\4\0\5\0"  # what gemini-sim sends


@pytest.fixture
def client(daemon):
    with openai.OpenAI(base_url=daemon.url + "/v1", api_key=SECRETS["TOKEN"], max_retries=0, timeout=60) as c:
        yield c


def test_completions(sim, client):
    sim.script('*: text "Hello there." chunks=3\n')
    one = client.completions.create(model="gemini-3.8-flash", prompt="Hi", max_tokens=50)
    assert one.choices[0].text == "Hello there." and one.choices[0].finish_reason == "stop"
    pieces = client.completions.create(model="gemini-3.8-flash", prompt="Hi", stream=True)
    assert "".join(p.choices[0].text for p in pieces) == "Hello there."


def test_images(client):
    made = client.images.generate(model="gemini-3.1-flash-image", prompt="a cat", n=2, size="1024x1024")
    assert [base64.b64decode(i.b64_json)[1:4] for i in made.data] == [b"PNG"] * 2
    assert made.output_format == "png" and made.usage.output_tokens > 0
    (one,) = client.images.generate(model="gemini-3.1-flash-image", prompt="a cat", response_format="url").data
    assert one.url.startswith("data:image/png;base64,")


def test_speech(client, tmp_path):
    say = {"model": "gemini-3.8-flash-tts", "voice": "alloy", "input": "Hello"}
    assert client.audio.speech.create(**say, response_format="pcm").content == SAMPLES
    with client.audio.speech.with_streaming_response.create(**say, response_format="wav") as answer:
        answer.stream_to_file(tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes()[44:] == SAMPLES
    with pytest.raises(openai.BadRequestError, match="wav or pcm"):
        client.audio.speech.create(**say, response_format="mp3")


def test_transcriptions(sim, client, tmp_path):
    sim.script('*: text "Hello."\n')
    sound = tmp_path / "hello.mp3"
    sound.write_bytes(b"ID3" + bytes(range(256)))
    ask = {"model": "gemini-3.5-transcribe", "file": sound}
    assert client.audio.transcriptions.create(**ask, language="en").text == "Hello."
    assert client.audio.transcriptions.create(**ask, response_format="text").strip() == "Hello."
    assert client.audio.translations.create(**ask).text == "Hello."
    for request in sim.requests():
        blob = json.loads(request.body)["contents"][0]["parts"][1]["inlineData"]
        assert (blob["mimeType"], base64.b64decode(blob["data"])) == ("audio/mp3", sound.read_bytes())


def test_sound_in_chat(client):
    ask = {"model": "gemini-3.8-flash-tts", "modalities": ["text", "audio"],
           "messages": [{"role": "user", "content": "Say hello"}]}
    message = client.chat.completions.create(**ask, audio={"voice": "alloy", "format": "wav"}).choices[0].message
    assert base64.b64decode(message.audio.data)[44:] == SAMPLES and message.audio.id
    chunks = client.chat.completions.create(**ask, audio={"voice": "alloy", "format": "pcm16"}, stream=True)
    audio = [c.choices[0].delta.to_dict().get("audio", {}) for c in chunks if c.choices]
    assert b"".join(base64.b64decode(a.get("data", "")) for a in audio) == SAMPLES


def test_no_moderations(client):
    with pytest.raises(openai.NotFoundError, match="no moderations"):
        client.moderations.create(input="x")
