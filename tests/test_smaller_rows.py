"""Step 4 of the schema: a library of an older version keeps its texts, spans and rankings, and gives back the space."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from assistant.embedding.vectors import pack
from assistant.errors import InputError
from assistant.library import Library, StoredPaper, paper_digest, text_digest
from assistant.storage import migrations
from assistant.storage.database import Database
from assistant.storage.exact import ranked
from assistant.storage.migrations import migrate
from assistant.storage.truth import Matrix, Truth
from tests.stored_papers import EMBEDDER, many, paper, stored

ODD = replace(stored(paper(9077, abstract="αβγ 𝔸𝔹 caf\u00e9 nul\x00inside. Ünï codé zwei")), identifiers=())


def former(folder: Path, papers: Sequence[StoredPaper], steps: int = 3) -> None:
    """A library of an older schema: passages with their text, vectors in single precision, sentences in bytes."""
    database = Database(folder)
    with database.write() as connection:
        migrate(connection, migrations.STEPS[:steps])
        connection.exec_driver_sql("INSERT INTO changes (number, token, made_at) VALUES (1, 'aa', '2026')")
        connection.exec_driver_sql(
            "INSERT INTO meta VALUES ('fingerprint', ?), ('staged fingerprint', '{}')",
            (EMBEDDER.fingerprint.to_json(),),
        )
        for one in papers:
            _insert(connection, one)
        connection.exec_driver_sql("INSERT INTO staged_vectors VALUES (1, x'00', NULL)")
    database.close()


def _insert(connection: Connection, one: StoredPaper) -> None:
    text = (one.paper.title, one.paper.abstract)
    connection.exec_driver_sql(
        "INSERT INTO papers (id, title, abstract, authors, categories, tags, title_folded, authors_folded, digest,"
        " text_digest, change, added_at, updated_at) VALUES (?, ?, ?, '[]', '[]', '[]', ?, '', ?, ?, 1, '2026', '2026')",
        (one.paper.id, *text, one.paper.title.casefold(), paper_digest(one.paper), text_digest(*text)),
    )
    for passage, made in zip(one.passages or (), one.vectors or (), strict=True):
        spans = json.dumps([[span.start, span.end] for span in passage.sentences])
        row = connection.exec_driver_sql(
            'INSERT INTO passages (id, paper_id, ordinal, start, "end", text, tokens, sentences, change)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
            (passage.id, passage.paper_id, passage.ordinal, passage.start, passage.end, passage.text, 12, spans),
        ).lastrowid
        assert made.sentence_vectors is not None
        connection.exec_driver_sql("INSERT INTO vectors VALUES (?, ?)", (row, made.vector.astype("<f4").tobytes()))
        connection.exec_driver_sql("INSERT INTO sentence_vectors VALUES (?, ?)", (row, pack(made.sentence_vectors)))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_older_library_keeps_everything_but_the_last_bits_of_vectors(tmp_path: Path, steps: int) -> None:
    papers = [*many(range(700)), ODD]  # more than are repacked at once
    former(tmp_path, papers, steps)
    before = (tmp_path / "library.sqlite").stat().st_size
    made = {
        passage.id: row for one in papers for passage, row in zip(one.passages or (), one.vectors or (), strict=True)
    }
    whole = Matrix(
        tuple(made), tuple(key.rpartition("#")[0] for key in made), np.stack([row.vector for row in made.values()])
    )
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert library.count() == len(papers)
        for one in papers:
            assert library.passages(one.paper.id) == one.passages
        ids = [one.paper.id for one in papers]
        assert library.digests(ids) == {one.paper.id: paper_digest(one.paper) for one in papers}
        text = (ODD.paper.title, ODD.paper.abstract)
        assert library.former_text(ODD.paper.id, text_digest(*text)) == text
        now, sentences = library.vectors(made), library.sentence_vectors(made)
        for key, row in made.items():
            assert now[key] @ row.vector > 0.9999
            assert row.sentence_vectors is not None
            assert (sentences[key] * row.sentence_vectors).sum(axis=1).min() > 0.99
        for number in (3, 77, 444):
            query = EMBEDDER.embed_query(f"Paper {number}")
            wanted = ranked(whole, query, 5)
            assert [hit for hit, _ in library.dense(query, 5)][:1] == [wanted[0][0]]
            np.testing.assert_allclose(
                [score for _, score in library.dense(query, 5)], [score for _, score in wanted], atol=0.01
            )
        library.write([stored(paper(701))])
        assert library.remove(["title:3"]) == 1
    connection = sqlite3.connect(tmp_path / "library.sqlite")
    assert connection.execute("SELECT count(*) FROM staged_vectors").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM meta WHERE key = 'staged fingerprint'").fetchone() == (0,)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA page_size").fetchone() == (8192,)
    connection.close()
    assert (tmp_path / "library.sqlite").stat().st_size < before


def test_a_library_that_others_have_open_is_brought_up_too_if_not_shrunk(tmp_path: Path) -> None:
    former(tmp_path, many(range(20)))
    other = sqlite3.connect(tmp_path / "library.sqlite")
    assert other.execute("SELECT count(*) FROM papers").fetchone() == (20,)
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert library.passages("title:7") == stored(paper(7)).passages
    other.close()


def test_a_step_that_fails_leaves_the_library_as_it_was(tmp_path: Path) -> None:
    former(tmp_path, many(range(3)))

    def fail(connection: Connection) -> None:
        migrations.STEPS[3](connection)
        raise RuntimeError("power cut")

    database = Database(tmp_path)
    with pytest.raises(RuntimeError), database.write() as connection:
        migrate(connection, (*migrations.STEPS[:3], fail))
    with database.read() as connection:
        assert migrations.version(connection) == 3
        assert connection.exec_driver_sql("SELECT count(text) FROM passages").scalar_one() == 6
    database.close()
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert library.passages("title:2") == stored(paper(2)).passages


def test_vectors_are_read_as_they_were_stored_however_many_are_asked_for(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        library.write(many(range(30)))
        ids = [passage.id for one in many(range(30)) for passage in one.passages or ()]
        together, sentences = library.vectors(ids), library.sentence_vectors(ids)
        for id_ in ids[::7]:
            np.testing.assert_array_equal(library.vectors([id_])[id_], together[id_])
            np.testing.assert_array_equal(library.sentence_vectors([id_])[id_], sentences[id_])
        assert library.vectors([]) == library.sentence_vectors(["title:1", "nothing#0", ""]) == {}


def test_a_passage_out_of_its_place_is_refused(tmp_path: Path) -> None:
    one = stored(paper(1))
    assert one.passages is not None
    moved = replace(one.passages[0], text="another text")
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        with pytest.raises(InputError, match="title:1#0"):
            library.write([replace(one, passages=(moved, *one.passages[1:]))])
        assert library.count() == 0


def test_a_digest_is_stored_as_bytes_and_anything_else_as_it_is(tmp_path: Path) -> None:
    database = Database(tmp_path)
    database.prepare()
    Truth(database).write(many([1]), EMBEDDER.fingerprint.to_json())
    with database.write() as connection:
        query = "SELECT typeof(digest), length(digest) FROM papers"
        assert connection.exec_driver_sql(query).one() == ("blob", 32)
        connection.exec_driver_sql("UPDATE papers SET digest = 'odd'")
    assert Truth(database).digests(["title:1"]) == {"title:1": "odd"}
    database.close()
