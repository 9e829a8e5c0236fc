"""Outcome and process side by side: a right answer for wrong reasons is a false positive, and counts as one.

Each case ends in one outcome:
  right_and_supported    right, and every sentence is carried by what it cites
  right_but_wrongly_cited  right facts, but a sentence is not carried, a citation is invalid, or no expected paper
                         is cited
  wrong                  an answer without all required facts, with a forbidden one, or to an unanswerable question
  refused_rightly, refused_wrongly, error; retrieved where the ranking alone is judged
An answer is right when it states every required fact and no forbidden one; where the case has no facts, when it cites
an expected paper (such a case can't be right but wrongly cited by its papers).
process = share of sentences carried by their citations, on the same answers; the two disagree, so both are printed
(cf. "Examining False Positives under Inference Scaling for Mathematical Reasoning", Wang et al. 2025: answers
checked by their outcome alone hide wrong derivations).
"""

from __future__ import annotations

from typing import Literal, get_args

from evals.cases import Case
from evals.metrics import citation_support, facts
from evals.metrics.citation_validity import fault
from evals.scores import Judged, Metric, Score

Outcome = Literal[
    "right_and_supported",
    "right_but_wrongly_cited",
    "wrong",
    "refused_rightly",
    "refused_wrongly",
    "error",
    "retrieved",
]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def outcome(judged: Judged) -> Outcome:
    """The one outcome of a case."""
    case, response = judged.case, judged.response
    if response.status == "error":
        return "error"
    if case.judge == "retrieval":
        return "retrieved"
    if response.status == "abstained":
        return "refused_wrongly" if case.answerable else "refused_rightly"
    if not case.answerable or not is_right(judged):
        return "wrong"
    return "right_and_supported" if well_cited(judged) else "right_but_wrongly_cited"


def is_right(judged: Judged) -> bool:
    """Whether an answer says what it should, whatever it cites."""
    forbidden = facts.measure_forbidden(judged)
    if forbidden is not None and forbidden.value:
        return False
    if judged.case.facts:
        return not facts.missing(judged)
    return not judged.case.papers or bool(set(judged.cited_ids) & set(judged.wanted_ids))


def well_cited(judged: Judged) -> bool:
    """Whether every sentence is carried, every citation valid and an expected paper among the cited."""
    sentences = citation_support.sentences(judged)
    citations = [cited for said in sentences for cited in said.citations]
    if not citations or any(fault(judged, cited) for cited in citations):
        return False
    if judged.case.papers and not set(judged.cited_ids) & set(judged.wanted_ids):
        return False
    return all(citation_support.support(judged, said).carried is True for said in sentences)


def _answerable(case: Case) -> bool:
    return case.answerable


def _judgeable(case: Case) -> bool:
    return not case.answerable or bool(case.facts or case.papers)


def measure_correct(judged: Judged) -> Score | None:
    """1 iff right and supported, or rightly refused."""
    found = outcome(judged)
    return Score(float(found in ("right_and_supported", "refused_rightly")), found)


def measure_false_positive(judged: Judged) -> Score | None:
    """1 iff the answer is right but wrongly cited; among right answers only."""
    found = outcome(judged)
    if found not in ("right_and_supported", "right_but_wrongly_cited"):
        return None
    return Score(float(found == "right_but_wrongly_cited"))


def measure_outcome(judged: Judged) -> Score | None:
    """1 iff the answer is right, whatever it cites."""
    return Score(float(judged.response.status == "answered" and is_right(judged)))


METRICS = (
    Metric(
        "correct",
        "cases that end well: right and supported, or rightly refused",
        "higher",
        measure_correct,
        binary=True,
        applies=_judgeable,
    ),
    Metric(
        "outcome_right",
        "answerable questions answered rightly, whatever is cited",
        "higher",
        measure_outcome,
        binary=True,
        applies=_answerable,
    ),
    Metric(
        "right_but_wrongly_cited",
        "right answers that their citations do not carry",
        "lower",
        measure_false_positive,
        binary=True,
        applies=_answerable,
    ),
)
