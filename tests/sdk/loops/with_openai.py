# SPDX-License-Identifier: MIT
"""The loops with OpenAI's Python SDK: parse with pydantic, the helpers for streams, embeddings. It has no loop for
tools, so there is one here, as its users write it."""
from typing import Literal

import openai
import pydantic

from job import BASE_URL, TOKEN, Trip, run

client = openai.OpenAI(base_url=BASE_URL, api_key=TOKEN, max_retries=0, timeout=60)


class Weather(pydantic.BaseModel):
    """The weather of a city"""

    city: str
    unit: Literal["celsius", "fahrenheit"]


TOOLS = [openai.pydantic_function_tool(Weather, name="get_weather")]


def prompt(job):
    return [{"role": "user", "content": job.prompt}]


def answer_calls(job, message, messages):
    """The message goes back with what OpenAI's types have, and nothing else."""
    calls = [
        {"id": c.id, "type": "function", "function": {"name": c.function.name, "arguments": c.function.arguments}}
        for c in message.tool_calls
    ]
    messages.append({"role": "assistant", "content": message.content, "tool_calls": calls})
    for call in message.tool_calls:
        asked = call.function.parsed_arguments
        messages.append({"role": "tool", "tool_call_id": call.id, "content": job.get_weather(asked.city, asked.unit)})


def turn(job, messages):
    while True:
        message = client.chat.completions.parse(model=job.model, messages=messages, tools=TOOLS).choices[0].message
        if not message.tool_calls:
            messages.append({"role": "assistant", "content": message.content})
            return message.content
        answer_calls(job, message, messages)


class Operations:
    def tools(job):
        return {"text": turn(job, prompt(job))}

    def turns(job):
        messages = prompt(job)
        first = turn(job, messages)
        second = turn(job, [*messages, {"role": "user", "content": job.second}])
        return {"text": second, "texts": [first, second]}

    def ask_once(job):
        """Up to the call: `go_on` has the rest, in another process."""
        messages = prompt(job)
        done = client.chat.completions.parse(model=job.model, messages=messages, tools=TOOLS)
        answer_calls(job, done.choices[0].message, messages)
        return {"messages": messages}

    def go_on(job):
        return {"text": turn(job, job.messages)}

    def structured(job):
        done = client.chat.completions.parse(model=job.model, messages=prompt(job), response_format=Trip)
        return {"data": done.choices[0].message.parsed}

    def image(job):
        content = [{"type": "text", "text": job.prompt}, {"type": "image_url", "image_url": {"url": job.image}}]
        done = client.chat.completions.create(model=job.model, messages=[{"role": "user", "content": content}])
        return {"text": done.choices[0].message.content}

    def stream(job):
        with client.chat.completions.stream(model=job.model, messages=prompt(job)) as stream:
            pieces = [e.delta for e in stream if e.type == "content.delta"]
            return {"text": stream.get_final_completion().choices[0].message.content, "pieces": pieces}

    def stream_tools(job):
        messages, pieces, done = prompt(job), [], []
        while True:
            with client.chat.completions.stream(model=job.model, messages=messages, tools=TOOLS) as stream:
                for e in stream:
                    if e.type == "content.delta":
                        pieces.append(e.delta)
                    elif e.type == "tool_calls.function.arguments.done":
                        done.append(e.parsed_arguments.city)
                message = stream.get_final_completion().choices[0].message
            if not message.tool_calls:
                assert done == job.calls, done
                return {"text": message.content, "pieces": pieces}
            answer_calls(job, message, messages)

    def embeddings(job):
        base = {"model": job.embedding_model, "input": job.input}
        vectors = [d.embedding for d in client.embeddings.create(**base).data]
        floats = [d.embedding for d in client.embeddings.create(**base, encoding_format="float").data]
        return {"vectors": vectors, "floats": floats}


run(Operations)
