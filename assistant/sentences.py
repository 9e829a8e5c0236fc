"""Sentence boundaries in scientific abstracts, as exact spans.

nupunkt proposes the boundaries; a few rules mend what scientific prose does to it. The comparison with other
libraries and what the rules are worth on labels that they were not made from: docs/experiments/sentences.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from assistant.papers import Span

# What stands before the full stop, as a whole word. Nothing ends after one of these: something must follow.
_ALWAYS_OPEN: Final = re.compile(
    r"(?:e\.?g|i\.?e|cf|vs|viz|figs?|eqs?|eqn|refs?|secs?|sect|tabs?|thms?|app|chap|lem|prop|cor|defs?|nos?|vols?|pp"
    r"|drs?|profs?|mrs?|ms|st|approx|resp|ca|w\.?r\.?t|w\.?l\.?o\.?g|s\.t|a\.k\.a|var|subsp|aff)",
    re.IGNORECASE,
)
# These may end a sentence, but only when what follows begins like one.
_SOMETIMES_OPEN: Final = re.compile(
    r"(?:et\ al|etc|inc|ltd|corp|co|jr|sr|spp?|[A-Za-z]|(?:[A-Za-z]{1,2}\.)+[A-Za-z]{1,2})", re.IGNORECASE
)
_LAST_WORD: Final = re.compile(r"((?:et |i\. |e\. )?[^\s()\[\]{},;:\"“”‘’/]*)[.?!…]+[)\]}\"'”’]*$")
_LINK: Final = re.compile(r"(?:https?://|www\.)\S+")
_STARTERS: Final = re.compile(
    r"(?:We|Our|The|This|These|That|Those|It|Its|In|On|At|By|For|From|To|With|Within|As|An?|All|Although|Both|But|Despite"
    r"|Each|Finally|First|Further|Furthermore|Here|Hence|However|If|Moreover|Most|No|Our|Recent|Second|Since|So|Some"
    r"|Specifically|Such|Then|There|Therefore|They|Thus|To|Today|Under|Unlike|Using|When|Whereas|While|Yet|You|Results"
    r"|Methods|Conclusions?|Background|Objectives?)\b"
)
_SECTION: Final = re.compile(
    r"(?:^|[.?!]\s+)(?:Aims?|Backgrounds?|Conclusions?|Design|Discussion|Findings|Introduction|Methods?|Objectives?|Purpose"
    r"|Results?|Settings?|Study design)\.$",
    re.IGNORECASE,
)
_HEADING: Final = re.compile(r"[A-Z]{4,}\b")
_NEW_START: Final = re.compile(r"[\"“‘'(\[$\\—–-]*\w")
_PLAIN_WORD: Final = re.compile(r"[a-z]+(?![\w-])")
_NUMBERED: Final = re.compile(r"[\d(\[]")
# A certain end that nupunkt takes for an abbreviation ("… of the tasks. Notably"): a longer word, an acronym, a number
# or a bracket, then a blank and a capitalised word.
_PLAIN_END: Final = re.compile(
    r"(?:[a-z]{4}|(?<![\w.])[a-z][\w'’-]{3,}|(?<![\w.])[A-Z][a-z]{5,}|(?<=[A-Z0-9])[A-Z0-9]|[)\]%}])[.?!][\"'”’)\]]*\s+(?=[A-Z][a-z]+[\s,]|[A-Z]{2,}|A\s)"
)
# A symbol at the end ("… to enforce g(f(X)) ~= X. The technique"): an end only before a word that begins sentences.
_SYMBOL_END: Final = re.compile(rf"(?<=\s)[A-Za-z][.?!]\s+(?={_STARTERS.pattern})")
# "learning.Experimental": the blank after the full stop lost between a word and a capitalised one.
_GLUED: Final = re.compile(r"(?:[a-z]{3}|[a-z)\]%]\))[.?!](?=[A-Z][a-z]+[\s,]|[A-Z]{4,}[\s:/])")


def split(text: str) -> tuple[Span, ...]:
    """The sentences of `text`, in order, trimmed of outer blanks; together they cover every non-blank character.

    Empty or blank text gives no sentence. Never raises.
    """
    cuts = sorted(_boundaries(text))
    pieces = (_trimmed(text, start, end) for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True))
    return tuple(span for span in pieces if span is not None)


def _boundaries(text: str) -> set[int]:
    """Positions at which a new sentence starts, the first one excluded."""
    links = [match.span() for match in _LINK.finditer(text)]
    certain = {match.end() for pattern in (_PLAIN_END, _SYMBOL_END, _GLUED) for match in pattern.finditer(text)}
    proposed = set(_proposed(text)) | {at for at in certain if not any(start < at < end for start, end in links)}
    return {at for at in proposed if 0 < at < len(text) and _holds(text, at)}


def _proposed(text: str) -> Iterator[int]:
    from nupunkt import sent_spans  # loads its model: only where sentences are split

    for start, end in sent_spans(text):
        piece = text[start:end]
        yield start + len(piece) - len(piece.lstrip())


def _holds(text: str, at: int) -> bool:
    """Whether the boundary before `text[at]` survives abbreviations and stray punctuation."""
    before, after = text[max(0, at - 48) : at].rstrip(), text[at : at + 48]
    if not _NEW_START.match(after):
        return False
    if _SECTION.search(before):
        return False
    last = _LAST_WORD.search(before)
    if last is None:
        return True
    word = last.group(1)
    closed = before[-1] not in ".?!…"  # a bracket or quotation mark after the full stop
    if _ALWAYS_OPEN.fullmatch(word) and not closed:
        return False
    if _SOMETIMES_OPEN.fullmatch(word):
        return _STARTERS.match(after) is not None or _HEADING.match(after) is not None
    return True


def _trimmed(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return None
    start += len(piece) - len(piece.lstrip())
    return Span(start, start + len(stripped))
