"""The seam to another database stays one: what only SQLite understands is written where 0036 says, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import literal, select

from assistant.library import Library
from assistant.storage.database import Database
from assistant.storage.dialect import among, contains, elements, folded, replacing
from assistant.storage.schema import meta, papers
from tests.stored_papers import EMBEDDER, paper, stored

STORAGE = Path(__file__).parents[1] / "assistant"
_SQLITE = re.compile(
    r"sqlalchemy\.dialects|import sqlite3|PRAGMA|VACUUM|OR (?:REPLACE|IGNORE)|exec_driver_sql|"
    r"func\.(?:instr|json_\w+|ibid_\w+|group_concat|total|iif|strftime|glob)\b|\.op\("
)
_THERE = {
    "storage/dialect.py",
    "storage/database.py",  # connections
    "storage/migrations.py",
    "storage/first_schema.py",
    "storage/smaller_rows.py",  # a step
    "storage/doctor.py",  # PRAGMA quick_check
    "storage/checkup.py",  # of Chroma's own file
}


def test_what_only_sqlite_understands_is_in_few_modules() -> None:
    found = {
        path.relative_to(STORAGE).as_posix()
        for path in STORAGE.rglob("*.py")
        if _SQLITE.search(path.read_text(encoding="utf-8"))
    }
    assert found <= _THERE, "say it through assistant.storage.dialect; see docs/decisions/0036"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        library.write([stored(paper(number, authors=(f"Ann {number}", "Bo%"), note="Straße")) for number in range(3)])
    return Database(tmp_path)


def test_lists_of_any_length_and_kind(database: Database) -> None:
    with database.read() as connection:

        def rows(condition: object) -> list[str]:
            return sorted(
                connection.execute(papers.select().with_only_columns(papers.c.id).where(condition)).scalars()
            )  # type: ignore[arg-type]  # any condition

        assert rows(among(papers.c.id, ["title:1", "title:9", *map(str, range(40_000))])) == ["title:1"]
        assert rows(among(papers.c.row, [1, 3])) == ["title:0", "title:2"]
        assert rows(among(papers.c.id, [])) == []
        assert rows(contains(papers.c.title_folded, "paper 2")) == ["title:2"]
        assert rows(contains(papers.c.title_folded, "%")) == []
        assert len(rows(contains(folded(papers.c.note), "strasse"))) == 3
        each = elements(papers.c.authors)
        authors = select(each.c.value).select_from(papers.join(each, literal(True))).where(papers.c.id == "title:1")
        assert connection.execute(authors).scalars().all() == ["Ann 1", "Bo%"]


def test_a_row_takes_the_place_of_its_like(database: Database) -> None:
    for value in ("one", "other"):
        with database.write() as connection:
            connection.execute(replacing(meta, "key", key="k", value=value))
    with database.read() as connection:
        found = connection.execute(meta.select().where(meta.c.key == "k")).all()
    assert [tuple(row) for row in found] == [("k", "other")]
