"""The default verifier: word coverage with a number check. It needs no model, and it is a baseline, not a truth.

A suite takes any verifier of the same shape; its own quality is measured by the planted faults (`evals.faults`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from assistant.answers import Verdict
from assistant.errors import InputError
from evals.matching import fold, numbers, without_markers
from evals.scores import Verifier, VerifierVerdict

_WORD = re.compile(r"[a-z0-9]+(?:[-'.][a-z0-9]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)|\n+")
_SUFFIXES = (
    "ization",
    "ations",
    "ation",
    "ically",
    "ness",
    "ments",
    "ment",
    "ings",
    "ing",
    "edly",
    "ies",
    "ed",
    "es",
    "ly",
    "s",
)
_STEM_MIN = 4  # a stem keeps at least this many letters
_STOP_WORDS = """a about above after again all also although am an and any are as at be because been before being below between
    both but by can could did do does doing down during each etc few for from further had has have having he her here
    hers him his how however i if in into is it its itself just may me might more most my nor of off on once only or
    other our ours out over own paper papers same she should show shows so some such than that the their theirs them
    then there these they this those through thus to too under until up upon us using very via was we were what when
    where which while who whom why will with within would you your authors author propose proposes report reports
    according abstract say says find finds"""
_STOP = frozenset(_STOP_WORDS.split())
_NEGATIONS = frozenset(
    {"not", "no", "never", "cannot", "without", "neither", "nor", "fail", "fails", "failed", "unable", "n't"}
)
_SUPPORTED = 0.70  # coverage measured on answers of a 1.5B model: faithful sentences ≥ .73, fabrications ≤ .45
_PARTIAL = 0.50
_CAPPED = 0.30  # score left to a claim with a number that the evidence does not have


@lru_cache(maxsize=32768)
def terms(text: str) -> frozenset[str]:
    """The content words of `text`, folded and stemmed."""
    return frozenset(words(text))


def words(text: str) -> list[str]:
    """The content words of `text` in order, with repeats, folded and stemmed; hyphenated words in parts."""
    found = (part for word in _WORD.findall(fold(without_markers(text))) for part in word.split("-"))
    return [stem for part in found if part and part not in _STOP and (stem := _stem(part))]


def _stem(word: str) -> str:
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _STEM_MIN:
            return word.removesuffix(suffix).removesuffix("e")
    return word.removesuffix("e") if len(word) > _STEM_MIN else word


@lru_cache(maxsize=8192)
def _windows(text: str) -> tuple[str, ...]:
    """Each sentence of `text`, and each two neighbours together."""
    sentences = [part for part in _SENTENCE_END.split(text) if part.strip()]
    pairs = [f"{first} {second}" for first, second in pairwise(sentences)]
    return tuple(sentences + pairs)


def _negated(text: str) -> bool:
    folded = fold(text).replace("n't", " n't")
    return sum(word in _NEGATIONS for word in re.findall(r"n't|\w+", folded)) % 2 == 1


@dataclass(frozen=True, slots=True)
class WordCoverage:
    """Share of the claim's content words found in its evidence, with checks of numbers and, if asked, of negation.

    The evidence for a claim is its best window of two sentences, or the best sentence of every text together. A
    claim that repeats evidence word for word scores 1. A number that no evidence has makes it unsupported. With
    `polarity`, a claim that covers a sentence but differs from it in negation is contradicted.
    """

    polarity: bool = True

    def __call__(self, claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        """See `evals.scores.Verifier`; an empty claim is unscored, no evidence supports nothing."""
        wanted = terms(claim)
        if not wanted:
            return "unscored", None
        if not any(text.strip() for text in evidence):
            return "unsupported", 0.0
        said = fold(without_markers(claim)).rstrip(".")
        if any(said in fold(text) for text in evidence):
            return "supported", 1.0
        coverage, best = _best(wanted, evidence)
        available = {number for text in evidence for number in numbers(text)}
        if any(number not in available for number in numbers(claim)):
            return "unsupported", min(coverage, _CAPPED)
        if coverage >= _SUPPORTED and self.polarity and _negated(claim) != _negated(best):
            return "contradicted", min(coverage, _CAPPED)
        if coverage >= _SUPPORTED:
            return "supported", coverage
        return ("partial" if coverage >= _PARTIAL else "unsupported"), coverage


def _best(wanted: frozenset[str], evidence: Sequence[str]) -> tuple[float, str]:
    """The best coverage of `wanted` and the text that gives it."""
    per_text = [max(_windows(text) or ("",), key=lambda window: len(wanted & terms(window))) for text in evidence]
    best = max(per_text, key=lambda window: len(wanted & terms(window)))
    together = frozenset().union(*(terms(window) for window in per_text))
    titles = frozenset().union(*(terms(text.partition("\n")[0]) for text in evidence))  # the frame "In X, ..."
    return len(wanted & (together | titles)) / len(wanted), best


class Remembered:
    """A verifier that judges each (claim, evidence) once; metrics ask the same things several times."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._known: dict[tuple[str, tuple[str, ...]], tuple[VerifierVerdict, float | None]] = {}

    def __call__(self, claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        """The verdict of the verifier inside."""
        key = (claim, tuple(evidence))
        if key not in self._known:
            self._known[key] = self._verifier(claim, evidence)
        return self._known[key]


class Ours:
    """The verifier that Ibid's own answers are checked with, in the shape that evals take."""

    def __call__(self, claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        """The assistant's verdict; a quoted claim is supported, an uncited one is not."""
        from assistant.verification import verify

        judged = verify(without_markers(claim), evidence)
        return _AS_JUDGED[judged.verdict], judged.score


_AS_JUDGED: dict[Verdict, VerifierVerdict] = {
    "quoted": "supported",
    "supported": "supported",
    "partial": "partial",
    "unsupported": "unsupported",
    "contradicted": "contradicted",
    "uncited": "unsupported",
    "unscored": "unscored",
}


def named(name: str) -> Verifier:
    """The verifier `coverage` (the default of every suite) or `assistant`; InputError for another."""
    if name == "coverage":
        return WordCoverage()
    if name == "assistant":
        return Ours()
    raise InputError(f"no verifier {name!r}; verifiers are coverage and assistant, or pass your own to evals.run")


def name_of(verifier: Verifier) -> str:
    """What a run calls its verifier."""
    return (
        repr(verifier)
        if isinstance(verifier, WordCoverage)
        else getattr(verifier, "__name__", type(verifier).__name__)
    )
