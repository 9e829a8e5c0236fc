"""Risk-coverage and reliability: does a system know when it is wrong?

Answers are sorted by confidence; at coverage k/n the risk is the mean loss of the k most confident (El-Yaniv & Wiener
2010; Geifman & El-Yaniv 2017, "Selective Classification for Deep Neural Networks"). Answers of equal confidence cannot
be told apart, so each of them gets the expected risk of a random order among them. AURC is the mean risk over the n
coverages; `excess` is AURC less that of the best order (E-AURC, Geifman, Uziel & El-Yaniv 2019). n counts all cases:
a refusal is not covered, so a curve ends at the share of cases answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from assistant.calibration.curve import risks


@dataclass(frozen=True, slots=True)
class Curve:
    """Risk at each coverage, with its mean (`aurc`), and what the best and a random order would give."""

    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    aurc: float
    best: float
    excess: float
    answered: int
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram: mean confidence against the share that was right."""

    low: float
    high: float
    confidence: float
    accuracy: float
    n: int


def risk_coverage(confidences: Sequence[float], losses: Sequence[float], n: int | None = None) -> Curve | None:
    """The curve of answers with these confidences and losses (in [0, 1]) among `n` cases; None without answers."""
    if not confidences:
        return None
    total = len(confidences) if n is None else n
    scores, lost = np.asarray(confidences, dtype=float), np.asarray(losses, dtype=float)
    found, best = risks(scores, lost), risks(-lost, lost)
    coverage = tuple((rank + 1) / total for rank in range(len(found)))
    aurc, least = float(found.mean()), float(best.mean())
    return Curve(coverage, tuple(found.tolist()), aurc, least, aurc - least, len(found), total)


def reliability(
    confidences: Sequence[float], right: Sequence[float], bins: int = 10
) -> tuple[tuple[Bin, ...], float | None]:
    """Reliability diagram of equal-width bins, and the expected calibration error (Naeini et al. 2015)."""
    if not confidences:
        return (), None
    held: list[list[tuple[float, float]]] = [[] for _ in range(bins)]
    for confidence, correct in zip(confidences, right, strict=True):
        held[min(bins - 1, max(0, int(confidence * bins)))].append((confidence, correct))
    found = tuple(
        Bin(
            low=index / bins,
            high=(index + 1) / bins,
            confidence=sum(confidence for confidence, _ in pairs) / len(pairs),
            accuracy=sum(correct for _, correct in pairs) / len(pairs),
            n=len(pairs),
        )
        for index, pairs in enumerate(held)
        if pairs
    )
    error = sum(one.n * abs(one.confidence - one.accuracy) for one in found) / len(confidences)
    return found, error
