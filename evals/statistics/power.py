"""How small a difference a set of cases can show, and how many cases would decide.

Both come from the power of a one-sample t-test on group means (Cohen 1988; `statsmodels.stats.power.TTestPower`), so
the unit that counts is the group, not the case.
"""

from __future__ import annotations

import math
from typing import Any

ALPHA = 0.05
POWER = 0.8
_TINY = 1e-9


def minimum_detectable_effect(spread: float, groups: int, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """The smallest true difference that `groups` groups with standard deviation `spread` show with `power`."""
    from statsmodels.stats.power import TTestPower

    if groups < 2:
        return None
    if spread < _TINY:
        return 0.0
    effect = _scalar(TTestPower().solve_power(nobs=groups, alpha=alpha, power=power, alternative="two-sided"))
    return None if effect is None else effect * spread


def groups_to_decide(spread: float, distance: float, alpha: float = ALPHA, power: float = POWER) -> int | None:
    """How many groups show a true difference of `distance`; None when the distance is nought."""
    from statsmodels.stats.power import TTestPower

    if abs(distance) < _TINY:
        return None
    if spread < _TINY:
        return 2
    effect = abs(distance) / spread
    if effect > 5:  # beyond it the solver has no root above two groups
        return 2
    nobs = _scalar(TTestPower().solve_power(effect_size=effect, alpha=alpha, power=power, alternative="two-sided"))
    return None if nobs is None else max(2, math.ceil(nobs - 1e-4))


def _scalar(solved: Any) -> float | None:
    """The solver's root; it gives an array when its second method found it, and something not finite for none."""
    import numpy as np

    value = float(np.ravel(solved)[0])
    return value if math.isfinite(value) else None
