"""Which papers a filter leaves, asked of SQLite before any index is searched."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_, select

from assistant.filters import Filters
from assistant.storage.database import Database, among
from assistant.storage.schema import citekeys, identifiers, labels, papers
from assistant.storage.truth import fold


def matching_ids(database: Database, filters: Filters) -> set[str] | None:
    """Ids of the papers that meet every condition; None for the empty filter, which means every paper.

    A paper that lacks the field asked for does not match.
    """
    if filters.empty:
        return None
    with database.read() as connection:
        return set(connection.execute(select(papers.c.id).where(and_(*_conditions(filters)))).scalars())


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.year_from is not None:
        conditions.append(papers.c.year >= filters.year_from)
    if filters.year_to is not None:
        conditions.append(papers.c.year <= filters.year_to)
    for column, values in (
        (papers.c.authors_folded, filters.authors),
        (papers.c.venue_folded, filters.venues),
        (papers.c.source_folded, filters.sources),
        (func.ibid_fold(papers.c.note), filters.notes),
    ):
        if values:
            conditions.append(or_(*(func.instr(column, fold(value)) > 0 for value in values)))
    for kind, values in (("category", filters.categories), ("tag", filters.tags)):
        if values:
            labelled = select(labels.c.paper_id).where(
                labels.c.kind == kind, among(labels.c.value, map(fold, values))
            )
            conditions.append(papers.c.id.in_(labelled))
    if filters.ids is not None:
        conditions.append(_named(filters.ids))
    return conditions


def _named(references: tuple[str, ...]) -> ColumnElement[bool]:
    names = [*references, *(reference.lower() for reference in references)]
    known = select(identifiers.c.paper_id).where(among(identifiers.c.value, names))
    keyed = select(citekeys.c.paper_id).where(among(citekeys.c.key, [r.removeprefix("@") for r in references]))
    return or_(among(papers.c.id, names), papers.c.id.in_(known), papers.c.id.in_(keyed))
