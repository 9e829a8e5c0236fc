"""Surroundings of a conversation without a library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.papers import Paper
from assistant.terms import TermStatistics


@dataclass(frozen=True)
class MadeSurroundings:
    """Ranks `papers` for any text; `belonging` is the probability that a question goes on about the last papers."""

    statistics: TermStatistics
    papers: tuple[Paper, ...] = ()
    belonging: float = 0.5

    def ranked(self, text: str) -> Sequence[Paper]:
        return self.papers

    def belongs(self, text: str, papers: Sequence[Paper]) -> float:
        return self.belonging

    def nearest(self, text: str, papers: Sequence[Paper]) -> Paper:
        return max(
            papers, key=lambda paper: sum(word in paper.abstract.casefold() for word in text.casefold().split())
        )
