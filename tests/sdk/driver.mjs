// SPDX-License-Identifier: MIT
// Does one thing with OpenAI's Node SDK and prints what came of it as JSON, in the words of sdks.py. The job comes on
// stdin: {op, params}; the module, the address and the token in the environment.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.GEMGATE_NODE + "/");
const { default: OpenAI } = await import(pathToFileURL(require.resolve(process.env.SDK_MODULE)).href);
const client = new OpenAI({
    baseURL: process.env.SDK_BASE_URL,
    apiKey: process.env.SDK_TOKEN,
    maxRetries: Number(process.env.SDK_RETRIES),
});

const operations = {
    chat: (params) => client.chat.completions.create(params),
    async stream(params, out) {
        for await (const chunk of await client.chat.completions.create({ ...params, stream: true }))
            out.chunks.push(chunk);
    },
    accumulate: (params) => client.chat.completions.stream(params).finalChatCompletion(),
    async models(params) {
        const out = [];
        for await (const model of client.models.list()) out.push(model);
        return out;
    },
    model: (params) => client.models.retrieve(params.id),
};

const job = JSON.parse(readFileSync(0, "utf8"));
const out = { chunks: [] };
try {
    out.result = await operations[job.op](job.params, out);
} catch (e) {
    out.error = {
        class: e.constructor.name,
        message: e.message,
        status: e.status ?? null,
        type: e.type ?? null,
        code: e.code ?? null,
        param: e.param ?? null,
        request_id: e.requestID ?? null,
    };
}
console.log(JSON.stringify(out));
