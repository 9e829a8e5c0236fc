"""A library as it would be without some papers: what a question about a held-out paper is asked of."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from assistant.terms import TermStatistics, terms

if TYPE_CHECKING:
    from assistant.embedding.vectors import Vectors
    from assistant.library import Library


class Masked:
    """Reads of a library in which the papers `hidden` are not there; everything else is the library's own."""

    def __init__(self, library: Library, hidden: Collection[str]) -> None:
        self._library = library
        self._hidden = frozenset(hidden)
        papers = library.papers_by_id(self._hidden).values()
        self._terms = [frozenset(terms(f"{paper.title} {paper.abstract}")) for paper in papers]
        self._passages = {passage.id for paper in papers for passage in library.passages(paper.id)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def dense(self, query_vector: Vectors, k: int, allowed: set[str] | None = None) -> list[tuple[str, float]]:
        """As `Library.dense`."""
        found = self._library.dense(query_vector, k + len(self._passages), allowed)
        return [item for item in found if item[0] not in self._passages][:k]

    def lexical(self, query: str, k: int, allowed: set[str] | None = None) -> list[tuple[str, float]]:
        """As `Library.lexical`."""
        found = self._library.lexical(query, k + len(self._passages), allowed)
        return [item for item in found if item[0] not in self._passages][:k]

    def term_statistics(self) -> TermStatistics:
        """As `Library.term_statistics`, less the hidden papers' terms."""
        whole = self._library.term_statistics()

        def frequency(term: str) -> int:
            return max(0, whole.df(term) - sum(term in held for held in self._terms))

        return TermStatistics(max(0, whole.n - len(self._passages)), frequency)
