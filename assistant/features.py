"""What a reranker knows about a candidate paper: features of query and paper that mean the same in every corpus.

Each is a cosine or a share in [0, 1] of what the query could have matched at most, so that weights learned on one
corpus hold on another. Terms count by their rarity in the corpus at hand.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assistant.cleaning import clean
from assistant.papers import Paper, Passage
from assistant.terms import TermStatistics, terms

FEATURES = (
    "cosine",  # query and best passage
    "bm25",  # of the best passage, as a share of the most that any passage could score
    "coverage",  # query terms in title, passages, note or tags
    "title_coverage",  # query terms in the title
    "sentences",  # mean cosine with the best three sentences
)
_SENTENCES = 3
_MAX_TERMS = 64  # distinct query terms looked at; of a longer query the rarest
_BM25_LIMIT = 2.2  # k1 + 1, what a term of infinite frequency scores per unit of idf
_CACHED_TEXTS = 20_000


@dataclass(frozen=True, slots=True)
class WeighedQuery:
    """A query's distinct terms by rarity in [0, 1], and the most that BM25 could give it."""

    rarity: dict[str, float]
    bm25_limit: float

    @classmethod
    def of(cls, text: str, statistics: TermStatistics) -> WeighedQuery:
        kept = sorted(set(terms(text)), key=lambda term: (statistics.df(term), term))[:_MAX_TERMS]
        rarity = {term: statistics.rarity(term) for term in kept}
        return cls(rarity, _BM25_LIMIT * sum(statistics.idf(term) for term in kept))

    def coverage(self, held: Collection[str]) -> float:
        """Share of the query's terms, by rarity, in `held`; 0 for a query without terms."""
        whole = sum(self.rarity.values())
        return sum(weight for term, weight in self.rarity.items() if term in held) / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper with its retrieved passages, best first, and their cosines; the tuples parallel `passages`."""

    paper: Paper
    passages: tuple[Passage, ...]
    cosines: tuple[float, ...]
    sentence_cosines: tuple[tuple[float, ...], ...]  # empty tuples where the embedder gives none
    bm25: float


def measure(query: WeighedQuery, candidate: Candidate) -> NDArray[np.float64]:
    """The features of one candidate, in the order of `FEATURES`."""
    title = _terms_of(candidate.paper.title)
    given = (candidate.paper.note or "", *candidate.paper.tags)
    held = title.union(*map(_terms_of, given), *(_terms_of(passage.text) for passage in candidate.passages))
    best = max(candidate.cosines)
    close = sorted((cosine for row in candidate.sentence_cosines for cosine in row), reverse=True)[:_SENTENCES]
    return np.array(
        [
            best,
            min(1.0, candidate.bm25 / query.bm25_limit) if query.bm25_limit else 0.0,
            query.coverage(held),
            query.coverage(title),
            sum(close) / len(close) if close else best,
        ]
    )


@lru_cache(_CACHED_TEXTS)
def _terms_of(text: str) -> frozenset[str]:
    return frozenset(terms(clean(text).text))
