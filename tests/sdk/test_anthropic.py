# SPDX-License-Identifier: MIT
"""Anthropic's official SDK against gemgated: what it sends must be understood, what it gets must satisfy its helpers."""
import base64
import json

import anthropic
import pytest
from loops import PICTURE, SHA256, WEATHER

from house import SECRETS

MODEL = "gemini-3.8-flash"
HI = {"model": MODEL, "max_tokens": 500, "messages": [{"role": "user", "content": "Hi"}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "get_weather", "description": "Weather of a city", "input_schema": SCHEMA}
THINKING = {"type": "enabled", "budget_tokens": 1024}
# The simulator wants each call back with its signature.
LOOP = """
unmatched refuse
signatures strict
property=city result="Paris: 21.5 degrees" result="Rome: 28.25 degrees" : text "Warm in both." chunks=4
property=city times=1 : thought="I must ask." text "Let me look." call get_weather {"city": "Paris"} call get_weather {"city": "Rome"}
"""


@pytest.fixture
def client(daemon):
    with anthropic.Anthropic(api_key=SECRETS["TOKEN"], base_url=daemon.url, max_retries=0, timeout=30) as c:
        yield c


def upstream(sim):
    return json.loads(sim.requests()[-1].body)


def text_of(message):
    return "".join(b.text for b in message.content if b.type == "text")


def test_create(client, sim):
    sim.script('*: text "Hello." usage=5/2/7 cached=3')
    message = client.messages.create(**HI, system="Be brief.", stop_sequences=["END"])
    assert (message.type, message.role, message.model, text_of(message)) == ("message", "assistant", MODEL, "Hello.")
    assert (message.stop_reason, message.stop_sequence) == ("end_turn", None)
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (2, 3, 2)
    assert message._request_id
    assert upstream(sim)["systemInstruction"]["parts"] == [{"text": "Be brief."}]


def test_stream(client, sim):
    sim.script('*: thought="hm" text "one two three" chunks=3')
    with client.messages.stream(**HI, thinking=THINKING) as stream:
        events = [e.type for e in stream]
        message = stream.get_final_message()
    assert [b.type for b in message.content] == ["thinking", "text"]
    assert (message.content[0].thinking, text_of(message), message.stop_reason) == ("hm", "one two three", "end_turn")
    assert events[0] == "message_start" and events[-1] == "message_stop" and "thinking" in events


@pytest.mark.parametrize("thinking", [{}, {"thinking": THINKING}, {"thinking": {"type": "adaptive"}}], ids=["none", "enabled", "adaptive"])
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_loop(client, sim, thinking, streams):
    sim.script(LOOP)
    messages = [{"role": "user", "content": "What is it like?"}]
    for _ in range(2):
        asked = {"model": MODEL, "max_tokens": 2000, "tools": [TOOL], "messages": messages, **thinking}
        if streams:
            with client.messages.stream(**asked) as stream:
                answer = stream.get_final_message()
        else:
            answer = client.messages.create(**asked)
        messages.append({"role": "assistant", "content": answer.content})
        calls = [b for b in answer.content if b.type == "tool_use"]
        messages.append({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": c.id, "content": WEATHER[c.input["city"]]} for c in reversed(calls)]})
    assert (text_of(answer), answer.stop_reason, len(calls)) == ("Warm in both.", "end_turn", 0)


def test_runner(client, sim):
    """The runner begins with a thread, which it gives up at the refusal."""
    sim.script(LOOP)

    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """Weather of a city

        Args:
            city: the city
        """
        return WEATHER[city]

    runner = client.beta.messages.tool_runner(model=MODEL, max_tokens=2000, tools=[get_weather],
                                              messages=[{"role": "user", "content": "What is it like?"}])
    assert text_of(runner.until_done()) == "Warm in both."
    assert len(sim.requests()) == 2


def test_parse(client, sim):
    pydantic = pytest.importorskip("pydantic")

    class Person(pydantic.BaseModel):
        name: str
        age: int | None

    sim.script(f'property=name property=age : text {json.dumps(json.dumps({"name": "Ann", "age": None}))}')
    message = client.messages.parse(**HI, output_format=Person)
    assert message.parsed_output == Person(name="Ann", age=None)


def test_picture(client, sim):
    sim.script(f'unmatched refuse\nsha256={SHA256} : text "Red."')
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PICTURE).decode()}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "Which colour?"}]
    assert text_of(client.messages.create(**HI | {"messages": [{"role": "user", "content": content}]})) == "Red."


def test_count(client):
    assert client.messages.count_tokens(model=MODEL, messages=HI["messages"], tools=[TOOL], system="s").input_tokens > 0


def test_models(client):
    models = list(client.models.list())
    assert MODEL in [m.id for m in models] and all(m.type == "model" for m in models)


def test_models_in_pages(start):
    """Aliases are listed, patterns are not; the pager goes through pages in both directions."""
    d = start(MODEL_ALIASES='{"claude-*": {"model": "gemini-3.8-flash", "list": ["claude-gemini"]}}')
    with anthropic.Anthropic(api_key=SECRETS["TOKEN"], base_url=d.url, max_retries=0, timeout=30) as c:
        ids = [m.id for m in c.models.list()]
        assert ids[-1] == "claude-gemini" and len(ids) == len(set(ids)) > 10
        assert [m.id for m in c.models.list(limit=4)] == ids
        assert {m.id for m in c.models.list(limit=4, before_id="claude-gemini")} == set(ids[:-1])
        alias, model = c.models.retrieve("claude-3-haiku"), c.models.retrieve(MODEL)
        assert (alias.id, alias.lifecycle, alias.max_tokens) == ("claude-3-haiku", "active", model.max_tokens)
        with pytest.raises(anthropic.NotFoundError) as e:
            c.models.retrieve("gemini-nowhere")
        assert "gemini-nowhere" in str(e.value) and e.value.request_id
        with pytest.raises(anthropic.BadRequestError):
            c.models.list(limit=0)



def test_search(client, sim):
    grounding = {"webSearchQueries": ["news"], "groundingChunks": [{"web": {"uri": "https://example.org", "title": "A"}}],
                 "groundingSupports": [{"segment": {"endIndex": 5, "text": "News."}, "groundingChunkIndices": [0]}]}
    sim.script(f'*: text "News." candidate {json.dumps({"groundingMetadata": grounding})}')
    with client.messages.stream(**HI, tools=[{"type": "web_search_20250305", "name": "web_search"}]) as stream:
        message = stream.get_final_message()
    text, use, found = message.content
    assert text.citations[0].url == "https://example.org" and use.input == {"query": "news"}
    assert found.tool_use_id == use.id and found.content[0].title == "A"
    assert message.usage.server_tool_use.web_search_requests == 1


@pytest.mark.parametrize("script, error, status", [
    ("*: error overloaded", anthropic.APIStatusError, 529),
    ("*: error invalid_argument", anthropic.BadRequestError, 400),
    ("*: error day", anthropic.RateLimitError, 429),
])
def test_errors(client, sim, script, error, status):
    sim.script(script)
    with pytest.raises(error) as e:
        client.messages.create(**HI)
    assert e.value.status_code == status and e.value.body["type"] == "error" and e.value.request_id


def test_token(daemon):
    with anthropic.Anthropic(api_key="wrong", base_url=daemon.url, max_retries=0) as c, pytest.raises(anthropic.AuthenticationError):
        c.messages.create(**HI)


def test_error_in_a_stream(client, sim):
    sim.script('*: text "a b c d" chunks=4 cut after=2')
    with pytest.raises(anthropic.APIStatusError), client.messages.stream(**HI) as stream:
        stream.until_done()
