"""RIS as reference managers and databases write it, each with its own idea of the tags; read by rispy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from assistant.entry_types import IN_BOOK, PERIODICAL, entry_type
from assistant.marked_notes import MARK
from assistant.ris_records import PROVIDER
from ingest.detailing import page_range
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
_LISTS: Final = [
    "AU",
    "A1",
    "A2",
    "A3",
    "A4",
    "KW",
    "UR",
    "N1",
    "N2",
    "AB",
    "M1",
    "M3",
    "L1",
    "L2",
    "LK",
    "AD",
    "SN",
    "AN",
    "PB",
]
_NOT_OURS: Final = re.compile(r"^(?:WOS|ISI|MEDLINE|rayyan|BIOSIS|CCC|L\d{6,})", re.IGNORECASE)
_CITEKEY: Final = re.compile(r"^[^\W\d_][^\s,{}()=\"#%~\\]{2,79}$")
_DATE: Final = re.compile(r"\d{4}/\d")
_SHORT_NUMBER: Final = re.compile(r"[\w. -]{1,12}$")
_EXPORTED: Final = re.compile(
    r"^(?:Export Date|Cited By|(?:Total )?Times Cited|CODEN|Date revised|Last updated|Correspondence Address)\b",
    re.MULTILINE,
)
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
    custom, key = item.text("C2"), item.text("ID")
    arxiv = [value for value in item.all("AN") if value.lower().startswith("arxiv")]  # as Ibid's own export has it
    accession = next((value for value in item.all("AN") if value not in arxiv), "")
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
        "arxiv": arxiv[0] if arxiv else "",
        "pmc": custom if custom.upper().startswith("PMC") else "",
        "worktype": "; ".join(item.all("M3")),
        "journal": item.text("JO"),
        "details": _details(item),
        "noted": _noted(item, of_database=(pubmed or bool(item.text("DB"))) and PROVIDER not in item.all("DP")),
    }


def _details(item: Tagged) -> dict[str, object]:
    """What the tags mean depends on the type, and on who wrote them."""
    kind = entry_type(item.text("TY"))
    venue = item.text("JF", "T2", "JO", "BT")
    short = next((name for name in item.all("J2", "JA", "JI", "J9", "JO") if name != venue), "")
    series = item.text("T3", "T2") if kind == "book" else item.text("T3") if venue else ""
    numbered = "issue" if kind in PERIODICAL or kind in IN_BOOK else "number"
    edition = item.text("ET")
    pages = page_range(item.text("SP"), item.text("EP")) or page_range(item.text("SE")) or item.text("C7")
    whole = kind == "book" and pages.isdigit()  # of a book there are as many as that
    return {
        "type": kind,
        "genre": item.text("M3") if kind in ("thesis", "report", "manuscript", "article", "patent") else "",
        "volume": item.text("VL"),
        numbered: item.text("IS", "CP"),
        "number": item.text("M1") if kind in ("report", "patent", "standard") and not item.text("IS") else "",
        **({"number": item.text("IS")} if numbered == "number" and item.text("IS") else {}),
        "page": "" if whole else pages,
        "number-of-pages": pages if whole else "",
        "publisher": item.text("PB", "PU"),
        "publisher-place": item.text("CY", "PP", "PI"),
        "editor": list(dict.fromkeys(item.all("ED") if kind == "book" else item.all("ED", "A2"))),
        "edition": "" if _DATE.match(edition) else edition,  # EndNote keeps PubMed's day of receipt there
        "collection-title": series,
        "collection-number": item.text("M1")
        if (kind in IN_BOOK or kind == "book") and _SHORT_NUMBER.match(item.text("M1"))
        else "",
        "event-title": item.text("C3") if kind == "paper-conference" and item.text("C3") != venue else "",
        "event-place": item.text("C1") if kind == "paper-conference" else "",
        "container-title-short": short,
        "ISSN": ", ".join(item.all("SN")),
        "ISBN": ", ".join(item.all("SN")),
        "language": item.text("LA"),
        "date": item.text("DA", "Y1", "PY"),
    }


def _noted(item: Tagged, *, of_database: bool) -> list[str]:
    """Managers keep notes in N1; databases, when the record was exported, and whom it cites."""
    lines = [line for value in item.all("N1", "RN") for line in value.split("\n")]
    if of_database or _EXPORTED.search("\n".join(lines)):
        return [line for line in lines if line.startswith(MARK)]
    return lines
