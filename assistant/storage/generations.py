"""Numbered folders of derived indexes; a pointer file, replaced atomically, names the current one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from assistant.storage.truth import Change

_POINTER = "current"
_STATE = "state.json"
_COLLECTION = "collection.json"
_DIGITS = 6

# Chroma 1.5.9 writes this file of a graph when it first persists one (from its sync threshold on, 1,000 vectors). Until
# then the graph's other files hold nothing, and each opening writes them anew with what happens to be in memory.
_PERSISTED = "index_metadata.pickle"
_UNSTEADY = "length.bin"  # left out since before that was known; of no consequence when damaged

Part: TypeAlias = Literal["lexical", "dense"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an index has come: everything up to `change` is in it.

    `busy` is set before its files are touched and cleared after: found set without a writer, the writer was killed.
    `files` are CRC-32s of files that only a writer changes, as of `change`. `place` is the address of the server
    that holds the index; empty for files of our own. `built` is the number of the change at which it was made from
    nothing, 0 when that is not known, and `recall` the share of sampled passages found right after a mending rebuild:
    what such a rebuild could not better is not rebuilt for that again.
    """

    change: Change = field(default_factory=Change)
    busy: bool = False
    files: dict[str, int] = field(default_factory=dict)
    place: str = ""
    built: int = 0
    recall: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The progress of a generation's two indexes."""

    lexical: Progress = field(default_factory=Progress)
    dense: Progress = field(default_factory=Progress)

    def having(self, part: Part, progress: Progress) -> State:
        return replace(self, lexical=progress) if part == "lexical" else replace(self, dense=progress)

    def of(self, part: Part) -> Progress:
        return self.lexical if part == "lexical" else self.dense


@dataclass(frozen=True, slots=True)
class Generation:
    """One folder of indexes."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def lexical(self) -> Path:
        return self.folder / "lexical"

    @property
    def dense(self) -> Path:
        return self.folder / "chroma"

    def part(self, part: Part) -> Path:
        return self.lexical if part == "lexical" else self.dense

    def state(self) -> State | None:
        """None when it is missing or unreadable: then nothing is known of the indexes and they must be rebuilt."""
        try:
            content = json.loads((self.folder / _STATE).read_text(encoding="utf-8"))
            return State(**{part: _progress(content[part]) for part in ("lexical", "dense")})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, state: State) -> None:
        _replace_file(self.folder / _STATE, json.dumps(asdict(state)))

    def collection(self) -> tuple[str, int] | None:
        """What was last kept by `keep_collection`."""
        try:
            content = json.loads((self.folder / _COLLECTION).read_text(encoding="utf-8"))
            return str(content["name"]), int(content["file"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep_collection(self, name: str, file_number: int) -> None:
        """Keeps the name of this generation's collection on a server, and the number that the file system gave to the
        truth's file then: a copy of the library has another."""
        _replace_file(self.folder / _COLLECTION, json.dumps({"name": name, "file": file_number}))


class Generations:
    """The `index` folder of a library. Only the holder of the writer lock creates, publishes and deletes."""

    def __init__(self, library: Path) -> None:
        self.folder = library / "index"

    def current(self) -> Generation | None:
        """The generation that the pointer names, if it is there."""
        try:
            name = (self.folder / _POINTER).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        folder = self.folder / name
        return Generation(folder) if name.isdigit() and folder.is_dir() else None

    def create(self) -> Generation:
        """A new empty folder with the next number, not yet current."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(path.name) for path in self._folders()), default=0)
        generation = Generation(self.folder / f"{number:0{_DIGITS}d}")
        generation.folder.mkdir()
        return generation

    def publish(self, generation: Generation) -> None:
        """Makes it current, all at once."""
        _replace_file(self.folder / _POINTER, generation.name + "\n")

    def leftovers(self) -> list[Generation]:
        """Generations that the pointer does not name: outdated, or never finished."""
        current = self.current()
        return [Generation(path) for path in self._folders() if current is None or path.name != current.name]

    def delete(self, generation: Generation) -> None:
        """What another process holds open on Windows stays for later."""
        shutil.rmtree(generation.folder, ignore_errors=True)

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.is_dir() and path.name.isdigit())


def settled(files: Mapping[str, int]) -> dict[str, int]:
    """Of CRCs by path those that only a writer changes: of graphs that Chroma has persisted."""
    graphs = {PurePosixPath(name).parent for name in files if PurePosixPath(name).name == _PERSISTED}
    return {
        name: crc
        for name, crc in files.items()
        if PurePosixPath(name).parent in graphs and PurePosixPath(name).name != _UNSTEADY
    }


def _progress(content: dict[str, object]) -> Progress:
    change, files = content["change"], content["files"]
    if not isinstance(change, dict) or not isinstance(files, dict):
        raise TypeError("not a progress")
    crcs = settled({str(name).replace("\\", "/"): int(crc) for name, crc in files.items()})
    built, recall = content.get("built", 0), content.get("recall")  # states of earlier versions lack them
    if not isinstance(built, int) or not isinstance(recall, int | float | None):
        raise TypeError("not a progress")
    return Progress(Change(**change), bool(content["busy"]), crcs, str(content["place"]), built, recall)


def _replace_file(path: Path, text: str) -> None:
    """Writes a file so that readers and survivors of a crash see the old or the new content, never a part."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
