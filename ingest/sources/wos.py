"""Web of Science's tagged export: two letters, a blank, values wrapped under them; read by rispy's WokParser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from assistant.entry_types import entry_type
from ingest.detailing import page_range
from ingest.fields import record
from ingest.people import initials_first
from ingest.records import Record, Rejected
from ingest.sources.tagged import EVERY_TAG, Grammar, Tagged, tagged
from ingest.sources.text import Text

if TYPE_CHECKING:
    from rispy import RisParser

NAME: Final = "wos"
SUFFIXES: Final = (".txt", ".ciw", ".isi")
_TAG: Final = re.compile(r"[A-Z][A-Z0-9](?: |$)")
_BEGINNING: Final = re.compile(r"\s*(?:(?:FN|VR) [^\n]*\n\s*)*PT [A-Z]\s*\n")
_SECOND: Final = re.compile(r"^(?:AU|TI|SO|UT) \S", re.MULTILINE)
_OPENING: Final = re.compile(r"(?:TI|AB|AU|UT) ")
_LISTS: Final = ["AU", "AF", "BA", "BF", "CA", "RI", "OI", "CR", "C1"]


def matches(sample: str, name: str) -> bool:
    """`FN` and `VR` lines or nothing, then `PT J` and further tags."""
    return _BEGINNING.match(sample.lstrip("\ufeff")) is not None and _SECOND.search(sample) is not None


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every record."""
    for item in tagged(text, name, _GRAMMAR, _parser()):
        if isinstance(item, Rejected):
            yield item
        else:
            yield record(_fields(item), f"{name}:{item.line}", f"{NAME}:{name}")


_GRAMMAR: Final = Grammar(
    begins=lambda line: line.startswith("PT "),
    ends=lambda line: line.rstrip() in {"ER", "EF"},
    tagged=lambda line: _TAG.match(line) is not None and line[:2] not in {"FN", "VR"},
    opens=lambda line: _OPENING.match(line) is not None and _TAG.match(line) is not None,
    first="PT J",
    last="ER",
)


@cache
def _parser() -> RisParser:
    import rispy

    return rispy.WokParser(mapping=EVERY_TAG, list_tags=_LISTS)


def _fields(item: Tagged) -> dict[str, object]:
    return {
        "title": item.text("TI"),
        "abstract": item.text("AB"),
        "authors": item.all("AF") or [initials_first(name) for name in item.all("AU", "CA")],
        "year": item.text("PY", "EA"),
        "venue": item.text("SO", "JI"),
        "doi": item.text("DI"),
        "pmid": item.text("PM"),
        "url": "",
        "categories": item.text("WC"),
        "tags": item.text("DE") or item.text("ID"),
        "worktype": item.text("DT"),
        "details": {
            "type": _type(item),
            "volume": item.text("VL"),
            "issue": item.text("IS"),
            "page": page_range(item.text("BP"), item.text("EP")) or item.text("AR"),
            "publisher": item.text("PU"),
            "publisher-place": item.text("PI"),
            "ISSN": ", ".join(item.all("SN", "EI")),
            "ISBN": ", ".join(item.all("BN")),
            "editor": [initials_first(name) for name in item.all("BE", "ED")],
            "container-title-short": item.text("JI", "J9"),
            "collection-title": item.text("SE"),
            "event-title": item.text("CT"),
            "event-place": item.text("CL"),
            "number-of-pages": item.text("PG") if item.text("PT") == "B" else "",
            "language": item.text("LA"),
            "date": item.text("PD"),
        },
    }


def _type(item: Tagged) -> str:
    """Proceedings are told by their kind of document, books by that of the publication."""
    kinds = [entry_type(part) for part in item.text("DT").split(";")]
    within = {"B": "chapter", "P": "patent", "C": "paper-conference"}.get(item.text("PT"), "article-journal")
    return "paper-conference" if "paper-conference" in kinds and item.text("CT", "SE") else within
