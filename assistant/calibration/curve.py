"""Risk against coverage of the refusal decision, its area, and intervals that know that questions share papers.

At coverage k/n the risk is the share of the k surest questions that the library doesn't answer; AURC is its mean over k
(Geifman & El-Yaniv 2017). Questions of equal confidence each get the expected risk of a random order among them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 400
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `n`, with Wilson's 95 % interval (1927)."""

    count: int
    n: int
    low: float
    high: float

    @classmethod
    def of(cls, count: int, n: int) -> Share:
        if n == 0:
            return cls(0, 0, 0.0, 1.0)
        p, z2 = count / n, _Z * _Z
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        reach = _Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return cls(count, n, max(0.0, middle - reach), min(1.0, middle + reach))

    @property
    def value(self) -> float:
        return self.count / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Curve:
    """`risk[i]` at `coverage[i]`, rising to 1; `low` and `high` bound the area by a bootstrap over papers."""

    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    aurc: float
    low: float
    high: float
    best: float  # the least area that any order could have


def risk_coverage(confidence: Sequence[float], wrong: Sequence[bool], groups: Sequence[str], seed: int = 0) -> Curve:
    """The curve of questions with these confidences; `wrong` are those that should be refused. Needs one question."""
    scores, losses = np.asarray(confidence, dtype=float), np.asarray(wrong, dtype=float)
    risk = risks(scores, losses)
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]
    generator = np.random.default_rng(seed)
    areas = []
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([members[i] for i in generator.integers(0, len(members), len(members))])
        areas.append(float(risks(scores[drawn], losses[drawn]).mean()))
    low, high = np.quantile(areas, [0.025, 0.975])
    coverage = np.arange(1, len(risk) + 1) / len(risk)
    best = float(risks(-losses, losses).mean())
    return Curve(tuple(coverage.tolist()), tuple(risk.tolist()), float(risk.mean()), float(low), float(high), best)


def risks(scores: NDArray[np.float64], losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean loss of the k surest, for every k; `losses` in [0, 1], one a score."""
    _, tied, sizes = np.unique(-scores, return_inverse=True, return_counts=True)
    means = np.bincount(tied, weights=losses) / sizes
    shared: NDArray[np.float64] = np.repeat(means, sizes)
    found: NDArray[np.float64] = np.cumsum(shared) / np.arange(1, len(losses) + 1)
    return found


def text_plot(curve: Curve, coverage: float, width: int = 60, height: int = 10) -> str:
    """The curve in characters: coverage to the right, risk upwards, the axis marked at the threshold's `coverage`."""
    top = max(0.1, max(curve.risk))
    grid = [[" "] * width for _ in range(height)]
    for column in range(width):
        index = min(len(curve.risk) - 1, int((column + 0.5) / width * len(curve.risk)))
        grid[height - 1 - min(height - 1, int(curve.risk[index] / top * height))][column] = "•"
    lines = [
        f"{f'{top * (height - row) / height:.0%}' if row % 2 == 0 else '':>5} │{''.join(cells)}".rstrip()
        for row, cells in enumerate(grid)
    ]
    axis = ["─"] * width
    axis[min(width - 1, int(coverage * width))] = "┴"
    below = f"0%{'coverage':^{width - 6}}100%"
    return "\n".join([*lines, "      └" + "".join(axis), "       " + below])


def svg(curve: Curve, coverage: float) -> str:
    """The curve as a small SVG picture, with a line where the threshold cuts it."""
    wide, high, edge = 480, 300, 48
    top = max(0.1, max(curve.risk))

    def x(value: float) -> float:
        return edge + value * (wide - 2 * edge)

    def y(value: float) -> float:
        return high - edge - value / top * (high - 2 * edge)

    points = " ".join(f"{x(c):.1f},{y(r):.1f}" for c, r in zip(curve.coverage, curve.risk, strict=True))
    across = "".join(
        f'<text x="{x(part):.1f}" y="{high - edge + 15}" text-anchor="middle">{part:.0%}</text>' for part in _TICKS
    )
    up = "".join(
        f'<path d="M{edge} {y(part * top):.1f}H{wide - edge}" stroke="#ddd"/>'
        f'<text x="{edge - 6}" y="{y(part * top) + 4:.1f}" text-anchor="end">{part * top:.0%}</text>'
        for part in _TICKS
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="11">'
        f'<rect width="{wide}" height="{high}" fill="white"/>{up}{across}'
        f'<path d="M{edge} {edge}V{high - edge}H{wide - edge}" fill="none" stroke="#444"/>'
        f'<path d="M{x(coverage):.1f} {edge}V{high - edge}" stroke="#c2410c" stroke-dasharray="4 3"/>'
        f'<text x="{x(coverage):.1f}" y="{edge - 6}" text-anchor="middle" fill="#c2410c">threshold</text>'
        f'<polyline points="{points}" fill="none" stroke="#1f6feb" stroke-width="2"/>'
        f'<text x="{wide / 2}" y="{high - 12}" text-anchor="middle">share of made questions answered, surest first</text>'
        f'<text x="{edge}" y="18">share of those that have no answer here · area under the curve {curve.aurc:.3f}, '
        f"at best {curve.best:.3f}</text></svg>\n"
    )
