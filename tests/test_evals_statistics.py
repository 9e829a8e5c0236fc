"""Statistics against SciPy and statsmodels called the plain way, and against cases worked by hand."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from evals.statistics.intervals import clustered_error, estimate, wilson
from evals.statistics.paired import difference, holm
from evals.statistics.power import groups_to_decide, minimum_detectable_effect
from evals.statistics.risk import reliability, risk_coverage


def _ids(count: int) -> list[str]:
    return [f"c{number}" for number in range(count)]


def test_wilson_is_scipy_s() -> None:
    theirs = stats.binomtest(17, 20).proportion_ci(method="wilson")
    assert wilson(17, 20) == pytest.approx((theirs.low, theirs.high))


def test_independent_cases_get_the_plain_wilson_interval() -> None:
    values = [1.0] * 17 + [0.0] * 3
    found = estimate(values, _ids(20), binary=True)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(proportion_confint(17, 20, method="wilson"), abs=1e-9)


def test_clustering_widens_the_interval() -> None:
    values = [1.0] * 20 + [0.0] * 20
    alone = estimate(values, _ids(40), binary=True)
    together = estimate(values, [f"g{place // 10}" for place in range(40)], binary=True)
    assert alone is not None
    assert together is not None
    assert together.mean == alone.mean
    assert together.high - together.low > 1.5 * (alone.high - alone.low)  # type: ignore[operator]  # neither is None here


def test_clustered_error_by_hand() -> None:
    # groups (1, 1), (0, 0), (1, 0): residuals sum to 1, -1, 0; se = sqrt(2)/6, times sqrt(G/(G-1)) sqrt((n-1)/(n-1))
    found = clustered_error([1, 1, 0, 0, 1, 0], ["a", "a", "b", "b", "c", "c"])
    assert found == pytest.approx(np.sqrt(2) / 6 * np.sqrt(3 / 2))
    assert clustered_error([1, 0], ["a", "a"]) is None


def test_a_share_without_spread_still_has_an_interval() -> None:
    found = estimate([1.0] * 10, _ids(10))
    assert found is not None
    assert found.low == pytest.approx(stats.binomtest(10, 10).proportion_ci(method="wilson").low)
    assert found.high == 1.0
    assert estimate([], []) is None
    seconds = estimate([2.0, 2.0], _ids(2), unit="s")
    assert seconds is not None
    assert seconds.low is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=40), st.integers(1, 8))
def test_intervals_hold_their_mean_and_stay_in_range(values: list[float], groups: int) -> None:
    found = estimate(values, [f"g{place % groups}" for place in range(len(values))])
    assert found is not None
    if found.low is not None and found.high is not None:
        assert -1e-9 <= found.low <= found.high <= 1 + 1e-9
    assert found == estimate(values, [f"g{place % groups}" for place in range(len(values))])


def test_the_bootstrap_covers_about_as_often_as_it_says() -> None:
    rng = random.Random(7)
    hits = 0
    for _ in range(60):
        values = [rng.random() ** 2 for _ in range(60)]  # mean 1/3
        found = estimate(values, _ids(60))
        assert found is not None
        hits += found.low <= 1 / 3 <= found.high  # type: ignore[operator]  # sixty groups give an interval
    assert 51 <= hits <= 60


def _pairs(table: tuple[int, int, int, int]) -> tuple[dict[str, float], dict[str, float], dict[str, str]]:
    both, lost, won, neither = table
    before = [1.0] * (both + lost) + [0.0] * (won + neither)
    after = [1.0] * both + [0.0] * lost + [1.0] * won + [0.0] * neither
    ids = _ids(len(before))
    return dict(zip(ids, before, strict=True)), dict(zip(ids, after, strict=True)), {one: one for one in ids}


def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_pairs() -> None:
    before, after, groups = _pairs((30, 3, 12, 5))
    found = difference(before, after, groups, binary=True)
    assert found is not None
    assert found.p == pytest.approx(stats.binomtest(3, 15).pvalue)
    assert found.delta == pytest.approx(9 / 50)
    assert found.low is not None
    assert found.low > 0


def test_no_change_is_no_evidence() -> None:
    before, _, groups = _pairs((30, 0, 0, 5))
    for binary in (True, False):
        found = difference(before, before, groups, binary=binary)
        assert found is not None
        assert (found.delta, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert difference({"a": 1.0}, {"b": 1.0}, {"a": "a", "b": "b"}, binary=True) is None


def test_the_permutation_test_is_the_sign_flip_test() -> None:
    before = dict(zip(_ids(8), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], strict=True))
    after = {case: value + 0.05 + 0.01 * place for place, (case, value) in enumerate(before.items())}
    found = difference(before, after, {case: case for case in before}, binary=False)
    assert found is not None
    assert found.p == pytest.approx(2 / 2**8)  # all signs alike: two of the 256 arrangements are as extreme


def test_ten_copies_of_one_group_are_no_more_evidence_than_one() -> None:
    before, after, groups = _pairs((30, 3, 12, 5))
    once = difference(before, after, groups, binary=True)
    copied = [
        {f"{case}-{copy}": value for case, value in run.items() for copy in range(10)} for run in (before, after)
    ]
    group_of = {f"{case}-{copy}": case for case in before for copy in range(10)}
    tenfold = difference(copied[0], copied[1], group_of, binary=True)
    assert once is not None
    assert tenfold is not None
    assert tenfold.test == "permutation of groups"
    assert tenfold.p == pytest.approx(once.p, abs=0.01)  # drawn, not enumerated
    assert tenfold.low == pytest.approx(once.low)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == ()


def test_power_round_trip() -> None:
    effect = minimum_detectable_effect(0.4, 100)
    assert effect is not None
    assert groups_to_decide(0.4, effect) in (100, 101)  # the solver stops a little short or past
    assert effect == pytest.approx(0.4 * (1.96 + 0.8416) / 10, rel=0.02)  # the normal approximation
    assert groups_to_decide(0.4, 0.0) is None
    assert groups_to_decide(0.0, 0.1) == 2
    assert minimum_detectable_effect(0.4, 1) is None


@pytest.mark.parametrize("groups", [2, 3, 4, 5, 8, 20, 1000])
@pytest.mark.parametrize("spread", [1e-6, 0.02, 0.4, 30.0])
def test_power_has_an_answer_for_every_size(groups: int, spread: float) -> None:
    effect = minimum_detectable_effect(spread, groups)
    assert effect is None or effect > 0
    assert effect is not None or groups < 4
    needed = groups_to_decide(spread, 0.05)
    assert needed is not None
    assert needed >= 2


def test_aurc_by_hand() -> None:
    # sorted by confidence the losses are 0, 1, 0, 1: risks 0, 1/2, 1/3, 1/2
    curve = risk_coverage([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1])
    assert curve is not None
    assert curve.risk == pytest.approx((0, 1 / 2, 1 / 3, 1 / 2))
    assert curve.aurc == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert curve.best == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert curve.coverage == (0.25, 0.5, 0.75, 1.0)
    assert risk_coverage([], []) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from((0.0, 1.0))), min_size=1, max_size=30), st.integers(0, 9))
def test_risk_coverage_ignores_the_order_of_answers(pairs: list[tuple[float, float]], seed: int) -> None:
    shuffled = pairs[:]
    random.Random(seed).shuffle(shuffled)
    one = risk_coverage([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    two = risk_coverage([pair[0] for pair in shuffled], [pair[1] for pair in shuffled])
    assert one is not None
    assert two is not None
    assert one.risk == pytest.approx(two.risk)
    assert one.risk[-1] == pytest.approx(sum(pair[1] for pair in pairs) / len(pairs))
    assert one.best - 1e-9 <= one.aurc <= 1
    flat = risk_coverage([0.5] * len(pairs), [pair[1] for pair in pairs])
    assert flat is not None
    assert flat.aurc == pytest.approx(one.risk[-1])  # no information: the risk is flat


def test_reliability_by_hand() -> None:
    bins, error = reliability([0.95, 0.85, 0.05], [1, 0, 0])
    assert [(one.low, one.n) for one in bins] == [(0.0, 1), (0.8, 1), (0.9, 1)]
    assert error == pytest.approx((0.05 + 0.85 + 0.05) / 3)
    assert reliability([], []) == ((), None)
