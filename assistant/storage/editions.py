"""Papers as their sources have them: the user's edits over them, where each field came from, and every name they have."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import select

from assistant.editing import EDIT_DETAILS, YOU, Edits, values, with_fields
from assistant.papers import Paper
from assistant.storage.database import Database
from assistant.storage.dialect import among
from assistant.storage.schema import citekeys, edits, identifiers, papers
from assistant.storage.truth import Truth

FIELDS = (
    "title", "abstract", "authors", "year", "venue", "doi", "arxiv_id", "url", "categories", "tags", "citekey", "notices",
)  # fmt: skip


def filled(paper: Paper) -> tuple[str, ...]:
    """The fields that a paper has, each detail by itself: `title`, …, `details.volume`."""
    fields = (name for name in FIELDS if getattr(paper, name))
    return (*fields, *(f"details.{name}" for name, _ in paper.details))


class Editions:
    """Reads only; what is written goes through `Truth.write`."""

    def __init__(self, database: Database, truth: Truth) -> None:
        self._database = database
        self._truth = truth

    def edits(self, ids: Iterable[str]) -> dict[str, Edits]:
        """The user's edits of those papers that have any."""
        with self._database.read() as connection:
            rows = connection.execute(select(edits.c.paper_id, edits.c.edits).where(among(edits.c.paper_id, ids)))
            return {row.paper_id: Edits.from_json(row.edits) for row in rows}

    def sourced(self, ids: Iterable[str]) -> dict[str, Paper]:
        """The papers among `ids` that are here, without the user's edits."""
        wanted = list(ids)
        found = self._truth.papers_by_id(wanted)
        query = select(edits.c.paper_id, edits.c.sourced).where(among(edits.c.paper_id, wanted))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            found[row.paper_id] = with_fields(found[row.paper_id], values(json.loads(row.sourced)))
        return found

    def origins(self, ids: Iterable[str]) -> dict[str, dict[str, str]]:
        """Which source gave each field that a paper has, as its sources have it; fields that are empty are absent."""
        wanted = list(ids)
        query = select(papers.c.id, papers.c.origins).where(among(papers.c.id, wanted))
        with self._database.read() as connection:
            apart = {row.id: json.loads(row.origins) for row in connection.execute(query)}
        return {
            id_: {name: apart[id_].get(name, paper.source or "unknown") for name in filled(paper)}
            for id_, paper in self.sourced(apart).items()
        }

    def provenance(self, paper_id: str) -> dict[str, str]:
        """As `origins` for one paper, with `you` where the user's edit stands; a tag of both is told of both."""
        told = self.origins([paper_id]).get(paper_id, {})
        mine = self.edits([paper_id]).get(paper_id, Edits())
        for field, value in mine.fields.items():
            name = f"details.{field}" if field in EDIT_DETAILS else field
            if value:
                told[name] = YOU
            else:
                told.pop(name, None)
        sourced = self.sourced([paper_id])[paper_id].tags if told else ()
        if {tag.casefold() for tag in sourced} <= {tag.casefold() for tag in mine.tags_removed}:
            told.pop("tags", None)
        if mine.tags_added:
            told["tags"] = f"{told['tags']}, {YOU}" if "tags" in told else YOU
        return told

    def citekeys(self, paper_id: str) -> tuple[str, ...]:
        """The user's keys for a paper, its own first."""
        own = select(papers.c.citekey).where(papers.c.id == paper_id)
        query = select(citekeys.c.key).where(citekeys.c.paper_id == paper_id).order_by(citekeys.c.key)
        with self._database.read() as connection:
            first = connection.execute(own).scalar_one_or_none()
            keys = connection.execute(query).scalars().all()
        return tuple(dict.fromkeys([*([first] if first else []), *keys]))

    def papers_of_citekeys(self, keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Ids of the papers that each key names; a key that names none is absent."""
        query = select(citekeys).where(among(citekeys.c.key, keys)).order_by(citekeys.c.paper_id)
        found: dict[str, tuple[str, ...]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found[row.key] = (*found.get(row.key, ()), row.paper_id)
        return found

    def identifiers(self, paper_id: str) -> tuple[tuple[str, str], ...]:
        """Every (scheme, value) by which the paper is recognised, but for the key of its title."""
        query = select(identifiers).where(identifiers.c.paper_id == paper_id, identifiers.c.scheme != "title")
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(identifiers.c.scheme, identifiers.c.value)).all()
        return tuple((row.scheme, row.value) for row in rows)
