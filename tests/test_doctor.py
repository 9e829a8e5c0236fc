"""The doctor names what is wrong and the command that mends it, and running that command mends it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import LibraryError
from assistant.library import Library
from assistant.storage.doctor import Check
from assistant.storage.generations import Generations
from assistant.testing import HashEmbedder
from tests.stored_papers import EMBEDDER, many

pytestmark = pytest.mark.timeout(600)  # a child imports Chroma, on a machine that may be busy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Library.open(tmp_path / "library", embedder=EMBEDDER) as library:
        library.write(many(range(20)))
    return tmp_path / "library"


def bad(checks: tuple[Check, ...]) -> dict[str, str]:
    return {check.check: check.mend for check in checks if not check.ok}


def _drop_vector(folder: Path) -> None:
    connection = sqlite3.connect(folder / "library.sqlite")
    connection.execute("DELETE FROM vectors WHERE passage_row = 1")
    connection.commit()
    connection.close()


def _cut_lexical(folder: Path) -> None:
    current = Generations(folder).current()
    assert current is not None
    (current.lexical / "meta.json").write_text("{}")


def _lose_vectors(folder: Path) -> None:
    current = Generations(folder).current()
    assert current is not None
    shutil.rmtree(current.dense)


@pytest.mark.usefixtures("chroma")
def test_a_healthy_library(folder: Path) -> None:
    with Library.open(folder, embedder=EMBEDDER) as library:
        checks = library.doctor()
    assert bad(checks) == {}
    assert all(not check.mend and "\n" not in check.message for check in checks)
    assert {check.check for check in checks} >= {
        "truth",
        "schema",
        "embedder",
        "indexes",
        "lexical index",
        "vector index",
    }


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (lambda folder: shutil.rmtree(folder / "index"), "indexes"),
        (lambda folder: (folder / "index" / "000007").mkdir(), "generations"),
        (_cut_lexical, "lexical index"),
        (_lose_vectors, "vector index"),
    ],
)
def test_what_a_rebuild_mends(folder: Path, damage: Callable[[Path], object], finding: str) -> None:
    damage(folder)
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert bad(library.doctor())[finding] == f"ibid rebuild --library {folder}"
        library.rebuild()
        assert bad(library.doctor()) == {}


def test_what_embedding_anew_mends(folder: Path) -> None:
    _drop_vector(folder)
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert bad(library.doctor())["vectors"] == f"ibid rebuild --embed --library {folder}"
        library.rebuild(embed=True)
        assert bad(library.doctor()) == {}


@pytest.mark.parametrize(
    "changed",
    [
        "abstract = abstract || 'x'",
        "title = replace(title, 'a', 'e')",
        "year = 1066",
        "authors = '[\"Some'",  # no JSON any more
        "details = '7'",
    ],
)
def test_a_paper_changed_behind_the_librarys_back_is_told_of(folder: Path, changed: str) -> None:
    connection = sqlite3.connect(folder / "library.sqlite")
    connection.execute(f"UPDATE papers SET {changed} WHERE row = 1")
    connection.commit()
    (changed_id,) = connection.execute("SELECT id FROM papers WHERE row = 1").fetchone()
    connection.close()
    with Library.open(folder, embedder=EMBEDDER) as library:
        (told,) = [check.message for check in library.doctor() if check.check == "papers" and not check.ok]
    assert told == f"1 not as they were written: {changed_id}"


def test_a_record_that_is_no_json_any_more_is_an_error_of_ours(folder: Path) -> None:
    connection = sqlite3.connect(folder / "library.sqlite")
    connection.execute("UPDATE papers SET authors = '[' WHERE row = 1")
    connection.commit()
    connection.close()
    with (
        Library.open(folder, embedder=EMBEDDER) as library,
        pytest.raises(LibraryError, match=r"is damaged; see: ibid doctor$"),
    ):
        list(library.papers())


def test_a_copied_and_a_moved_library_stay_sound_however_often_looked_at(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    shutil.move(folder, tmp_path / "moved")
    for place in (copy, tmp_path / "moved"):
        with Library.open(place, embedder=EMBEDDER) as library:
            library.write(many(range(100, 103)))
            assert bad(library.doctor()) == {}
            assert bad(library.doctor()) == {}


def test_a_graph_that_chroma_has_not_persisted_yet_may_be_written_anew(folder: Path) -> None:
    current = Generations(folder).current()
    assert current is not None
    for file in current.dense.rglob("*.bin"):  # each opening leaves other bytes of what was in memory
        file.write_bytes(os.urandom(file.stat().st_size))
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert bad(library.doctor()) == {}
        library.write(many(range(100, 103)))
        assert bad(library.doctor()) == {}
    assert Generations(folder).current() == current  # nothing was made anew for it


def test_a_state_that_counted_such_files_is_read(folder: Path) -> None:
    current = Generations(folder).current()
    assert current is not None
    state = current.state()
    assert state is not None
    early = replace(state.dense, files={"a-graph/data_level0.bin": 1, "a-graph/header.bin": 2})
    current.save(replace(state, dense=early))
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert bad(library.doctor()) == {}
        library.write(many([100]))
    assert Generations(folder).current() == current


def test_another_embedder(folder: Path) -> None:
    with Library.open(folder) as library:
        library.rebuild(embed=True, embedder=HashEmbedder(name="other"))
    with Library.open(folder) as library:  # the default embedder is not the one it was embedded with
        assert bad(library.doctor()) == {"embedder": f"ibid rebuild --embed --library {folder}"}


def test_a_damaged_truth_is_the_only_finding(folder: Path) -> None:
    with Library.open(folder, embedder=EMBEDDER) as library:
        library.rebuild()
    content = bytearray((folder / "library.sqlite").read_bytes())
    for page in range(len(content) - 4096 * 8, len(content), 4096):  # data; the schema comes first
        content[page : page + 100] = os.urandom(100)
    (folder / "library.sqlite").write_bytes(content)
    with Library.open(folder) as library:
        checks = library.doctor()
    assert [check.check for check in checks] == ["truth"]
    assert not checks[0].ok
    assert "backup" in checks[0].mend
