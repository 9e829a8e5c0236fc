"""BibTeX, read by bibtexparser; what it cannot read is reported with its line, what stands beside it comes in."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.text import Text

if TYPE_CHECKING:
    from bibtexparser.model import Block, Entry, ParsingFailedBlock

NAME: Final = "bibtex"
SUFFIXES: Final = (".bib", ".bibtex", ".biblatex")
_ENTRY: Final = re.compile(r"^[ \t]*@[ \t]*([A-Za-z]+)\s*[{(]\s*[^\s,={}()\"]*\s*,", re.MULTILINE)
_WRAP: Final = re.compile(r"[ \t]*\n[ \t]*(?!\s)")
_BLANK_LINE: Final = re.compile(r"[ \t]*\n[ \t]*\n\s*")
_PROTECTED: Final = re.compile(r"(?<![\\\w^_}])\{([^{}\\$]*)\}")
_TEXT_FIELDS: Final = ("title", "abstract")
_INHERITED: Final = (
    "title",
    "year",
    "date",
    "booktitle",
    "journal",
    "publisher",
    "editor",
    "series",
)  # by `crossref`


def matches(sample: str, name: str) -> bool:
    """At least one line begins an entry: `@type{key,`."""
    return _ENTRY.search(sample) is not None


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every entry as a record. Of two entries with one key both come in: they may be two papers."""
    source = text.read()
    try:
        blocks = _blocks(source)
    except Exception as error:  # bibtexparser raises what it meets; the file is then named, not the traceback shown
        yield Rejected(name, f"BibTeX that cannot be read: {' '.join(str(error).split())[:160]}")
        return
    from bibtexparser.model import Entry, ParsingFailedBlock

    entries = {block.key.lower(): _fields(block) for block in blocks if isinstance(block, Entry)}
    found = False
    for block in blocks:
        where = f"{name}:{(block.start_line or 0) + 1}"
        if isinstance(block, Entry):
            found = True
            yield record(_inherited(_fields(block), entries), where, f"{NAME}:{name}")
        elif isinstance(block, ParsingFailedBlock):
            found = True
            yield from _failed(block, where, name, entries)
    if not found:
        yield Rejected(name, "no entries inside")


def _blocks(source: str) -> list[Block]:
    from bibtexparser.entrypoint import parse_string

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # what fails is in our report, not on stderr
    return list(parse_string(source).blocks)


def _failed(
    block: ParsingFailedBlock, where: str, name: str, entries: Mapping[str, Mapping[str, str]]
) -> Iterator[Record | Rejected]:
    """A repeated key or field still gives a record; anything else is rejected with what the parser said."""
    from bibtexparser.model import Entry

    inner = block.ignore_error_block
    if isinstance(inner, Entry):
        yield record(_inherited(_fields(inner), entries), where, f"{NAME}:{name}")
        return
    first = " ".join((block.raw or "").split())[:60]
    said = getattr(block.error, "abort_reason", None) or str(block.error) or type(block.error).__name__
    reason = " ".join(str(said).split()).partition(". ")[0][:160]
    if not first.lower().startswith("@string"):
        yield Rejected(where, f"a broken BibTeX entry ({first!r}): {reason}")


def _fields(entry: Entry) -> dict[str, str]:
    """The entry's fields by lower-case name; the user's text as given, without what belongs to the file format."""
    fields = {field.key.lower(): str(field.value) for field in reversed(entry.fields)}
    for key, value in fields.items():
        fields[key] = _unwrapped(value) if key in _TEXT_FIELDS else value
    if "title" in fields:
        fields["title"] = _unprotected(fields["title"])
    fields["citekey"] = fields.get("ibidcitekey", entry.key)  # our own export had to make a key; this is the real one
    fields.setdefault("entrytype", entry.entry_type)
    return fields


def _unwrapped(value: str) -> str:
    """Without the braces around the whole text and the line wrapping of the file; blank lines stay paragraphs."""
    value = value.strip()
    while value.startswith("{") and value.endswith("}") and _closes_last(value):
        value = value[1:-1].strip()
    paragraphs = (_WRAP.sub(" ", paragraph) for paragraph in _BLANK_LINE.split(value))
    return "\n\n".join(paragraphs)


def _closes_last(value: str) -> bool:
    """Whether the first brace is closed by the last character."""
    depth = 0
    for position, char in enumerate(value):
        if char in "{}" and value[position - 1 : position] != "\\":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return position == len(value) - 1
    return False


def _unprotected(title: str) -> str:
    """Without the braces that only keep a style from lower-casing a word; those of commands and formulas stay."""
    return _PROTECTED.sub(r"\1", title)


def _inherited(fields: Mapping[str, str], entries: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """`fields` with what a `crossref` parent adds; the parent's title becomes the `booktitle`."""
    parent = entries.get(fields.get("crossref", "").lower(), {})
    inherited = {key: parent[key] for key in _INHERITED if key in parent and key != "title"}
    if "title" in parent and "booktitle" not in inherited:
        inherited["booktitle"] = parent["title"]
    return {**inherited, **fields}
