"""Retrieval: is the expected paper among what retrieval showed, and how high?

Recall@k = |expected ∩ top k| / |expected|.
nDCG@k = DCG@k / IDCG@k, DCG@k = Σ_{i≤k} rel_i / log2(i + 1) (Järvelin & Kekäläinen 2002, "Cumulated gain-based
evaluation of IR techniques"; the linear gain of trec_eval's ndcg_cut). The gain of an expected paper is 1.
MRR = 1 / rank of the first expected paper, 0 when none was shown (Voorhees 1999, TREC-8 QA); systems show ten.

Checked against ir-measures (pytrec_eval) in tests/test_metrics_retrieval.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from evals.cases import Case
from evals.scores import Judged, Metric, Score


def recall_at(k: int, ranking: Sequence[str], grades: Mapping[str, float]) -> float:
    """Share of the relevant ids (grade > 0) among the first `k`; `grades` must hold one."""
    relevant = {paper_id for paper_id, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:k])) / len(relevant)


def ndcg_at(k: int, ranking: Sequence[str], grades: Mapping[str, float]) -> float:
    """Normalised discounted cumulative gain of the first `k`, in [0, 1]."""
    gains = [max(grades.get(paper_id, 0.0), 0.0) for paper_id in ranking[:k]]
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    return _dcg(gains) / _dcg(ideal)


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, float]) -> float:
    """1 / rank of the first relevant id, 0 when there is none."""
    for rank, paper_id in enumerate(ranking, start=1):
        if grades.get(paper_id, 0.0) > 0:
            return 1 / rank
    return 0.0


def grades_of(judged: Judged) -> dict[str, float]:
    """Relevance by paper id: 1 for each expected paper."""
    return dict.fromkeys(judged.wanted_ids, 1.0)


def _applies(case: Case) -> bool:
    return case.answerable and bool(case.papers)


def _scored(formula: Callable[[Sequence[str], Mapping[str, float]], float]) -> Callable[[Judged], Score | None]:
    def measure(judged: Judged) -> Score | None:
        if judged.response.ranking is None:
            return Score.unscored("the system shows no ranking")
        return Score(formula(judged.response.ranking, grades_of(judged)))

    return measure


METRICS = (
    Metric(
        "recall_at_10",
        "expected papers among the ten retrieved first",
        "higher",
        _scored(lambda ranking, grades: recall_at(10, ranking, grades)),
        applies=_applies,
    ),
    Metric(
        "ndcg_at_10",
        "how high the expected papers were retrieved",
        "higher",
        _scored(lambda ranking, grades: ndcg_at(10, ranking, grades)),
        applies=_applies,
    ),
    Metric(
        "mrr", "one over the rank of the first expected paper", "higher", _scored(reciprocal_rank), applies=_applies
    ),
)
