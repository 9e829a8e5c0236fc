"""A writable stand-in for a folder that must not be written to: links to its files, in a temporary folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


class Mirror:
    """tantivy takes a lock file even to read, which a folder open for reading only refuses.

    Files whose names end in one of `living` are replaced by their writer as it goes; they are copied, the others linked.
    The temporary folder goes with this object.
    """

    def __init__(self, original: Path, living: tuple[str, ...]) -> None:
        self._original = original
        self._living = living
        self._temporary = tempfile.TemporaryDirectory(prefix="ibid-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        self.refresh()

    def refresh(self) -> None:
        """Shows what the original holds now; the living files last, as they name the others. May raise OSError."""
        present = [path for path in self._original.iterdir() if path.is_file() and not path.name.endswith(".lock")]
        for path in sorted(present, key=lambda path: path.name.endswith(self._living)):
            here = self.folder / path.name
            if path.name.endswith(self._living):
                arriving = here.with_name(here.name + ".new")
                shutil.copyfile(path, arriving)
                os.replace(arriving, here)
            elif not here.exists():
                _link(path, here)


def _link(path: Path, here: Path) -> None:
    try:
        here.symlink_to(path.resolve())
    except OSError:  # Windows lets few users make links
        shutil.copyfile(path, here)
