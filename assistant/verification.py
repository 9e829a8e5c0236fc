"""Does the evidence carry the claim? The front door of `assistant.checks`: a verdict, a probability, findings in words.

Layers: findings that rules make (numbers, partners of numbers, names, negation, direction, strength), features of how
much of the claim its evidence takes up, and a logistic layer over both, fitted on labelled claims. What it can and
cannot see is measured in docs/verifier.md. Where it is unsure it says `partial`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from assistant.answers import Finding, Verdict

if TYPE_CHECKING:
    from assistant.checks.calibration import Weights
    from assistant.checks.features import Checked

_OPPOSITE = frozenset(
    {"negation", "direction", "role", "partner"}
)  # what makes a claim contradicted rather than unsaid
_SAME_MATTER = 0.5  # share of a claim's words in one sentence, from which it may contradict it
_BELOW = 0.01  # that a blocked claim's score stays under the threshold of support


@dataclass(frozen=True, slots=True)
class Judgement:
    """`score` is the probability in [0, 1] that the evidence supports the claim. `best` is the index of the evidence
    that carries most of it, None without evidence; `used` are all that were weighed together, best first."""

    verdict: Verdict
    score: float | None
    best: int | None
    findings: tuple[Finding, ...] = ()
    used: tuple[int, ...] = ()


class Verifier(Protocol):
    """Anything that judges claims against evidence sentences."""

    def __call__(self, claim: str, evidence: Sequence[str], *, titles: Sequence[str] = ()) -> Judgement:
        """`titles` are the papers' titles, one per evidence sentence: what a claim may name without being told."""


def verify(claim: str, evidence: Sequence[str], *, titles: Sequence[str] = ()) -> Judgement:
    """Judges a claim, without its markers, against the texts that it cites, taken together.

    Of long evidence at most three sentences count. A claim that is one of the sentences is supported with certainty.
    A claim without content words is `unscored`, one without evidence `uncited`. A finding that contradicts the claim
    (`features.blocks`) keeps it from being supported.
    """
    if not evidence:
        return Judgement("uncited", None, None)
    from assistant.checks import features, focus

    chosen = focus.focus(claim, evidence)
    texts = [sentence.text for sentence in chosen]
    headed = [titles[sentence.source] for sentence in chosen] if len(titles) == len(evidence) else list(titles)
    checked = features.check(claim, texts, headed)
    if not checked.asks:
        return Judgement("unscored", None, None)
    for sentence in chosen:
        if is_copy(claim, sentence.text):
            return Judgement("supported", 1.0, sentence.source, (), (sentence.source,))
    best = chosen[checked.best].source
    used = tuple(dict.fromkeys((best, *(sentence.source for sentence in chosen))))
    return replace(judge(checked, best), used=used)


def judge(checked: Checked, best: int, weights: Weights | None = None) -> Judgement:
    """The verdict on a checked claim; `weights` are the shipped ones unless others are given."""
    from assistant.checks import calibration, entailment, features

    weights = weights or calibration.shipped(read=entailment.SUPPORTED in checked.features)
    kinds = {finding.kind for finding in checked.findings}
    score = weights.supported(checked.features)
    if features.blocks(checked):
        score = min(score, weights.supports_from - _BELOW)
    if score >= weights.supports_from:
        return Judgement("supported", round(score, 4), best, checked.findings)
    verdict: Verdict = "partial" if score >= weights.partial_from else "unsupported"
    if checked.features["found_number"]:
        verdict = "unsupported"
    opposed = weights.contradicted(checked.features) >= weights.contradicts_from
    if opposed and kinds & _OPPOSITE and checked.features["best_coverage"] >= _SAME_MATTER:
        verdict = "contradicted"
    return Judgement(verdict, round(score, 4), best, _noticed(checked))


def _noticed(checked: Checked) -> tuple[Finding, ...]:
    """The findings on a claim that is not supported; where no rule noticed anything, what the model made of it."""
    from assistant.checks import entailment, features

    found = checked.findings + features.missing_words(checked.missing)
    if not checked.findings and checked.features.get(entailment.SUPPORTED, 0.0) < 0:
        says = "say otherwise" if checked.features[entailment.CONTRADICTED] > 0 else "not say this"
        found += (Finding("reading", f"Read together, the cited sentences seem to {says}."),)
    return found


def is_copy(claim: str, text: str) -> bool:
    """Whether they are the same but for blanks, quotation marks and final punctuation."""
    return _bare(claim) == _bare(text)


def _bare(text: str) -> str:
    return " ".join(text.split()).strip("\"“”'.!… ")
