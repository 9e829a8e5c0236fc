"""What to ask instead of a question that was refused: only what would be answered is offered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from assistant.answerability import Decision
from assistant.answers import Answer
from assistant.cleaning import clean

MOST: Final = 2
_TITLE_CHARACTERS: Final = 90


class Deciding(Protocol):
    """What is needed of `assistant.Assistant`."""

    def decision(self, question: str) -> Decision: ...


def instead(assistant: object, refused: Answer, examples: Sequence[str] = ()) -> tuple[str, ...]:
    """Questions near the refused one that the library answers, best first; none where that cannot be told.

    Where nothing here is near, `examples` are offered.
    """
    if refused.abstention is None or not hasattr(assistant, "decision"):
        return ()
    deciding: Deciding = assistant
    asked = (question for question in _candidates(refused, examples) if deciding.decision(question).reason is None)
    return tuple(question for question, _ in zip(asked, range(MOST), strict=False))


def _candidates(refused: Answer, examples: Sequence[str]) -> Iterator[str]:
    if refused.abstention is None or refused.abstention.reason == "filter_matched_nothing":
        return
    if refused.abstention.reason != "not_stated":
        yield from examples
    for paper in refused.abstention.nearest_papers[:MOST]:
        title = clean(paper.title).text.rstrip("?.! ")
        if len(title) <= _TITLE_CHARACTERS:
            yield f"What does “{title}” propose?"
