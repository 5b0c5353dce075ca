// SPDX-License-Identifier: MIT
// Does one thing with Google's Node SDK and prints what came of it as JSON, in the words of genais.py. The job comes on
// stdin: {op, params}; the address and the token in the environment.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.GEMGATE_NODE + "/");
const { GoogleGenAI } = await import(pathToFileURL(require.resolve("@google/genai")).href);
const job = JSON.parse(readFileSync(0, "utf8"));
const client = new GoogleGenAI({
    apiKey: process.env.SDK_TOKEN,
    httpOptions: { baseUrl: process.env.SDK_BASE_URL, timeout: 60000 }, // and the SDK's own version
});
const plain = (response) => ({ ...response, text: response.text });
const all = async (pager) => {
    const found = [];
    for await (const one of pager) found.push(one);
    return found;
};

const operations = {
    generate: async (params) => plain(await client.models.generateContent(params)),
    async stream(params, out) {
        for await (const chunk of await client.models.generateContentStream(params)) out.chunks.push(plain(chunk));
    },
    // The messages of all turns are the chunks.
    async live({ model, config, turns }, out) {
        let end, fail = () => {};
        const turn = () => new Promise((resolve, reject) => ([end, fail] = [resolve, reject]));
        const session = await client.live.connect({
            model,
            config,
            callbacks: {
                onmessage(m) {
                    out.chunks.push(m);
                    if (m.serverContent?.turnComplete) end();
                },
                onerror: (e) => fail(new Error(e.message)),
                onclose: (e) => fail(Object.assign(new Error(e.reason), { status: e.code })),
            },
        });
        for (const text of turns) {
            const done = turn();
            session.sendClientContent({ turns: [{ role: "user", parts: [{ text }] }], turnComplete: true });
            await done;
        }
        session.close();
    },
    models: async (params) => all(await client.models.list(params)),
    model: (params) => client.models.get(params),
    count: (params) => client.models.countTokens(params),
    upload: (params) => client.files.upload({ file: params.path, config: params.config }),
    file_get: (params) => client.files.get(params),
    // Its promise does not wait for the file.
    async file_download(params) {
        await client.files.download({ file: params.name, downloadPath: params.path });
    },
    store_upload: (params) =>
        client.fileSearchStores.uploadToFileSearchStore({
            fileSearchStoreName: params.store,
            file: params.path,
            config: params.config,
        }),
    file_delete: async (params) => void (await client.files.delete(params)),
    file_list: async (params) => all(await client.files.list(params)),
    cache_create: (params) => client.caches.create(params),
    cache_get: (params) => client.caches.get(params),
    cache_update: (params) => client.caches.update(params),
    cache_delete: async (params) => void (await client.caches.delete(params)),
    cache_list: async (params) => all(await client.caches.list(params)),
};

const out = { chunks: [] };
try {
    out.result = await operations[job.op](job.params, out);
} catch (e) {
    out.error = { class: e.constructor.name, message: e.message, code: e.status ?? null };
}
console.log(JSON.stringify(out));
