"""Does the evidence carry the claim? A first, deterministic verifier: word coverage, numbers and negation.

A score of word coverage separated the fabrications of a small chat model (≤ .45) from its faithful sentences (≥ .73) on
the bundled corpus; what it can't see is a true but irrelevant sentence. Where it is unsure it says `partial`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Protocol

from assistant.answers import Finding, Verdict
from assistant.terms import terms

_SUPPORTED = 0.7  # share of the claim's terms in its evidence; docs/experiments/answering.md
_PARTIAL = 0.45
_SAME_MATTER = 0.5  # share of the shorter clause's terms in another that is about the same matter
_NAMED_MISSING = 6  # words that a finding lists
_MOST_DIGITS = 64  # a longer run of digits is compared as it stands

_NEGATION = re.compile(
    r"\b(?:not(?! only\b)|no|none|nothing|never|without|neither|nor|cannot|fails? to|failed to|lacks?)\b|n['’]t\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,;:]\s|\s(?:while|whereas|but|although|though|however|yet)\s", re.IGNORECASE)
_LATEX = re.compile(r"\{([,.])\}|\\[,;:! ](?=\d{3})|\\(?=%)|(?<=\d)[\u2009\u202f\u00a0](?=\d{3}\b)")
_DIGITS = re.compile(
    r"(?<![\w.])(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?!\d)"
    r"(?:(?P<glued>[kKMB])\b|[ -]?(?P<scale>hundred|thousand|million|billion|trillion)\b)?"
)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = {word: value for value, word in enumerate(_UNITS.split())}
_VALUES |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
_POWERS = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "k": 3, "M": 6, "K": 3, "B": 9}
_SCALES = ("hundred", "thousand", "million", "billion", "trillion")
_NUMBER_WORD = "|".join(sorted(_VALUES, key=len, reverse=True))
_SPELLED = re.compile(
    rf"(?<![\w.])(?:{_NUMBER_WORD})(?:[ -](?:and )?(?:{_NUMBER_WORD}|{'|'.join(_SCALES)}))*(?!\w)", re.IGNORECASE
)
_PART = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Judgement:
    """`best` is the index of the evidence that carries most of the claim, None without evidence."""

    verdict: Verdict
    score: float | None
    best: int | None
    findings: tuple[Finding, ...] = ()


class Verifier(Protocol):
    """Anything that judges claims against evidence sentences."""

    def __call__(self, claim: str, evidence: Sequence[str], *, titles: Sequence[str] = ()) -> Judgement:
        """`titles` are the papers' titles, one per evidence sentence: what a claim may name without being told."""


def verify(claim: str, evidence: Sequence[str], *, titles: Sequence[str] = ()) -> Judgement:
    """Judges a claim, without its markers, against the sentences that it cites, taken together.

    `score` is the share of the claim's content terms that they hold; terms of a title are neither asked for nor
    counted. A number that is nowhere there, or a negation on one side only, caps the verdict. A claim without content
    terms is `unscored`, one without evidence `uncited`.
    """
    if not evidence:
        return Judgement("uncited", None, None)
    held = [set(terms(text)) for text in evidence]
    together = set().union(*held)
    wanted = set(terms(claim)) - (set(terms(" ".join(titles))) - together)
    if not wanted:
        return Judgement("unscored", None, None)
    best = max(range(len(held)), key=lambda index: (len(wanted & held[index]), -index))
    score = len(wanted & together) / len(wanted)
    verdict: Verdict = "supported" if score >= _SUPPORTED else "partial" if score >= _PARTIAL else "unsupported"
    digits, words = _missing_numbers(claim, [*evidence, *titles])
    polarity = _polarity(claim, evidence)
    if digits:
        verdict = "unsupported"
    elif (words or polarity) and verdict == "supported":
        verdict = "partial"
    coverage = () if verdict == "supported" else _missing_words(claim, wanted - together)
    return Judgement(verdict, round(score, 4), best, digits + words + polarity + coverage)


def numbers(text: str) -> frozenset[str]:
    """The numbers of a text in one spelling: `8,349` as `8349`, `94.0` as `94`, `10k` as `10000`, `thirteen` as `13`.

    The word "one" is among them, as it can be a number.
    """
    plain = _LATEX.sub(lambda match: match.group(1) or "", text)
    return frozenset(_digit_numbers(plain)) | frozenset(_spelled_numbers(plain))


def _digit_numbers(text: str) -> dict[str, str]:
    """Canonical spelling → as written."""
    found: dict[str, str] = {}
    for match in _DIGITS.finditer(text):
        power = _POWERS[match["glued"] or match["scale"]] if match["glued"] or match["scale"] else 0
        found.setdefault(_canonical(match["number"], power), match.group())
    return found


def _spelled_numbers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _SPELLED.finditer(text):
        for value in _values(match.group()):
            found.setdefault(_canonical(str(value), 0), match.group())
    return found


def _values(spelled: str) -> list[int]:
    """Values of number words in a row: "two hundred and five" is 205, "twenty-one" 21, "two three" 2 and 3."""
    values: list[int] = []
    total = current = 0
    previous = ""
    for word in (part.lower() for part in _PART.findall(spelled)):
        if word == "and":
            continue
        if word == "hundred":
            current *= 100
        elif word in _POWERS:
            total, current = total + current * 10 ** _POWERS[word], 0
        else:
            joins = previous in _SCALES or (_VALUES.get(previous, 0) >= 20 and 0 < _VALUES[word] < 10)
            if previous and not joins:
                values.append(total + current)
                total = current = 0
            current += _VALUES[word]
        previous = word
    return [*values, total + current]


def _canonical(number: str, power: int) -> str:
    plain = number.replace(",", "")
    if len(plain) > _MOST_DIGITS:
        return plain
    value = format(Decimal(plain).scaleb(power, Context(prec=2 * _MOST_DIGITS)), "f")
    whole, _, fraction = value.partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _missing_numbers(claim: str, held_in: Sequence[str]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Numbers of the claim that stand nowhere: those in digits, and those in words, which may be a count of items."""
    held = frozenset().union(*(numbers(text) for text in held_in))
    plain = _LATEX.sub(lambda match: match.group(1) or "", claim)
    digits = [written for value, written in sorted(_digit_numbers(plain).items()) if value not in held]
    spelled = sorted(_spelled_numbers(plain).items())
    words = [written for value, written in spelled if value not in held and written.lower() not in ("one", "zero")]
    return _number_findings(digits), _number_findings(words)


def _number_findings(written: Sequence[str]) -> tuple[Finding, ...]:
    return tuple(Finding("number", f"The number {number} is not in the cited sentences.") for number in written)


def _polarity(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    """A finding when a clause of the claim and the clause of the evidence nearest to it differ in a negation."""
    told = [clause for text in evidence for clause in _clauses(text)]
    for said in _clauses(claim):
        nearest = max(
            told, key=lambda clause: (len(clause.terms & said.terms), clause.negated == said.negated), default=None
        )
        if nearest is None or not _about(nearest, said):
            continue
        if said.negated and not any(clause.negated and _about(clause, said) for clause in told):
            return _NEGATED
        if nearest.negated and not said.negated:
            return _NEGATED
    return ()


_NEGATED = (Finding("negation", "The claim and the cited sentence differ in a negation."),)


@dataclass(frozen=True, slots=True)
class _Clause:
    terms: frozenset[str]
    negated: bool


def _clauses(text: str) -> list[_Clause]:
    found = (_Clause(frozenset(terms(part)), bool(_NEGATION.search(part))) for part in _CLAUSE.split(text))
    return [clause for clause in found if clause.terms]


def _about(clause: _Clause, other: _Clause) -> bool:
    """Whether the shorter of two clauses has most of its terms in the other."""
    shorter = min(len(clause.terms), len(other.terms))
    return len(clause.terms & other.terms) >= _SAME_MATTER * shorter


def _missing_words(claim: str, missing: set[str]) -> tuple[Finding, ...]:
    words = [word.strip("\"'“”.,;:!?()[]") for word in claim.split() if missing & set(terms(word))]
    if not words:
        return ()
    named = ", ".join(dict.fromkeys(words[:_NAMED_MISSING]))
    return (Finding("missing_words", f"Not in the cited sentences: {named}."),)
