"""Numbered steps from an empty file to the present schema; `PRAGMA user_version` says how many were taken."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, delete, insert

from assistant.errors import SchemaMismatch
from assistant.storage import first_schema, schema, smaller_rows

Step: TypeAlias = Callable[[Connection], None]


def _create(connection: Connection) -> None:
    _run(connection, first_schema.STATEMENTS)
    connection.execute(insert(schema.meta).values(key=schema.LIBRARY_ID, value=secrets.token_hex(8)))


def _keys_edits_and_sources(connection: Connection) -> None:
    """Several citekeys a paper, where each field came from, notices, the user's edits, and sources to sync with."""
    _run(connection, _SECOND)


_SECOND = """
ALTER TABLE papers ADD COLUMN notices TEXT NOT NULL DEFAULT '[]';
ALTER TABLE papers ADD COLUMN origins TEXT NOT NULL DEFAULT '{}';
ALTER TABLE papers ADD COLUMN note TEXT;
ALTER TABLE papers ADD COLUMN own_words TEXT;
CREATE TABLE edits (
    paper_id TEXT NOT NULL,
    edits TEXT NOT NULL,
    sourced TEXT NOT NULL,
    edited_at TEXT NOT NULL,
    PRIMARY KEY (paper_id),
    FOREIGN KEY(paper_id) REFERENCES papers (id) ON DELETE CASCADE
);
CREATE TABLE citekeys (
    "key" TEXT NOT NULL,
    paper_id TEXT NOT NULL,
    PRIMARY KEY ("key", paper_id),
    FOREIGN KEY(paper_id) REFERENCES papers (id) ON DELETE CASCADE
);
CREATE INDEX ix_citekeys_paper_id ON citekeys (paper_id);
INSERT INTO citekeys ("key", paper_id) SELECT citekey, id FROM papers WHERE citekey IS NOT NULL;
CREATE TABLE sources (
    id INTEGER NOT NULL,
    address TEXT NOT NULL,
    options TEXT NOT NULL,
    added_at TEXT NOT NULL,
    synced_at TEXT,
    PRIMARY KEY (id),
    UNIQUE (address)
);
CREATE TABLE source_parts (
    id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT,
    PRIMARY KEY (id),
    UNIQUE (source_id, name),
    FOREIGN KEY(source_id) REFERENCES sources (id) ON DELETE CASCADE
);
CREATE TABLE memberships (
    part_id INTEGER NOT NULL,
    paper_id TEXT NOT NULL,
    brought INTEGER NOT NULL,
    PRIMARY KEY (part_id, paper_id),
    FOREIGN KEY(part_id) REFERENCES source_parts (id) ON DELETE CASCADE,
    FOREIGN KEY(paper_id) REFERENCES papers (id) ON DELETE CASCADE
);
CREATE INDEX ix_memberships_paper_id ON memberships (paper_id)
"""


def _details(connection: Connection) -> None:
    """Volume, issue, pages and whatever else a reference needs."""
    _run(connection, "ALTER TABLE papers ADD COLUMN details TEXT NOT NULL DEFAULT '{}'")


def _smaller_rows(connection: Connection) -> None:
    """Less on disk for the same library."""
    _run(connection, smaller_rows.BEFORE)
    smaller_rows.repack(connection)
    _run(connection, smaller_rows.AFTER)
    connection.execute(delete(schema.meta).where(schema.meta.c.key == "staged fingerprint"))


def _filters_by_one_index(connection: Connection) -> None:
    """What filters ask for beside one another in an index: a library of 100,000 is gone through in a tenth of the time."""
    _run(
        connection,
        """
        DROP INDEX ix_papers_year;
        CREATE INDEX papers_for_filters ON papers (year, id, authors_folded, venue_folded, source_folded)
        """,
    )


# A later step is written as plain DDL against the schema before it, never from `schema.metadata`, which moves on.
STEPS: tuple[Step, ...] = (_create, _keys_edits_and_sources, _details, _smaller_rows, _filters_by_one_index)


def _run(connection: Connection, statements: str) -> None:
    """Each statement by itself: `executescript` would commit the caller's transaction."""
    for statement in statements.split(";"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def version(connection: Connection) -> int:
    """How many steps this file has taken; 0 for an empty file."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def check(found: int, known: int = len(STEPS)) -> None:
    """Raises SchemaMismatch when the file was made by a newer Ibid."""
    if found > known:
        raise SchemaMismatch(f"this library has schema {found}, this Ibid knows {known}; upgrade Ibid to open it")


def migrate(connection: Connection, steps: Sequence[Step] = STEPS) -> int:
    """Takes the missing steps inside the caller's transaction; gives how many were taken."""
    found = version(connection)
    check(found, len(steps))
    for step in steps[found:]:
        step(connection)
    if found < len(steps):
        connection.exec_driver_sql(f"PRAGMA user_version = {len(steps)}")
    return len(steps) - found
