"""What papers can be narrowed down by: the values of a field with how many papers have each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Select, distinct, func, literal, select

from assistant.errors import InputError
from assistant.storage.database import Database
from assistant.storage.dialect import contains, elements
from assistant.storage.schema import papers
from assistant.storage.truth import fold

Field = Literal["year", "author", "venue", "category", "tag", "source", "paper"]
FIELDS: tuple[Field, ...] = get_args(Field)


@dataclass(frozen=True, slots=True)
class Facet:
    """A value to filter by, as people read it, and the number of papers that have it."""

    value: str  # what a filter takes: for `paper` the id
    label: str
    papers: int


def facets(database: Database, field: Field, containing: str = "", limit: int = 50) -> tuple[Facet, ...]:
    """Values that hold `containing` in any case, most papers first, then by name; years in order, papers as they came.

    Raises InputError for an unknown field.
    """
    if field not in FIELDS:
        raise InputError(f"cannot filter by {field!r}; use one of {', '.join(FIELDS)}")
    with database.read() as connection:
        rows = connection.execute(_query(field, fold(containing)).limit(limit)).all()
    return tuple(Facet(str(row.value), str(row.label), int(row.papers)) for row in rows)


def _query(field: Field, containing: str) -> Select[tuple[object, ...]]:
    if field == "paper":
        query = select(papers.c.id.label("value"), papers.c.title.label("label"), literal(1).label("papers"))
        return query.where(contains(papers.c.title_folded, containing)).order_by(papers.c.row)
    count = func.count(distinct(papers.c.row))
    if field in ("author", "category", "tag"):
        column = {"author": papers.c.authors, "category": papers.c.categories, "tag": papers.c.tags}[field]
        each = elements(column)
        value, source = each.c.value, papers.join(each, literal(True))
        query = select(value.label("value"), value.label("label"), count.label("papers")).select_from(source)
    else:
        value = {"year": papers.c.year, "venue": papers.c.venue, "source": papers.c.source}[field]
        query = select(value.label("value"), value.label("label"), count.label("papers")).where(value.is_not(None))
    query = query.group_by(value)
    if containing:
        query = query.where(contains(func.lower(value), containing))
    return query.order_by(value) if field == "year" else query.order_by(count.desc(), value)
