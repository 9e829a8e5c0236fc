"""A conversation: questions that may lean on what was said before, kept in the library."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from assistant.answers import Answer, Event
from assistant.errors import NotInLibrary
from assistant.filters import Filters
from assistant.followups import Exchange
from assistant.papers import Paper

if TYPE_CHECKING:
    from assistant.engine import Assistant
    from assistant.library import Library
    from assistant.storage.history import Turn


class Conversation:
    """Asks in the context of its earlier turns; made by `Assistant.conversation`."""

    def __init__(self, assistant: Assistant, conversation_id: str) -> None:
        self._assistant = assistant
        self.id = conversation_id

    def ask(self, question: str, *, filters: Mapping[str, Any] | Filters | None = None) -> Answer:
        """As `Assistant.ask`, with this conversation as context."""
        return self._assistant.ask(question, filters=filters, conversation=self)

    async def aask(self, question: str, *, filters: Mapping[str, Any] | Filters | None = None) -> Answer:
        """As `ask`, awaited."""
        return await self._assistant.aask(question, filters=filters, conversation=self)

    def stream(self, question: str, *, filters: Mapping[str, Any] | Filters | None = None) -> Iterator[Event]:
        """As `Assistant.stream`, with this conversation as context."""
        return self._assistant.stream(question, filters=filters, conversation=self)

    def astream(
        self, question: str, *, filters: Mapping[str, Any] | Filters | None = None
    ) -> AsyncGenerator[Event, None]:
        """As `Assistant.astream`, with this conversation as context."""
        return self._assistant.astream(question, filters=filters, conversation=self)

    def history(self) -> tuple[Exchange, ...]:
        """Earlier turns in order, with the papers that each answer was about."""
        return history(self._assistant.library, self.id)


def history(library: Library, conversation_id: str) -> tuple[Exchange, ...]:
    """The stored turns of a conversation; raises NotInLibrary for an unknown one."""
    return tuple(_exchange(library, turn) for turn in library.conversation_turns(conversation_id))


def _exchange(library: Library, turn: Turn) -> Exchange:
    """A turn with the papers that its answer was about; a record that is gone leaves the question alone."""
    try:
        record = library.record(turn.record_id)
    except NotInLibrary:
        return Exchange(turn.question, turn.query, ())
    rewriting = record.extra.get("rewriting") or {}
    focus = tuple(paper["id"] for paper in rewriting.get("focus", ()))
    return Exchange(turn.question, turn.query, _papers(library, record.answer), rewriting.get("stem", ""), focus)


def _papers(library: Library, answer: Mapping[str, Any]) -> tuple[Paper, ...]:
    """The papers that an answer cited in order of first use, else the nearest one that its refusal offered."""
    cited = [citation["paper"]["id"] for citation in answer["citations"]]
    if not cited and answer["abstention"] and answer["abstention"]["reason"] == "not_stated":
        cited = [paper["id"] for paper in answer["abstention"]["nearest_papers"]][:1]
    here = library.papers_by_id(cited)  # one removed since is missing; the conversation goes on without it
    return tuple(here[paper_id] for paper_id in dict.fromkeys(cited) if paper_id in here)
