"""Real processes, really killed: what a write returned from is there, and everything else can be had again."""

from __future__ import annotations

import functools
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.library import Library
from tests.stored_papers import EMBEDDER, many, own_word

_ROOT = Path(__file__).parents[1]
_PAPERS = 240
_BATCH = 20
# Says what was stored, as soon as it was.
_WRITER = """
import sys
from assistant.library import Library
from tests.stored_papers import EMBEDDER, many
with Library.open(sys.argv[1], embedder=EMBEDDER) as library, library.writing():
    for start in range(0, int(sys.argv[2]), int(sys.argv[3])):
        batch = many(range(start, start + int(sys.argv[3])))
        missing = [one for one in batch if one.paper.id not in library.papers_by_id([one.paper.id])]
        library.write(missing)
        print(start, flush=True)
print("done", flush=True)
"""


def start_writer(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(folder), str(_PAPERS), str(_BATCH)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def kill(writer: subprocess.Popen[str]) -> list[str]:
    """Kills it as `kill -9` does; gives the lines it had printed."""
    writer.send_signal(signal.SIGKILL)
    return writer.communicate()[0].split()


def when_it_said(lines: int, then_s: float = 0.0) -> Callable[[subprocess.Popen[str], Path], list[str]]:
    """Waits until so many batches were reported stored, and a moment more."""

    def wait(writer: subprocess.Popen[str], folder: Path) -> list[str]:
        assert writer.stdout is not None
        seen = [writer.stdout.readline().strip() for _ in range(lines)]
        time.sleep(then_s)
        return seen

    return wait


def stamps(folder: Path, pattern: str) -> dict[Path, tuple[int, int]]:
    """Files that match, with the time and size that tell when they change."""
    found = {}
    for name in glob.glob(pattern, root_dir=folder, recursive=True):  # unlike Path's it takes it when a folder goes
        path = folder / name
        with suppress(OSError):
            found[path] = (path.stat().st_mtime_ns, path.stat().st_size)
    return found


def when_files_change(pattern: str, changes: int) -> Callable[[subprocess.Popen[str], Path], list[str]]:
    """Waits until files of the index have changed so many times."""

    def wait(writer: subprocess.Popen[str], folder: Path) -> list[str]:
        seen = stamps(folder, pattern)
        counted = 0
        while counted < changes and writer.poll() is None:
            now = stamps(folder, pattern)
            counted += sum(seen.get(path) != stamp for path, stamp in now.items())
            seen |= now
        return []

    return wait


MOMENTS = {
    "after the first batch": when_it_said(1),
    "while storing": when_it_said(5, random.Random(1).random() / 50),
    "after the last batch": when_it_said(_PAPERS // _BATCH),
    "at the lexical index": when_files_change("index/*/lexical/*", 3),
    "later at the lexical index": when_files_change("index/*/lexical/*", 30),
    "at the vector index": when_files_change("index/*/chroma/**/*", 1),
    "later at the vector index": when_files_change("index/*/chroma/**/*", 12),
    "at the state": when_files_change("index/*/state.json", 2),
}
_ALWAYS = {"while storing", "at the lexical index", "later at the vector index"}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library.open(tmp_path_factory.mktemp("untouched"), embedder=EMBEDDER)
    library.write(many(range(_PAPERS)))
    return library


@pytest.mark.timeout(600)  # children import Chroma, of a machine that may be busy
@pytest.mark.parametrize(
    "moment", [pytest.param(moment, marks=() if moment in _ALWAYS else pytest.mark.slow) for moment in MOMENTS]
)
def test_a_killed_writer_loses_nothing_that_it_reported_and_can_go_on(
    tmp_path: Path, untouched: Library, moment: str
) -> None:
    writer = start_writer(tmp_path)
    seen = MOMENTS[moment](writer, tmp_path)
    reported = [int(line) for line in [*seen, *kill(writer)] if line.isdigit()]

    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        there = {paper.id for paper in library.papers()}
        assert there >= {f"title:{start + i}" for start in reported for i in range(_BATCH)}
        assert len(there) % _BATCH == 0
        for number in [*range(0, len(there), 37)]:
            assert library.lexical(own_word(number), 1)[0][0] == f"title:{number}#0"

        with library.writing():
            for start in range(0, _PAPERS, _BATCH):
                batch = many(range(start, start + _BATCH))
                library.write([one for one in batch if one.paper.id not in there])
        assert [paper.id for paper in library.papers()] == [paper.id for paper in untouched.papers()]
        ids = [passage.id for paper in untouched.papers() for passage in untouched.passages(paper.id)]
        ours, theirs = library.vectors(ids), untouched.vectors(ids)
        assert all((ours[id_] == theirs[id_]).all() for id_ in ids)
        for number in (0, 77, 239):
            text = f"{own_word(number)} Paper {number} grado"
            query = EMBEDDER.embed_query(text)
            assert library.dense(query, 10) == untouched.dense(query, 10)
            assert library.lexical(text, 10) == untouched.lexical(text, 10)
        health = {check.check: check for check in library.doctor()}
        assert health["vector index"].ok, health["vector index"].message
        assert health["indexes"].ok, health["indexes"].message


# Does one operation on what is left of it; says which papers it has dealt with.
_CHANGER = """
import sys
from assistant.library import Library, text_digest
from tests.stored_papers import EMBEDDER, changed
operation, batch = sys.argv[2], int(sys.argv[4])
with Library.open(sys.argv[1], embedder=EMBEDDER) as library:
    if operation == "rebuild":
        library.rebuild()
    else:
        with library.writing(operation):
            for start in range(0, int(sys.argv[3]), batch):
                ids = [f"title:{number}" for number in range(start, start + batch)]
                there = library.text_digests(ids)
                if operation == "remove":
                    library.remove(sorted(there))
                else:
                    wanted = changed(range(start, start + batch))
                    library.write([
                        one for one in wanted
                        if there[one.paper.id] != text_digest(one.paper.title, one.paper.abstract)
                    ])
                print(start, flush=True)
print("done", flush=True)
"""
_TOUCHED = 80
_KILLS: list[tuple[str, Callable[[subprocess.Popen[str], Path], list[str]], bool]] = [
    ("update", when_it_said(2), False),
    ("update", when_files_change("index/*/lexical/*", 8), True),
    ("update", when_files_change("index/*/chroma/**/*", 6), False),
    ("update", when_files_change("index/*/state.json", 3), True),
    ("remove", when_it_said(3), True),
    ("remove", when_files_change("index/*/lexical/*", 8), False),
    ("remove", when_files_change("index/*/chroma/**/*", 6), True),
    ("remove", when_files_change("index/current", 1), True),
    ("rebuild", when_files_change("index/000002/lexical/*", 1), True),
    ("rebuild", when_files_change("index/000002/chroma/**/*", 2), False),
    ("rebuild", when_files_change("index/000002/chroma/**/*", 12), True),
    ("rebuild", when_files_change("index/current", 1), True),
]


def change(folder: Path, operation: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHANGER, str(folder), operation, str(_TOUCHED), str(_BATCH)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@dataclass(frozen=True)
class Held:
    """What a library holds, and what it finds: by meaning, by words and by both."""

    papers: list[tuple[str, str]]
    vectors: dict[str, bytes]
    found: list[object]


def held(folder: Path) -> Held:
    with Library.open(folder, embedder=EMBEDDER) as library:
        papers = [(paper.id, paper.abstract) for paper in library.papers()]
        ids = [passage.id for id_, _ in papers for passage in library.passages(id_)]
        found: list[object] = []
        for number in (0, 45, 130, 199):
            text = f"{own_word(number)} Paper {number} grado"
            found += [library.dense(EMBEDDER.embed_query(text), 10), library.lexical(text, 10)]
            found.append([hit.paper.id for hit in library.search(text, 10)])
        return Held(papers, {id_: row.tobytes() for id_, row in library.vectors(ids).items()}, found)


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Held]]:
    """A library to operate on, and what one holds on which the operation was done without anybody disturbing it."""
    base = tmp_path_factory.mktemp("base") / "library"
    with Library.open(base, embedder=EMBEDDER) as library:
        library.write(many(range(200)))

    @functools.cache
    def of(operation: str) -> tuple[Path, Held]:
        folder = Path(shutil.copytree(base, tmp_path_factory.mktemp(operation) / "library"))
        assert change(folder, operation).communicate()[0].split()[-1] == "done"
        return base, held(folder)

    return of


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("operation", "moment"),
    [pytest.param(operation, moment, marks=pytest.mark.slow if slow else ()) for operation, moment, slow in _KILLS],
)
def test_a_killed_change_is_done_when_it_is_asked_for_again(
    tmp_path: Path,
    operated: Callable[[str], tuple[Path, Held]],
    operation: str,
    moment: Callable[[subprocess.Popen[str], Path], list[str]],
) -> None:
    base, undisturbed = operated(operation)
    folder = Path(shutil.copytree(base, tmp_path / "library"))
    victim = change(folder, operation)
    seen = moment(victim, folder)
    reported = [int(line) for line in [*seen, *kill(victim)] if line.isdigit()]

    with Library.open(folder, embedder=EMBEDDER, read_only=True) as library:
        after = dict(undisturbed.papers)
        there = {paper.id: paper.abstract for paper in library.papers()}
        for start in reported:
            for number in range(start, start + _BATCH):
                assert there.get(f"title:{number}") == after.get(f"title:{number}")
    assert change(folder, operation).communicate()[0].split()[-1] == "done"
    assert held(folder) == undisturbed
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert [check.message for check in library.doctor() if not check.ok] == []


def test_records_survive_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom assistant.library import Library\n"
        "library = Library.open(sys.argv[1])\n"
        "while True: print(library.save_record({'question': 'q', 'answer': {}}), flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    writer = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    seen = [writer.stdout.readline().strip() for _ in range(20)]
    reported = [*seen, *kill(writer)]
    with Library.open(tmp_path) as library:
        assert {record.id for record in library.records()} >= {line for line in reported if len(line) == 23}
