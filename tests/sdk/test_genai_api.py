# SPDX-License-Identifier: MIT
"""The rest of Google's API with its own SDK: batches, embeddings in batches, stores and their documents, interactions, and what
came with them. Each object is found again by the same client, and by no other."""
import json

import pytest
from google import genai
from google.genai import errors, types

from house import SECRETS

MODEL = "gemini-3.8-flash"
TOKENS = json.dumps([SECRETS["TOKEN"], SECRETS["TOKEN2"]])


@pytest.fixture
def daemon(sim, start):
    return start(ALLOWED_TOKENS=TOKENS)


@pytest.fixture
def clients(daemon):
    """Of two tokens."""
    options = types.HttpOptions(base_url=daemon.url, timeout=60000)
    made = [genai.Client(api_key=SECRETS[t], http_options=options) for t in ("TOKEN", "TOKEN2")]
    yield made
    for client in made:
        client.close()


def keys(sim):
    return [r.header("x-goog-api-key") for r in sim.requests()]


def not_found(call, *args, **kwargs):
    with pytest.raises(Exception) as e:
        call(*args, **kwargs)
    assert getattr(e.value, "code", getattr(e.value, "status_code", None)) == 404 or "404" in str(e.value) or "not found" in str(e.value)


def test_batches(sim, clients):
    mine, other = clients
    made = mine.batches.create(model=MODEL, src=[{"contents": [{"parts": [{"text": "Hi"}], "role": "user"}]}], config={"display_name": "b"})
    assert made.name.startswith("batches/") and made.display_name == "b"
    for _ in range(3):
        got = mine.batches.get(name=made.name)
        assert got.state == types.JobState.JOB_STATE_SUCCEEDED and got.dest.file_name.startswith("files/batch-")
    assert len(set(keys(sim))) == 1
    assert [b.name for b in mine.batches.list()] == [made.name]
    assert list(other.batches.list()) == []
    not_found(other.batches.get, name=made.name)
    not_found(other.batches.cancel, name=made.name)
    not_found(other.batches.delete, name=made.name)
    mine.batches.cancel(name=made.name)
    mine.batches.delete(name=made.name)
    not_found(mine.batches.get, name=made.name)


def test_embeddings_in_batches(sim, clients):
    source = {"inlined_requests": {"contents": [{"parts": [{"text": "Hi"}]}]}}
    made = clients[0].batches.create_embeddings(model="gemini-embedding-2", src=source)
    assert clients[0].batches.get(name=made.name).name == made.name
    assert sim.requests()[0].target == "/v1beta/models/gemini-embedding-2:asyncBatchEmbedContent"


def test_stores(sim, clients, tmp_path):
    mine, other = clients
    made = [mine.file_search_stores.create(config={"display_name": f"s{i}"}) for i in range(5)]
    assert sorted(s.name for s in mine.file_search_stores.list(config={"page_size": 2})) == sorted(s.name for s in made)
    assert list(other.file_search_stores.list()) == []
    store = made[0].name
    file = mine.files.upload(file=write(tmp_path), config={"mime_type": "text/plain"})
    for _ in range(9):  # a file is made with each key in turn; the store has one
        try:
            operation = mine.file_search_stores.import_file(file_search_store_name=store, file_name=file.name)
            break
        except errors.ClientError as e:
            assert "different Google projects" in str(e)
            file = mine.files.upload(file=write(tmp_path), config={"mime_type": "text/plain"})
    assert mine.operations.get(operation).done
    [document] = list(mine.file_search_stores.documents.list(parent=store))
    assert mine.file_search_stores.documents.get(name=document.name).name == document.name
    not_found(other.file_search_stores.documents.get, name=document.name)
    not_found(lambda: list(other.file_search_stores.documents.list(parent=store)))
    not_found(other.file_search_stores.get, name=store)
    not_found(other.file_search_stores.delete, name=store, config={"force": True})
    config = {"tools": [{"file_search": {"file_search_store_names": [store]}}]}
    for _ in range(3):
        assert mine.models.generate_content(model=MODEL, contents="Hi", config=config).text
    not_found(other.models.generate_content, model=MODEL, contents="Hi", config=config)
    mine.file_search_stores.documents.delete(name=document.name)
    mine.file_search_stores.delete(name=store, config={"force": True})
    not_found(mine.file_search_stores.get, name=store)


def write(folder):
    (folder / "a.txt").write_text("hello")
    return str(folder / "a.txt")


def test_interactions(sim, clients):
    mine, other = clients
    first = mine.interactions.create(model=MODEL, input="Hi")
    assert first.status == "completed" and first.usage.total_tokens == 16 and first.output_text == "Hello"
    for _ in range(3):
        second = mine.interactions.create(model=MODEL, input="And?", previous_interaction_id=first.id)
    assert second.previous_interaction_id == first.id
    assert len(set(keys(sim))) == 1
    assert mine.interactions.get(id=first.id).id == first.id
    not_found(other.interactions.get, id=first.id)
    not_found(other.interactions.delete, id=first.id)
    not_found(other.interactions.create, model=MODEL, input="Hi", previous_interaction_id=first.id)
    mine.interactions.delete(id=first.id)
    not_found(mine.interactions.get, id=first.id)


def test_streamed_interactions(sim, clients):
    events = list(clients[0].interactions.create(model=MODEL, input="Hi", stream=True))
    assert [e.event_type for e in events] == [
        "interaction.created", "step.start", "step.delta", "step.stop", "interaction.completed"]  # fmt: skip
    again = list(clients[0].interactions.get(id=events[0].interaction.id, stream=True))
    assert [e.event_type for e in again] == [e.event_type for e in events]


def test_background(sim, clients):
    made = clients[0].interactions.create(agent="deep-research", input="Hi", background=True)
    assert made.status == "in_progress"
    assert clients[0].interactions.get(id=made.id).status == "completed"
    assert clients[0].interactions.cancel(id=made.id).status == "cancelled"


MAKES = {
    "agents": lambda c: c.agents.create(id="my-agent", base_agent="deep-research"),
    "environments": lambda c: c.environments.create(),
    "webhooks": lambda c: c.webhooks.create(uri="https://example.com/", subscribed_events=["batch.succeeded"], name="w"),
}


@pytest.mark.parametrize("kind", MAKES)
def test_what_came_with_interactions(sim, clients, kind):
    mine, other = clients
    made = MAKES[kind](mine)
    for _ in range(3):
        assert getattr(mine, kind).get(id=made.id).id == made.id
    assert len(set(keys(sim))) == 1
    not_found(getattr(other, kind).get, id=made.id)
    not_found(getattr(other, kind).delete, id=made.id)
    listed = getattr(mine, kind).list()
    assert [x.id for x in getattr(listed, kind)] == [made.id]
    assert not getattr(getattr(other, kind).list(), kind)
    getattr(mine, kind).delete(id=made.id)
    not_found(getattr(mine, kind).get, id=made.id)


def test_ephemeral_tokens_are_refused(sim, clients):
    with pytest.raises(errors.ClientError) as e:
        clients[0].auth_tokens.create(config={"uses": 1, "http_options": {"api_version": "v1alpha"}})
    assert e.value.code == 403 and sim.requests() == []
