"""The truth: what is written is read back exactly, changed texts stay reachable, filters fail closed, one bad file is told."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from assistant.errors import FilterError, InputError, LibraryError, LibraryNotFound, NotInLibrary, SchemaMismatch
from assistant.library import Library, StoredPaper, paper_digest, text_digest
from assistant.papers import Paper, details
from assistant.storage import migrations
from assistant.storage.database import Database
from assistant.storage.migrations import migrate
from assistant.storage.truth import Change, Truth
from tests.stored_papers import EMBEDDER, many, paper, stored

FINGERPRINT = EMBEDDER.fingerprint.to_json()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path)
    made.prepare()
    yield made
    made.close()


@pytest.fixture
def truth(database: Database) -> Truth:
    return Truth(database)


FULL = paper(
    1,
    authors=("Zoë Müller", "İlker Ağa"),
    year=2021,
    venue="Größere Modelle",
    doi="10.1234/abc",
    arxiv_id="2101.00001",
    url="https://example.org/1",
    categories=("cs.CL", "cs.LG"),
    tags=("To Read",),
    source="bibtex:refs.bib",
    citekey="mueller2021",
    details=details({"volume": "12", "page": "3–7", "publisher": "Größe & Co"}),
)


def test_a_paper_is_read_back_as_it_was_written(truth: Truth) -> None:
    written = stored(FULL)
    truth.write([written], FINGERPRINT)
    assert list(truth.papers()) == [FULL]
    assert truth.passages(FULL.id) == written.passages
    assert written.vectors is not None
    for passage, vectors in zip(written.passages or (), written.vectors, strict=True):
        assert FULL.abstract[passage.start : passage.end] == passage.text
        assert truth.vectors([passage.id])[passage.id] @ vectors.vector > 0.9999
        back = truth.sentence_vectors([passage.id])[passage.id]
        assert vectors.sentence_vectors is not None
        assert (back * vectors.sentence_vectors).sum(axis=1).min() > 0.995
    assert truth.fingerprint() == FINGERPRINT


_text = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    title=_text,
    abstract=_text,
    authors=st.lists(_text, max_size=3),
    year=st.none() | st.integers(0, 3000),
    venue=st.none() | _text,
    tags=st.lists(_text, max_size=3),
)
def test_any_text_survives(
    truth: Truth, title: str, abstract: str, authors: list[str], year: int | None, venue: str | None, tags: list[str]
) -> None:
    given_paper = Paper("title:x", title, abstract, tuple(authors), year, venue, tags=tuple(tags))
    truth.write([StoredPaper(given_paper, None, None)], FINGERPRINT)
    assert truth.papers_by_id(["title:x"])["title:x"] == given_paper
    assert truth.digests(["title:x"]) == {"title:x": paper_digest(given_paper)}


def test_a_batch_is_stored_whole_or_not_at_all(truth: Truth) -> None:
    truth.write(many(range(2)), FINGERPRINT)
    before = truth.change()
    good, bad = stored(paper(5)), stored(paper(6))
    assert bad.passages is not None
    twice = replace(bad, passages=(bad.passages[0], bad.passages[0]))
    with pytest.raises(LibraryError):
        truth.write([good, twice], FINGERPRINT)
    assert truth.count() == 2
    assert truth.change() == before


def test_a_changed_abstract_keeps_the_old_text_and_numbers_its_passages_anew(truth: Truth) -> None:
    old = paper(1)
    new = replace(old, abstract="xydez says something else now")
    truth.write([stored(old)], FINGERPRINT)
    assert len(truth.passages(old.id)) == 2
    truth.write([stored(new)], FINGERPRINT)
    assert truth.papers_by_id([old.id])[old.id] == new
    assert [passage.text for passage in truth.passages(old.id)] == [new.abstract]
    assert truth.former_text(old.id, text_digest(old.title, old.abstract)) == (old.title, old.abstract)
    assert truth.former_text(old.id, text_digest(new.title, new.abstract)) == (new.title, new.abstract)
    with pytest.raises(NotInLibrary):
        truth.former_text(old.id, "never was")


def test_new_metadata_alone_leave_passages_and_vectors(truth: Truth) -> None:
    old = paper(1)
    truth.write([stored(old)], FINGERPRINT)
    passages, after = truth.passages(old.id), truth.change().number
    truth.write([StoredPaper(replace(old, year=1999), None, None)], FINGERPRINT)
    assert truth.papers_by_id([old.id])[old.id].year == 1999
    assert truth.passages(old.id) == passages
    assert truth.newer(after) == 0


def test_changes_tell_histories_apart(truth: Truth, tmp_path: Path) -> None:
    assert truth.change() == Change()
    truth.write(many([1]), FINGERPRINT)
    first = truth.change()
    truth.write(many([2]), FINGERPRINT)
    assert truth.change().number > first.number
    assert truth.knows(first)
    assert not truth.knows(Change(first.number, "another library's"))
    assert {row.passage_id for rows in truth.passage_rows(after=first.number) for row in rows} == {
        "title:2#0",
        "title:2#1",
    }


def test_removal_takes_everything_that_hangs_on_a_paper(truth: Truth, database: Database) -> None:
    truth.write([stored(FULL), *many([2])], FINGERPRINT)
    changed = replace(FULL, abstract="xydez anew")
    truth.write([stored(changed)], FINGERPRINT)
    assert truth.remove([FULL.id, "title:unknown"]) == 1
    with database.read() as connection:
        for table in ("papers", "passages", "identifiers", "labels", "versions"):
            column = "id" if table == "papers" else "paper_id"
            left = connection.exec_driver_sql(f"SELECT count(*) FROM {table} WHERE {column} = ?", (FULL.id,)).scalar()
            assert left == 0, table
        for table in ("vectors", "sentence_vectors"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 2
    assert set(truth.removed_since(0)) == {"title:1#0", "title:1#1"}
    truth.write([stored(changed)], FINGERPRINT)
    assert set(truth.removed_since(0)) == {"title:1#1"}


@pytest.mark.parametrize(
    "reference",
    [
        "title:1",
        "10.1234/abc",
        "https://doi.org/10.1234/ABC",
        "2101.00001",
        "arXiv:2101.00001v2",
        "mueller2021",
        "PAPER  1",
    ],
)
def test_a_paper_has_many_names(truth: Truth, reference: str) -> None:
    truth.write([stored(FULL), *many([2])], FINGERPRINT)
    assert truth.resolve(reference) == "title:1"


@pytest.mark.parametrize("reference", ["", "title:9", "10.9999/none", "Paper", "☃", "'; DROP TABLE papers; --"])
def test_an_unknown_name_is_an_error(truth: Truth, reference: str) -> None:
    truth.write([stored(FULL)], FINGERPRINT)
    with pytest.raises(NotInLibrary):
        truth.resolve(reference)


def test_a_name_of_two_papers_is_an_error(truth: Truth) -> None:
    truth.write([stored(paper(1, citekey="same")), stored(paper(2, citekey="same"))], FINGERPRINT)
    with pytest.raises(NotInLibrary, match="several"):
        truth.resolve("same")


def test_identifiers_find_papers_and_stay_with_their_first_owner(truth: Truth) -> None:
    truth.write([stored(FULL, identifiers=(("pmid", "7"),))], FINGERPRINT)
    truth.write([stored(paper(2), identifiers=(("pmid", "7"), ("pmid", "8")))], FINGERPRINT)
    found = truth.find([("pmid", "7"), ("pmid", "8"), ("pmid", "9"), ("doi", "10.1234/abc"), ("arxiv", "7")])
    assert found == {("pmid", "7"): "title:1", ("pmid", "8"): "title:2", ("doi", "10.1234/abc"): "title:1"}


FILTERS = [
    ({}, {"title:1", "title:2", "title:3"}),
    ({"year": 2021}, {"title:1"}),
    ({"year": "2020-"}, {"title:1", "title:2"}),
    ({"author": "müller"}, {"title:1"}),
    ({"author": "MÜLLER"}, {"title:1"}),
    ({"author": ["Nobody", "ağa"]}, {"title:1"}),
    ({"venue": "GRÖSSERE"}, {"title:1"}),
    ({"venue": "groessere"}, set()),
    ({"category": "CS.cl"}, {"title:1"}),
    ({"category": "cs"}, set()),
    ({"tag": "to read"}, {"title:1"}),
    ({"source": "refs.bib"}, {"title:1"}),
    ({"ids": ["10.1234/ABC", "title:2"]}, {"title:1", "title:2"}),
    ({"ids": []}, set()),
    ({"ids": ["none"]}, set()),
    ({"year": "2020-", "author": "müller"}, {"title:1"}),
    ({"year": 2022, "author": "müller"}, set()),
    ({"author": "%"}, set()),
    ({"author": "_"}, set()),
]


@pytest.mark.parametrize(("filters", "expected"), FILTERS)
def test_filters(tmp_path: Path, filters: dict[str, object], expected: set[str]) -> None:
    with Library.open(tmp_path / "library", embedder=EMBEDDER) as library:
        library.write([stored(FULL), stored(paper(2, year=2022)), stored(paper(3))])
        ids = library.matching_ids(filters)
        assert (ids is None) == (filters == {})
        assert library.count(filters) == len(expected)
        assert {found.id for found in library.papers(filters)} == expected
        if ids is not None:
            hits = library.dense(EMBEDDER.embed_query("xydez"), 10, ids)
            assert {hit.rpartition("#")[0] for hit, _ in hits} == expected
            assert {hit.rpartition("#")[0] for hit, _ in library.lexical("xydez Paper", 10, ids)} <= expected


def test_an_unknown_filter_is_an_error(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=EMBEDDER) as library, pytest.raises(FilterError):
        library.count({"yaer": 2020})


def test_ids_may_be_many(truth: Truth) -> None:
    truth.write(many(range(3)), FINGERPRINT)
    assert set(truth.papers_by_id([f"title:{number}" for number in range(40_000)])) == {
        "title:0",
        "title:1",
        "title:2",
    }


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    Library.open(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "library.sqlite")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(SchemaMismatch, match="upgrade"):
        Library.open(tmp_path)


def test_migrations_are_taken_once_each_and_all_or_none(tmp_path: Path) -> None:
    def add(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE papers ADD COLUMN extra TEXT")

    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE papers ADD COLUMN another TEXT")
        raise RuntimeError("power cut")

    database = Database(tmp_path)
    database.prepare()
    Truth(database).write(many([1]), FINGERPRINT)
    steps = (*migrations.STEPS, add)
    with database.write() as connection:
        assert migrate(connection, steps) == 1
    with database.write() as connection:
        assert migrate(connection, steps) == 0
    with pytest.raises(RuntimeError), database.write() as connection:
        migrate(connection, (*steps, fail))
    with database.read() as connection:
        assert migrations.version(connection) == len(steps)
        columns = {row[1] for row in connection.exec_driver_sql("PRAGMA table_info(papers)")}
    assert "extra" in columns
    assert "another" not in columns
    assert Truth(database).count() == 1
    database.close()


def _tables(connection: Connection) -> dict[str, object]:
    """Columns, foreign keys and indexed columns of every table, without the spelling of their DDL."""
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").scalars()
    found: dict[str, object] = {}
    for name in names.all():
        columns = [
            tuple(row)[1:4] + tuple(row)[5:] for row in connection.exec_driver_sql(f"PRAGMA table_info({name})")
        ]
        keys = sorted(tuple(row)[2:7] for row in connection.exec_driver_sql(f"PRAGMA foreign_key_list({name})"))
        indexes = connection.exec_driver_sql(f"PRAGMA index_list({name})").all()
        indexed = sorted(
            (unique, [tuple(row)[2] for row in connection.exec_driver_sql(f"PRAGMA index_info({index})")])
            for _, index, unique, *_ in indexes
        )
        found[name] = (columns, keys, indexed)
    return found


def test_the_steps_lead_to_the_schema_that_the_code_uses(tmp_path: Path) -> None:
    from assistant.storage import schema

    stepped, direct = Database(tmp_path / "stepped"), Database(tmp_path / "direct")
    for database in (stepped, direct):
        database.path.parent.mkdir()
    stepped.prepare()
    with direct.write() as connection:
        schema.metadata.create_all(connection)
        wanted = _tables(connection)
    with stepped.read() as connection:
        assert _tables(connection) == wanted
    stepped.close()
    direct.close()


def test_a_library_of_the_first_schema_keeps_its_papers_and_citekeys(tmp_path: Path) -> None:
    database = Database(tmp_path)
    with database.write() as connection:
        migrate(connection, migrations.STEPS[:1])
        connection.exec_driver_sql(
            "INSERT INTO papers (id, title, abstract, authors, year, categories, tags, source, citekey, title_folded,"
            " authors_folded, digest, text_digest, change, added_at, updated_at) VALUES ('title:1', 'Old Paper',"
            " 'An abstract.', '[\"Ann Lee\"]', 2020, '[]', '[]', 'bibtex:refs.bib', 'lee2020', 'old paper', 'ann lee',"
            " 'd', 't', 1, '2026', '2026')"
        )
    database.close()
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        found = library.paper("@lee2020")
        assert (found.title, found.authors, found.notices, found.note) == ("Old Paper", ("Ann Lee",), (), None)
        assert library.count({"ids": "@lee2020"}) == 1
        assert library.editions.provenance("title:1")["year"] == "bibtex:refs.bib"
        assert found.details == ()


def test_a_library_of_the_second_schema_gets_details_and_digests_without_them_stay(tmp_path: Path) -> None:
    bare = replace(FULL, details=())
    database = Database(tmp_path)
    with database.write() as connection:
        migrate(connection, migrations.STEPS[:2])
        connection.exec_driver_sql(
            "INSERT INTO papers (id, title, abstract, authors, categories, tags, title_folded, authors_folded, digest,"
            " text_digest, change, added_at, updated_at) VALUES ('title:1', 'Old', 'A.', '[]', '[]', '[]', 'old', '',"
            " 'd', 't', 1, '2026', '2026')"
        )
    database.close()
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert library.paper("title:1").details == ()
        library.write([stored(FULL)])
        assert library.paper(FULL.id) == FULL
        told = library.editions.provenance(FULL.id)
        assert told["details.volume"] == "bibtex:refs.bib"
    assert paper_digest(bare) == "2c9a08e7de111a6e9a78cb44f23b582b65b2474055733ba8cbcfcfb1b3a23785"
    assert paper_digest(FULL) != paper_digest(bare)


def test_details_that_nobody_knows_are_refused_and_those_of_a_newer_ibid_passed_over(
    truth: Truth, database: Database
) -> None:
    with pytest.raises(InputError, match="no detail 'colour'"):
        details({"colour": "blue"})
    with pytest.raises(InputError, match="are not as"):
        replace(FULL, details=(("volume", "1"), ("page", "2")))
    assert details({"volume": "", "page": "2"}) == (("page", "2"),)
    truth.write([stored(FULL)], FINGERPRINT)
    with database.write() as connection:
        connection.exec_driver_sql("""UPDATE papers SET details = '{"colour":"blue","volume":"12"}'""")
    assert next(truth.papers()).details == (("volume", "12"),)


def test_no_library_where_none_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound, match="ibid add"):
        Library.open(tmp_path / "none", create=False)
    with pytest.raises(LibraryNotFound):
        Library.open(tmp_path / "none", read_only=True)
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(LibraryNotFound, match="file"):
        Library.open(tmp_path / "file")


def _read_everything(folder: Path) -> None:
    with Library.open(folder, embedder=EMBEDDER) as library:
        list(library.papers())
        library.matching_ids({"author": "x"})
        library.dense(EMBEDDER.embed_query("x"), 3)


@pytest.mark.parametrize("damage", ["garbage", "truncated", "header"])
def test_a_damaged_truth_is_told_in_one_line(tmp_path: Path, damage: str) -> None:
    with Library.open(tmp_path / "library", embedder=EMBEDDER) as library:
        library.write(many(range(30)))
    path = tmp_path / "library" / "library.sqlite"
    content = path.read_bytes()
    damaged = {
        "garbage": b"nonsense" * 999,
        "truncated": content[: len(content) // 3],
        "header": b"\x00" * 200 + content[200:],
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(LibraryError) as caught:
        _read_everything(tmp_path / "library")
    assert "\n" not in str(caught.value)
    assert "backup" in str(caught.value)


def test_a_folder_that_forbids_writing_can_be_read_and_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        library.write(many(range(5)))
        expected = library.lexical("xygoz", 3)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    # Tests may run as root, to whom no folder forbids anything.
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert library.read_only
        assert library.lexical("xygoz", 3) == expected
        assert library.dense(EMBEDDER.embed_query("Paper 3"), 1)
        assert library.count({"ids": ["title:3"]}) == 1
        with pytest.raises(LibraryError, match="reading only"):
            library.write(many([9]))
        with pytest.raises(LibraryError, match="reading only"):
            library.save_record({"question": "q", "answer": {}})
        with pytest.raises(LibraryError, match="reading only"):
            library.rebuild()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
