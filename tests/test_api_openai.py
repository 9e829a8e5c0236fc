"""OpenAI's official client against the running server."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from assistant.library import Library
from assistant.testing import tiny_library
from tests.fake_openai import MODEL, FakeOpenAI, Script
from tests.served import served, services
from ui.api.access import Access
from ui.api.threads import Past, Said, Threads

QUESTION = "What is cautious weight decay?"
FOLLOW_UP = "Which optimizers was it tried with?"


@pytest.fixture(scope="module")
def address(bundled: Library) -> Iterator[str]:
    with served(services(bundled)) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> OpenAI:
    return OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def test_the_library_is_the_model(client: OpenAI, bundled: Library) -> None:
    name = bundled.path.name
    assert [model.id for model in client.models.list()] == [name]
    assert client.models.retrieve(name).owned_by == "ibid"


def test_an_answer_has_its_citations_inline_and_whole(client: OpenAI, bundled: Library) -> None:
    reply = client.chat.completions.create(
        model=bundled.path.name,
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}],
        temperature=0.2,
    )
    text, ibid = reply.choices[0].message.content, reply.model_extra["ibid"]
    assert text is not None
    assert "[1]" in text
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert 0 < reply.usage.completion_tokens < reply.usage.total_tokens
    assert ibid["status"] == "answered"
    assert ibid["text"] == text
    assert bundled.record(ibid["record_id"]).question == QUESTION
    for claim in ibid["claims"]:
        assert text[claim["start"] : claim["end"]] == claim["text"]
    for citation in ibid["citations"]:
        abstract = bundled.paper(citation["paper"]["id"]).abstract
        assert abstract[citation["start"] : citation["end"]] == citation["quote"]


def test_a_stream_joins_to_the_answer_and_ends_with_what_it_rests_on(client: OpenAI, bundled: Library) -> None:
    chunks = list(
        client.chat.completions.create(
            model=bundled.path.name,
            messages=[{"role": "user", "content": [{"type": "text", "text": QUESTION}]}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []
    assert chunks[-2].choices[0].finish_reason == "stop"
    for last in chunks[-2:]:
        assert last.model_extra["ibid"]["text"] == text
        assert last.model_extra["ibid"]["citations"]
    assert all("ibid" not in (chunk.model_extra or {}) for chunk in chunks[:-2])


def test_without_usage_the_last_chunk_has_the_field(client: OpenAI, bundled: Library) -> None:
    messages = [{"role": "user", "content": "Which bacteria live in hydrothermal vents?"}]
    chunks = list(client.chat.completions.create(model=bundled.path.name, messages=messages, stream=True))  # type: ignore[call-overload]  # plain dicts
    assert chunks[-1].model_extra["ibid"]["status"] == "abstained"
    assert chunks[-1].model_extra["ibid"]["abstention"]["reason"] == "nothing_relevant"


def test_messages_are_a_conversation(client: OpenAI, bundled: Library) -> None:
    messages: list[dict[str, str]] = [{"role": "user", "content": QUESTION}]
    name = bundled.path.name
    first = client.chat.completions.create(model=name, messages=messages)  # type: ignore[arg-type]  # plain dicts
    messages += [{"role": "assistant", "content": f" {first.choices[0].message.content}\n"}]
    messages += [{"role": "user", "content": FOLLOW_UP}]
    second = client.chat.completions.create(model=name, messages=messages)  # type: ignore[arg-type]  # plain dicts
    record = bundled.record(second.model_extra["ibid"]["record_id"])
    assert record.conversation_id is not None
    assert record.query != FOLLOW_UP
    turns = bundled.conversation_turns(record.conversation_id)
    assert [turn.question for turn in turns] == [QUESTION, FOLLOW_UP]
    assert turns[0].record_id == first.model_extra["ibid"]["record_id"]
    messages += [{"role": "assistant", "content": second.choices[0].message.content or ""}]
    messages += [{"role": "user", "content": "And how is it implemented?"}]
    third = client.chat.completions.create(model=name, messages=messages)  # type: ignore[arg-type]  # plain dicts
    assert bundled.record(third.model_extra["ibid"]["record_id"]).conversation_id == record.conversation_id


def test_a_conversation_that_began_elsewhere_is_taken_up(client: OpenAI, bundled: Library) -> None:
    messages = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "Something that this server never said."},
        {"role": "user", "content": FOLLOW_UP},
    ]
    reply = client.chat.completions.create(model=bundled.path.name, messages=messages)  # type: ignore[call-overload]  # plain dicts
    record = bundled.record(reply.model_extra["ibid"]["record_id"])
    assert "eight" in record.query.lower()
    assert [turn.question for turn in bundled.conversation_turns(record.conversation_id)] == [QUESTION, FOLLOW_UP]


def test_a_model_behind_it_answers_and_its_tokens_are_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("chat") / "tiny"
    draft = Script("PromptLadder raised the pass rate by 12.5% [1].")
    with tiny_library(folder) as library, FakeOpenAI(draft) as fake:
        answering = services(library, chat_model=MODEL, chat_base_url=fake.base_url)
        with served(answering, access=Access("a-token-of-some-length")) as address:
            client = OpenAI(base_url=f"{address}/v1", api_key="a-token-of-some-length", max_retries=0)
            reply = client.chat.completions.create(
                model="tiny", messages=[{"role": "user", "content": "How much did PromptLadder raise the pass rate?"}]
            )
            assert "12.5" in (reply.choices[0].message.content or "")
            assert reply.usage is not None
            assert reply.usage.prompt_tokens == 100
            with pytest.raises(openai.AuthenticationError, match="token"):
                OpenAI(base_url=f"{address}/v1", api_key="wrong", max_retries=0).models.list()


def test_failures_are_the_clients_own_exceptions(client: OpenAI, bundled: Library) -> None:
    user = [{"role": "user", "content": QUESTION}]
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-4o", messages=user)  # type: ignore[call-overload]  # plain dicts
    assert missing.value.code == "model_not_found"
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]}]
    for messages in (picture, [{"role": "assistant", "content": "Hello"}], [{"role": "user", "content": "  "}]):
        with pytest.raises(openai.BadRequestError) as raised:
            client.chat.completions.create(model=bundled.path.name, messages=messages)  # type: ignore[call-overload]  # plain dicts
        assert raised.value.type == "invalid_request_error"
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(model=bundled.path.name, messages=user, n=2)  # type: ignore[call-overload]  # plain dicts


def test_what_is_remembered_is_bounded_and_each_users_own() -> None:
    threads = Threads(kept=2)
    said = [[Said("user", f"q{number}"), Said("assistant", "a  b\n")] for number in range(3)]
    for number, messages in enumerate(said):
        threads.remember("ada", messages, Past((f"r{number}",)))
    assert threads.find("ada", said[0]) is None
    assert threads.find("ada", [Said("user", "q2"), Said("assistant", " a b")]) == Past(("r2",))
    assert threads.find("ben", said[2]) is None
    assert threads.find("ada", [Said("assistant", "q2"), Said("user", "a b")]) is None
