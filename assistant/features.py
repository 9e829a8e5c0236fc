"""What a reranker knows about a candidate paper: features of query and paper that mean the same in every corpus.

Each is a cosine or a share in [0, 1] of what the query could have matched at most, so that weights learned on one
corpus hold on another. Terms count by their rarity in the corpus at hand.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from assistant.cleaning import clean
from assistant.papers import Paper, Passage
from assistant.terms import TermStatistics, terms

FEATURES = (
    "cosine",  # query and best passage
    "bm25",  # of the best passage, as a share of the most that any passage could score
    "coverage",  # query terms in title or passages
    "title_coverage",  # query terms in the title
    "title_match",  # title terms in the query
    "sentence",  # cosine with the best sentence
    "sentences",  # mean cosine with the best three
    "sentence_coverage",  # query terms in the best single sentence
    "neighbours_coverage",  # in the best two neighbouring sentences
    "phrases",  # pairs of neighbouring query terms that are neighbours in title or a sentence
    "feedback",  # cosine of the best passage with the mean of the best fused papers
    "fused",  # reciprocal ranks, as a share of being first in both rankings
)
_MAX_TERMS = 64  # distinct query terms looked at; of a longer query the rarest
_BM25_LIMIT = 2.2  # k1 + 1, what a term of infinite frequency scores per unit of idf
_CACHED_TEXTS = 20_000

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class WeighedQuery:
    """A query's distinct terms by rarity in [0, 1], its neighbouring pairs, and the most that BM25 could give it."""

    rarity: dict[str, float]
    phrases: dict[tuple[str, str], float]
    bm25_limit: float

    @classmethod
    def of(cls, text: str, statistics: TermStatistics) -> WeighedQuery:
        spoken = terms(text)
        kept = sorted(set(spoken), key=lambda term: (statistics.df(term), term))[:_MAX_TERMS]
        rarity = {term: statistics.rarity(term) for term in kept}
        phrases = {
            (first, second): rarity[first] + rarity[second]
            for first, second in pairwise(spoken)
            if first in rarity and second in rarity
        }
        return cls(rarity, phrases, _BM25_LIMIT * sum(statistics.idf(term) for term in kept))

    def coverage(self, held: Collection[str]) -> float:
        """Share of the query's terms, by rarity, in `held`; 0 for a query without terms."""
        return _share(self.rarity, held)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper with its retrieved passages and their cosines; the arrays parallel `passages`."""

    paper: Paper
    passages: tuple[Passage, ...]
    cosines: tuple[float, ...]
    feedback: float
    sentence_cosines: tuple[tuple[float, ...], ...]  # empty tuples where the embedder gives none
    bm25: float
    fused: float


def measure(query: WeighedQuery, candidate: Candidate) -> NDArray[np.float64]:
    """The features of one candidate, in the order of `FEATURES`."""
    title = _terms_of(candidate.paper.title)
    sentences = [sentence for passage in candidate.passages for sentence in _sentences_of(passage)]
    sets = [frozenset(sentence) for sentence in sentences]
    shares = [query.coverage(held) for held in sets]
    neighbours = [query.coverage(first | second) for first, second in pairwise(sets)]
    pairs = {pair for text in (title, *sentences) for pair in pairwise(text)}
    best = max(candidate.cosines)
    close = sorted((cosine for row in candidate.sentence_cosines for cosine in row), reverse=True)[:3] or [best]
    return np.array(
        [
            best,
            candidate.bm25 / query.bm25_limit if query.bm25_limit else 0.0,
            query.coverage(frozenset(title).union(*sets)),
            query.coverage(frozenset(title)),
            len(set(title) & query.rarity.keys()) / max(1, len(set(title))),
            close[0],
            sum(close) / len(close),
            max(shares, default=0.0),
            max([*neighbours, *shares], default=0.0),
            _share(query.phrases, pairs),
            candidate.feedback,
            candidate.fused,
        ]
    )


def _share(weights: Mapping[_Key, float], held: Collection[_Key]) -> float:
    whole = sum(weights.values())
    return sum(weight for key, weight in weights.items() if key in held) / whole if whole else 0.0


@lru_cache(_CACHED_TEXTS)
def _terms_of(text: str) -> tuple[str, ...]:
    return tuple(terms(clean(text).text))


def _sentences_of(passage: Passage) -> list[tuple[str, ...]]:
    return [
        _terms_of(passage.text[span.start - passage.start : span.end - passage.start]) for span in passage.sentences
    ]
