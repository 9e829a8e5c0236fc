"""Exact search by cosine over the vectors of the truth: the answer for small libraries and the oracle for large ones."""

from __future__ import annotations

import threading
from collections.abc import Collection

import numpy as np

from assistant.embedding.vectors import Vectors
from assistant.storage.truth import Change, Matrix, Truth

# Products of differently shaped matrices differ in the last bits; beyond this many decimals scores count as equal.
_DECIMALS = 6


def ranked(matrix: Matrix, query: Vectors, k: int, allowed: Collection[str] | None = None) -> list[tuple[str, float]]:
    """The `k` best (passage id, cosine), best first, ties by id; `allowed` limits the papers, completely."""
    if k < 1 or not matrix.passage_ids:
        return []
    scores = np.round((matrix.rows @ query).astype(np.float64), _DECIMALS)
    candidates = np.arange(len(scores))
    if allowed is not None:
        candidates = np.flatnonzero(np.fromiter((paper in allowed for paper in matrix.paper_ids), bool, len(scores)))
    if len(candidates) > k:
        # Everything that ties with the k-th score stays in, so that the cut is made by id.
        worst = np.partition(scores[candidates], len(candidates) - k)[len(candidates) - k]
        candidates = candidates[scores[candidates] >= worst]
    found = [(matrix.passage_ids[index], float(scores[index])) for index in candidates]
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:k]


class ExactScan:
    """The whole matrix in memory, read again when the library has changed. Safe to share between threads."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._loading = threading.Lock()
        self._seen: Change | None = None
        self._matrix = Matrix()

    def search(
        self, query: Vectors, k: int, allowed: Collection[str] | None, change: Change
    ) -> list[tuple[str, float]]:
        return ranked(self.matrix(change), query, k, allowed)

    def matrix(self, change: Change) -> Matrix:
        """All vectors as of `change` or later."""
        with self._loading:
            if self._seen != change:
                self._matrix, self._seen = self._truth.matrix(), change
            return self._matrix

    @property
    def loaded(self) -> bool:
        """Whether the matrix is in memory, if perhaps an older one."""
        return self._seen is not None

    def forget(self) -> None:
        """Gives the memory back."""
        with self._loading:
            self._matrix, self._seen = Matrix(), None
