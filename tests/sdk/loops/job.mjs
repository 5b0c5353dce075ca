// SPDX-License-Identifier: MIT
// Reads the job of a loop from stdin ({op, model, prompt, …}, see loops.py), does it, and prints what came of it as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.GEMGATE_NODE + "/");
export const load = async (module) => import(pathToFileURL(require.resolve(module)).href);
export const access = { baseURL: process.env.LOOP_BASE_URL, apiKey: process.env.LOOP_TOKEN };
export const { z } = await load("zod");
export const Weather = z.object({ city: z.string(), unit: z.enum(["celsius", "fahrenheit"]) });
export const Trip = z.object({
    title: z.string(),
    days: z.number().int(),
    places: z.array(z.object({ name: z.string(), reason: z.string().nullable() })),
});

export async function run(operations) {
    const job = JSON.parse(readFileSync(0, "utf8"));
    const out = {};
    try {
        if (!operations[job.op]) throw new Error(`there is no ${job.op}`);
        Object.assign(out, await operations[job.op](job));
    } catch (e) {
        out.error = `${e.constructor.name}: ${e.message} ${e.cause ?? ""} ${e.responseBody ?? ""}`;
    }
    console.log(JSON.stringify(out));
}
