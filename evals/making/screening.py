"""Screening drafts: what gives its answer away, what another paper answers too, what is asked twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.papers import Paper
from assistant.sentences import split
from evals.cases import Case
from evals.matching import fold, occurs, title_key
from evals.verifiers import terms

_EXPANSION = re.compile(r"What does (\S+) stand for\b")
_SHARED = 0.5  # of the question's words, beside the fact, in a sentence of another paper: it answers too


@dataclass(frozen=True, slots=True)
class Dropped:
    """A draft that is not fit to be asked."""

    case: Case
    why: str


def screen(drafts: Iterable[Case], papers: Sequence[Paper]) -> tuple[tuple[Case, ...], tuple[Dropped, ...]]:
    """The drafts that can be asked, and the others with the reason, both in order."""
    kept: list[Case] = []
    dropped: list[Dropped] = []
    asked: set[str] = set()
    for case in drafts:
        why = fault(case, papers)
        if why is None and fold(case.question) in asked:
            why = "asked already"
        if why is None:
            asked.add(fold(case.question))
            kept.append(case)
        else:
            dropped.append(Dropped(case, why))
    return tuple(kept), tuple(dropped)


def fault(case: Case, papers: Sequence[Paper]) -> str | None:
    """Why a draft must not be asked, or None."""
    if any(occurs(wanted, case.question) for fact in case.facts for wanted in fact):
        return "the question gives its answer away"
    wanted = {title_key(title) for title in case.papers}
    if not case.answerable:
        return _answered_after_all(case, [paper for paper in papers if title_key(paper.title) in wanted])
    others = [paper for paper in papers if title_key(paper.title) not in wanted]
    if (short := _EXPANSION.match(case.question)) and any(occurs(short.group(1), paper.abstract) for paper in others):
        return f"{short.group(1)!r} stands in other papers too"
    for paper in others:
        if case.facts and _answers(case, paper):
            return f"{paper.title!r} answers it too"
    own = [paper for paper in papers if title_key(paper.title) in wanted]
    if case.facts and not all(
        any(occurs(text, paper.abstract) for paper in own for text in fact) for fact in case.facts
    ):
        return "its papers do not state the fact"
    return None


def _answers(case: Case, paper: Paper) -> bool:
    question = terms(case.question)
    for span in split(paper.abstract):
        sentence = paper.abstract[span.start : span.end]
        if not all(any(occurs(text, sentence) for text in fact) for fact in case.facts):
            continue
        if len(question & terms(f"{paper.title} {sentence}")) >= _SHARED * len(question):
            return True
    return False


def _answered_after_all(case: Case, papers: Sequence[Paper]) -> str | None:
    """An unanswerable question whose every word, its paper's title aside, stands in one sentence is answerable."""
    for paper in papers:
        asked = terms(case.question) - terms(paper.title)
        for span in split(paper.abstract):
            if asked and asked <= terms(paper.abstract[span.start : span.end]):
                return "the abstract may state it"
    return None
