"""Real processes, really killed: what a write returned from is there, and everything else can be had again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
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


def when_files_change(pattern: str, changes: int) -> Callable[[subprocess.Popen[str], Path], list[str]]:
    """Waits until files of the index have changed so many times."""

    def wait(writer: subprocess.Popen[str], folder: Path) -> list[str]:
        seen: dict[Path, tuple[int, int]] = {}
        counted = 0
        while counted < changes and writer.poll() is None:
            for path in folder.glob(pattern):
                try:
                    stamp = (path.stat().st_mtime_ns, path.stat().st_size)
                except OSError:
                    continue
                counted += seen.get(path) != stamp
                seen[path] = stamp
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
