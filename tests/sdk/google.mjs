// SPDX-License-Identifier: MIT
// Conversations with Google's Node SDK over what clients make at Google, in the words of google_calls.py. stdin: {topic, folder}.
// Prints a line for each step: [name of the call, what the simulator has been asked so far, what came of it].
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.GEMGATE_NODE + "/");
const { GoogleGenAI } = await import(pathToFileURL(require.resolve("@google/genai")).href);
const { topic, folder } = JSON.parse(readFileSync(0, "utf8"));
const ai = new GoogleGenAI({
    apiKey: process.env.SDK_TOKEN,
    httpOptions: { baseUrl: process.env.SDK_BASE_URL, timeout: 60000, apiVersion: "v1beta" },
});
console.warn = () => {};
const MODEL = "gemini-3.8-flash";
const MIB = 1 << 20;
const HI = [{ parts: [{ text: "Hi" }], role: "user" }];

async function step(name, call, facts) {
    let made, got;
    try {
        made = await call();
        got = facts ? await facts(made) : null;
    } catch (e) {
        got = { error: e.status ?? e.statusCode ?? String(e) };
    }
    const status = await (await fetch(process.env.SIM_URL + "/sim/status")).json();
    console.log(JSON.stringify([name, status.total, got]));
    return made;
}

async function all(pager) {
    const found = [];
    for await (const one of pager) found.push(one);
    return found;
}

const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;
const count = (list) => (list ?? []).length;

const topics = {
    async files() {
        const facts = (f) => [f.displayName, f.mimeType, Number(f.sizeBytes), f.state];
        const config = { displayName: "A", mimeType: "video/mp4" };
        const file = await step("files.upload", () => ai.files.upload({ file: folder + "/given", config }), facts);
        const blob = new Blob([readFileSync(folder + "/given")], { type: "video/mp4" });
        const other = await step("files.upload", () => ai.files.upload({ file: blob, config }), facts);
        await step("files.get", () => ai.files.get({ name: file.name }), facts);
        await step("files.list", async () => all(await ai.files.list({ config: { pageSize: 1 } })), count);
        await step("files.download", () => ai.files.download({ file: file.name, downloadPath: folder + "/taken" }), () =>
            same(readFileSync(folder + "/given"), readFileSync(folder + "/taken")));
        await step("files.delete", () => ai.files.delete({ name: other.name }));
        await step("files.get", () => ai.files.get({ name: other.name }));
    },
    async caches() {
        const config = { contents: HI, displayName: "C", ttl: "600s" };
        const cache = await step("caches.create", () => ai.caches.create({ model: MODEL, config }), (c) => c.displayName);
        await step("caches.get", () => ai.caches.get({ name: cache.name }), (c) => c.displayName);
        await step("caches.list", async () => all(await ai.caches.list({ config: { pageSize: 5 } })), count);
        await step("caches.update", () => ai.caches.update({ name: cache.name, config: { ttl: "6000s" } }), (c) =>
            c.expireTime > cache.expireTime);
        const cached = { cachedContent: cache.name };
        await step("models.generate_content", () => ai.models.generateContent({ model: MODEL, contents: "Hi", config: cached }), (r) => !!r.text);
        await step("caches.delete", () => ai.caches.delete({ name: cache.name }));
    },
    async batches() {
        const file = await ai.files.upload({ file: folder + "/given", config: { mimeType: "text/plain" } });
        const facts = (b) => [b.displayName, b.state];
        const config = { displayName: "B" };
        const inline = await step("batches.create", () => ai.batches.create({ model: MODEL, src: [{ contents: HI }], config }), facts);
        await step("batches.create", () => ai.batches.create({ model: MODEL, src: file.name, config }), facts);
        const src = { inlinedRequests: { contents: HI } };
        await step("batches.create_embeddings", () => ai.batches.createEmbeddings({ model: "gemini-embedding-2", src, config }), facts);
        await step("batches.get", () => ai.batches.get({ name: inline.name }), (b) => [...facts(b), b.dest.fileName.startsWith("files/batch-")]);
        await step("batches.list", async () => all(await ai.batches.list({ config: { pageSize: 5 } })), count);
        await step("batches.cancel", () => ai.batches.cancel({ name: inline.name }));
        await step("batches.delete", () => ai.batches.delete({ name: inline.name }));
        await step("batches.get", () => ai.batches.get({ name: inline.name }));
    },
    async models() {
        const facts = (r) => r.embeddings.map((e) => e.values.length);
        const config = { outputDimensionality: 8 };
        const model = "gemini-embedding-001";
        await step("models.embed_content", () => ai.models.embedContent({ model, contents: "Hi", config }), facts);
        await step("models.embed_content", () => ai.models.embedContent({ model, contents: ["Hi", "Ho"], config }), facts);
        await step("models.count_tokens", () => ai.models.countTokens({ model: MODEL, contents: "Hi" }), (r) => r.totalTokens > 0);
        await step("models.list", async () => all(await ai.models.list({ config: { pageSize: 50 } })), (l) => l.some((m) => m.name === "models/" + MODEL));
        await step("models.get", () => ai.models.get({ model: MODEL }), (m) => m.name);
        await step("models.list tuned", async () => all(await ai.models.list({ config: { queryBase: false } })), count);
    },
    async stores() {
        const { fileSearchStores: stores, operations } = ai;
        const store = await step("file_search_stores.create", () => stores.create({ config: { displayName: "S" } }), (s) => s.displayName);
        await step("file_search_stores.get", () => stores.get({ name: store.name }), (s) => s.displayName);
        await step("file_search_stores.list", async () => all(await stores.list({ config: { pageSize: 5 } })), count);
        const config = { displayName: "D", mimeType: "text/plain" };
        const upload = await step("file_search_stores.upload_to_file_search_store", () =>
            stores.uploadToFileSearchStore({ fileSearchStoreName: store.name, file: folder + "/given", config }), (o) => o.done);
        await step("operations.get", () => operations.get({ operation: upload }), (o) => o.done);
        const file = await ai.files.upload({ file: folder + "/given", config: { mimeType: "text/plain" } });
        const operation = await step("file_search_stores.import_file", () =>
            stores.importFile({ fileSearchStoreName: store.name, fileName: file.name }), (o) => o.done);
        await step("operations.get", () => operations.get({ operation }), (o) => o.done);
        const [document] = await step("file_search_stores.documents.list", async () =>
            all(await stores.documents.list({ parent: store.name, config: { pageSize: 5 } })), count);
        await step("file_search_stores.documents.get", () => stores.documents.get({ name: document.name }), (d) => d.name === document.name);
        const tools = [{ fileSearch: { fileSearchStoreNames: [store.name] } }];
        await step("models.generate_content", () => ai.models.generateContent({ model: MODEL, contents: "Hi", config: { tools } }), (r) => !!r.text);
        await step("file_search_stores.documents.delete", () => stores.documents.delete({ name: document.name, config: { force: true } }));
        await step("file_search_stores.delete", () => stores.delete({ name: store.name, config: { force: true } }));
    },
    async interactions() {
        const { interactions } = ai;
        const facts = (i) => [i.status, i.usage.total_tokens];
        const first = await step("interactions.create", () => interactions.create({ model: MODEL, input: "Hi" }), facts);
        const previous_interaction_id = first.id;
        await step("interactions.create", () => interactions.create({ model: MODEL, input: "And?", previous_interaction_id }), (i) =>
            i.previous_interaction_id === first.id);
        const events = (list) => list.map((e) => e.event_type);
        await step("interactions.create", async () => all(await interactions.create({ model: MODEL, input: "Hi", stream: true })), events);
        const later = await step("interactions.create", () =>
            interactions.create({ agent: "deep-research", input: "Hi", background: true }), (i) => i.status);
        await step("interactions.get", () => interactions.get(later.id), (i) => i.status);
        await step("interactions.get", async () => all(await interactions.get(later.id, { stream: true })), events);
        await step("interactions.cancel", () => interactions.cancel(later.id), (i) => i.status);
        await step("interactions.delete", () => interactions.delete(first.id));
        await step("interactions.get", () => interactions.get(first.id));
        const tokens = { config: { uses: 1, httpOptions: { apiVersion: "v1alpha" } } };
        await step("auth_tokens.create", () => ai.authTokens.create(tokens));
    },
    async environments() {
        const { environments } = ai;
        const made = await step("environments.create", () => environments.create({}), (e) => !!e.id);
        await step("environments.get", () => environments.get(made.id), (e) => e.id === made.id);
        await step("environments.list", () => environments.list({ page_size: 5 }), (l) => count(l.environments));
        const at = { environment: made.id, path: "a/b c.txt" };
        const given = readFileSync(folder + "/given");
        await step("environments.files.upload", () => environments.files.upload({ ...at, file: given, overwrite: true }), (r) => count(r.files));
        await step("environments.files.list", () => environments.files.list({ ...at, recursive: true }), (r) => !!r);
        await step("environments.files.download", () => environments.files.download(at), (bytes) => same(bytes, given));
        await step("environments.delete", () => environments.delete(made.id));
    },
    async others() {
        const kinds = {
            agents: { id: "my-agent", base_agent: "deep-research" },
            voices: { voice: { type: "prompted", display_name: "V" }, store: true },
            webhooks: { uri: "https://example.com/", subscribed_events: ["batch.succeeded"], name: "w" },
            credentials: { type: "bearer_token", id: "c", token: "x" },
            triggers: { schedule: "* * * * *", time_zone: "UTC", interaction: { agent: "deep-research", input: "Hi" } },
        };
        for (const [kind, params] of Object.entries(kinds)) {
            const made = await step(`${kind}.create`, () => ai[kind].create(params), (o) => !!o.id);
            await step(`${kind}.get`, () => ai[kind].get(made.id), (o) => o.id === made.id);
            await step(`${kind}.list`, () => ai[kind].list({ page_size: 5 }), (l) => count(l[kind]));
            if (kind === "voices")
                await step("voices.create", () => ai.voices.create({ voice: { type: "prompted" }, store: false }), (v) => v.key);
            if (kind === "credentials")
                await step("credentials.update", () => ai.credentials.update(made.id, { type: "bearer_token", token: "y" }), (c) => c.id);
            if (kind === "webhooks") {
                await step("webhooks.update", () => ai.webhooks.update(made.id, { uri: "https://example.org/", update_mask: "uri" }), (w) => w.uri);
                await step("webhooks.ping", () => ai.webhooks.ping(made.id));
                await step("webhooks.rotate_signing_secret", () => ai.webhooks.rotateSigningSecret(made.id, {}), (r) => r.secret);
            }
            if (kind === "triggers") {
                await step("triggers.run", () => ai.triggers.run(made.id), (x) => !!x.id);
                await step("triggers.list_executions", () => ai.triggers.listExecutions(made.id), (l) => count(l.trigger_executions));
            }
            await step(`${kind}.delete`, () => ai[kind].delete(made.id));
        }
    },
};

await topics[topic]();
