// SPDX-License-Identifier: MIT
// The loops with OpenAI's Node SDK through the Responses API: parse with zod, the helper for streams, and the history of a
// conversation sent whole (tools) or by previous_response_id (turns).
import { access, load, run, Trip, Weather } from "./job.mjs";

const { default: OpenAI } = await load(process.env.LOOP_MODULE);
const { zodResponsesFunction, zodTextFormat } = await load(process.env.LOOP_MODULE + "/helpers/zod");
const client = new OpenAI({ ...access, maxRetries: 0 });
const tools = [zodResponsesFunction({ name: "get_weather", description: "The weather of a city", parameters: Weather })];

const results = (job, response, calls) =>
    response.output.filter((item) => item.type === "function_call").map((call) => {
        const { city } = JSON.parse(call.arguments);
        calls.push(city);
        return { type: "function_call_output", call_id: call.call_id, output: job.weather[city] };
    });

// Asks until no function is called; `once` sends a request.
async function loop(job, input, calls, once) {
    for (;;) {
        const response = await once(input);
        const outputs = results(job, response, calls);
        if (!outputs.length) return response;
        input = [...input, ...response.output, ...outputs];
    }
}

async function chained(job, question, previous, calls) {
    let input = question;
    for (;;) {
        const response = await client.responses.create({ model: job.model, tools, input, previous_response_id: previous });
        previous = response.id;
        input = results(job, response, calls);
        if (!input.length) return response;
    }
}

await run({
    async tools(job) {
        const calls = [];
        const once = (input) => client.responses.create({ model: job.model, tools, input, store: false });
        const done = await loop(job, [{ role: "user", content: job.prompt }], calls, once);
        return { calls, text: done.output_text };
    },
    async turns(job) {
        const calls = [];
        const first = await chained(job, job.prompt, undefined, calls);
        const second = await chained(job, job.second, first.id, calls);
        return { calls, text: second.output_text, texts: [first.output_text, second.output_text] };
    },
    async structured(job) {
        const text = { format: zodTextFormat(Trip, "trip") };
        return { data: (await client.responses.parse({ model: job.model, input: job.prompt, text })).output_parsed };
    },
    async image(job) {
        const content = [
            { type: "input_text", text: job.prompt },
            { type: "input_image", image_url: job.image, detail: "auto" },
        ];
        return { text: (await client.responses.create({ model: job.model, input: [{ role: "user", content }] })).output_text };
    },
    async stream(job) {
        const pieces = [];
        const stream = client.responses.stream({ model: job.model, input: job.prompt });
        stream.on("response.output_text.delta", (event) => pieces.push(event.delta));
        return { text: (await stream.finalResponse()).output_text, pieces };
    },
    async stream_tools(job) {
        const calls = [];
        const pieces = [];
        const deltas = [];
        const once = (input) => {
            const stream = client.responses.stream({ model: job.model, tools, input });
            stream.on("response.output_text.delta", (event) => pieces.push(event.delta));
            stream.on("response.function_call_arguments.delta", (event) => deltas.push(event.delta));
            return stream.finalResponse();
        };
        const done = await loop(job, [{ role: "user", content: job.prompt }], calls, once);
        return { calls, text: done.output_text, pieces, deltas };
    },
});
