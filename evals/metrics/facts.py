"""Fact recall: does the answer say what it should?

fact_recall = |required facts of which an alternative occurs in the answer| / |required facts| (string match of short
answers, as exact-match recall in ALCE's ASQA evaluation); all_facts is 1 iff it is 1. Folding and word boundaries:
`evals.matching`. A refusal of an answerable question scores 0. forbidden is 1 iff a forbidden text occurs.
"""

from __future__ import annotations

from evals.cases import Case
from evals.matching import occurs
from evals.scores import Judged, Metric, Score


def missing(judged: Judged) -> tuple[str, ...]:
    """First alternatives of the required facts that the answer does not state."""
    text = judged.response.text if judged.response.status == "answered" else ""
    return tuple(fact[0] for fact in judged.case.facts if not any(occurs(wanted, text) for wanted in fact))


def _has_facts(case: Case) -> bool:
    return case.answerable and bool(case.facts)


def measure_recall(judged: Judged) -> Score | None:
    """Share of required facts stated."""
    absent = missing(judged)
    return Score(1 - len(absent) / len(judged.case.facts), f"missing: {'; '.join(absent[:4])}" if absent else "")


def measure_all(judged: Judged) -> Score | None:
    """1 iff every required fact is stated."""
    return Score(float(not missing(judged)))


def measure_forbidden(judged: Judged) -> Score | None:
    """1 iff an answer states something that the case forbids."""
    if judged.response.status != "answered":
        return Score(0.0)
    found = [text for text in judged.case.forbidden if occurs(text, judged.response.text)]
    return Score(float(bool(found)), f"says: {'; '.join(found[:3])}" if found else "")


METRICS = (
    Metric("fact_recall", "required facts that the answer states", "higher", measure_recall, applies=_has_facts),
    Metric(
        "all_facts", "answers that state every required fact", "higher", measure_all, binary=True, applies=_has_facts
    ),
    Metric(
        "forbidden",
        "answers that state a forbidden fact",
        "lower",
        measure_forbidden,
        binary=True,
        applies=lambda case: bool(case.forbidden),
    ),
)
