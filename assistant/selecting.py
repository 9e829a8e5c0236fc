"""The selector's part: it reads the best sentences, to choose between papers and then within the best of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from assistant import scoring
from assistant.evidence import Evidence, PaperEvidence, Sentence
from assistant.questions import Question

_CLOSE_PAPERS = 4  # papers between which the selector decides when none is called by name
_CLOSE_SENTENCES = 3  # of each of them
_TOP_SENTENCES = 8  # of the best paper
_SELECTED_FITNESS = 0.5  # log-odds of belonging per log-odds of the selector's best sentence


class Selector(Protocol):
    """Judges whether sentences answer a question; see `assistant.selector`."""

    def scores(self, question: str, sentences: Sequence[str], titles: Sequence[str]) -> list[float]:
        """One probability in [0, 1] per sentence."""


def select(evidence: Evidence, selector: Selector) -> Evidence:
    """Lets the selector read the best sentences: to choose between papers when none is named, then within the best.

    Scores of the papers read are made anew; a sentence left unread there counts like the worst one read.
    """
    told: dict[tuple[str, int], float] = {}
    papers = evidence.papers
    if not evidence.named and not evidence.question.many and evidence.question.kind != "comparison":
        close = papers[:_CLOSE_PAPERS]
        _read(evidence.question, [s for p in close for s in _foremost(p, _CLOSE_SENTENCES)], selector, told)
        weighed = [(p.fitness + _SELECTED_FITNESS * _logit(max(_told(p, told), default=0.5)), p) for p in close]
        weighed.sort(key=lambda item: -item[0])
        papers = (*(paper for _, paper in weighed), *papers[_CLOSE_PAPERS:])
    beside = [paper for paper in papers if paper.paper.id in evidence.sides] or papers[:1]
    ahead = [s for p in beside for s in _foremost(p, _TOP_SENTENCES)]
    _read(evidence.question, [s for s in ahead if (s.paper.id, s.start) not in told], selector, told)
    return replace(evidence, papers=tuple(_rescored(paper, told) for paper in papers), selected=True)


def _foremost(paper: PaperEvidence, most: int) -> list[Sentence]:
    return sorted(paper.sentences, key=lambda s: (-s.score, s.start))[:most]


def _told(paper: PaperEvidence, told: Mapping[tuple[str, int], float]) -> list[float]:
    return [told[paper.paper.id, s.start] for s in paper.sentences if (paper.paper.id, s.start) in told]


def _read(
    question: Question, sentences: Sequence[Sentence], selector: Selector, told: dict[tuple[str, int], float]
) -> None:
    """Adds the selector's probabilities of the sentences to `told`."""
    probabilities = selector.scores(question.text, [s.text for s in sentences], [s.paper.title for s in sentences])
    told |= {(s.paper.id, s.start): value for s, value in zip(sentences, probabilities, strict=True)}


def _rescored(paper: PaperEvidence, told: Mapping[tuple[str, int], float]) -> PaperEvidence:
    known = _told(paper, told)
    if not known:
        return paper
    anew = [_judged(s, told.get((paper.paper.id, s.start)), min(known)) for s in paper.sentences]
    return replace(paper, sentences=tuple(anew))


def _judged(sentence: Sentence, probability: float | None, unread: float) -> Sentence:
    features = replace(sentence.features, selected=_logit(unread if probability is None else probability))
    return replace(
        sentence, features=features, selected=probability, score=scoring.score(features, scoring.WITH_SELECTOR)
    )


def _logit(probability: float) -> float:
    clipped = min(1 - 1e-6, max(1e-6, probability))
    return math.log(clipped / (1 - clipped))
