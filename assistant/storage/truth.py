"""The truth: papers, passages and vectors in SQLite. Derived indexes are made from what is read here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, delete, func, select

from assistant.embedding.vectors import packed_dimension
from assistant.errors import LibraryError, NotInLibrary
from assistant.identity import normalise_arxiv, normalise_doi
from assistant.papers import Paper, Passage
from assistant.storage.database import Database
from assistant.storage.dialect import among, upsert
from assistant.storage.rows import (
    Change,
    Matrix,
    PassageRow,
    StoredPaper,
    fold,
    paper_digest,
    read_paper,
    read_passage,
    text_digest,
    unpack_sentence_vectors,
    unpack_vectors,
)
from assistant.storage.schema import (
    LIBRARY_ID,
    changes,
    citekeys,
    identifiers,
    meta,
    papers,
    passages,
    removals,
    sentence_vectors,
    vectors,
    versions,
)
from assistant.storage.writing import make_change, note_removals, now, without_repeats, write_papers

__all__ = [
    "FINGERPRINT",
    "Change",
    "Matrix",
    "PassageRow",
    "StoredPaper",
    "Truth",
    "fold",
    "make_change",
    "now",
    "paper_digest",
    "read_passage",
    "text_digest",
]

FINGERPRINT = "fingerprint"


class Truth:
    """Reads and writes papers. Safe for any number of reading threads; the caller holds the writer lock to write."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # reading

    def change(self) -> Change:
        """The latest change; costs microseconds, so that readers can ask before each query."""
        with self._database.read() as connection:
            row = connection.execute(select(changes).order_by(changes.c.number.desc()).limit(1)).first()
        return Change(row.number, row.token) if row else Change()

    def knows(self, change: Change) -> bool:
        """Whether this history went through `change`."""
        if change == Change():
            return True
        query = select(changes.c.number).where(changes.c.number == change.number, changes.c.token == change.token)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def fingerprint(self) -> str | None:
        """The JSON of the embedder's fingerprint; None before the first write."""
        with self._database.read() as connection:
            return connection.execute(select(meta.c.value).where(meta.c.key == FINGERPRINT)).scalar_one_or_none()

    def library_id(self) -> str:
        """Made with the library; tells its collections from others' on a shared server."""
        with self._database.read() as connection:
            return str(connection.execute(select(meta.c.value).where(meta.c.key == LIBRARY_ID)).scalar_one())

    def count(self) -> int:
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(papers)).scalar_one())

    def passage_count(self) -> int:
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(passages)).scalar_one())

    def vectorless(self) -> int:
        """How many passages have no vector."""
        query = select(func.count()).select_from(passages.outerjoin(vectors)).where(vectors.c.passage_row.is_(None))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def vector_bytes(self) -> int:
        """What the passage vectors take in single precision, as an index holds them."""
        query = select(func.count(), func.max(func.length(vectors.c.vector))).select_from(vectors)
        with self._database.read() as connection:
            count, width = connection.execute(query).one()
        return int(count) * packed_dimension(width) * np.dtype(np.float32).itemsize if count else 0

    def papers(self, ids: Iterable[str] | None = None, batch: int = 500) -> Iterator[Paper]:
        """Papers in the order of arrival; reads `batch` at a time and holds no transaction between batches."""
        return map(read_paper, self._rows(ids, batch))

    def altered(self) -> Iterator[str]:
        """Ids of papers that are not as they were written, by their digests; reads every paper."""
        for row in self._rows():
            try:
                sound = row.digest == paper_digest(read_paper(row))
            except LibraryError:
                sound = False
            if not sound or row.text_digest != text_digest(row.title, row.abstract):
                yield str(row.id)

    def _rows(self, ids: Iterable[str] | None = None, batch: int = 500) -> Iterator[Row[Any]]:
        chosen = None if ids is None else list(ids)
        after = 0
        while True:
            query = select(papers).where(papers.c.row > after).order_by(papers.c.row).limit(batch)
            if chosen is not None:
                query = query.where(among(papers.c.id, chosen))
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            yield from rows
            if len(rows) < batch:
                return
            after = rows[-1].row

    def papers_by_id(self, ids: Iterable[str]) -> dict[str, Paper]:
        """The papers among `ids` that are here."""
        with self._database.read() as connection:
            rows = connection.execute(select(papers).where(among(papers.c.id, ids))).all()
        return {row.id: read_paper(row) for row in rows}

    def resolve(self, reference: str) -> str:
        """The id of the paper that `reference` names: id, identifier, citekey or exact title.

        Raises NotInLibrary when there is none, or when a citekey or title names several.
        """
        given = reference.strip()
        key = given.removeprefix("@")
        names = {given, given.lower(), normalise_doi(given), normalise_arxiv(given)} - {None}
        with self._database.read() as connection:
            for query in (
                select(papers.c.id).where(papers.c.id == given),
                select(identifiers.c.paper_id).where(identifiers.c.value.in_(names)).distinct(),
                select(papers.c.id).where(papers.c.citekey == key),
                select(citekeys.c.paper_id).where(citekeys.c.key == key),
                select(papers.c.id).where(papers.c.title_folded == fold(given)),
            ):
                found = connection.execute(query.limit(2)).scalars().all()
                if len(found) == 1:
                    return str(found[0])
                if found:
                    raise NotInLibrary(f"{reference!r} names several papers; give an id, e.g. {found[0]!r}")
        raise NotInLibrary(f"no paper {reference!r} in this library; see: ibid list")

    def find(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Which paper each (scheme, value) identifier belongs to; unknown ones are absent."""
        wanted = list(names)
        query = select(identifiers).where(among(identifiers.c.value, {value for _, value in wanted}))
        with self._database.read() as connection:
            known = {(row.scheme, row.value): row.paper_id for row in connection.execute(query)}
        return {name: known[name] for name in wanted if name in known}

    def digests(self, ids: Iterable[str], *, text_only: bool = False) -> dict[str, str]:
        """`paper_digest` (or `text_digest`) of each paper as stored."""
        column = papers.c.text_digest if text_only else papers.c.digest
        with self._database.read() as connection:
            return {
                str(row[0]): str(row[1])
                for row in connection.execute(select(papers.c.id, column).where(among(papers.c.id, ids)))
            }

    def former_text(self, paper_id: str, digest: str) -> tuple[str, str]:
        """(title, abstract) that a paper had when its `text_digest` was `digest`; raises NotInLibrary."""
        query = select(versions.c.title, versions.c.abstract).where(
            versions.c.paper_id == paper_id, versions.c.text_digest == digest
        )
        now = select(papers.c.title, papers.c.abstract).where(papers.c.id == paper_id, papers.c.text_digest == digest)
        with self._database.read() as connection:
            row = connection.execute(now).first() or connection.execute(query).first()
        if row is None:
            raise NotInLibrary(f"no text {digest!r} of paper {paper_id!r} in this library")
        return row.title, row.abstract

    def passages(self, paper_id: str) -> tuple[Passage, ...]:
        """The passages of a paper in order; empty for an unknown one."""
        query = _PASSAGES.where(passages.c.paper_id == paper_id).order_by(passages.c.ordinal)
        with self._database.read() as connection:
            return tuple(map(read_passage, connection.execute(query)))

    def passages_by_id(self, ids: Iterable[str]) -> dict[str, Passage]:
        """The passages among `ids` that are here."""
        with self._database.read() as connection:
            rows = connection.execute(_PASSAGES.where(_these(ids))).all()
        return {row.id: read_passage(row) for row in rows}

    def vectors(self, passage_ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        query = select(passages.c.id, vectors.c.vector).join_from(passages, vectors)
        with self._database.read() as connection:
            rows = connection.execute(query.where(_these(passage_ids))).all()
        return dict(zip([row.id for row in rows], unpack_vectors([row.vector for row in rows]), strict=True))

    def sentence_vectors(self, passage_ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """`(n, d)` per passage, a row for each of its sentences; absent where the embedder gave none."""
        query = select(passages.c.id, vectors.c.vector, sentence_vectors.c.packed)
        query = query.join_from(passages, sentence_vectors).join(vectors, vectors.c.passage_row == passages.c.row)
        with self._database.read() as connection:
            rows = connection.execute(query.where(_these(passage_ids))).all()
        found = unpack_sentence_vectors([(row.vector, row.packed) for row in rows])
        return dict(zip([row.id for row in rows], found, strict=True))

    def matrix(
        self, paper_ids: Iterable[str] | None = None, *, after: int = 0, passage_ids: Iterable[str] | None = None
    ) -> Matrix:
        """Vectors of all passages, or of those that match: of some papers, or stamped above change `after`."""
        query = select(passages.c.id, passages.c.paper_id, vectors.c.vector).join_from(passages, vectors)
        if paper_ids is not None:
            query = query.where(among(passages.c.paper_id, paper_ids))
        if passage_ids is not None:
            query = query.where(_these(passage_ids))
        if after:
            query = query.where(passages.c.change > after)
        # Sorted by an expression where few are newer: SQLite would look for them in the order of the table.
        order = query.order_by(passages.c.row + 0 if after else passages.c.row)
        with self._database.read() as connection:
            rows = connection.execute(order).all()
        if not rows:
            return Matrix()
        table = unpack_vectors([row.vector for row in rows])
        return Matrix(tuple(row.id for row in rows), tuple(row.paper_id for row in rows), table)

    def passage_rows(self, *, after: int = 0, papers_at_once: int = 500) -> Iterator[list[PassageRow]]:
        """Passages stamped above change `after`, for an index that catches up: papers in the order of arrival, the
        passages of a paper always in one list."""
        # SQLite would look for newer papers from the first one on, in order of arrival: where they are few it is told.
        few = self._newer_papers(after, papers_at_once) if after else None
        last = 0
        while True:
            group = select(papers).where(papers.c.row > last, papers.c.change > after)
            if few is not None:
                group = group.where(among(papers.c.row, few))
            with self._database.read() as connection:
                rows = connection.execute(group.order_by(papers.c.row).limit(papers_at_once)).all()
                found = connection.execute(
                    _PASSAGES.add_columns(vectors.c.vector)
                    .outerjoin(vectors, vectors.c.passage_row == passages.c.row)
                    .where(passages.c.change > after, among(passages.c.paper_id, [row.id for row in rows]))
                ).all()
            if found:
                yield _passage_rows(rows, found)
            if len(rows) < papers_at_once or few is not None:
                return
            last = rows[-1].row

    def _newer_papers(self, after: int, most: int) -> list[int] | None:
        """Rows of the papers stamped above change `after`; None when there are more than `most`."""
        query = select(papers.c.row).where(papers.c.change > after).limit(most + 1)
        with self._database.read() as connection:
            rows = list(connection.execute(query).scalars())
        return rows if len(rows) <= most else None

    def newer(self, after: int) -> int:
        """How many passages are stamped above change `after`."""
        query = select(func.count()).select_from(passages).where(passages.c.change > after)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def sample(self, size: int, until: Change) -> list[str]:
        """Up to `size` passages by chance, of those with vectors that were last changed by `until`."""
        query = select(passages.c.id).join_from(passages, vectors).where(passages.c.change <= until.number)
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(func.random()).limit(size)).scalars())

    def removed_since(self, after: int) -> dict[str, str]:
        """Passages, with their paper, that were taken out above change `after` and are not back."""
        query = (
            select(removals.c.passage_id, removals.c.paper_id)
            .outerjoin_from(removals, passages, _REMOVED_ONE)
            .where(removals.c.change > after, passages.c.id.is_(None))
        )
        with self._database.read() as connection:
            return {row.passage_id: row.paper_id for row in connection.execute(query)}

    def replaced_since(self, after: int) -> int:
        """How many passages were taken out above change `after` and are back."""
        query = (
            select(func.count(removals.c.passage_id.distinct()))
            .join_from(removals, passages, _REMOVED_ONE)
            .where(removals.c.change > after)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def any_removed(self, after: int) -> bool:
        """Whether a passage was taken out or replaced above change `after`."""
        query = select(removals.c.row).where(removals.c.change > after).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    # writing

    def write(self, batch: Sequence[StoredPaper], fingerprint: str) -> Change:
        """Adds or replaces the papers of `batch` in one transaction: all of them are stored, or none."""
        with self._database.write() as connection:
            connection.execute(
                upsert(meta).values(key=FINGERPRINT, value=fingerprint).on_conflict_do_nothing(index_elements=["key"])
            )
            change = make_change(connection)
            for group in without_repeats(batch):
                write_papers(connection, group, change.number)
        return change

    def remove(self, ids: Sequence[str]) -> int:
        """Takes papers out with all that hangs on them; gives how many were there."""
        with self._database.write() as connection:
            present = connection.execute(select(papers.c.id).where(among(papers.c.id, ids))).scalars().all()
            if present:
                change = make_change(connection)
                note_removals(connection, present, change.number)
                connection.execute(delete(papers).where(among(papers.c.id, present)))
        return len(present)


_PASSAGES = select(passages, papers.c.abstract).join_from(passages, papers)
_REMOVED_ONE = (passages.c.paper_id == removals.c.paper_id) & (passages.c.id == removals.c.passage_id)


def _these(passage_ids: Iterable[str]) -> ColumnElement[bool]:
    """Passages by id, which has no index: found by their paper's."""
    ids = list(passage_ids)
    return among(passages.c.paper_id, {id_.rpartition("#")[0] for id_ in ids}) & among(passages.c.id, ids)


def _passage_rows(of_papers: Sequence[Row[Any]], of_passages: Iterable[Row[Any]]) -> list[PassageRow]:
    """In the order of the papers, and of the passages in each."""
    papers_by_id = {row.id: row for row in of_papers}
    places = {id_: place for place, id_ in enumerate(papers_by_id)}
    ordered = sorted(of_passages, key=lambda row: (places[row.paper_id], row.ordinal))
    unpacked = iter(unpack_vectors([row.vector for row in ordered if row.vector is not None]))
    return [
        PassageRow(
            row.id,
            row.paper_id,
            papers_by_id[row.paper_id].title,
            row.abstract[row.start : row.end],
            None if row.vector is None else next(unpacked),
            papers_by_id[row.paper_id].own_words or "",
        )
        for row in ordered
    ]
