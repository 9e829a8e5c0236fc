"""Retrieval: dense ∥ lexical → fusion → reranking → papers with their matching passages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.features import FEATURES, Candidate, WeighedQuery, measure
from assistant.filters import Filters
from assistant.fusion import best_by, reciprocal_rank
from assistant.papers import Hit, Paper, Passage
from assistant.terms import TermStatistics

if TYPE_CHECKING:
    from assistant.embedding import Embedder

_DEPTH = 100  # passages asked of each ranking
_CANDIDATES = 40  # papers that are reranked
_MAX_QUESTION = 40_000  # characters, about 6,000 words; the rest of a longer question is not read

# Fitted by softmax over each query's candidates on the 809 training claims of SciFact and the development questions
# over the bundled papers, then divided by their sum, so that a score is a weighted mean of the features. What was
# compared, and the figures: docs/experiments/retrieval.md.
_WEIGHTS = {"cosine": 0.17, "bm25": 0.18, "coverage": 0.20, "title_coverage": 0.05, "sentences": 0.40}


class Corpus(Protocol):
    """What retrieval needs of a library."""

    @property
    def embedder(self) -> Embedder: ...
    def matching_ids(self, filters: Filters) -> set[str] | None: ...
    def dense(
        self, query_vector: NDArray[np.float32], k: int, allowed: set[str] | None
    ) -> list[tuple[str, float]]: ...
    def lexical(self, query: str, k: int, allowed: set[str] | None) -> list[tuple[str, float]]: ...
    def passages_by_id(self, ids: Collection[str]) -> Mapping[str, Passage]: ...
    def papers_by_id(self, ids: Collection[str]) -> Mapping[str, Paper]: ...
    def vectors(self, passage_ids: Collection[str]) -> Mapping[str, NDArray[np.float32]]: ...
    def sentence_vectors(self, passage_ids: Collection[str]) -> Mapping[str, NDArray[np.float32]]: ...
    def term_statistics(self) -> TermStatistics: ...


@dataclass(frozen=True, slots=True)
class ScoredPaper:
    """A ranked paper with what made it rank: `passages` best first, never empty; `score` falls with `rank` (1-based).

    `cosine` is the best of the query with a passage, `bm25` the best passage's score (0 when it shares no term),
    `coverage` the share, weighted by rarity, of the query's terms that title, passages, note and tags hold.
    `sentence_scores[i]` are the query's cosines with the sentences of passage i, in order; empty when the embedder
    gives none.
    """

    paper: Paper
    score: float
    rank: int
    passages: tuple[Passage, ...]
    cosine: float
    bm25: float
    coverage: float
    sentence_scores: tuple[tuple[float, ...], ...]


class Retriever:
    """Ranks a library's papers for a question. Deterministic; holds no state but the library."""

    def __init__(self, library: Corpus) -> None:
        self._library = library

    def search(self, question: str, k: int = 10, filters: Filters | None = None) -> tuple[Hit, ...]:
        """The `k` best papers with their matching passages; empty for a blank question or filters that match none."""
        ranked = self.ranked(question, k, filters)
        return tuple(Hit(found.paper, found.score, found.rank, found.passages) for found in ranked)

    def ranked(self, question: str, k: int = 10, filters: Filters | None = None) -> tuple[ScoredPaper, ...]:
        """As `search`, with the scores behind each rank."""
        question = question[:_MAX_QUESTION]
        if k < 1 or not any(map(str.isalnum, question)):
            return ()
        allowed = self._library.matching_ids(filters or Filters())
        if allowed is not None and not allowed:
            return ()
        query = WeighedQuery.of(question, self._library.term_statistics())
        candidates = self.candidates(question, max(k, _CANDIDATES), allowed)
        measured = [(candidate, measure(query, candidate)) for candidate in candidates]
        scored = [(float(features @ _WEIGHT_VECTOR), candidate, features) for candidate, features in measured]
        scored.sort(key=lambda item: (-item[0], item[1].paper.id))
        return tuple(
            _scored_paper(candidate, score, rank, float(features[_COVERAGE]))
            for rank, (score, candidate, features) in enumerate(scored[:k], start=1)
        )

    def candidates(self, question: str, limit: int, allowed: set[str] | None) -> list[Candidate]:
        """The `limit` best papers by fusion of both rankings, best first, each with its retrieved passages."""
        vector = self._library.embedder.embed_query(question)
        depth = max(_DEPTH, 2 * limit)
        dense = self._library.dense(vector, depth, allowed)
        lexical = self._library.lexical(question, depth, allowed)
        paper_of = {passage: passage.rpartition("#")[0] for passage, _ in (*dense, *lexical)}
        bm25 = best_by(lexical, paper_of)
        fused = dict(reciprocal_rank([list(best_by(dense, paper_of)), list(bm25)])[:limit])
        passages = self._library.passages_by_id([key for key, paper in paper_of.items() if paper in fused])
        grouped: dict[str, list[Passage]] = {paper: [] for paper in fused}
        for passage in passages.values():
            grouped[passage.paper_id].append(passage)
        return self._opened(vector, fused, grouped, bm25)

    def _opened(
        self,
        vector: NDArray[np.float32],
        fused: Collection[str],
        grouped: Mapping[str, Sequence[Passage]],
        bm25: Mapping[str, float],
    ) -> list[Candidate]:
        ids = [passage.id for group in grouped.values() for passage in group]
        papers = self._library.papers_by_id(list(fused))
        vectors = self._library.vectors(ids)
        sentences = self._library.sentence_vectors(ids)
        cosines = {key: float(row @ vector) for key, row in vectors.items()}
        ordered = {
            paper: sorted(
                (passage for passage in grouped[paper] if passage.id in cosines),
                key=lambda passage: (-cosines[passage.id], passage.ordinal),
            )
            for paper in fused
        }
        return [
            Candidate(
                paper=papers[paper],
                passages=tuple(ordered[paper]),
                cosines=tuple(cosines[passage.id] for passage in ordered[paper]),
                sentence_cosines=tuple(_products(sentences.get(passage.id), vector) for passage in ordered[paper]),
                bm25=bm25.get(paper, 0.0),
            )
            for paper in fused
            if paper in papers and ordered[paper]  # another process may have removed it meanwhile
        ]


_WEIGHT_VECTOR = np.array([_WEIGHTS[name] for name in FEATURES])
_COVERAGE = FEATURES.index("coverage")


def _scored_paper(candidate: Candidate, score: float, rank: int, coverage: float) -> ScoredPaper:
    return ScoredPaper(
        paper=candidate.paper,
        score=score,
        rank=rank,
        passages=candidate.passages,
        cosine=candidate.cosines[0],
        bm25=candidate.bm25,
        coverage=coverage,
        sentence_scores=candidate.sentence_cosines,
    )


def _products(rows: NDArray[np.float32] | None, vector: NDArray[np.float32]) -> tuple[float, ...]:
    return () if rows is None else tuple(float(product) for product in rows @ vector)
