"""Whether a run reaches what its suite declared: pass, fail, or inconclusive with what would decide."""

from __future__ import annotations

from collections.abc import Sequence

from evals.cases import Case
from evals.metrics import BY_NAME
from evals.results import BoundVerdict, CaseResult, Scored, scored
from evals.statistics.intervals import estimate
from evals.statistics.power import groups_to_decide, minimum_detectable_effect
from evals.suite import Bound

_SHOWN = 10


def judge(bound: Bound, results: Sequence[CaseResult], seed: int = 0) -> BoundVerdict:
    """The verdict on one bound. Unscored cases are taken as the worst: a pass must survive them."""

    def keep(case: Case) -> bool:
        return not bound.kinds or case.kind in bound.kinds

    found = scored(results, bound.metric, keep)
    total = len(found.values) + len(found.unscored)
    if not found.values:
        return BoundVerdict(str(bound), bound.metric, "inconclusive", None, f"no case scored ({total} unscored)")
    mean = sum(found.values) / len(found.values)
    failing = _failing(bound, found)
    if bound.rule == "every":
        short = sum(not bound.holds(value) for value in found.values)
        if short:
            return BoundVerdict(
                str(bound), bound.metric, "fail", mean, f"{short} of {total} cases fall short", failing
            )
    elif bound.rule == "point":
        if not bound.holds(mean):
            return BoundVerdict(
                str(bound), bound.metric, "fail", mean, f"{mean:.3f} over {len(found.values)} cases", failing
            )
    else:
        verdict = _by_interval(bound, found, mean, failing, seed)
        if verdict.verdict != "pass":
            return verdict
    if len(found.unscored) > bound.unscored * total:
        why = f"{len(found.unscored)} of {total} cases unscored"
        return BoundVerdict(str(bound), bound.metric, "inconclusive", mean, why, found.unscored[:_SHOWN])
    return BoundVerdict(str(bound), bound.metric, "pass", mean, f"{mean:.3f} over {len(found.values)} cases", failing)


def _by_interval(bound: Bound, found: Scored, mean: float, failing: tuple[str, ...], seed: int) -> BoundVerdict:
    metric = BY_NAME[bound.metric]
    interval = estimate(found.values, found.groups, unit=metric.unit, binary=metric.binary, seed=seed)
    if interval is None or interval.low is None or interval.high is None:
        return BoundVerdict(str(bound), bound.metric, "inconclusive", mean, "one group gives no interval", failing)
    low, high = interval.low, interval.high
    shown = f"{mean:.3f} [{low:.3f}, {high:.3f}], n = {interval.n} in {interval.groups} groups"
    if bound.holds(low) and bound.holds(high):
        return BoundVerdict(str(bound), bound.metric, "pass", mean, shown, failing)
    if not bound.holds(low) and not bound.holds(high):
        return BoundVerdict(str(bound), bound.metric, "fail", mean, shown, failing)
    spread = (interval.error or 0.0) * interval.groups**0.5
    detectable = minimum_detectable_effect(spread, interval.groups)
    needed = groups_to_decide(spread, mean - bound.limit)
    why = shown
    if detectable is not None:
        why += f"; shows differences of {detectable:.3f} or more"
    if needed is not None:
        why += f"; about {needed} groups would decide"
    return BoundVerdict(str(bound), bound.metric, "inconclusive", mean, why, failing)


def _failing(bound: Bound, found: Scored) -> tuple[str, ...]:
    """Ids of the cases furthest on the wrong side, worst first."""
    wrong = [(value, case) for value, case in zip(found.values, found.ids, strict=True) if not bound.holds(value)]
    wrong.sort(key=lambda pair: pair[0], reverse=bound.at_most is not None)
    return tuple(case for _, case in wrong[:_SHOWN])
