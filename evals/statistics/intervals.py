"""Means with intervals that know their cases are clustered.

Cases of one group (a conversation, several questions on one paper) are not independent; an interval that takes them so
is too narrow. The standard error is cluster-robust (Liang & Zeger 1986; for evals: Miller 2024, "Adding Error Bars to
Evals"). Shares of 0/1 outcomes get Wilson's interval (1927) at the effective sample size p(1−p)/se²; other values get
a BCa bootstrap over groups (Efron 1987). A share that is the same for every case has no spread to estimate from: Wilson
over the number of groups then says what was not yet seen.
"""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 2000
Method = Literal["wilson", "wilson over groups", "bootstrap over groups", "none"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` values in `groups` groups; `low`, `high` None when one group gives nothing to go by."""

    mean: float
    low: float | None
    high: float | None
    n: int
    groups: int
    error: float | None  # cluster-robust standard error of the mean
    method: Method

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def wilson(successes: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval; `n` may be an effective, fractional size."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    return (0.0 if successes <= 0 else float(low)), (1.0 if successes >= n else float(high))  # no rounding dust


def clustered_error(values: Sequence[float], groups: Sequence[str]) -> float | None:
    """Cluster-robust standard error of the mean; None with fewer than two groups."""
    from statsmodels.regression.linear_model import OLS

    codes = _codes(groups)
    count = int(codes.max()) + 1 if len(codes) else 0
    if count < 2:
        return None
    clustered = count < len(values)
    model = OLS(np.asarray(values, dtype=float), np.ones(len(values)))
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": codes, "use_correction": clustered})
    return float(fit.bse[0])


def estimate(
    values: Sequence[float], groups: Sequence[str], *, unit: str = "share", binary: bool = False, seed: int = 0
) -> Estimate | None:
    """The mean of `values`, each of the group beside it, with its interval; None without values."""
    if not values:
        return None
    mean, count = float(np.mean(values)), len(set(groups))
    if min(values) == max(values):
        if unit != "share":
            return Estimate(mean, None, None, len(values), count, None, "none")
        low, high = wilson(mean * count, count)
        return Estimate(mean, low, high, len(values), count, 0.0, "wilson over groups")
    error = clustered_error(values, groups)
    if error is None:
        return Estimate(mean, None, None, len(values), count, None, "none")
    if binary:
        size = len(values) if error == 0 else min(len(values), mean * (1 - mean) / error**2)
        low, high = wilson(mean * size, size)
        return Estimate(mean, low, high, len(values), count, error, "wilson")
    low, high = bootstrap_mean(values, groups, seed=seed)
    return Estimate(mean, low, high, len(values), count, error, "bootstrap over groups")


def group_sums(values: Sequence[float], groups: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and number of the values of each group, groups in order of first appearance."""
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for value, group in zip(values, groups, strict=True):
        sums[group] += value
        counts[group] += 1
    return np.array(list(sums.values())), np.array([float(counts[group]) for group in sums])


def bootstrap_mean(
    values: Sequence[float], groups: Sequence[str], *, seed: int = 0, level: float = LEVEL
) -> tuple[float, float]:
    """BCa interval of the mean when whole groups are resampled; needs two groups."""
    from scipy.stats import bootstrap

    data = group_sums(values, groups)
    for method in ("BCa", "percentile"):  # BCa has no answer for some tiny, lopsided samples
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = bootstrap(
                data,
                _ratio,
                paired=True,
                vectorized=True,
                n_resamples=RESAMPLES,
                confidence_level=level,
                method=method,
                rng=np.random.default_rng(seed),
            ).confidence_interval
        if math.isfinite(found.low) and math.isfinite(found.high):
            break
    return float(found.low), float(found.high)


def _ratio(sums: NDArray[np.float64], counts: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.sum(sums, axis=axis) / np.sum(counts, axis=axis)
    return result


def _codes(groups: Sequence[str]) -> NDArray[np.int64]:
    order = {group: code for code, group in enumerate(dict.fromkeys(groups))}
    return np.array([order[group] for group in groups], dtype=np.int64)
