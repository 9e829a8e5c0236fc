"""Sources of papers: one module per format, told apart by content, all yielding typed records.

A format is a module with `NAME`, `SUFFIXES`, `matches(sample, name)` and `read(text, name)`; a new one is added to
`FORMATS` and nothing else changes. Order matters: the formats with the plainest marks are asked first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from assistant.errors import SourceError
from ingest.records import Record, Rejected
from ingest.sources import acl_xml, atom, bibtex, dump, endnote_xml, ids, jsonl, nbib, pubmed, refer, ris, table, wos
from ingest.sources.packed import DEFAULT_LIMITS, Limits, opened
from ingest.sources.text import Text, open_text

__all__ = ["FORMATS", "STANDARD_INPUT", "Source", "detect", "files", "read"]

STANDARD_INPUT: Final = "-"


class Source(Protocol):
    """One format. The modules of this package satisfy it."""

    @property
    def NAME(self) -> str: ...
    @property
    def SUFFIXES(self) -> tuple[str, ...]: ...

    def matches(self, sample: str, name: str) -> bool:
        """Whether the text that begins with `sample` (up to a million bytes) is of this format."""

    def read(self, text: Text, name: str) -> Iterator[Record | Rejected]:
        """Every record of `text`, and every place that should have been one."""


FORMATS: Final[tuple[Source, ...]] = (
    atom,
    pubmed,
    endnote_xml,
    acl_xml,
    nbib,
    ris,
    wos,
    refer,
    bibtex,
    jsonl,
    ids,
    table,
    dump,
)


def detect(sample: str, name: str) -> Source:
    """The format of a text, by its beginning; `name` only settles doubts. Raises SourceError for an unknown one."""
    for source in FORMATS:
        if source.matches(sample, name):
            return source
    raise SourceError(
        "not a source of papers; give BibTeX, RIS, MEDLINE, EndNote, JSON, an XML of PubMed or arXiv, a table with a title"
        " column, or alternating titles and abstracts"
    )


def read(
    origin: str | os.PathLike[str] | BinaryIO,
    name: str | None = None,
    *,
    categories: Iterable[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[Record | Rejected]:
    """The records of one file, of standard input (`-`), or of a binary stream, plain or packed (gzip, Zstandard, zip).

    Never raises for what is inside: an unreadable file is one Rejected, a broken record in it another. `name` stands
    for the source in places and in `Paper.source`; by default the file's own name. With `categories` only records in
    one of them are given, and those of other categories are not counted at all: `cs` has all of `cs.CL` inside.
    """
    wanted = frozenset(categories)
    name = _storable(name) if name else None
    if isinstance(origin, str | os.PathLike):
        found = _read_path(os.fspath(origin), name, wanted, limits)
    else:
        found = _read_stream(origin, name or "stream", wanted, limits)
    for item in found:
        if not wanted or isinstance(item, Rejected) or _within(item, wanted):
            yield item


def files(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, in a stable order, without hidden files and folders."""
    for parent, folders, found in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent) / name for name in sorted(found) if not name.startswith("."))


def _storable(name: str) -> str:
    """A file's name without the bytes that are no text in the system's encoding."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _within(record: Record, wanted: frozenset[str]) -> bool:
    return any(category == one or category.startswith(f"{one}.") for category in record.categories for one in wanted)


def _read_path(path: str, name: str | None, wanted: frozenset[str], limits: Limits) -> Iterator[Record | Rejected]:
    if path == STANDARD_INPUT:
        yield from _read_stream(sys.stdin.buffer, name or "standard input", wanted, limits)
        return
    name = name or _storable(Path(path).name)
    try:
        stream = open(path, "rb")  # noqa: SIM115  # closed below; only opening it may fail here
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        yield Rejected(path, f"cannot be opened: {getattr(error, 'strerror', None) or error}")
        return
    with stream:
        yield from _read_stream(stream, name, wanted, limits)


def _read_stream(stream: BinaryIO, name: str, wanted: frozenset[str], limits: Limits) -> Iterator[Record | Rejected]:
    try:
        for inner, plain in opened(stream, name, limits):
            yield from _read_plain(plain, inner, wanted)
    except SourceError as error:
        yield Rejected(name, str(error))
    except OSError as error:
        yield Rejected(name, f"cannot be read to its end: {' '.join(str(error).split())[:160]}")


def _read_plain(stream: BinaryIO, name: str, wanted: frozenset[str]) -> Iterator[Record | Rejected]:
    try:
        text = open_text(stream)
        text.categories = wanted
        yield from detect(text.sample, name).read(text, name)
    except SourceError as error:
        yield Rejected(name, str(error))
    except (OSError, UnicodeError) as error:
        yield Rejected(name, f"cannot be read to its end: {' '.join(str(error).split())[:160]}")
