"""A threshold for a wanted rate of errors, from made questions.

Made questions are not people's: a rate met on them is another rate on people's. So a reference ships: log-odds of
people's questions and of made ones over the same three corpora. The wanted rate is read off people's questions there, and
the threshold moved by how far this corpus' made questions lie from the reference's made ones. The move is shrunk by the
number of questions and by how little made questions tell of people's, so that a small or odd sample can't wreck it, and is
the same for every rate, so that a higher wanted rate never gives a threshold on the wrong side.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import numpy as np

from assistant import answerability
from assistant.calibration.asking import Judged, log_odds, probability

Error = Literal["false_answers", "false_refusals"]
# Made questions that weigh as much as the reference: made unanswerable ones move as people's do from corpus to corpus, made
# answerable ones don't (docs/experiments/calibration.md).
PRIOR: dict[Error, float] = {"false_refusals": 600, "false_answers": 20}
_UNREFERENCED = 200  # the same where no reference tells how made questions lie to people's
_FARTHEST = 1.5  # log-odds: no corpus may move the threshold further
_RANKS: dict[Error, tuple[float, float]] = {"false_refusals": (0.02, 0.5), "false_answers": (0.5, 0.98)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """At most this share, in (0, 1), of this sort of error on people's questions."""

    error: Error
    rate: float


@dataclass(frozen=True, slots=True)
class Reference:
    """Log-odds of questions over the reference corpora, in rising order."""

    people_answerable: tuple[float, ...]
    people_unanswerable: tuple[float, ...]
    made_answerable: tuple[float, ...]
    made_unanswerable: tuple[float, ...]

    @classmethod
    def shipped(cls, weights: str) -> Reference | None:
        """The one that ships; None when it was made with other weights than `weights`."""
        found = json.loads((files("assistant.calibration") / "reference.json").read_text(encoding="utf-8"))
        if found.pop("weights") != weights:
            return None
        return cls(**{name: tuple(values) for name, values in found.items()})


def fit(judged: Sequence[Judged], wanted: Wanted, reference: Reference | None, prior: float | None = None) -> float:
    """The probability from where on to answer. Without a reference the rate is that of the made questions alone,
    shrunk towards the shipped threshold. `prior` stands in for that of the wanted error, to measure what it does."""
    answerable = wanted.error == "false_refusals"
    own = [item.log_odds for item in judged if item.made.answerable is answerable]
    if prior is None:
        prior = PRIOR[wanted.error] if reference else _UNREFERENCED
    kept = len(own) / (len(own) + prior) if own else 0.0
    rank = wanted.rate if answerable else 1 - wanted.rate
    if reference is None:
        start = log_odds(answerability.THRESHOLDS["balanced"])
        move = float(np.quantile(own, rank)) - start if own else 0.0
        return probability(start + kept * move)
    people = reference.people_answerable if answerable else reference.people_unanswerable
    made = reference.made_answerable if answerable else reference.made_unanswerable
    move = max(-_FARTHEST, min(_FARTHEST, distance(own, made, wanted.error)))
    return probability(float(np.quantile(people, rank)) + kept * move)


def distance(values: Sequence[float], others: Sequence[float], error: Error) -> float:
    """How much higher `values` lie than `others`, over the quantiles where thresholds against that error lie."""
    if not values:
        return 0.0
    ranks = np.linspace(*_RANKS[error], 25)
    return float((np.quantile(values, ranks) - np.quantile(others, ranks)).mean())
