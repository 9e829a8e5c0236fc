"""A library that another version of the chunker cut: told of, searched all the same, and mended in place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from stored_papers import EMBEDDER, many

from assistant.chunking import CHUNKER_VERSION, passages
from assistant.embedding.vectors import Fingerprint, PassageText, PassageVectors
from assistant.library import Library
from assistant.storage.doctor import Check
from assistant.testing import HashEmbedder


def _stamp(folder: Path, chunker: str | None) -> str:
    """What the library says of its chunker; with `chunker` that is put there first, as another version would have."""
    with sqlite3.connect(folder / "library.sqlite") as connection:
        (text,) = connection.execute("SELECT value FROM meta WHERE key = 'fingerprint'").fetchone()
        if chunker is not None:
            changed = json.dumps({**json.loads(text), "chunker": chunker}, sort_keys=True)
            connection.execute("UPDATE meta SET value = ? WHERE key = 'fingerprint'", (changed,))
    connection.close()
    return Fingerprint.from_json(text).chunker


def _told(library: Library) -> Check:
    return next(check for check in library.doctor() if check.check == "passages")


def _as_cut_now(library: Library) -> bool:
    return all(library.passages(paper.id) == passages(paper) for paper in library.papers())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of 100 papers with a passage for each sentence, where the chunker makes one of both."""
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        library.write(many(range(100)))
    return tmp_path


def test_a_new_library_says_what_cut_it(folder: Path) -> None:
    assert _stamp(folder, None) == CHUNKER_VERSION
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert _told(library).ok
        library.rebuild(embed=True)
    assert _stamp(folder, None) == CHUNKER_VERSION


def test_another_chunker_is_told_of_and_its_passages_are_cut_again(folder: Path) -> None:
    _stamp(folder, "halves-1")
    with Library.open(folder, embedder=EMBEDDER) as library:
        found = _told(library)
        assert (found.ok, found.mend) == (False, f"ibid rebuild --embed --library {folder}")
        assert "'halves-1'" in found.message
        assert library.search("xyniz", k=1)[0].paper.id == "title:7"
        library.write(many([100]))
        library.rebuild()
        assert not _told(library).ok
        assert not _as_cut_now(library)
        library.rebuild(embed=True)
        assert _told(library).ok
        assert _as_cut_now(library)
        assert library.search("xyniz", k=1)[0].paper.id == "title:7"
        assert all(check.ok for check in library.doctor() if check.check != "disk space")
    assert _stamp(folder, None) == CHUNKER_VERSION


def test_an_older_library_that_does_not_say_opens_and_says_after_embedding_anew(folder: Path) -> None:
    _stamp(folder, "")
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert _told(library).ok
        library.write(many([100]))
        assert _stamp(folder, None) == ""
        library.rebuild(embed=True)
        assert _as_cut_now(library)
    assert _stamp(folder, None) == CHUNKER_VERSION


def test_an_unreadable_fingerprint_is_told_of_and_mended(folder: Path) -> None:
    with sqlite3.connect(folder / "library.sqlite") as connection:
        connection.execute("UPDATE meta SET value = 'x' WHERE key = 'fingerprint'")
    connection.close()
    with Library.open(folder, embedder=None) as library:
        assert not _told(library).ok
        library.rebuild(embed=True, embedder=EMBEDDER)
        assert _told(library).ok
        assert _as_cut_now(library)


def test_cutting_again_goes_on_where_it_stopped(folder: Path) -> None:
    class Failing(HashEmbedder):
        """Fails at its third batch of whole abstracts."""

        batches = 0

        def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
            self.batches += len(passages[0].sentences) == 2
            if self.batches == 2:
                raise OSError("the lights went out")
            return super().embed_passages(passages)

    _stamp(folder, "halves-1")
    with Library.open(folder, embedder=Failing()) as library:
        with pytest.raises(OSError, match="lights"):
            library.rebuild(embed=True)
        assert sum(library.passages(paper.id) == passages(paper) for paper in library.papers()) == 64
    assert _stamp(folder, None) == "halves-1"
    with Library.open(folder, embedder=EMBEDDER) as library:
        assert len(library.search("xyniz", k=100)) == 100
        library.rebuild(embed=True)
        assert _as_cut_now(library)
        assert library.count() == 100
