r"""Text made fit for search and display, without losing where each character came from.

The stored text is never touched. `clean` gives a second form of it: LaTeX accents and commands resolved
(`Schr\"odinger`, `77\%`, `{\em ...}`, `$pass@k$`), commented-out remains dropped (`images.%, showing ...`), URLs
freed from the word they were glued to, ligatures, HTML remains and mojibake repaired, runs of blanks made one.
Underscores, single asterisks and unknown commands stay: they may be somebody's notation.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.papers import Passage, Span
from assistant.rewriting import PASSES, Edit

if TYPE_CHECKING:
    from assistant.embedding.vectors import PassageText

_MAX_ROUNDS = 8  # nested remains settle in two or three; the bound keeps hostile text cheap


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text and, for each of its characters, the stored characters it stands for.

    Character `i` of `text` stands for `[starts[i], ends[i])` of the stored text (empty for an inserted blank). Both
    are non-decreasing. Characters of one replacement share their whole source, so a quote never begins inside one.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def original_span(self, start: int, end: int) -> Span:
        """The stored characters behind `text[start:end]`. An empty span maps to an empty span."""
        start, end = _bounded(start, end, len(self.text))
        if start == end:
            at = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.text else 0)
            return Span(at, at)
        return Span(self.starts[start], max(self.starts[start], self.ends[end - 1]))

    def cleaned_span(self, start: int, end: int) -> Span:
        """The cleaned characters that stand for any of the stored `[start, end)`; empty where all were dropped."""
        first = bisect_right(self.ends, start)
        last = bisect_left(self.starts, end)
        return Span(first, last) if first < last else Span(min(first, len(self.text)), min(first, len(self.text)))


def clean(text: str) -> Cleaned:
    """The cleaned form of `text`. Cleaning it again changes nothing more."""
    cleaned = Cleaned(text, range(len(text)), range(1, len(text) + 1))
    for _ in range(_MAX_ROUNDS):
        before = cleaned.text
        for find_edits in PASSES:
            cleaned = _applied(cleaned, find_edits(cleaned.text))
        if cleaned.text == before:
            break
    return cleaned


def normalise(text: str) -> str:
    """The form that is stored: NFC, `\\n` line ends, no control characters or lone surrogates, no outer blanks."""
    text = _UNSTORABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", text).strip()


def embedding_text(title: str, passage: Passage) -> PassageText:
    """What an embedder reads of `passage`: title and text cleaned, its sentences as spans into that cleaned text."""
    from assistant.embedding.vectors import PassageText  # brings numpy, which cleaning alone does without

    cleaned = clean(passage.text)
    sentences = tuple(
        cleaned.cleaned_span(span.start - passage.start, span.end - passage.start) for span in passage.sentences
    )
    return PassageText(title=clean(title).text, text=cleaned.text, sentences=sentences)


# C0 and C1 controls but newline and tab, lone surrogates, the byte-order mark and Unicode's non-characters.
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")


def _applied(cleaned: Cleaned, edits: Sequence[Edit]) -> Cleaned:
    """`cleaned` after `edits`, ordered by start; one that overlaps its predecessor is left for the next round."""
    if not edits:
        return cleaned
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for edit in edits:
        if edit.start < position:
            continue
        _keep(cleaned, position, edit.start, pieces, starts, ends)
        if edit.replacement:
            pieces.append(edit.replacement)
            source = cleaned.original_span(edit.start, edit.end)
            starts.extend([source.start] * len(edit.replacement))
            ends.extend([source.end] * len(edit.replacement))
        position = edit.end
    _keep(cleaned, position, len(cleaned.text), pieces, starts, ends)
    return Cleaned("".join(pieces), starts, ends)


def _keep(cleaned: Cleaned, start: int, end: int, pieces: list[str], starts: list[int], ends: list[int]) -> None:
    pieces.append(cleaned.text[start:end])
    starts.extend(cleaned.starts[start:end])
    ends.extend(cleaned.ends[start:end])


def _bounded(start: int, end: int, length: int) -> tuple[int, int]:
    start = min(max(start, 0), length)
    return start, min(max(end, start), length)
