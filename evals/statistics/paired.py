"""Two systems on the same cases: how large is the difference, and could it be chance?

The unit is the group: each group's values are averaged for both systems, so that ten questions on one paper are one
piece of evidence. Interval: bootstrap over groups of the difference of means (BCa). Test: for 0/1 metrics of single cases
McNemar's exact test (1947); for all others a sign-flip permutation test of group differences, which is McNemar's test
where each group is one case (`scipy.stats.permutation_test`, exact where the groups are few). Holm (1979) corrects over the metrics of a comparison.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evals.statistics.intervals import LEVEL, RESAMPLES

Test = Literal["McNemar, exact", "permutation of groups", "none"]
_PERMUTATIONS = 9999


@dataclass(frozen=True, slots=True)
class Difference:
    """`after` less `before`, on the same `n` cases in `groups` groups. `spread` is the deviation of group differences."""

    before: float
    after: float
    low: float | None
    high: float | None
    p: float | None
    test: Test
    n: int
    groups: int
    spread: float

    @property
    def delta(self) -> float:
        """How much the mean rose."""
        return self.after - self.before


def difference(
    before: Mapping[str, float],
    after: Mapping[str, float],
    group_of: Mapping[str, str],
    *,
    binary: bool,
    seed: int = 0,
) -> Difference | None:
    """Compares values by case id on the cases that both have; None when they share none."""
    shared = [case for case in before if case in after]
    if not shared:
        return None
    by_group: dict[str, list[str]] = defaultdict(list)
    for case in shared:
        by_group[group_of[case]].append(case)
    first = np.array([math.fsum(before[case] for case in cases) for cases in by_group.values()])
    second = np.array([math.fsum(after[case] for case in cases) for cases in by_group.values()])
    sizes = np.array([float(len(cases)) for cases in by_group.values()])
    deltas = (second - first) / sizes
    spread = float(np.std(deltas, ddof=1)) if len(deltas) > 1 else 0.0
    low, high = _interval(first, second, sizes, seed)
    test, p = _test(first, second, sizes, binary, seed)
    total = float(sizes.sum())
    return Difference(
        float(first.sum()) / total, float(second.sum()) / total, low, high, p, test, len(shared), len(sizes), spread
    )


def _interval(
    first: NDArray[np.float64], second: NDArray[np.float64], sizes: NDArray[np.float64], seed: int
) -> tuple[float | None, float | None]:
    from warnings import catch_warnings, simplefilter

    from scipy.stats import bootstrap

    if len(sizes) < 2:
        return None, None
    deltas = (second - first) / sizes
    if float(deltas.min()) == float(deltas.max()):
        return float(deltas[0]), float(deltas[0])

    def mean(one: NDArray[np.float64], two: NDArray[np.float64], many: NDArray[np.float64], axis: int = -1) -> object:
        return (np.sum(two, axis=axis) - np.sum(one, axis=axis)) / np.sum(many, axis=axis)

    for method in ("BCa", "percentile"):
        with catch_warnings():
            simplefilter("ignore")
            found = bootstrap(
                (first, second, sizes),
                mean,
                paired=True,
                vectorized=True,
                n_resamples=RESAMPLES,
                confidence_level=LEVEL,
                method=method,
                rng=np.random.default_rng(seed),
            ).confidence_interval
        if math.isfinite(found.low) and math.isfinite(found.high):
            return float(found.low), float(found.high)
    return None, None


def _test(
    first: NDArray[np.float64], second: NDArray[np.float64], sizes: NDArray[np.float64], binary: bool, seed: int
) -> tuple[Test, float | None]:
    if len(sizes) < 2:
        return "none", None
    if binary and float(sizes.max()) == 1.0:
        return "McNemar, exact", _mcnemar(first == 1.0, second == 1.0)
    if np.array_equal(first, second):
        return "permutation of groups", 1.0
    return "permutation of groups", _permutation(first, second, sizes, seed)


def _mcnemar(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float:
    from statsmodels.stats.contingency_tables import mcnemar

    table = [
        [int((before & after).sum()), int((before & ~after).sum())],
        [int((~before & after).sum()), int((~before & ~after).sum())],
    ]
    if table[0][1] + table[1][0] == 0:
        return 1.0  # no discordant pair: no evidence of any change
    return float(mcnemar(table, exact=True).pvalue)


def _permutation(
    first: NDArray[np.float64], second: NDArray[np.float64], sizes: NDArray[np.float64], seed: int
) -> float:
    from scipy.stats import permutation_test

    weight = float(sizes.sum())

    def delta(one: NDArray[np.float64], two: NDArray[np.float64], axis: int = -1) -> object:
        return (np.sum(two, axis=axis) - np.sum(one, axis=axis)) / weight

    found = permutation_test(
        (first, second),
        delta,
        permutation_type="samples",
        vectorized=True,
        n_resamples=_PERMUTATIONS,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p values, in order."""
    from statsmodels.stats.multitest import multipletests

    return tuple(float(p) for p in multipletests(list(p_values), method="holm")[1]) if p_values else ()
