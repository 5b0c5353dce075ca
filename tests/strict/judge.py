# SPDX-License-Identifier: MIT
"""One request that went upstream, and one answer to a client: every rule that is about it."""
import json
import re

from strict import chat, generation, google
from strict.shape import schemas

MESSAGES = {
    "generateContent": "GenerateContentRequest",
    "streamGenerateContent": "GenerateContentRequest",
    "countTokens": "CountTokensRequest",
    "embedContent": "EmbedContentRequest",
    "batchEmbedContents": "BatchEmbedContentsRequest",
}
METHOD = re.compile(r"/v1(?:alpha|beta)?/models/(?P<model>[^:]+):(?P<verb>\w+)")


def method(target):
    """(model, verb) of a path of Gemini's, or None."""
    m = METHOD.match(target)
    return (m["model"].rsplit("/", 1)[-1], m["verb"]) if m else None


def generate_faults(body, model):
    return google.faults(body, model) + generation.faults(body, model)


def body_faults(model, verb, body):
    """The faults of a parsed body, in either spelling of proto3 JSON."""
    body = google.camel(body)
    out = ["shape: " + f for f in schemas("gemini").faults(MESSAGES[verb], body)]
    if out:
        return out
    if MESSAGES[verb] == "GenerateContentRequest":
        out = generate_faults(body, model)
    elif verb == "countTokens" and "generateContentRequest" in body:
        out = generate_faults(body["generateContentRequest"], model)
    elif verb == "batchEmbedContents":
        out = google.batch_faults(body)
    return out


def upstream(target, text):
    """The faults of the request that gemgated sent to this path; none if the path is no method's."""
    model, verb = method(target) or (None, None)
    if verb not in MESSAGES:
        return []
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return ["shape: no JSON"]
    return body_faults(model, verb, body) if isinstance(body, dict) else ["shape: no object"]


def error_faults(answer):
    return ["shape: " + f for f in schemas("openai").faults("ErrorResponse", answer)]


def usage_wanted(request):
    """stream_options.include_usage of a chat request, or None if it is not known."""
    if not isinstance(request, dict):
        return None
    options = request.get("stream_options")
    return bool(isinstance(options, dict) and options.get("include_usage") is True)


def embeddings(status, kind, text, complete=True, request=None):
    """The faults of an answer to POST /v1/embeddings."""
    if not complete:
        return []
    try:
        answer = json.loads(text)
    except ValueError:
        return ["shape: no JSON"]
    name = "CreateEmbeddingResponse" if status == 200 else "ErrorResponse"
    for one in answer.get("data", []) if status == 200 else []:
        if isinstance(one.get("embedding"), str):
            one["embedding"] = []  # base64, which the description does not have
    return ["shape: " + f for f in schemas("openai").faults(name, answer)]


def images(status, kind, text, complete=True, request=None):
    return plain_faults("ImagesResponse", status, text) if complete else []


def transcriptions(status, kind, text, complete=True, request=None):
    """Of the formats that are JSON, and of errors."""
    is_json = kind.startswith("application/json")
    return plain_faults("CreateTranscriptionResponse", status, text) if complete and is_json else []


def speech(status, kind, text, complete=True, request=None):
    return plain_faults(None, status, text) if complete and status != 200 else []


def plain_faults(name, status, text):
    try:
        answer = json.loads(text)
    except ValueError:
        return ["shape: no JSON"]
    return ["shape: " + f for f in schemas("openai").faults(name, answer)] if status == 200 else error_faults(answer)


def downstream(status, kind, text, complete=True, request=None):
    """The faults of an answer to POST /v1/chat/completions. `kind`: its Content-Type; `request`: parsed, or None."""
    if kind.startswith("text/event-stream"):
        return chat.stream_faults(text, complete, usage_wanted(request)) if status == 200 else ["shape: a stream"]
    if not complete:
        return []
    try:
        answer = json.loads(text)
    except ValueError:
        return ["shape: no JSON"]
    return chat.answer_faults(answer) if status == 200 else error_faults(answer)
