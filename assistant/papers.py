"""The corpus' vocabulary: papers, their passages and sentences. Frozen values, no behaviour that needs a library."""

from __future__ import annotations

from dataclasses import dataclass


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
