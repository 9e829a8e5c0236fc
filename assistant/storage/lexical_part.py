"""The lexical index as a derived part of a library: opened, brought up to date and rebuilt from the truth."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

from assistant.errors import LibraryError
from assistant.storage.generations import Generation, Progress
from assistant.storage.truth import Change, PassageRow, Truth

if TYPE_CHECKING:
    from assistant.lexical import LexicalIndex
    from assistant.terms import TermStatistics

# Up to this many passages an index that would have to forget some is made anew (it takes about a second): deleted
# passages count in tantivy's document frequencies until segments are merged, and so move rankings a little.
_REMAKE_LIMIT = 5_000


class LexicalPart:
    """A handle on the current generation's lexical index. Safe to share between threads."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._guard = threading.RLock()
        self._index: LexicalIndex | None = None
        self._shown: tuple[str, Change] | None = None  # generation and change that `_index` shows

    def search(
        self, generation: Generation, progress: Progress, query: str, k: int, allowed: Collection[str] | None
    ) -> list[tuple[str, float]]:
        """The `k` best (passage id, BM25); raises LibraryError when the index is damaged."""
        return self._current(generation, progress).search(query, k, allowed)

    def statistics(self, generation: Generation, progress: Progress) -> TermStatistics:
        return self._current(generation, progress).statistics()

    def count(self, generation: Generation, progress: Progress) -> int:
        """Passages in the index."""
        return self._current(generation, progress).count()

    def catch_up(self, generation: Generation, progress: Progress, target: Change) -> Progress:
        """Brings in what the truth has above `progress`; the caller holds the writer lock and saved `busy`.

        Raises LibraryError when the index should rather be made anew, in another generation.
        """
        if not generation.lexical.exists():
            return self._make(generation, target)
        if progress.busy or self._truth.any_removed(progress.change.number):
            count = self._truth.passage_count()
            if count <= _REMAKE_LIMIT:
                raise LibraryError(f"a lexical index of {count} passages is made anew rather than changed")
        return self._continue(generation, progress, target)

    def tidy(self, generation: Generation) -> None:
        """Merges what small writes have left, where that has become much; the caller holds the writer lock."""
        from assistant.lexical import LexicalIndex, crowded

        if crowded(generation.lexical):
            with LexicalIndex.open(generation.lexical) as index:
                index.tidy()

    def close(self) -> None:
        with self._guard:
            self._index = self._shown = None

    def _current(self, generation: Generation, progress: Progress) -> LexicalIndex:
        from assistant.lexical import LexicalIndex

        with self._guard:
            if self._index is None or self._shown is None or self._shown[0] != generation.name:
                self._index = LexicalIndex.open(generation.lexical)
            elif self._shown[1] != progress.change:
                self._index.reload()
            self._shown = (generation.name, progress.change)
            return self._index

    def _make(self, generation: Generation, target: Change) -> Progress:
        from assistant.lexical import LexicalIndex

        with LexicalIndex.create(generation.lexical) as index:
            for rows in self._truth.passage_rows():
                index.add(map(_entry, rows))
            index.commit()
        return Progress(target)

    def _continue(self, generation: Generation, progress: Progress, target: Change) -> Progress:
        from assistant.lexical import LexicalIndex

        after = progress.change.number
        with LexicalIndex.open(generation.lexical) as index:
            index.remove(sorted(set(self._truth.removed_since(after).values())))
            for rows in self._truth.passage_rows(after=after):
                index.add(map(_entry, rows))
            index.commit()
        return Progress(target)


def _entry(row: PassageRow) -> tuple[str, str, str, str]:
    """What the index reads: the user's words stand beside the title, as they are said of the whole paper."""
    title = f"{row.title}\n{row.own_words}" if row.own_words else row.title
    return row.passage_id, row.paper_id, title, row.text
