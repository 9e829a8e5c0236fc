"""Fusion ignores the order of its runs, keeps what they agree on and breaks ties by id."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.fusion import RRF_K, best_by, normalised_score, reciprocal_rank

_IDS = st.sampled_from([f"p{i}" for i in range(12)])
_RANKINGS = st.lists(st.lists(_IDS, unique=True), max_size=5)
_RUNS = st.lists(st.dictionaries(_IDS, st.floats(-1e6, 1e6)), max_size=5)


@given(_RANKINGS, st.randoms(use_true_random=False))
def test_reciprocal_rank_ignores_the_order_of_rankings(rankings: list[list[str]], random: Random) -> None:
    shuffled = list(rankings)
    random.shuffle(shuffled)
    assert reciprocal_rank(rankings) == reciprocal_rank(shuffled)


@given(_RUNS, st.randoms(use_true_random=False))
def test_normalised_score_ignores_the_order_of_runs(runs: list[dict[str, float]], random: Random) -> None:
    shuffled = list(runs)
    random.shuffle(shuffled)
    assert normalised_score(runs) == normalised_score(shuffled)


@given(_RANKINGS)
@example([["a"]] * 5)
def test_reciprocal_rank_holds_every_id_once_in_order(rankings: list[list[str]]) -> None:
    fused = reciprocal_rank(rankings)
    assert {item for item, _ in fused} == {item for ranking in rankings for item in ranking}
    assert len(fused) == len({item for item, _ in fused})
    assert fused == sorted(fused, key=lambda pair: (-pair[1], pair[0]))
    most = len(rankings) / (RRF_K + 1) + 1e-12  # five times 1/61 is more than 5/61 in floating point
    assert all(0 < score <= most for _, score in fused)


@given(st.lists(_IDS, unique=True, min_size=1), st.integers(1, 4))
def test_agreement_is_kept(ranking: list[str], times: int) -> None:
    assert [item for item, _ in reciprocal_rank([ranking] * times)] == ranking


@given(st.lists(_IDS, unique=True, min_size=2), st.data())
def test_moving_up_in_a_ranking_never_lowers_the_score(ranking: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(ranking) - 1))
    better = [*ranking[: place - 1], ranking[place], ranking[place - 1], *ranking[place + 1 :]]
    other = sorted(ranking)
    assert (
        dict(reciprocal_rank([better, other]))[ranking[place]]
        > dict(reciprocal_rank([ranking, other]))[ranking[place]]
    )


@given(_RUNS)
def test_normalised_scores_stay_in_range(runs: list[dict[str, float]]) -> None:
    assert all(0.0 <= score <= 1.0 for _, score in normalised_score(runs))


def test_ties_go_by_id() -> None:
    assert [item for item, _ in reciprocal_rank([["b", "a"], ["a", "b"]])] == ["a", "b"]
    assert normalised_score([{"z": 3.0, "a": 3.0}]) == [("a", 1.0), ("z", 1.0)]


def test_a_repeated_id_counts_once() -> None:
    assert reciprocal_rank([["a", "a", "b"]]) == [("a", 1 / 61), ("b", 1 / 62)]


def test_nothing_fuses_to_nothing() -> None:
    assert reciprocal_rank([]) == reciprocal_rank([[]]) == normalised_score([]) == normalised_score([{}]) == []


def test_normalised_score_is_the_mean_of_scaled_scores() -> None:
    fused = dict(normalised_score([{"a": 10.0, "b": 5.0, "c": 0.0}, {"b": 2.0, "a": 1.0}]))
    assert fused == pytest.approx({"a": 0.5, "b": 0.75, "c": 0.0})


def test_best_by_takes_each_groups_best() -> None:
    assert best_by([("x#0", 0.2), ("y#0", 0.4), ("x#1", 0.9)], {"x#0": "x", "x#1": "x", "y#0": "y"}) == {
        "x": 0.9,
        "y": 0.4,
    }
