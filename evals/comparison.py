"""Two runs on the same cases: what changed, by how much, how sure, and which cases to look at.

Each metric with a declared margin gets a verdict of non-inferiority: the second run *passes* when its loss is
smaller than the margin with 95 % confidence, *fails* when it is larger with that confidence, and is *inconclusive*
otherwise, with the smallest difference that these cases can show and the number of groups that would decide.
Cases that either run left unscored are not compared; they are counted and named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from assistant.errors import InputError
from evals.metrics import ALL, BY_NAME
from evals.results import CaseResult, Run, VerdictName
from evals.statistics.paired import Difference, difference, holm
from evals.statistics.power import groups_to_decide, minimum_detectable_effect

ALPHA = 0.05
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Change:
    """One metric in both runs. `p` is corrected over the metrics with a margin (Holm); None for the others."""

    metric: str
    better: str
    unit: str
    difference: Difference
    left_out: int  # cases that one run scored and the other did not
    p: float | None
    margin: float | None
    verdict: VerdictName | None
    detectable: float | None  # smallest difference shown with a power of .8
    decides: int | None  # groups that would decide, when inconclusive

    @property
    def gain(self) -> float:
        """The change, positive when better; 0 for metrics of which neither way is better."""
        return self.difference.delta * {"higher": 1.0, "lower": -1.0}.get(self.better, 0.0)

    @property
    def significant(self) -> bool:
        """Whether the change is unlikely to be chance, all metrics considered."""
        return self.p is not None and self.p < ALPHA


@dataclass(frozen=True, slots=True)
class Flip:
    """A case whose outcome differs."""

    case: str
    question: str
    before: str
    after: str
    gain: int  # +1 better, -1 worse, 0 neither


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from run `before` to run `after`."""

    before: str
    after: str
    shared: int
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    changes: tuple[Change, ...]
    flips: tuple[Flip, ...]
    differing_hashes: tuple[str, ...]

    @property
    def verdict(self) -> VerdictName:
        """The worst verdict of the metrics with a margin."""
        found = {change.verdict for change in self.changes}
        return "fail" if "fail" in found else "inconclusive" if "inconclusive" in found else "pass"

    def change(self, metric: str) -> Change:
        """The change of one metric; KeyError when neither run has it."""
        return {change.metric: change for change in self.changes}[metric]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"verdict": self.verdict, **asdict(self)}


def compare(before: Run, after: Run, margins: Mapping[str, float] | None = None, seed: int = 0) -> Comparison:
    """Compares two runs on the cases that they share; by default with the margins of the first run's suite."""
    first = {one.case.id: one for one in before.results}
    second = {one.case.id: one for one in after.results}
    shared = [case for case in first if case in second]
    if not shared:
        raise InputError("the two runs share no case; run both on the same suite and split")
    if changed := [case for case in shared if first[case].case != second[case].case]:
        raise InputError(f"case {changed[0]!r} is not the same in both runs; run both again on one dataset")
    wanted = dict(margins) if margins is not None else _margins(before)
    found = [_change(name, first, second, shared, wanted.get(name), seed) for name in (metric.name for metric in ALL)]
    return Comparison(
        before=f"{before.summary.system} {before.summary.run_id}",
        after=f"{after.summary.system} {after.summary.run_id}",
        shared=len(shared),
        only_before=tuple(case for case in first if case not in second),
        only_after=tuple(case for case in second if case not in first),
        changes=_corrected([change for change in found if change is not None]),
        flips=_flips([(first[case], second[case]) for case in shared]),
        differing_hashes=_differing(before, after),
    )


def _margins(run: Run) -> dict[str, float]:
    from evals.suite import load_suite

    try:
        return dict(load_suite(run.summary.suite).margins)
    except InputError:
        return {}  # a suite of the user's own that is not at hand: report, judge nothing


def _change(
    metric: str,
    first: Mapping[str, CaseResult],
    second: Mapping[str, CaseResult],
    shared: list[str],
    margin: float | None,
    seed: int,
) -> Change | None:
    values = [_values(run, metric, shared) for run in (first, second)]
    definition = BY_NAME[metric]
    groups = {case: first[case].case.group for case in shared}
    found = difference(values[0], values[1], groups, binary=definition.binary, seed=seed)
    if found is None:
        return None
    loss_sign = -1.0 if definition.better == "lower" else 1.0
    verdict = None if margin is None else _verdict(found, loss_sign, margin)
    gap = found.delta * loss_sign + (margin or 0.0)
    return Change(
        metric=metric,
        better=definition.better,
        unit=definition.unit,
        difference=found,
        left_out=len(values[0].keys() ^ values[1].keys()),
        p=None,
        margin=margin,
        verdict=verdict,
        detectable=minimum_detectable_effect(found.spread, found.groups),
        decides=groups_to_decide(found.spread, gap) if verdict == "inconclusive" else None,
    )


def _values(run: Mapping[str, CaseResult], metric: str, shared: list[str]) -> dict[str, float]:
    scores = {case: run[case].scores.get(metric) for case in shared}
    return {case: score.value for case, score in scores.items() if score is not None and score.value is not None}


def _verdict(found: Difference, sign: float, margin: float) -> VerdictName:
    if found.low is None or found.high is None:
        return "inconclusive"
    worst, best = sorted((found.low * sign, found.high * sign))
    return "pass" if worst > -margin or worst == 0.0 else "fail" if best < -margin else "inconclusive"


def _corrected(changes: list[Change]) -> tuple[Change, ...]:
    from dataclasses import replace

    tested = [one for one in changes if one.margin is not None and one.difference.p is not None]
    adjusted = dict(
        zip((one.metric for one in tested), holm([one.difference.p or 0.0 for one in tested]), strict=True)
    )
    return tuple(replace(one, p=adjusted.get(one.metric)) for one in changes)


_RANK = {
    "error": 0,
    "wrong": 1,
    "refused_wrongly": 2,  # a needless refusal misleads nobody
    "right_but_wrongly_cited": 3,
    "right_and_supported": 4,
    "refused_rightly": 4,
}


def _flips(pairs: list[tuple[CaseResult, CaseResult]]) -> tuple[Flip, ...]:
    found = []
    for one, two in pairs:
        if one.outcome == two.outcome:
            continue
        step = _RANK[two.outcome] - _RANK[one.outcome]
        gain = (step > 0) - (step < 0)
        found.append((abs(step), Flip(one.case.id, one.case.question, one.outcome, two.outcome, gain)))
    found.sort(key=lambda pair: (pair[1].gain, -pair[0], pair[1].case))  # losses first, the worst on top
    return tuple(flip for _, flip in found)


def _differing(before: Run, after: Run) -> tuple[str, ...]:
    one, two = before.summary.hashes, after.summary.hashes
    return tuple(sorted(name for name in {*one, *two} if one.get(name) != two.get(name)))
