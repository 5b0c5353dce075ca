# SPDX-License-Identifier: MIT
"""The loops with LangChain: ChatOpenAI, and LangGraph's agent around it."""
from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.prebuilt import create_react_agent

from job import BASE_URL, TOKEN, Trip, run


def model(job, **more):
    return ChatOpenAI(model=job.model, base_url=BASE_URL, api_key=TOKEN, max_retries=0, use_responses_api=False, **more)


def agent(job):
    tool = StructuredTool.from_function(job.get_weather)
    return create_react_agent(model(job), [tool])


class Operations:
    def tools(job):
        done = agent(job).invoke({"messages": [HumanMessage(job.prompt)]})
        return {"text": done["messages"][-1].text}

    def turns(job):
        first = agent(job).invoke({"messages": [HumanMessage(job.prompt)]})["messages"]
        second = agent(job).invoke({"messages": [*first, HumanMessage(job.second)]})["messages"]
        return {"text": second[-1].text, "texts": [first[-1].text, second[-1].text]}

    def structured(job):
        return {"data": model(job).with_structured_output(Trip, method="json_schema", strict=True).invoke(job.prompt)}

    def structured_by_function(job):
        return {"data": model(job).with_structured_output(Trip, method="function_calling").invoke(job.prompt)}

    def image(job):
        content = [{"type": "text", "text": job.prompt}, {"type": "image_url", "image_url": {"url": job.image}}]
        return {"text": model(job).invoke([HumanMessage(content)]).text}

    def stream(job):
        pieces = [c.text for c in model(job).stream(job.prompt) if c.text]
        return {"text": "".join(pieces), "pieces": pieces}

    def stream_tools(job):
        pieces = []
        for chunk, about in agent(job).stream({"messages": [HumanMessage(job.prompt)]}, stream_mode="messages"):
            if about["langgraph_node"] == "agent" and chunk.text:
                pieces.append(chunk.text)
        return {"text": "".join(pieces), "pieces": pieces}

    def embeddings(job):
        # Otherwise it sends OpenAI's tokens, for which it first loads their table.
        e = OpenAIEmbeddings(model=job.embedding_model, base_url=BASE_URL, api_key=TOKEN, max_retries=0,
                             check_embedding_ctx_length=False)
        return {"vectors": e.embed_documents(job.input)}


run(Operations)
