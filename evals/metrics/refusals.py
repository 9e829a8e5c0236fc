"""Refusals: does the system decline exactly where it should, and for the right reason?

refusal_recall = 1 iff an unanswerable case was refused (its mean is the refusal rate); refusal_reason = 1 iff the
reason of a rightly refused case is the case's (does not apply to answers or to cases that name no reason; unscored for a
system that gives no reasons); false_refusal = 1 iff an answerable case was refused. Read the two rates together: each
is trivially perfect alone.
"""

from __future__ import annotations

from evals.cases import Case
from evals.scores import Judged, Metric, Score


def _unanswerable(case: Case) -> bool:
    return not case.answerable


def measure_recall(judged: Judged) -> Score | None:
    """1 iff refused."""
    refused = judged.response.status == "abstained"
    return Score(float(refused), "" if refused else f"answered: {judged.response.text[:120]}")


def measure_reason(judged: Judged) -> Score | None:
    """1 iff refused for the right reason."""
    if judged.response.status != "abstained" or judged.case.reason is None:
        return None
    if judged.response.reason is None:
        return Score.unscored("the system gives no reasons")
    right = judged.response.reason == judged.case.reason
    return Score(float(right), "" if right else f"{judged.response.reason}, not {judged.case.reason}")


def measure_false(judged: Judged) -> Score | None:
    """1 iff an answerable case was refused."""
    refused = judged.response.status == "abstained"
    return Score(float(refused), judged.response.reason or "" if refused else "")


METRICS = (
    Metric(
        "refusal_recall",
        "unanswerable questions refused",
        "higher",
        measure_recall,
        binary=True,
        applies=_unanswerable,
    ),
    Metric(
        "refusal_reason",
        "refusals with the right reason",
        "higher",
        measure_reason,
        binary=True,
        applies=_unanswerable,
    ),
    Metric(
        "false_refusal",
        "answerable questions refused",
        "lower",
        measure_false,
        binary=True,
        applies=lambda case: case.answerable,
    ),
)
