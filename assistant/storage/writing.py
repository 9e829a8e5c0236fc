"""What a transaction that changes papers does to the rows of the truth."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from assistant.editing import own_words, sourced_values
from assistant.errors import InputError
from assistant.storage.dialect import among, upsert
from assistant.storage.rows import Change, StoredPaper, fold, pack_vectors, paper_columns, passage_columns
from assistant.storage.schema import (
    changes,
    citekeys,
    edits,
    identifiers,
    labels,
    papers,
    passages,
    removals,
    sentence_vectors,
    vectors,
    versions,
)


def now() -> str:
    """UTC, ISO 8601, to the microsecond so that strings sort in time's order."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def make_change(connection: Connection) -> Change:
    """The next change of the history; belongs to the caller's transaction."""
    token = secrets.token_hex(8)
    number = connection.execute(
        insert(changes).values(token=token, made_at=now()).returning(changes.c.number)
    ).scalar_one()
    return Change(number, token)


def note_removals(connection: Connection, paper_ids: Sequence[str], change: int) -> None:
    gone = select(passages.c.id, passages.c.paper_id).where(among(passages.c.paper_id, paper_ids))
    rows = [
        {"passage_id": passage_id, "paper_id": paper_id, "change": change}
        for passage_id, paper_id in connection.execute(gone)
    ]
    if rows:
        connection.execute(insert(removals), rows)


def without_repeats(batch: Sequence[StoredPaper]) -> Iterator[list[StoredPaper]]:
    """`batch` in order, cut where a paper comes again."""
    group: dict[str, StoredPaper] = {}
    for stored in batch:
        if stored.paper.id in group:
            yield list(group.values())
            group = {}
        group[stored.paper.id] = stored
    if group:
        yield list(group.values())


def write_papers(connection: Connection, group: Sequence[StoredPaper], change: int) -> None:
    """Stores papers of different ids, a statement for all of them wherever one will do."""
    ids = [stored.paper.id for stored in group]
    before = {row.id: row for row in connection.execute(select(papers).where(among(papers.c.id, ids)))}
    new, reworded = [], []
    for stored in group:
        values = paper_columns(stored.paper) | {"change": change, "updated_at": now()} | _additions(stored)
        if stored.paper.id in before:
            former = before[stored.paper.id]
            if stored.passages is None and values.get("own_words", former.own_words) != former.own_words:
                reworded.append(former.id)
            _replace_paper(connection, former, values)
        else:
            new.append(_BARE | values | {"added_at": values["updated_at"]})
    if new:
        connection.execute(insert(papers), new)
    _write_names(connection, group, sorted(before))
    _write_edits(connection, group)
    if reworded:  # the passages stand, and yet the lexical index must read them again
        note_removals(connection, reworded, change)
        connection.execute(passages.update().where(among(passages.c.paper_id, reworded)).values(change=change))
    cut = [stored for stored in group if stored.passages is not None]
    _refuse_others_text(cut)
    recut = [stored.paper.id for stored in cut if stored.paper.id in before]
    if recut:
        note_removals(connection, recut, change)
        connection.execute(delete(passages).where(among(passages.c.paper_id, recut)))
    _write_passages(connection, cut, change)


def _replace_paper(connection: Connection, before: Row[Any], values: dict[str, Any]) -> None:
    """The paper's new row; a text that is no longer its own is kept among its versions."""
    if before.text_digest != values["text_digest"]:
        former = upsert(versions).values(
            paper_id=before.id,
            text_digest=before.text_digest,
            title=before.title,
            abstract=before.abstract,
            replaced_at=values["updated_at"],
        )
        connection.execute(former.on_conflict_do_nothing())
    connection.execute(papers.update().where(papers.c.id == before.id).values(**values))


def _write_names(connection: Connection, group: Sequence[StoredPaper], known: Sequence[str]) -> None:
    """Identifiers, where nobody has them yet, citekeys, and labels, in place of those of the `known` papers."""
    names, marks, keys = [], [], []
    for stored in group:
        paper = stored.paper
        own_keys = {*stored.citekeys, *([paper.citekey] if paper.citekey else [])}
        keys += [{"key": key, "paper_id": paper.id} for key in sorted(own_keys)]
        own = set(stored.identifiers)
        own |= {("doi", paper.doi)} if paper.doi else set()
        own |= {("arxiv", paper.arxiv_id)} if paper.arxiv_id else set()
        names += [{"scheme": scheme, "value": value, "paper_id": paper.id} for scheme, value in sorted(own)]
        labelled = {("category", fold(value)) for value in paper.categories}
        labelled |= {("tag", fold(value)) for value in paper.tags}
        marks += [{"kind": kind, "value": value, "paper_id": paper.id} for kind, value in sorted(labelled)]
    if names:
        connection.execute(upsert(identifiers).on_conflict_do_nothing(), names)
    if keys:
        connection.execute(upsert(citekeys).on_conflict_do_nothing(), keys)
    if known:
        connection.execute(delete(labels).where(among(labels.c.paper_id, known)))
    if marks:
        connection.execute(insert(labels), marks)


_BARE = {"origins": "{}", "own_words": None}  # of a paper that comes without


def _additions(stored: StoredPaper) -> dict[str, Any]:
    """The columns that a write may leave as they are."""
    added: dict[str, Any] = {}
    if stored.origins is not None:
        added["origins"] = json.dumps(dict(stored.origins), ensure_ascii=False)
    if stored.edits is not None:
        added["own_words"] = own_words(stored.paper, stored.edits)
    return added


def _write_edits(connection: Connection, group: Sequence[StoredPaper]) -> None:
    for stored in group:
        if stored.edits is None:
            continue
        mine = edits.c.paper_id == stored.paper.id
        connection.execute(delete(edits).where(mine))
        if not stored.edits.empty:
            sourced = sourced_values(stored.sourced or stored.paper, stored.edits)
            values = {"edits": stored.edits.to_json(), "sourced": json.dumps(sourced, ensure_ascii=False)}
            connection.execute(insert(edits).values(paper_id=stored.paper.id, edited_at=now(), **values))


def _write_passages(connection: Connection, group: Sequence[StoredPaper], change: int) -> None:
    """Passages and their vectors. Rows are numbered here, as SQLite would, to insert them all at once."""
    last = connection.execute(select(func.coalesce(func.max(passages.c.row), 0))).scalar_one()
    pairs = [pair for stored in group for pair in zip(stored.passages or (), stored.vectors or (), strict=True)]
    packed = pack_vectors([made for _, made in pairs])
    for table, values in (
        (
            passages,
            [passage_columns(passage, change) | {"row": row} for row, (passage, _) in enumerate(pairs, last + 1)],
        ),
        (vectors, [{"passage_row": row, "vector": vector} for row, (vector, _) in enumerate(packed, last + 1)]),
        (
            sentence_vectors,
            [{"passage_row": row, "packed": own} for row, (_, own) in enumerate(packed, last + 1) if own is not None],
        ),
    ):
        if values:
            connection.execute(insert(table), values)


def _refuse_others_text(group: Sequence[StoredPaper]) -> None:
    """Of a passage only its place is stored: raises InputError where that is not the place of its text."""
    for stored in group:
        for passage in stored.passages or ():
            text = stored.paper.abstract[passage.start : passage.end]
            if (passage.text, passage.id) != (text, f"{stored.paper.id}#{passage.ordinal}"):
                raise InputError(f"passage {passage.id!r} is not its place in the abstract of {stored.paper.id!r}")
