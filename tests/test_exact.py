"""The exact scan: what it brings in piece by piece ranks as what is read at once, whatever happened to the library."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.embedding.vectors import normalise
from assistant.storage.database import Database
from assistant.storage.exact import ExactScan, Newer, Part, ranked
from assistant.storage.truth import Matrix, Truth
from tests.stored_papers import EMBEDDER, many, paper, stored

_NUMBERS = st.integers(0, 30)
_WRITES = st.tuples(st.sampled_from(["write", "rewrite"]), st.lists(_NUMBERS, min_size=1, max_size=6, unique=True))
_REMOVALS = st.tuples(st.just("remove"), st.lists(_NUMBERS, min_size=1, max_size=3, unique=True))
_folders = itertools.count()


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[Truth]:
    opened = _opened(tmp_path)
    yield opened[0]
    opened[1].close()


def _opened(folder: Path) -> tuple[Truth, Database]:
    folder.mkdir(exist_ok=True)
    database = Database(folder)
    database.prepare()
    return Truth(database), database


def _apply(truth: Truth, what: str, numbers: list[int]) -> None:
    if what != "remove":
        other = 1000 if what == "rewrite" else 0  # the text of another paper
        papers = [stored(paper(number + other, id=f"title:{number}")) for number in numbers]
        truth.write(papers, EMBEDDER.fingerprint.to_json())
    else:
        truth.remove([f"title:{number}" for number in numbers])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    changes=st.lists(_WRITES | _REMOVALS, min_size=1, max_size=14),
    looked=st.lists(st.booleans(), min_size=14, max_size=14),
    allowed=st.none() | st.sets(_NUMBERS.map(lambda number: f"title:{number}")),
)
def test_a_scan_that_follows_ranks_as_one_that_starts(
    tmp_path: Path, changes: list[tuple[str, list[int]]], looked: list[bool], allowed: set[str] | None
) -> None:
    truth, database = _opened(tmp_path / str(next(_folders)))
    truth.write(
        many(range(40, 120)), EMBEDDER.fingerprint.to_json()
    )  # enough for the rest to be brought in piecemeal
    following, beside, start = ExactScan(truth), Newer(truth), truth.change()
    before = truth.matrix()
    query = EMBEDDER.embed_query("Paper 7 grado lumni")
    for (what, numbers), look in zip(changes, looked, strict=False):
        _apply(truth, what, numbers)
        if look:
            following.search(query, 5, allowed, truth.change())
    for k in (1, 7, 500):
        found = following.search(query, k, allowed, truth.change())
        assert found == ExactScan(truth).search(query, k, allowed, truth.change())
        assert found == ranked(truth.matrix(), query, k, allowed)
        more = beside.beside(start, truth.change())
        whole = ranked(before, query, k + more.outdated)
        assert more.joined(whole, query, k) == ExactScan(truth).search(query, k, None, truth.change())
    database.close()


def test_only_what_changed_is_read_until_it_is_much(truth: Truth) -> None:
    truth.write(many(range(100)), EMBEDDER.fingerprint.to_json())
    scan = ExactScan(truth)
    first = scan.parts(truth.change())[0]
    for number in range(100, 112):
        truth.write(many([number]), EMBEDDER.fingerprint.to_json())
        parts = scan.parts(truth.change())
        assert parts[0].matrix is first.matrix
        assert len(parts) <= 9
    truth.write(many(range(200, 260)), EMBEDDER.fingerprint.to_json())
    parts = scan.parts(truth.change())
    assert len(parts) == 1
    assert len(parts[0]) == truth.passage_count()


def test_a_history_that_is_not_ours_is_read_anew(tmp_path: Path, truth: Truth) -> None:
    truth.write(many(range(20)), EMBEDDER.fingerprint.to_json())
    other, database = _opened(tmp_path / "other")
    other.write(many(range(50, 70)), EMBEDDER.fingerprint.to_json())
    scan = ExactScan(truth)
    scan.parts(other.change())  # as if the file had been put back from a backup since
    assert scan.parts(truth.change())[0].matrix.paper_ids == truth.matrix().paper_ids
    database.close()


def test_scores_do_not_depend_on_the_rows_beside() -> None:
    chance = np.random.default_rng(3)
    rows = normalise(chance.standard_normal((997, 384)).astype(np.float32))
    query = normalise(chance.standard_normal((1, 384)).astype(np.float32))[0]
    ids = tuple(f"p{number}#0" for number in range(len(rows)))
    papers = tuple(f"p{number}" for number in range(len(rows)))
    whole = dict(Part(Matrix(ids, papers, rows)).best(query, len(rows)))
    for size in (1, 2, 3, 5, 64, 501):
        some = ranked(Matrix(ids[:size], papers[:size], rows[:size]), query, size)
        assert some == sorted(((key, whole[key]) for key, _ in some), key=lambda hit: (-hit[1], hit[0]))
        few = Part(Matrix(ids, papers, rows)).best(query, size, set(papers[:size]))
        assert few == some


def test_equal_scores_are_cut_by_id() -> None:
    rows = np.tile(normalise(np.ones((1, 8), np.float32)), (50, 1))
    ids = tuple(f"p{number:02}#0" for number in reversed(range(50)))
    matrix = Matrix(ids, tuple(key[:3] for key in ids), rows)
    assert [key for key, _ in ranked(matrix, rows[0], 4)] == ["p00#0", "p01#0", "p02#0", "p03#0"]
    assert [key for key, _ in ranked(matrix, rows[0], 2, {"p40", "p41", "p42", "nowhere"})] == ["p40#0", "p41#0"]


def test_another_set_of_papers_is_another_search() -> None:
    rows = normalise(np.random.default_rng(1).standard_normal((30, 8)).astype(np.float32))
    part = Part(Matrix(tuple(f"p{n}#0" for n in range(30)), tuple(f"p{n}" for n in range(30)), rows))
    allowed = {"p1", "p2"}
    assert {key for key, _ in part.best(rows[0], 9, allowed)} == {"p1#0", "p2#0"}
    allowed.add("p3")
    assert {key for key, _ in part.best(rows[0], 9, allowed)} == {"p1#0", "p2#0", "p3#0"}
    assert part.best(rows[0], 9, set()) == []
    smaller = part.without({"p1#0"}, ["p1"])
    assert {key for key, _ in smaller.best(rows[0], 9, allowed)} == {"p2#0", "p3#0"}
    assert {key for key, _ in part.best(rows[0], 9, allowed)} == {"p1#0", "p2#0", "p3#0"}
    assert smaller.living.paper_ids == tuple(f"p{n}" for n in range(30) if n != 1)
