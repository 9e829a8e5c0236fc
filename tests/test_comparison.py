"""Which papers a comparison sets side by side: named, described, told of by one paper, or none at all."""

from __future__ import annotations

import pytest

from assistant import comparison, questions
from assistant.papers import Paper
from assistant.terms import TermStatistics

GRPO = Paper("title:1", "GroPO: Group Policies for Reasoning", "We introduce GroPO. It scores groups of answers.")
EXPO = Paper("title:2", "ExPO: Hard Reasoning by Self-Explanation", "ExPO halves the cost of GroPO on hard sums.")
SURVEY = Paper("title:3", "A Comprehensive Survey of Continual Learning", "Learning goes on. We review forgetting.")
PERTURBED = Paper(
    "title:4", "Contrastive Learning with Adversarial Perturbations for Text", "Small steps make negatives."
)
EVERYONE = (GRPO, EXPO, SURVEY, PERTURBED)
STATISTICS = TermStatistics.of(f"{paper.title} {paper.abstract}" for paper in EVERYONE)


def found(*phrases: str, sure: bool = True) -> comparison.Sides:
    return comparison.sides(phrases, [EVERYONE] * len(phrases), STATISTICS, sure=sure)


def test_sides_are_found_by_name_and_by_description() -> None:
    assert found("ExPO", "the survey of continual learning").papers == (EXPO, SURVEY)
    assert found("ExPO", "GroPO").papers == (EXPO, GRPO)


def test_a_side_that_no_paper_is_about_is_told() -> None:
    sides = found("ExPO", "zebrafish migration")
    assert sides.papers == (EXPO,)
    assert sides.missing == "zebrafish migration"


def test_what_may_be_no_sides_needs_two_clear_papers() -> None:
    assert found(
        "ExPO", "contrastive learning with adversarial perturbations obtain negatives", sure=False
    ).papers == (
        EXPO,
        PERTURBED,
    )
    assert found("cost", "groups affect sums", sure=False) == comparison.Sides(())
    assert found("ExPO", "groups affect sums", sure=False) == comparison.Sides(())


@pytest.mark.parametrize(
    ("question", "sort"),
    [
        ("Compare the two bandit papers: what constrains each?", "bandit papers"),
        ("What do the two papers on generating stories find?", "papers on generating stories"),
        ("How do the two reviews of asthma differ?", "reviews of asthma"),
        ("What do the two surveys have in common?", "surveys"),
        ("What does ExPO do?", ""),
    ],
)
def test_the_sort_of_two_papers(question: str, sort: str) -> None:
    assert questions.read(question).two_of == sort


def test_a_pair_is_read_but_makes_no_comparison_by_itself() -> None:
    read = questions.read("How do ExPO and the continual survey treat forgetting?")
    assert read.pair == ("ExPO", "the continual survey treat forgetting")
    assert read.kind == "fact"
    assert questions.read("Compare ExPO and GroPO.").pair == ()
