"""Does a question go on about the papers just spoken of? Measured, since a follow-up need not hold a word that says so.

"How much shorter do answers get?" is about the last paper or about another one: whichever it is nearer to, and more so
the less it says. The weights are fitted by `benchmarks/followups.py` on development conversations and on made topic
changes, over corpora of several fields.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from assistant.evidence import asked_terms, share, telling
from assistant.filters import Filters
from assistant.papers import Paper
from assistant.retrieval import Retriever
from assistant.terms import TermStatistics, terms

if TYPE_CHECKING:
    from assistant.library import Library

_OTHERS = 4  # papers that the question might be about instead
ON_SUBJECT = 0.2  # probability from where on a question without a subject of its own goes on about the last papers
_SHORT = 6  # asked terms from where on a question is no longer short


class Surroundings(Protocol):
    """What the rewriting of a follow-up asks of a library."""

    @property
    def statistics(self) -> TermStatistics: ...
    def ranked(self, text: str) -> Sequence[Paper]:
        """Papers near a text, best first."""
        ...

    def belongs(self, text: str, papers: Sequence[Paper]) -> float:
        """Probability that a question is about one of `papers`, of which the conversation just spoke."""
        ...

    def nearest(self, text: str, papers: Sequence[Paper]) -> Paper:
        """The one of `papers` that the text describes best; the first one when none stands out."""
        ...


@dataclass(frozen=True, slots=True)
class Measures:
    """Of a question against papers just spoken of and the best other ones."""

    ahead: float  # cosine of its best sentence with theirs, less that with the others'
    own: float
    other: float
    coverage_ahead: float  # the same for the share of the asked terms that is held
    coverage: float
    length: float  # asked terms, 1 = many
    telling: float  # the rarest asked term that the library holds
    carries_on: float  # 1 when it begins with "and", "but", "so", …


WEIGHTS = Measures(4.38, 2.02, -2.36, 2.20, 3.23, -4.55, -1.78, 1.51)
INTERCEPT = 4.05
_CARRIES_ON = ("and ", "but ", "so ", "then ", "ok ", "okay ", "also ")


def probability(found: Measures) -> float:
    """The logistic score of the measures, in (0, 1)."""
    total = INTERCEPT + sum(getattr(WEIGHTS, name) * getattr(found, name) for name in Measures.__slots__)
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


class Nearby:
    """`Surroundings` of a library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @cached_property
    def statistics(self) -> TermStatistics:
        return self._library.term_statistics()

    def ranked(self, text: str) -> Sequence[Paper]:
        return [hit.paper for hit in Retriever(self._library).ranked(text, 2 * _OTHERS, Filters())]

    def belongs(self, text: str, papers: Sequence[Paper]) -> float:
        return probability(self.measured(text, papers)) if papers and text.strip() else 0.0

    def nearest(self, text: str, papers: Sequence[Paper]) -> Paper:
        query = self._vector(text)
        asked = asked_terms(text)

        def fit(paper: Paper) -> float:
            held = share(_terms(paper), asked, self.statistics) if asked else 0.0
            return self._cosine(query, paper) + held

        return max(papers, key=fit)  # the first of equals

    def measured(self, text: str, papers: Sequence[Paper]) -> Measures:
        query = self._vector(text)
        asked = asked_terms(text)
        ids = {paper.id for paper in papers}
        others = [paper for paper in self.ranked(text) if paper.id not in ids][:_OTHERS]
        own, other = (max((self._cosine(query, p) for p in group), default=0.0) for group in (papers, others))
        held, elsewhere = (
            max((share(_terms(p), asked, self.statistics) for p in group), default=0.0) for group in (papers, others)
        )
        rarity = telling(self.statistics)
        return Measures(
            ahead=own - other,
            own=own,
            other=other,
            coverage_ahead=held - elsewhere,
            coverage=held,
            length=min(len(asked), _SHORT) / _SHORT,
            telling=max((rarity(term) for term in asked if self.statistics.df(term)), default=0.0),
            carries_on=float(text.casefold().startswith(_CARRIES_ON)),
        )

    def _vector(self, text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return np.asarray(self._library.embedder.embed_query(text), dtype=np.float32)

    def _cosine(self, query: np.ndarray[tuple[int], np.dtype[np.float32]], paper: Paper) -> float:
        """Of the text and the paper's best sentence, or its best passage where sentences have no stored vectors."""
        ids = [passage.id for passage in self._library.passages(paper.id)]
        rows = self._library.sentence_vectors(ids) or self._library.vectors(ids)
        return max((float(np.max(vectors @ query)) for vectors in rows.values()), default=0.0)


def _terms(paper: Paper) -> frozenset[str]:
    return frozenset(terms(f"{paper.title} {paper.abstract}"))
