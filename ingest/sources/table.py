"""Tables with a header: CSV, TSV, semicolons or bars between the fields, quoted line breaks inside them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final

from ingest.fields import known_columns, record
from ingest.records import Record, Rejected
from ingest.sources.text import Text
from ingest.spelling import canonical

NAME: Final = "table"
SUFFIXES: Final = (".csv", ".tsv", ".tab")
_DELIMITERS: Final = (",", "\t", ";", "|")
_PREAMBLE: Final = 4  # lines that a database writes before its header: `sep=;`, the search, a date
_MAX_LINES: Final = 400  # of one quoted record; a longer one is an unclosed quote
_MAX_CHARACTERS: Final = 120_000  # of one record; csv refuses a field of 131,072


def matches(sample: str, name: str) -> bool:
    """A first line that names a title or an abstract column and something more; a few lines of a database's own may precede."""
    lines = [line for line in sample.split("\n", 200)[:200] if line.strip()][: _PREAMBLE + 1]
    return any(_header(line, preceded=at > 0) for at, line in enumerate(lines))


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every row as a record, streaming; a broken row is rejected by itself, an unclosed quote costs its line."""
    lines = _Lines(text)
    found, passed = None, 0
    while found is None and passed <= _PREAMBLE and (header := lines.take()) is not None:
        if header.strip():
            found = _header(header, preceded=passed > 0)
            passed += 1
    if found is None:
        yield Rejected(name, "no header that names a title column")
        return
    columns, delimiter = found
    empty = True
    while (start := lines.number + 1) and (line := lines.take()) is not None:
        if not line.strip():
            continue
        empty = False
        where = f"{name}:{start}"
        row = _row(line, lines, delimiter, len(columns))
        if isinstance(row, str):
            yield Rejected(where, row)
        elif any(cell.strip() for cell in row):
            yield record(_cells(columns, row), where, f"{NAME}:{name}")
    if empty:
        yield Rejected(name, "a header and no rows")


class _Lines:
    """Lines with their numbers, and a place to put back what was read too far."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._waiting: list[str] = []
        self.number = 0

    def take(self) -> str | None:
        if self._waiting:
            self.number += 1
            return self._waiting.pop()
        line = self._text.readline(_MAX_CHARACTERS)
        if not line:
            return None
        if not line.endswith("\n") and len(line) >= _MAX_CHARACTERS:
            while (rest := self._text.readline(_MAX_CHARACTERS)) and not rest.endswith("\n"):
                pass
            line += "\n"
        self.number += 1
        return line

    def put_back(self, lines: list[str]) -> None:
        self._waiting.extend(reversed(lines))
        self.number -= len(lines)


def _header(line: str, *, preceded: bool) -> tuple[list[str], str] | None:
    """The columns that `line` names, and its delimiter; None when there is no title or abstract among them.

    A header that other lines precede must be a plainer one: three columns, title and abstract both.
    """
    line = line.strip("\n").lstrip("\ufeff")
    if len(line) > 20_000:
        return None
    best: tuple[list[str], str] | None = None
    for delimiter in _DELIMITERS:
        try:
            columns = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            continue
        named = known_columns(columns) & {"title", "abstract"}
        short = all(len(column) <= 80 for column in columns)
        enough = len(columns) > 2 and len(named) > 1 if preceded else len(columns) > 1 and named
        if enough and short and (best is None or len(columns) > len(best[0])):
            best = (columns, delimiter)
    return best


def _row(line: str, lines: _Lines, delimiter: str, width: int) -> list[str] | str:
    """The cells of the record that begins with `line`, taking further lines while a quote is open; or what is wrong."""
    if len(line) >= _MAX_CHARACTERS:
        return f"a line of more than {_MAX_CHARACTERS:,} characters"
    gathered = [line]
    size = len(line)
    while _open(gathered, delimiter):
        more = lines.take() if len(gathered) < _MAX_LINES and size < _MAX_CHARACTERS else None
        if more is None:
            return _unclosed(gathered, lines, delimiter, width)
        gathered.append(more)
        size += len(more)
    try:
        # Over several lines, what follows a closing quote must be a delimiter: else it opened the next row's field.
        return next(csv.reader(gathered, delimiter=delimiter, strict=len(gathered) > 1), [])
    except csv.Error as error:
        if len(gathered) > 1:
            return _unclosed(gathered, lines, delimiter, width)
        return f"not a row that can be read: {error}"


def _unclosed(gathered: list[str], lines: _Lines, delimiter: str, width: int) -> list[str] | str:
    """Gives the lines after the first back. A lone quotation mark in a row of the right width belongs to its text."""
    lines.put_back(gathered[1:])
    plain = gathered[0].rstrip("\n").split(delimiter)
    lone = len(plain) == width and gathered[0].count('"') == 1 and delimiter == "\t"
    return plain if lone else "a quotation mark that is never closed"


def _open(lines: list[str], delimiter: str) -> bool:
    """Whether a quoted field is still open at the end. A quote opens a field only at its beginning."""
    text = "".join(lines)
    if '"' not in text:
        return False
    edge = re.escape(delimiter)
    closed = re.sub(rf'(?:(?<=^)|(?<={edge}))"(?:[^"]|"")*"', "", text)
    return bool(re.search(rf'(?:^|{edge})"', closed))


def _cells(columns: list[str], row: list[str]) -> dict[str, str]:
    """Cells by column; the first filled one of several columns with one name."""
    cells: dict[str, str] = {}
    for column, cell in zip(columns, row, strict=False):
        name = canonical(column)
        if name and cell.strip() and name not in cells:
            cells[name] = cell
    return cells
