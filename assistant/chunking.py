"""Passages: retrievable spans of an abstract, bounded in tokens, on sentence boundaries.

Most abstracts are one passage. A longer one is cut into as few as hold it, of about equal size, because a long
passage with a stump behind it retrieves worse than two halves; each begins with the last sentence of the one before,
so that a sentence is never parted from what "This" in the next one means. docs/decisions/0022-passages.md has the
figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

from assistant import tokens
from assistant.papers import Paper, Passage, Span
from assistant.sentences import split

CHUNKER_VERSION: Final = "sentences-1"  # part of the embedder's fingerprint: change it with any change of the spans
MAX_TOKENS: Final = 220  # cl100k tokens of a passage's text: with its title it fills MiniLM's 256 word pieces
_MAX_OVERLAP: Final = 60  # tokens: a longer sentence is not repeated
_TRIES: Final = 4  # more passages than the fewest possible, before giving up on equal sizes


def passages(paper: Paper) -> tuple[Passage, ...]:
    """The passages of `paper.abstract`, in order; together they cover every non-blank character of it.

    `abstract[start:end] == text`, `tokens <= MAX_TOKENS`, sentences lie inside. An empty abstract has none. The same
    abstract always gives the same passages.
    """
    units = [part for sentence in split(paper.abstract) for part in _bounded(paper.abstract, sentence)]
    return tuple(
        Passage(
            id=f"{paper.id}#{ordinal}",
            paper_id=paper.id,
            ordinal=ordinal,
            start=group[0].start,
            end=group[-1].end,
            text=paper.abstract[group[0].start : group[-1].end],
            tokens=_count(paper.abstract, group),
            sentences=tuple(group),
        )
        for ordinal, group in enumerate(_groups(paper.abstract, units))
    )


def _groups(text: str, units: Sequence[Span]) -> list[list[Span]]:
    if not units:
        return []
    sizes = [tokens.count(text[unit.start : unit.end]) for unit in units]
    fewest = -(-sum(sizes) // MAX_TOKENS)
    for number in range(max(fewest, 1), min(fewest + _TRIES, len(units)) + 1):
        groups = _overlapped(text, _evenly(units, sizes, number), sizes=dict(zip(units, sizes, strict=True)))
        if all(_count(text, group) <= MAX_TOKENS for group in groups):
            return groups
    return _filled(text, units)


def _evenly(units: Sequence[Span], sizes: Sequence[int], number: int) -> list[list[Span]]:
    """`units` in `number` runs whose sizes are as equal as the unit boundaries allow; none is empty."""
    ends = list(accumulate(sizes))
    groups: list[list[Span]] = []
    first = 0
    for part in range(1, number + 1):
        left = number - part
        last = len(units) - left  # each later run keeps a unit
        if left:
            aim = ends[-1] * part / number
            last = min(range(first + 1, last + 1), key=lambda cut: (abs(ends[cut - 1] - aim), cut))
        groups.append(list(units[first:last]))
        first = last
    return groups


def _overlapped(text: str, groups: list[list[Span]], sizes: dict[Span, int]) -> list[list[Span]]:
    """Each run with the last unit of the one before it, where that is short and there is room."""
    overlapped = groups[:1]
    for before, group in pairwise(groups):
        longer = [before[-1], *group]
        fits = len(before) > 1 and sizes[before[-1]] <= _MAX_OVERLAP and _count(text, longer) <= MAX_TOKENS
        overlapped.append(longer if fits else group)
    return overlapped


def _filled(text: str, units: Sequence[Span]) -> list[list[Span]]:
    """Units taken in order for as long as they fit: the way out where equal sizes do not work."""
    groups: list[list[Span]] = []
    for unit in units:
        if groups and _count(text, [*groups[-1], unit]) <= MAX_TOKENS:
            groups[-1].append(unit)
        else:
            groups.append([unit])
    return groups


def _bounded(text: str, span: Span) -> Iterator[Span]:
    """`span`, halved at the blank nearest its middle until each part is within MAX_TOKENS."""
    piece = text[span.start : span.end]
    # Counting is slow on very long pieces: those are halved unseen. One character is a handful of tokens at most.
    if len(piece) <= 1 or (len(piece) <= 32 * MAX_TOKENS and tokens.count(piece) <= MAX_TOKENS):
        yield span
        return
    middle = len(piece) // 2
    before, after = piece.rfind(" ", 1, middle), piece.find(" ", middle)
    blanks = [blank for blank in (before, after) if blank > 0]
    cut = min(blanks, key=lambda blank: abs(blank - middle)) if blanks else middle
    for start, end in ((span.start, span.start + cut), (span.start + cut, span.end)):
        half = text[start:end]
        trimmed = Span(start + len(half) - len(half.lstrip()), end - len(half) + len(half.rstrip()))
        if trimmed.start < trimmed.end:
            yield from _bounded(text, trimmed)


def _count(text: str, group: Sequence[Span]) -> int:
    return tokens.count(text[group[0].start : group[-1].end])
