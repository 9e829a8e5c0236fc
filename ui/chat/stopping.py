"""What a stopped question had been told by then, kept as a turn like any other and marked as cut short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from assistant.answers import Answer, Citation, Claim
from assistant.errors import LibraryError
from assistant.records import new_id
from assistant.version import versions

if TYPE_CHECKING:
    from assistant.filters import Filters
    from assistant.library import Library
    from assistant.settings import Settings

NOTE: Final = "stopped before its end"


def cut_short(
    question: str, query: str, text: str, claims: Sequence[Claim], engine: str, seconds: float
) -> Answer | None:
    """The sentences that had been checked, as an answer; None where none had, or where they are not those of the text."""
    if not claims or any(text[claim.start : claim.end] != claim.text for claim in claims):
        return None
    cited: dict[Citation, None] = dict.fromkeys(citation for claim in claims for citation in claim.citations)
    return Answer(
        question, query, "answered", text[: claims[-1].end], tuple(claims), tuple(cited), None, new_id(), engine,
        seconds, (NOTE,),
    )  # fmt: skip


def kept(library: Library, answer: Answer, filters: Filters, conversation: str, settings: Settings | None) -> bool:
    """Stores the answer's record and its turn; says whether that was possible."""
    names = ("paper_id", "passage_id", "start", "end", "text")
    spans = [(c.paper.id, c.passage_id, c.start, c.end, c.quote) for c in answer.citations]
    record: Mapping[str, Any] = {
        "id": answer.record_id,
        "question": answer.question,
        "query": answer.query,
        "engine": answer.engine,
        "answer": answer.to_dict(),
        "filters": asdict(filters),
        "settings": settings.model_dump(mode="json") if settings else {},
        "versions": versions(),
        "evidence": [dict(zip(names, span, strict=True)) for span in spans],
        "conversation_id": conversation,
        "stopped": True,
    }
    try:
        user = library.conversation_user(conversation)
        library.save_record({**record, "user": user})
        library.append_turn(conversation, answer.question, answer.query, answer.record_id)
    except LibraryError:
        return False
    return True
