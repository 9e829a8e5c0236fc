"""The selector's part: it reads whole abstracts, to choose between papers and then the sentences within them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from assistant import scoring
from assistant.evidence import Evidence, PaperEvidence, Sentence

_READ = 5  # papers read when the question calls none by name
_READ_LISTED = 12  # papers read when several are asked for
_CLEARLY = 0.8  # strength of a name that surely means the paper


class Reading(Protocol):
    """What the selector makes of one paper; see `assistant.selector.Reading`."""

    @property
    def sentences(self) -> tuple[float, ...]: ...
    @property
    def answered(self) -> float: ...


class Selector(Protocol):
    """Judges which sentences of an abstract answer a question, and whether it is answered at all."""

    def read(self, question: str, papers: Sequence[tuple[str, Sequence[str]]]) -> Sequence[Reading]:
        """One reading per (title, sentences)."""


def select(evidence: Evidence, selector: Selector) -> Evidence:
    """Lets the selector read the papers that may answer; their sentences are scored anew.

    When the question calls no paper by name, the papers read are put in the order of what the selector found in them.
    """
    reading = _to_read(evidence)
    told = selector.read(evidence.question.text, [(p.paper.title, [s.text for s in p.sentences]) for p in reading])
    read = [_rescored(paper, one) for paper, one in zip(reading, told, strict=True)]
    by_id = {paper.paper.id: paper for paper in read}
    papers = [by_id.get(paper.paper.id, paper) for paper in evidence.papers]
    question = evidence.question
    if not evidence.named and not question.many and question.kind != "comparison":
        unread = [paper for paper in papers if paper.paper.id not in by_id]
        papers = [*sorted(read, key=lambda paper: -_standing(paper)), *unread]
    return replace(evidence, papers=tuple(papers), selected=True)


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
