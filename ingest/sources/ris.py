"""RIS as reference managers and databases write it, each with its own idea of the tags; read by rispy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.tagged import EVERY_TAG, Grammar, Tagged, tagged
from ingest.sources.text import Text

if TYPE_CHECKING:
    from rispy import RisParser

NAME: Final = "ris"
SUFFIXES: Final = (".ris", ".txt")
_TAG: Final = re.compile(r"([A-Z][A-Z0-9])(?:  ?|\t| \t)-(?:[ \t]+(.*)|$)")  # two blanks; some write one or a tab
_BEGINNING: Final = re.compile(r"^\ufeff?TY(?:  ?|\t| \t)-(?:[ \t]|$)", re.MULTILINE)
_SECOND: Final = re.compile(r"^[A-Z][A-Z0-9](?:  |\t| \t)-(?:[ \t]|$)", re.MULTILINE)
_OPENING: Final = re.compile(r"(?:TI|T1|AB|N2|AU|A1)\b")
_LISTS: Final = ["AU", "A1", "A2", "A3", "A4", "KW", "UR", "N1", "N2", "AB", "M1", "M3", "L1", "L2", "LK", "AD", "SN"]
_NOT_OURS: Final = re.compile(r"^(?:WOS|ISI|MEDLINE|rayyan|BIOSIS|CCC|L\d{6,})", re.IGNORECASE)
_CITEKEY: Final = re.compile(r"^[^\W\d_][^\s,{}()=\"#%~\\]{2,79}$")
_PUBMED: Final = re.compile(r"\b(?:pubmed|medline|nlm)\b", re.IGNORECASE)


def matches(sample: str, name: str) -> bool:
    """A line `TY  - …` with another tagged one after it."""
    beginning = _BEGINNING.search(sample)
    return beginning is not None and _SECOND.search(sample, beginning.end()) is not None


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every record, whether or not it says that it ends."""
    for item in tagged(text, name, _GRAMMAR, _parser()):
        if isinstance(item, Rejected):
            yield item
        else:
            yield record(_fields(item), f"{name}:{item.line}", f"{NAME}:{name}")


_GRAMMAR: Final = Grammar(
    begins=lambda line: line.startswith("TY") and _TAG.match(line) is not None,
    ends=lambda line: line.startswith("ER") and _TAG.match(line) is not None,
    tagged=lambda line: _TAG.match(line) is not None,
    opens=lambda line: _OPENING.match(line) is not None and _TAG.match(line) is not None,
    first="TY  - GEN",
    last="ER  - ",
)


@cache
def _parser() -> RisParser:
    import rispy

    class Tolerant(rispy.RisParser):
        def parse_line(self, line: str) -> tuple[str, str] | tuple[None, str]:
            match = _TAG.match(line)
            return (match.group(1), (match.group(2) or "").strip()) if match else (None, line.strip())

    return Tolerant(mapping=EVERY_TAG, list_tags=_LISTS, delimiter_tags_mapping={})


def _fields(item: Tagged) -> dict[str, object]:
    database = " ".join(item.all("DB", "DP"))
    accession, custom, key = item.text("AN"), item.text("C2"), item.text("ID")
    pubmed = _PUBMED.search(database) is not None
    return {
        "title": item.text("TI", "T1", "CT", "BT"),
        "abstract": item.joined("AB", "N2"),
        "authors": list(dict.fromkeys(item.all("AU", "A1"))),
        "year": item.text("PY", "Y1", "DA"),
        "date": item.text("Y1", "DA"),
        "venue": item.text("JF", "T2", "JO", "BT", "JA", "J2", "T3"),
        "doi": item.text("DO"),
        "url": item.text("UR"),
        "link": item.text("L2", "LK"),
        "tags": item.all("KW"),
        "id": "" if _CITEKEY.match(key) else key,
        "citekey": key if _CITEKEY.match(key) and not _NOT_OURS.match(key) else "",
        "pmid": accession if pubmed else custom if "scopus" in database.lower() else "",
        "arxiv": accession if accession.lower().startswith("arxiv") else "",  # as Ibid's own export has it
        "pmc": custom if custom.upper().startswith("PMC") else "",
        "worktype": "; ".join(item.all("M3")),
        "journal": item.text("JO"),
    }
