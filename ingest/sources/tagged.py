"""What formats of tagged lines share: records cut out of the text one by one, each then read by a rispy parser.

rispy reads whole files and drops a record that never ends; cut first, memory stays flat and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingest.records import Rejected
from ingest.sources.text import MAX_RECORD_CHARACTERS, Text

if TYPE_CHECKING:
    from rispy import RisParser

Values = dict[str, str | list[str]]  # by tag, as the parser gives them


@dataclass(frozen=True, slots=True)
class Tagged:
    """One record: the line it begins on and its values by tag."""

    line: int
    values: Values

    def text(self, *tags: str) -> str:
        """The first filled of `tags`; of several values the first."""
        return next((found[0] for tag in tags if (found := self.all(tag))), "")

    def joined(self, *tags: str) -> str:
        """The first filled of `tags`, its lines joined by blanks."""
        return next((" ".join(found) for tag in tags if (found := self.all(tag))), "")

    def all(self, *tags: str) -> list[str]:
        """Every filled value of all `tags`, in order."""
        values = []
        for tag in tags:
            value = self.values.get(tag, [])
            values += [part for part in ([value] if isinstance(value, str) else value) if part]
        return values


@dataclass(frozen=True, slots=True)
class Grammar:
    """How records stand in a text. `begins` opens one and closes the one before; `ends` closes it."""

    begins: Callable[[str], bool]
    ends: Callable[[str], bool]
    tagged: Callable[[str], bool]  # whether a line has a tag
    opens: Callable[
        [str], bool
    ]  # whether a line outside of any record can only belong to one that lacks its first line
    first: str  # the line a record is given that lacks it
    last: str


class EveryTag(dict[str, str]):
    """A mapping for rispy under which each tag keeps its own name, those it does not know too."""

    def __missing__(self, tag: str) -> str:
        return tag


EVERY_TAG: Final = EveryTag()


def tagged(text: Text, name: str, grammar: Grammar, parser: RisParser) -> Iterator[Tagged | Rejected]:
    """Every record of `text`. One that is too long or that the parser fails on is rejected by itself."""
    found = False
    for line, lines in _cut(text, grammar):
        found = True
        where = f"{name}:{line}"
        if lines is None:
            yield Rejected(where, f"a record of more than {MAX_RECORD_CHARACTERS:,} characters")
            continue
        try:
            started = iter([*_started(lines, grammar), grammar.last])
            (values,) = parser.parse_lines(started)  # type: ignore[arg-type]  # it calls next() on them
        except Exception as error:  # rispy raises what it meets
            yield Rejected(where, f"a record that cannot be read: {' '.join(str(error).split())[:120]}")
            continue
        yield Tagged(line, values)
    if not found:
        yield Rejected(name, "no records inside")


def _cut(text: Text, grammar: Grammar) -> Iterator[tuple[int, Sequence[str] | None]]:
    """Where each record begins, and its lines without blank ones; None for one that is too long."""
    began, size = 0, 0
    lines: list[str] = []
    for number, line in text.numbered():
        if line is None:
            if began:
                size = MAX_RECORD_CHARACTERS + 1
            else:
                yield number, None
            continue
        line = line.lstrip("\ufeff")
        begins = grammar.begins(line)
        if began and (begins or grammar.ends(line)):
            yield began, lines if size <= MAX_RECORD_CHARACTERS else None
            began, size, lines = 0, 0, []
        if begins or (not began and grammar.opens(line)):
            began, lines = number, []
        if began and line.strip():
            size += len(line)
            if size <= MAX_RECORD_CHARACTERS:
                lines.append(line)
            else:
                lines.clear()
    if began:
        yield began, lines if size <= MAX_RECORD_CHARACTERS else None


def _started(lines: Sequence[str], grammar: Grammar) -> Iterator[str]:
    """The record's lines from its opening one; text before its first tag belongs to none."""
    rest = iter(lines)
    opening = next(rest, "")
    if grammar.begins(opening):
        yield opening
    else:
        yield grammar.first
        yield opening
    for line in rest:
        if grammar.tagged(line):
            yield line
            break
    else:
        return
    yield from rest
