"""How well one sentence serves a question: a linear score over measures, fitted on development questions.

Scores are log-odds-like: their softmax over a paper's sentences is the fitted share of questions that each answers.
The weights come from `benchmarks/fit_answering.py`, pairwise logistic regression within a paper over the dev splits of
three corpora; docs/experiments/answering.md has the table, with what was dropped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class SentenceFeatures:
    """Measures of one sentence against a question; all but `selected` lie in [-1, 1]."""

    cosine: float  # of the question and the sentence, seen in its passage
    coverage: float  # idf share of the asked terms that it holds
    previous_cosine: float  # of the question and the sentence before; 0 for the first
    previous_coverage: float  # of the sentence before
    pairs: float  # share of the question's adjacent term pairs that are adjacent here too
    position: float  # 0 for the first sentence of the abstract, 1 for the last
    expected: float  # 1 when a number or link is expected and it has one
    role: float  # 1 when it plays the role that is asked for
    selected: float = 0.0  # the selector's logit


@dataclass(frozen=True, slots=True)
class SentenceWeights:
    """One weight per feature."""

    cosine: float
    coverage: float
    previous_cosine: float
    previous_coverage: float
    pairs: float
    position: float
    expected: float
    role: float
    selected: float


WITHOUT_SELECTOR = SentenceWeights(3.7, 3.9, 2.9, 0.3, 1.1, 0.75, 3.1, 0.45, 0.0)
WITH_SELECTOR = SentenceWeights(1.52, 1.27, 2.88, 0.01, 0.4, 0.1, 1.84, 0.14, 0.76)


def score(features: SentenceFeatures, weights: SentenceWeights) -> float:
    """The weighted sum."""
    return float(sum(getattr(weights, f.name) * getattr(features, f.name) for f in fields(SentenceFeatures)))


def shares(scores: Sequence[float]) -> list[float]:
    """Softmax: the share of questions that each of a paper's sentences would answer; sums to 1."""
    if not scores:
        return []
    top = max(scores)
    raised = [math.exp(value - top) for value in scores]
    total = sum(raised)
    return [value / total for value in raised]


@dataclass(frozen=True, slots=True)
class PaperFeatures:
    """Measures of one paper against a question; those called `behind_…` say by how much the best paper is better."""

    cosine: float  # of the question and its best sentence
    sentence_coverage: float  # of its sentence that holds most of the asked terms
    coverage: float  # of title and abstract
    passage_cosine: float  # of the question and its best passage or sentence
    expected: float  # 1 when some sentence holds the sort of thing that is expected
    behind_cosine: float  # ≤ 0
    behind_sentence_coverage: float  # ≤ 0
    behind_coverage: float  # ≤ 0
    nearness: float  # 1 / (1 + rank in the retriever's ranking)


# Fitted on which papers belong to the lists asked for in the dev splits: log-odds that a paper belongs.
PAPER_WEIGHTS = PaperFeatures(2.4, 1.4, 2.4, 2.4, 1.7, 1.7, 1.1, 1.0, 2.7)
_PAPER_INTERCEPT = -4.1


# Log-odds of being the paper asked for per log-odds that it states the answer; fitted: .17 on dev, .28 on written questions.
ANSWERED_FITNESS = 0.25


def fitness(features: PaperFeatures) -> float:
    """Log-odds that a paper belongs to the papers asked for."""
    weighed = (getattr(PAPER_WEIGHTS, f.name) * getattr(features, f.name) for f in fields(PaperFeatures))
    return float(_PAPER_INTERCEPT + sum(weighed))
