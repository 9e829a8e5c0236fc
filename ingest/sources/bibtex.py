"""BibTeX, read by bibtexparser; what it cannot read is reported with its line, what stands beside it comes in."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.bibtex_details import bibtex_details, bibtex_notes
from ingest.sources.text import MAX_RECORD_CHARACTERS, Text

if TYPE_CHECKING:
    from bibtexparser.model import Block, Entry, ParsingFailedBlock

NAME: Final = "bibtex"
SUFFIXES: Final = (".bib", ".bibtex", ".biblatex")
_ENTRY: Final = re.compile(
    r"^[ \t]*@[ \t]*(?!(?i:string|comment|preamble)\b)([A-Za-z]+)\s*[{(]\s*[^\s,={}()\"]*\s*,", re.MULTILINE
)
_WRAP: Final = re.compile(r"[ \t]*\n[ \t]*(?!\s)")
_BLANK_LINE: Final = re.compile(r"[ \t]*\n[ \t]*\n\s*")
_PROTECTED: Final = re.compile(r"(?<![\\\w^_}])\{([^{}\\$]*)\}")
_PROTECTED_DEPTH: Final = 3  # of braces within braces
_PART: Final = re.compile(r'"[^"]*"|\{[^{}]*\}|[\w.+/-]+')
_CONCATENATION: Final = re.compile(rf"\s*(?:{_PART.pattern})(?:\s*#\s*(?:{_PART.pattern}))+\s*")
_TEXT_FIELDS: Final = ("title", "abstract")
_BLOCK: Final = re.compile(r"[ \t]*@[ \t]*[A-Za-z]+\s*(?:[{(]|$)")
_GROUP_BLOCKS: Final = 300
_GROUP_CHARACTERS: Final = 1 << 20
_MAX_MACROS: Final = 5_000
_MACRO_CHARACTERS: Final = 500
_MAX_WAITING: Final = 100_000
_PARENT_TYPES: Final = frozenset(
    {
        "proceedings",
        "book",
        "collection",
        "mvproceedings",
        "mvbook",
        "mvcollection",
        "periodical",
        "booklet",
        "conference",
    }
)
_INHERITED: Final = (  # by `crossref`
    "title", "year", "date", "month", "booktitle", "journal", "publisher", "address", "location", "editor", "series",
    "volume", "number", "isbn", "issn", "eventtitle", "eventplace",
)  # fmt: skip


def matches(sample: str, name: str) -> bool:
    """At least one line begins an entry: `@type{key,`."""
    return _ENTRY.search(sample) is not None


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every entry as a record. Of two entries with one key both come in: they may be two papers.

    Read in pieces of some hundred entries. Entries that wait for a `crossref` further down come last.
    """
    reading = _Reading(name)
    for group in _groups(text):
        yield from reading.take(group)
    yield from reading.rest()


@dataclass(frozen=True, slots=True)
class _Group:
    """Some blocks of the file as they stand, from line `line` on; `source` is None for one that is too long."""

    line: int
    source: str | None


def _groups(text: Text) -> Iterator[_Group]:
    """The file in pieces that begin where a block does; a block that is too long is a piece by itself."""
    began, size, count = 1, 0, 0
    lines: list[str] = []
    for first, block in _cut(text):
        too_long = block is None
        if lines and (too_long or count >= _GROUP_BLOCKS or size >= _GROUP_CHARACTERS):
            yield _Group(began, "\n".join(lines))
            began, size, count, lines = first, 0, 0, []
        if block is None:
            yield _Group(first, None)
            continue
        began = began if lines else first
        lines += block
        count += 1
        size += sum(map(len, block))
    if lines:
        yield _Group(began, "\n".join(lines))


def _closed(lines: list[str]) -> bool:
    """Whether every brace is closed: then a line that is too long to be seen belongs to another block."""
    return sum(line.count("{") - line.count("}") for line in lines) == 0


def _cut(text: Text) -> Iterator[tuple[int, list[str] | None]]:
    """Each block's first line and its lines, None for one that is too long; what precedes the first is one too."""
    first, size = 1, 0
    lines: list[str] = []
    for number, line in text.numbered():
        if number > 1 and (_closed(lines) if line is None else _BLOCK.match(line)):
            yield first, lines if size <= MAX_RECORD_CHARACTERS else None
            first, size, lines = number, 0, []
        size += len(line) + 1 if line is not None else MAX_RECORD_CHARACTERS + 1
        if size <= MAX_RECORD_CHARACTERS:
            lines.append(line or "")
        else:
            lines.clear()
    yield first, lines if size <= MAX_RECORD_CHARACTERS else None


class _Reading:
    """One file: the string macros and parents met so far, and the entries that wait for a parent."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._macros: dict[str, str] = {}
        self._parents: dict[str, dict[str, str]] = {}
        self._waiting: list[tuple[dict[str, str], str]] = []
        self._found = False

    def take(self, group: _Group) -> Iterator[Record | Rejected]:
        where = f"{self._name}:{group.line}"
        if group.source is None:
            self._found = True
            yield Rejected(where, f"an entry of more than {MAX_RECORD_CHARACTERS:,} characters")
            return
        before = "".join(f"@string{{{key} = {{{value}}}}}\n" for key, value in self._macros.items())
        try:
            blocks = _blocks(before + group.source)
        except (
            Exception
        ) as error:  # bibtexparser raises what it meets; the file is then named, not the traceback shown
            self._found = True
            yield Rejected(where, f"BibTeX that cannot be read: {' '.join(str(error).split())[:160]}")
            return
        shift = group.line - len(self._macros)
        self._learn(blocks)
        for block in blocks:
            yield from self._block(block, f"{self._name}:{(block.start_line or 0) + shift}")

    def rest(self) -> Iterator[Record | Rejected]:
        for fields, where in self._waiting:
            yield _record(_inherited(fields, self._parents), where, self._name)
        if not self._found:
            yield Rejected(self._name, "no entries inside")

    def _learn(self, blocks: list[Block]) -> None:
        """Macros and parents of these blocks, the parents before any entry that names them."""
        from bibtexparser.model import Entry, String

        for block in blocks:
            if isinstance(block, String) and len(self._macros) < _MAX_MACROS:
                self._macros.setdefault(block.key.lower(), " ".join(str(block.value).split())[:_MACRO_CHARACTERS])
            elif isinstance(block, Entry) and block.entry_type.lower() in _PARENT_TYPES:
                own = _fields(block, self._macros)
                self._parents.setdefault(block.key.lower(), {key: own[key] for key in _INHERITED if key in own})

    def _block(self, block: Block, where: str) -> Iterator[Record | Rejected]:
        from bibtexparser.model import Entry, ParsingFailedBlock

        if isinstance(block, ParsingFailedBlock):
            inner = block.ignore_error_block
            if not isinstance(inner, Entry):
                for failed in _failed(block, where):
                    self._found = True
                    yield failed
                return
            block = inner  # a repeated key or field still gives a record
        if not isinstance(block, Entry):
            return
        self._found = True
        fields = _fields(block, self._macros)
        parent = fields.get("crossref", "").lower()
        if parent and parent not in self._parents and len(self._waiting) < _MAX_WAITING:
            self._waiting.append((fields, where))
        else:
            yield _record(_inherited(fields, self._parents), where, self._name)


def _blocks(source: str) -> list[Block]:
    from bibtexparser.entrypoint import parse_string

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # what fails is in our report, not on stderr
    return list(parse_string(source).blocks)


def _failed(block: ParsingFailedBlock, where: str) -> Iterator[Rejected]:
    """An entry that cannot be read is rejected with what the parser said; a macro given twice is nothing lost."""
    first = " ".join((block.raw or "").split())[:60]
    said = getattr(block.error, "abort_reason", None) or str(block.error) or type(block.error).__name__
    reason = " ".join(str(said).split()).partition(". ")[0][:160]
    if not first.lower().startswith("@string"):
        yield Rejected(where, f"a broken BibTeX entry ({first!r}): {reason}")


def _fields(entry: Entry, macros: Mapping[str, str]) -> dict[str, str]:
    """The entry's fields by lower-case name; the user's text as given, without what belongs to the file format."""
    fields = {field.key.lower(): _concatenated(str(field.value), macros) for field in reversed(entry.fields)}
    for key, value in fields.items():
        fields[key] = _unwrapped(value) if key in _TEXT_FIELDS else value
    if "title" in fields:
        fields["title"] = _unprotected(fields["title"])
    fields["citekey"] = fields.get("ibidcitekey", entry.key)  # our own export had to make a key; this is the real one
    fields.setdefault("entrytype", entry.entry_type)
    archive = (fields.get("eprinttype") or fields.get("archiveprefix") or "").lower()
    if archive in {"pubmed", "pmid"} and "eprint" in fields:
        fields["pmid"] = fields["eprint"]
    fields["worktype"] = f"{fields.get('type', '')} {fields.get('note', '')}"[:500]
    if (fields.get("booktitle") or fields.get("journal") or fields.get("journaltitle")) and "venue" in fields:
        fields["eventplace"] = fields.pop("venue")  # BibLaTeX's: where the conference was held
    return fields


def _record(fields: Mapping[str, str], where: str, name: str) -> Record | Rejected:
    told: dict[str, object] = {"details": bibtex_details(fields), "noted": bibtex_notes(fields)}
    return record({**fields, **told}, where, f"{NAME}:{name}")


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
    for _ in range(_PROTECTED_DEPTH):
        title = _PROTECTED.sub(r"\1", title)
    return title


def _concatenated(value: str, macros: Mapping[str, str]) -> str:
    """`IEEE # " Transactions"` put together, which bibtexparser leaves; text that only has a `#` in it stays."""
    if "#" not in value or not _CONCATENATION.fullmatch(value):
        return value
    parts = [part.strip() for part in _PART.findall(value)]
    bare = [part for part in parts if part[0] not in '"{']
    if len(bare) == len(parts) and not all(part.lower() in macros for part in bare):
        return value
    return "".join(part[1:-1] if part[0] in '"{' else macros.get(part.lower(), part) for part in parts)


def _inherited(fields: Mapping[str, str], entries: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """`fields` with what a `crossref` parent adds; the parent's title becomes the `booktitle`."""
    parent = entries.get(fields.get("crossref", "").lower(), {})
    inherited = {key: parent[key] for key in _INHERITED if key in parent and key != "title"}
    if "title" in parent and "booktitle" not in inherited:
        inherited["booktitle"] = parent["title"]
    return {**inherited, **fields}
