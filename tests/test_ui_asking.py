"""Asking from the page, without a browser: order, stopping, asking again, and the routes that the script uses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from assistant import Assistant
from assistant.filters import Filters
from assistant.library import Library
from assistant.testing import TINY_PAPERS, HashEmbedder, tiny_library
from assistant.transcript import exported
from tests.scripted_assistant import PAPER, QUOTE, ScriptedAssistant
from ui.chat import stopping, threads
from ui.chat.asking import Asking, Update
from ui.server import application
from ui.services import Services

_NONE = Filters()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """For all tests here: each begins its own conversation."""
    folder = tmp_path_factory.mktemp("asking") / "library"
    with tiny_library(folder, papers=[PAPER, *TINY_PAPERS], embedder=HashEmbedder()) as made:
        yield made


@pytest.fixture
def own_library(tmp_path: Path) -> Iterator[Library]:
    """To take papers from, and to count conversations in."""
    with tiny_library(tmp_path / "library", papers=[PAPER, *TINY_PAPERS], embedder=HashEmbedder()) as made:
        yield made


@pytest.fixture
def scripted(library: Library) -> ScriptedAssistant:
    return ScriptedAssistant(library)


@pytest.fixture
def asking(library: Library, scripted: ScriptedAssistant) -> Asking:
    return Asking(Services(library, scripted))


def _ask(asking: Asking, conversation: str | None, question: str, at: int | None = None) -> list[Update]:
    async def collect() -> list[Update]:
        return [update async for update in asking.ask("id", conversation, question, _NONE, at)]

    return asyncio.run(collect())


def test_evidence_comes_before_the_answer_and_the_answer_is_kept(asking: Asking, library: Library) -> None:
    conversation = library.create_conversation()
    seen = _ask(asking, conversation, "How many?")
    assert seen[0].state == "looking"
    assert seen[-1].state == "finished"
    assert seen[-1].number == 0
    assert "ibid-references" in seen[-1].html
    assert [turn.question for turn in library.conversation_turns(conversation)] == ["How many?"]


def test_a_refusal_is_never_shown_as_a_draft(asking: Asking, library: Library) -> None:
    seen = _ask(asking, library.create_conversation(), "What hardware?")
    assert seen[-1].state == "refused"
    assert not any("ibid-draft" in update.html for update in seen)


def test_only_sentences_that_were_checked_are_shown_while_it_writes(asking: Asking) -> None:
    async def first() -> Update:
        async for update in asking.ask("id", None, "slow", _NONE):
            if update.state == "writing":
                asking.stop("id")
                return update
        raise AssertionError("nothing was written")

    assert 'class="ibid-claim ibid-quoted"' in asyncio.run(first()).html


def test_a_conversations_questions_are_answered_in_order(
    asking: Asking, library: Library, scripted: ScriptedAssistant
) -> None:
    conversation = library.create_conversation()

    async def ask(question: str) -> None:
        async for _ in asking.ask(question, conversation, question, _NONE):
            await asyncio.sleep(0)

    async def several() -> None:
        await asyncio.gather(*(ask(f"question {number}") for number in range(5)))

    asyncio.run(several())
    wanted = [f"question {number}" for number in range(5)]
    assert [turn.question for turn in library.conversation_turns(conversation)] == wanted
    assert [question for question, _ in scripted.asked] == wanted


@pytest.mark.parametrize("question", ["broken", "bug"])
def test_a_failure_is_shown_as_one_and_the_next_question_works(
    asking: Asking, library: Library, question: str
) -> None:
    conversation = library.create_conversation()
    failed = _ask(asking, conversation, question)[-1]
    assert failed.state == "failed"
    assert "ibid-failure" in failed.html
    assert "ZeroDivisionError" not in failed.html
    assert _ask(asking, conversation, "How many?")[-1].state == "finished"


def test_stopping_closes_the_assistants_stream_at_once(
    asking: Asking, library: Library, scripted: ScriptedAssistant
) -> None:
    conversation = library.create_conversation()

    async def stopped() -> Update:
        last = None
        async for update in asking.ask("a slow one", conversation, "slow", _NONE):
            last = update
            if update.state == "writing":
                assert asking.stop("a slow one")
        assert last is not None
        return last

    last = asyncio.run(asyncio.wait_for(stopped(), 20))
    assert last.state == "stopped"
    assert scripted.closed == ["slow"]
    assert not asking.stop("a slow one")
    (turn,) = library.conversation_turns(
        conversation
    )  # what had been checked is kept, and says that it was cut short
    record = library.record(turn.record_id)
    assert (turn.question, record.extra["stopped"], record.answer["notes"]) == ("slow", True, [stopping.NOTE])
    assert [claim["verdict"] for claim in record.answer["claims"]] == ["quoted"]
    assert "Stopped here" in last.html
    assert threads.opened(library, conversation, None).turns == (last.html,)
    assert f"Note: {stopping.NOTE}." in exported(library, conversation, "markdown")


def test_a_stopped_retry_leaves_the_conversation_as_it_was(asking: Asking, library: Library) -> None:
    conversation = library.create_conversation()
    _ask(asking, conversation, "How many?")
    before = library.conversation_turns(conversation)

    async def stopped() -> None:
        async for update in asking.ask("again", conversation, "slow", _NONE, 0):
            if update.state == "writing":
                asking.stop("again")

    asyncio.run(asyncio.wait_for(stopped(), 20))
    assert library.conversation_turns(conversation) == before


def test_leaving_closes_the_assistants_stream(asking: Asking, library: Library, scripted: ScriptedAssistant) -> None:
    async def leave() -> None:
        updates = asking.ask("id", library.create_conversation(), "slow", _NONE)
        async for update in updates:
            if update.state == "writing":
                break
        await updates.aclose()

    asyncio.run(leave())
    assert scripted.closed == ["slow"]


def test_asking_again_from_a_turn_replaces_it_and_those_after_it(asking: Asking, library: Library) -> None:
    conversation = library.create_conversation()
    for question in ("one", "two", "three"):
        _ask(asking, conversation, question)
    assert _ask(asking, conversation, "another two", at=1)[-1].number == 1
    assert [turn.question for turn in library.conversation_turns(conversation)] == ["one", "another two"]


def test_asking_again_in_vain_leaves_the_conversation_as_it_was(asking: Asking, library: Library) -> None:
    conversation = library.create_conversation()
    for question in ("one", "two"):
        _ask(asking, conversation, question)
    _ask(asking, conversation, "broken", at=0)
    assert [turn.question for turn in library.conversation_turns(conversation)] == ["one", "two"]


# --- over HTTP --------------------------------------------------------------------------------------------------------


def _client(
    library: Library, assistant: Any, user: Callable[[HTTPConnection], str | None] | None = None
) -> TestClient:
    services = Services(library, assistant, **({"user": user} if user else {}))
    return TestClient(application(services), base_url="http://127.0.0.1:7860")


@pytest.fixture(scope="module")
def client(library: Library) -> TestClient:
    return _client(library, ScriptedAssistant(library))


def _posted(client: TestClient, question: str, **more: Any) -> list[dict[str, Any]]:
    reply = client.post("/chat/ask", json={"asked": "0123456789", "question": question, **more})
    assert reply.status_code == 200, reply.text
    return [json.loads(line) for line in reply.text.splitlines()]


def test_an_answer_can_be_opened_looked_up_rated_and_exported(client: TestClient, library: Library) -> None:
    begun, *updates = _posted(client, "How many?")
    conversation = begun["conversation"]
    assert updates[-1]["state"] == "finished"
    opened = client.get("/chat/open", params={"conversation": conversation}).json()
    assert opened["turns"] == [updates[-1]["html"]]
    assert client.get("/chat/state").json()["conversations"][0] == {
        "id": conversation, "title": "How many?", "when": "Today", "turns": 1
    }  # fmt: skip
    record = library.conversation_turns(conversation)[0].record_id
    html = client.get("/chat/source", params={"record": record, "claim": 0}).json()["html"]
    assert f'data-start="0" data-end="{len(QUOTE)}"' in html
    assert client.post("/chat/feedback", json={"record": record, "rating": -1, "comment": "no"}).status_code == 200
    assert [(word.rating, word.comment) for word in library.feedback(record)] == [(-1.0, "no")]
    reopened = client.get("/chat/open", params={"conversation": conversation}).json()["turns"][0]
    assert 'aria-label="Bad answer" title="Bad answer" aria-pressed="true"' in reopened
    for form, start in (
        ("markdown", "# How many?"),
        ("bibtex", "@"),
        ("json", "{"),
        ("html", "<!doctype html>"),
        ("docx", "PK"),
    ):
        file = client.get("/chat/export", params={"conversation": conversation, "form": form})
        assert file.content.lower().startswith(start.lower().encode())
        assert "attachment" in file.headers["content-disposition"]


def test_a_conversation_is_renamed_and_deleted(client: TestClient, library: Library) -> None:
    conversation = _posted(client, "How many?")[0]["conversation"]
    client.post("/chat/rename", json={"conversation": conversation, "title": " A  name "})
    assert client.get("/chat/state").json()["conversations"][0]["title"] == "A name"
    assert client.post("/chat/delete", json={"conversation": conversation}).status_code == 200
    assert client.get("/chat/open", params={"conversation": conversation}).status_code == 404
    assert conversation not in [one["id"] for one in client.get("/chat/state").json()["conversations"]]


def test_a_paper_that_is_gone_is_shown_as_it_was_quoted(own_library: Library) -> None:
    library, client = own_library, _client(own_library, ScriptedAssistant(own_library))
    conversation = _posted(client, "How many?")[0]["conversation"]
    record = library.conversation_turns(conversation)[0].record_id
    library.remove([PAPER.id])
    html = client.get("/chat/source", params={"record": record, "claim": 0}).json()["html"]
    assert "was removed from the library" in html
    assert "We assess 60 combinations" in html
    assert client.get("/chat/open", params={"conversation": conversation}).status_code == 200
    assert client.get("/chat/paper", params={"paper": PAPER.id}).status_code == 404


def test_a_scope_is_counted_and_named(client: TestClient) -> None:
    def scope(filters: dict[str, Any]) -> dict[str, Any]:
        return dict(client.post("/chat/scope", json={"filters": filters}).json())

    assert scope({})["papers"] == 4
    narrowed = scope({"year": [2023, 2024], "author": ["Ada Example"]})
    assert (narrowed["papers"], narrowed["total"]) == (1, 4)
    assert [chip["label"] for chip in narrowed["chips"]] == ["2023–2024", "Ada Example"]
    assert scope({"ids": ["title:tiny-1"]})["chips"][0]["label"] == TINY_PAPERS[0].title
    assert scope({"author": ["Nobody"]})["papers"] == 0
    assert client.post("/chat/scope", json={"filters": {"colour": "red"}}).status_code == 400
    assert [one["value"] for one in client.get("/chat/facets", params={"field": "year"}).json()] == [
        "2019",
        "2023",
        "2024",
    ]
    assert client.get("/chat/facets", params={"field": "colour"}).status_code == 422


def test_a_filter_that_leaves_nothing_is_refused_and_one_that_was_used_is_told(library: Library) -> None:
    client = _client(library, Assistant(library, selector=None))
    nothing = _posted(client, "What is PromptLadder?", filters={"author": ["Nobody"]})
    assert nothing[-1]["state"] == "refused"
    assert "No paper is in this scope" in nothing[-1]["html"]
    answered = _posted(client, "What is PromptLadder?", filters={"year": [2024, 2024]})
    assert "Asked of: 2024" in answered[-1]["html"]
    assert "Also read: " in answered[-1]["html"]
    opened = client.get("/chat/open", params={"conversation": answered[0]["conversation"]}).json()
    assert opened["filters"] == {"year": [2024, 2024]}


def test_what_another_page_could_post_unasked_is_refused(client: TestClient, library: Library) -> None:
    before = library.list_conversations()
    body = json.dumps({"asked": "0123456789", "question": "How many?"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert client.post("/chat/ask", content=body, headers={"content-type": kind}).status_code == 422
    assert library.list_conversations() == before


@pytest.mark.parametrize("question", ["", "x" * 4001])
def test_questions_that_are_empty_or_too_long_are_refused(client: TestClient, question: str) -> None:
    assert client.post("/chat/ask", json={"asked": "0123456789", "question": question}).status_code == 422


def test_one_users_conversations_are_not_there_for_another(library: Library, scripted: ScriptedAssistant) -> None:
    client = _client(library, scripted, lambda request: request.headers.get("x-user"))
    ada, ben = {"x-user": "ada"}, {"x-user": "ben"}
    body = {"asked": "0123456789", "question": "How many?"}
    first = client.post("/chat/ask", json=body, headers=ada).text.splitlines()[0]
    conversation = json.loads(first)["conversation"]
    assert len(client.get("/chat/state", headers=ada).json()["conversations"]) == 1
    assert client.get("/chat/state", headers=ben).json()["conversations"] == []
    for path in ("open", "export"):
        asked = {"conversation": conversation, "form": "json"}
        assert client.get(f"/chat/{path}", params=asked, headers=ada).status_code == 200
        assert client.get(f"/chat/{path}", params=asked, headers=ben).status_code == 404
    for path, more in (("delete", {}), ("rename", {"title": "mine"}), ("ask", body)):
        assert (
            client.post(f"/chat/{path}", json={"conversation": conversation, **more}, headers=ben).status_code == 404
        )


def test_a_read_only_library_is_asked_without_keeping_anything(library: Library) -> None:
    with Library.open(library.path, read_only=True, embedder=HashEmbedder()) as closed:
        client = _client(closed, Assistant(closed, selector=None))
        begun, *updates = _posted(client, "What is PromptLadder?")
        assert begun["conversation"] is None
        assert updates[-1]["state"] in ("finished", "refused")
        assert 'data-do="claim"' not in updates[-1]["html"]
