"""Numbered steps from an empty file to the present schema; `PRAGMA user_version` says how many were taken."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, insert

from assistant.errors import SchemaMismatch
from assistant.storage import schema

Step: TypeAlias = Callable[[Connection], None]


def _create(connection: Connection) -> None:
    schema.metadata.create_all(connection)
    connection.execute(insert(schema.meta).values(key=schema.LIBRARY_ID, value=secrets.token_hex(8)))


# A later step is written as plain DDL against the schema before it, and `_create` is then frozen as DDL too.
STEPS: tuple[Step, ...] = (_create,)


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
