"""Does the evidence carry the claim? A first, deterministic verifier: word coverage and numbers.

A score of word coverage separated the fabrications of a small chat model (≤ .45) from its faithful sentences (≥ .73) on
the bundled corpus; what it can't see is a true but irrelevant sentence. Where it is unsure it says `partial`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.answers import Finding, Verdict
from assistant.terms import terms

_SUPPORTED = 0.7  # share of the claim's terms in one evidence sentence; docs/experiments/answering.md
_PARTIAL = 0.45
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
_NEGATION = re.compile(
    r"\b(?:not|no|never|without|neither|nor|cannot|fails? to|failed to|lacks?)\b|n['’]t\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`best` is the index of the evidence that carries most of the claim, None without evidence."""

    verdict: Verdict
    score: float | None
    best: int | None
    findings: tuple[Finding, ...] = ()


class Verifier(Protocol):
    """Anything that judges claims against evidence sentences."""

    def __call__(self, claim: str, evidence: Sequence[str]) -> Judgement: ...


def verify(claim: str, evidence: Sequence[str]) -> Judgement:
    """Judges a claim, without its markers, against the sentences that it cites.

    `score` is the share of the claim's content terms that the best sentence holds; a number that no cited sentence
    holds, or a negation on one side only, caps the verdict. A claim without content terms is `unscored`.
    """
    wanted = set(terms(claim))
    if not evidence:
        return Judgement("uncited", None, None)
    if not wanted:
        return Judgement("unscored", None, None)
    shares = [len(wanted & set(terms(text))) / len(wanted) for text in evidence]
    best = max(range(len(evidence)), key=lambda index: (shares[index], -index))
    score = shares[best]
    findings = _numbers(claim, evidence) + _polarity(claim, evidence[best])
    verdict: Verdict = "supported" if score >= _SUPPORTED else "partial" if score >= _PARTIAL else "unsupported"
    if any(finding.kind == "number" for finding in findings):
        verdict = "unsupported"
    elif findings and verdict == "supported":
        verdict = "partial"
    return Judgement(verdict, round(score, 4), best, findings)


def numbers(text: str) -> frozenset[str]:
    """The numbers of a text in one spelling: `8,349` as `8349`, `94.0` as `94`."""
    return frozenset(_plain(match.group()) for match in _NUMBER.finditer(text))


def _plain(number: str) -> str:
    plain = number.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _numbers(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    held = frozenset().union(*(numbers(text) for text in evidence))
    missing = sorted(numbers(claim) - held)
    return tuple(Finding("number", f"The number {number} is not in the cited sentences.") for number in missing)


def _polarity(claim: str, evidence: str) -> tuple[Finding, ...]:
    if bool(_NEGATION.search(claim)) == bool(_NEGATION.search(evidence)):
        return ()
    return (Finding("negation", "The claim and the cited sentence differ in a negation."),)
