"""Retrieval: dense ∥ lexical → fusion → reranking → papers with their matching passages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.filters import Filters
from assistant.fusion import best_by, reciprocal_rank
from assistant.papers import Hit, Paper, Passage
from assistant.terms import TermStatistics, terms

if TYPE_CHECKING:
    from assistant.embedding import Embedder

_DEPTH = 100  # passages asked of each ranking
_CANDIDATES = 40  # papers that are reranked


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
    def vectors(self, passage_ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]: ...
    def sentence_vectors(self, passage_ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]: ...
    def term_statistics(self) -> TermStatistics: ...


@dataclass(frozen=True, slots=True)
class ScoredPaper:
    """A ranked paper with what made it rank: `passages` best first, never empty; `score` falls with `rank` (1-based).

    `cosine` is the best of the query with a passage, `bm25` the best passage's score (0 when it shares no term),
    `coverage` the share, weighted by rarity, of the query's terms that title and passages hold. `sentence_scores[i][j]`
    is the query's cosine with sentence j of passage i; `sentence_scores[i]` is empty when the embedder gives none.
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
        allowed = self._library.matching_ids(filters or Filters())
        if k < 1 or not question.strip() or (allowed is not None and not allowed):
            return ()
        vector = self._library.embedder.embed_query(question)
        dense = self._library.dense(vector, _DEPTH, allowed)
        lexical = self._library.lexical(question, _DEPTH, allowed)
        passages = self._library.passages_by_id({passage for passage, _ in [*dense, *lexical]})
        paper_of = {passage.id: passage.paper_id for passage in passages.values()}
        dense_best, lexical_best = best_by(dense, paper_of), best_by(lexical, paper_of)
        fused = reciprocal_rank([list(dense_best), list(lexical_best)])[: max(k, _CANDIDATES)]
        candidates = {paper: score for paper, score in fused}
        groups: dict[str, list[Passage]] = {paper: [] for paper in candidates}
        for passage in passages.values():
            if passage.paper_id in groups:
                groups[passage.paper_id].append(passage)
        papers = self._library.papers_by_id(list(candidates))
        scored = [
            self._scored(vector, question, papers[paper], groups[paper], score, lexical_best.get(paper, 0.0), rank)
            for rank, (paper, score) in enumerate(list(candidates.items())[:k], start=1)
        ]
        return tuple(scored)

    def _scored(
        self,
        vector: NDArray[np.float32],
        question: str,
        paper: Paper,
        passages: list[Passage],
        score: float,
        bm25: float,
        rank: int,
    ) -> ScoredPaper:
        ids = [passage.id for passage in passages]
        cosines = {key: float(row @ vector) for key, row in self._library.vectors(ids).items()}
        ordered = sorted(passages, key=lambda passage: (-cosines[passage.id], passage.ordinal))
        sentences = self._library.sentence_vectors(ids)
        statistics = self._library.term_statistics()
        wanted = set(terms(question))
        held = set(terms(" ".join([paper.title, *(passage.text for passage in passages)])))
        weight = sum(statistics.rarity(term) for term in wanted)
        coverage = sum(statistics.rarity(term) for term in wanted & held) / weight if weight else 0.0
        return ScoredPaper(
            paper=paper,
            score=score,
            rank=rank,
            passages=tuple(ordered),
            cosine=max(cosines.values()),
            bm25=bm25,
            coverage=coverage,
            sentence_scores=tuple(
                tuple(float(cosine) for cosine in sentences[passage.id] @ vector) if passage.id in sentences else ()
                for passage in ordered
            ),
        )
