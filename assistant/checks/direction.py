"""Direction: more where the evidence says less, by where it says to, the loser of a comparison as its winner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.answers import Finding
from assistant.checks import lexicon, numbers
from assistant.checks.polarity import clauses
from assistant.checks.words import Text, Word, read, same

_REACH = 6  # content words on either side that a word of direction may be about
_BY = re.compile(
    r"\bby(?: (?:about|around|approximately|roughly|nearly|almost|up to|over|more than|at least|a|an|some|only|as much as))*\s*$",
    re.I,
)
_TO = re.compile(
    r"\b(?:to|reach(?:es|ed|ing)?|at)(?: (?:about|around|approximately|roughly|nearly|almost|over|more than|only|as (?:much|high|low) as))*\s*$",
    re.I,
)
_FROM = re.compile(r"\bfrom(?: (?:about|around|approximately|roughly|nearly|almost|only))*\s*$", re.I)
_ABOVE = re.compile(
    r"(?:\b(?:more than|over|above|at least|exceed\w*|greater than|higher than|not less than|no fewer than|upwards of)|[>≥])\s*$",
    re.I,
)
_BELOW = re.compile(
    r"(?:\b(?:less than|fewer than|under|below|at most|no more than|lower than|up to|within)|[<≤])\s*$", re.I
)
_PIVOT = re.compile(
    r"\b(?P<passive>(?:is|are|was|were|been|being|be) (?:\w+ly )?(?:outperformed|surpassed|exceeded|beaten|preceded|followed|caused|"
    r"induced|inhibited|driven|activated|regulated|suppressed|replaced) by|(?:outperformed|surpassed|beaten|exceeded|caused|driven|inhibited) by)\b"
    r"|\b(?P<active>outperform(?:s|ed|ing)?|surpass(?:es|ed|ing)?|exceed(?:s|ed|ing)?|beats?|precedes?|preceded|follow(?:s|ed)|"
    r"caus(?:es|ed|ing)|induc(?:es|ed|ing)|inhibit(?:s|ed|ing)?|drives?|activat(?:es|ed|ing)|regulat(?:es|ed|ing)|suppress(?:es|ed|ing)?|"
    r"replac(?:es|ed|ing))\b"
    r"|\b(?P<loses>underperform(?:s|ed|ing)?|lags? behind|lagged behind|trail(?:s|ed)|falls? short of|fell short of)\b"
    r"|\b(?P<than>than|superior to|ahead of)\b|\b(?P<worse>inferior to)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Sign:
    """A word with a direction, turned round where it is denied, and the words that it is about."""

    word: Word
    line: int
    sign: int
    about: tuple[Word, ...]


def check(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    """Findings of the kinds `direction` and `role`."""
    return _opposed(claim, evidence) or _by_to(claim, evidence) or _bounds(claim, evidence) or _roles(claim, evidence)


# --- words of opposite direction --------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _signs(raw: str) -> tuple[_Sign, ...]:
    text = read(raw)
    denied = {word.start for clause in clauses(raw) for word in clause.denied[:3] if clause.negations}
    content = [word for word in text.words if word.content]
    found = []
    for word in text.words:
        for line, sign in _poles(word):
            before = [other for other in content if other.end <= word.start and other.clause == word.clause][-_REACH:]
            after = [other for other in content if other.start >= word.end and other.clause == word.clause][:_REACH]
            about = tuple(other for other in (*before, *after) if not _has_pole(other))
            found.append(_Sign(word, line, -sign if word.start in denied else sign, about))
    return tuple(found)


def _poles(word: Word) -> list[tuple[int, int]]:
    exact = lexicon.POLES.get(word.text.casefold())
    return exact or next((lexicon.POLES[stem] for stem in sorted(word.stems) if stem in lexicon.POLES), [])


def _has_pole(word: Word) -> bool:
    return bool(_poles(word))


def _opposed(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    told = [sign for text in evidence for sign in _signs(text)]
    for said in _signs(claim):
        ranked = [(_common(said, other), other) for other in told if _comparable(said, other)]
        if not ranked:
            continue
        best = max(common for common, _ in ranked)
        if best == 0 and (said.about and any(other.about for _, other in ranked)):
            continue
        nearest = [other for common, other in ranked if common == best]
        if all(other.sign != said.sign for other in nearest):
            if any(other.word.fold == said.word.fold for _, other in ranked):
                continue  # the word itself stands there about something near: a negation is the question, not this
            return (
                Finding(
                    "direction", f"The claim says “{said.word.text}”, the cited sentence “{nearest[0].word.text}”."
                ),
            )
    return ()


def _comparable(said: _Sign, told: _Sign) -> bool:
    return said.line == told.line or (said.line in lexicon.ALIKE and told.line in lexicon.ALIKE)


def _common(said: _Sign, told: _Sign) -> int:
    return sum(any(same(word, other) for other in told.about) for word in said.about)


# --- by and to, over and under ----------------------------------------------------------------------------------------


def _by_to(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    return _before_numbers(claim, evidence, (("by", _BY), ("to", _TO), ("from", _FROM)))


def _bounds(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    return _before_numbers(claim, evidence, (("above", _ABOVE), ("below", _BELOW)))


def _before_numbers(
    claim: str, evidence: Sequence[str], patterns: Sequence[tuple[str, re.Pattern[str]]]
) -> tuple[Finding, ...]:
    """A finding where the same number has another of the words before it in every place where it has one of them."""
    plain = numbers.plain(claim)
    texts = [numbers.plain(text) for text in evidence]
    for said in numbers.quantities(plain):
        word = _before(plain, said.start, patterns)
        if word is None:
            continue
        told = {
            _before(text, place.start, patterns)
            for text in texts
            for place in numbers.occurrences(said, numbers.quantities(text))
        }
        if told and word not in told and None not in told:
            return (
                Finding(
                    "direction", f"The claim says “{word} {said.written}”, the cited sentence “{next(iter(told))}”."
                ),
            )
    return ()


def _before(text: str, start: int, patterns: Sequence[tuple[str, re.Pattern[str]]]) -> str | None:
    before = text[max(0, start - 30) : start]
    return next((name for name, pattern in patterns if pattern.search(before)), None)


# --- who did it to whom -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Comparison:
    ahead: tuple[Word, ...]
    behind: tuple[Word, ...]
    kind: str


def _comparisons(text: Text) -> list[_Comparison]:
    """The two sides of each comparison or transitive verb of a list, the passive's sides changed over."""
    found = []
    for match in _PIVOT.finditer(text.raw):
        kind = str(match.lastgroup)
        turned = kind in ("passive", "loses", "worse")
        before = [word for word in text.words if word.end <= match.start() and word.content]
        after = [word for word in text.words if word.start >= match.end() and word.content]
        if kind == "than":
            nearest = [word for word in before if _has_pole(word)][-1:]
            line_sign = _poles(nearest[0])[0] if nearest else (0, 1)
            turned = line_sign[1] < 0
        left = tuple(word for word in before[-_REACH - 2 :] if not _has_pole(word))
        right = tuple(word for word in after[:_REACH] if not _has_pole(word))
        found.append(
            _Comparison(
                right if turned else left, left if turned else right, "than" if kind in ("than", "worse") else "verb"
            )
        )
    return found


def _roles(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    told = [one for text in evidence for one in _comparisons(read(text))]
    for said in _comparisons(read(claim)):
        for other in told:
            straight = (_names(said.ahead, other.ahead), _names(said.behind, other.behind))
            crossed = (_names(said.ahead, other.behind), _names(said.behind, other.ahead))
            if min(crossed) and sum(crossed) > sum(straight) and not min(straight):
                return (Finding("role", "What the cited sentence compares stands on the other side in the claim."),)
    return ()


def _names(words: Sequence[Word], others: Sequence[Word]) -> int:
    return sum(any(same(word, other) for other in others) for word in words)
