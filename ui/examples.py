"""Questions to click on an empty page, fit for the library that is open."""

from __future__ import annotations

from typing import Final, Protocol

from assistant.errors import NotInLibrary
from assistant.papers import Paper

# Title of a paper of the bundled corpus, and a question that its abstract answers.
_BUNDLED: Final = (
    (
        "The Unreasonable Effectiveness of Eccentric Automatic Prompts",
        "How many combinations of system message snippets were assessed?",
    ),
    (
        "Free Process Rewards without Process Labels",
        "Which papers train process reward models without step labels?",
    ),
    ("Cautious Weight Decay", "What does cautious weight decay change?"),
)


class Titles(Protocol):
    """What is needed of `assistant.Library`."""

    def paper(self, reference: str) -> Paper: ...


def questions_for(library: Titles) -> tuple[str, ...]:
    """The questions whose paper is in the library, found by exact title; none for a library of other papers."""
    return tuple(question for title, question in _BUNDLED if _holds(library, title))


def _holds(library: Titles, title: str) -> bool:
    try:
        library.paper(title)
    except NotInLibrary:
        return False
    return True
