"""The conversations of a library as the page lists and reopens them; one of a user is not there for another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from assistant.errors import NotInLibrary
from assistant.storage.history import ConversationSummary
from ui.chat import scope, turns
from ui.chat.considered import considered
from ui.chat.stored import recall

if TYPE_CHECKING:
    from assistant.library import Library

When = Literal["Today", "Yesterday", "Earlier"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in the list."""

    id: str
    title: str
    when: When
    turns: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation with its turns as HTML, and the filter that its last question was asked with."""

    id: str
    title: str
    turns: tuple[str, ...]
    filters: dict[str, Any]


def begin(library: Library, user: str | None) -> str:
    """A new conversation's id; it belongs to `user` where there are users."""
    return library.create_conversation(user=user)


def listed(library: Library, user: str | None) -> tuple[Listed, ...]:
    """The conversations in which something was asked, latest first."""
    known = [one for one in library.list_conversations() if one.turns and user in (None, one.user)]
    return tuple(Listed(one.id, one.title, _when(one), one.turns) for one in known)


def allowed(library: Library, conversation: str, user: str | None) -> str:
    """The id itself. Raises NotInLibrary for a conversation that is not there, or is another user's."""
    if user not in (None, library.conversation_user(conversation)):
        raise NotInLibrary(f"no conversation {conversation!r} in this library")
    return conversation


def opened(library: Library, conversation: str, user: str | None) -> Opened:
    """The conversation as it was shown. Raises NotInLibrary."""
    allowed(library, conversation, user)
    made: list[str] = []
    filters: dict[str, Any] = {}
    for number, turn in enumerate(library.conversation_turns(conversation)):
        try:
            record = library.record(turn.record_id)
        except NotInLibrary:
            made.append(turns.lost(turn.question, number))
            continue
        recalled = recall(library, record)
        said = library.feedback(record.id)
        rating = said[-1].rating if said else None
        also = considered(recalled)
        made.append(turns.finished(recalled.answer, number, filters=recalled.filters, rating=rating, also=also))
        filters = scope.stored(recalled.filters)
    return Opened(conversation, title(library, conversation), tuple(made), filters)


def title(library: Library, conversation: str) -> str:
    """The name it has in the list; empty before its first answer."""
    return next((one.title for one in library.list_conversations() if one.id == conversation), "")


def _when(one: ConversationSummary) -> When:
    days = (datetime.now(UTC).date() - datetime.fromisoformat(one.updated_at).date()).days
    return "Today" if days <= 0 else "Yesterday" if days == 1 else "Earlier"
