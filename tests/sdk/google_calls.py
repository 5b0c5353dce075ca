# SPDX-License-Identifier: MIT
"""Conversations with Google's Python SDK over what clients make at Google; google.mjs has the same. Each step is [name of the
call, what the simulator has been asked so far, what came of it]. A client is genai.Client, or its .aio."""
import inspect
import io
import json

from google import genai
from google.genai import types

MODEL = "gemini-3.8-flash"
HI = [{"parts": [{"text": "Hi"}], "role": "user"}]


async def waited(x):
    return await x if inspect.isawaitable(x) else x


async def every(pager):
    """All of a pager, or of a stream, of either kind."""
    pager = await waited(pager)
    return [x async for x in pager] if hasattr(pager, "__aiter__") else list(pager)


class Conversation:
    def __init__(self, url, token, sim, folder, is_async):
        self.sim, self.folder, self.steps = sim, folder, []
        self.client = genai.Client(api_key=token, http_options=types.HttpOptions(base_url=url, timeout=60000))
        self.ai = self.client.aio if is_async else self.client
        self.given = (folder / "given").read_bytes()

    async def run(self, topic):
        await getattr(self, topic)()
        if self.ai is not self.client:
            await self.ai.aclose()
        self.client.close()
        return self.steps

    async def step(self, name, call, facts=lambda x: None):
        made = got = None
        try:
            made = await waited(call())
            got = facts(made)
        except Exception as e:  # noqa: BLE001: what it is, is the result
            got = {"error": getattr(e, "code", None) or getattr(e, "status_code", None) or repr(e)}
        self.steps.append([name, json.loads(self.sim.control("GET", "/sim/status"))["total"], got])
        return made

    async def files(self):
        files = self.ai.files
        facts = lambda f: [f.display_name, f.mime_type, f.size_bytes, f.state.value]
        config = {"display_name": "A", "mime_type": "video/mp4"}
        file = await self.step("files.upload", lambda: files.upload(file=str(self.folder / "given"), config=config), facts)
        other = await self.step("files.upload", lambda: files.upload(file=io.BytesIO(self.given), config=config), facts)
        await self.step("files.get", lambda: files.get(name=file.name), facts)
        await self.step("files.list", lambda: every(files.list(config={"page_size": 1})), len)
        await self.step("files.download", lambda: files.download(file=file.name), lambda b: b == self.given)
        await self.step("files.delete", lambda: files.delete(name=other.name))
        await self.step("files.get", lambda: files.get(name=other.name))

    async def caches(self):
        caches, config = self.ai.caches, {"contents": HI, "display_name": "C", "ttl": "600s"}
        cache = await self.step("caches.create", lambda: caches.create(model=MODEL, config=config), lambda c: c.display_name)
        await self.step("caches.get", lambda: caches.get(name=cache.name), lambda c: c.display_name)
        await self.step("caches.list", lambda: every(caches.list(config={"page_size": 5})), len)
        await self.step("caches.update", lambda: caches.update(name=cache.name, config={"ttl": "6000s"}), lambda c: c.expire_time > cache.expire_time)
        cached = {"cached_content": cache.name}
        await self.step("models.generate_content", lambda: self.ai.models.generate_content(model=MODEL, contents="Hi", config=cached), lambda r: bool(r.text))
        await self.step("caches.delete", lambda: caches.delete(name=cache.name))

    async def batches(self):
        batches = self.ai.batches
        file = await waited(self.ai.files.upload(file=str(self.folder / "given"), config={"mime_type": "text/plain"}))
        facts = lambda b: [b.display_name, b.state.value]
        config = {"display_name": "B"}
        inline = await self.step("batches.create", lambda: batches.create(model=MODEL, src=[{"contents": HI}], config=config), facts)
        await self.step("batches.create", lambda: batches.create(model=MODEL, src=file.name, config=config), facts)
        src = {"inlined_requests": {"contents": HI}}
        await self.step("batches.create_embeddings", lambda: batches.create_embeddings(model="gemini-embedding-2", src=src, config=config), facts)
        await self.step("batches.get", lambda: batches.get(name=inline.name), lambda b: [*facts(b), b.dest.file_name.startswith("files/batch-")])
        await self.step("batches.list", lambda: every(batches.list(config={"page_size": 5})), len)
        await self.step("batches.cancel", lambda: batches.cancel(name=inline.name))
        await self.step("batches.delete", lambda: batches.delete(name=inline.name))
        await self.step("batches.get", lambda: batches.get(name=inline.name))

    async def models(self):
        models, config = self.ai.models, {"output_dimensionality": 8}
        facts = lambda r: [len(e.values) for e in r.embeddings]
        model = "gemini-embedding-001"
        await self.step("models.embed_content", lambda: models.embed_content(model=model, contents="Hi", config=config), facts)
        await self.step("models.embed_content", lambda: models.embed_content(model=model, contents=["Hi", "Ho"], config=config), facts)
        await self.step("models.count_tokens", lambda: models.count_tokens(model=MODEL, contents="Hi"), lambda r: r.total_tokens > 0)
        await self.step("models.list", lambda: every(models.list(config={"page_size": 50})), lambda found: "models/" + MODEL in [m.name for m in found])
        await self.step("models.get", lambda: models.get(model=MODEL), lambda m: m.name)
        await self.step("models.list tuned", lambda: every(models.list(config={"query_base": False})), len)

    async def stores(self):
        stores, operations = self.ai.file_search_stores, self.ai.operations
        store = await self.step("file_search_stores.create", lambda: stores.create(config={"display_name": "S"}), lambda s: s.display_name)
        await self.step("file_search_stores.get", lambda: stores.get(name=store.name), lambda s: s.display_name)
        await self.step("file_search_stores.list", lambda: every(stores.list(config={"page_size": 5})), len)
        config, path = {"display_name": "D", "mime_type": "text/plain"}, str(self.folder / "given")
        upload = await self.step("file_search_stores.upload_to_file_search_store", lambda: stores.upload_to_file_search_store(
            file_search_store_name=store.name, file=path, config=config), lambda o: o.done)
        await self.step("operations.get", lambda: operations.get(upload), lambda o: o.done)
        file = await waited(self.ai.files.upload(file=path, config={"mime_type": "text/plain"}))
        operation = await self.step("file_search_stores.import_file", lambda: stores.import_file(
            file_search_store_name=store.name, file_name=file.name), lambda o: o.done)
        await self.step("operations.get", lambda: operations.get(operation), lambda o: o.done)
        [document] = await self.step("file_search_stores.documents.list", lambda: every(
            stores.documents.list(parent=store.name, config={"page_size": 5})), len)
        await self.step("file_search_stores.documents.get", lambda: stores.documents.get(name=document.name), lambda d: d.name == document.name)
        tools = [{"file_search": {"file_search_store_names": [store.name]}}]
        await self.step("models.generate_content", lambda: self.ai.models.generate_content(
            model=MODEL, contents="Hi", config={"tools": tools}), lambda r: bool(r.text))
        await self.step("file_search_stores.download_media", lambda: stores.download_media(media_id=f"{store.name}/media/gen-5"), len)
        await self.step("file_search_stores.documents.delete", lambda: stores.documents.delete(name=document.name, config={"force": True}))
        await self.step("file_search_stores.delete", lambda: stores.delete(name=store.name, config={"force": True}))

    async def interactions(self):
        interactions = self.ai.interactions
        facts = lambda i: [i.status, i.usage.total_tokens]
        first = await self.step("interactions.create", lambda: interactions.create(model=MODEL, input="Hi"), facts)
        await self.step("interactions.create", lambda: interactions.create(
            model=MODEL, input="And?", previous_interaction_id=first.id), lambda i: i.previous_interaction_id == first.id)
        events = lambda found: [e.event_type for e in found]
        await self.step("interactions.create", lambda: every(interactions.create(model=MODEL, input="Hi", stream=True)), events)
        later = await self.step("interactions.create", lambda: interactions.create(
            agent="deep-research", input="Hi", background=True), lambda i: i.status)
        await self.step("interactions.get", lambda: interactions.get(id=later.id), lambda i: i.status)
        await self.step("interactions.get", lambda: every(interactions.get(id=later.id, stream=True)), events)
        await self.step("interactions.cancel", lambda: interactions.cancel(id=later.id), lambda i: i.status)
        await self.step("interactions.delete", lambda: interactions.delete(id=first.id))
        await self.step("interactions.get", lambda: interactions.get(id=first.id))
        await self.step("auth_tokens.create", lambda: self.ai.auth_tokens.create(config={"uses": 1, "http_options": {"api_version": "v1alpha"}}))

    async def environments(self):
        environments = self.ai.environments
        made = await self.step("environments.create", lambda: environments.create(), lambda e: bool(e.id))
        await self.step("environments.get", lambda: environments.get(id=made.id), lambda e: e.id == made.id)
        await self.step("environments.list", lambda: environments.list(page_size=5), lambda found: len(found.environments))
        files, at = environments.files, {"environment": made.id, "path": "a/b c.txt"}
        await self.step("environments.files.upload", lambda: files.upload(**at, file=self.given, overwrite=True), lambda r: len(r.files))
        await self.step("environments.files.list", lambda: files.list(**at, recursive=True), bool)
        await self.step("environments.files.download", lambda: files.download(**at), lambda b: b == self.given)
        await self.step("environments.delete", lambda: environments.delete(id=made.id))

    async def others(self):
        kinds = {
            "agents": {"id": "my-agent", "base_agent": "deep-research"},
            "voices": {"voice": {"type": "prompted", "display_name": "V"}, "store": True},
            "webhooks": {"uri": "https://example.com/", "subscribed_events": ["batch.succeeded"], "name": "w"},
            "credentials": {"type": "bearer_token", "id": "c", "token": "x"},
            "triggers": {"schedule": "* * * * *", "time_zone": "UTC", "interaction": {"agent": "deep-research", "input": "Hi"}},
        }
        for kind, params in kinds.items():
            about = getattr(self.ai, kind)
            made = await self.step(f"{kind}.create", lambda: about.create(**params), lambda o: bool(o.id))
            await self.step(f"{kind}.get", lambda: about.get(id=made.id), lambda o: o.id == made.id)
            await self.step(f"{kind}.list", lambda: about.list(page_size=5), lambda found: len(getattr(found, kind)))
            if kind == "voices":
                await self.step("voices.create", lambda: about.create(voice={"type": "prompted"}, store=False), lambda v: v.key)
            if kind == "credentials":
                await self.step("credentials.update", lambda: about.update(id=made.id, type="bearer_token", token="y"), lambda c: c.id)
            if kind == "webhooks":
                await self.step("webhooks.update", lambda: about.update(id=made.id, uri="https://example.org/", update_mask="uri"), lambda w: w.uri)
                await self.step("webhooks.ping", lambda: about.ping(id=made.id))
                await self.step("webhooks.rotate_signing_secret", lambda: about.rotate_signing_secret(id=made.id), lambda r: r.secret)
            if kind == "triggers":
                await self.step("triggers.run", lambda: about.run(trigger_id=made.id), lambda x: bool(x.id))
                await self.step("triggers.list_executions", lambda: about.list_executions(trigger_id=made.id), lambda found: len(found.trigger_executions))
            await self.step(f"{kind}.delete", lambda: about.delete(id=made.id))
