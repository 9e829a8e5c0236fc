"""What is right and wrong with a library, each with the command that mends it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assistant.chunking import CHUNKER_VERSION
from assistant.embedding.vectors import Fingerprint
from assistant.errors import LibraryError
from assistant.storage import migrations
from assistant.storage.database import Database
from assistant.storage.indexes import Current, Indexes
from assistant.storage.truth import Truth

_FREE_SHARE = 0.5  # of the library's own size that must be free on disk, room for a rebuild
_WASTE_FACTOR = 4.0  # a vector index this many times the size of its vectors holds mostly deleted ones
_WASTE_FLOOR_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `mend` is the exact command that puts it right, empty when nothing is wrong."""

    check: str
    ok: bool
    message: str
    mend: str = ""


class Doctor:
    """Looks, and changes nothing."""

    def __init__(
        self, folder: Path, database: Database, truth: Truth, indexes: Indexes, embedder: Callable[[], object]
    ) -> None:
        """`embedder()` raises EmbedderMismatch when this process embeds otherwise than the library."""
        self._folder = folder
        self._database = database
        self._truth = truth
        self._indexes = indexes
        self._embedder = embedder
        self._rebuild = f"ibid rebuild --library {folder}"

    def examine(self) -> tuple[Check, ...]:
        """All findings, the truth's first; later ones are left out when the truth itself cannot be read."""
        truth = self._file()
        if not truth.ok:
            return (truth,)
        checks = [self._schema(), truth, self._papers(), self._fingerprint(), self._cut(), self._vectorless()]
        now = self._indexes.current()
        if now is None:
            empty = not self._truth.count()
            message = "no papers yet" if empty else "no indexes: they are made at the next search or write"
            checks.append(Check("indexes", empty, message, "" if empty else self._rebuild))
        else:
            checks += [self._reached(now), self._lexical(now), self._dense(now), self._waste(now)]
        return (*checks, self._leftovers(), self._space())

    def _file(self) -> Check:
        mend = f"restore {self._database.path} from a backup, or make the library anew with: ibid add"
        try:
            with self._database.read() as connection:
                verdict = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
                orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        except LibraryError as error:
            return Check("truth", False, str(error), mend)
        if verdict != "ok" or orphans:
            reason = (
                " ".join(verdict.split())[:120] if verdict != "ok" else f"{len(orphans)} rows without their paper"
            )
            return Check("truth", False, f"{self._database.path.name} is damaged: {reason}", mend)
        return Check("truth", True, f"{self._truth.count()} papers, {self._truth.passage_count()} passages")

    def _papers(self) -> Check:
        """A bit that changed within a text leaves the file in order."""
        mend = f"restore {self._database.path} from a backup, or remove them (ibid remove) and add their source again"
        try:
            altered = list(self._truth.altered())
        except LibraryError as error:
            return Check("papers", False, str(error), mend)
        if altered:
            told = ", ".join(altered[:3]) + (", …" if len(altered) > 3 else "")
            return Check("papers", False, f"{len(altered)} not as they were written: {told}", mend)
        return Check("papers", True, "all as they were written, by their digests")

    def _schema(self) -> Check:
        with self._database.read() as connection:
            found = migrations.version(connection)
        ok = found == len(migrations.STEPS)
        return Check("schema", ok, f"version {found} of {len(migrations.STEPS)}", "" if ok else self._rebuild)

    def _fingerprint(self) -> Check:
        try:
            self._embedder()
        except LibraryError as error:
            return Check("embedder", False, str(error), f"ibid rebuild --embed --library {self._folder}")
        return Check("embedder", True, "the vectors come from the embedder in use")

    def _cut(self) -> Check:
        """Passages of two chunkers are all found; only what is cut how is not the same throughout."""
        mend = f"ibid rebuild --embed --library {self._folder}"
        try:
            stored = self._truth.fingerprint()
            theirs = Fingerprint.from_json(stored).chunker if stored else ""
        except LibraryError as error:
            return Check("passages", False, str(error), mend)
        if theirs in ("", CHUNKER_VERSION):  # older libraries do not say
            return Check("passages", True, f"cut by {CHUNKER_VERSION!r}" if theirs else "nothing says what cut them")
        message = f"cut by {theirs!r}, new papers by {CHUNKER_VERSION!r}"
        return Check("passages", False, message, mend)

    def _vectorless(self) -> Check:
        missing = self._truth.vectorless()
        mend = f"ibid rebuild --embed --library {self._folder}" if missing else ""
        return Check("vectors", not missing, f"{missing} passages without a vector", mend)

    def _reached(self, now: Current) -> Check:
        target = self._truth.change()
        behind = [part for part in ("lexical", "dense") if now.state.of(part).change != target]
        unfinished = [part for part in ("lexical", "dense") if now.state.of(part).busy]
        waiting = behind == ["dense"] and self._indexes.may_wait(now.state.dense)
        if unfinished:
            message = f"a writer of the {' and the '.join(unfinished)} index was stopped, or is at work"
        elif waiting:
            message = f"generation {now.generation.name} is up to date but for a few vectors, compared beside it"
        elif behind:
            message = f"the {' and the '.join(behind)} index is behind the papers; the next write catches up"
        else:
            message = f"generation {now.generation.name} is up to date"
        ok = not unfinished and (waiting or not behind)
        return Check("indexes", ok, message, "" if ok else self._rebuild)

    def _lexical(self, now: Current) -> Check:
        try:
            count = self._indexes.lexical_part.count(now.generation, now.state.lexical)
        except LibraryError as error:
            return Check("lexical index", False, str(error), self._rebuild)
        expected = self._truth.passage_count()
        ok = count == expected
        return Check("lexical index", ok, f"holds {count} of {expected} passages", "" if ok else self._rebuild)

    def _dense(self, now: Current) -> Check:
        folder = now.generation.dense
        if folder.exists() and not os.access(folder, os.W_OK):  # Chroma cannot even be opened there
            return Check(
                "vector index", True, "not used: its folder forbids writing; all vectors are compared instead"
            )
        try:
            health = self._indexes.examine(now)
        except LibraryError as error:
            return Check("vector index", False, str(error), self._rebuild)
        mend = "start the Chroma server, or correct or unset IBID_CHROMA_URL" if health.away else self._rebuild
        place = self._indexes.dense_part.place
        message = f"{health.message}, at {place}" if health.ok and place else health.message
        return Check("vector index", health.ok, message, "" if health.ok else mend)

    def _waste(self, now: Current) -> Check:
        size, needed = _size(now.generation.dense), self._truth.vector_bytes()
        ok = size < max(_WASTE_FLOOR_BYTES, _WASTE_FACTOR * needed)
        message = f"vector index {_megabytes(size)} for {_megabytes(needed)} of vectors"
        return Check("disk waste", ok, message, "" if ok else self._rebuild)

    def _leftovers(self) -> Check:
        left = self._indexes.generations.leftovers()
        names = ", ".join(generation.name for generation in left)
        return Check(
            "generations", not left, f"left over: {names}" if left else "no leftovers", self._mend(bool(left))
        )

    def _space(self) -> Check:
        size, free = _size(self._folder), shutil.disk_usage(self._folder).free
        ok = free > _FREE_SHARE * size
        message = f"library {_megabytes(size)}, free {_megabytes(free)}"
        return Check("disk space", ok, message, "" if ok else f"free some space beside {self._folder}")

    def _mend(self, needed: bool) -> str:
        return self._rebuild if needed else ""


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
