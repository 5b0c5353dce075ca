# SPDX-License-Identifier: MIT
"""The loops with LlamaIndex: OpenAILike, and its function agent."""
from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai_like import OpenAILike

from job import BASE_URL, TOKEN, Trip, run


def model(job):
    return OpenAILike(model=job.model, api_base=BASE_URL, api_key=TOKEN, max_retries=0, is_chat_model=True,
                      is_function_calling_model=True, should_use_structured_outputs=True, context_window=1 << 20)


def agent(job, streaming=False):
    tool = FunctionTool.from_defaults(fn=job.get_weather)
    return FunctionAgent(tools=[tool], llm=model(job), streaming=streaming)


class Operations:
    async def tools(job):
        return {"text": str(await agent(job).run(job.prompt))}

    async def turns(job):
        a = agent(job)
        context = Context(a)
        first = str(await a.run(job.prompt, ctx=context))
        second = str(await a.run(job.second, ctx=context))
        return {"text": second, "texts": [first, second]}

    def structured(job):
        return {"data": model(job).as_structured_llm(Trip).complete(job.prompt).raw}

    def image(job):
        blocks = [TextBlock(text=job.prompt), ImageBlock(url=job.image)]
        return {"text": model(job).chat([ChatMessage(role="user", blocks=blocks)]).message.content}

    def stream(job):
        pieces = [c.delta for c in model(job).stream_chat([ChatMessage(role="user", content=job.prompt)]) if c.delta]
        return {"text": "".join(pieces), "pieces": pieces}

    async def stream_tools(job):
        running = agent(job, streaming=True).run(job.prompt)
        pieces = [e.delta async for e in running.stream_events() if isinstance(e, AgentStream) and e.delta]
        return {"text": str(await running), "pieces": pieces}

    def embeddings(job):
        e = OpenAIEmbedding(model_name=job.embedding_model, api_base=BASE_URL, api_key=TOKEN, max_retries=0)
        return {"vectors": e.get_text_embedding_batch(job.input)}


run(Operations)
