"""Logistic regression with an L2 penalty by Newton's method, on standardised features. Small, exact, without scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.checks.calibration import Logistic

_ROUNDS = 60
_CLOSE = 1e-7


def fit(
    rows: Sequence[Mapping[str, float]],
    targets: Sequence[bool],
    weights: Sequence[float],
    names: Sequence[str],
    penalty: float = 3.0,
) -> Logistic:
    """Weights for the features `names`, given in the features' own units."""
    x = np.array([[float(row.get(name, 0.0)) for name in names] for row in rows])
    y, w = np.array(targets, dtype=float), np.array(weights, dtype=float)
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    z = np.hstack([np.ones((len(x), 1)), (x - mean) / scale])
    ridge = penalty * np.eye(z.shape[1])
    ridge[0, 0] = 1e-9
    beta: NDArray[np.float64] = np.zeros(z.shape[1])
    for _ in range(_ROUNDS):
        p = 1.0 / (1.0 + np.exp(-np.clip(z @ beta, -30, 30)))
        gradient = z.T @ (w * (y - p)) - ridge @ beta
        hessian = (z * (w * np.maximum(p * (1 - p), 1e-6))[:, None]).T @ z + ridge
        step = np.linalg.solve(hessian, gradient)
        beta = beta + step
        if float(np.abs(step).max()) < _CLOSE:
            break
    raw = beta[1:] / scale
    return Logistic(float(beta[0] - raw @ mean), {name: float(value) for name, value in zip(names, raw, strict=True)})
