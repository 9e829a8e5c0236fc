"""Reading a plain text answer with `[n]` markers as sentences with citations, for systems that give no more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.papers import Span
from assistant.sentences import split
from evals.matching import fold
from evals.responses import Cited, Said

_MARKER = re.compile(r"\[(\d+(?:\s*[,;–-]\s*\d+)*)\]")
_MOST_KEYS = 50  # of one marker: "[1-999999]" is a fault, not a list
# Phrases by which assistants decline. A system that says so in its protocol is not asked to match them.
_REFUSALS = (
    "i don't know",
    "i do not know",
    "i'm sorry",
    "i am sorry",
    "cannot answer",
    "can't answer",
    "unable to answer",
    "could not find",
    "couldn't find",
    "no information",
    "not enough information",
    "insufficient information",
    "does not contain",
    "do not contain",
    "doesn't contain",
    "don't contain",
    "does not mention",
    "do not mention",
    "does not specify",
    "do not specify",
    "does not provide",
    "do not provide",
    "does not state",
    "do not state",
    "is not mentioned",
    "is not stated",
    "not specified in",
    "not provided in",
    "not mentioned in",
)
_OPENING = 300  # characters: a refusal says so early; later, it is a caveat


def sentences(text: str, sources: Mapping[str, Cited]) -> tuple[Said, ...]:
    """The sentences of `text`, each with the sources whose keys it marks; markers after a full stop belong before it."""
    return tuple(
        Said(
            text[span.start : span.end],
            span.start,
            span.end,
            tuple(sources[key] for key in keys(text[span.start : span.end]) if key in sources),
        )
        for span in _spans(text)
    )


def _spans(text: str) -> Sequence[Span]:
    """Sentences found with the markers blanked out; what stands between two sentences belongs to the first."""
    plain = split(_MARKER.sub(lambda found: " " * len(found.group()), text))
    starts = [0, *(span.start for span in plain[1:])]
    ends = [*starts[1:], len(text)]
    return [
        Span(start + len(part) - len(part.lstrip()), start + len(part.rstrip()))
        for start, end in zip(starts, ends, strict=True)
        if (part := text[start:end]).strip()
    ]


def keys(text: str) -> tuple[str, ...]:
    """The keys marked in `text`, in order, without repeats: "[1, 3-5]" marks 1, 3, 4 and 5."""
    found: dict[str, None] = {}
    for marker in _MARKER.findall(text):
        for part in re.split(r"[,;]", marker):
            first, *last = (int(number) for number in re.findall(r"\d+", part))
            numbers = range(first, min(last[0], first + _MOST_KEYS) + 1) if last else (first,)
            found.update(dict.fromkeys(str(number) for number in numbers))
    return tuple(found)


def declines(text: str) -> bool:
    """Whether a plain answer opens with a refusal; an empty one is one."""
    opening = fold(text[:_OPENING])
    return not opening or any(phrase in opening for phrase in _REFUSALS)


def cited(text: str, sources: Mapping[str, Cited]) -> tuple[Cited, ...]:
    """The sources that `text` marks, in order of first use."""
    return tuple(sources[key] for key in keys(text) if key in sources)
