"""Bits of a library's files flipped, and files cut short: searches stay right or say in a line why not, the doctor
finds what matters, and a rebuild brings everything back.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from assistant.errors import IbidError
from assistant.library import Library
from assistant.storage.database import Database
from assistant.storage.generations import Generations
from assistant.storage.indexes import Indexes
from assistant.storage.lock import WriterLock
from assistant.storage.truth import Truth
from tests.stored_papers import EMBEDDER, many, own_word

pytestmark = pytest.mark.timeout(900)  # a child imports Chroma for each damage, on a machine that may be busy
_PAPERS = 560  # two passages each: above Chroma's threshold of 1,000, its graph is in files
_OFFSETS = 20
_QUICK = 1  # of them in every run
# Files whose every bit is under a checksum; a bit of the others may mean nothing, such as that of a last newline.
_SUMMED = (".bin", ".pickle", ".term", ".idx", ".store", ".fieldnorm")
QUERIES = [f"{own_word(number)} Paper {number} grado lumni" for number in (3, 170, 555)]


def flip(path: Path, chance: random.Random) -> None:
    """One bit."""
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size))


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {"flip": flip, "cut": cut}
# What an index of this size consists of; a file that is not there any more is a failure of the test.
FILES = {
    "state": "index/*/state.json",
    "pointer": "index/current",
    "lexical meta": "index/*/lexical/meta.json",
    "lexical terms": "index/*/lexical/*.term",
    "lexical postings": "index/*/lexical/*.idx",
    "lexical store": "index/*/lexical/*.store",
    "lexical lengths": "index/*/lexical/*.fieldnorm",
    "vectors": "index/*/chroma/*/data_level0.bin",
    "vectors' header": "index/*/chroma/*/header.bin",
    "vectors' names": "index/*/chroma/*/index_metadata.pickle",
    "vectors' lists": "index/*/chroma/chroma.sqlite3",
}
TRIALS = [
    pytest.param(file, damage, seed, marks=() if seed < _QUICK and damage == "flip" else pytest.mark.slow)
    for file in FILES
    for damage in DAMAGES
    for seed in range(_OFFSETS)
]


@dataclass(frozen=True, slots=True)
class Rankings:
    dense: list[list[tuple[str, float]]]
    lexical: list[list[tuple[str, float]]]
    papers: list[list[str]]


def rankings(library: Library) -> Rankings:
    return Rankings(
        [library.dense(EMBEDDER.embed_query(query), 9) for query in QUERIES],
        [library.lexical(query, 9) for query in QUERIES],
        [[hit.paper.id for hit in library.search(query, 9)] for query in QUERIES],
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rankings]:
    folder = tmp_path_factory.mktemp("whole") / "library"
    with Library.open(folder, embedder=EMBEDDER) as library:
        library.write(many(range(_PAPERS)))
        return folder, rankings(library)


@pytest.fixture
def copy(tmp_path: Path, whole: tuple[Path, Rankings]) -> Iterator[Path]:
    yield shutil.copytree(whole[0], tmp_path / "library")
    shutil.rmtree(tmp_path / "library")  # hundreds of copies would fill a small disk


def by_graph(folder: Path) -> list[list[tuple[str, float]]]:
    """What a reader of a larger library would find: by Chroma where it is sound, which is checked in the background."""
    database = Database(folder, read_only=True)
    indexes = Indexes(folder, Truth(database), WriterLock(folder), read_only=True, exact_rows=100, found_share=0.98)
    try:
        vectors = [EMBEDDER.embed_query(query) for query in QUERIES]
        for vector in vectors:
            indexes.dense(vector, 9, None)
        for thread in threading.enumerate():
            if thread.name == "ibid-index-check":
                thread.join()
        return [indexes.dense(vector, 9, None) for vector in vectors]
    finally:
        indexes.close()
        database.close()


def test_the_graph_is_what_a_large_library_searches(whole: tuple[Path, Rankings]) -> None:
    folder, before = whole
    for file, pattern in FILES.items():
        assert list(folder.glob(pattern)), file
    for found, exact in zip(by_graph(folder), before.dense, strict=True):
        assert len({id_ for id_, _ in found} & {id_ for id_, _ in exact}) >= 8


@pytest.mark.parametrize(("file", "damage", "seed"), TRIALS)
def test_a_damaged_index_never_answers_wrongly(
    copy: Path, whole: tuple[Path, Rankings], file: str, damage: str, seed: int
) -> None:
    path = max(copy.glob(FILES[file]), key=lambda one: one.stat().st_size)
    before = path.read_bytes()
    DAMAGES[damage](path, random.Random(f"{file} {damage} {seed}"))
    assert path.read_bytes() != before
    for found, exact in zip(by_graph(copy), whole[1].dense, strict=True):
        assert found[0][0] == exact[0][0]
        assert len({id_ for id_, _ in found} & {id_ for id_, _ in exact}) >= 8
    with Library.open(copy, embedder=EMBEDDER) as library:
        findings = [check.message for check in library.doctor() if not check.ok]
        if path.suffix in _SUMMED:
            assert findings
        assert all("\n" not in message and "Traceback" not in message for message in findings)
        assert rankings(library) == whole[1]
        library.rebuild()
        assert rankings(library) == whole[1]
        assert [check.message for check in library.doctor() if not check.ok] == []
    assert Generations(copy).leftovers() == []


@pytest.mark.parametrize("left", ["data_level0.bin", "link_lists.bin", "header.bin"])
def test_a_graph_that_a_killed_writer_half_wrote_is_made_anew(copy: Path, left: str) -> None:
    """Chroma writes its files in place, one after the other. Such a graph may pass every search and end the process at
    the next insertion."""
    generation = Generations(copy).current()
    assert generation is not None
    state = generation.state()
    assert state is not None
    (file,) = generation.dense.glob(f"*/{left}")
    before = file.read_bytes()
    with Library.open(copy, embedder=EMBEDDER) as library:
        library.write(many(range(_PAPERS, 2 * _PAPERS)))
    assert file.read_bytes() != before
    file.write_bytes(before)  # the one that the writer had not come to
    generation.save(replace(state, dense=replace(state.dense, busy=True)))
    with Library.open(copy, embedder=EMBEDDER) as library:
        library.write(many([3000]))
        assert [check.message for check in library.doctor() if not check.ok] == []
    anew = Generations(copy).current()
    assert anew is not None
    assert anew.name != generation.name


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=() if seed < 5 else pytest.mark.slow) for seed in range(_OFFSETS)]
)
def test_a_damaged_truth_is_told_of_in_a_line(
    copy: Path, whole: tuple[Path, Rankings], damage: str, seed: int
) -> None:
    """Unlike an index it cannot be had again. What is read from it is right, or the doctor or an error tells."""
    DAMAGES[damage](copy / "library.sqlite", random.Random(f"truth {damage} {seed}"))
    told: list[str] = []
    same = False
    try:
        with Library.open(copy, embedder=EMBEDDER) as library:
            told += [check.message for check in library.doctor() if not check.ok]
            papers = [(paper.id, paper.title, paper.abstract) for paper in library.papers()]
            with Library.open(whole[0], embedder=EMBEDDER, read_only=True) as sound:
                same = papers == [(paper.id, paper.title, paper.abstract) for paper in sound.papers()]
            same = same and rankings(library) == whole[1]
    except IbidError as error:
        told.append(str(error))
    assert same or told
    assert all("\n" not in message and "Traceback" not in message for message in told)
