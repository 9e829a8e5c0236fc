"""Plain lists of DOIs, arXiv ids and PMIDs: told apart so that each line says what it lacks, instead of being no source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from assistant.identity import Identifier, normalise_identifier
from ingest.records import Record, Rejected
from ingest.sources.text import Text

NAME: Final = "identifiers"
SUFFIXES: Final = (".txt", ".csv", ".list")
_LINE: Final = re.compile(
    r"""\s*["']?(?:
        (?P<doi>(?:(?:https?://)?(?:dx\.)?doi\.org/|doi:\s*)?10\.\d{4,9}/\S+?)
      | (?P<arxiv>(?:(?:https?://)?arxiv\.org/(?:abs|pdf)/|arxiv:\s*)?(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?)
      | (?P<pmid>(?:https?://pubmed\.ncbi\.nlm\.nih\.gov/|pmid:?\s*)\d{1,9}/?)
    )["']?[,;]?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_HEADINGS: Final = {"doi", "dois", "arxiv", "arxiv_id", "arxivid", "id", "ids", "pmid", "identifier", "identifiers"}
_REASON: Final = "only an identifier, and papers need a title and an abstract; it has to be looked up online"


def matches(sample: str, name: str) -> bool:
    """Every line is one identifier, but for comments and a heading."""
    lines = [line for line in sample.split("\n")[:-1] or [sample] if line.strip() and not _passed_over(line)]
    return bool(lines) and all(len(line) < 400 and _LINE.fullmatch(line) for line in lines[:2000])


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Each identifier rejected by its line, since nothing here asks the network."""
    for number, line in text.numbered():
        if line is None or (line.strip() and not _passed_over(line)):
            found = identifier(line or "")
            told = f"{_REASON} ({found.scheme}:{found.value})" if found else "not an identifier"
            yield Rejected(f"{name}:{number}", told)


def identifier(line: str) -> Identifier | None:
    """The identifier that `line` is, in its one spelling; None where it is none."""
    match = _LINE.fullmatch(line[:400])
    if match is None or match.lastgroup is None:
        return None
    value = match.group(match.lastgroup)
    if match.lastgroup == "pmid":
        value = "".join(char for char in value if char.isdigit())
    elif match.lastgroup == "arxiv" and "arxiv" not in value.lower():
        value = f"arxiv:{value}"
    return normalise_identifier(match.lastgroup, value)


def _passed_over(line: str) -> bool:
    return line.lstrip().startswith(("#", "//")) or line.strip().strip("\"',;").lower() in _HEADINGS
