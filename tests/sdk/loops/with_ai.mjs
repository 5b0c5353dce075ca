// SPDX-License-Identifier: MIT
// The loops with Vercel's AI SDK, by its providers for OpenAI (chat and Responses), for compatible servers and for Anthropic.
import { access, load, run, Trip, Weather } from "./job.mjs";

const { embedMany, generateText, Output, stepCountIs, streamText, tool } = await load("ai");
const providers = {
    "@ai-sdk/openai": async () => {
        const { createOpenAI } = await load("@ai-sdk/openai");
        const provider = createOpenAI(access);
        return { chat: (id) => provider.chat(id), embedding: (id) => provider.embedding(id) };
    },
    "@ai-sdk/openai responses": async () => {
        const { createOpenAI } = await load("@ai-sdk/openai");
        return { chat: createOpenAI(access) };
    },
    "@ai-sdk/anthropic": async () => {
        const { createAnthropic } = await load("@ai-sdk/anthropic");
        return { chat: createAnthropic(access) };
    },
    "@ai-sdk/openai-compatible": async () => {
        const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
        const provider = createOpenAICompatible({ ...access, name: "gemgate", supportsStructuredOutputs: true });
        return { chat: (id) => provider.chatModel(id), embedding: (id) => provider.embeddingModel(id) };
    },
};
const { chat, embedding } = await providers[process.env.LOOP_MODULE]();

const options = (job, calls) => ({
    model: chat(job.model),
    maxRetries: 0,
    stopWhen: stepCountIs(5),
    tools: {
        get_weather: tool({
            description: "The weather of a city",
            inputSchema: Weather,
            execute: async ({ city }) => (calls.push(city), job.weather[city]),
        }),
    },
});

async function streamed(settings) {
    const pieces = [];
    const errors = [];
    const result = streamText({ ...settings, onError: ({ error }) => errors.push(error) });
    for await (const piece of result.textStream) pieces.push(piece);
    if (errors.length) throw errors[0];
    return { text: await result.text, pieces };
}

await run({
    async tools(job) {
        const calls = [];
        return { text: (await generateText({ ...options(job, calls), prompt: job.prompt })).text, calls };
    },
    async turns(job) {
        const calls = [];
        const messages = [{ role: "user", content: job.prompt }];
        const first = await generateText({ ...options(job, calls), messages });
        messages.push(...first.responseMessages, { role: "user", content: job.second });
        const second = await generateText({ ...options(job, calls), messages });
        return { calls, text: second.text, texts: [first.text, second.text] };
    },
    async structured(job) {
        const output = Output.object({ schema: Trip });
        return { data: (await generateText({ model: chat(job.model), maxRetries: 0, prompt: job.prompt, output })).output };
    },
    async structured_by_function(job) {
        return this.structured(job);
    },
    async image(job) {
        const content = [
            { type: "text", text: job.prompt },
            { type: "file", mediaType: "image/png", data: job.image.split(",")[1] },
        ];
        const messages = [{ role: "user", content }];
        return { text: (await generateText({ model: chat(job.model), maxRetries: 0, messages })).text };
    },
    stream: (job) => streamed({ model: chat(job.model), maxRetries: 0, prompt: job.prompt }),
    async stream_tools(job) {
        const calls = [];
        return { ...(await streamed({ ...options(job, calls), prompt: job.prompt })), calls };
    },
    async embeddings(job) {
        const { embeddings } = await embedMany({ model: embedding(job.embedding_model), values: job.input, maxRetries: 0 });
        return { vectors: embeddings };
    },
});
