"""New vectors for a whole library, made beside the old ones and swapped in at once; killed, it goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from assistant.cleaning import embedding_text
from assistant.embedding.vectors import Fingerprint, PassageVectors
from assistant.errors import LibraryError
from assistant.papers import Passage
from assistant.storage.database import Database
from assistant.storage.dialect import replacing
from assistant.storage.rows import pack_vectors
from assistant.storage.schema import meta, papers, passages, sentence_vectors, staged_vectors, vectors
from assistant.storage.truth import FINGERPRINT, make_change, read_passage

if TYPE_CHECKING:
    from assistant.embedding import Embedder

_STAGED = "staged fingerprint"
_BATCH = 64


def reembed(database: Database, embedder: Embedder) -> int:
    """Embeds every passage with `embedder`; gives how many this call embedded. The caller holds the writer lock.

    Until the last one is done the library keeps answering from its former vectors.
    """
    fingerprint = replace(embedder.fingerprint, chunker=_chunker(database)).to_json()  # the passages stand
    _begin(database, fingerprint)
    done = 0
    while batch := _missing(database):
        found = embedder.embed_passages([embedding_text(title, passage) for _, title, passage in batch])
        _stage(database, [row for row, _, _ in batch], found)
        done += len(batch)
    _adopt(database, fingerprint)
    return done


def _chunker(database: Database) -> str:
    with database.read() as connection:
        stored = connection.execute(select(meta.c.value).where(meta.c.key == FINGERPRINT)).scalar_one_or_none()
    try:
        return Fingerprint.from_json(stored).chunker if stored else ""
    except LibraryError:  # unreadable: it is about to be replaced
        return ""


def _begin(database: Database, fingerprint: str) -> None:
    with database.write() as connection:
        before = connection.execute(select(meta.c.value).where(meta.c.key == _STAGED)).scalar_one_or_none()
        if before != fingerprint:
            connection.execute(delete(staged_vectors))
            connection.execute(replacing(meta, "key", key=_STAGED, value=fingerprint))


def _missing(database: Database) -> list[tuple[int, str, Passage]]:
    """The next passages to embed: row, title of the paper, passage."""
    query = (
        select(passages, papers.c.title, papers.c.abstract)
        .join_from(passages, papers)
        .outerjoin(staged_vectors, staged_vectors.c.passage_row == passages.c.row)
        .where(staged_vectors.c.passage_row.is_(None))
        .order_by(passages.c.row)
        .limit(_BATCH)
    )
    with database.read() as connection:
        return [(row.row, row.title, read_passage(row)) for row in connection.execute(query)]


def _stage(database: Database, rows: Sequence[int], found: Sequence[PassageVectors]) -> None:
    values = [
        {"passage_row": row, "vector": own, "packed": of_sentences}
        for row, (own, of_sentences) in zip(rows, pack_vectors(found), strict=True)
    ]
    with database.write() as connection:
        connection.execute(insert(staged_vectors), values)


def _adopt(database: Database, fingerprint: str) -> None:
    with database.write() as connection:
        change = make_change(connection)
        connection.execute(delete(vectors))
        connection.execute(delete(sentence_vectors))
        staged = staged_vectors.c
        connection.execute(
            insert(vectors).from_select(["passage_row", "vector"], select(staged.passage_row, staged.vector))
        )
        connection.execute(
            insert(sentence_vectors).from_select(
                ["passage_row", "packed"], select(staged.passage_row, staged.packed).where(staged.packed.is_not(None))
            )
        )
        connection.execute(passages.update().values(change=change.number))
        connection.execute(papers.update().values(change=change.number))
        connection.execute(replacing(meta, "key", key=FINGERPRINT, value=fingerprint))
        connection.execute(delete(meta).where(meta.c.key == _STAGED))
        connection.execute(delete(staged_vectors))
