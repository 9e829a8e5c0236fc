"""Making a set from one's own papers: drafts are answerable by their papers alone, and a person's word is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from evals_corpus import bundled_papers, bundled_shelf

from assistant.papers import Paper
from evals import run
from evals.cases import Case, read
from evals.making import cover, draft, review, screen
from evals.making.screening import fault
from evals.matching import occurs
from evals.testing import OracleAssistant

_PAPERS = bundled_papers()
_KEPT, _DROPPED = screen(draft(_PAPERS), _PAPERS)


def test_drafts_are_of_every_kind_and_the_same_every_time() -> None:
    assert draft(_PAPERS) == draft(_PAPERS)
    assert {case.kind for case in _KEPT} == {"fact", "list", "unanswerable"}
    assert len({case.id for case in _KEPT}) == len(_KEPT)
    assert cover(_KEPT, _PAPERS).covered == len(_PAPERS)
    assert _DROPPED


def test_what_is_kept_can_be_answered_by_its_papers_and_does_not_leak() -> None:
    abstracts = {paper.title: paper.abstract for paper in _PAPERS}
    for case in _KEPT:
        for fact in case.facts:
            assert any(occurs(wanted, abstracts[title]) for title in case.papers for wanted in fact)
            assert not any(occurs(wanted, case.question) for wanted in fact)
        if case.kind == "list":
            assert len(case.papers) >= 2
    found = run(OracleAssistant(bundled_shelf(), _KEPT), _KEPT)
    assert found.value("correct") == 1.0


def _paper(title: str, abstract: str) -> Paper:
    return Paper(title, title, abstract)


_CATS = _paper("Cats", "Cats sleep. We study 14 breeds of cats.")
_DOGS = _paper("Dogs", "We study 14 breeds of dogs.")
_CASE = Case("x", "x", "dev", "fact", ("How many breeds of animals did they study?",), ("Cats",), (("14 breeds",),))


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (replace(_CASE, turns=("Are 14 breeds studied?",)), "gives its answer away"),
        (_CASE, "answers it too"),
        (replace(_CASE, facts=(("15 breeds",),)), "do not state"),
        (replace(_CASE, facts=(), answerable=False, turns=("Do cats sleep?",)), "may state it"),
        (replace(_CASE, facts=(("Cats sleep",),)), None),
        (replace(_CASE, facts=(), answerable=False, turns=("Which GPUs do cats use?",)), None),
    ],
)
def test_screening(case: Case, why: str | None) -> None:
    found = fault(case, (_CATS, _DOGS))
    assert (found is None) if why is None else why in str(found)


def test_a_question_is_asked_once() -> None:
    kept, dropped = screen([replace(_CASE, facts=(("Cats sleep",),))] * 2, (_CATS, _DOGS))
    assert len(kept) == 1
    assert dropped[0].why == "asked already"


def test_a_model_s_draft_counts_only_when_the_abstract_has_its_answer() -> None:
    items = [
        {"question": "How many breeds?", "answer": "14 breeds"},
        {"question": "How many whiskers?", "answer": "24 whiskers"},
        {"question": "", "answer": "14 breeds"},
        "noise",
    ]
    replies: Iterator[str] = iter([f"Sure!\n{json.dumps(items)}\nDone.", "no JSON here"])
    cases = draft((_CATS, _DOGS), say=lambda prompt: next(replies))
    assert [case.question for case in cases if case.note == "drafted by a model"] == ["How many breeds?"]


def test_a_review_keeps_every_decision_and_can_be_taken_up_again(tmp_path: Path) -> None:
    drafts = _KEPT[:5]
    target = tmp_path / "sets" / "mine.jsonl"
    shown: list[str] = []
    words = iter(["a", "?", "r", "e", "A better question?", "one | two; three", "q"])
    first = review(drafts, target, lambda prompt, default: next(words), shown.append)
    assert (first.accepted, first.rejected, first.left) == (2, 1, 2)
    assert drafts[0].question in shown[0]
    kept = read(target)
    assert kept[0].question == drafts[0].question
    if kept[1].answerable:
        assert kept[1].question == "A better question?"
    words = iter(["a", "a"])
    second = review(drafts, target, lambda prompt, default: next(words), shown.append)
    assert (second.accepted, second.rejected, second.left) == (2, 0, 0)
    assert len(read(target)) == 4
    assert review(drafts, target, lambda prompt, default: "a", shown.append).accepted == 0


def test_editing_splits_facts(tmp_path: Path) -> None:
    case = next(one for one in _KEPT if one.kind == "fact")
    words = iter(["e", "Better?", "one | two ; three;"])
    review([case], tmp_path / "m.jsonl", lambda prompt, default: next(words), lambda text: None)
    (kept,) = read(tmp_path / "m.jsonl")
    assert kept.turns == ("Better?",)
    assert kept.facts == (("one", "two"), ("three",))


def test_coverage_names_what_is_missing() -> None:
    found = cover([_CASE], (_CATS, _DOGS))
    assert found.covered == 1
    assert str(found) == "1 of 2 papers have a case (1 fact); none for Dogs"
