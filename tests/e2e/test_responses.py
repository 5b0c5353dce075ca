# SPDX-License-Identifier: MIT
"""Responses that gemgate keeps (RESPONSES_STORE): each is its client's, and can be read, continued, referred to and deleted."""
import json

import http1
import openai
import pytest
import wait

from house import SECRETS

MODEL = "gemini-3.8-flash"
TOKENS = {"ALLOWED_TOKENS": json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])}
F = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}, "strict": False}


def post(d, path="", token="TOKEN", **body):
    return d.ask("POST", "/v1/responses" + path, body={"model": MODEL, "input": "Hi", **body}, token=token)


def made(d, token="TOKEN", **body):
    answer = post(d, token=token, **body)
    assert answer.status == 200, answer.body
    if body.get("stream"):
        events = [json.loads(line[6:]) for line in answer.body.decode().splitlines() if line.startswith("data: ")]
        return events[-1]["response"]
    return json.loads(answer.body)


def texts(body):
    """The texts of all contents, by role."""
    return [(c["role"], p.get("text")) for c in json.loads(body)["contents"] for p in c["parts"]]


@pytest.fixture
def d(sim, start):
    sim.script('* : text "Hello."')
    return start(**TOKENS)


@pytest.mark.parametrize("stream", [False, True])
def test_continued(sim, d, stream):
    first = made(d, stream=stream, instructions="Only once.")
    assert first["store"] is True and first["previous_response_id"] is None
    second = made(d, input=[{"role": "user", "content": "And?"}], previous_response_id=first["id"], stream=stream)
    assert second["previous_response_id"] == first["id"]
    sim.clear()
    made(d, input="Now?", previous_response_id=second["id"], stream=stream)
    (seen,) = sim.requests()
    assert texts(seen.body) == [("user", "Hi"), ("model", "Hello."), ("user", "And?"), ("model", "Hello."), ("user", "Now?")]
    assert "systemInstruction" not in json.loads(seen.body)


def test_calls_are_continued(sim, d):
    sim.script('* : call f {"city": "Rome"}')
    first = made(d, tools=[F])
    (call,) = [i for i in first["output"] if i["type"] == "function_call"]
    sim.script('signatures any\n* : text "Sunny."')
    sim.clear()
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    made(d, input=[result], previous_response_id=first["id"], tools=[F])
    (seen,) = sim.requests()
    parts = [p for c in json.loads(seen.body)["contents"] for p in c["parts"]]
    assert [p["functionCall"]["args"] for p in parts if "functionCall" in p] == [{"city": "Rome"}]
    assert [p["functionResponse"]["response"] for p in parts if "functionResponse" in p] == [{"output": "sunny"}]


def test_without_input(sim, d):
    first = made(d)
    sim.clear()
    assert post(d, previous_response_id=first["id"], input=None).status == 200
    assert texts(sim.requests()[0].body)[:2] == [("user", "Hi"), ("model", "Hello.")]


def test_item_reference(sim, d):
    (message,) = made(d)["output"]
    sim.clear()
    for reference in ({"type": "item_reference", "id": message["id"]}, {"id": message["id"]}):
        third = made(d, input=[{"role": "user", "content": "Hi"}, reference, {"role": "user", "content": "More"}])
    assert texts(sim.requests()[0].body) == [("user", "Hi"), ("model", "Hello."), ("user", "More")]
    # What is kept has the item itself.
    d.ask("DELETE", "/v1/responses/" + made(d)["id"])
    sim.clear()
    made(d, input="Then?", previous_response_id=third["id"])
    assert ("model", "Hello.") in texts(sim.requests()[0].body)


def test_item_reference_again_and_again(sim, d):
    """A name is short, and what it names may be long: each item is in the input once."""
    sim.script(f'* : text "{"long " * 20000}"')
    (message,) = made(d)["output"]
    sim.clear()
    refused = post(d, input=[{"role": "user", "content": "Hi"}] + [{"type": "item_reference", "id": message["id"]}] * 1000)
    assert refused.status == 400 and json.loads(refused.body)["error"]["param"] == "input[2].id"
    assert not sim.requests()


def test_long_conversations_have_the_room_of_long_bodies(sim, start):
    """A request of some bytes may name a conversation of megabytes, which is held as a body is."""

    def waits():
        return json.loads(sim.control("GET", "/sim/status"))["in_progress"]

    d = start(**TOKENS, MAX_BODY="2M", MAX_INFLIGHT_BYTES="4M")
    sim.script('body="wait" : hang\n* : text "Hello."')
    first = made(d, input="x" * 1_500_000)
    more = {"model": MODEL, "previous_response_id": first["id"]}
    body = json.dumps({**more, "input": "wait"}).encode()
    with d.connect() as c:
        c.send(http1.compose("POST", "/v1/responses", [("Authorization", f"Bearer {SECRETS['TOKEN']}")], body))
        wait.until("the first to be sent", waits)
        refused = post(d, previous_response_id=first["id"], input="go")
        assert refused.status == 503 and refused.header("Retry-After")
        assert post(d, input="short").status == 200
    wait.until("the first to be gone", lambda: not waits())
    assert post(d, previous_response_id=first["id"], input="go").status == 200


def test_read_and_deleted(d):
    first = made(d, metadata={"a": "b"})
    path = "/v1/responses/" + first["id"]
    assert json.loads(d.ask("GET", path).body) == first
    gone = d.ask("DELETE", path)
    assert gone.status == 200 and json.loads(gone.body) == {"id": first["id"], "object": "response", "deleted": True}
    for method in ("GET", "DELETE"):
        assert d.ask(method, path).status == 404
    refused = post(d, previous_response_id=first["id"])
    error = json.loads(refused.body)["error"]
    assert (refused.status, error["param"], error["code"]) == (400, "previous_response_id", "previous_response_not_found")


def test_not_cancelled(d):
    answer = post(d, f"/{made(d)['id']}/cancel")
    assert answer.status == 400 and "background" in json.loads(answer.body)["error"]["message"]
    assert post(d, "/resp_" + "0" * 32 + "/cancel").status == 404
    assert post(d, "/resp_" + "0" * 32 + "/other").status == 404


def test_input_items(d):
    first = made(d, input=[{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"},
                           {"type": "message", "id": "mine", "role": "user", "content": [{"type": "input_text", "text": "three"}]}])
    path = f"/v1/responses/{first['id']}/input_items"
    whole = json.loads(d.ask("GET", path).body)
    assert [i["content"][0]["text"] for i in whole["data"]] == ["three", "two", "one"]
    assert whole["first_id"] == "mine" and whole["has_more"] is False and len({i["id"] for i in whole["data"]}) == 3
    page = json.loads(d.ask("GET", path + "?order=asc&limit=2").body)
    assert [i["content"][0]["text"] for i in page["data"]] == ["one", "two"] and page["has_more"] is True
    rest = json.loads(d.ask("GET", path + "?order=asc&after=" + page["last_id"]).body)
    assert [i["content"][0]["text"] for i in rest["data"]] == ["three"]
    for wrong in ("limit=0", "limit=101", "limit=x", "order=up"):
        assert d.ask("GET", f"{path}?{wrong}").status == 400
    plain = made(d)
    (item,) = json.loads(d.ask("GET", f"/v1/responses/{plain['id']}/input_items").body)["data"]
    assert item["role"] == "user" and item["content"] == [{"type": "input_text", "text": "Hi"}]


def test_another_client_finds_nothing(d):
    first = made(d)
    path = "/v1/responses/" + first["id"]
    for target in (path, path + "/input_items"):
        assert d.ask("GET", target, token="TOKEN2").status == 404
    assert d.ask("DELETE", path, token="TOKEN2").status == 404
    assert post(d, token="TOKEN2", previous_response_id=first["id"]).status == 400
    reference = {"type": "item_reference", "id": first["output"][0]["id"]}
    refused = post(d, token="TOKEN2", input=[reference])
    assert (refused.status, json.loads(refused.body)["error"]["param"]) == (400, "input[0].id")
    assert d.ask("GET", path).status == 200


def test_store_false(d):
    first = made(d, store=False)
    assert first["store"] is False
    assert d.ask("GET", "/v1/responses/" + first["id"]).status == 404
    assert post(d, previous_response_id=first["id"]).status == 400


@pytest.mark.parametrize("wrong", ["resp_1", "msg_" + "0" * 32, "resp_" + "g" * 32, "resp_" + "0" * 33, "", "../x", "resp_" + "0" * 32])
def test_no_such_response(d, wrong):
    refused = post(d, previous_response_id=wrong)
    assert (refused.status, json.loads(refused.body)["error"]["param"]) == (400, "previous_response_id")
    if wrong and "/" not in wrong:
        assert d.ask("GET", "/v1/responses/" + wrong).status == 404


def test_off(sim, start):
    sim.script('* : text "Hello."')
    d = start(RESPONSES_STORE="off")
    first = made(d, store=True)
    assert first["store"] is False
    assert d.ask("GET", "/v1/responses/" + first["id"]).status == 404
    for body, param in (({"previous_response_id": first["id"]}, "previous_response_id"),
                        ({"input": [{"type": "item_reference", "id": first["output"][0]["id"]}]}, "input[0].id")):
        refused = post(d, **body)
        error = json.loads(refused.body)["error"]
        assert (refused.status, error["param"]) == (400, param) and "RESPONSES_STORE" in error["message"]


@pytest.mark.parametrize("setting, there", [("state", True), ("memory", False)])
def test_restart(sim, start, tmp_path, setting, there):
    sim.script('* : text "Hello."')
    settings = TOKENS | {"RESPONSES_STORE": setting, "STATE_URL": f"sqlite:{tmp_path / 'state.db'}"}
    first = start(**settings)
    made_first, deleted = made(first), made(first)
    assert first.ask("DELETE", "/v1/responses/" + deleted["id"]).status == 200
    first.process.stop()
    second = start(**settings)
    answer = second.ask("GET", "/v1/responses/" + made_first["id"])
    assert answer.status == (200 if there else 404)
    assert second.ask("GET", "/v1/responses/" + deleted["id"]).status == 404
    assert second.ask("GET", "/v1/responses/" + made_first["id"], token="TOKEN2").status == 404
    if there:
        assert json.loads(answer.body) == made_first
        assert made(second, previous_response_id=made_first["id"])["output"]


def test_memory_forgets_what_state_kept(sim, start, tmp_path):
    sim.script('* : text "Hello."')
    settings = {"STATE_URL": f"sqlite:{tmp_path / 'state.db'}"}
    d = start(RESPONSES_STORE="state", **settings)
    kept = made(d, input="A secret of the client's.")
    d.process.stop()
    d = start(RESPONSES_STORE="memory", **settings)
    made(d)
    d.process.stop()
    d = start(RESPONSES_STORE="state", **settings)
    assert d.ask("GET", "/v1/responses/" + kept["id"]).status == 404


# --- OpenAI's SDK ---


@pytest.fixture
def client(d):
    with openai.OpenAI(base_url=d.url + "/v1", api_key=SECRETS["TOKEN"], max_retries=0) as c:
        yield c


def test_sdk(client):
    first = client.responses.create(model=MODEL, input="Hi")
    assert first.output_text == "Hello." and first.usage.total_tokens > 0
    second = client.responses.create(model=MODEL, input="And?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert client.responses.retrieve(first.id).output_text == "Hello."
    items = list(client.responses.input_items.list(first.id))
    assert items[0].content[0].text == "Hi"
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_sdk_stream(sim, client):
    sim.script('* : text "Hello there." chunks=3')
    with client.responses.stream(model=MODEL, input="Hi") as stream:
        deltas = [e.delta for e in stream if e.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert "".join(deltas) == final.output_text == "Hello there."


def test_sdk_parse(sim, client):
    import pydantic

    class Weather(pydantic.BaseModel):
        degrees: int

    sim.script('* : text "{\\"degrees\\": 21}"')
    parsed = client.responses.parse(model=MODEL, input="Hi", text_format=Weather)
    assert parsed.output_parsed == Weather(degrees=21)


def test_sdk_tools(sim, client):
    sim.script('* : call f {"city": "Rome"}')
    with client.responses.stream(model=MODEL, input="Hi", tools=[F]) as stream:
        for _ in stream:
            pass
        (call,) = [i for i in stream.get_final_response().output if i.type == "function_call"]
    assert json.loads(call.arguments) == {"city": "Rome"}


# --- about the input alone ---


def test_input_tokens(sim, client, d):
    sim.script('* : text "Hello."')
    told = client.responses.input_tokens.count(model=MODEL, input="Hi", instructions="Be kind.", tools=[F])
    assert told.object == "response.input_tokens" and told.input_tokens > 0
    (seen,) = sim.requests()
    asked = json.loads(seen.body)["generateContentRequest"]
    assert asked["model"] == "models/" + MODEL and asked["tools"][0]["functionDeclarations"][0]["name"] == "f"
    first = made(d)
    sim.clear()
    assert post(d, "/input_tokens", previous_response_id=first["id"], stream=True).status == 200
    assert "Hello." in sim.requests()[0].body


@pytest.mark.parametrize("stream", [False, True])
def test_compacted(sim, d, stream):
    sim.script('* : text "A greeting."')
    answer = post(d, "/compact", input=[{"role": "user", "content": "Hi"}], tools=[F], tool_choice="required", stream=stream)
    assert answer.status == 200, answer.body
    told = json.loads(answer.body)
    (item,) = told["output"]
    assert told["object"] == "response.compaction" and item["type"] == "compaction" and told["usage"]["total_tokens"] > 0
    (seen,) = sim.requests()
    assert "Summarize" in seen.body and json.loads(seen.body)["toolConfig"]["functionCallingConfig"]["mode"] == "NONE"
    sim.clear()
    made(d, input=[item, {"role": "user", "content": "Go on."}])
    assert texts(sim.requests()[0].body) == [("user", "Summary of the conversation so far:\nA greeting."), ("user", "Go on.")]
    # That of another server is skipped.
    sim.clear()
    made(d, input=[{"type": "compaction", "encrypted_content": "Z0FBQUFB"}, {"role": "user", "content": "Go on."}])
    assert texts(sim.requests()[0].body) == [("user", "Go on.")]


def test_long_summary(sim, d):
    """It is cut between two characters, so that it can be read when it comes back."""
    sim.script("* : text " + json.dumps("a" + "ü" * 600_000, ensure_ascii=False))
    (item,) = json.loads(post(d, "/compact", input="Hi").body)["output"]
    sim.clear()
    sim.script('* : text "Hello."')
    made(d, input=[item, {"role": "user", "content": "Go on."}])
    summary = texts(sim.requests()[0].body)[0][1]
    assert "\naüü" in summary and len(summary.encode()) > 1_000_000


def test_state_without_a_file(start):
    d = start(RESPONSES_STORE="state")
    assert d.chat().status == 200
    assert any("needs a state file" in e["message"] for e in d.log())


def test_path_that_is_not_served(d):
    answer = d.ask("GET", f"/v1/responses/resp_{'0' * 32}/nothing")
    assert answer.status == 404 and b"Invalid URL (GET /v1/responses/resp" in answer.body


# --- what the exchange does for all protocols ---


def failed(answer):
    events = [json.loads(line[6:]) for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    return [e["type"] for e in events], events[-1]["response"]


@pytest.mark.parametrize("error, code, hint", [
    ("error=overloaded", "server_error", ""),
    ("error=rpm", "rate_limit_exceeded", "Please try again in "),
    ("error=day", "insufficient_quota", ""),
])  # fmt: skip
def test_a_stream_that_fails(sim, d, error, code, hint):
    sim.script(f'* : text "Hello there." chunks=3 error-in-stream after=1 {error}')
    types, response = failed(post(d, stream=True))
    assert types[0] == "response.created" and types[-1] == "response.failed"
    assert response["error"]["code"] == code and hint in response["error"]["message"]
    assert d.ask("GET", "/v1/responses/" + response["id"]).status == 404  # it is not kept


def test_too_long(sim, d):
    sim.script('* : error invalid_argument message="The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."')
    answer = post(d, stream=True)
    assert answer.status == 400 and json.loads(answer.body)["error"]["code"] == "context_length_exceeded"


def test_another_key_and_another_model(sim, start):
    sim.script('* times=1 : error rpm\nmodel=gemini-3.8-pro : error overloaded\n* : text "Hello."')
    d = start(FALLBACK_MODELS='{"gemini-3.8-pro": ["gemini-3.8-flash"]}')
    told = made(d, model="gemini-3.8-pro", input=[{"role": "user", "content": "Hi"}])
    assert told["model"] == MODEL and told["output"][0]["content"][0]["text"] == "Hello."
    line = d.wait_log("the request", lambda line: line.get("dialect") == "openai-responses")
    assert line["fallback"] == "overload" and line["attempts"] > 2 and line["served_model"] == MODEL


@pytest.mark.parametrize("carried", [True, False])
def test_signatures_survive(sim, d, carried):
    """By the reasoning item, or without it by what gemgate remembers of the call."""
    sim.script('result="sunny" : text "Fine."\n* : call f {"city": "Rome"}')
    first = made(d, tools=[F], include=["reasoning.encrypted_content"], store=False)
    items = [i for i in first["output"] if carried or i["type"] != "reasoning"]
    (call,) = [i for i in items if i["type"] == "function_call"]
    sim.clear()
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    made(d, tools=[F], input=[{"role": "user", "content": "Hi"}, *items, result])
    (seen,) = sim.requests()
    (part,) = [p for c in json.loads(seen.body)["contents"] for p in c["parts"] if "functionCall" in p]
    assert part["thoughtSignature"] != "skip_thought_signature_validator"


def test_a_refused_signature_is_dropped(sim, d):
    sim.script('* : text "Fine."')
    items = [{"type": "reasoning", "summary": [], "encrypted_content": "c2lnbmF0dXJlLTEyMzQ1Njc4"},
             {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
             {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}]
    made(d, tools=[F], input=[{"role": "user", "content": "Hi"}, *items])
    assert ["skip_thought_signature_validator" in r.body for r in sim.requests()] == [False, True]


def test_a_large_body(sim, d):
    """The worker reads it; the next one, which names it, goes there, too."""
    first = made(d, input="x" * 400_000)
    sim.clear()
    made(d, input="More", previous_response_id=first["id"])
    assert len(sim.requests()[0].body) > 400_000


def test_line_ends_of_the_client_are_not_in_a_stream(d):
    body = json.dumps({"model": MODEL, "input": "Hi", "stream": True, "metadata": {"a": "b"}, "tools": [F]}, indent=1)
    answer = d.ask("POST", "/v1/responses", body=body.encode())
    types, response = failed(answer)
    assert types[-1] == "response.completed" and response["metadata"] == {"a": "b"}


def test_a_conversation_that_is_too_long(d):
    name = None
    for _ in range(3):
        name = made(d, input="x" * 7_500_000, **({"previous_response_id": name} if name else {}))["id"]
    refused = post(d, previous_response_id=name)
    error = json.loads(refused.body)["error"]
    assert (refused.status, error["param"]) == (400, "previous_response_id") and "more than Google takes" in error["message"]
