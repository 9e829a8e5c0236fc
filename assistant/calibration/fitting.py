"""A threshold for a wanted rate of errors, from made questions.

Made questions are not people's: a rate met on them is another rate on people's. So a reference ships: log-odds of
people's questions and of made ones over the same three corpora. The wanted rate is read off people's questions there, and
the threshold moved by how far this corpus' made questions lie from the reference's made ones. The move is shrunk by the
number of questions, so that a small or odd sample can't wreck it, and is the same for every rate, so that a higher wanted
rate never gives a threshold on the wrong side.
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
_PRIOR = 60  # made questions of one sort that count as much as the reference
_FARTHEST = 1.5  # log-odds: no corpus may move the threshold further
_BANDS: dict[Error, tuple[float, float]] = {"false_refusals": (0.02, 0.5), "false_answers": (0.5, 0.98)}


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


def fit(judged: Sequence[Judged], wanted: Wanted, reference: Reference | None) -> float:
    """The probability from where on to answer. Without a reference the rate is that of the made questions alone,
    shrunk towards the shipped threshold."""
    answerable = wanted.error == "false_refusals"
    own = np.array([item.log_odds for item in judged if item.made.answerable is answerable])
    kept = len(own) / (len(own) + _PRIOR)
    rank = wanted.rate if answerable else 1 - wanted.rate
    if reference is None:
        shipped = log_odds(answerability.THRESHOLDS["balanced"])
        return probability(shipped + kept * (float(np.quantile(own, rank)) - shipped) if len(own) else shipped)
    people = reference.people_answerable if answerable else reference.people_unanswerable
    made = reference.made_answerable if answerable else reference.made_unanswerable
    start = float(np.quantile(np.array(people), rank))
    if not len(own):
        return probability(start)
    ranks = np.linspace(*_BANDS[wanted.error], 25)
    moved = float((np.quantile(own, ranks) - np.quantile(np.array(made), ranks)).mean())
    return probability(start + kept * max(-_FARTHEST, min(_FARTHEST, moved)))
