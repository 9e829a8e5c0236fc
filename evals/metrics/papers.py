"""Cited papers: is the right paper cited first, and is the list of papers complete and clean?

first_paper = 1 iff the first cited paper is the first expected one; for a list any expected one may come first.
paper_precision = |cited ∩ expected| / |cited|, paper_recall = |cited ∩ expected| / |expected| over distinct papers
(precision is 0 for an answer that cites nothing). A refusal of an answerable question scores 0.
"""

from __future__ import annotations

from evals.cases import Case
from evals.scores import Judged, Metric, Score

_ANY_ORDER = frozenset({"list", "comparison"})


def _has_papers(case: Case) -> bool:
    return case.answerable and bool(case.papers)


def _has_several(case: Case) -> bool:
    return _has_papers(case) and (len(case.papers) > 1 or case.kind == "list")


def measure_first(judged: Judged) -> Score | None:
    """1 iff the first citation names the paper to name first."""
    cited, wanted = judged.cited_ids, judged.wanted_ids
    right = wanted if judged.case.kind in _ANY_ORDER else wanted[:1]
    if not cited:
        return Score(0.0, "refused" if judged.response.status == "abstained" else "cites nothing")
    paper = judged.corpus.by_id(cited[0])
    return Score(
        float(cited[0] in right), "" if cited[0] in right else f"cites {paper.title if paper else cited[0]!r}"
    )


def measure_precision(judged: Judged) -> Score | None:
    """Share of cited papers that are expected."""
    cited = set(judged.cited_ids)
    return Score(len(cited & set(judged.wanted_ids)) / len(cited) if cited else 0.0)


def measure_recall(judged: Judged) -> Score | None:
    """Share of expected papers that are cited."""
    wanted = set(judged.wanted_ids)
    return Score(len(set(judged.cited_ids) & wanted) / len(wanted))


METRICS = (
    Metric(
        "first_paper", "the right paper is cited first", "higher", measure_first, binary=True, applies=_has_papers
    ),
    Metric(
        "paper_precision",
        "cited papers that are expected (several expected)",
        "higher",
        measure_precision,
        applies=_has_several,
    ),
    Metric(
        "paper_recall",
        "expected papers that are cited (several expected)",
        "higher",
        measure_recall,
        applies=_has_several,
    ),
)
