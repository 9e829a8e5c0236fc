"""The corpus' vocabulary: papers, their passages and sentences. Frozen values, no behaviour that needs a library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from assistant.errors import InputError

# What a reference needs beside the fields of Paper, by the names of CSL's variables; `month` (1 to 12) and `day` are the
# parts of CSL's `issued` after the year, `editor` has the names in display order joined by "; ", `note` is a source's own.
DetailName = Literal[
    "ISBN", "ISSN", "PMCID", "PMID", "collection-number", "collection-title", "container-title-short", "day", "edition",
    "editor", "event-place", "event-title", "genre", "issue", "language", "month", "note", "number", "number-of-pages",
    "page", "publisher", "publisher-place", "type", "volume",
]  # fmt: skip
DETAIL_NAMES: Final[frozenset[str]] = frozenset(get_args(DetailName))
Details = tuple[tuple[str, str], ...]  # sorted pairs of a DetailName and its value


@dataclass(frozen=True, slots=True)
class Paper:
    """A bibliographic record with its abstract, as stored.

    `title` and `abstract` are the user's own text after Unicode NFC and removal of control characters;
    every offset in Ibid is a character index into `abstract` as it stands here. `id` is derived by
    `assistant.identity` and stable across imports: `doi:…`, `arxiv:…` (version-less), another stable
    identifier (`pmid:…`), or `title:` and a digest.
    """

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...] = ()  # display order, each "Given Family" or as the source gave it
    year: int | None = None
    venue: str | None = None
    doi: str | None = None  # lower case, no resolver prefix
    arxiv_id: str | None = None  # version-less
    url: str | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    source: str | None = None  # format and file name it came from, e.g. "bibtex:refs.bib"
    citekey: str | None = None  # the user's own key; of several the first
    notices: tuple[str, ...] = ()  # what a source says of its standing: "Retracted …", "Correction …"
    note: str | None = None  # the user's own
    details: Details = ()  # volume, issue, page and the like, as `details` makes them

    def __post_init__(self) -> None:
        if self.details and self.details != details(dict(self.details)):
            raise InputError(
                f"details {dict(self.details)} of paper {self.id!r} are not as `papers.details` makes them"
            )

    def detail(self, name: DetailName) -> str:
        """One of `details`; empty where there is none."""
        return next((value for given, value in self.details if given == name), "")


def details(values: Mapping[str, str]) -> Details:
    """The filled ones of `values`, sorted by name. Raises InputError for a name that is none of DETAIL_NAMES."""
    if unknown := sorted(set(values) - DETAIL_NAMES):
        raise InputError(f"no detail {unknown[0]!r} of a paper; use one of {', '.join(sorted(DETAIL_NAMES))}")
    return tuple(sorted((name, value) for name, value in values.items() if value))


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open character range `[start, end)` into a stored abstract."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable span of one abstract: `paper.abstract[start:end] == text`.

    `id` is `"{paper_id}#{ordinal}"`. `sentences` are the evidence units inside it, in order, as spans into the
    abstract (not into `text`); together they cover every non-blank character of the passage.
    """

    id: str
    paper_id: str
    ordinal: int
    start: int
    end: int
    text: str
    tokens: int  # by tiktoken cl100k_base
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked paper of `Library.search`: 1-based `rank`, higher `score` first, ties by paper id.

    `passages` are its matching passages, best first; never empty.
    """

    paper: Paper
    score: float
    rank: int
    passages: tuple[Passage, ...]
