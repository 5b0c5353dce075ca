# SPDX-License-Identifier: MIT
"""The loops with OpenAI's Agents SDK, by its model for chat completions."""
import openai
from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled

from job import BASE_URL, TOKEN, Trip, run

set_tracing_disabled(True)


def agent(job, tools=(), **more):
    client = openai.AsyncOpenAI(base_url=BASE_URL, api_key=TOKEN, max_retries=0)
    model = OpenAIChatCompletionsModel(model=job.model, openai_client=client)
    return Agent(name="Guide", model=model, tools=list(tools), **more)


def with_tool(job):
    return agent(job, [function_tool(job.get_weather)])


async def streamed(a, prompt):
    running = Runner.run_streamed(a, prompt)
    pieces = [e.data.delta async for e in running.stream_events()
              if e.type == "raw_response_event" and e.data.type == "response.output_text.delta"]
    return {"text": running.final_output, "pieces": pieces}


class Operations:
    async def tools(job):
        return {"text": (await Runner.run(with_tool(job), job.prompt)).final_output}

    async def turns(job):
        first = await Runner.run(with_tool(job), job.prompt)
        second = await Runner.run(with_tool(job), [*first.to_input_list(), {"role": "user", "content": job.second}])
        return {"text": second.final_output, "texts": [first.final_output, second.final_output]}

    async def structured(job):
        return {"data": (await Runner.run(agent(job, output_type=Trip), job.prompt)).final_output}

    async def image(job):
        content = [{"type": "input_text", "text": job.prompt},
                   {"type": "input_image", "image_url": job.image, "detail": "auto"}]
        return {"text": (await Runner.run(agent(job), [{"role": "user", "content": content}])).final_output}

    def stream(job):
        return streamed(agent(job), job.prompt)

    def stream_tools(job):
        return streamed(with_tool(job), job.prompt)


run(Operations)
