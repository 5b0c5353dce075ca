// SPDX-License-Identifier: MIT
// The loops with OpenAI's Node SDK: runTools, parse with zod, the helpers for streams, embeddings.
import { access, load, run, Trip, Weather } from "./job.mjs";

const { default: OpenAI } = await load(process.env.LOOP_MODULE);
const { zodFunction, zodResponseFormat } = await load(process.env.LOOP_MODULE + "/helpers/zod");
const client = new OpenAI({ ...access, maxRetries: 0 });
const asked = (job) => [{ role: "user", content: job.prompt }];

const tools = (job, calls) => [
    zodFunction({
        name: "get_weather",
        description: "The weather of a city",
        parameters: Weather,
        function: ({ city }) => (calls.push(city), job.weather[city]),
    }),
];

async function turn(job, messages, calls) {
    const runner = client.chat.completions.runTools({ model: job.model, messages, tools: tools(job, calls) });
    return { text: await runner.finalContent(), messages: runner.messages };
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
        const format = zodResponseFormat(Trip, "trip");
        const done = await client.chat.completions.parse({ model: job.model, messages: asked(job), response_format: format });
        return { data: done.choices[0].message.parsed };
    },
    async image(job) {
        const content = [
            { type: "text", text: job.prompt },
            { type: "image_url", image_url: { url: job.image } },
        ];
        const messages = [{ role: "user", content }];
        const done = await client.chat.completions.create({ model: job.model, messages });
        return { text: done.choices[0].message.content };
    },
    async stream(job) {
        const pieces = [];
        const stream = client.chat.completions.stream({ model: job.model, messages: asked(job) });
        stream.on("content", (delta) => pieces.push(delta));
        return { text: await stream.finalContent(), pieces };
    },
    async stream_tools(job) {
        const calls = [];
        const pieces = [];
        const deltas = [];
        const runner = client.chat.completions.runTools({
            model: job.model,
            messages: asked(job),
            tools: tools(job, calls),
            stream: true,
        });
        runner.on("content", (delta) => pieces.push(delta));
        runner.on("tool_calls.function.arguments.delta", (e) => deltas.push(e.arguments_delta));
        const text = await runner.finalContent();
        return { calls, text, pieces, deltas };
    },
    async embeddings(job) {
        const base = { model: job.embedding_model, input: job.input };
        const vectors = (await client.embeddings.create(base)).data.map((d) => d.embedding);
        const floats = (await client.embeddings.create({ ...base, encoding_format: "float" })).data.map((d) => d.embedding);
        return { vectors, floats };
    },
});
