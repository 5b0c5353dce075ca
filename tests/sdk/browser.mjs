// SPDX-License-Identifier: MIT
// The official Node SDKs as they run in a page: fetch() does what a browser's does with a page of another origin. It asks
// first, refuses what the answer does not allow, and shows only the headers that it names. Prints as JSON what came of the
// job on stdin: {sdk, origin, model, wrong}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.GEMGATE_NODE + "/");
const job = JSON.parse(readFileSync(0, "utf8"));
const out = { asked: [], headers: {}, text: "" };
const plainFetch = globalThis.fetch;
const listed = (response, name) =>
    (response.headers.get(name) ?? "").split(",").map((s) => s.trim().toLowerCase());
const safe = (name, value) =>
    ["accept", "accept-language", "content-language"].includes(name) ||
    (name === "content-type" && value.split(";")[0] === "text/plain");
const blocked = (why) => new TypeError(`Failed to fetch: ${why}`);

function check(response) {
    if (!["*", job.origin].includes(response.headers.get("access-control-allow-origin")))
        throw blocked("Access-Control-Allow-Origin");
    return response;
}

globalThis.fetch = async (input, init) => {
    const request = new Request(input, { ...init, duplex: "half" });
    const names = [...request.headers].filter(([n, v]) => !safe(n, v)).map(([n]) => n);
    const asked = await plainFetch(request.url, {
        method: "OPTIONS",
        headers: {
            Origin: job.origin,
            "Access-Control-Request-Method": request.method,
            "Access-Control-Request-Headers": names.sort().join(","),
        },
    });
    check(asked);
    if (!asked.ok) throw blocked(`the preflight has ${asked.status}`);
    const missing = names.filter((n) => !listed(asked, "access-control-allow-headers").includes(n));
    if (missing.length > 0) throw blocked(`the headers ${missing}`);
    out.asked.push(...names);
    const headers = new Headers(request.headers);
    headers.set("Origin", job.origin);
    const response = check(await plainFetch(new Request(request, { headers })));
    const seen = [...listed(response, "access-control-expose-headers"), "content-type"];
    const shown = [...response.headers].filter(([n]) => seen.includes(n));
    Object.assign(out.headers, Object.fromEntries(shown));
    return new Response(response.body, { status: response.status, headers: shown });
};

const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const apiKey = process.env.SDK_TOKEN;
const messages = [{ role: "user", content: "Hi" }];
const sdks = {
    async openai() {
        const { default: OpenAI } = await load("openai");
        const client = new OpenAI({ baseURL: process.env.SDK_BASE_URL + "/v1", apiKey, maxRetries: 0, dangerouslyAllowBrowser: true });
        for await (const c of await client.chat.completions.create({ model: job.model, messages, stream: true }))
            out.text += c.choices[0]?.delta?.content ?? "";
    },
    async anthropic() {
        const { default: Anthropic } = await load("@anthropic-ai/sdk");
        const client = new Anthropic({ baseURL: process.env.SDK_BASE_URL, apiKey, maxRetries: 0, dangerouslyAllowBrowser: true });
        for await (const e of client.messages.stream({ model: job.model, messages, max_tokens: 100 }))
            out.text += e.delta?.text ?? "";
    },
    async google() {
        const { GoogleGenAI } = await load("@google/genai");
        const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: process.env.SDK_BASE_URL } });
        for await (const c of await client.models.generateContentStream({ model: job.model, contents: "Hi" }))
            out.text += c.text ?? "";
    },
};

try {
    await sdks[job.sdk]();
} catch (e) {
    out.error = { message: e.cause?.message ?? e.message, status: e.status ?? null, request_id: e.requestID ?? null };
}
console.log(JSON.stringify(out));
