"""Derived indexes: whatever happens to their files, searches give the same results and the indexes come back."""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.library import Library, StoredPaper
from assistant.storage.chroma_server import ChromaServer
from assistant.storage.database import Database
from assistant.storage.dense_part import FOUND_SHARE, Health
from assistant.storage.generations import Generation, Generations, State
from assistant.storage.indexes import Indexes
from assistant.storage.lock import WriterLock
from assistant.storage.truth import Truth
from assistant.storage.vector_index import VectorIndex
from tests.chroma_runner import ChromaRunner
from tests.stored_papers import EMBEDDER, many, own_word, paper, stored

pytestmark = pytest.mark.timeout(600)  # Chroma is imported by children too, on a machine that may be busy
QUERIES = [f"{own_word(number)} Paper {number} grado lumni" for number in (3, 17, 41)]


def rankings(library: Library) -> list[list[tuple[str, float]]]:
    return [
        hits
        for query in QUERIES
        for hits in (library.dense(EMBEDDER.embed_query(query), 9), library.lexical(query, 9))
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Library.open(tmp_path / "library", embedder=EMBEDDER) as library:
        library.write(many(range(60)))
    return tmp_path / "library"


def current(folder: Path) -> Generation:
    generation = Generations(folder).current()
    assert generation is not None
    return generation


def graph(folder: Path) -> Path:
    """The biggest file of the vector index's graph, or its database when there is none yet."""
    files = [path for path in current(folder).dense.rglob("*") if path.suffix == ".bin"]
    return max(files or [current(folder).dense / "chroma.sqlite3"], key=lambda path: path.stat().st_size)


def segment(folder: Path) -> Path:
    files = [path for path in current(folder).lexical.iterdir() if path.suffix in (".store", ".idx", ".term")]
    return max(files, key=lambda path: path.stat().st_size)


def put(path: Path, content: bytes) -> None:
    """Another file in its place: shortening one that this process still has mapped would kill it by SIGBUS."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def flip_bits(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for position in random.Random(1).sample(range(len(content)), 20):
        content[position] ^= 0x10
    put(path, content)


def halve(path: Path) -> None:
    put(path, path.read_bytes()[: path.stat().st_size // 2])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no index folder": lambda folder: shutil.rmtree(folder / "index"),
    "no pointer": lambda folder: (folder / "index" / "current").unlink(),
    "pointer to nowhere": lambda folder: (folder / "index" / "current").write_text("000999\n"),
    "pointer of garbage": lambda folder: (folder / "index" / "current").write_bytes(b"\xff../../etc"),
    "no state": lambda folder: (current(folder).folder / "state.json").unlink(),
    "half a state": lambda folder: (current(folder).folder / "state.json").write_text('{"lexical": {"cha'),
    "no lexical index": lambda folder: shutil.rmtree(current(folder).lexical),
    "lexical bits": lambda folder: flip_bits(segment(folder)),
    "lexical cut": lambda folder: halve(segment(folder)),
    "lexical garbage": lambda folder: put(current(folder).lexical / "meta.json", b"{"),
    "no vector index": lambda folder: shutil.rmtree(current(folder).dense),
    "vector bits": lambda folder: flip_bits(graph(folder)),
    "vectors cut": lambda folder: halve(graph(folder)),
    "vector database garbage": lambda folder: put(current(folder).dense / "chroma.sqlite3", b"x" * 5000),
    "vector database gone": lambda folder: (current(folder).dense / "chroma.sqlite3").unlink(),
}


_OF_FILES = "a server keeps the vector index's files to itself; what it loses is in test_server_backend"
_BOTH = [  # of the same pieces wherever the vectors are: a server need not be asked for them each time
    *(pytest.param("embedded", damage) for damage in DAMAGES),
    *(pytest.param("server", damage) for damage in ("no index folder", "no pointer", "no state", "lexical cut")),
    *(
        pytest.param("server", damage, marks=pytest.mark.skip(reason=_OF_FILES))
        for damage in DAMAGES
        if damage.startswith(("vector", "no vector"))
    ),
]


@pytest.mark.parametrize(("chroma", "damage"), _BOTH, indirect=["chroma"])
@pytest.mark.usefixtures("chroma")
def test_damaged_indexes_are_made_anew_and_rank_as_before(folder: Path, damage: str) -> None:
    with Library.open(folder, embedder=EMBEDDER) as library:
        before = rankings(library)
    DAMAGES[damage](folder)
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert rankings(library) == before
        library.rebuild()
        assert rankings(library) == before


@pytest.mark.parametrize(
    "damage",
    [
        "vector bits",
        "no state",
        *(pytest.param(slow, marks=pytest.mark.slow) for slow in ("no vector index", "vector database gone")),
    ],
)
def test_a_write_mends_what_it_finds_damaged(folder: Path, damage: str) -> None:
    DAMAGES[damage](folder)
    with Library.open(folder, embedder=EMBEDDER) as library:
        library.write(many([100]))
        assert [check for check in library.doctor() if not check.ok] == []


@pytest.mark.usefixtures("chroma")
def test_a_library_put_back_from_a_backup_gets_indexes_of_its_own(folder: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.sqlite"
    shutil.copy(folder / "library.sqlite", backup)
    with Library.open(folder, embedder=EMBEDDER) as library:
        before = rankings(library)
        library.write(many(range(100, 103)))
    shutil.copy(backup, folder / "library.sqlite")
    with Library.open(folder, embedder=EMBEDDER) as library:
        library.write([stored(paper(200))])  # now both histories have as many changes
        library.remove(["title:200"])
        assert rankings(library) == before
        assert library.lexical(own_word(101), 3) == []
        assert [check for check in library.doctor() if not check.ok] == []


@pytest.mark.usefixtures("chroma")
def test_rankings_depend_on_the_papers_alone(folder: Path, tmp_path: Path) -> None:
    with Library.open(folder, embedder=EMBEDDER) as library:
        expected = rankings(library)
    with Library.open(tmp_path / "other", embedder=EMBEDDER) as library:
        for start in (30, 0, 45, 15):
            library.write(many(range(start, start + 15)))
        library.write(many(range(60, 70)))
        library.remove([f"title:{number}" for number in range(60, 70)])
        library.write(many(range(10)))
        assert rankings(library) == expected


@pytest.mark.usefixtures("chroma")
def test_the_pointer_moves_at_once_and_old_generations_go(folder: Path) -> None:
    generations = Generations(folder)
    before = current(folder)
    unfinished = generations.create()
    assert generations.current() == before
    assert generations.leftovers() == [unfinished]
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert [check.check for check in library.doctor() if not check.ok] == ["generations"]
        library.rebuild()
    assert current(folder).name > unfinished.name
    assert generations.leftovers() == []
    assert not before.folder.exists()


def test_a_state_is_read_back(tmp_path: Path) -> None:
    generation = Generation(tmp_path)
    assert generation.state() is None
    generation.save(State())
    assert generation.state() == State()


# Large libraries, made large by a low limit for exact scans.


class Large:
    """The parts of a library whose vectors are searched in Chroma from the first passage on."""

    def __init__(self, folder: Path, url: str | None = None, found_share: float = FOUND_SHARE) -> None:
        folder.mkdir(exist_ok=True)
        self.database = Database(folder)
        self.database.prepare()
        self.truth = Truth(self.database)
        self.lock = WriterLock(folder)
        self.indexes = Indexes(
            folder,
            self.truth,
            self.lock,
            read_only=False,
            chroma=ChromaServer(url) if url else None,
            exact_rows=10,
            found_share=found_share,
        )

    def write(self, numbers: range) -> None:
        self.put(many(numbers))

    def put(self, papers: Sequence[StoredPaper]) -> None:
        with self.lock.held("testing"):
            self.truth.write(papers, EMBEDDER.fingerprint.to_json())
            self.indexes.catch_up()

    def examined(self) -> Health:
        now = self.indexes.current()
        assert now is not None
        return self.indexes.examine(now)

    def after_checks(self) -> str:
        """The current generation's name once searches have had the index checked, and perhaps rebuilt."""
        for number in range(3):
            self.dense(number)
        for thread in threading.enumerate():
            if thread.name == "ibid-index-check":
                thread.join()
        now = self.indexes.current()
        assert now is not None
        return now.generation.name

    def dense(self, number: int, allowed: set[str] | None = None) -> list[tuple[str, float]]:
        return self.indexes.dense(self.vector(number), 5, allowed)

    def vector(self, number: int):  # type: ignore[no-untyped-def]  # a float32 vector
        first = stored(paper(number)).vectors
        assert first is not None
        return first[0].vector

    def until_checked(self) -> None:
        """Two searches start the check of the index; waits until Chroma answers."""
        for _ in range(600):
            self.dense(1)
            if self.indexes.dense_part.opened:
                return
            time.sleep(0.1)
        raise AssertionError("Chroma was never taken into use")

    def close(self) -> None:
        self.indexes.close()
        self.database.close()


@pytest.fixture(params=["embedded", "server"])
def large(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Large]:
    url = request.getfixturevalue("chroma_runner").url if request.param == "server" else None
    made = Large(tmp_path / "library", url)
    made.write(range(300))
    yield made
    made.close()


def test_a_large_library_ranks_as_an_exact_scan_does(large: Large) -> None:
    exact = [large.dense(number) for number in range(20)]
    large.until_checked()
    large.indexes.exact.forget()
    for number, expected in enumerate(exact):
        found = large.dense(number)
        assert found[0][0] == f"title:{number}#0"
        assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)
    assert not large.indexes.exact.loaded


def test_filtered_and_newer_and_removed_passages_are_right_in_a_large_library(large: Large) -> None:
    large.until_checked()
    allowed = {"title:5", "title:6"}
    assert {hit.rpartition("#")[0] for hit, _ in large.dense(7, allowed)} == allowed
    assert large.dense(7, set()) == []
    with large.lock.held("testing"):  # the truth alone, as while another process is still at its indexes
        large.truth.write(many(range(300, 310)), EMBEDDER.fingerprint.to_json())
        large.truth.remove(["title:7"])
    assert large.dense(305)[0][0] == "title:305#0"
    assert all(not hit.startswith("title:7#") for hit, _ in large.dense(7))
    with large.lock.held("testing"):
        large.indexes.catch_up()
    assert large.dense(305)[0][0] == "title:305#0"
    now = large.indexes.current()
    assert now is not None
    assert large.indexes.examine(now).ok


# A kill while Chroma writes its graph, and bits that flip in it, concern files of our own: embedded alone.


def test_a_damaged_graph_is_noticed_and_rebuilt_while_the_library_answers(tmp_path: Path) -> None:
    made = Large(tmp_path / "library")
    made.write(range(1100))
    expected = made.dense(3)
    before = current(tmp_path / "library")
    made.close()
    flip_bits(graph(tmp_path / "library"))
    made = Large(tmp_path / "library")
    for _ in range(600):
        assert made.dense(3) == expected
        if current(tmp_path / "library") != before:
            break
        time.sleep(0.1)
    assert current(tmp_path / "library") != before
    made.until_checked()
    assert [hit for hit, _ in made.dense(3)] == [hit for hit, _ in expected]
    made.close()


def test_near_duplicates_stand_in_for_each_other(tmp_path: Path) -> None:
    made = Large(tmp_path / "library")
    made.put([stored(paper(number % 5 if number % 5 < 2 else number, id=f"title:{number}")) for number in range(300)])
    health = made.examined()
    made.close()
    assert health.ok, health.message


def test_an_index_that_a_rebuild_cannot_better_is_rebuilt_once_at_most(tmp_path: Path) -> None:
    made = Large(tmp_path / "library", found_share=1.01)  # no index is that good
    made.write(range(600))
    first = made.after_checks()
    assert first == "000001"  # it was made whole from these very papers
    made.write(range(600, 610))
    made.close()
    made = Large(tmp_path / "library", found_share=1.01)
    assert not made.examined().lasting
    second = made.after_checks()
    assert second == "000002"
    assert made.after_checks() == second
    made.write(range(610, 620))
    made.close()
    made = Large(tmp_path / "library", found_share=1.01)
    expected = made.dense(615)
    assert made.after_checks() == second
    assert made.dense(615) == expected
    health = made.examined()
    made.close()
    assert not health.ok
    assert health.lasting
    assert "rebuild gives no better" in health.message


def test_lost_vectors_are_not_taken_for_a_lasting_fault(tmp_path: Path) -> None:
    made = Large(tmp_path / "library")
    made.write(range(600))
    made.indexes.mend()
    made.write(range(600, 640))  # more than may wait for the graph
    now = made.indexes.current()
    assert now is not None
    index = VectorIndex.embedded(now.generation.dense, "open")
    wrong = made.vector(7)
    index.upsert([f"title:{number}#0" for number in range(0, 600, 3)], np.stack([wrong] * 200))
    index.close()
    files = made.indexes.dense_part.files(now.generation)
    now.generation.save(replace(now.state, dense=replace(now.state.dense, files=files)))
    health = made.examined()
    assert not health.ok
    assert not health.lasting
    second = now.generation.name
    third = made.after_checks()
    assert third > second
    assert made.after_checks() == third
    assert made.examined().ok
    made.close()


@pytest.mark.slow
def test_a_large_library_goes_on_when_its_server_does_not(tmp_path: Path) -> None:
    runner = ChromaRunner(tmp_path / "server")
    made = Large(tmp_path / "library", runner.url)
    made.write(range(100))
    expected = made.dense(7)
    made.until_checked()
    runner.stop()
    assert [hit for hit, _ in made.dense(7)] == [hit for hit, _ in expected]
    made.write(range(100, 110))
    assert made.dense(105)[0][0] == "title:105#0"
    generation = made.after_checks()
    shutil.rmtree(runner.folder)
    runner.start()
    made.close()
    made = Large(tmp_path / "library", runner.url)  # the server is back, and empty
    assert made.after_checks() > generation
    made.until_checked()
    assert made.dense(105)[0][0] == "title:105#0"
    assert made.examined().ok
    assert len(runner.collections()) == 1
    made.close()
    runner.stop()


def test_a_state_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    generation = Generation(tmp_path)
    generation.save(State())
    content = json.loads((tmp_path / "state.json").read_text())
    for part in content.values():
        del part["built"], part["recall"]
    (tmp_path / "state.json").write_text(json.dumps(content))
    assert generation.state() == State()
