// SPDX-License-Identifier: MIT
// The loops with Anthropic's Node SDK: its tool runner, parse with zod, the helper for streams.
import { access, load, run, Trip, Weather } from "./job.mjs";

const { default: Anthropic } = await load("@anthropic-ai/sdk");
const { betaZodTool } = await load("@anthropic-ai/sdk/helpers/beta/zod");
const { zodOutputFormat } = await load("@anthropic-ai/sdk/helpers/zod");
const client = new Anthropic({ apiKey: access.apiKey, baseURL: access.baseURL.replace(/\/v1$/, ""), maxRetries: 0 });
const asked = (job) => [{ role: "user", content: job.prompt }];
const textOf = (message) => message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
const base = (job) => ({ model: job.model, max_tokens: 1000, messages: asked(job) });

const tools = (job, calls) => [
    betaZodTool({
        name: "get_weather",
        description: "The weather of a city",
        inputSchema: Weather,
        run: ({ city }) => (calls.push(city), job.weather[city]),
    }),
];

async function turn(job, messages, calls) {
    const runner = client.beta.messages.toolRunner({ ...base(job), messages, tools: tools(job, calls) });
    const last = await runner.runUntilDone();
    return { text: textOf(last), messages: [...runner.params.messages, { role: "assistant", content: last.content }] };
}

await run({
    async tools(job) {
        const calls = [];
        return { calls, text: (await turn(job, asked(job), calls)).text };
    },
    async turns(job) {
        const calls = [];
        const first = await turn(job, asked(job), calls);
        const second = await turn(job, [...first.messages, { role: "user", content: job.second }], calls);
        return { calls, text: second.text, texts: [first.text, second.text] };
    },
    async structured(job) {
        const done = await client.messages.parse({ ...base(job), output_config: { format: zodOutputFormat(Trip) } });
        return { data: done.parsed_output };
    },
    async image(job) {
        const source = { type: "base64", media_type: "image/png", data: job.image.split(",")[1] };
        const content = [{ type: "image", source }, { type: "text", text: job.prompt }];
        return { text: textOf(await client.messages.create({ ...base(job), messages: [{ role: "user", content }] })) };
    },
    async stream(job) {
        const pieces = [];
        const stream = client.messages.stream(base(job));
        stream.on("text", (delta) => pieces.push(delta));
        return { text: textOf(await stream.finalMessage()), pieces };
    },
    async stream_tools(job) {
        const calls = [];
        const pieces = [];
        const runner = client.beta.messages.toolRunner({ ...base(job), tools: tools(job, calls), stream: true });
        for await (const stream of runner)
            for await (const event of stream)
                if (event.type === "content_block_delta" && event.delta.type === "text_delta") pieces.push(event.delta.text);
        return { calls, text: pieces.join(""), pieces };
    },
});
