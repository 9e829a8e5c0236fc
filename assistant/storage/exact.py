"""Exact search by cosine over the vectors of the truth: the answer for small libraries and the oracle for large ones.

A score depends on nothing but the query and the vector: rows are sifted in single precision, whose last bits depend on
the shape of the whole matrix, and those that may be among the best are multiplied again, each by itself, in double.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from assistant.embedding.vectors import Vectors
from assistant.storage.truth import Change, Matrix, Truth

_DECIMALS = (
    6  # beyond which scores count as equal, so that ties are cut by id here as where Chroma's scores are joined
)
_MARGIN = (
    1e-4  # above twice the most that a product of unit vectors is off in single precision (384 dimensions: 2.3e-5)
)
_GATHER = 0.25  # share of allowed rows up to which those alone are multiplied
_GATHERED_ROWS = 20_000  # copied at once for that
_MOST_PARTS = 8  # later ones of a scan, before they are joined
_LARGE_PART = 0.25  # share of the first part that later ones may reach, before all is read anew

Ranking = list[tuple[str, float]]


class Part:
    """Vectors that are searched together. Never changes: `without` gives another one that shares what is large."""

    def __init__(self, matrix: Matrix, dead: NDArray[np.bool_] | None = None) -> None:
        """`dead` marks the rows that are passed over."""
        self.matrix = matrix
        self._dead = dead
        self._known: tuple[dict[str, int], NDArray[np.int32]] | None = None
        self._last: tuple[frozenset[str], NDArray[np.intp]] | None = None  # papers allowed, and their rows

    def __len__(self) -> int:
        """Rows that are held, the dead ones too."""
        return len(self.matrix.passage_ids)

    def best(self, query: Vectors, k: int, allowed: Collection[str] | None = None) -> Ranking:
        """The `k` best (passage id, cosine), best first, ties by id; `allowed` limits the papers, completely."""
        if k < 1 or not len(self):
            return []
        candidates = self._candidates(allowed)
        if candidates is not None and len(candidates) <= _GATHER * len(self):
            rough = self._gathered(candidates, query)
        else:
            rough = np.asarray(self.matrix.rows @ query)
            if candidates is not None:
                rough = rough[candidates]
        rows = _promising(rough, k)
        rows = rows if candidates is None else candidates[rows]
        products = self.matrix.rows[rows].astype(np.float64) * query.astype(np.float64)
        scores = np.round(products.sum(axis=1), _DECIMALS)
        ids = self.matrix.passage_ids
        return _cut([(ids[row], score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True)], k)

    def without(self, passage_ids: Collection[str], paper_ids: Iterable[str]) -> Part:
        """The same but for these passages, which belong to these papers; unknown ids are fine."""
        codes, of = self._papers()
        named = [codes[paper] for paper in paper_ids if paper in codes]
        if not named:
            return self
        suspects = np.flatnonzero(np.isin(of, named)).tolist()
        gone = [row for row in suspects if self.matrix.passage_ids[row] in passage_ids]
        if not gone:
            return self
        dead = np.zeros(len(self), bool) if self._dead is None else self._dead.copy()
        dead[gone] = True
        changed = Part(self.matrix, dead)
        changed._known = self._known
        return changed

    @property
    def living(self) -> Matrix:
        """What is not passed over."""
        if self._dead is None:
            return self.matrix
        rows = np.flatnonzero(~self._dead)
        ids, papers = self.matrix.passage_ids, self.matrix.paper_ids
        return Matrix(tuple(ids[row] for row in rows), tuple(papers[row] for row in rows), self.matrix.rows[rows])

    def _gathered(self, rows: NDArray[np.intp], query: Vectors) -> Vectors:
        starts = range(0, max(1, len(rows)), _GATHERED_ROWS)
        return np.concatenate([self.matrix.rows[rows[start : start + _GATHERED_ROWS]] @ query for start in starts])

    def _candidates(self, allowed: Collection[str] | None) -> NDArray[np.intp] | None:
        """The rows to look at; None for all."""
        if allowed is None:
            return None if self._dead is None else np.flatnonzero(~self._dead)
        last = self._last
        if last is not None and last[0] == allowed:
            return last[1]
        codes, of = self._papers()
        chosen = np.zeros(len(codes) + 1, bool)
        chosen[np.fromiter(map(codes.get, allowed, repeat(len(codes))), np.intp, len(allowed))] = True
        chosen[-1] = False  # where papers went that have no row here
        rows = chosen[of]
        if self._dead is not None:
            rows &= ~self._dead
        candidates = np.flatnonzero(rows)
        self._last = (frozenset(allowed), candidates)
        return candidates

    def _papers(self) -> tuple[dict[str, int], NDArray[np.int32]]:
        """A number for each paper, and the number of each row's paper; made when first asked for."""
        if self._known is None:
            codes: dict[str, int] = {}
            of = np.fromiter(
                (codes.setdefault(paper, len(codes)) for paper in self.matrix.paper_ids), np.int32, len(self)
            )
            self._known = (codes, of)
        return self._known


def ranked(matrix: Matrix, query: Vectors, k: int, allowed: Collection[str] | None = None) -> Ranking:
    """The `k` best (passage id, cosine), best first, ties by id; `allowed` limits the papers, completely."""
    return Part(matrix).best(query, k, allowed)


class ExactScan:
    """All vectors in memory. After a change only what changed is read. Safe to share between threads."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._loading = threading.Lock()
        self._seen: Change | None = None
        self._parts: tuple[Part, ...] = ()

    def search(self, query: Vectors, k: int, allowed: Collection[str] | None, change: Change) -> Ranking:
        """As `ranked`, over all vectors as of `change` or later."""
        return _cut([hit for part in self.parts(change) for hit in part.best(query, k, allowed)], k)

    def parts(self, change: Change) -> tuple[Part, ...]:
        """All vectors as of `change` or later."""
        with self._loading:
            if self._seen != change:
                if self._seen is None or not self._followed(self._seen):
                    self._parts = ()  # the former ones need not stay in memory beside those that are read
                    self._parts = (Part(self._truth.matrix()),)
                self._seen = change
            return self._parts

    @property
    def loaded(self) -> bool:
        """Whether the vectors are in memory, if perhaps older ones."""
        return self._seen is not None

    def forget(self) -> None:
        """Gives the memory back."""
        with self._loading:
            self._parts, self._seen = (), None

    def _followed(self, seen: Change) -> bool:
        """Whether what changed since `seen` was brought in; else all is to be read anew. What is newer than the change
        that was asked for does no harm: it is brought in again, in place of itself, when that change is asked for."""
        first = len(self._parts[0])
        if not self._truth.knows(seen) or self._truth.newer(seen.number) > _LARGE_PART * first:
            return False
        parts = newer_parts(self._truth, seen, self._parts)
        if len(parts) > _MOST_PARTS:
            parts = (parts[0], Part(_joined([part.living for part in parts[1:]])))
        if sum(map(len, parts[1:])) > _LARGE_PART * first:
            return False
        self._parts = parts
        return True


def newer_parts(truth: Truth, seen: Change, parts: Sequence[Part]) -> tuple[Part, ...]:
    """`parts`, which are of `seen`, without what went away or was replaced since, and a part of what is newer."""
    gone = truth.removed_since(seen.number)
    fresh = truth.matrix(after=seen.number)
    passages, papers = {*gone, *fresh.passage_ids}, {*gone.values(), *fresh.paper_ids}
    kept = tuple(part.without(passages, papers) for part in parts)
    return (*kept, Part(fresh)) if fresh.passage_ids else kept


def _joined(matrices: Sequence[Matrix]) -> Matrix:
    held = [matrix for matrix in matrices if matrix.passage_ids]
    if not held:
        return Matrix()
    ids = tuple(one for matrix in held for one in matrix.passage_ids)
    papers = tuple(one for matrix in held for one in matrix.paper_ids)
    return Matrix(ids, papers, np.concatenate([matrix.rows for matrix in held]))


def _promising(rough: Vectors, k: int) -> NDArray[np.intp]:
    """Places of the values that may be among the `k` best."""
    if len(rough) <= k:
        return np.arange(len(rough))
    return np.flatnonzero(rough >= np.partition(rough, len(rough) - k)[len(rough) - k] - _MARGIN)


def _cut(found: Ranking, k: int) -> Ranking:
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:k]


class Newer:
    """What an index that has reached some change lacks, kept from one search to the next. Safe to share."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._guard = threading.Lock()
        self._known: tuple[Change, Change, Beside] | None = None

    def beside(self, seen: Change, change: Change) -> Beside:
        """What came, and what went, between `seen` and `change` or later."""
        with self._guard:
            if self._known is None or self._known[:2] != (seen, change):
                gone, replaced = self._truth.removed_since(seen.number), self._truth.replaced_since(seen.number)
                fresh = Part(self._truth.matrix(after=seen.number))
                self._known = (seen, change, Beside(fresh, frozenset(gone), replaced))
            return self._known[2]

    def forget(self) -> None:
        with self._guard:
            self._known = None


class Beside:
    """Vectors to search beside an index, and the passages that it should not have any more."""

    def __init__(self, fresh: Part, gone: frozenset[str], replaced: int) -> None:
        """`gone` passages are nowhere any more; of `replaced` ones the vector in `fresh` counts, not the index's."""
        self.fresh = fresh
        self.outdated = len(gone) + replaced  # so many hits of the index may have to be left out
        self._superseded = gone.union(fresh.matrix.passage_ids)

    def joined(self, found: Ranking, query: Vectors, k: int) -> Ranking:
        """The index's own ranking, of `k + outdated`, with what it lacks and without what it should not have."""
        kept = [hit for hit in found if hit[0] not in self._superseded]
        return _cut([*kept, *self.fresh.best(query, k)], k)
