"""Planted faults are what they say, always the same, and tell verifiers apart."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from evals_corpus import bundled_papers
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.faults import FAITHFUL, FAULTS, change_number, negate, paraphrase, plant, swap_name
from evals.matching import numbers
from evals.scores import VerifierVerdict
from evals.verifier_check import auroc, check
from evals.verifiers import WordCoverage

_PLANTED = plant(bundled_papers())


def test_every_kind_is_planted_the_same_every_time() -> None:
    assert {one.kind for one in _PLANTED} == {*FAULTS, *FAITHFUL}
    assert plant(bundled_papers()) == _PLANTED
    assert plant(bundled_papers(), seed=1) != _PLANTED
    assert len({one.id for one in _PLANTED}) == len(_PLANTED)


def test_each_fault_differs_from_its_evidence_as_it_should() -> None:
    abstracts = {paper.id: paper.abstract for paper in bundled_papers()}
    for one in _PLANTED:
        evidence = one.evidence[0]
        assert (one.claim == evidence) == (one.kind == "copy")
        if one.kind in ("swapped_citation", "wrong_paper"):
            assert one.claim in abstracts[one.group]
            assert (evidence in abstracts[one.group]) == (one.kind == "swapped_citation")
        else:
            assert evidence in abstracts[one.group]
        if one.kind == "changed_number":
            assert set(numbers(one.claim)) - set(numbers(evidence))


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("This is good.", "This is not good."),
        ("It does not help.", "It does help."),
        ("It cannot help.", "It can help."),
        ("The method improves recall.", "The method does not improve recall."),
        ("We introduce a method.", "We do not introduce a method."),
        ("Nothing here applies.", None),
    ],
)
def test_negation(sentence: str, wanted: str | None) -> None:
    assert negate(sentence) == wanted


def test_one_change_a_time() -> None:
    chance = random.Random(0)
    changed = change_number("It scores 94.0 on GSM8K with 3 models.", chance)
    assert changed is not None
    assert "GSM8K" in changed  # a digit within a name is no number of its own
    assert len(set(numbers(changed)) - set(numbers("It scores 94.0 on GSM8K with 3 models."))) == 1
    assert change_number("No figures here.", chance) is None
    assert swap_name("BERT wins.", ["BERT", "GPT-4"], chance) == "GPT-4 wins."
    assert swap_name("nobody wins.", ["BERT"], chance) is None
    assert paraphrase("In this paper, we propose a novel method.") == "The authors propose a new method."
    assert paraphrase("A novel method.") is None


def test_word_coverage_catches_what_it_can_and_no_more() -> None:
    found = check(WordCoverage(), _PLANTED)
    shares = {one.kind: one.right.mean for one in found.kinds if one.right is not None}
    assert shares["copy"] == 1.0
    assert shares["paraphrase"] >= 0.9
    assert shares["changed_number"] == 1.0
    assert shares["negation"] >= 0.9
    assert shares["swapped_entity"] < 0.5  # its known hole: a changed name is one word among many
    without = check(WordCoverage(polarity=False), _PLANTED)
    assert without.kind("negation").right.mean < 0.1  # type: ignore[union-attr]  # there are negations


def test_a_verifier_that_believes_all_catches_nothing_and_one_that_doubts_all_passes_nothing() -> None:
    def believer(claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        return "supported", 1.0

    def doubter(claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        return "unsupported", 0.0

    for verifier, faithful_share in ((believer, 1.0), (doubter, 0.0)):
        found = check(verifier, _PLANTED)
        assert found.auroc == 0.5
        for one in found.kinds:
            assert one.right is not None
            assert one.right.mean == (faithful_share if one.faithful else 1 - faithful_share)


def test_unscored_is_counted_apart() -> None:
    def silent(claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        return "unscored", None

    found = check(silent, _PLANTED)
    assert found.auroc is None
    assert all(one.right is None and one.unscored > 0 for one in found.kinds)


def test_auroc_by_hand() -> None:
    assert auroc([(0.9, True), (0.8, False), (0.7, True), (0.1, False)]) == 0.75
    assert auroc([(0.5, True), (0.5, False)]) == 0.5
    assert auroc([(0.5, True)]) is None


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=120), st.text(max_size=200))
def test_coverage_never_fails_and_stays_in_range(claim: str, evidence: str) -> None:
    verdict, score = WordCoverage()(claim, [evidence])
    assert verdict in ("supported", "partial", "unsupported", "contradicted", "unscored")
    assert (score is None) == (verdict == "unscored")
    assert score is None or 0.0 <= score <= 1.0


def test_copies_are_supported_and_nothing_supports_nothing() -> None:
    for paper in bundled_papers()[:10]:
        assert WordCoverage()(paper.abstract[:200], [paper.abstract])[0] == "supported"
        assert WordCoverage()(paper.abstract[:200], []) == ("unsupported", 0.0)
    assert WordCoverage()("", ["text"]) == ("unscored", None)
