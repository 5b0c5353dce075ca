# SPDX-License-Identifier: MIT
"""What the calls of Google's own SDKs send upstream, and what comes of them: tests/sdk/test_google.py runs each with Python, sync
and aio, and with Node, in this order."""
import re
from dataclasses import dataclass

LIST_OF_MODELS = "GET /v1beta/models?pageSize=1000"  # it is kept for a while


@dataclass
class Call:
    name: str  # as in Python; Node's is in camel case
    upstream: list  # ids are *
    gives: object  # what the conversation looks at
    clients: tuple = ("node", "python")


TOPICS = {
    "files": [
        Call("files.upload", ["POST /upload/v1beta/files", "POST /upload/v1beta/files?upload_id=*&upload_protocol=resumable"], ['A', 'video/mp4', 1048576, 'ACTIVE']),
        Call("files.upload", ["POST /upload/v1beta/files", "POST /upload/v1beta/files?upload_id=*&upload_protocol=resumable"], ['A', 'video/mp4', 1048576, 'ACTIVE']),
        Call("files.get", ["GET /v1beta/files/*"], ['A', 'video/mp4', 1048576, 'ACTIVE']),
        Call("files.list", ["GET /v1beta/files/*", "GET /v1beta/files/*"], 2),
        Call("files.download", ["GET /download/v1beta/files/*:download?alt=media"], True),
        Call("files.delete", ["DELETE /v1beta/files/*"], None),
        Call("files.get", ["GET /v1beta/files/*"], {'error': 404}),
    ],
    "caches": [
        Call("caches.create", ["POST /v1beta/cachedContents"], 'C'),
        Call("caches.get", ["GET /v1beta/cachedContents/*"], 'C'),
        Call("caches.list", ["GET /v1beta/cachedContents/*"], 1),
        Call("caches.update", ["PATCH /v1beta/cachedContents/*"], True),
        Call("models.generate_content", ["POST /v1beta/models/gemini-3.8-flash:generateContent"], True),
        Call("caches.delete", ["DELETE /v1beta/cachedContents/*"], None),
    ],
    "batches": [
        Call("batches.create", ["POST /v1beta/models/gemini-3.8-flash:batchGenerateContent"], ['B', 'JOB_STATE_SUCCEEDED']),
        Call("batches.create", ["POST /v1beta/models/gemini-3.8-flash:batchGenerateContent"], ['B', 'JOB_STATE_SUCCEEDED']),
        Call("batches.create_embeddings", ["POST /v1beta/models/gemini-embedding-2:asyncBatchEmbedContent"], ['B', 'JOB_STATE_SUCCEEDED']),
        Call("batches.get", ["GET /v1beta/batches/*"], ['B', 'JOB_STATE_SUCCEEDED', True]),
        Call("batches.list", ["GET /v1beta/batches/*", "GET /v1beta/batches/*", "GET /v1beta/batches/*"], 3),
        Call("batches.cancel", ["POST /v1beta/batches/*:cancel"], None),
        Call("batches.delete", ["DELETE /v1beta/batches/*"], None),
        Call("batches.get", ["GET /v1beta/batches/*"], {'error': 404}),
    ],
    "models": [
        Call("models.embed_content", ["POST /v1beta/models/gemini-embedding-001:batchEmbedContents"], [8]),
        Call("models.embed_content", ["POST /v1beta/models/gemini-embedding-001:batchEmbedContents"], [8, 8]),
        Call("models.count_tokens", ["POST /v1beta/models/gemini-3.8-flash:countTokens"], True),
        Call("models.list", [], True),
        Call("models.get", [], 'models/gemini-3.8-flash'),
        Call("models.list tuned", [], 0),
    ],
    "stores": [
        Call("file_search_stores.create", ["POST /v1beta/fileSearchStores"], 'S'),
        Call("file_search_stores.get", ["GET /v1beta/fileSearchStores/*"], 'S'),
        Call("file_search_stores.list", ["GET /v1beta/fileSearchStores/*"], 1),
        Call("file_search_stores.upload_to_file_search_store", ["POST /upload/v1beta/fileSearchStores/*:uploadToFileSearchStore", "POST /upload/v1beta/fileSearchStores/*:uploadToFileSearchStore?upload_id=*&upload_protocol=resumable"], True),
        Call("operations.get", ["GET /v1beta/fileSearchStores/*/upload/operations/*"], True),
        Call("file_search_stores.import_file", ["POST /v1beta/fileSearchStores/*:importFile"], True),
        Call("operations.get", ["GET /v1beta/fileSearchStores/*/operations/*"], True),
        Call("file_search_stores.documents.list", ["GET /v1beta/fileSearchStores/*/documents?pageSize=5"], 1),
        Call("file_search_stores.documents.get", ["GET /v1beta/fileSearchStores/*/documents/*"], True),
        Call("models.generate_content", ["POST /v1beta/models/gemini-3.8-flash:generateContent"], True),
        Call("file_search_stores.download_media", ["GET /v1beta/fileSearchStores/*/media/gen-5?alt=media"], 5, ("python",)),
        Call("file_search_stores.documents.delete", ["DELETE /v1beta/fileSearchStores/*/documents/*?force=true"], None),
        Call("file_search_stores.delete", ["DELETE /v1beta/fileSearchStores/*?force=true"], None),
    ],
    "interactions": [
        Call("interactions.create", ["POST /v1beta/interactions"], ['completed', 16]),
        Call("interactions.create", ["POST /v1beta/interactions"], True),
        Call("interactions.create", ["POST /v1beta/interactions"], ['interaction.created', 'step.start', 'step.delta', 'step.stop', 'interaction.completed']),
        Call("interactions.create", ["POST /v1beta/interactions"], 'in_progress'),
        Call("interactions.get", ["GET /v1beta/interactions/*"], 'completed'),
        Call("interactions.get", ["GET /v1beta/interactions/*?stream=true"], ['interaction.created', 'step.start', 'step.delta', 'step.stop', 'interaction.completed']),
        Call("interactions.cancel", ["POST /v1beta/interactions/*/cancel"], 'cancelled'),
        Call("interactions.delete", ["DELETE /v1beta/interactions/*"], None),
        Call("interactions.get", ["GET /v1beta/interactions/*"], {'error': 404}),
        Call("auth_tokens.create", [], {'error': 403}),
    ],
    "environments": [
        Call("environments.create", ["POST /v1beta/environments"], True),
        Call("environments.get", ["GET /v1beta/environments/*"], True),
        Call("environments.list", ["GET /v1beta/environments/*"], 1),
        Call("environments.files.upload", ["PUT /upload/v1beta/environments/*/files/a/b%20c.txt?overwrite=true", "POST /upload/v1beta/environments/*/files/a/b%20c.txt?upload_id=*&upload_protocol=resumable"], 1),
        Call("environments.files.list", ["GET /v1beta/environments/*/files/a/b%20c.txt?recursive=true"], True),
        Call("environments.files.download", ["GET /v1beta/environments/*/files/a/b%20c.txt?alt=media"], True),
        Call("environments.delete", ["DELETE /v1beta/environments/*"], None),
    ],
    "others": [
        Call("agents.create", ["POST /v1beta/agents"], True),
        Call("agents.get", ["GET /v1beta/agents/*"], True),
        Call("agents.list", ["GET /v1beta/agents/*"], 1),
        Call("agents.delete", ["DELETE /v1beta/agents/*"], None),
        Call("voices.create", ["POST /v1beta/voices"], True),
        Call("voices.get", ["GET /v1beta/voices/*"], True),
        Call("voices.list", ["GET /v1beta/voices/*"], 1),
        Call("voices.create", ["POST /v1beta/voices"], 'voicekey_1'),
        Call("voices.delete", ["DELETE /v1beta/voices/*"], None),
        Call("webhooks.create", ["POST /v1beta/webhooks"], True),
        Call("webhooks.get", ["GET /v1beta/webhooks/*"], True),
        Call("webhooks.list", ["GET /v1beta/webhooks/*"], 1),
        Call("webhooks.update", ["PATCH /v1beta/webhooks/*?update_mask=uri"], 'https://example.org/'),
        Call("webhooks.ping", ["POST /v1beta/webhooks/*:ping"], None),
        Call("webhooks.rotate_signing_secret", ["POST /v1beta/webhooks/*:rotateSigningSecret"], 'whsec_1'),
        Call("webhooks.delete", ["DELETE /v1beta/webhooks/*"], None),
        Call("credentials.create", ["POST /v1beta/credentials"], True),
        Call("credentials.get", ["GET /v1beta/credentials/c"], True),
        Call("credentials.list", ["GET /v1beta/credentials/c"], 1),
        Call("credentials.update", ["PATCH /v1beta/credentials/c"], 'c'),
        Call("credentials.delete", ["DELETE /v1beta/credentials/c"], None),
        Call("triggers.create", ["POST /v1beta/triggers"], True),
        Call("triggers.get", ["GET /v1beta/triggers/*"], True),
        Call("triggers.list", ["GET /v1beta/triggers/*"], 1),
        Call("triggers.run", ["POST /v1beta/triggers/*/executions"], True),
        Call("triggers.list_executions", ["GET /v1beta/triggers/*/executions"], 1),
        Call("triggers.delete", ["DELETE /v1beta/triggers/*"], None),
    ],
}  # fmt: skip

# Calls that do not work through gemgate, or not with this API at all.
NOT_SERVED = {
    "files.register_files": "it needs Google's own credentials, which stay here: only a key goes upstream",
    "auth_tokens.create": "a 403: with such a token its holder reaches Google past gemgate's limits",
    "models.generate_images, edit_image, upscale_image, recontext_image, segment_image, generate_videos":
        "both SDKs have them for Vertex AI only; the REST paths `:predict` and `:predictLongRunning` are served",
    "tunings.list, models.compute_tokens": "for Vertex AI only",
    "voices.list": "has what the client has made; of Google's own voices each is found by its name",
}


def camel(name):
    return re.sub(r"_(\w)", lambda m: m.group(1).upper(), name)


def document():
    out = ["\n## Calls of Google's SDKs\n\nEach was made with google-genai of Python, sync and aio, and of Node, and asked Google for "
           "what is in the last column. A list asks for each of its objects.\n\n| Python | Node | upstream |\n|---|---|---|\n"]
    seen = set()
    for calls in TOPICS.values():
        for c in calls:
            name, upstream = c.name.split(" ")[0], "<br>".join(f"`{u}`" for u in dict.fromkeys(c.upstream)) or "nothing"
            if isinstance(c.gives, dict) or (name, upstream) in seen or (upstream == "nothing" and name == "models.list"):
                continue
            seen.add((name, upstream))
            out.append(f"| `{name}` | {f'`{camel(name)}`' if 'node' in c.clients else 'has none'} | {upstream} |\n")
    out.append("\n| not served | why |\n|---|---|\n")
    out += [f"| `{name}` | {why} |\n" for name, why in NOT_SERVED.items()]
    return "".join(out)
