"""The Chroma index as a derived part of a library: brought up to date, checked in a child process, searched."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from assistant.embedding.vectors import Vectors
from assistant.errors import IndexAway, LibraryError
from assistant.storage import program
from assistant.storage.chroma_server import ChromaServer
from assistant.storage.database import FILE
from assistant.storage.generations import Generation, Progress, settled
from assistant.storage.truth import Change, PassageRow, Truth

if TYPE_CHECKING:
    from assistant.storage.vector_index import VectorIndex

# With 6 % of vectors unreachable, the least seen, such a sample passes 15 times in a million.
_SAMPLE = 500
FOUND_SHARE = 0.98  # HNSW is approximate: a sound index may miss the odd vector
_DRIFT = 0.04  # below the recall of a rebuilt index, beyond what two samples of 500 differ by: something was lost
_TIME_LIMIT_S = 60.0
_CRC_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found; `message` says what is wrong, or what was looked at.

    `recall` is the share of sampled passages found, None when something else was wrong. `lasting`: a rebuild gives no
    better index, because this one was made whole already and is only too approximate for these vectors. `away`: nothing
    was found out, as the server does not answer.
    """

    ok: bool
    message: str
    recall: float | None = None
    lasting: bool = False
    away: bool = False


class DensePart:
    """Writes, checks and searches a generation's Chroma index. Safe to share between threads."""

    def __init__(self, truth: Truth, server: ChromaServer | None = None, found_share: float = FOUND_SHARE) -> None:
        """Without a `server` it is Chroma inside this process. Of sampled passages a sound index finds at least
        `found_share`."""
        self._truth = truth
        self._server = server
        self._found_share = found_share
        self._guard = threading.RLock()
        self._index: VectorIndex | None = None
        self._opened: tuple[str, Change] | None = None

    def open(self, generation: Generation, progress: Progress) -> Change:
        """Opens the index for searching, if it is not; gives the change up to which this handle surely sees.

        A handle does not see what another process adds later (measured on chromadb 1.5.9), nor does it need to: the
        caller scans what is newer exactly, and reopens when that becomes much.
        """
        with self._guard:
            if self._index is None or self._opened is None or self._opened[0] != generation.name:
                self.close()
                self._index = self._handle(generation, "open")
                self._opened = (generation.name, progress.change)
            return self._opened[1]

    @property
    def opened(self) -> bool:
        """Whether there is a handle for searching."""
        return self._index is not None

    def search(self, query: Vectors, k: int) -> list[tuple[str, float]]:
        """About the `k` nearest (passage id, cosine) in the opened index; raises LibraryError."""
        with self._guard:
            if self._index is None:
                raise LibraryError("the vector index is not open; run: ibid doctor")
            index = self._index
        return index.query(query[None, :], k)[0]

    def close(self) -> None:
        with self._guard:
            index, self._index, self._opened = self._index, None, None
            if index is not None:
                index.close()

    def catch_up(self, generation: Generation, progress: Progress, target: Change) -> Progress:
        """Brings in what the truth has above `progress`; the caller holds the writer lock and saved `busy`.

        Raises LibraryError when the files are not those that the last writer left, IndexAway when there is no server.
        """
        self.close()
        self._refuse_damaged(generation, progress)
        after = progress.change.number
        if self._server is not None and not after:
            self._name(generation)
        index = self._handle(generation, "open" if self._server is not None and after else "create")
        try:
            gone = sorted(self._truth.removed_since(after)) if after else []
            if gone:
                index.delete(gone)
            for rows in self._truth.passage_rows(after=after, papers_at_once=2_000):
                _upsert(index, rows)
            held, expected = index.count(), self._truth.passage_count() - self._truth.vectorless()
            if held != expected:
                raise LibraryError(f"the vector index holds {held} of {expected} passages; run: ibid rebuild")
        finally:
            index.close()
        return Progress(
            target,
            files=self.files(generation),
            place=self.place,
            built=progress.built if after else target.number,
            recall=progress.recall if after else None,
        )

    def _refuse_damaged(self, generation: Generation, progress: Progress) -> None:
        if progress.place != self.place and progress != Progress():
            raise LibraryError("the vector index was kept elsewhere before; run: ibid rebuild")
        if progress.busy and not progress.change.number:
            raise LibraryError("the vector index was never finished; run: ibid rebuild")
        if self.files(generation) != progress.files:
            # Also where a writer was killed: Chroma writes its graph in place, and one half written can pass the check
            # below and end this process by SIGSEGV at the next insertion (seen on chromadb 1.5.9).
            raise LibraryError("files of the vector index have changed since they were written; run: ibid rebuild")
        if progress.busy:
            health = self.check(generation, progress, whole=False)
            if not health.ok:
                raise LibraryError(f"{health.message}; run: ibid rebuild")

    @property
    def place(self) -> str:
        """The server's address, empty for files of our own."""
        return self._server.place if self._server else ""

    def reach(self) -> None:
        """Raises IndexAway when the index is on a server that cannot be used now."""
        if self._server is not None:
            self._server.reach()

    def files(self, generation: Generation) -> dict[str, int]:
        """CRC-32 of the graph's files; empty for a server's, and for a graph that Chroma has not persisted yet. SQLite
        guards its own pages less, and is left to `check`."""
        if self._server is not None:
            return {}
        return settled(
            {
                path.relative_to(generation.dense).as_posix(): _crc(path)
                for path in sorted(generation.dense.rglob("*"))
                if path.suffix in (".bin", ".pickle") and path.is_file()
            }
        )

    def check(self, generation: Generation, progress: Progress, *, whole: bool = True) -> Health:
        """Whether sampled passages find themselves, asked in a child process with a time limit: a damaged graph can
        end a process by SIGBUS or keep it for ever. `whole`: their number must be that of the truth too."""
        try:
            self.reach()
            collection = self._collection(generation)
        except LibraryError as error:
            return Health(False, str(error), away=isinstance(error, IndexAway))
        matrix = self._truth.matrix(passage_ids=self._truth.sample(_SAMPLE, progress.change))
        job = {
            "folder": str(generation.dense),
            "server": self._server.to_dict() if self._server else None,
            "collection": collection,
            "ids": matrix.passage_ids,
            "vectors": base64.b64encode(matrix.rows.tobytes()).decode(),
        }
        try:
            output = program.run("assistant.storage.checkup", given=json.dumps(job), time_limit_s=_TIME_LIMIT_S)
            reply = json.loads(output)
        except (LibraryError, ValueError) as error:
            return Health(False, f"the check of the vector index failed: {error}")
        if "error" in reply:
            return Health(False, str(reply["error"]))
        expected = self._truth.passage_count() - self._truth.vectorless()
        if whole and int(reply["count"]) != expected:
            return Health(False, f"the vector index holds {reply['count']} passages, the library {expected}")
        return self._judged(int(reply["found"]), len(matrix.passage_ids), progress)

    def _judged(self, found: int, sampled: int, progress: Progress) -> Health:
        recall = found / sampled if sampled else 1.0
        message = f"{found} of {sampled} sampled passages find themselves in the vector index"
        if recall >= self._found_share:
            return Health(True, message, recall)
        same = progress.built == progress.change.number and not progress.busy
        if same or (progress.recall is not None and recall >= progress.recall - _DRIFT):
            reason = "a rebuild gives no better one, so all vectors are compared instead: exact but slower"
            return Health(False, f"only {message}; {reason}", recall, lasting=True)
        return Health(False, f"only {message}", recall)

    def drop(self, generation: Generation) -> None:
        """Takes what a server holds of a generation; files of an embedded index go with the folder."""
        state = generation.state()
        if self._server is None or (state is not None and state.dense.place not in ("", self.place)):
            return
        from assistant.storage.vector_index import drop

        try:
            collection = self._collection(generation)
        except LibraryError:
            return  # another library's
        drop(self._server, collection)

    def _handle(self, generation: Generation, mode: Literal["create", "open"]) -> VectorIndex:
        from assistant.storage.vector_index import VectorIndex

        if self._server is not None:
            return VectorIndex.on(self._server, self._collection(generation), mode)
        if mode == "open" and not (generation.dense / "chroma.sqlite3").exists():
            raise LibraryError(f"no vector index in {str(generation.dense)!r}; run: ibid rebuild")
        return VectorIndex.embedded(generation.dense, mode)

    def _name(self, generation: Generation) -> None:
        """Gives a generation a collection of its own on the server, also beside those of copies of this library."""
        name = f"ibid-{self._truth.library_id()}-{generation.name}-{secrets.token_hex(4)}"
        generation.keep_collection(name, _file_number(generation))

    def _collection(self, generation: Generation) -> str:
        """The generation's collection on a server. Raises LibraryError when it is that of another library: the one
        that this was copied from, with the folder of its indexes."""
        kept = generation.collection()
        if kept is None:  # of an earlier version
            return f"ibid-{self._truth.library_id()}-{generation.name}"
        name, file_number = kept
        if file_number != _file_number(generation):
            raise LibraryError(
                "the vector index is that of the library that this one was copied from; run: ibid rebuild"
            )
        return name


def _file_number(generation: Generation) -> int:
    """The number that the file system gave to the truth's file; a copy of the library has another."""
    return (generation.folder.parents[1] / FILE).stat().st_ino


def _upsert(index: VectorIndex, rows: list[PassageRow]) -> None:
    kept = [(row.passage_id, row.vector) for row in rows if row.vector is not None]
    if kept:
        index.upsert([passage_id for passage_id, _ in kept], np.stack([vector for _, vector in kept]))


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while block := file.read(_CRC_BLOCK):
            crc = zlib.crc32(block, crc)
    return crc
