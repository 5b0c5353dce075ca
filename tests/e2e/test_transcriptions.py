# SPDX-License-Identifier: MIT
"""Transcriptions: a form with a file, which must arrive whole."""
import base64
import json

import pytest

WAV = b"RIFF\x24\0\0\0WAVE" + bytes(range(256)) + b"\r\n--\r\n"
FILE = ("hello.wav", "audio/wav", WAV)


def form(file=FILE, **fields):
    out = b""
    for name, value in fields.items():
        out += f'--XyZ\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    if file:
        name, kind, data = file
        out += f'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode()
        out += f"Content-Type: {kind}\r\n\r\n".encode() + data + b"\r\n"
    return out + b"--XyZ--\r\n"


def ask(d, body, path="/v1/audio/transcriptions", kind="multipart/form-data; boundary=XyZ"):
    return d.ask("POST", path, headers=[("Content-Type", kind)], body=body)


def parts_of(request):
    return json.loads(request.body)["contents"][0]["parts"]


def test_json(sim, start):
    sim.script('*: text "Hello, world. " usage=40/4\n')
    answer = ask(start(), form(model="gemini-3.5-transcribe", language="en", prompt='Say "hi"', temperature="0.2"))
    assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
    said = json.loads(answer.body)
    assert said["text"] == "Hello, world."
    assert said["usage"]["type"] == "tokens" and said["usage"]["total_tokens"] == 44
    (request,) = sim.requests()
    text, sound = parts_of(request)
    assert "Transcribe" in text["text"] and "language is: en" in text["text"] and 'Say "hi"' in text["text"]
    assert sound["inlineData"]["mimeType"] == "audio/wav"
    assert base64.b64decode(sound["inlineData"]["data"]) == WAV
    assert json.loads(request.body)["generationConfig"] == {"temperature": 0.2}


def test_text(sim, start):
    sim.script('*: text "Good\\nday"\n')
    answer = ask(start(), form(model="gemini-3.8-flash", response_format="text"))
    assert (answer.status, answer.body) == (200, b"Good\nday\n")
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"


def test_translation(sim, start):
    assert ask(start(), form(model="gemini-3.8-flash"), path="/v1/audio/translations").status == 200
    assert "Translate" in parts_of(sim.requests()[0])[0]["text"]


def test_large_file(sim, start):
    """Above 256 KiB the thread beside the loop reads the form."""
    data = WAV * 5000
    answer = ask(start(), form(("a.mp3", "audio/mpeg", data), model="gemini-3.8-flash"))
    assert answer.status == 200
    blob = parts_of(sim.requests()[0])[1]["inlineData"]
    assert blob["mimeType"] == "audio/mp3" and base64.b64decode(blob["data"]) == data


@pytest.mark.parametrize("file, kind", [
    (("a", "application/octet-stream", b"OggS" + b"x" * 30), "audio/ogg"),
    (("a.flac", "", b"x" * 30), "audio/flac"),
    (("a.webm", "video/webm", b"x" * 30), "video/webm"),
    (("a.webm", "audio/webm", b"x" * 30), "audio/webm"),
])
def test_types(sim, start, file, kind):
    assert ask(start(), form(file, model="gemini-3.8-flash")).status == 200
    assert parts_of(sim.requests()[0])[1]["inlineData"]["mimeType"] == kind


def test_no_speech(sim, start):
    """Sound without speech has an empty transcript, after another key was tried."""
    sim.script('*: json {"candidates":[{"content":{},"finishReason":"STOP"}]}\n')
    answer = ask(start(), form(model="gemini-3.8-flash"))
    assert (answer.status, json.loads(answer.body)["text"]) == (200, "")
    assert len(sim.requests()) > 1


MODEL = {"model": "gemini-3.8-flash"}


@pytest.mark.parametrize("param, body", [
    (None, b""),
    (None, form(**MODEL)[:-9]),
    (None, b"--XyZ\r\n" * 2),
    (None, b"--XyZ\r\nA: b\r\n\r\n\r\n" * 40 + b"--XyZ--"),
    ("file", form(None, **MODEL)),
    ("file", form(("a.wav", "audio/wav", b""), **MODEL)),
    ("file", form(("a.txt", "text/plain", b"hello"), **MODEL)),
    ("model", form()),
    ("model", form(model="a b")),
    ("model", form(model="gemini-3.8-flash-tts")),
    ("response_format", form(response_format="srt", **MODEL)),
    ("response_format", form(response_format="verbose_json", **MODEL)),
    ("stream", form(stream="true", **MODEL)),
    ("temperature", form(temperature="hot", **MODEL)),
    ("temperature", form(temperature="2", **MODEL)),
    ("prompt", form(prompt="x" * 70000, **MODEL)),
])
def test_refused(start, param, body):
    answer = ask(start(), body)
    assert (answer.status, json.loads(answer.body)["error"]["param"]) == (400, param)


def test_no_form(start):
    answer = ask(start(), b"{}", kind="application/json")
    assert answer.status == 400 and "must be a form" in json.loads(answer.body)["error"]["message"]
