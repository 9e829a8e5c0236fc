"""Step 4 of the schema: passages without a copy of their text, vectors in fewer bits, digests as bytes.

What is stored must say the same before and after, but for the last bits of vectors; docs/decisions/0034.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from sqlalchemy import Connection

from assistant.embedding.vectors import PassageVectors, Vectors, unpack
from assistant.errors import LibraryError
from assistant.storage.rows import pack_vectors
from assistant.storage.schema import as_bytes

_BATCH: Final = 500  # passages whose vectors are in memory at once

BEFORE: Final = """
CREATE TABLE passages_4 (
    "row" INTEGER NOT NULL,
    paper_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    id TEXT GENERATED ALWAYS AS (paper_id || '#' || ordinal) VIRTUAL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    sentences TEXT NOT NULL,
    change INTEGER NOT NULL,
    PRIMARY KEY ("row"),
    UNIQUE (paper_id, ordinal),
    FOREIGN KEY(paper_id) REFERENCES papers (id) ON DELETE CASCADE
);
CREATE TABLE vectors_4 (
    passage_row INTEGER NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (passage_row),
    FOREIGN KEY(passage_row) REFERENCES passages_4 ("row") ON DELETE CASCADE
);
CREATE TABLE sentence_vectors_4 (
    passage_row INTEGER NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (passage_row),
    FOREIGN KEY(passage_row) REFERENCES passages_4 ("row") ON DELETE CASCADE
);
INSERT INTO passages_4 ("row", paper_id, ordinal, start, "end", tokens, sentences, change)
    SELECT "row", paper_id, ordinal, start, "end", tokens, sentences, change FROM passages ORDER BY "row"
"""

# Tables that refer to others go first: dropping one deletes its rows, and what refers to them with them. Vectors that
# were staged for a change of embedder are made again when that goes on.
AFTER: Final = """
DROP TABLE staged_vectors;
DROP TABLE sentence_vectors;
DROP TABLE vectors;
DROP TABLE passages;
ALTER TABLE passages_4 RENAME TO passages;
ALTER TABLE vectors_4 RENAME TO vectors;
ALTER TABLE sentence_vectors_4 RENAME TO sentence_vectors;
CREATE INDEX ix_passages_change ON passages (change);
CREATE TABLE staged_vectors (
    passage_row INTEGER NOT NULL,
    vector BLOB NOT NULL,
    packed BLOB,
    PRIMARY KEY (passage_row),
    FOREIGN KEY(passage_row) REFERENCES passages ("row") ON DELETE CASCADE
);
UPDATE papers SET digest = ibid_digest(digest), text_digest = ibid_digest(text_digest)
"""


def repack(connection: Connection) -> None:
    """Fills the new tables of vectors from the old, and provides what `AFTER` needs."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise LibraryError("the library file was closed while it was brought to a newer form; open it again")
    driver.create_function("ibid_digest", 1, as_bytes, deterministic=True)
    last = -1
    while True:
        old = connection.exec_driver_sql(
            "SELECT passage_row, vector, packed FROM vectors LEFT JOIN sentence_vectors USING (passage_row)"
            " WHERE passage_row > ? ORDER BY passage_row LIMIT ?",
            (last, _BATCH),
        ).all()
        if not old:
            return
        packed = pack_vectors([PassageVectors(_single(vector), _bytes(own, vector)) for _, vector, own in old])
        rows = [row for row, _, _ in old]
        own = [(row, vector) for row, (vector, _) in zip(rows, packed, strict=True)]
        of_sentences = [(row, made) for row, (_, made) in zip(rows, packed, strict=True) if made is not None]
        _insert(connection, "vectors_4 (passage_row, vector)", own)
        _insert(connection, "sentence_vectors_4 (passage_row, packed)", of_sentences)
        last = rows[-1]


def _single(vector: bytes) -> Vectors:
    """As passage vectors were stored: in single precision."""
    return np.frombuffer(vector, "<f4")


def _bytes(packed: bytes | None, vector: bytes) -> Vectors | None:
    """As sentence vectors were stored: a byte a component."""
    return None if packed is None else unpack(packed, len(vector) // 4)


def _insert(connection: Connection, into: str, rows: list[tuple[int, bytes]]) -> None:
    if rows:
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES (?, ?)", rows)
