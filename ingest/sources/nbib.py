"""MEDLINE as PubMed exports it (`.nbib`): tags of four letters, values wrapped under them; read by a rispy parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from ingest.fields import record
from ingest.people import initials_first
from ingest.records import Record, Rejected
from ingest.sources.tagged import EVERY_TAG, Grammar, Tagged, tagged
from ingest.sources.text import Text

if TYPE_CHECKING:
    from rispy import RisParser

NAME: Final = "nbib"
SUFFIXES: Final = (".nbib", ".txt")
_TAG: Final = re.compile(r"([A-Z][A-Z0-9]{1,3}) {0,2}-(?: (.*)|$)")
_BEGINNING: Final = re.compile(r"^\ufeff?PMID- ?\d", re.MULTILINE)
_SECOND: Final = re.compile(r"^(?:TI|AB|FAU|AU|DP|JT|BTI) {1,2}- ", re.MULTILINE)
_OPENING: Final = re.compile(r"(?:TI|AB|FAU|AU)\b")
_LISTS: Final = [
    "AU", "FAU", "CN", "PT", "OT", "MH", "AID", "LID", "IS", "RIN", "EIN", "ECI", "CRI", "PRIN", "ROF", "AD", "CI", "GR",
]  # fmt: skip
_NOTICES: Final = {
    "RIN": "retracted:",
    "PRIN": "partly retracted:",
    "ECI": "expression of concern:",
    "EIN": "corrected:",
    "CRI": "corrected:",
    "ROF": "is the retraction of",
}


def matches(sample: str, name: str) -> bool:
    """A line `PMID- 123` and another of MEDLINE's tags after it."""
    beginning = _BEGINNING.search(sample)
    return beginning is not None and _SECOND.search(sample, beginning.end()) is not None


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every record; its retractions, concerns and corrections are its notices."""
    for item in tagged(text, name, _GRAMMAR, _parser()):
        if isinstance(item, Rejected):
            yield item
        else:
            yield record(_fields(item), f"{name}:{item.line}", f"{NAME}:{name}")


_GRAMMAR: Final = Grammar(
    begins=lambda line: line.startswith("PMID") and _TAG.match(line) is not None,
    ends=lambda line: False,
    tagged=lambda line: _TAG.match(line) is not None,
    opens=lambda line: _OPENING.match(line) is not None and _TAG.match(line) is not None,
    first="PMID- ",
    last="ER  - ",
)


@cache
def _parser() -> RisParser:
    import rispy

    class Medline(rispy.RisParser):
        START_TAG = "PMID"

        def parse_line(self, line: str) -> tuple[str, str] | tuple[None, str]:
            match = _TAG.match(line)
            return (match.group(1), (match.group(2) or "").strip()) if match else (None, line.strip())

        def _add_list_value(self, record: dict[str, list[str]], name: str, value: str | list[str]) -> None:
            """A wrapped line of a value goes on; rispy would make it a value of its own."""
            record.setdefault(name, []).extend([value] if isinstance(value, str) else value)

        def _add_tag(
            self, record: dict[str, list[str]], tag: str, content: str, extend_multiline: bool = False
        ) -> None:
            if extend_multiline and record.get(tag) and tag in self.list_tags:
                record[tag][-1] = f"{record[tag][-1]} {content}"
            else:
                super()._add_tag(record, tag, content, extend_multiline)

    return Medline(mapping=EVERY_TAG, list_tags=_LISTS, delimiter_tags_mapping={})


def _fields(item: Tagged) -> dict[str, object]:
    pmid = item.text("PMID")
    located = [value.partition(" [doi]")[0] for value in item.all("LID", "AID") if value.endswith("[doi]")]
    full = item.all("FAU")
    notices = [f"{kind} {value}" for tag, kind in _NOTICES.items() for value in item.all(tag)]
    return {
        "title": item.text("TI", "BTI", "TT"),
        "abstract": item.text("AB", "OAB"),
        "authors": (full or [initials_first(name) for name in item.all("AU")]) + item.all("CN"),
        "year": item.text("DP", "DEP"),
        "venue": item.text("JT", "BTI", "TA"),
        "doi": located[0] if located else "",
        "pmid": pmid,
        "pmc": item.text("PMC"),
        "url": f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" if pmid.isdigit() else "",
        "tags": item.all("OT") or item.all("MH"),
        "worktype": "; ".join(item.all("PT")),
        "notices": notices,
        "details": {
            "type": "chapter"
            if item.text("BTI")
            else "article"
            if "Preprint" in item.all("PT")
            else "article-journal",
            "volume": item.text("VI"),
            "issue": item.text("IP"),
            "page": item.text("PG")
            or next((v.partition(" [")[0] for v in item.all("LID") if v.endswith("[pii]")), ""),
            "ISSN": ", ".join(item.all("IS")),
            "ISBN": item.text("ISBN"),
            "container-title-short": item.text("TA"),
            "publisher": item.text("PB"),
            "publisher-place": item.text("PL") if item.text("PB") else "",  # else of the journal: a country
            "editor": item.all("FED") or [initials_first(name) for name in item.all("ED")],
            "language": item.text("LA"),
            "date": item.text("DP"),
        },
    }
