"""Text as words with places, stems and kinds: what every check works on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.checks import lexicon
from assistant.naming import fold
from assistant.terms import STOP_WORDS, terms

_WORD = re.compile(r"[^\W_]+(?:(?:[-‐‑–'’@+/&_]|(?<=\d)[.,](?=\d)|(?<=\w)\.(?=\w))[^\W_]+)*\+*(?:(?<=[a-z0-9])%)?")
# What parts a sentence into pieces that tell one thing each; "and" only parts pieces that both hold a number.
_HARD = re.compile(
    r"[;—()\[\]]|,(?!\d)|\.\s|\b(?:while|whereas|but|although|though|versus|vs\.?|compared|than|respectively)\b",
    re.IGNORECASE,
)
_COMMA = re.compile(r"[;:—()\[\]]|,(?!\d)|\.\s|\b(?:while|whereas|but|although|though|however|yet)\b", re.IGNORECASE)
_LEAST_CLAUSE = 4  # words; what a comma parts off and is shorter is part of a list
_MICRO = re.compile(r"^[µμ](?=[A-Za-z])")
_FIGURES = re.compile(r"\([^()A-Za-z]*\)")  # "(29.3%)" belongs to what stands before
_SOFT = re.compile(r"\band\b|/|\bor\b", re.IGNORECASE)
_LATIN = re.compile(r"[A-Za-z]")
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+|[\"“(]\s*)$")
_SHARED_PREFIX = 6  # letters: "efficient" and "efficiency" may stem apart


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text. `stems` are its search terms: of a joined form the whole and the parts."""

    text: str
    start: int
    end: int
    fold: str
    stems: frozenset[str]
    name: bool  # spelt as names are
    piece: int  # which piece of the sentence it stands in
    clause: int  # which clause; clauses are made of pieces

    @property
    def content(self) -> bool:
        """Whether it says something: neither a function word nor a number alone."""
        return self.name or (bool(self.stems) and _LATIN.search(self.text) is not None)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in words."""

    raw: str
    words: tuple[Word, ...]
    stems: frozenset[str]
    folds: frozenset[str]

    def content(self) -> Iterable[Word]:
        """The words that say something."""
        return (word for word in self.words if word.content)


@lru_cache(maxsize=4096)
def read(raw: str) -> Text:
    """The words of a text in order."""
    bare = _FIGURES.sub(lambda found: found.group().replace("(", " ").replace(")", " "), raw)
    cuts = sorted({match.start() for pattern in (_HARD, _SOFT) for match in pattern.finditer(bare)})
    clauses = [match.start() for match in _COMMA.finditer(raw)]
    found: list[Word] = []
    in_clause = _LEAST_CLAUSE
    piece = passed = clause = 0
    for match in _WORD.finditer(raw):
        while piece < len(cuts) and cuts[piece] <= match.start():
            piece += 1
        while passed < len(clauses) and clauses[passed] <= match.start():
            passed += 1
            if raw[clauses[passed - 1]] != "," or min(in_clause, _ahead(raw, clauses, passed)) >= _LEAST_CLAUSE:
                clause, in_clause = clause + 1, 0
        in_clause += 1
        found.append(_word(raw, match, piece, clause))
    return Text(
        raw,
        tuple(found),
        frozenset().union(*(word.stems for word in found)),
        frozenset(word.fold for word in found),
    )


def _ahead(raw: str, clauses: Sequence[int], passed: int) -> int:
    """How many words stand before the next cut."""
    end = clauses[passed] if passed < len(clauses) else len(raw)
    return len(raw[clauses[passed - 1] : end].split())


def _word(raw: str, match: re.Match[str], piece: int, clause: int) -> Word:
    token = re.sub(r"['’]s$", "", match.group().rstrip("'’"))
    first = _SENTENCE_START.search(raw[max(0, match.start() - 3) : match.start()]) is not None
    start = match.start()
    return Word(
        token, start, start + len(token), fold(token), frozenset(terms(token)), _name(token, first), piece, clause
    )


def together(texts: Sequence[str]) -> Text:
    """Several texts as one; their clauses stay apart."""
    return read(" .\n".join(text.rstrip(" .") for text in texts))


def _name(token: str, first: bool) -> bool:
    """A capital inside, letters and digits mixed, or a capital where no sentence begins."""
    parts = [part for part in re.split(r"[-‐‑–'’/&.]", token) if part]
    if len(parts) > 1 and any(c.isupper() for c in token) and any(part[0].isdigit() for part in parts):
        return True
    heading = token.casefold() in lexicon.NOT_NAMES and (first or not token.isupper())
    if token.casefold() in STOP_WORDS or heading:
        return False
    for part in parts:
        if any(c.isupper() for c in part[1:]):
            return len(part) > 1
        if any(c.isdigit() for c in part) and any(c.isalpha() for c in part):
            return not lexicon.MEASURED.fullmatch(part)
        if len(part) > 1 and part[0].isupper() and not first:
            return True
    return False


def same(one: Word, other: Word) -> bool:
    """Whether two words are one word, in any of its forms, or synonyms in the language of papers."""
    if one.fold == other.fold:
        return True
    if one.name or other.name:
        return _same_name(one, other)
    if one.stems & other.stems:
        return True
    if any(
        lexicon.SYNONYM.get(stem, stem) == lexicon.SYNONYM.get(told, told)
        for stem in one.stems
        for told in other.stems
    ):
        return True
    return _prefix(one.fold, other.fold)


def _same_name(one: Word, other: Word) -> bool:
    """A name is itself in the plural, or joined to words that are none: "GPT-4-based", never GPT-3 for GPT-4."""
    if one.fold.rstrip("s") == other.fold.rstrip("s"):
        return True
    return bool(marked(one)) and marked(one) == marked(other)


def marked(word: Word) -> str:
    """The parts of a word that make it a name, as one: those with a capital or a digit."""
    parts = re.split(r"[-‐‑–/@+]", word.text)
    return "".join(fold(part) for part in parts if not part.islower()).rstrip("s")


def _prefix(one: str, other: str) -> bool:
    """Forms that stem apart: a common beginning that is most of both."""
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b or not a.isalpha():
            break
        shared += 1
    return (
        shared >= _SHARED_PREFIX
        and shared >= max(len(one), len(other)) - 5
        and not _opposed(one[shared:], other[shared:])
    )


def _opposed(one: str, other: str) -> bool:
    return "less" in (one, other) or one.startswith("less") or other.startswith("less")


def carried(word: Word, text: Text) -> bool:
    """Whether a text holds the word in some form."""
    if word.fold in text.folds or (not word.name and word.stems & text.stems):
        return True
    return any(same(word, other) for other in text.words)
