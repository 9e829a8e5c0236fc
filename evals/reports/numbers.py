"""How reports write numbers: a share as .934, an interval in brackets, a missing value as a dash."""

from __future__ import annotations

from evals.results import MetricSummary
from evals.statistics.intervals import Estimate

DASH = "–"


def value(number: float | None, unit: str = "share") -> str:
    """One value in its unit."""
    if number is None:
        return DASH
    if unit == "share":
        return f"{number:.3f}"
    return f"{number:.3g}" if abs(number) < 100 else f"{number:.0f}"


def interval(estimate: Estimate | None, unit: str = "share") -> str:
    """The 95 % interval of an estimate."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return DASH
    return f"[{value(estimate.low, unit)}, {value(estimate.high, unit)}]"


def count(metric: MetricSummary) -> str:
    """Scored cases, with the unscored ones when there are any."""
    return f"{metric.scored}" if not metric.unscored else f"{metric.scored} (+{metric.unscored} unscored)"


def arrow(better: str) -> str:
    """Which way is better."""
    return {"higher": "↑", "lower": "↓"}.get(better, "")
