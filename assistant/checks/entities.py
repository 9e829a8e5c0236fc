"""Names and kinds: what the claim calls by name must stand in its evidence, under that name or its long form."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answers import Finding
from assistant.checks import lexicon
from assistant.checks.words import Text, Word, carried, read
from assistant.naming import fold

_ET_AL = re.compile(
    r"(?:\b[A-Z][\w'’-]+(?:,? (?:and|&) [A-Z][\w'’-]+)?,? et al\.?,?|\b[A-Z][\w'’-]+(?: and [A-Z][\w'’-]+)?(?= \((?:19|20)\d\d[a-z]?\)))"
    r"(?:,? \(?(?:19|20)\d\d[a-z]?\)?)?(?:['’]s)?"
)
_INITIALS = 12  # words that an abbreviation may stand for


def without_authors(claim: str) -> str:
    """The claim without the names of authors cited in it ("Smith et al. (2020)"), blanks in their place."""
    return _ET_AL.sub(lambda match: " " * len(match.group()), claim)


def check(claim: str, evidence: Sequence[str], titles: Sequence[str]) -> tuple[Finding, ...]:
    """A finding for each name that is nowhere in the evidence or its titles, and for a word put for another of its
    kind ("women" for "men", "recall" for "precision")."""
    said = read(without_authors(claim))
    told = read(" .\n".join((*evidence, *titles)))
    absent = [word for word in missing_names(said, told) if not _expected(word)]
    found = [Finding("entity", f"“{word.text}” is not in the cited sentences.") for word in absent]
    for word, other in exchanged(said, told):
        found.append(Finding("entity", f"The claim says “{word.text}”, the cited sentence “{other.text}”."))
    for word, other in opposed_compounds(said, told):
        found.append(Finding("entity", f"The claim says “{word.text}”, the cited sentence “{other.text}”."))
    return tuple(dict.fromkeys(found))


def opposed_compounds(said: Text, told: Text) -> list[tuple[Word, Word]]:
    """Compounds of the claim whose opposite the evidence has instead: "multi-turn" for "single-turn"."""
    found = []
    for word in said.words:
        first, _, rest = word.text.casefold().partition("-")
        if rest and word.fold not in told.folds:
            for other in told.words:
                begin, _, end = other.text.casefold().partition("-")
                if (
                    end == rest
                    and frozenset((first, begin)) in lexicon.OPPOSED_PARTS
                    and other.fold not in said.folds
                ):
                    found.append((word, other))
    return found


def missing_names(said: Text, told: Text) -> list[Word]:
    """Names of the claim that the evidence lacks in every form."""
    return [
        word
        for word in said.words
        if is_name(word)
        and not carried(word, told)
        and not _in_parts(word, told)
        and not _abbreviates(word, said, told)
    ]


def is_name(word: Word) -> bool:
    """Spelt as a name is, or with the ending of a drug's name."""
    return word.name or lexicon.DRUG.fullmatch(word.text.casefold()) is not None


def exchanged(said: Text, told: Text) -> list[tuple[Word, Word]]:
    """Words of the claim absent from the evidence, each with a word of the evidence that excludes it."""
    kinds: dict[int, list[tuple[int, Word]]] = {}
    for word in told.words:
        if (place := _kind(word)) is not None:
            kinds.setdefault(place[0], []).append((place[1], word))
    claimed = {place for word in said.words if (place := _kind(word)) is not None}
    found = []
    for word in said.words:
        place = _kind(word)
        if place is None or place[0] not in kinds:
            continue
        others = kinds[place[0]]
        if place[1] not in {side for side, _ in others}:
            left = [other for side, other in others if (place[0], side) not in claimed]
            if left:
                found.append((word, left[0]))
    return found


def _kind(word: Word) -> tuple[int, int] | None:
    return next((lexicon.CONTRAST[stem] for stem in sorted(word.stems) if stem in lexicon.CONTRAST), None)


def _expected(word: Word) -> bool:
    """What no evidence need hold: a plain word with a capital in a heading, or the word of a frame."""
    return bool(word.stems & lexicon.FRAME)


def _in_parts(word: Word, told: Text) -> bool:
    """Whether each part of a joined name is there: "GPT-4-based" of GPT-4."""
    parts = [part for part in re.split(r"[-‐‑–'’/&@+]", word.text) if part]
    if len(parts) > 1 and all(_part_told(part, told) for part in parts):
        return True
    joined = fold(told.raw) if len(word.fold) >= 4 else ""
    return bool(joined) and word.fold in joined and (len(word.fold) >= 6 or word.text.isupper())


def _part_told(part: str, told: Text) -> bool:
    """A plain word in a joined name ("like", "based") need not be told."""
    if part.islower() and part.isalpha():
        return True
    return fold(part) in told.folds or (bool(read(part).stems) and read(part).stems <= told.stems)


def _abbreviates(word: Word, said: Text, told: Text) -> bool:
    """Whether the evidence has the long form of a short name, or the short form of a long one."""
    letters = "".join(c for c in word.text if c.isalpha() and c.isupper()).casefold()
    if len(letters) >= 2 and word.text.rstrip("s").isalpha() and _initials(letters, told):
        return True
    if not word.text[:1].isupper():
        return False
    shorts = [
        "".join(c for c in other.text if c.isalpha()).casefold() for other in told.words if other.text.isupper()
    ]
    around = said.words[max(0, said.words.index(word) - 4) : said.words.index(word) + 5]
    return any(
        len(short) >= 2 and _initials(short, Text("", around, frozenset(), frozenset()), word) for short in shorts
    )


def _initials(letters: str, text: Text, word: Word | None = None) -> bool:
    """Whether words in a row begin with the letters, small words left out or not; `word` must be one of them."""
    parts = [(part.casefold(), one) for one in text.words for part in re.split(r"[-‐‑–/]", one.text) if part]
    for skipping in (False, True):
        row = [(part, one) for part, one in parts if not skipping or len(part) > 3 or part.isdigit()]
        place = "".join(part[0] for part, _ in row).find(letters[:_INITIALS])
        if place >= 0 and (word is None or any(one is word for _, one in row[place : place + len(letters)])):
            return True
    return False
