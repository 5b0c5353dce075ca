# SPDX-License-Identifier: MIT
"""Pictures and sounds, where they are asked for."""
import base64

import pytest
from ask import ask, hello


@pytest.mark.parametrize("model, modality, kind, begins", [
    ("gemini-3.1-flash-image", "IMAGE", "image/png", b"\x89PNG\r\n"),
    ("gemini-3.8-flash-tts", "AUDIO", "audio/L16;codec=pcm;rate=24000", b"\0\0\1\0\2\0"),
])
def test_default(sim, model, modality, kind, begins):
    answer, said = ask(sim, body=hello(generationConfig={"responseModalities": [modality]}), model=model)
    assert answer.status == 200
    (part,) = said["candidates"][0]["content"]["parts"]
    assert part["inlineData"]["mimeType"] == kind
    assert base64.b64decode(part["inlineData"]["data"], validate=True).startswith(begins)
    assert said["usageMetadata"]["candidatesTokenCount"] == 258
