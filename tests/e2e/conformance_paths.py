# SPDX-License-Identifier: MIT
"""What becomes of each path: a row for each route, and for each wrong path of the cases with their hints."""
from collections import namedtuple
from pathlib import Path

from conformance_rows import MODEL

CASES = Path(__file__).parent / "cases"
HINTS = {"path-wrong-base.txt": "", "path-wrong-base-google.txt": "POST ", "path-wrong-base-anthropic.txt": "POST "}

# method, path, note: as GET / has them. sample: what is asked for, with a body of conformance.BASE (its name) or another one;
# status: of the answer; upstream: what Gemini is asked for, or "". The rest of a path is behind the `/` at its end.
Route = namedtuple("Route", "method path note rest body status upstream")

CONTENTS = {"contents": [{"parts": [{"text": "Hi"}]}]}
INPUT = {"model": MODEL, "input": "Hi"}
CACHED = {"model": "models/" + MODEL, **CONTENTS}
GENERATE, COUNT = f"/v1beta/models/{MODEL}:generateContent", f"/v1beta/models/{MODEL}:countTokens"
NATIVE = "Gemini's own API: {model}:generateContent, :streamGenerateContent, :countTokens, :embedContent, :batchEmbedContents"


def get(path, note, rest="", status=200, upstream="", method="GET"):
    return Route(method, path, note, rest, None, status, upstream)


def post(path, note, body, upstream="", rest="", status=200, method="POST"):
    return Route(method, path, note, rest, body, status, upstream)


def files(version):
    """An id of another client, or of none, is not found."""
    caches, uploaded = version + "/cachedContents", version + "/files"
    there = f"{caches.replace(version, '/v1beta')}/x", f"{uploaded.replace(version, '/v1beta')}/x"
    return [
        post(caches, "makes a cached content, for one project", CACHED, "/v1beta/cachedContents"),
        get(caches, "those that this token has made"),
        get(caches + "/", "one of them", "x", 404, there[0]),
        post(caches + "/", "another time at which it expires", {"ttl": "60s"}, there[0], "x", 404, method="PATCH"),
        get(caches + "/", "deletes it", "x", 404, there[0], method="DELETE"),
        post("/upload" + uploaded, "uploads a file, resumable or multipart", {}, status=400),
        get(uploaded, "those that this token has uploaded"),
        get(uploaded + "/", "one of them", "x", 404, there[1]),
        get("/download" + uploaded + "/", "{id}:download?alt=media: its content", "x:download?alt=media", 404, f"/download{there[1]}:download?alt=media"),
        get(uploaded + "/", "deletes it", "x", 404, there[1], method="DELETE"),
    ]


ROUTES = [
    get("/", "this list"),
    get("/health", "whether there are keys that can serve; open"),
    post("/v1/chat/completions", "OpenAI chat completions, streaming and not", "chat", GENERATE),
    post("/v1/completions", "OpenAI completions of one prompt, streaming and not", "completions", GENERATE),
    post("/v1/responses", "OpenAI Responses, streaming and not", "responses", GENERATE),
    post("/v1/responses/input_tokens", "the tokens of a response's input", INPUT, COUNT),
    post("/v1/responses/compact", "a shorter input: a summary", INPUT, GENERATE),
    get("/v1/responses/", "a response that is kept, and {id}/input_items", "resp_x", 404),
    get("/v1/responses/", "deletes it", "resp_x", 404, method="DELETE"),
    post("/v1/responses/", "{id}/cancel: there is nothing to cancel", {}, rest="resp_x/cancel", status=404),
    post("/v1/embeddings", "OpenAI embeddings", "embeddings", "/v1beta/models/gemini-embedding-2:batchEmbedContents"),
    post("/v1/images/generations", "OpenAI images, by Gemini's image models", "images",
         "/v1beta/models/gemini-3.1-flash-image:generateContent"),
    post("/v1/audio/speech", "OpenAI speech, by Gemini's models that speak", "speech",
         "/v1beta/models/gemini-2.5-flash-preview-tts:generateContent"),
    post("/v1/audio/transcriptions", "OpenAI transcriptions of sound", "transcriptions", GENERATE),
    post("/v1/audio/translations", "the same, translated into English", "transcriptions", GENERATE),
    post("/v1/messages", "Anthropic messages, streaming and not", "messages", GENERATE),
    post("/v1/messages/count_tokens", "how many tokens such a request has", "messages", COUNT),
    post("/v1beta/models/", NATIVE, CONTENTS, GENERATE, MODEL + ":generateContent"),
    post("/v1/models/", "the same", CONTENTS, COUNT, MODEL + ":countTokens"),
    post("/v1alpha/models/", "the same", CONTENTS, f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse",
         MODEL + ":streamGenerateContent?alt=sse"),
    post("/run-gemini", "a prompt for the Gemini CLI, in its sandbox", {"command": "Hi"}, status=503),
    get("/v1/models", "the models, with aliases"),
    get("/v1/models/", "one model", MODEL),
    get("/v1beta/models", "the models in Google's form, with aliases"),
    get("/v1beta/models/", "one model in Google's form", MODEL),
    get("/v1alpha/models", "the same"),
    get("/v1alpha/models/", "the same", MODEL),
    *files("/v1beta"), *files("/v1"), *files("/v1alpha"),
]  # fmt: skip
MANAGEMENT = [
    get("/stats", "counters and health of every key and model"),
    post("/reset-api-key-health", "revives keys", {"reset_all": True}),
    get("/api-key-recommendations", "what would make the pool serve better"),
    get("/explain", "which key would serve a model now, and why the others would not; ?model=", "?model=" + MODEL),
    get("/admin/requests", "the requests under way, the oldest first"),
    get("/ip-config", "who may connect"),
    post("/test-ip", "whether an address may connect", {"test_ip": "192.0.2.7"}),
]


def shown(route):
    """As GET / has it."""
    return route.method, route.path + ("{id}" if len(route.path) > 1 and route.path.endswith("/") else ""), route.note


def hints():
    """(request, the right path and what to do) of the rows of the cases, which test_cases.py runs."""
    for name, method in HINTS.items():
        lines = (CASES / name).read_text().partition("[rows]\n")[2].partition("\n\n")[0].splitlines()
        for line in lines:
            cells = [cell.strip() for cell in line.split(" | ")]
            yield method + cells[0], cells[-1]


def document():
    out = ["\n## Paths\n\nWhat a request to each path asks Gemini for; what is not there is a 404. The list of models is kept for a while.\n"
           "\n| path | is | request | status | upstream |\n|---|---|---|---|---|\n"]
    for route in ROUTES + MANAGEMENT:
        method, path, note = shown(route)
        upstream = f"`{route.upstream}`" if route.upstream else ""
        out.append(f"| `{method} {path}` | {note} | `{route.path}{route.rest}` | {route.status} | {upstream} |\n")
    out.append("\n## Wrong paths\n\nThey are a 404 that names the right path, and what to change.\n\n| path | the right path is … |\n|---|---|\n")
    out += [f"| `{request}` | {hint} |\n" for request, hint in hints()]
    return "".join(out)
