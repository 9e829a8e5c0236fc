"""Ibid answers questions from a library of paper abstracts; every sentence points at the characters it rests on.

>>> from assistant import Library, Assistant  # doctest: +SKIP
>>> Assistant(Library.open("papers/")).ask("Which paper introduces …?").text  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.answers import (
        Abstention,
        Answer,
        Citation,
        Claim,
        ClaimVerified,
        Event,
        Finding,
        Finished,
        Retrieved,
        Token,
    )
    from assistant.conversation import Conversation
    from assistant.engine import Assistant
    from assistant.errors import IbidError
    from assistant.filters import Filters
    from assistant.library import Library
    from assistant.papers import Hit, Paper, Passage
    from assistant.settings import Settings

_HOME = {
    "answers": "Abstention Answer Citation Claim ClaimVerified Event Finding Finished Retrieved Token",
    "conversation": "Conversation",
    "engine": "Assistant",
    "errors": "IbidError",
    "filters": "Filters",
    "library": "Library",
    "papers": "Hit Paper Passage",
    "settings": "Settings",
}
_MODULE = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "Abstention",
    "Answer",
    "Assistant",
    "Citation",
    "Claim",
    "ClaimVerified",
    "Conversation",
    "Event",
    "Filters",
    "Finding",
    "Finished",
    "Hit",
    "IbidError",
    "Library",
    "Paper",
    "Passage",
    "Retrieved",
    "Settings",
    "Token",
]


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used, so that importing the package stays quick."""
    if name not in _MODULE:
        raise AttributeError(f"module 'assistant' has no attribute {name!r}")
    return getattr(import_module(f"assistant.{_MODULE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
