"""The ACL Anthology's own XML: volumes of papers, a volume's book title and year given once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element

from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.text import Text
from ingest.sources.xml_stream import Found, child, records, root, spoken

NAME: Final = "acl-xml"
SUFFIXES: Final = (".xml",)
_PARTS: Final = frozenset({"meta", "paper"})
_ARCHIVE_ID: Final = re.compile(r"[A-Za-z]\d{2}|\d{4}\.[a-z0-9_]+")


def matches(sample: str, name: str) -> bool:
    """XML whose outermost element is the Anthology's `collection`, with papers or volumes inside."""
    return root(sample) == "collection" and ("<volume" in sample or "<paper" in sample)


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every paper of every volume; a volume's front matter is none."""
    found, volume = False, Element("meta")
    for item in records(text, name, _PARTS):
        if isinstance(item, Rejected):
            found = True
            yield item
        elif item.element.tag == "meta":
            volume = item.element
        else:
            found = True
            yield record(_fields(item, volume), f"{name}:{item.line}", f"{NAME}:{name}")
    if not found:
        yield Rejected(name, "no papers inside")


def _fields(item: Found, volume: Element) -> dict[str, object]:
    paper = item.element
    url = child(paper, "url")
    identifier = url if url and "/" not in url else _identifier(item.around, paper.get("id") or "")
    notices = [
        f"{kind}: {' '.join(spoken(part).split()) or part.get('date') or 'in the ACL Anthology'}"
        for tag, kind in (("retracted", "retracted"), ("removed", "removed"), ("erratum", "corrected"))
        for part in paper.findall(tag)
    ]
    return {
        "title": _title(paper),
        "abstract": child(paper, "abstract"),
        "authors": [_name(one) for one in paper.findall("author")],
        "year": child(paper, "year") or child(volume, "year"),
        "venue": child(volume, "journal-title") or child(volume, "booktitle") or child(paper, "booktitle"),
        "doi": child(paper, "doi"),
        "acl": identifier,
        "url": f"https://aclanthology.org/{identifier}/" if identifier else "",
        "citekey": child(paper, "bibkey"),
        "notices": notices,
        "details": {
            "type": "article-journal" if child(volume, "journal-title") else "paper-conference",
            "page": child(paper, "pages"),
            "publisher": child(volume, "publisher") or child(paper, "publisher"),
            "publisher-place": child(volume, "address") or child(paper, "address"),
            "volume": child(volume, "journal-volume"),
            "issue": child(volume, "journal-issue") or child(paper, "issue"),
            "ISBN": child(volume, "isbn") or child(paper, "isbn"),
            "editor": [_name(one) for one in volume.findall("editor")],
            "month": child(volume, "month") or child(paper, "month"),
            "language": child(paper, "language"),
        },
    }


def _name(person: Element) -> dict[str, str]:
    return {"family": child(person, "last"), "given": child(person, "first")}


def _title(paper: Element) -> str:
    return " ".join(child(paper, "title").split())


def _identifier(around: tuple[Mapping[str, str], ...], number: str) -> str:
    """`2020.acl-main.12`, or in the old style `P18-1012`."""
    ids = [attributes["id"] for attributes in around if attributes.get("id")]
    if len(ids) < 2 or not number or not _ARCHIVE_ID.fullmatch(ids[0]):
        return ""
    collection, volume = ids[:2]
    if "." in collection:
        return f"{collection}-{volume}.{number}"
    wide = 2 if collection.upper().startswith("W") else 3  # W18-0512: volume 5 of workshops, in two digits
    return f"{collection}-{volume.zfill(4 - wide)}{number.zfill(wide)}"
