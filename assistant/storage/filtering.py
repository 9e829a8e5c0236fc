"""Which papers a filter leaves, asked of SQLite before any index is searched."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict

from sqlalchemy import ColumnElement, and_, or_, select

from assistant.filters import Filters
from assistant.storage.database import Database
from assistant.storage.dialect import among, array, contains, folded
from assistant.storage.schema import changes, citekeys, identifiers, labels, papers
from assistant.storage.truth import fold

_REMEMBERED = 4  # filters: somebody who has set one asks under it again, and an answer takes several searches


class Matching:
    """Asks which papers a filter leaves, and remembers it until the library changes. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._known: OrderedDict[tuple[str, Filters], frozenset[str]] = OrderedDict()

    def ids(self, filters: Filters) -> set[str] | None:
        """Ids of the papers that meet every condition; None for the empty filter, which means every paper.

        A paper that lacks the field asked for does not match.
        """
        if filters.empty:
            return None
        with self._database.read() as connection:
            latest = select(changes.c.token).order_by(changes.c.number.desc()).limit(1)
            change = connection.execute(latest).scalar_one_or_none() or ""
            with self._guard:
                known = self._known.get((change, filters))
            if known is None:
                query = select(array(papers.c.id)).where(and_(*_conditions(filters)))
                known = frozenset(json.loads(connection.execute(query).scalar_one()))
        with self._guard:
            self._known[change, filters] = known
            self._known.move_to_end((change, filters))
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return set(known)


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
        (folded(papers.c.note), filters.notes),
    ):
        if values:
            conditions.append(or_(*(contains(column, fold(value)) for value in values)))
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
