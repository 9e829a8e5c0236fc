"""Fusion: merging several rankings of the same things into one. Pure functions over ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

RRF_K = 60  # Cormack, Clarke and Büttcher 2009, "Reciprocal rank fusion outperforms Condorcet…"


def reciprocal_rank(rankings: Iterable[Sequence[str]], k: int = RRF_K) -> list[tuple[str, float]]:
    """Reciprocal rank fusion: an id scores the sum of `1 / (k + rank)` over the rankings that hold it.

    `rankings` are ids best first; of a repeated id the first place counts. Best first, ties by id; the order of the
    rankings does not matter.
    """
    places: dict[str, list[int]] = {}
    for ranking in rankings:
        for rank, item in enumerate(dict.fromkeys(ranking), start=1):
            places.setdefault(item, []).append(rank)
    # Sorted before summing: floating-point addition is not associative, and a tie must stay a tie.
    return _ordered({item: sum(1.0 / (k + rank) for rank in sorted(ranks)) for item, ranks in places.items()})


def normalised_score(runs: Iterable[Mapping[str, float]]) -> list[tuple[str, float]]:
    """Mean of each run's scores scaled to [0, 1] by its least and greatest; an id that a run lacks scores 0 in it.

    A run whose scores are all equal gives 1 to each of its ids. Best first, ties by id.
    """
    scaled = [_scaled(run) for run in runs if run]
    items = {item for run in scaled for item in run}
    return _ordered({item: sum(sorted(run.get(item, 0.0) for run in scaled)) / len(scaled) for item in items})


def best_by(scores: Iterable[tuple[str, float]], group: Mapping[str, str]) -> dict[str, float]:
    """The best score of each group, e.g. of each paper by its passages; in order of first appearance."""
    best: dict[str, float] = {}
    for item, score in scores:
        key = group[item]
        best[key] = max(score, best.get(key, score))
    return best


def _scaled(run: Mapping[str, float]) -> dict[str, float]:
    low, high = min(run.values()), max(run.values())
    return {item: (score - low) / (high - low) if high > low else 1.0 for item, score in run.items()}


def _ordered(scores: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
