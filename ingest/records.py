"""What a source yields: records of papers, and the reasons why something was not one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from assistant.identity import Identifier
from assistant.papers import Details, Paper


@dataclass(frozen=True, slots=True)
class Record:
    """One paper as a source describes it: its text as it will be stored (`cleaning.normalise`), identifiers in one spelling.

    `where` is the place for a report, e.g. `refs.bib:12` (1-based line); `source` what is stored with the paper, e.g.
    `bibtex:refs.bib`. Title and abstract are never empty. `others` are stable identifiers besides DOI and arXiv id, and DOIs and arXiv ids of the paper's other versions.
    """

    where: str
    source: str
    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    url: str | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    citekey: str | None = None
    keys: tuple[str, ...] = ()  # further keys of the user's own, such as Zotero's
    others: tuple[Identifier, ...] = ()
    notices: tuple[str, ...] = ()  # of the paper's standing, a line each: "Retracted …", "Correction: …"
    details: Details = ()
    note: str | None = None  # the user's own, from a file that Ibid wrote

    def paper(self, paper_id: str) -> Paper:
        """The paper to be stored under `paper_id`."""
        return Paper(
            id=paper_id,
            title=self.title,
            abstract=self.abstract,
            authors=self.authors,
            year=self.year,
            venue=self.venue,
            doi=self.doi,
            arxiv_id=self.arxiv_id,
            url=self.url,
            categories=self.categories,
            tags=self.tags,
            source=self.source,
            citekey=self.citekey,
            notices=self.notices,
            details=self.details,
        )


class Rejected(NamedTuple):
    """Something in a source that did not become a paper: where it is and why, each on one line."""

    where: str
    reason: str
