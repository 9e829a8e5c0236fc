"""The library's papers to look through: a page at a time, searched and sorted by SQLite, and their mean vectors."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, Select, func, or_, select

from assistant.errors import InputError
from assistant.storage.database import Database
from assistant.storage.dialect import among, contains
from assistant.storage.rows import unpack_vectors
from assistant.storage.schema import changes, papers, passages, vectors
from assistant.storage.truth import fold

Order = Literal["added", "title", "author", "year", "venue"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)
MOST: Final = 200  # papers of one page
_WORDS: Final = 12  # of a search that count
_AT_ONCE: Final = 2000  # papers whose vectors are read at a time
_COLUMNS: Final = {
    "added": papers.c.row,
    "title": papers.c.title_folded,
    "author": papers.c.authors_folded,
    "year": papers.c.year,
    "venue": papers.c.venue_folded,
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A paper as a list shows it."""

    id: str
    title: str
    authors: tuple[str, ...]
    year: int | None
    venue: str | None
    added: str  # ISO 8601, UTC
    abstract: bool  # whether it has one


@dataclass(frozen=True, slots=True)
class Page:
    """Papers `offset` to `offset + len(papers)` of the `total` that match."""

    papers: tuple[Listed, ...]
    total: int
    offset: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which papers, in which order. Every word of `search` is in a paper's title, authors, venue, abstract, DOI, year,
    citekey, tags or the user's note; `ids` narrows it further, where None is every paper. Papers that lack what is
    sorted by come last.
    """

    search: str = ""
    order: Order = "added"
    descending: bool = False
    ids: Collection[str] | None = None


class Shelf:
    """Reads papers in SQLite; nothing of it needs an index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, wanted: Wanted, offset: int = 0, limit: int = 50) -> Page:
        """One page; past the end it is empty. Raises InputError for an unknown order or a page of over `MOST`."""
        if wanted.order not in ORDERS:
            raise InputError(f"cannot sort by {wanted.order!r}; use one of {', '.join(ORDERS)}")
        if not 1 <= limit <= MOST or offset < 0:
            raise InputError(f"a page has 1 to {MOST} papers, not {limit} from {offset} on")
        conditions, ordered = _conditions(wanted), _ordered(wanted)
        with self._database.read() as connection:
            if conditions:  # each paper is looked at once, for the count and for the page
                matching = connection.execute(ordered.where(*conditions)).scalars().all()
                total, chosen = len(matching), list(matching[offset : offset + limit])
            else:
                total = int(connection.execute(select(func.count()).select_from(papers)).scalar_one())
                chosen = list(connection.execute(ordered.offset(offset).limit(limit)).scalars())
            rows = {row.row: row for row in connection.execute(_SHOWN.where(among(papers.c.row, chosen)))}
        return Page(tuple(_listed(rows[number]) for number in chosen), total, offset)

    def ids(self) -> tuple[str, ...]:
        """Of every paper, in the order of arrival."""
        with self._database.read() as connection:
            return tuple(connection.execute(select(papers.c.id).order_by(papers.c.row)).scalars())

    def stamp(self) -> str:
        """Another text after each change to the papers, whichever process made it; costs microseconds."""
        with self._database.read() as connection:
            row = connection.execute(select(changes).order_by(changes.c.number.desc()).limit(1)).first()
        return f"{row.number}-{row.token[:8]}" if row else "0"

    def mean_vectors(self, ids: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """(ids, rows): the mean of a paper's passage vectors as a unit row, for those that have any; in order of `ids`."""
        found: dict[str, NDArray[np.float32]] = {}
        for start in range(0, len(ids), _AT_ONCE):
            found |= self._means(ids[start : start + _AT_ONCE])
        here = tuple(one for one in ids if one in found)
        return here, np.stack([found[one] for one in here]) if here else np.zeros((0, 0), np.float32)

    def _means(self, ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        query = select(passages.c.paper_id, vectors.c.vector).join_from(passages, vectors)
        with self._database.read() as connection:
            rows = connection.execute(query.where(among(passages.c.paper_id, ids))).all()
        if not rows:
            return {}
        table = unpack_vectors([row.vector for row in rows])
        of: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            of.setdefault(row.paper_id, []).append(number)
        means = {one: table[numbers].mean(axis=0) for one, numbers in of.items()}
        return {one: mean / max(float(np.linalg.norm(mean)), 1e-9) for one, mean in means.items()}


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = [_has(word) for word in dict.fromkeys(fold(wanted.search).split()[:_WORDS])]
    if wanted.ids is not None:
        conditions.append(among(papers.c.id, wanted.ids))
    return conditions


def _has(word: str) -> ColumnElement[bool]:
    """Whether a paper has the word somewhere; the quick columns first."""
    columns = (papers.c.title_folded, papers.c.authors_folded, papers.c.venue_folded, papers.c.doi)
    found = [contains(column, word) for column in columns]
    if word.isdecimal() and len(word) == 4:
        found.append(papers.c.year == int(word))
    given = (papers.c.citekey, papers.c.tags, papers.c.own_words)  # short, and mostly empty
    return or_(*found, *(column.icontains(word, autoescape=True) for column in (*given, papers.c.abstract)))


def _ordered(wanted: Wanted) -> Select[int]:
    """Row numbers only: what is sorted by is all that SQLite has to carry along."""
    column = _COLUMNS[wanted.order]
    direction = column.desc() if wanted.descending else column.asc()
    if wanted.order == "added":
        return select(papers.c.row).order_by(direction)
    missing = column.is_(None) if wanted.order in ("year", "venue") else column == ""
    return select(papers.c.row).order_by(missing, direction, papers.c.row)


_SHOWN: Final = select(
    papers.c.row,
    papers.c.id,
    papers.c.title,
    papers.c.authors,
    papers.c.year,
    papers.c.venue,
    papers.c.added_at,
    (papers.c.abstract != "").label("has_abstract"),
)


def _listed(row: Row[Any]) -> Listed:
    authors = tuple(json.loads(row.authors))
    return Listed(row.id, row.title, authors, row.year, row.venue, row.added_at, bool(row.has_abstract))
