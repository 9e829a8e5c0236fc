"""Sentence boundaries in scientific abstracts, as exact spans.

syntok proposes the boundaries; three rules mend what scientific prose does to it. The comparison with other
libraries and the measured worth of each rule are in docs/experiments/sentences.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assistant.papers import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

# A full stop after one of these does not end a sentence unless a clear start follows (see `_ALWAYS_INSIDE`).
_ABBREVIATION: Final = re.compile(
    r"""(?:^|[\s(\[{"'“‘/–—-])(?:
        et\ al | [A-Za-z] | e\.?\ ?g | i\.?\ ?e | cf | vs | viz | approx | resp | ca | w\.r\.t | s\.t | a\.k\.a
      | Figs? | Eqs? | Refs? | Secs? | Sects? | Tabs? | Chap | Thms? | Lem | Prop | Defs? | Nos? | Vol | pp | Ed | eds
      | Drs? | Prof | Mrs? | Ms | St | Inc | Ltd | Co | Corp | Jr | Sr | sp | spp | subsp | var
    )\.$""",
    re.VERBOSE,
)
# Of those, the ones that cannot end a sentence at all: something always follows them.
_ALWAYS_INSIDE: Final = re.compile(
    r"(?:^|[\s(\[{\"'“‘])(?:e\.?\ ?g|i\.?\ ?e|cf|vs|viz|Figs?|Eqs?|Refs?|Secs?|Drs?|Prof|Mrs?|w\.r\.t|s\.t)\.$",
    re.IGNORECASE,
)
_START: Final = re.compile(r"""["“‘'(\[`$\\]*[A-Z0-9]""")
# "learning.Experimental": a full stop between a lower-case word and a capitalised one, the blank lost.
_GLUED: Final = re.compile(r"(?<=[a-z]{3})[.?!](?=[A-Z][a-z]+[\s,])")
_LINK: Final = re.compile(r"(?:https?://|www\.)\S+")
_LOOKBEHIND: Final = 24  # characters: longer than any abbreviation above


def split(text: str) -> tuple[Span, ...]:
    """The sentences of `text`, in order, trimmed of outer blanks; together they cover every non-blank character.

    Empty or blank text gives no sentence. Never raises; linear in practice.
    """
    boundaries = sorted(_boundaries(text))
    spans = (
        _trimmed(text, start, end) for start, end in zip([0, *boundaries], [*boundaries, len(text)], strict=True)
    )
    return tuple(span for span in spans if span is not None)


def _boundaries(text: str) -> set[int]:
    """Positions at which a new sentence starts, the first one excluded."""
    proposed = {position for position in _proposed(text) if _holds(text, position)}
    links = [(match.start(), match.end()) for match in _LINK.finditer(text)]
    glued = {match.end() for match in _GLUED.finditer(text)}
    return proposed | {at for at in glued if not any(start < at < end for start, end in links)}


def _proposed(text: str) -> Iterator[int]:
    from syntok import segmenter  # a tenth of a second to import: only where sentences are split

    for paragraph in segmenter.analyze(text):
        for tokens in paragraph:
            if tokens and tokens[0].offset > 0:
                yield tokens[0].offset


def _holds(text: str, position: int) -> bool:
    """Whether the proposed boundary survives the abbreviations of scientific prose."""
    before = text[max(0, position - _LOOKBEHIND) : position].rstrip()
    if _ALWAYS_INSIDE.search(before):
        return False
    if not _ABBREVIATION.search(before):
        return True
    after = text[position:].lstrip()
    return bool(_START.match(after)) and not after.startswith("(")


def _trimmed(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return None
    start += len(piece) - len(piece.lstrip())
    return Span(start, start + len(stripped))
