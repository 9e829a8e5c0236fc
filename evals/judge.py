"""A chat model as verifier: optional, pinned by name, never the model that answered, and validated against people first.

A judge that was not validated, or whose agreement with human labels (Cohen's κ, 1960; `statsmodels`) is below what was
asked for, gives nothing but `unscored`. So does a reply that is none of the four words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.errors import InputError, ModelError
from evals.scores import VerifierVerdict
from evals.verifier_check import Labelled

LEAST_KAPPA = 0.6  # "substantial" in Landis & Koch 1977
LEAST_PAIRS = 50
_PROMPT = (
    "You check one claim against evidence. Use the evidence only, no knowledge of your own.\n\nEvidence:\n{evidence}\n\n"
    "Claim: {claim}\n\nReply with one word: SUPPORTED (the evidence states all of it), PARTIAL (it states a part), "
    "UNSUPPORTED (it does not state it) or CONTRADICTED (it states the opposite)."
)
_WORDS: dict[str, VerifierVerdict] = {
    "supported": "supported",
    "partial": "partial",
    "unsupported": "unsupported",
    "contradicted": "contradicted",
}
_WORD = re.compile(r"\b(supported|partial|unsupported|contradicted)\b")


@dataclass(frozen=True, slots=True)
class Validation:
    """How a judge agrees with people: κ of support against the rest, on `n` pairs; `unscored` are not among them."""

    judge: str
    kappa: float | None
    n: int
    unscored: int
    needed: float = LEAST_KAPPA

    @property
    def holds(self) -> bool:
        """Whether the judge may be believed."""
        return self.n >= LEAST_PAIRS and self.kappa is not None and self.kappa >= self.needed


class Judge:
    """A verifier made of a chat model (`say`: prompt in, reply out). `name` pins the model and goes into the run."""

    def __init__(
        self, say: Callable[[str], str], name: str, *, answering_model: str, validation: Validation | None = None
    ) -> None:
        if name == answering_model:
            raise InputError(f"{name!r} would judge its own answers; name another model as judge")
        if validation is not None and validation.judge != name:
            raise InputError(f"the validation is of {validation.judge!r}, not of {name!r}; validate this judge")
        self.__name__ = f"judge {name}"
        self.name = name
        self._say = say
        self._believed = validation is not None and validation.holds

    def __call__(self, claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        """The judge's verdict, `unscored` as long as it is not validated."""
        return self.raw(claim, evidence) if self._believed else ("unscored", None)

    def raw(self, claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        """The verdict, validated or not: for the validation itself."""
        try:
            reply = self._say(_PROMPT.format(claim=claim, evidence="\n\n".join(evidence)))
        except ModelError:
            return "unscored", None
        found = set(_WORD.findall(reply.casefold()))
        if len(found) != 1:
            return "unscored", None  # silent, or of two minds
        verdict = _WORDS[found.pop()]
        return verdict, {"supported": 1.0, "partial": 0.5}.get(verdict, 0.0)


def validate(judge: Judge, pairs: Sequence[Labelled], needed: float = LEAST_KAPPA) -> Validation:
    """Lets the judge label pairs that people labelled."""
    from warnings import catch_warnings, simplefilter

    from statsmodels.stats.inter_rater import cohens_kappa

    table = [[0, 0], [0, 0]]
    unscored = 0
    for pair in pairs:
        verdict, _ = judge.raw(pair.claim, pair.evidence)
        if verdict == "unscored":
            unscored += 1
        else:
            table[int(pair.supported)][int(verdict == "supported")] += 1
    n = sum(map(sum, table))
    with catch_warnings():
        simplefilter("ignore")  # everything on one side: 0/0, which is no agreement to speak of
        kappa = float(cohens_kappa(table, return_results=False)) if n else math.nan
    return Validation(judge.name, None if math.isnan(kappa) else kappa, n, unscored, needed)
