"""Negation: whether the claim denies what its evidence says, or says what it denies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.answers import Finding
from assistant.checks import lexicon
from assistant.checks.words import Text, Word, read, same

_SAME_MATTER = 0.5  # share of the shorter clause's words in another that is about the same matter
_NEARLY = 0.8  # share of words that two nearly equal sentences have in common
_SCOPE = 5  # content words after a negation that it may deny
_LEAST_STEM = 4  # letters of a word that a prefix can turn into its opposite


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: its content words, how often it denies, and which words stand right after a denial."""

    words: tuple[Word, ...]
    negations: int
    denied: tuple[Word, ...]


@lru_cache(maxsize=4096)
def clauses(raw: str) -> tuple[Clause, ...]:
    """The clauses of a text that have content, in order."""
    text = read(raw)
    cues = _cues(raw)
    found: dict[int, list[Word]] = {}
    for word in text.words:
        found.setdefault(word.clause, []).append(word)
    made = []
    for words in found.values():
        content = tuple(word for word in words if word.content)
        if not content:
            continue
        start, end = words[0].start, words[-1].end
        inside = [cue for cue in cues if start <= cue.start() < end]
        denied: dict[Word, None] = {}
        for cue in inside:
            denied.update(dict.fromkeys([word for word in content if word.start >= cue.end()][:_SCOPE]))
        made.append(Clause(content, len(inside), tuple(denied)))
    return tuple(made)


def negations(raw: str) -> int:
    """How many denials a text holds."""
    return len(_cues(raw))


@lru_cache(maxsize=4096)
def _cues(raw: str) -> tuple[re.Match[str], ...]:
    blanked = lexicon.DOUBLE.sub(lambda found: " " * len(found.group()), raw)
    return tuple(lexicon.NEGATION.finditer(blanked))


def check(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    """A finding when a clause of the claim and the clause of the evidence nearest to it differ in a negation, or a
    word of the one is the other's with a negative prefix."""
    if any(_nearly(read(claim), read(text)) and negations(claim) != negations(text) for text in evidence):
        return _NEGATED
    prefixed = _prefixed(read(claim), [read(text) for text in evidence])
    turned = negations(claim) % 2 != max((negations(text) for text in evidence), default=0) % 2
    if prefixed:  # "without supervision", "unsupervised": denied twice is not denied
        return () if turned else prefixed
    told = [clause for text in evidence for clause in clauses(text)]
    for said in clauses(claim):
        nearest = max(told, key=lambda clause: (_shared(clause, said), _alike(clause, said)), default=None)
        if nearest is None or not _about(nearest, said):
            continue
        if (
            said.negations
            and not _otherwise(claim, evidence)
            and not any(clause.negations and _denies_same(clause, said) for clause in told)
        ):
            return _NEGATED
        if (
            nearest.negations
            and not said.negations
            and not _otherwise(" ".join(evidence), [claim])
            and _denies_shared(nearest, said)
        ):
            return _NEGATED
    return ()


_NEGATED = (Finding("negation", "The claim and the cited sentence differ in a negation."),)


def _otherwise(denying: str, others: Sequence[str]) -> bool:
    """Whether the other side denies in other words: "unnecessary" for "not needed"."""
    words = {found.casefold() for text in others for found in lexicon.DENYING.findall(text)}
    return bool(words - {found.casefold() for found in lexicon.DENYING.findall(denying)})


def _nearly(one: Text, other: Text) -> bool:
    """Whether two texts are nearly word for word the same."""
    shared = len(one.folds & other.folds)
    return shared >= _NEARLY * max(len(one.folds), len(other.folds), 1)


def _alike(clause: Clause, other: Clause) -> bool:
    return bool(clause.negations % 2) == bool(other.negations % 2)


def _shared(clause: Clause, other: Clause) -> int:
    return sum(any(same(word, told) for told in clause.words) for word in other.words)


def _about(clause: Clause, other: Clause) -> bool:
    """Whether the shorter of two clauses has most of its words in the other."""
    return _shared(clause, other) >= _SAME_MATTER * min(len(clause.words), len(other.words))


def _denies_same(clause: Clause, said: Clause) -> bool:
    """Whether two clauses that deny something are about the same, or deny the same."""
    return _about(clause, said) or any(same(word, told) for word in clause.denied for told in said.denied)


def _denies_shared(clause: Clause, said: Clause) -> bool:
    """Whether something that the clause denies is what the claim says."""
    return not clause.denied or any(same(word, told) for word in clause.denied for told in said.words)


def _prefixed(claim: Text, evidence: Sequence[Text]) -> tuple[Finding, ...]:
    told = {part for text in evidence for word in text.words for part in (word.fold, *_parts(word))}
    said = {part for word in claim.words for part in (word.fold, *_parts(word))}
    for word in said - told:
        bare = bare_of(word)
        if any(form in told and form not in said for form in bare):
            return _opposite(word, next(form for form in bare if form in told))
    for word in told - said:
        bare = bare_of(word)
        if any(form in said and form not in told for form in bare):
            return _opposite(next(form for form in bare if form in said), word)
    return ()


def _parts(word: Word) -> list[str]:
    return [part.casefold() for part in word.text.split("-")] if "-" in word.text else []


def bare_of(word: str) -> tuple[str, ...]:
    """The words that a word may be the negative of: "unlikely" of "likely"; none for most."""
    if word in lexicon.NEVER_PREFIXED or word == "dislike":
        return ()
    found = [word.removeprefix(prefix) for prefix in lexicon.NEGATIVE_PREFIXES if word.startswith(prefix)]
    if word.endswith("less"):
        found.append(word.removesuffix("less"))
    return tuple(form for form in dict.fromkeys(found) if len(form) >= _LEAST_STEM)


def _opposite(said: str, told: str) -> tuple[Finding, ...]:
    return (Finding("negation", f"The claim says “{said}”, the cited sentence “{told}”."),)
