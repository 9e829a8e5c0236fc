"""EndNote's `%`-tagged export, also called refer: `%T Title`; the ACL Anthology's `.endf` too. Read by a rispy parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from assistant.entry_types import IN_BOOK, PERIODICAL, entry_type
from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.tagged import EVERY_TAG, Grammar, Tagged, tagged
from ingest.sources.text import Text

if TYPE_CHECKING:
    from rispy import RisParser

NAME: Final = "refer"
SUFFIXES: Final = (".enw", ".endf", ".txt")
_TAG: Final = re.compile(r"%[0-9A-Z@?!#$&()*+<>=~\[\]^](?:[ \t]|$)")
_END: Final = "%"
_OPENING: Final = re.compile(r"%[TAX][ \t]")
_LISTS: Final = ["%A", "%E", "%K", "%U", "%Y", "%?"]
_PUBMED: Final = re.compile(r"\b(?:pubmed|medline|nlm)\b", re.IGNORECASE)


def matches(sample: str, name: str) -> bool:
    """The first line is tagged, and there are titles and authors or types."""
    first = next((line for line in sample.lstrip("\ufeff").split("\n") if line.strip()), "")
    kinds = set(re.findall(r"^%([0TAX])[ \t]\S", sample, re.MULTILINE))
    return _TAG.match(first) is not None and "T" in kinds and len(kinds) > 1


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every record."""
    for item in tagged(text, name, _GRAMMAR, _parser()):
        if isinstance(item, Rejected):
            yield item
        else:
            yield record(_fields(item), f"{name}:{item.line}", f"{NAME}:{name}")


_GRAMMAR: Final = Grammar(
    begins=lambda line: line.startswith("%0") and _TAG.match(line) is not None,
    ends=lambda line: False,
    tagged=lambda line: _TAG.match(line) is not None,
    opens=lambda line: _OPENING.match(line) is not None and _TAG.match(line) is not None,
    first="%0 Generic",
    last=_END,
)


@cache
def _parser() -> RisParser:
    import rispy

    class Refer(rispy.RisParser):
        START_TAG = "%0"
        END_TAG = _END

        def parse_line(self, line: str) -> tuple[str, str] | tuple[None, str]:
            if line == _END:
                return _END, ""
            return (line[:2], line[2:].strip()) if _TAG.match(line) else (None, line.strip())

    return Refer(mapping=EVERY_TAG, list_tags=_LISTS, delimiter_tags_mapping={})


def _fields(item: Tagged) -> dict[str, object]:
    return {
        "title": item.text("%T"),
        "abstract": item.text("%X"),
        "authors": item.all("%A"),
        "year": item.text("%D", "%8"),
        "venue": item.text("%J", "%B", "%S"),
        "doi": item.text("%R"),
        "url": item.text("%U"),
        "tags": [part for value in item.all("%K") for part in value.split(";")],
        "citekey": item.text("%F"),
        "pmid": item.text("%M") if _PUBMED.search(item.text("%W", "%~")) else "",
        "worktype": item.text("%9"),
        "details": _details(item),
        "noted": item.text("%Z", "%O").split("\n"),
    }


def _details(item: Tagged) -> dict[str, object]:
    kind = entry_type(item.text("%0"))
    return {
        "type": kind,
        "genre": item.text("%9") if kind in ("thesis", "report", "patent") else "",
        "volume": item.text("%V"),
        "issue" if kind in PERIODICAL or kind in IN_BOOK or not kind else "number": item.text("%N"),
        "page": item.text("%P"),
        "publisher": item.text("%I"),
        "publisher-place": item.text("%C"),
        "editor": item.all("%E"),
        "edition": item.text("%7"),
        "collection-title": item.text("%S") if item.text("%J", "%B") else "",
        "event-title": "",
        "ISSN": item.text("%@"),
        "ISBN": item.text("%@"),
        "container-title-short": item.text("%O") if kind in PERIODICAL and len(item.text("%O")) < 60 else "",
        "language": item.text("%G"),
        "date": item.text("%8", "%D"),
    }
