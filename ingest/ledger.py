"""What one run has met, kept out of memory: counts are exact and lists whole however many millions of records come.

Everything lies in a temporary SQLite database without a name (it never shows in a folder and goes with its process). It
holds a few pages in memory and writes the rest to the system's folder for temporary files.
"""

from __future__ import annotations

import json
import pickle
import sqlite3
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, Literal, TypeVar, overload

from assistant.errors import LibraryError
from assistant.identity import Identifier
from assistant.papers import Paper

Kind = Literal["added", "updated", "unchanged", "duplicate", "rejected", "ambiguous"]

HELD: Final = 10_000  # of one kind: so many are given as a plain tuple, more are read as they are asked for
_PAGE: Final = 1_000  # entries read at a time
_TABLES: Final = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    CREATE TABLE entries (kind TEXT, number INTEGER, value TEXT, PRIMARY KEY (kind, number)) WITHOUT ROWID;
    CREATE TABLE met (paper TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE decided (paper TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
    CREATE TABLE named (scheme TEXT, value TEXT, paper TEXT, PRIMARY KEY (scheme, value)) WITHOUT ROWID;
"""

T = TypeVar("T")


class Ledger:
    """Notes of one run, from one thread at a time. Raises LibraryError where the temporary file cannot grow."""

    def __init__(self) -> None:
        # An empty name is SQLite's for a temporary file; isolation_level None: no transactions of the module's own.
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._connection.close)
        self._connection.executescript(_TABLES)
        self.counts: Counter[Kind] = Counter()

    def note(self, kind: Kind, *values: str) -> None:
        """One more entry of this kind: a paper's id, or the parts of what happened."""
        self.counts[kind] += 1
        value = values[0] if len(values) == 1 else json.dumps(values)
        with _translated():
            self._connection.execute("INSERT INTO entries VALUES (?, ?, ?)", (kind, self.counts[kind], value))

    def ids(self, kind: Kind) -> Sequence[str]:
        """The paper ids of a kind, in the order in which they were noted."""
        return self._told(kind, lambda value: value)

    def told(self, kind: Kind, made: Callable[..., T]) -> Sequence[T]:
        """The entries of a kind in order, each made of its parts."""
        return self._told(kind, lambda value: made(*json.loads(value)))

    def meet(self, paper_id: str) -> None:
        with _translated():
            self._connection.execute("INSERT OR IGNORE INTO met VALUES (?)", (paper_id,))

    def has_met(self, paper_id: str) -> bool:
        with _translated():
            return self._connection.execute("SELECT 1 FROM met WHERE paper = ?", (paper_id,)).fetchone() is not None

    def decide(self, papers: Iterable[Paper], names: Iterable[tuple[Identifier, str]]) -> None:
        """Keeps what a dry run would have stored by now: papers, and paper ids by name, the first of each name."""
        with _translated():
            rows = [(paper.id, pickle.dumps(paper)) for paper in papers]
            self._connection.executemany("INSERT OR REPLACE INTO decided VALUES (?, ?)", rows)
            named = [(name.scheme, name.value, paper_id) for name, paper_id in names]
            self._connection.executemany("INSERT OR IGNORE INTO named VALUES (?, ?, ?)", named)

    def decided(self, ids: Iterable[str]) -> dict[str, Paper]:
        """Those of `ids` that were decided about."""
        found = {}
        with _translated():
            for id_ in ids:
                row = self._connection.execute("SELECT value FROM decided WHERE paper = ?", (id_,)).fetchone()
                if row:
                    found[id_] = pickle.loads(row[0])  # our own file, which has no name that others could open
        return found

    def named(self, names: Iterable[Identifier]) -> dict[Identifier, str]:
        """The paper of each name that was decided about."""
        query = "SELECT paper FROM named WHERE scheme = ? AND value = ?"
        found = {}
        with _translated():
            for name in names:
                row = self._connection.execute(query, (name.scheme, name.value)).fetchone()
                if row:
                    found[name] = str(row[0])
        return found

    def page(self, kind: Kind, first: int) -> list[str]:
        """Up to a page of a kind's entries as they are kept, from the one at position `first` on."""
        query = "SELECT value FROM entries WHERE kind = ? AND number > ? ORDER BY number LIMIT ?"
        with _translated():
            return [row[0] for row in self._connection.execute(query, (kind, first, _PAGE))]

    def _told(self, kind: Kind, made: Callable[[str], T]) -> Sequence[T]:
        told = Told(self, kind, self.counts[kind], made)
        return tuple(told) if len(told) <= HELD else told


class Told(Sequence[T], Generic[T]):
    """Entries that are read from the ledger as they are asked for; equal to any sequence of the same values."""

    def __init__(self, ledger: Ledger, kind: Kind, length: int, made: Callable[[str], T]) -> None:
        self._ledger = ledger
        self._kind = kind
        self._length = length
        self._made = made

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        return self._from(0, self._length)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            wanted = range(self._length)[index]
            if wanted.step == 1:
                return tuple(self._from(wanted.start, wanted.stop))
            return tuple(self[position] for position in wanted)
        position = range(self._length)[index]  # raises IndexError, and counts negative ones from the end
        return next(self._from(position, position + 1))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != self._length:
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as for a list: equal to sequences of other types

    def __repr__(self) -> str:
        return f"<{self._length:,} {self._kind}>"

    def _from(self, first: int, last: int) -> Iterator[T]:
        while first < last:
            page = self._ledger.page(self._kind, first)[: last - first]
            yield from map(self._made, page)
            first += len(page)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise LibraryError(
            f"the temporary file of this run cannot be used ({error}); make room in the folder for temporary files "
            "(TMPDIR names it) and run the same again: what was stored stays"
        ) from error
