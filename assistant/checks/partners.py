"""Partners: a number must stand with what the evidence gives it to, not with its neighbour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from assistant.answers import Finding
from assistant.checks import numbers
from assistant.checks.entities import is_name
from assistant.checks.numbers import Quantity
from assistant.checks.words import Text, Word, read, same

_JOINS = re.compile(r"\s*(?:,|,?\s*\b(?:and|or|versus|vs\.?)\b|/)\s*(?:the |on |in |for )?", re.IGNORECASE)
_STOPS = re.compile(r"[,;:.()]|\b(?:and|or|with|of|on|for|in|at|over|from|to|by|than|versus|vs)\b", re.IGNORECASE)
_VERSION = 3  # characters of a number that may be a name's version
_AND = re.compile(r"\s*(?:,|/|–|-|and|or|to|,? and|,? or)\s*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CROSSED = 9  # words shared straight or crossed beyond which two long sentences are only alike
_COUNTED = 3  # words after a number that may say what it counts
_NAMED = re.compile(r"[A-Z][\w-]*[A-Za-z][ ]$")  # "AlpacaEval 2.0"
_RESPECTIVELY = re.compile(r"\brespectively\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Told:
    """The numbers of one text of the evidence, each with the words that are its own."""

    text: Text
    quantities: tuple[Quantity, ...]
    own: tuple[frozenset[Word], ...]


def check(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    """A finding where a number's words in the claim are another number's words in the evidence, and its own are left
    out."""
    plain = numbers.plain(claim)
    said = _numbers_with_words(plain)
    texts = [_numbers_with_words(numbers.plain(text)) for text in evidence]
    for place, quantity in enumerate(said.quantities):
        if quantity.kind in ("share", "multiple"):
            continue
        wrong = [_wrong_partner(said, place, told) for told in texts]
        judged = [words for words in wrong if words is not None]
        if judged and all(judged):
            named = ", ".join(dict.fromkeys(word.text for word in judged[0]))
            return (
                Finding("partner", f"The cited sentence gives {quantity.written} to something other than {named}."),
            )
    return _crossed(claim, evidence)


_CONTRAST = re.compile(r";|\.\s|\b(?:while|whereas|but|although)\b|,\s*and\b", re.IGNORECASE)


def _crossed(claim: str, evidence: Sequence[str]) -> tuple[Finding, ...]:
    """A finding where the claim opposes two things and gives each what the evidence gives the other: "rash with A and
    fever with B" of "fever with A, whereas rash with B"."""
    sides = [frozenset(_folds(part)) for part in _CONTRAST.split(claim)]
    told = [frozenset(_folds(part)) for text in evidence for part in _CONTRAST.split(text)]
    for one, other in combinations([side for side in sides if len(side) >= 2], 2):
        mine, yours = one - other, other - one
        for here, there in combinations(told, 2):
            first, second = here - there, there - here
            if all(group & half for group in (mine, yours) for half in (first, second)) and (
                len(mine & first) + len(yours & second) <= _CROSSED
                and len(mine & second) + len(yours & first) <= _CROSSED
            ):
                return (Finding("partner", "The claim gives one side what the cited sentence gives the other."),)
    return ()


def _folds(part: str) -> list[str]:
    return [min(word.stems) if word.stems and not word.name else word.fold for word in read(part).content()]


def _numbers_with_words(plain: str) -> _Told:
    text = read(plain)
    counted = tuple(
        quantity
        for quantity in numbers.quantities(plain)
        if quantity.kind in ("digits", "spelled")
        and not (len(quantity.value) <= _VERSION and _NAMED.search(plain, 0, quantity.start))
    )
    pieces = [_piece(text, quantity) for quantity in counted]
    own = []
    for index, quantity in enumerate(counted):
        mates = [i for i, piece in enumerate(pieces) if piece == pieces[index] and i != index]
        words = [
            word for word in text.words if word.piece == pieces[index] and word.content and not _is(word, counted)
        ]
        if mates:
            words = [word for word in words if _nearest(word, quantity, [counted[i] for i in mates])]
        own.append(frozenset(words))
    own = _in_order(text, counted, own)
    return _Told(text, counted, tuple(own))


def _is(word: Word, counted: Sequence[Quantity]) -> bool:
    return any(quantity.start <= word.start < quantity.end for quantity in counted)


def _piece(text: Text, quantity: Quantity) -> int:
    return next((word.piece for word in text.words if word.end > quantity.start), -1)


def _nearest(word: Word, quantity: Quantity, others: Sequence[Quantity]) -> bool:
    return all(_distance(word, quantity) <= _distance(word, other) for other in others)


def _distance(word: Word, quantity: Quantity) -> int:
    return quantity.start - word.end if word.end <= quantity.start else word.start - quantity.end


def _in_order(text: Text, counted: Sequence[Quantity], own: list[frozenset[Word]]) -> list[frozenset[Word]]:
    """ "A and B scored 84 and 52, respectively": the k-th number is the k-th name's."""
    match = _RESPECTIVELY.search(text.raw)
    if not match:
        return own
    row = [index for index, quantity in enumerate(counted) if quantity.end <= match.start()]
    run: list[int] = []
    for index in reversed(row):
        between = text.raw[counted[index].end : counted[run[0]].start] if run else ""
        if run and len(between.split()) > 4:
            break
        run.insert(0, index)
    if len(run) < 2:
        return own
    first, last = counted[run[0]].start, match.start()
    outside = [word for word in text.words if word.content and not first <= word.start < last and word.start < first]
    named = [word for word in outside if is_name(word)]
    row_of = _joined(text.raw, outside, len(run)) or (named[-len(run) :] if len(named) >= len(run) else [])
    made = list(own)
    for index, word in zip(run, row_of, strict=False):
        made[index] = frozenset({word})
    return made


def _joined(raw: str, words: Sequence[Word], count: int) -> list[Word]:
    """The last `count` words that a list joins: "rats and mice", "rats, mice, and dogs"."""
    for last in range(len(words), count - 1, -1):
        row = list(words[last - count : last])
        if all(_JOINS.fullmatch(raw[one.end : other.start]) for one, other in pairwise(row)):
            return row
    return []


def _wrong_partner(said: _Told, place: int, told: _Told) -> list[Word] | None:
    """The claim's words for a number that are another number's here; None where the text doesn't have the number, and
    [] where it gives no ground for complaint."""
    places = [i for i, other in enumerate(told.quantities) if numbers.occurrences(said.quantities[place], [other])]
    if not places:
        return None
    rivals = [
        i for i, other in enumerate(told.quantities) if i not in places and _rival(other, told.quantities[places[0]])
    ]
    mine = frozenset().union(*(told.own[i] for i in places), *(_counted(told, i) for i in places))
    theirs = frozenset().union(*(told.own[i] for i in rivals)) if rivals else frozenset()
    claimed = said.own[place]
    counted = _counted_elsewhere(said, place, told, places)
    if counted:
        return counted
    if any(any(same(word, other) for other in mine) for word in claimed if is_name(word)):
        return []
    wrong = [
        word
        for word in claimed
        if any(same(word, other) for other in theirs) and not any(same(word, other) for other in mine)
    ]
    right = [word for word in claimed if any(same(word, other) for other in mine)]
    left_out = [word for word in mine if not any(same(word, other) for other in claimed)]
    names = [word for word in wrong if is_name(word)]
    if names and (left_out or not mine):
        return names
    return wrong if left_out and len(wrong) > len(right) else []


def _counted_elsewhere(said: _Told, place: int, told: _Told, places: Sequence[int]) -> list[Word]:
    """What the claim counts with a number, where the evidence counts it with another: "16K turns" for 600."""
    here = [word for index in places for word in _counted(told, index)]
    there = [word for index in range(len(told.quantities)) if index not in places for word in _counted(told, index)]
    counted = _counted(said, place)
    if not here or any(same(word, other) for word in counted for other in here):
        return []
    return [word for word in counted if any(same(word, other) for other in there)]


def _counted(told: _Told, index: int) -> list[Word]:
    """The content words right after a number."""
    end = told.quantities[index].end
    found: list[Word] = []
    for word in told.text.words:
        if word.start < end:
            continue
        if _is(word, told.quantities) and not found and _AND.fullmatch(told.text.raw[end : word.start]):
            end = word.end
            continue
        if _is(word, told.quantities) or _STOPS.search(told.text.raw[end : word.start]) or len(found) >= _COUNTED:
            break
        if word.content:
            found.append(word)
    return found


def _rival(one: Quantity, other: Quantity) -> bool:
    """Whether two numbers could be put for each other: of one unit, or of none; years for years only."""
    return one.unit == other.unit and bool(_YEAR.fullmatch(one.written)) == bool(_YEAR.fullmatch(other.written))
