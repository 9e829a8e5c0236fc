"""What happened in a library: ingest reports, answer records, conversations and feedback. None of it is derived."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, delete, func, insert, literal, select

from assistant.errors import NotInLibrary
from assistant.storage.database import Database
from assistant.storage.dialect import among, replacing
from assistant.storage.schema import conversations, feedback, ingest_reports, meta, papers, records, turns
from assistant.storage.truth import now

_TITLE_CHARACTERS = 80
_USER = (
    "user:"  # and a conversation's id: whose it is. In the library's own table, so that old libraries need no change
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a conversation, the stand-alone query it was read as, and the record of its answer."""

    question: str
    query: str
    record_id: str


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A stored conversation without its turns; times are UTC, ISO 8601."""

    id: str
    title: str
    created_at: str
    updated_at: str
    turns: int
    user: str | None = None  # whose it is, where a server knows its users


@dataclass(frozen=True, slots=True)
class Feedback:
    """A reader's word on an answer; `rating` from -1 (bad) to 1 (good)."""

    record_id: str
    rating: float
    comment: str
    created_at: str


class History:
    """Appends and reads. Needs no writer lock: SQLite orders these short writes, also while papers are added."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def noted(self, key: str) -> str | None:
        """What is kept in the library's own table under `key`."""
        with self._database.read() as connection:
            return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar_one_or_none()

    def keep(self, key: str, value: str | None) -> None:
        """Keeps `value` under `key`; None takes it away."""
        with self._database.note() as connection:
            connection.execute(delete(meta).where(meta.c.key == key))
            if value is not None:
                connection.execute(insert(meta).values(key=key, value=value))

    def counts(self) -> dict[str, int]:
        """How many conversations and records there are."""
        with self._database.read() as connection:
            return {
                table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
                for table in (conversations, records)
            }

    # ingest reports

    def save_report(self, report: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            connection.execute(insert(ingest_reports).values(made_at=now(), report=_json(report)))

    def reports(self) -> list[dict[str, Any]]:
        """Latest first, each with `made_at`."""
        with self._database.read() as connection:
            rows = connection.execute(select(ingest_reports).order_by(ingest_reports.c.id.desc())).all()
        return [{"made_at": row.made_at, **json.loads(row.report)} for row in rows]

    # records

    def save_record(self, record: Mapping[str, Any]) -> None:
        """Stores a record under its `id`, with the digest of each paper that its evidence quotes, as of now."""
        ids = {str(item["paper_id"]) for item in record.get("evidence", ())}
        with self._database.note() as connection:
            rows = connection.execute(select(papers.c.id, papers.c.text_digest).where(among(papers.c.id, ids)))
            whole = {**record, "papers": {row.id: row.text_digest for row in rows}}
            values = {"created_at": record["created_at"], "conversation_id": record.get("conversation_id")}
            values["record"] = _json(whole)
            connection.execute(replacing(records, "id", id=record["id"], **values))

    def record(self, record_id: str) -> dict[str, Any]:
        with self._database.read() as connection:
            text = connection.execute(select(records.c.record).where(records.c.id == record_id)).scalar_one_or_none()
        if text is None:
            raise NotInLibrary(f"no record {record_id!r} in this library")
        return dict(json.loads(text))

    def records(self) -> Iterator[dict[str, Any]]:
        """All records, latest first."""
        query = select(records.c.id).order_by(records.c.created_at.desc(), records.c.id.desc())
        with self._database.read() as connection:
            ids = connection.execute(query).scalars().all()
        for record_id in ids:
            yield self.record(record_id)

    def add_feedback(self, record_id: str, rating: float, comment: str = "") -> None:
        """Raises NotInLibrary for an unknown record; rating is clipped to [-1, 1]."""
        with self._database.note() as connection:
            if connection.execute(select(records.c.id).where(records.c.id == record_id)).first() is None:
                raise NotInLibrary(f"no record {record_id!r} in this library")
            values = {"record_id": record_id, "rating": max(-1.0, min(1.0, rating)), "comment": comment}
            connection.execute(insert(feedback).values(**values, created_at=now()))

    def feedback(self, record_id: str) -> tuple[Feedback, ...]:
        query = select(feedback).where(feedback.c.record_id == record_id).order_by(feedback.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(Feedback(row.record_id, row.rating, row.comment, row.created_at) for row in rows)

    # conversations

    def create_conversation(self, title: str = "", user: str | None = None) -> str:
        """A new conversation's id; without a title it takes that of its first question."""
        conversation_id = "c" + secrets.token_hex(8)
        created = now()
        with self._database.note() as connection:
            values = {"id": conversation_id, "title": title, "created_at": created, "updated_at": created}
            connection.execute(insert(conversations).values(**values))
            if user is not None:
                connection.execute(insert(meta).values(key=_USER + conversation_id, value=user))
        return conversation_id

    def conversation_user(self, conversation_id: str) -> str | None:
        """Whose conversation it is; None for nobody's in particular. Raises NotInLibrary for an unknown one."""
        query = select(meta.c.value).select_from(_owned()).where(conversations.c.id == conversation_id)
        with self._database.read() as connection:
            found = connection.execute(query).first()
        if found is None:
            raise _no_conversation(conversation_id)
        return None if found.value is None else str(found.value)

    def append_turn(self, conversation_id: str, question: str, query: str, record_id: str) -> None:
        """Adds a turn; raises NotInLibrary for an unknown conversation."""
        with self._database.note() as connection:
            found = connection.execute(select(conversations.c.title).where(conversations.c.id == conversation_id))
            title = found.scalar_one_or_none()
            if title is None:
                raise _no_conversation(conversation_id)
            last = select(func.max(turns.c.ordinal)).where(turns.c.conversation_id == conversation_id)
            ordinal = connection.execute(last).scalar_one_or_none()
            values = {"conversation_id": conversation_id, "ordinal": 0 if ordinal is None else ordinal + 1}
            values |= {
                "question": _whole(question),
                "query": _whole(query),
                "record_id": record_id,
                "created_at": now(),
            }
            connection.execute(insert(turns).values(**values))
            values = {"updated_at": values["created_at"], "title": title or _shortened(_whole(question))}
            connection.execute(conversations.update().where(conversations.c.id == conversation_id).values(**values))

    def turns(self, conversation_id: str) -> tuple[Turn, ...]:
        """In order; raises NotInLibrary for an unknown conversation."""
        with self._database.read() as connection:
            known = select(conversations.c.id).where(conversations.c.id == conversation_id)
            if connection.execute(known).first() is None:
                raise _no_conversation(conversation_id)
            query = select(turns).where(turns.c.conversation_id == conversation_id).order_by(turns.c.ordinal)
            return tuple(Turn(row.question, row.query, row.record_id) for row in connection.execute(query))

    def conversations(self) -> tuple[ConversationSummary, ...]:
        """Latest first."""
        query = (
            select(conversations, func.count(turns.c.ordinal).label("turns"), meta.c.value.label("user"))
            .select_from(_owned())
            .outerjoin(turns, turns.c.conversation_id == conversations.c.id)
            .group_by(conversations.c.id, meta.c.value)
            .order_by(conversations.c.updated_at.desc(), conversations.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(ConversationSummary(*row) for row in rows)

    def rename_conversation(self, conversation_id: str, title: str) -> None:
        with self._database.note() as connection:
            statement = conversations.update().where(conversations.c.id == conversation_id).values(title=title)
            if not connection.execute(statement).rowcount:
                raise _no_conversation(conversation_id)

    def cut_conversation(self, conversation_id: str, turns_kept: int) -> tuple[Turn, ...]:
        """Keeps the first turns and gives the others, in order; their records stay."""
        taken = self.turns(conversation_id)[turns_kept:]
        mine = select(turns.c.ordinal).where(turns.c.conversation_id == conversation_id).order_by(turns.c.ordinal)
        with self._database.note() as connection:
            ordinals = connection.execute(mine).scalars().all()[turns_kept:]
            condition = (turns.c.conversation_id == conversation_id) & among(turns.c.ordinal, ordinals)
            connection.execute(delete(turns).where(condition))
        return taken

    def delete_conversation(self, conversation_id: str) -> None:
        """Takes away the conversation, its turns and the records of its answers."""
        with self._database.note() as connection:
            found = connection.execute(delete(conversations).where(conversations.c.id == conversation_id))
            if not found.rowcount:
                raise _no_conversation(conversation_id)
            connection.execute(delete(records).where(records.c.conversation_id == conversation_id))
            connection.execute(delete(meta).where(meta.c.key == _USER + conversation_id))


def _owned() -> FromClause:
    """Every conversation, beside the row that says whose it is."""
    return conversations.outerjoin(meta, meta.c.key == literal(_USER) + conversations.c.id)


def _no_conversation(conversation_id: str) -> NotInLibrary:
    return NotInLibrary(f"no conversation {conversation_id!r} in this library")


def _shortened(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= _TITLE_CHARACTERS else line[: _TITLE_CHARACTERS - 1].rstrip() + "…"


def _json(content: Mapping[str, Any]) -> str:
    # ASCII, so that a lone surrogate in a question survives the way through UTF-8.
    return json.dumps(content, separators=(",", ":"))


def _whole(text: str) -> str:
    """`text` with `?` for lone surrogates, which no database takes."""
    return text.encode("utf-8", "replace").decode()
