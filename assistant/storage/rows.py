"""Rows of the truth and the values they are made of and read back as: no function here asks the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from assistant.editing import Edits
from assistant.embedding.vectors import (
    PassageVectors,
    Vectors,
    beside_width,
    pack,
    pack_beside,
    packed_dimension,
    unpack,
    unpack_beside,
)
from assistant.errors import LibraryError
from assistant.papers import DETAIL_NAMES, Details, Paper, Passage, Span, details


@dataclass(frozen=True, slots=True)
class StoredPaper:
    """What one paper brings to a write.

    `vectors` parallels `passages`. None for both means that the text stands: an update of metadata only.
    `identifiers` are further (scheme, value) names of the paper beside its id, DOI and arXiv id, such as those of a
    duplicate that was linked to it; one that already belongs to another paper stays with that paper.
    """

    paper: Paper
    passages: tuple[Passage, ...] | None
    vectors: tuple[PassageVectors, ...] | None
    identifiers: tuple[tuple[str, str], ...] = ()
    citekeys: tuple[str, ...] = ()  # beside the paper's own and those that it had before
    origins: Mapping[str, str] | None = None  # field to source where that isn't `paper.source`; None: as they were
    edits: Edits | None = None  # the user's; None: as they were. An empty one takes them away
    sourced: Paper | None = None  # with `edits`: the paper as its sources have it


@dataclass(frozen=True, slots=True)
class Change:
    """A point in the history of a library; (0, "") is before anything was written."""

    number: int = 0
    token: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Passage vectors in the order of arrival: `rows[i]` is the vector of `passage_ids[i]` of `paper_ids[i]`."""

    passage_ids: tuple[str, ...] = ()
    paper_ids: tuple[str, ...] = ()
    rows: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage as a derived index wants it."""

    passage_id: str
    paper_id: str
    title: str
    text: str
    vector: NDArray[np.float32] | None
    own_words: str = ""  # the user's note and tags


def text_digest(title: str, abstract: str) -> str:
    """sha256 over title and abstract: what quotes and vectors depend on."""
    return hashlib.sha256(f"{title}\x00{abstract}".encode()).hexdigest()


def paper_digest(paper: Paper) -> str:
    """sha256 over the whole record except where it came from: unchanged means nothing to store."""
    content: list[Any] = [paper.id, paper.title, paper.abstract, paper.authors, paper.year, paper.venue, paper.doi]
    content += [paper.arxiv_id, paper.url, paper.categories, paper.tags, paper.citekey, *paper.notices, paper.note]
    content += [dict(paper.details)] if paper.details else []  # a paper without has the digest that it always had
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def fold(text: str) -> str:
    """The form in which names are compared: case-folded, blanks joined."""
    return " ".join(text.casefold().split())


def paper_columns(paper: Paper) -> dict[str, Any]:
    return {
        "id": paper.id,
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": json.dumps(paper.authors, ensure_ascii=False),
        "year": paper.year,
        "venue": paper.venue,
        "doi": paper.doi,
        "arxiv_id": paper.arxiv_id,
        "url": paper.url,
        "categories": json.dumps(paper.categories, ensure_ascii=False),
        "tags": json.dumps(paper.tags, ensure_ascii=False),
        "source": paper.source,
        "citekey": paper.citekey,
        "notices": json.dumps(paper.notices, ensure_ascii=False),
        "note": paper.note,
        "details": json.dumps(dict(paper.details), ensure_ascii=False, separators=(",", ":")),
        "title_folded": fold(paper.title),
        "authors_folded": "\n".join(map(fold, paper.authors)),
        "venue_folded": None if paper.venue is None else fold(paper.venue),
        "source_folded": None if paper.source is None else fold(paper.source),
        "digest": paper_digest(paper),
        "text_digest": text_digest(paper.title, paper.abstract),
    }


def read_paper(row: Row[Any]) -> Paper:
    """Raises LibraryError for a row that cannot have been written so."""
    try:
        return _paper(row)
    except (ValueError, TypeError, AttributeError) as error:
        raise LibraryError(f"the record of paper {row.id!r} in this library is damaged; see: ibid doctor") from error


def _paper(row: Row[Any]) -> Paper:
    return Paper(
        id=row.id,
        title=row.title,
        abstract=row.abstract,
        authors=tuple(json.loads(row.authors)),
        year=row.year,
        venue=row.venue,
        doi=row.doi,
        arxiv_id=row.arxiv_id,
        url=row.url,
        categories=tuple(json.loads(row.categories)),
        tags=tuple(json.loads(row.tags)),
        source=row.source,
        citekey=row.citekey,
        notices=tuple(json.loads(row.notices)),
        note=row.note,
        details=_details(row.details),
    )


def _details(stored: str) -> Details:
    """Names that only a newer Ibid of the same schema knows are passed over."""
    if stored == "{}":
        return ()
    return details({name: value for name, value in json.loads(stored).items() if name in DETAIL_NAMES})


def passage_columns(passage: Passage, change: int) -> dict[str, Any]:
    return {
        "paper_id": passage.paper_id,
        "ordinal": passage.ordinal,
        "start": passage.start,
        "end": passage.end,
        "tokens": passage.tokens,
        "sentences": json.dumps([[span.start, span.end] for span in passage.sentences], separators=(",", ":")),
        "change": change,
    }


def read_passage(row: Row[Any]) -> Passage:
    """A passage from a row that has the columns of `passages` and the `abstract` of its paper."""
    return Passage(
        id=row.id,
        paper_id=row.paper_id,
        ordinal=row.ordinal,
        start=row.start,
        end=row.end,
        text=row.abstract[row.start : row.end],
        tokens=row.tokens,
        sentences=tuple(Span(start, end) for start, end in json.loads(row.sentences)),
    )


def pack_vectors(made: Sequence[PassageVectors]) -> list[tuple[bytes, bytes | None]]:
    """What is stored of the vectors of passages: each one's own, and those of its sentences beside it."""
    if not made:
        return []
    own = [pack(vectors.vector[None]) for vectors in made]
    read = unpack_vectors(own)  # as they will be read, so that what is told beside them is exact
    counts = [0 if vectors.sentence_vectors is None else len(vectors.sentence_vectors) for vectors in made]
    of_sentences = [vectors.sentence_vectors for vectors in made if vectors.sentence_vectors is not None]
    if not of_sentences:
        return [(vector, None) for vector in own]
    beside = pack_beside(np.concatenate(of_sentences), np.repeat(read, counts, axis=0))
    ends = np.cumsum(counts)
    return [
        (vector, None if vectors.sentence_vectors is None else beside[end - count : end].tobytes())
        for vector, vectors, end, count in zip(own, made, ends, counts, strict=True)
    ]


def unpack_vectors(stored: Sequence[bytes]) -> Vectors:
    """Passage vectors (n, d) from what is stored of them."""
    return unpack(b"".join(stored), packed_dimension(len(stored[0]))) if stored else np.zeros((0, 0), np.float32)


def unpack_sentence_vectors(stored: Sequence[tuple[bytes, bytes]]) -> list[Vectors]:
    """Of each (passage vector, sentence vectors) as stored: the unit vectors (n, d) of the sentences."""
    if not stored:
        return []
    own = unpack_vectors([vector for vector, _ in stored])
    counts = [len(packed) // beside_width(own.shape[1]) for _, packed in stored]
    rows = unpack_beside(b"".join(packed for _, packed in stored), np.repeat(own, counts, axis=0))
    return np.split(rows, np.cumsum(counts)[:-1])
