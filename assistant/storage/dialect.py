"""What only SQLite says this way: the seam to another database, see docs/decisions/0036.

Beside it, SQLite alone is meant in `database` (connections), `migrations` with its steps, and in the doctor's check
of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Function, Table, TableValuedAlias, func, select
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

__all__ = ["among", "array", "contains", "elements", "fold_text", "folded", "replacing", "upsert"]


def replacing(table: Table, unique: str, /, **values: Any) -> Insert:
    """Puts a row in the place of the one with the same `unique`, if there is one."""
    rest = {name: value for name, value in values.items() if name != unique}
    return upsert(table).values(**values).on_conflict_do_update(index_elements=[unique], set_=rest)


def among(column: ColumnElement[Any], values: Iterable[str | int]) -> ColumnElement[bool]:
    """`column IN values` for any number of values: one bound parameter, so no limit on their count."""
    return column.in_(select(elements(json.dumps(list(values))).c.value))


def array(column: ColumnElement[Any]) -> Function[Any]:
    """All values as one JSON array, the text of it: many values come so in half the time of rows, or less."""
    return func.json_group_array(column)


def elements(array: ColumnElement[Any] | str) -> TableValuedAlias:
    """The members of a JSON array, of a column or of a text, as a table of one column, `value`."""
    return func.json_each(array).table_valued("value")


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether `text` is in it, as it is written."""
    return func.instr(column, text) > 0


def folded(column: ColumnElement[Any]) -> Function[Any]:
    """The form in which names are compared: case-folded, blanks joined. Each connection brings `fold_text` for it."""
    return func.ibid_fold(column)


def fold_text(text: str | None) -> str | None:
    """`folded` for one value: SQLite's own `lower` knows ASCII only."""
    return None if text is None else " ".join(text.casefold().split())
