"""Text saved from a web page of search results: some lines of the page's own, then titles and abstracts by turns.

Nothing marks such a text but its shape, so each line is judged by how it reads (`_kind`) and doubtful ones by their
neighbours. What breaks the alternation is reported and never joined to a neighbour's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.text import Text

NAME: Final = "dump"
SUFFIXES: Final = (".txt",)

Kind = Literal["title", "abstract", "either"]

_LONGEST: Final = 32 << 20  # characters: some 20,000 abstracts, read whole as each line is judged by its neighbours
_LONG: Final = 45  # words: no title is longer
_SHORT: Final = 8  # words: a text this short is no abstract
_WRAP_WIDTH: Final = 200  # characters: lines of a hand-wrapped text are all shorter
_ENDED: Final = re.compile(r"""(?:[.!?…]["'”’)\]]*|https?://\S+)$""")
_INNER_END: Final = re.compile(r"[a-z0-9)\]\"”%][.!?] +[\"“(]?[A-Z0-9]")
_LINK: Final = re.compile(r"https?://\S+$")
_MARKUP: Final = re.compile(r"^\s*(?:[<#{}@%;*>|]|```|//|- |\\|import |from |def |class )")
_TAGGED: Final = re.compile(r"^[A-Z][A-Z0-9]{1,3} {0,2}- ")  # RIS, MEDLINE
_SEAM: Final = re.compile(r"(?<=[a-z])(?=[A-Z0-9$\"“])")
_WORD: Final = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
# What the buttons and links of search pages and newsletter forms say; only used where a line shows a lost seam.
_BUTTONS: Final = re.compile(
    r"(?:un)?subscribe|submit|search|send|join|follow|register|continue|share|save|cancel|close|log ?in|sign ?(?:up|in)"
    r"|download|view|more|back|next|menu|home|new|trending|upvote|like",
    re.IGNORECASE,
)
_LABEL_WORDS: Final = 4  # a glued label is at most so many words: "Sign up for free"


@dataclass(frozen=True, slots=True)
class _Line:
    number: int  # 1-based, of its first line in the file
    text: str


def matches(sample: str, name: str) -> bool:
    """Whether titles and abstracts by turns make up most of the text."""
    lines = _lines(sample)
    marked = sum(1 for line in lines if _MARKUP.match(line.text) or _TAGGED.match(line.text))
    if not lines or marked > len(lines) / 4:
        return False
    kinds = _resolved(lines)
    pairs = sum(1 for pair in pairwise(kinds) if pair == ("title", "abstract"))
    prose = sum(1 for line in lines if _kind(line.text) == "abstract" and _prose(line.text))
    return pairs > 0 and prose >= 0.6 * pairs and 2 * pairs >= 0.4 * len(lines)


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every title with its abstract; a title or an abstract that stands alone is rejected with its line."""
    lines = _lines(text.bounded(_LONGEST))
    kinds = _resolved(lines)
    first = _first_title(lines, kinds)
    if first is None:
        yield Rejected(name, "no title followed by an abstract")
        return
    lines[first] = _Line(lines[first].number, _unglued(lines[first].text, lines, first))
    pending: _Line | None = None
    for line, kind in zip(lines[first:], kinds[first:], strict=True):
        if kind == "title":
            if pending:
                yield _alone(pending, name)
            pending = line
        elif pending:
            fields = {"title": pending.text, "abstract": line.text}
            yield record(fields, f"{name}:{pending.number}", f"{NAME}:{name}")
            pending = None
        else:
            yield Rejected(f"{name}:{line.number}", f"an abstract without a title ({_shortened(line.text)!r})")
    if pending:
        yield _alone(pending, name)


def _alone(title: _Line, name: str) -> Rejected:
    return Rejected(f"{name}:{title.number}", f"no abstract ({_shortened(title.text)!r})")


# --- lines ----------------------------------------------------------------------------------------------------------


def _lines(text: str) -> list[_Line]:
    """The texts of the page, one each: wrapped and broken lines joined, blank ones dropped."""
    numbered = [_Line(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]
    filled = [line for line in numbered if line.text]
    if not filled or max(len(line.text) for line in filled) > _WRAP_WIDTH:
        return _continued(filled)
    return _unwrapped(filled)


def _continued(lines: Sequence[_Line]) -> list[_Line]:
    """An abstract that was broken in the middle of a sentence joined again."""
    joined: list[_Line] = []
    for line in lines:
        before = joined[-1] if joined else None
        broken = before and _kind(before.text) == "abstract" and not _ENDED.search(before.text)
        if before and broken and line.text[0].islower():
            joined[-1] = _Line(before.number, f"{before.text} {line.text}")
        else:
            joined.append(line)
    return joined


def _unwrapped(lines: Sequence[_Line]) -> list[_Line]:
    """Hand-wrapped texts joined. A text ends with a line that the next word would still have fitted into.

    A last line may happen to be full: then the next one begins a text when it is no sentence's end and is itself
    broken early, as titles are. Blank lines show in the numbers.
    """
    lengths = sorted(len(line.text) for line in lines)
    width = lengths[len(lengths) * 9 // 10]  # a long URL may stand out; a ninth line is full in any wrapped text
    ends = [
        following.number > line.number + 1 or len(f"{line.text} {following.text.split()[0]}") <= width
        for line, following in pairwise(lines)
    ] + [True]
    for position, line in enumerate(lines[:-1]):  # a headline too long for the next word to have fitted
        starts = position == 0 or (ends[position - 1] and _ENDED.search(lines[position - 1].text))
        if starts and _titled(line.text) and not _ENDED.search(line.text) and not _titled(lines[position + 1].text):
            ends[position] = ends[position] or lines[position + 1].text[0].isupper()
    joined = [lines[0]]
    for position, line in enumerate(lines[1:], start=1):
        before = lines[position - 1].text
        title = ends[position] and not _ENDED.search(line.text) and not line.text[0].islower()
        if ends[position - 1] or (title and _ENDED.search(before) and len(line.text.split()) > 2):
            joined.append(line)
        else:
            joined[-1] = _Line(joined[-1].number, f"{joined[-1].text} {line.text}")
    return joined


# --- what a line is -------------------------------------------------------------------------------------------------


def _kind(line: str) -> Kind:
    words = len(line.split())
    if words >= _LONG:
        return "abstract"
    ended = _ENDED.search(line) is not None and not line.endswith("?")
    if ended and words >= 2 * _SHORT and _INNER_END.search(_LINK.sub("", line)):
        return "abstract"
    if ended and words >= _SHORT:  # one sentence: a short abstract, or a title that is given a full stop
        return "either"
    return "either" if words >= 2 * _SHORT and not _titled(line) else "title"


def _prose(line: str) -> bool:
    """Whether the text is sentences: mostly letters, and ended as one."""
    letters = sum(1 for char in line if char.isalpha() or char == " ")
    return letters >= 0.85 * len(line) and _ENDED.search(line) is not None


def _titled(line: str) -> bool:
    """Whether the longer words begin with capitals, as in headline style."""
    words = [word for word in _WORD.findall(line) if len(word) > 3]
    return sum(1 for word in words if not word.islower()) >= 0.6 * max(len(words), 1)


def _resolved(lines: Sequence[_Line]) -> list[Literal["title", "abstract"]]:
    """Each line's kind, doubtful ones settled by their neighbours: an abstract follows a title and precedes one."""
    kinds = [_kind(line.text) for line in lines]
    resolved: list[Literal["title", "abstract"]] = []
    for position, kind in enumerate(kinds):
        if kind != "either":
            resolved.append(kind)
            continue
        after_title = bool(resolved) and resolved[-1] == "title"
        before_abstract = position + 1 < len(kinds) and kinds[position + 1] == "abstract"
        resolved.append("abstract" if after_title and not before_abstract else "title")
    return resolved


# --- the head of the page ---------------------------------------------------------------------------------------------


def _first_title(lines: Sequence[_Line], kinds: Sequence[Kind]) -> int | None:
    """The first line that is a title: what stands before it belongs to the page.

    A line before the first pair counts as a title (without abstract, to be reported) only when it reads like one:
    headline style, five words or more, not a slogan or a sentence.
    """
    pair = next((at for at in range(len(kinds) - 1) if (kinds[at], kinds[at + 1]) == ("title", "abstract")), None)
    if pair is None:
        return None
    first = pair
    while first > 0 and _headline(lines[first - 1].text):
        first -= 1
    return first


def _headline(line: str) -> bool:
    return len(line.split()) >= 5 and _titled(line) and not re.search(r"[.!:…]$", line)


def _unglued(title: str, lines: Sequence[_Line], at: int) -> str:
    """The first title without the label of a button or link that lost its line end: `SubscribeThe Art of …`.

    A seam is a lower-case letter set tight on what begins a word. Names are written so too (`DeepMind`), but a
    name comes again in its abstract. The label goes when the whole word occurs nowhere else and what remains of it
    does, or when it says what buttons say.
    """
    elsewhere = {word.lower() for line in lines[at + 1 :] for word in _WORD.findall(line.text)}
    words = title.split(" ")
    for position, word in enumerate(words[:_LABEL_WORDS]):
        for seam in _SEAM.finditer(word):
            label, rest = " ".join([*words[:position], word[: seam.start()]]), word[seam.start() :]
            bare = _WORD.match(rest)
            known = bare is not None and bare.group()[1:].islower() and bare.group().lower() in elsewhere
            known = known and not word.endswith(":")  # a name that the title explains
            name = _WORD.match(word)
            repeated = name is not None and name.group().lower() in elsewhere
            pressed = _BUTTONS.match(label) is not None
            if not repeated and len(label) > 2 and (known or pressed):
                return " ".join([rest, *words[position + 1 :]])
    return title


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
