"""The truth: papers, passages and vectors in SQLite. Derived indexes are made from what is read here."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, func, insert, select

from assistant.editing import Edits, own_words, sourced_values
from assistant.embedding.vectors import PassageVectors, pack, unpack
from assistant.errors import NotInLibrary
from assistant.identity import normalise_arxiv, normalise_doi
from assistant.papers import DETAIL_NAMES, Details, Paper, Passage, Span, details
from assistant.storage.database import Database
from assistant.storage.dialect import among, upsert
from assistant.storage.schema import (
    LIBRARY_ID,
    changes,
    citekeys,
    edits,
    identifiers,
    labels,
    meta,
    papers,
    passages,
    removals,
    sentence_vectors,
    vectors,
    versions,
)

FINGERPRINT = "fingerprint"


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
        """What the passage vectors take."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.sum(func.length(vectors.c.vector)))).scalar_one() or 0)

    def papers(self, ids: Iterable[str] | None = None, batch: int = 500) -> Iterator[Paper]:
        """Papers in the order of arrival; reads `batch` at a time and holds no transaction between batches."""
        chosen = None if ids is None else list(ids)
        after = 0
        while True:
            query = select(papers).where(papers.c.row > after).order_by(papers.c.row).limit(batch)
            if chosen is not None:
                query = query.where(among(papers.c.id, chosen))
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            yield from map(_paper, rows)
            if len(rows) < batch:
                return
            after = rows[-1].row

    def papers_by_id(self, ids: Iterable[str]) -> dict[str, Paper]:
        """The papers among `ids` that are here."""
        with self._database.read() as connection:
            rows = connection.execute(select(papers).where(among(papers.c.id, ids))).all()
        return {row.id: _paper(row) for row in rows}

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
        query = select(passages).where(passages.c.paper_id == paper_id).order_by(passages.c.ordinal)
        with self._database.read() as connection:
            return tuple(map(read_passage, connection.execute(query)))

    def passages_by_id(self, ids: Iterable[str]) -> dict[str, Passage]:
        """The passages among `ids` that are here."""
        with self._database.read() as connection:
            rows = connection.execute(select(passages).where(among(passages.c.id, ids))).all()
        return {row.id: read_passage(row) for row in rows}

    def vectors(self, passage_ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        query = select(passages.c.id, vectors.c.vector).join_from(passages, vectors)
        with self._database.read() as connection:
            rows = connection.execute(query.where(among(passages.c.id, passage_ids))).all()
        return {row.id: _vector(row.vector) for row in rows}

    def sentence_vectors(self, passage_ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """`(n, d)` per passage, a row for each of its sentences; absent where the embedder gave none."""
        query = select(passages.c.id, sentence_vectors.c.packed, func.length(vectors.c.vector).label("width"))
        query = query.join_from(passages, sentence_vectors).join(vectors, vectors.c.passage_row == passages.c.row)
        with self._database.read() as connection:
            rows = connection.execute(query.where(among(passages.c.id, passage_ids))).all()
        return {row.id: unpack(row.packed, row.width // 4) for row in rows}

    def matrix(
        self, paper_ids: Iterable[str] | None = None, *, after: int = 0, passage_ids: Iterable[str] | None = None
    ) -> Matrix:
        """Vectors of all passages, or of those that match: of some papers, or stamped above change `after`."""
        query = select(passages.c.id, passages.c.paper_id, vectors.c.vector).join_from(passages, vectors)
        if paper_ids is not None:
            query = query.where(among(passages.c.paper_id, paper_ids))
        if passage_ids is not None:
            query = query.where(among(passages.c.id, passage_ids))
        if after:
            query = query.where(passages.c.change > after)
        # Sorted by an expression where few are newer: SQLite would look for them in the order of the table.
        order = query.order_by(passages.c.row + 0 if after else passages.c.row)
        with self._database.read() as connection:
            rows = connection.execute(order).all()
        if not rows:
            return Matrix()
        table = np.frombuffer(b"".join(row.vector for row in rows), dtype="<f4").reshape(len(rows), -1)
        return Matrix(tuple(row.id for row in rows), tuple(row.paper_id for row in rows), table)

    def passage_rows(self, *, after: int = 0, papers_at_once: int = 500) -> Iterator[list[PassageRow]]:
        """Passages stamped above change `after`, for an index that catches up: papers in the order of arrival, the
        passages of a paper always in one list."""
        # SQLite would look for newer papers from the first one on, in order of arrival: where they are few it is told.
        few = self._newer_papers(after, papers_at_once) if after else None
        last = 0
        while True:
            group = (
                select(papers.c.row, papers.c.id, papers.c.title, papers.c.own_words)
                .where(papers.c.row > last, papers.c.change > after)
                .order_by(papers.c.row)
                .limit(papers_at_once)
            )
            if few is not None:
                group = group.where(among(papers.c.row, few))
            chosen = group.subquery()
            query = (
                select(
                    passages.c.id,
                    passages.c.paper_id,
                    chosen.c.title,
                    chosen.c.own_words,
                    passages.c.text,
                    vectors.c.vector,
                )
                .join_from(chosen, passages, passages.c.paper_id == chosen.c.id)
                .outerjoin(vectors, vectors.c.passage_row == passages.c.row)
                .where(passages.c.change > after)
                .order_by(chosen.c.row, passages.c.ordinal)
            )
            with self._database.read() as connection:
                rows = connection.execute(group).all()
                found = connection.execute(query).all()
            if found:
                yield [
                    PassageRow(id_, paper, title, text, None if blob is None else _vector(blob), own or "")
                    for id_, paper, title, own, text, blob in found
                ]
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
            .outerjoin_from(removals, passages, passages.c.id == removals.c.passage_id)
            .where(removals.c.change > after, passages.c.id.is_(None))
        )
        with self._database.read() as connection:
            return {row.passage_id: row.paper_id for row in connection.execute(query)}

    def replaced_since(self, after: int) -> int:
        """How many passages were taken out above change `after` and are back."""
        query = (
            select(func.count(removals.c.passage_id.distinct()))
            .join_from(
                removals,
                passages,
                (passages.c.paper_id == removals.c.paper_id) & (passages.c.id == removals.c.passage_id),
            )
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
            for group in _without_repeats(batch):
                _write_papers(connection, group, change.number)
        return change

    def remove(self, ids: Sequence[str]) -> int:
        """Takes papers out with all that hangs on them; gives how many were there."""
        with self._database.write() as connection:
            present = connection.execute(select(papers.c.id).where(among(papers.c.id, ids))).scalars().all()
            if present:
                change = make_change(connection)
                _note_removals(connection, present, change.number)
                connection.execute(delete(papers).where(among(papers.c.id, present)))
        return len(present)


def now() -> str:
    """UTC, ISO 8601, to the microsecond so that strings sort in time's order."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def make_change(connection: Connection) -> Change:
    """The next change of the history; belongs to the caller's transaction."""
    token = secrets.token_hex(8)
    number = connection.execute(
        insert(changes).values(token=token, made_at=now()).returning(changes.c.number)
    ).scalar_one()
    return Change(number, token)


def _note_removals(connection: Connection, paper_ids: Sequence[str], change: int) -> None:
    gone = select(passages.c.id, passages.c.paper_id).where(among(passages.c.paper_id, paper_ids))
    rows = [
        {"passage_id": passage_id, "paper_id": paper_id, "change": change}
        for passage_id, paper_id in connection.execute(gone)
    ]
    if rows:
        connection.execute(insert(removals), rows)


def _without_repeats(batch: Sequence[StoredPaper]) -> Iterator[list[StoredPaper]]:
    """`batch` in order, cut where a paper comes again."""
    group: dict[str, StoredPaper] = {}
    for stored in batch:
        if stored.paper.id in group:
            yield list(group.values())
            group = {}
        group[stored.paper.id] = stored
    if group:
        yield list(group.values())


def _write_papers(connection: Connection, group: Sequence[StoredPaper], change: int) -> None:
    """Stores papers of different ids, a statement for all of them wherever one will do."""
    ids = [stored.paper.id for stored in group]
    before = {row.id: row for row in connection.execute(select(papers).where(among(papers.c.id, ids)))}
    new, reworded = [], []
    for stored in group:
        values = _columns(stored.paper) | {"change": change, "updated_at": now()} | _additions(stored)
        if stored.paper.id in before:
            former = before[stored.paper.id]
            if stored.passages is None and values.get("own_words", former.own_words) != former.own_words:
                reworded.append(former.id)
            _replace_paper(connection, former, values)
        else:
            new.append(_BARE | values | {"added_at": values["updated_at"]})
    if new:
        connection.execute(insert(papers), new)
    _write_names(connection, group, sorted(before))
    _write_edits(connection, group)
    if reworded:  # the passages stand, and yet the lexical index must read them again
        _note_removals(connection, reworded, change)
        connection.execute(passages.update().where(among(passages.c.paper_id, reworded)).values(change=change))
    cut = [stored for stored in group if stored.passages is not None]
    recut = [stored.paper.id for stored in cut if stored.paper.id in before]
    if recut:
        _note_removals(connection, recut, change)
        connection.execute(delete(passages).where(among(passages.c.paper_id, recut)))
    _write_passages(connection, cut, change)


def _replace_paper(connection: Connection, before: Row[Any], values: dict[str, Any]) -> None:
    """The paper's new row; a text that is no longer its own is kept among its versions."""
    if before.text_digest != values["text_digest"]:
        former = upsert(versions).values(
            paper_id=before.id,
            text_digest=before.text_digest,
            title=before.title,
            abstract=before.abstract,
            replaced_at=values["updated_at"],
        )
        connection.execute(former.on_conflict_do_nothing())
    connection.execute(papers.update().where(papers.c.id == before.id).values(**values))


def _write_names(connection: Connection, group: Sequence[StoredPaper], known: Sequence[str]) -> None:
    """Identifiers, where nobody has them yet, citekeys, and labels, in place of those of the `known` papers."""
    names, marks, keys = [], [], []
    for stored in group:
        paper = stored.paper
        own_keys = {*stored.citekeys, *([paper.citekey] if paper.citekey else [])}
        keys += [{"key": key, "paper_id": paper.id} for key in sorted(own_keys)]
        own = set(stored.identifiers)
        own |= {("doi", paper.doi)} if paper.doi else set()
        own |= {("arxiv", paper.arxiv_id)} if paper.arxiv_id else set()
        names += [{"scheme": scheme, "value": value, "paper_id": paper.id} for scheme, value in sorted(own)]
        labelled = {("category", fold(value)) for value in paper.categories}
        labelled |= {("tag", fold(value)) for value in paper.tags}
        marks += [{"kind": kind, "value": value, "paper_id": paper.id} for kind, value in sorted(labelled)]
    if names:
        connection.execute(upsert(identifiers).on_conflict_do_nothing(), names)
    if keys:
        connection.execute(upsert(citekeys).on_conflict_do_nothing(), keys)
    if known:
        connection.execute(delete(labels).where(among(labels.c.paper_id, known)))
    if marks:
        connection.execute(insert(labels), marks)


_BARE = {"origins": "{}", "own_words": None}  # of a paper that comes without


def _additions(stored: StoredPaper) -> dict[str, Any]:
    """The columns that a write may leave as they are."""
    added: dict[str, Any] = {}
    if stored.origins is not None:
        added["origins"] = json.dumps(dict(stored.origins), ensure_ascii=False)
    if stored.edits is not None:
        added["own_words"] = own_words(stored.paper, stored.edits)
    return added


def _write_edits(connection: Connection, group: Sequence[StoredPaper]) -> None:
    for stored in group:
        if stored.edits is None:
            continue
        mine = edits.c.paper_id == stored.paper.id
        connection.execute(delete(edits).where(mine))
        if not stored.edits.empty:
            sourced = sourced_values(stored.sourced or stored.paper, stored.edits)
            values = {"edits": stored.edits.to_json(), "sourced": json.dumps(sourced, ensure_ascii=False)}
            connection.execute(insert(edits).values(paper_id=stored.paper.id, edited_at=now(), **values))


def _write_passages(connection: Connection, group: Sequence[StoredPaper], change: int) -> None:
    """Passages and their vectors. Rows are numbered here, as SQLite would, to insert them all at once."""
    last = connection.execute(select(func.coalesce(func.max(passages.c.row), 0))).scalar_one()
    pairs = [pair for stored in group for pair in zip(stored.passages or (), stored.vectors or (), strict=True)]
    rows = [_passage_columns(passage, change) for passage, _ in pairs]
    own = [
        {"passage_row": row, "vector": np.ascontiguousarray(made.vector, dtype="<f4").tobytes()}
        for row, (_, made) in enumerate(pairs, last + 1)
    ]
    of_sentences = [
        {"passage_row": row, "packed": pack(made.sentence_vectors)}
        for row, (_, made) in enumerate(pairs, last + 1)
        if made.sentence_vectors is not None
    ]
    for table, values in (
        (passages, [columns | {"row": row} for row, columns in enumerate(rows, last + 1)]),
        (vectors, own),
        (sentence_vectors, of_sentences),
    ):
        if values:
            connection.execute(insert(table), values)


def _passage_columns(passage: Passage, change: int) -> dict[str, Any]:
    return {
        "id": passage.id,
        "paper_id": passage.paper_id,
        "ordinal": passage.ordinal,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "tokens": passage.tokens,
        "sentences": json.dumps([[span.start, span.end] for span in passage.sentences], separators=(",", ":")),
        "change": change,
    }


def _vector(blob: bytes) -> NDArray[np.float32]:
    return np.frombuffer(blob, dtype="<f4")


def _columns(paper: Paper) -> dict[str, Any]:
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


def read_passage(row: Row[Any]) -> Passage:
    """A passage from a row that has the columns of `passages`."""
    return Passage(
        id=row.id,
        paper_id=row.paper_id,
        ordinal=row.ordinal,
        start=row.start,
        end=row.end,
        text=row.text,
        tokens=row.tokens,
        sentences=tuple(Span(start, end) for start, end in json.loads(row.sentences)),
    )
