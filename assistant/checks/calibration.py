"""The calibrated layer: features of a checked claim to the probability that it is supported, and contradicted.

Two logistic regressions (supported against the rest; contradicted against the rest of what is not supported), fitted by
`ibid train verifier` and kept in `models/verifier.json` with the thresholds that turn probabilities into verdicts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from assistant.errors import ModelMalformed

WEIGHTS_FILE = "verifier.json"
READ = "read"  # part of the file: the weights beside the model of `entailment`


@dataclass(frozen=True, slots=True)
class Logistic:
    """`sigmoid(intercept + Σ weight · feature)`; a feature that it doesn't know is left out."""

    intercept: float
    weights: Mapping[str, float]

    def __call__(self, features: Mapping[str, float]) -> float:
        """In (0, 1)."""
        logit = self.intercept + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


@dataclass(frozen=True, slots=True)
class Weights:
    """Both regressions and the probabilities of support from which a claim counts as supported, and as partly so."""

    supported: Logistic
    contradicted: Logistic
    supports_from: float
    partial_from: float
    contradicts_from: float

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "supported": {"intercept": self.supported.intercept, "weights": dict(self.supported.weights)},
            "contradicted": {"intercept": self.contradicted.intercept, "weights": dict(self.contradicted.weights)},
            "supports_from": self.supports_from,
            "partial_from": self.partial_from,
            "contradicts_from": self.contradicts_from,
        }


@cache
def shipped(*, read: bool = False) -> Weights:
    """The weights inside the package; with `read`, those for claims that the model of `entailment` has read."""
    return weights_from((files("assistant.models") / WEIGHTS_FILE).read_text(encoding="utf-8"), read=read)


def weights_from(text: str, *, read: bool = False) -> Weights:
    """Reads the JSON form; ModelMalformed when it isn't one."""
    try:
        data = json.loads(text)
        data = data.get(READ, data) if read else data
        return Weights(
            _logistic(data["supported"]),
            _logistic(data["contradicted"]),
            float(data["supports_from"]),
            float(data["partial_from"]),
            float(data["contradicts_from"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ModelMalformed(f"the verifier's weights cannot be read ({error!r}); reinstall ibid-papers") from error


def _logistic(data: Mapping[str, Any]) -> Logistic:
    return Logistic(float(data["intercept"]), {name: float(weight) for name, weight in data["weights"].items()})
