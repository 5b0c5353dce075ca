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
NATIVE = ("Gemini's own API: {model}:generateContent, :streamGenerateContent, :countTokens, :embedContent, :batchEmbedContents, "
          ":predict, :predictLongRunning")


def get(path, note, rest="", status=200, upstream="", method="GET"):
    return Route(method, path, note, rest, None, status, upstream)


def post(path, note, body, upstream="", rest="", status=200, method="POST"):
    return Route(method, path, note, rest, body, status, upstream)


def exchanges(version):
    """What of Google's API counts on a model, beside the methods of models."""
    tuned, dynamic = version + "/tunedModels/", version + "/dynamic/"
    return [
        post(version + "/interactions", "Gemini's interactions, streaming and not", INPUT, "/v1beta/interactions"),
        post(version + "/decisions", "questions that a model decides", INPUT, "/v1beta/decisions"),
        post(tuned, "the methods of a model, of a tuned one", CONTENTS, "/v1beta/tunedModels/x:generateContent",
             "x:generateContent", 404),
        post(dynamic, "the same", CONTENTS, "/v1beta/dynamic/x:streamGenerateContent?alt=sse", "x:streamGenerateContent?alt=sse"),
    ]


# The table of Google's paths: method, path, status, upstream ("": nothing; None: the same path), body. An id of another client,
# or of none, is not found: the simulator has nothing, and lists are gemgate's.
PERMISSIONS = "POST {0}/permissions 404|GET {0}/permissions 404|GET {0}/permissions/y 404|PATCH {0}/permissions/y 404|DELETE {0}/permissions/y 404"
OBJECTS = "POST {0} 200|GET {0} 200 -|GET {0}/x 404|DELETE {0}/x 404"
GOOGLE = "|".join((
    "POST models/x:batchGenerateContent 200|POST models/x:asyncBatchEmbedContent 200",
    "GET models/x/operations 200 -|GET models/x/operations/y 404",
    "POST tunedModels 200|GET tunedModels 200 -|GET tunedModels/x 404|PATCH tunedModels/x 404|DELETE tunedModels/x 404",
    "POST tunedModels/x:batchGenerateContent 404|POST tunedModels/x:asyncBatchEmbedContent 404",
    "POST tunedModels/x:transferOwnership 404|GET tunedModels/x/operations 404|GET tunedModels/x/operations/y 404",
    PERMISSIONS.format("tunedModels/x"),
    "POST dynamic/x:batchGenerateContent 200|POST dynamic/x:asyncBatchEmbedContent 200|GET dynamic/x/operations/y 404",
    "POST cachedContents 200|GET cachedContents 200 -|GET cachedContents/x 404|PATCH cachedContents/x 404|DELETE cachedContents/x 404",
    "POST /upload/v1beta/files 400 -|POST files 200|POST files:register 200|GET files 200 -|GET files/x 404|DELETE files/x 404",
    "GET files/x:download 400 -|GET /download/v1beta/files/x:download 400 -",
    "GET generatedFiles 200 -|GET generatedFiles/x/operations/y 404|GET generatedFiles/x:download 400 -",
    "GET batches 200 -|GET batches/x 404|DELETE batches/x 404|POST batches/x:cancel 404",
    "PATCH batches/x:updateGenerateContentBatch 404|PATCH batches/x:updateEmbedContentBatch 404",
    OBJECTS.format("fileSearchStores"), "POST fileSearchStores/x:importFile 404",
    "POST /upload/v1beta/fileSearchStores/x:uploadToFileSearchStore 400 -",
    "GET fileSearchStores/x/documents 404|GET fileSearchStores/x/documents/y 404|DELETE fileSearchStores/x/documents/y 404",
    "GET fileSearchStores/x/media/y 400 -", "GET fileSearchStores/x/operations/y 404|GET fileSearchStores/x/upload/operations/y 404",
    OBJECTS.format("corpora"), "GET corpora/x/operations/y 404", PERMISSIONS.format("corpora/x"),
    "GET interactions/x 404|DELETE interactions/x 404|POST interactions/x/cancel 404",
    "POST interactions/x/auth_tokens 403 -|DELETE interactions/x/auth_tokens/y 403 -|POST auth_tokens 403 -",
    OBJECTS.format("agents"), OBJECTS.format("environments"),
    "POST environments:create 200|GET environments:list 200 -|GET environments/x:get 404|DELETE environments/x:delete 404",
    "GET environments/x/files 404|GET environments/x/files/y 404|PUT /upload/v1beta/environments/x/files/y 200",
    "POST /upload/v1beta/environments/x/files/y 400 -",
    OBJECTS.format("triggers"), "PATCH triggers/x 404|GET triggers/x/executions 404|POST triggers/x/executions 404",
    OBJECTS.format("voices"), OBJECTS.format("webhooks"),
    "PATCH webhooks/x 404|POST webhooks/x:ping 404|POST webhooks/x:rotateSigningSecret 404",
    OBJECTS.format("credentials"), "PATCH credentials/x 404",
))


def google():
    """Rows of the table; what is asked for is in it, with x and y for the ids."""
    for row in GOOGLE.split("|"):
        method, path, status, *none = row.split()
        path = path if path.startswith("/") else "/v1beta/" + path
        body = None if method in ("GET", "DELETE") else CACHED if "cachedContents" in path else {}
        note = "is refused" if status == "403" else "as in Google's API"
        yield Route(method, path, note, "", body, int(status), "" if none else path)


def live(version, note):
    path = f"/ws/google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent"
    yield get(path, note, status=426)
    yield get(path + "Constrained", "refused: it is for tokens of Google's own", status=403)


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
    *live("v1beta", "Gemini's Live API, by a WebSocket"), *live("v1alpha", "the same"), *live("v1", "the same"),
    *exchanges("/v1beta"), *exchanges("/v1"), *exchanges("/v1alpha"),
    *google(),
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
