"""Several processes at one library: one writes, the second is told so at once, readers see what is new within seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assistant.errors import LibraryLocked
from assistant.library import Library
from assistant.settings import Settings
from assistant.storage.lock import WriterLock
from tests.stored_papers import EMBEDDER, many, own_word

_ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.timeout(600)  # children import Chroma, on a machine that may be busy
_HOLDER = """
import sys
from assistant.library import Library
from tests.stored_papers import EMBEDDER, many
with Library.open(sys.argv[1], embedder=EMBEDDER) as library, library.writing("holding on"):
    library.write(many(range(100, 103)))
    print("holding", flush=True)
    sys.stdin.readline()
print("released", flush=True)
"""


def start(code: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_writer_is_told_who_writes_while_readers_and_records_go_on(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        library.write(many(range(3)))
        holder = start(_HOLDER, tmp_path)
        assert said(holder) == "holding"
        for write in (lambda: library.write(many([9])), lambda: library.remove(["title:1"]), library.rebuild):
            with pytest.raises(LibraryLocked) as caught:
                write()
            message = str(caught.value)
            assert str(holder.pid) in message
            assert "holding on" in message
            assert "\n" not in message
        assert library.count() == 6
        assert library.lexical(own_word(1), 1)[0][0] == "title:1#0"
        assert library.dense(EMBEDDER.embed_query("Paper 101"), 1)
        record_id = library.save_record({"question": "q", "answer": {}})
        assert library.record(record_id).question == "q"
        holder.communicate("\n")
        library.write(many([9]))
        assert library.count() == 7


def test_a_second_writer_may_wait(tmp_path: Path) -> None:
    Library.open(tmp_path, embedder=EMBEDDER).close()
    holder = start(_HOLDER, tmp_path)
    assert said(holder) == "holding"
    assert holder.stdin is not None
    holder.stdin.write("\n")
    holder.stdin.flush()
    with Library.open(tmp_path, embedder=EMBEDDER, settings=Settings(lock_wait_s=60)) as library:
        library.write(many([9]))
        assert library.count() == 4
    holder.communicate()


def test_the_lock_of_a_dead_process_is_no_obstacle(tmp_path: Path) -> None:
    Library.open(tmp_path, embedder=EMBEDDER).close()
    holder = start(_HOLDER, tmp_path)
    assert said(holder) == "holding"
    holder.kill()
    holder.communicate()
    assert (tmp_path / "writer.json").exists()
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert library.count() == 3
        library.write(many([9]))
        assert library.lexical(own_word(101), 1)[0][0] == "title:101#0"


def test_a_reader_sees_the_papers_of_a_writer_within_seconds(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        library.write(many(range(3)))
        assert library.lexical(own_word(101), 1) == []
        first = many([101])[0].vectors
        assert first is not None
        writer = start(_HOLDER, tmp_path)
        assert said(writer) == "holding"
        assert library.dense(first[0].vector, 1)[0][0] == "title:101#0"  # from the truth, at once
        writer.communicate("\n")
        deadline = time.monotonic() + 30  # of a busy machine
        while not library.lexical(own_word(101), 1) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert library.lexical(own_word(101), 1)[0][0] == "title:101#0"
        assert library.search(own_word(101))[0].paper.id == "title:101"


@pytest.mark.usefixtures("chroma")
def test_a_reader_follows_a_rebuild_and_a_removal(tmp_path: Path) -> None:
    with (
        Library.open(tmp_path, embedder=EMBEDDER) as writer,
        Library.open(tmp_path, embedder=EMBEDDER, read_only=False) as reader,
        Library.open(tmp_path, embedder=EMBEDDER, read_only=True) as onlooker,
    ):
        writer.write(many(range(5)))
        for library in (reader, onlooker):
            assert library.lexical(own_word(3), 1)[0][0] == "title:3#0"
        writer.rebuild()
        writer.remove(["title:3"])
        for library in (reader, onlooker):
            assert library.lexical(own_word(3), 1) == []
            assert library.lexical(own_word(4), 1)[0][0] == "title:4#0"
            assert all(not hit.startswith("title:3#") for hit, _ in library.dense(EMBEDDER.embed_query("x"), 99))


@pytest.mark.usefixtures("chroma")
def test_two_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    code = """
import sys, time
from assistant.errors import LibraryLocked
from assistant.library import Library
from tests.stored_papers import EMBEDDER, many
folder, first = sys.argv[1].rsplit(":", 1)
for start in range(int(first), int(first) + 30, 10):
    while True:
        try:
            with Library.open(folder, embedder=EMBEDDER) as library:
                library.write(many(range(start, start + 10)))
            break
        except LibraryLocked:
            time.sleep(0.05)
"""
    Library.open(tmp_path, embedder=EMBEDDER).close()
    processes = [start(code, Path(f"{tmp_path}:{first}")) for first in (0, 1000)]
    for process in processes:
        process.communicate(timeout=200)
        assert process.returncode == 0
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert library.count() == 60
        assert all(
            library.lexical(own_word(number), 1)[0][0] == f"title:{number}#0" for number in (0, 29, 1000, 1029)
        )
        assert [check for check in library.doctor() if not check.ok] == []


def test_the_lock_is_reentrant_within_a_thread(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path)
    with lock.held("outer"):
        assert not lock.nested
        with lock.held("inner"):
            assert lock.nested
        with pytest.raises(LibraryLocked, match="outer"), WriterLock(tmp_path).held("another"):
            pass
    with WriterLock(tmp_path).held("another"):
        pass
