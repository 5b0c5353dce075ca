# SPDX-License-Identifier: MIT
"""The loops with Pydantic AI, by its model for chat completions; and its embedder."""
import base64

from pydantic_ai import Agent, BinaryContent, Embedder, NativeOutput
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from job import BASE_URL, TOKEN, Trip, run

provider = OpenAIProvider(base_url=BASE_URL, api_key=TOKEN)


def agent(job, **more):
    return Agent(OpenAIChatModel(job.model, provider=provider), retries=0, **more)


def with_tool(job):
    return agent(job, tools=[job.get_weather])


async def streamed(a, prompt):
    async with a.run_stream(prompt) as result:
        pieces = [p async for p in result.stream_text(delta=True, debounce_by=None)]
    return {"text": "".join(pieces), "pieces": pieces}


class Operations:
    async def tools(job):
        return {"text": (await with_tool(job).run(job.prompt)).output}

    async def turns(job):
        first = await with_tool(job).run(job.prompt)
        second = await with_tool(job).run(job.second, message_history=first.all_messages())
        return {"text": second.output, "texts": [first.output, second.output]}

    async def structured(job):
        return {"data": (await agent(job, output_type=NativeOutput(Trip)).run(job.prompt)).output}

    async def structured_by_function(job):
        return {"data": (await agent(job, output_type=Trip).run(job.prompt)).output}

    async def image(job):
        picture = BinaryContent(base64.b64decode(job.image.partition(",")[2]), media_type="image/png")
        return {"text": (await agent(job).run([job.prompt, picture])).output}

    def stream(job):
        return streamed(agent(job), job.prompt)

    def stream_tools(job):
        return streamed(with_tool(job), job.prompt)

    async def embeddings(job):
        e = Embedder(OpenAIEmbeddingModel(job.embedding_model, provider=provider))
        return {"vectors": [list(v) for v in (await e.embed_documents(job.input)).embeddings]}


run(Operations)
