"""The vector index in a folder of its own: what went wrong with a folder once does not stay with its name."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import LibraryError
from assistant.storage.vector_index import VectorIndex

pytestmark = pytest.mark.timeout(300)  # Chroma is imported, on a machine that may be busy


def works(folder: Path) -> bool:
    index = VectorIndex.embedded(folder, "create")
    index.upsert(["one", "two"], np.eye(2, 8, dtype=np.float32))
    found = index.query(np.eye(2, 8, dtype=np.float32), 1)
    index.close()
    return [hits[0][0] for hits in found] == ["one", "two"]


def test_a_folder_that_could_not_be_opened_can_be_when_that_is_put_right(tmp_path: Path) -> None:
    folder = tmp_path / "chroma"
    folder.mkdir()
    (folder / "chroma.sqlite3").write_bytes(b"x" * 5000)
    for _ in range(2):
        with pytest.raises(LibraryError) as caught:
            VectorIndex.embedded(folder, "create")
        assert "\n" not in str(caught.value)
        assert "not a database" in str(caught.value)
    (folder / "chroma.sqlite3").unlink()
    assert works(folder)


def test_a_folder_whose_collection_was_missing_is_let_go_of(tmp_path: Path) -> None:
    folder = tmp_path / "chroma"
    with pytest.raises(LibraryError):
        VectorIndex.embedded(folder, "open")
    shutil.rmtree(folder)
    assert works(folder)
