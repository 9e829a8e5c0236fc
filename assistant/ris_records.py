"""Papers as RIS records, in the tags that Zotero and EndNote give each type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from assistant.citekeys import made_key, unused
from assistant.cleaning import clean
from assistant.csl_items import family_first
from assistant.entry_types import IN_BOOK, PERIODICAL, RIS, assumed_type
from assistant.marked_notes import MARK, notice_lines
from assistant.papers import Paper

PROVIDER: Final = "Ibid"  # said where the identifier of a database is, so that notes are not taken for the database's
_TWO_PAGES: Final = re.compile(r"([^-,\s]+)-([^-,\s]+)")


def records(papers: Iterable[Paper]) -> Iterator[str]:
    """Tagged lines that end in CR LF, as the RIS specification says."""
    taken: set[str] = set()
    for paper in papers:
        key = paper.citekey or unused(made_key(paper), taken)
        yield "".join(f"{tag}  - {value}\r\n" for tag, value in _lines(paper, key) if value) + "ER  - \r\n\r\n"


def _lines(paper: Paper, key: str) -> Iterator[tuple[str, str]]:
    told = paper.detail("type")
    csl = told or ("" if assumed_type(paper) == "article" and not paper.venue else assumed_type(paper))
    if not told and csl == "article":
        csl = "article-journal"  # what an untyped record of a venue has always been
    yield "TY", RIS[csl][0] if csl else "GEN"
    yield "ID", key
    yield "TI", _one_line(clean(paper.title).text)
    for name in paper.authors:
        yield "AU", family_first(name)
    for name in filter(None, paper.detail("editor").split("; ")):
        yield "ED" if csl == "book" else "A2", family_first(name)
    yield "PY", str(paper.year or "")
    if paper.year and (month := paper.detail("month")):
        yield "DA", f"{paper.year}/{month.zfill(2)}/{paper.detail('day').zfill(2) if paper.detail('day') else ''}/"
    yield "JF" if csl == "book" else "T2", _one_line(clean(paper.venue or "").text)
    yield from _details(paper, csl)
    yield "DO", paper.doi or ""
    yield "AN", f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else ""
    yield from _medline(paper)
    yield "UR", paper.url or ""
    for tag in paper.tags:
        yield "KW", _one_line(tag)
    yield "AB", _one_line(clean(paper.abstract).text)
    for line in [*notice_lines(paper), *paper.detail("note").split("\n")]:
        yield "N1", line
    for line in paper.note.split("\n") if paper.note else ():
        yield "N1", f"{MARK} {line}".rstrip()


def _details(paper: Paper, csl: str) -> Iterator[tuple[str, str]]:
    yield "VL", paper.detail("volume")
    within = csl in PERIODICAL or csl in IN_BOOK
    yield "IS", paper.detail("issue" if within else "number")
    if csl in IN_BOOK or csl == "book":
        yield "M1", paper.detail("collection-number")
    page = paper.detail("page")
    both = _TWO_PAGES.fullmatch(page)
    yield "SP", both.group(1) if both else page or (paper.detail("number-of-pages") if csl == "book" else "")
    yield "EP", both.group(2) if both else ""
    yield "PB", paper.detail("publisher")
    yield "CY", paper.detail("publisher-place")
    yield "ET", paper.detail("edition")
    yield "T3", paper.detail("collection-title")
    if csl == "paper-conference":
        yield "C3", paper.detail("event-title")
        yield "C1", paper.detail("event-place")
    yield "M3", paper.detail("genre")
    yield "J2", paper.detail("container-title-short")
    yield "SN", paper.detail("ISSN")
    yield "SN", paper.detail("ISBN")
    yield "LA", paper.detail("language")


def _medline(paper: Paper) -> Iterator[tuple[str, str]]:
    """As EndNote has PubMed's records: the PMID as accession number, the PMCID in C2."""
    pmid = paper.detail("PMID") or (paper.id.removeprefix("pmid:") if paper.id.startswith("pmid:") else "")
    if pmid:
        yield "DB", "PubMed"
        yield "DP", PROVIDER
        yield "AN", pmid
    yield "C2", paper.detail("PMCID")


def _one_line(text: str) -> str:
    return " ".join(text.split())
