"""Sources that the library remembers for `ibid sync`: their parts, what was read of each, and the papers that it held."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select

from assistant.errors import NotInLibrary
from assistant.storage.database import Database
from assistant.storage.dialect import among, upsert
from assistant.storage.schema import edits, memberships, source_parts, sources
from assistant.storage.truth import now


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """A remembered source; `papers` is how many its parts held when they were last read. Times are UTC, ISO 8601."""

    address: str
    options: Mapping[str, Any]
    added_at: str
    synced_at: str | None
    papers: int


class Sources:
    """Reads and writes; the caller holds the library's writer lock for writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[SourceSummary, ...]:
        """In the order in which they were first synced."""
        joined = sources.outerjoin(source_parts, source_parts.c.source_id == sources.c.id)
        joined = joined.outerjoin(memberships, memberships.c.part_id == source_parts.c.id)
        count = func.count(memberships.c.paper_id.distinct())
        query = (
            select(sources, count.label("papers")).select_from(joined).group_by(sources.c.id).order_by(sources.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(
            SourceSummary(row.address, json.loads(row.options), row.added_at, row.synced_at, row.papers)
            for row in rows
        )

    def states(self, address: str) -> dict[str, str | None]:
        """Each part that was begun, with the state of what was last read to its end; empty for an unknown source."""
        query = select(source_parts.c.name, source_parts.c.state).join_from(source_parts, sources)
        with self._database.read() as connection:
            return {row.name: row.state for row in connection.execute(query.where(sources.c.address == address))}

    def held(self, address: str) -> dict[str, set[str]]:
        """The papers of each part when it was last read."""
        query = select(source_parts.c.name, memberships.c.paper_id).join_from(memberships, source_parts).join(sources)
        found: dict[str, set[str]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query.where(sources.c.address == address)):
                found.setdefault(row.name, set()).add(row.paper_id)
        return found

    def prunable(self, ids: Iterable[str], address: str) -> set[str]:
        """Those that only this source brought: no other source holds them, nobody added them by hand, and the user
        has written nothing to them."""
        wanted = list(ids)
        here = among(memberships.c.paper_id, wanted)
        joined = memberships.join(source_parts).join(sources)
        own = select(memberships.c.paper_id).select_from(joined).where(here, sources.c.address == address)
        own = own.where(memberships.c.brought == 1)
        others = select(memberships.c.paper_id).select_from(joined).where(here, sources.c.address != address)
        written = select(edits.c.paper_id).where(among(edits.c.paper_id, wanted))
        with self._database.read() as connection:
            found = set(connection.execute(own).scalars())
            return found - set(connection.execute(others).scalars()) - set(connection.execute(written).scalars())

    def remember(self, address: str, options: Mapping[str, Any]) -> None:
        """Keeps a source with its options, in place of those it had."""
        values = {"options": json.dumps(dict(options), ensure_ascii=False)}
        with self._database.write() as connection:
            statement = upsert(sources).values(address=address, added_at=now(), **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["address"], set_=values))

    def forget(self, address: str) -> None:
        """Its papers stay; raises NotInLibrary for an unknown source."""
        with self._database.write() as connection:
            if not connection.execute(delete(sources).where(sources.c.address == address)).rowcount:
                raise NotInLibrary(f"no source {address!r} is remembered; see: ibid sync --list")

    def hold(self, address: str, part: str, ids: Iterable[str], brought: Iterable[str]) -> None:
        """Notes that a part holds these papers, those of `brought` for the first time in the library."""
        new = set(brought)
        with self._database.write() as connection:
            number = self._part(connection, address, part)
            rows = [{"part_id": number, "paper_id": id_, "brought": int(id_ in new)} for id_ in dict.fromkeys(ids)]
            if rows:
                connection.execute(upsert(memberships).on_conflict_do_nothing(), rows)

    def finish(self, address: str, part: str, state: str | None, ids: Iterable[str]) -> None:
        """A part was read to its end and held exactly these papers."""
        with self._database.write() as connection:
            number = self._part(connection, address, part)
            mine = memberships.c.part_id == number
            connection.execute(delete(memberships).where(mine, ~among(memberships.c.paper_id, ids)))
            connection.execute(source_parts.update().where(source_parts.c.id == number).values(state=state))

    def drop(self, address: str, parts: Iterable[str]) -> None:
        """Parts that are gone from the source."""
        chosen = select(sources.c.id).where(sources.c.address == address).scalar_subquery()
        with self._database.write() as connection:
            mine = (source_parts.c.source_id == chosen) & among(source_parts.c.name, parts)
            connection.execute(delete(source_parts).where(mine))

    def synced(self, address: str) -> None:
        """The whole source was gone through."""
        with self._database.write() as connection:
            connection.execute(sources.update().where(sources.c.address == address).values(synced_at=now()))

    def keep(self, ids: Iterable[str]) -> None:
        """These papers were added by hand: no sync shall prune them."""
        wanted = list(ids)
        mine = among(memberships.c.paper_id, wanted) & (memberships.c.brought == 1)
        with self._database.read() as connection:
            if connection.execute(select(memberships.c.part_id).where(mine).limit(1)).first() is None:
                return
        with self._database.write() as connection:
            connection.execute(memberships.update().where(mine).values(brought=0))

    def _part(self, connection: Any, address: str, name: str) -> int:
        source = select(sources.c.id).where(sources.c.address == address)
        number = connection.execute(source).scalar_one()
        find = select(source_parts.c.id).where(source_parts.c.source_id == number, source_parts.c.name == name)
        found = connection.execute(find).scalar_one_or_none()
        if found is None:
            values = {"source_id": number, "name": name}
            found = connection.execute(
                insert(source_parts).values(**values).returning(source_parts.c.id)
            ).scalar_one()
        return int(found)
