"""Ranking metrics against ir-measures, which wraps trec_eval."""

from __future__ import annotations

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.metrics.retrieval import ndcg_at, recall_at, reciprocal_rank

_IDS = st.integers(0, 30).map(lambda number: f"p{number}")
_GRADES = st.dictionaries(_IDS, st.integers(0, 3).map(float), min_size=1, max_size=12).filter(
    lambda grades: any(grade > 0 for grade in grades.values())
)


@settings(max_examples=120, deadline=None)
@given(ranking=st.lists(_IDS, unique=True, min_size=1, max_size=25), grades=_GRADES)
def test_agrees_with_trec_eval(ranking: list[str], grades: dict[str, float]) -> None:
    # pytrec_eval breaks ties by id: give it strictly falling scores
    run = {"q": {paper: float(len(ranking) - place) for place, paper in enumerate(ranking)}}
    qrels = {"q": {paper: int(grade) for paper, grade in grades.items()}}
    measures = [ir_measures.nDCG @ 10, ir_measures.R @ 10, ir_measures.R @ 5, ir_measures.RR]
    theirs = ir_measures.calc_aggregate(measures, qrels, run)
    assert ndcg_at(10, ranking, grades) == pytest.approx(theirs[ir_measures.nDCG @ 10])
    assert recall_at(10, ranking, grades) == pytest.approx(theirs[ir_measures.R @ 10])
    assert recall_at(5, ranking, grades) == pytest.approx(theirs[ir_measures.R @ 5])
    assert reciprocal_rank(ranking, grades) == pytest.approx(theirs[ir_measures.RR])


def test_by_hand() -> None:
    grades = {"a": 1.0, "b": 1.0}
    assert recall_at(2, ["x", "a", "b"], grades) == 0.5
    assert reciprocal_rank(["x", "a", "b"], grades) == 0.5
    assert ndcg_at(10, ["a", "b"], grades) == 1.0
    assert ndcg_at(10, [], grades) == 0.0
    assert reciprocal_rank([], grades) == 0.0
