"""Small changes of large libraries: found at once, brought into the vector index later, many; lexical segments merged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.lexical import LexicalIndex, crowded
from assistant.storage.database import Database
from assistant.storage.generations import Progress
from assistant.storage.indexes import Indexes
from assistant.storage.lock import WriterLock
from assistant.storage.truth import Truth
from tests.stored_papers import EMBEDDER, many, own_word, paper, stored

pytestmark = pytest.mark.timeout(600)  # Chroma is imported by a child too, on a machine that may be busy
_PAPERS = 400  # of two passages: eight may wait


class Large:
    """The parts of a library whose vectors are searched in Chroma from the eleventh passage on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.database = Database(folder)
        self.database.prepare()
        self.truth = Truth(self.database)
        self.lock = WriterLock(folder)
        self.indexes = Indexes(folder, self.truth, self.lock, read_only=False, exact_rows=10)

    def write(self, numbers: list[int]) -> None:
        with self.lock.held("testing"):
            self.truth.write(many(numbers), EMBEDDER.fingerprint.to_json())
            self.indexes.catch_up()

    def remove(self, number: int) -> None:
        with self.lock.held("testing"):
            self.truth.remove([f"title:{number}"])
            self.indexes.catch_up()

    @property
    def reached(self) -> Progress:
        now = self.indexes.current()
        assert now is not None
        return now.state.dense

    def first(self, number: int) -> str:
        vectors = stored(paper(number)).vectors
        assert vectors is not None
        return self.indexes.dense(vectors[0].vector, 5, None)[0][0]

    def close(self) -> None:
        self.indexes.close()
        self.database.close()


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Large]:
    made = Large(tmp_path / "library")
    made.write(list(range(_PAPERS)))
    assert made.truth.passage_count() == 2 * _PAPERS
    yield made
    made.close()


def _sound(large: Large) -> None:
    now = large.indexes.current()
    assert now is not None
    health = large.indexes.examine(now)
    assert health.ok, health.message


def test_a_small_change_is_found_at_once_and_waits_for_the_vector_index(large: Large) -> None:
    before = large.reached
    large.write([1000])
    assert large.reached == before
    assert large.indexes.may_wait(large.reached)
    large.remove(7)
    assert large.reached == before
    for _ in range(3):  # by exact scan first, then beside the graph, once it is known to be sound
        assert large.first(1000) == "title:1000#0"
        assert not large.first(7).startswith("title:7#")
        assert large.indexes.lexical(own_word(1000), 1, None)[0][0] == "title:1000#0"
    _sound(large)


def test_what_has_waited_is_brought_in_together(large: Large) -> None:
    before = large.reached
    large.write([1000])
    large.remove(7)
    large.write([1001, 1002, 1003])
    assert large.reached != before
    assert large.reached.change == large.truth.change()
    _sound(large)  # its number of vectors is that of the truth
    assert large.first(1000) == "title:1000#0"
    assert not large.first(7).startswith("title:7#")


def test_what_a_killed_writer_left_does_not_wait(large: Large) -> None:
    now = large.indexes.current()
    assert now is not None
    busy = Progress(large.reached.change, busy=True, files=large.reached.files)
    now.generation.save(now.state.having("dense", busy))
    large.write([1000])
    assert not large.reached.busy
    assert large.reached.change == large.truth.change()
    _sound(large)


def test_in_a_small_library_nothing_waits(tmp_path: Path) -> None:
    large = Large(tmp_path / "library")
    large.write([1])
    indexes = Indexes(tmp_path / "library", large.truth, large.lock, read_only=False)
    assert not indexes.may_wait(Progress(large.truth.change()))
    large.close()


def _segments(folder: Path) -> int:
    return len(json.loads((folder / "meta.json").read_text(encoding="utf-8"))["segments"])


def test_segments_of_small_commits_are_merged_and_rank_as_one(tmp_path: Path) -> None:
    entries = [
        (passage.id, one.paper.id, one.paper.title, passage.text)
        for one in many(range(60))
        for passage in one.passages or ()
    ]
    with LexicalIndex.create(tmp_path / "whole") as whole:
        whole.add(entries)
        whole.commit()
    with LexicalIndex.create(tmp_path / "pieces") as pieces:
        for entry in entries:
            pieces.add([entry])
            pieces.commit()
    reader = LexicalIndex.open(tmp_path / "pieces")
    queries = [f"{own_word(number)} grado lumni terka" for number in range(10)]
    before = [reader.search(query, 9) for query in queries]
    if crowded(tmp_path / "pieces"):  # tantivy may have merged some already
        with LexicalIndex.open(tmp_path / "pieces") as index:
            index.tidy()
    assert _segments(tmp_path / "pieces") <= 16
    assert [reader.search(query, 9) for query in queries] == before  # its files stay until it looks again
    reader.reload()
    assert reader.count() == len(entries)
    assert [reader.search(query, 9) for query in queries] == before == [whole.search(query, 9) for query in queries]


def test_many_small_writes_leave_few_segments(tmp_path: Path) -> None:
    large = Large(tmp_path / "library")
    for number in range(40):
        with large.lock.held("testing"):
            large.truth.write(many([number]), EMBEDDER.fingerprint.to_json())
            large.indexes.catch_up("lexical")
    now = large.indexes.current()
    assert now is not None
    assert _segments(now.generation.lexical) <= 16
    assert [large.indexes.lexical(own_word(n), 1, None)[0][0] for n in range(40)] == [
        f"title:{n}#0" for n in range(40)
    ]
    large.close()


def test_what_is_newer_is_read_in_the_order_of_arrival(tmp_path: Path) -> None:
    database = Database(tmp_path)
    database.prepare()
    truth = Truth(database)
    truth.write(many(range(30)), EMBEDDER.fingerprint.to_json())
    before = truth.change().number
    truth.write(many([40, 5, 12]), EMBEDDER.fingerprint.to_json())
    for at_once in (1, 2, 3, 500):  # few are named, of more the table is gone through
        rows = [row for group in truth.passage_rows(after=before, papers_at_once=at_once) for row in group]
        assert [row.passage_id for row in rows] == [f"title:{n}#{m}" for n in (5, 12, 40) for m in range(2)]
    newer = truth.matrix(after=before)
    assert set(newer.passage_ids) == {row.passage_id for row in rows}
    by_id = {row.passage_id: row.vector for row in rows}
    for key, vector in zip(newer.passage_ids, newer.rows, strict=True):
        expected = by_id[key]
        assert expected is not None
        np.testing.assert_array_equal(vector, expected)
    assert truth.replaced_since(before) == 4
    database.close()


def test_filters_by_year_author_venue_and_source_read_an_index_alone(tmp_path: Path) -> None:
    database = Database(tmp_path)
    database.prepare()
    for condition in ("year >= 2010", "instr(authors_folded, 'x') > 0", "instr(venue_folded, 'x') + year > 3"):
        with database.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN SELECT id FROM papers WHERE {condition}").all()
        assert "COVERING INDEX papers_for_filters" in plan[0].detail
    database.close()
