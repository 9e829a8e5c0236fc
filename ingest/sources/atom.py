"""Atom as arXiv's API answers: one entry a paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.text import Text
from ingest.sources.xml_stream import child, records, root

NAME: Final = "atom"
SUFFIXES: Final = (".atom", ".xml")
_ENTRY: Final = frozenset({"entry"})
_PARAGRAPH: Final = re.compile(r"\n[ \t]+")


def matches(sample: str, name: str) -> bool:
    """XML whose outermost element is a feed, or an entry by itself."""
    return root(sample) in {"feed", "entry"}


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every entry. The API tells of a faulty query by an entry of its own, which is rejected with what it says."""
    found = False
    for item in records(text, name, _ENTRY):
        found = True
        if isinstance(item, Rejected):
            yield item
        elif "api/errors" in child(item.element, "id"):
            yield Rejected(
                f"{name}:{item.line}", f"arXiv's answer is an error: {child(item.element, 'summary')[:120]}"
            )
        else:
            yield record(_fields(item.element), f"{name}:{item.line}", f"{NAME}:{name}")
    if not found:
        yield Rejected(name, "no entries inside")


def unwrapped(text: str) -> str:
    """arXiv's lines joined: an indented line begins a paragraph, any other goes on."""
    return " ".join(_PARAGRAPH.sub("\n\n", text.strip()).replace("\n\n", "\0").split("\n")).replace("\0", "\n\n")


def _fields(entry: Element) -> dict[str, object]:
    identifier = child(entry, "id")
    links = {link.get("title") or link.get("rel"): link.get("href") for link in entry.findall("link")}
    terms = [category.get("term") for category in entry.findall("category")]
    primary = entry.find("primary_category")
    ordered = [primary.get("term") if primary is not None else None, *terms]
    return {
        "title": child(entry, "title"),
        "abstract": unwrapped(child(entry, "summary") or child(entry, "content")),
        "authors": [name for author in entry.findall("author") if (name := child(author, "name"))],
        "year": child(entry, "published") or child(entry, "updated"),
        "venue": child(entry, "journal_ref"),
        "doi": child(entry, "doi") or links.get("doi"),
        "id": identifier,
        "url": links.get("alternate") or identifier,
        "categories": [term for term in ordered if term],
        "notices": ["withdrawn: so says its comment on arXiv"] if _withdrawn(child(entry, "comment")) else [],
        "details": {"date": child(entry, "published")},
    }


def _withdrawn(comment: str) -> bool:
    return re.search(r"\bwithdrawn\b", comment, re.IGNORECASE) is not None
