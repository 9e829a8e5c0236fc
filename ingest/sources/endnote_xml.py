"""EndNote's XML export: `<xml><records><record>`, every text wrapped in `<style>`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from assistant.entry_types import IN_BOOK, PERIODICAL, entry_type
from ingest.detailing import page_range
from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.text import Text
from ingest.sources.xml_stream import child, records, root, spoken

NAME: Final = "endnote-xml"
SUFFIXES: Final = (".xml",)
_RECORD: Final = frozenset({"record"})


def matches(sample: str, name: str) -> bool:
    """XML whose outermost element is `xml` or `records`, with EndNote's marks inside."""
    return root(sample) in {"xml", "records"} and any(
        mark in sample for mark in ("<ref-type", "<contributors>", "<source-app", "<rec-number>", "<titles>")
    )


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every record."""
    found = False
    for item in records(text, name, _RECORD):
        found = True
        if isinstance(item, Rejected):
            yield item
        else:
            yield record(_fields(item.element), f"{name}:{item.line}", f"{NAME}:{name}")
    if not found:
        yield Rejected(name, "no records inside")


def _fields(element: Element) -> dict[str, object]:
    return {
        "title": " ".join(child(element, "titles/title").split()),
        "abstract": child(element, "abstract"),
        "authors": _texts(element, "contributors/authors/author"),
        "year": child(element, "dates/year") or child(element, "dates/pub-dates/date"),
        "venue": child(element, "periodical/full-title") or child(element, "titles/secondary-title")
        or child(element, "titles/alt-title"),
        "doi": child(element, "electronic-resource-num"),
        "url": child(element, "urls/related-urls/url") or child(element, "urls/web-urls/url"),
        "tags": _texts(element, "keywords/keyword"),
        "citekey": child(element, "label"),
        "worktype": child(element, "work-type"),
        "pmid": child(element, "accession-num") if _from_pubmed(element) else "",
        "notices": ["retracted: so says its note"] if "retracted" in child(element, "research-notes").lower() else [],
        "details": _details(element),
        "noted": child(element, "notes").splitlines(),
    }  # fmt: skip


def _details(element: Element) -> dict[str, object]:
    told = element.find("ref-type")
    kind = entry_type((told.get("name") if told is not None else "") or "")
    secondary = _texts(element, "contributors/secondary-authors/author")
    pages = element.find("pages")
    start, end = (pages.get("start") or "", pages.get("end") or "") if pages is not None else ("", "")
    return {
        "type": kind,
        "genre": child(element, "work-type") if kind in ("thesis", "report", "patent") else "",
        "volume": child(element, "volume"),
        "issue" if kind in PERIODICAL or kind in IN_BOOK or not kind else "number": child(element, "number")
        or child(element, "issue"),
        "page": child(element, "pages") or page_range(start, end),
        "publisher": child(element, "publisher"),
        "publisher-place": child(element, "pub-location"),
        "editor": secondary if kind in IN_BOOK else [],
        "edition": "" if child(element, "edition")[:4].isdigit() else child(element, "edition"),
        "collection-title": child(element, "titles/tertiary-title"),
        "container-title-short": child(element, "periodical/abbr-1") or child(element, "titles/short-title/abbr"),
        "ISSN": child(element, "isbn") + " " + child(element, "issn"),
        "ISBN": child(element, "isbn"),
        "language": child(element, "language"),
        "date": child(element, "dates/pub-dates/date"),
    }


def _texts(element: Element, path: str) -> list[str]:
    return [text for part in element.findall(path) if (text := spoken(part).strip())]


def _from_pubmed(element: Element) -> bool:
    told = f"{child(element, 'remote-database-name')} {child(element, 'remote-database-provider')}".lower()
    return any(word in told for word in ("pubmed", "medline", "nlm"))
