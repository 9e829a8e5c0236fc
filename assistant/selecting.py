"""The selector's part: it reads whole abstracts, to choose between papers and then the sentences within them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from assistant import scoring
from assistant.evidence import Evidence, PaperEvidence, Sentence
from assistant.questions import Question
from assistant.terms import terms

if TYPE_CHECKING:
    from assistant.selector import Reading

_READ = 5  # papers read when the question calls none by name
_READ_LISTED = 12  # papers read when several are asked for
_COMPARING = re.compile(
    r"^\W*(?:please )?(?:compare|contrast)\b(?: how)?|\bvs\.?(?=\s)|\bversus\b|\b(?:differences?|similarit(?:y|ies)) between\b|"
    r"\bcompared? (?:to|with)\b|\bdiffer(?:s|ent)? (?:from|to)\b|\bin common\b",
    re.IGNORECASE,
)
_CLEARLY = 0.8  # strength of a name that surely means the paper


class Selector(Protocol):
    """Judges which sentences of an abstract answer a question, and whether it is answered at all."""

    def read(self, question: str, papers: Sequence[tuple[str, Sequence[str]]]) -> Sequence[Reading]:
        """One reading per (title, sentences)."""


def select(evidence: Evidence, selector: Selector) -> Evidence:
    """Lets the selector read the papers that may answer; their sentences are scored anew.

    When the question calls no paper by name, the papers read are put in the order of what the selector found in them.
    """
    read = [_rescored(paper, reading) for paper, reading in _readings(evidence, selector)]
    by_id = {paper.paper.id: paper for paper in read}
    papers = [by_id.get(paper.paper.id, paper) for paper in evidence.papers]
    question = evidence.question
    if not evidence.named and not question.many and question.kind != "comparison":
        unread = [paper for paper in papers if paper.paper.id not in by_id]
        papers = [*sorted(read, key=lambda paper: -_standing(paper)), *unread]
    return replace(evidence, papers=tuple(papers), selected=True)


def _readings(evidence: Evidence, selector: Selector) -> list[tuple[PaperEvidence, Reading]]:
    """Each paper to be read with its reading; one side of a comparison is asked about that side alone."""
    papers = _to_read(evidence)
    if evidence.question.kind == "comparison":
        return [(paper, selector.read(_of_side(evidence.question, paper), [_page(paper)])[0]) for paper in papers]
    readings = selector.read(evidence.question.text, [_page(paper) for paper in papers])
    return list(zip(papers, readings, strict=True))


def _page(paper: PaperEvidence) -> tuple[str, list[str]]:
    return paper.paper.title, [sentence.text for sentence in paper.sentences]


def _of_side(question: Question, paper: PaperEvidence) -> str:
    """The comparison as a question about one paper: without the other side and the words that compare."""
    text = question.text
    if len(question.sides) == 2:
        own = frozenset(terms(f"{paper.paper.title} {paper.paper.abstract}"))
        held = [len(own.intersection(terms(side))) / max(1, len(terms(side))) for side in question.sides]
        if held[0] != held[1]:
            text = text.replace(question.sides[held[0] > held[1]], " ", 1)
    return " ".join(_COMPARING.sub(" ", text).split())


def _to_read(evidence: Evidence) -> list[PaperEvidence]:
    """The papers that may hold the answer, best first: those compared, the one called by name, else the first few."""
    papers = [paper for paper in evidence.papers if paper.sentences]
    beside = [paper for paper in papers if paper.paper.id in evidence.sides]
    if beside:
        return beside
    if evidence.question.many:
        return sorted(papers, key=lambda paper: -paper.fitness)[:_READ_LISTED]
    called = [paper for paper in papers if paper.named and paper.named.strength >= _CLEARLY]
    return called[:2] or papers[:_READ]


def _standing(paper: PaperEvidence) -> float:
    return paper.fitness + scoring.ANSWERED_FITNESS * logit(paper.answered if paper.answered is not None else 0.5)


def _rescored(paper: PaperEvidence, reading: Reading) -> PaperEvidence:
    anew = [_judged(s, value) for s, value in zip(paper.sentences, reading.sentences, strict=True)]
    return replace(paper, sentences=tuple(anew), answered=reading.answered)


def _judged(sentence: Sentence, probability: float) -> Sentence:
    features = replace(sentence.features, selected=logit(probability))
    return replace(
        sentence, features=features, selected=probability, score=scoring.score(features, scoring.WITH_SELECTOR)
    )


def logit(probability: float) -> float:
    """Log-odds, clipped to [-7, 7]."""
    clipped = min(1 - 1e-3, max(1e-3, probability))
    return math.log(clipped / (1 - clipped))
