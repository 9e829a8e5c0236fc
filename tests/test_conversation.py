"""Conversations: follow-ups are understood, turns are kept, and what is gone does no harm."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from assistant.answers import Finished
from assistant.engine import Assistant
from assistant.errors import LibraryError
from assistant.library import Library
from assistant.settings import Settings
from assistant.testing import tiny_library

FIRST = "What is PromptLadder?"


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    return Assistant(tiny_library(tmp_path), settings=Settings.load(strictness="lenient"))


@pytest.mark.parametrize(
    "follow_up",
    [
        "How many students took part in it?",
        "By how much did it raise the pass rate?",
        "And how long did its effect last?",
    ],
)
def test_a_follow_up_is_about_the_same_paper(assistant: Assistant, follow_up: str) -> None:
    conversation = assistant.conversation()
    assert conversation.ask(FIRST).citations[0].paper.id == "title:tiny-1"
    answer = conversation.ask(follow_up)
    assert answer.question == follow_up
    assert "PromptLadder" in answer.query
    assert answer.citations[0].paper.id == "title:tiny-1"


def test_a_question_with_a_subject_of_its_own_stands(assistant: Assistant) -> None:
    conversation = assistant.conversation()
    conversation.ask(FIRST)
    answer = conversation.ask("What recall does QuietNet reach?")
    assert answer.query == answer.question
    assert answer.citations[0].paper.id == "title:tiny-2"


def test_outside_a_conversation_nothing_is_remembered(assistant: Assistant) -> None:
    assistant.ask(FIRST)
    answer = assistant.ask("How many students took part in it?")
    assert answer.query == answer.question


def test_turns_and_records_are_kept_and_resumed(assistant: Assistant) -> None:
    conversation = assistant.conversation()
    answers = [conversation.ask(FIRST), conversation.ask("How many students took part in it?")]
    turns = assistant.library.conversation_turns(conversation.id)
    assert [(turn.question, turn.query, turn.record_id) for turn in turns] == [
        (answer.question, answer.query, answer.record_id) for answer in answers
    ]
    for answer in answers:
        assert assistant.library.record(answer.record_id).conversation_id == conversation.id
    with Library.open(assistant.library.path) as again:
        resumed = Assistant(again, settings=assistant.settings).conversation(conversation.id)
        assert [exchange.question for exchange in resumed.history()] == [answer.question for answer in answers]
        assert "PromptLadder" in resumed.ask("Did its effect last?").query


def test_a_refusal_leaves_the_subject(assistant: Assistant) -> None:
    conversation = assistant.conversation()
    conversation.ask(FIRST)
    assert conversation.ask("Hello!").status == "abstained"
    assert "PromptLadder" in conversation.ask("How many students took part in it?").query


def test_a_removed_paper_does_no_harm(assistant: Assistant) -> None:
    conversation = assistant.conversation()
    conversation.ask(FIRST)
    assistant.library.remove(["title:tiny-1"])
    answer = conversation.ask("How many students took part in it?")
    assert all(citation.paper.id != "title:tiny-1" for citation in answer.citations)


def test_a_deleted_conversation_is_gone(assistant: Assistant) -> None:
    conversation = assistant.conversation()
    conversation.ask(FIRST)
    assistant.library.delete_conversation(conversation.id)
    with pytest.raises(LibraryError):
        conversation.ask("And now?")


@pytest.mark.parametrize(
    "follow_up", ["", "🦄", "?", "it", "the second one", "{it} \\1", "x" * 5000, "shorter", "\ud800 it"]
)
def test_no_follow_up_is_too_odd(assistant: Assistant, follow_up: str) -> None:
    conversation = assistant.conversation()
    conversation.ask(FIRST)
    assert conversation.ask(follow_up).text
    assert conversation.ask("and its effect?").text


def test_filters_hold_in_a_conversation(assistant: Assistant) -> None:
    conversation = assistant.conversation()
    conversation.ask(FIRST)
    answer = conversation.ask("How many students took part in it?", filters={"year": 2019})
    assert all(citation.paper.year == 2019 for citation in answer.citations)


def test_every_way_of_asking_follows_up(assistant: Assistant) -> None:
    follow_up = "How many students took part in it?"

    async def streamed() -> list[str]:
        conversation = assistant.conversation()
        await conversation.aask(FIRST)
        finished = [event.answer async for event in conversation.astream(follow_up) if isinstance(event, Finished)]
        return [answer.query for answer in finished]

    conversation = assistant.conversation()
    conversation.ask(FIRST)
    last = list(conversation.stream(follow_up))[-1]
    assert isinstance(last, Finished)
    assert asyncio.run(streamed()) == [last.answer.query]
