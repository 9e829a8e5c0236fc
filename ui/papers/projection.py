"""Papers as points in the plane and in groups, by their vectors: numpy only, and the same picture every time.

The plane is UMAP's (McInnes, Healy & Melville 2018): nearest neighbours pull each other, chance pairs push apart, from
where the two main directions of the vectors put them. The groups are spherical k-means (Dhillon & Modha 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Points = NDArray[np.float32]

_NEIGHBOURS: Final = 15
_EPOCHS: Final = 250
_PUSHES: Final = 5  # chance pairs for each pull
_A, _B = 1.577, 0.8951  # UMAP's curve for min_dist 0.1
_STEP: Final = 4.0  # furthest that one pull or push moves a point
_SEED: Final = 7
_ROUNDS: Final = 40
_TRIES: Final = 6


def plane(rows: Rows) -> Points:
    """(n, 2) points in [0, 1]² for unit rows (n, d); papers alike are near each other."""
    if len(rows) < 3:
        return np.column_stack([np.linspace(0.4, 0.6, len(rows)), np.full(len(rows), 0.5)]).astype(np.float32)
    start = main_directions(rows)
    return _framed(_settled(start, *_edges(rows)) if len(rows) > 2 * _PUSHES else start)


def main_directions(rows: Rows) -> Points:
    """The two principal components (n, 2)."""
    centred = rows - rows.mean(axis=0)
    _, _, directions = np.linalg.svd(centred.T @ centred, hermitian=True)
    found: Points = centred @ directions[:2].T
    return found


@dataclass(frozen=True, slots=True)
class Groups:
    """`member[i]` is the group of row i; the largest group is 0. `centres` (k, d) are unit directions from `mean` (d,)."""

    member: NDArray[np.intp]
    mean: Rows
    centres: Rows

    def nearest(self, rows: Rows) -> NDArray[np.intp]:
        """The group that each further unit row belongs to."""
        nearest: NDArray[np.intp] = np.argmax(_directions(rows, self.mean) @ self.centres.T, axis=1)
        return nearest


def groups(rows: Rows, k: int) -> Groups:
    """At most `k` groups of unit rows, by their directions from the mean: what all share tells none apart."""
    chance = np.random.default_rng(_SEED)
    mean = rows.mean(axis=0)
    directions = _directions(rows, mean)
    tries = [_k_means(directions, k, chance) for _ in range(_TRIES)]
    _, member, centres = max(tries, key=lambda tried: tried[0])
    order = np.argsort(-np.bincount(member, minlength=len(centres)), kind="stable")
    return Groups(np.argsort(order)[member], mean, centres[order])


def _directions(rows: Rows, mean: Rows) -> Rows:
    centred = rows - mean
    found: Rows = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    return found


def _k_means(rows: Rows, k: int, chance: np.random.Generator) -> tuple[float, NDArray[np.intp], Rows]:
    """(mean likeness to the own centre, member, centres)."""
    centres = _spread_out(rows, k, chance)
    member = np.full(len(rows), -1, np.intp)
    for _ in range(_ROUNDS):
        likeness = rows @ centres.T
        nearest = np.argmax(likeness, axis=1)
        if np.array_equal(nearest, member):
            break
        member = nearest
        sums = np.stack([rows[member == number].sum(axis=0) for number in range(len(centres))])
        sizes = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(sizes > 0, sums / np.maximum(sizes, 1e-9), centres).astype(np.float32)
    return float((rows @ centres.T).max(axis=1).mean()), member, centres


def _spread_out(rows: Rows, k: int, chance: np.random.Generator) -> Rows:
    """k-means++: each further centre is likelier the farther from the others."""
    chosen = [int(chance.integers(len(rows)))]
    far = 1.0 - rows @ rows[chosen[0]]
    while len(chosen) < min(k, len(rows)):
        weights = np.maximum(far, 0.0) ** 2
        total = float(weights.sum())
        chosen.append(int(chance.choice(len(rows), p=weights / total)) if total else int(np.argmax(far)))
        far = np.minimum(far, 1.0 - rows @ rows[chosen[-1]])
    return rows[chosen].copy()


def _edges(rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.intp], Rows]:
    """Who is pulled to whom, and how often: UMAP's fuzzy neighbourhoods, joined."""
    n, k = len(rows), min(_NEIGHBOURS, len(rows) - 1)
    likeness = rows @ rows.T
    np.fill_diagonal(likeness, -2.0)
    near = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
    far = np.maximum(1.0 - np.take_along_axis(likeness, near, axis=1), 0.0)
    beyond = far - far.min(axis=1, keepdims=True)
    width = np.full((n, 1), 1.0)
    low, high = np.full((n, 1), 1e-4), np.full((n, 1), 10.0)
    for _ in range(40):  # so wide that the weights add up to log2(k)
        width = (low + high) / 2
        over = np.exp(-beyond / width).sum(axis=1, keepdims=True) > np.log2(k + 1)
        high, low = np.where(over, width, high), np.where(over, low, width)
    weight = np.zeros((n, n), np.float32)
    np.put_along_axis(weight, near, np.exp(-beyond / width).astype(np.float32), axis=1)
    weight = weight + weight.T - weight * weight.T
    head, tail = np.nonzero(np.triu(weight > 0.02))
    return head, tail, weight[head, tail]


def _settled(start: Points, head: NDArray[np.intp], tail: NDArray[np.intp], often: Rows) -> Points:
    chance = np.random.default_rng(_SEED)
    at = (10.0 * start / max(float(np.abs(start).max()), 1e-9)).astype(np.float32)
    at += chance.normal(0, 1e-3, at.shape).astype(np.float32)
    n = len(at)
    for epoch in range(_EPOCHS):
        rate = 1.0 - epoch / _EPOCHS
        live = chance.random(len(head)) < often / often.max()
        one, other = head[live], tail[live]
        move = np.zeros_like(at)
        gap = at[one] - at[other]
        square = np.maximum((gap**2).sum(axis=1, keepdims=True), 1e-9)
        pull = np.clip((-2 * _A * _B * square ** (_B - 1) / (1 + _A * square**_B)) * gap, -_STEP, _STEP)
        _add(move, one, pull)
        _add(move, other, -pull)
        both = np.concatenate([one, other])
        for _ in range(_PUSHES):
            stranger = chance.integers(n, size=len(both))
            gap = at[both] - at[stranger]
            square = (gap**2).sum(axis=1, keepdims=True)
            push = np.clip((2 * _B / ((0.001 + square) * (1 + _A * square**_B))) * gap, -_STEP, _STEP)
            _add(move, both, push)
        at += rate * np.clip(move, -_STEP, _STEP)
    return at


def _add(move: Points, where: NDArray[np.intp], what: Rows) -> None:
    for axis in (0, 1):
        move[:, axis] += np.bincount(where, weights=what[:, axis], minlength=len(move)).astype(np.float32)


def _framed(points: Points) -> Points:
    """Stretched over [0, 1]²; the few farthest are drawn in, so that they don't press the others together."""
    low, high = np.quantile(points, 0.01, axis=0), np.quantile(points, 0.99, axis=0)
    span = np.maximum(high - low, 1e-6)
    framed: Points = (0.05 + 0.9 * np.clip((points - low) / span, -0.05, 1.05)).astype(np.float32)
    return framed
