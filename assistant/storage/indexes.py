"""The derived indexes of a library: kept in step with the truth by its writer, checked, rebuilt, searched by all."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from assistant.embedding.vectors import Vectors
from assistant.errors import DiskFull, IndexAway, LibraryError, LibraryLocked
from assistant.storage import program
from assistant.storage.chroma_server import ChromaServer
from assistant.storage.dense_part import FOUND_SHARE, DensePart, Health
from assistant.storage.exact import ExactScan, Newer, ranked
from assistant.storage.generations import Generation, Generations, Part, Progress, State
from assistant.storage.lexical_part import LexicalPart
from assistant.storage.lock import WriterLock
from assistant.storage.truth import Change, Truth

if TYPE_CHECKING:
    from assistant.terms import TermStatistics

# Up to here a scan of all vectors is quicker than Chroma (1.2 ms at 10k rows, chromadb 1.5.9), and it is exact.
EXACT_ROWS = 10_000
_AWAY_S = 30.0  # for which a server that did not answer is left alone
_NEWER_ROWS = 2_000  # scanned exactly beside an open Chroma handle before it is opened again
# Of passages that came and went, most that may wait for Chroma where it is large: to open its graph, write and check it
# takes a second or two at 100,000 passages, however little is new, and searches look at what is newer anyway.
_WAITING_ROWS = 1_000
_WAITING_SHARE = 0.01  # of all passages
# The operating system, SQLite below Chroma; either may come as text only, of a library that passes it on.
_FULL = ("No space left", "disk is full", "Disk quota exceeded")

T = TypeVar("T")

_log = logging.getLogger("ibid")


@dataclass(frozen=True, slots=True)
class Current:
    """The generation in use and how far its indexes have come."""

    generation: Generation
    state: State


class Indexes:
    """Searches of the current generation. Reading never needs the lock; mending takes it when it is free."""

    def __init__(
        self,
        folder: Path,
        truth: Truth,
        lock: WriterLock,
        *,
        read_only: bool,
        chroma: ChromaServer | None = None,
        exact_rows: int = EXACT_ROWS,
        found_share: float = FOUND_SHARE,
    ) -> None:
        """Vectors of more than `exact_rows` passages are searched in Chroma, those of fewer by an exact scan; so are
        all when Chroma finds fewer than `found_share` of sampled passages."""
        self._folder = folder
        self._truth = truth
        self._lock = lock
        self._read_only = read_only
        self._chroma = chroma
        self._exact_rows = exact_rows
        self._found_share = found_share
        self.generations = Generations(folder)
        self.exact = ExactScan(truth)
        self._newer = Newer(truth)
        self.lexical_part = LexicalPart(truth)
        self.dense_part = DensePart(truth, chroma, found_share)
        self._rows: tuple[Change, int] = (Change(), 0)
        self._large_searches = 0
        self._look_again_at = 0.0  # for a server that was away
        self._health: dict[str, Health | None] = {}  # by generation; None while it is being checked

    # searching

    def dense(self, query: Vectors, k: int, allowed: Collection[str] | None) -> list[tuple[str, float]]:
        """The `k` best (passage id, cosine), best first, ties by id; `allowed` limits the papers, completely."""
        change = self._truth.change()
        if self._rows[0] != change:
            self._rows = (change, self._truth.passage_count())
        if self._rows[1] > self._exact_rows:
            if allowed is None:
                found = self._approximate(query, k, change)
                if found is not None:
                    return found
            elif len(allowed) <= self._exact_rows and not self.exact.loaded:
                return ranked(self._truth.matrix(allowed), query, k)
        return self.exact.search(query, k, allowed, change)

    def lexical(self, query: str, k: int, allowed: Collection[str] | None) -> list[tuple[str, float]]:
        """The `k` best (passage id, BM25), best first, ties by id."""
        nothing: list[tuple[str, float]] = []
        return self._reading(
            lambda now: self.lexical_part.search(now.generation, now.state.lexical, query, k, allowed), empty=nothing
        )

    def term_statistics(self) -> TermStatistics:
        """In how many passages each term occurs."""
        from assistant.terms import TermStatistics

        return self._reading(
            lambda now: self.lexical_part.statistics(now.generation, now.state.lexical), empty=TermStatistics.of(())
        )

    def current(self) -> Current | None:
        """None when nothing was built yet, or what was built cannot be recognised."""
        generation = self.generations.current()
        while generation is not None:
            state = generation.state()
            if state is not None:
                return Current(generation, state)
            # Perhaps a writer has moved the pointer and deleted this generation since it was read.
            before, generation = generation, self.generations.current()
            if generation == before:
                return None
        return None

    def close(self) -> None:
        self.lexical_part.close()
        with suppress(LibraryError):
            self.dense_part.close()
        self.exact.forget()
        self._newer.forget()

    # keeping in step; the caller of these holds the writer lock

    def catch_up(self, *parts: Part) -> None:
        """Brings indexes, by default both, up to the truth; those that cannot be trusted are made anew. One on a server
        that is away stays behind: that is told in the log, and the next write catches up."""
        for part in parts or ("lexical", "dense"):
            try:
                self._catch_up(part)
            except IndexAway as error:
                _log.warning(
                    "%s. All is stored and found meanwhile; the next write brings that index up to date", error
                )
        now = self.current()
        if now is not None:
            with suppress(LibraryError):  # what was written is found already
                self.lexical_part.tidy(now.generation)

    def _catch_up(self, part: Part) -> None:
        now = self.current()
        if now is None or not self._truth.knows(now.state.of(part).change):
            self.rebuild(part)
            return
        progress, target = now.state.of(part), self._truth.change()
        if progress.change == target and not progress.busy:
            return
        if part == "dense":
            if self.may_wait(progress):
                return
            self.dense_part.reach()
        try:
            with self._written():
                self._bring(now.generation, now.state, part, target)
        except (LibraryLocked, IndexAway, DiskFull):
            raise
        except LibraryError:
            self.rebuild(part)
        if part == "dense":
            self._delete_leftovers()  # which a server that was away, or a kill, has left

    def may_wait(self, progress: Progress) -> bool:
        """Whether the vector index, sound as far as it has come, lacks so little of a large library that the next
        writes may bring it with theirs. Searches scan what it lacks exactly."""
        rows = self._truth.passage_count()
        if progress.busy or progress.place != self.dense_part.place or rows <= self._exact_rows:
            return False
        after = progress.change.number
        missing = self._truth.newer(after) + len(self._truth.removed_since(after))
        return after > 0 and missing <= min(_WAITING_ROWS, int(_WAITING_SHARE * rows))

    def rebuild(self, *parts: Part) -> Generation:
        """Makes `parts` anew in a new generation, then moves the pointer and deletes the old. The others are copied;
        one that is not there or on a server is left for the next write to fill. Raises IndexAway before anything is
        touched."""
        with self._lock.held("rebuilding indexes"), self._written():
            if "dense" in parts:
                self.dense_part.reach()
            new = self.generations.create()
            try:
                self._fill(new, parts)
                self.generations.publish(new)
            except (LibraryError, OSError):
                self.generations.delete(new)  # what is left of it takes room, of which there may be too little
                raise
            self.close()
            self._delete_leftovers()
            return new

    def _fill(self, new: Generation, parts: Collection[Part]) -> None:
        """Makes `parts` in a generation and copies the other from the current one."""
        old, state = self.current(), State()
        for part in ("lexical", "dense"):
            if part in parts:
                new.save(state)
                state = self._bring(new, state, part, self._truth.change())
            elif old is not None and old.generation.part(part).exists():
                shutil.copytree(old.generation.part(part), new.part(part))
                state = state.having(part, old.state.of(part))
        new.save(state)

    @contextmanager
    def _written(self) -> Iterator[None]:
        """What keeps files of an index from being written, in our words. A full disk is no reason to make it anew."""
        try:
            yield
        except (OSError, LibraryError) as error:
            if any(words in str(error) for words in _FULL):
                raise DiskFull(
                    f"no space left for the indexes of library {str(self._folder)!r}; the papers are stored: free some "
                    f"space, then run: ibid rebuild --library {self._folder}"
                ) from error
            if isinstance(error, LibraryError):
                raise
            raise LibraryError(
                f"the papers are stored, but their indexes could not be written ({error}); put that right, then run: "
                f"ibid rebuild --library {self._folder}"
            ) from error

    def mend(self) -> None:
        """Makes the vector index anew and remembers how much of it a search finds, so that a low figure which is not
        damage never asks for another rebuild."""
        with self._lock.held("rebuilding indexes"):
            new = self.rebuild("dense")
            state = new.state()
            if state is not None:
                health = self.dense_part.check(new, state.dense)
                new.save(replace(state, dense=replace(state.dense, recall=health.recall)))

    def _bring(self, generation: Generation, state: State, part: Part, target: Change) -> State:
        """Brings one index from `state` to `target`, leaving a mark while its files are in flux."""
        index = self.lexical_part if part == "lexical" else self.dense_part
        progress = state.of(part)
        generation.save(state.having(part, replace(progress, busy=True)))
        reached = state.having(part, index.catch_up(generation, progress, target))
        generation.save(reached)
        return reached

    def _delete_leftovers(self) -> None:
        for generation in self.generations.leftovers():
            with suppress(LibraryError):  # the server is away: the folder, which names what it keeps, stays for later
                self.dense_part.drop(generation)
                self.generations.delete(generation)

    # using what is there

    def _approximate(self, query: Vectors, k: int, change: Change) -> list[tuple[str, float]] | None:
        """Chroma's answer joined with an exact scan of what is newer than it; None when it cannot be trusted yet."""
        now = self.current()
        if now is None or not self._sound(now):
            return None
        try:
            fresh = not self.dense_part.opened
            seen = self.dense_part.open(now.generation, now.state.dense)
            if seen != change and self._truth.newer(seen.number) > _NEWER_ROWS:
                if now.state.dense.change == seen:
                    return None
                self.dense_part.close()
                fresh, seen = True, self.dense_part.open(now.generation, now.state.dense)
            beside = self._newer.beside(seen, change) if seen != change else None
            found = self.dense_part.search(query, k + (beside.outdated if beside else 0))
            if fresh and self._touched(now):  # by a writer, while the first search read the graph's files
                self.dense_part.close()
                return None
            return beside.joined(found, query, k) if beside else found[:k]
        except LibraryError as error:
            # A server may be back soon, or have lost what it held: then the next check has it made anew.
            self._health[now.generation.name] = Health(False, str(error), away=self._chroma is not None)
            self._look_again_at = time.monotonic() + _AWAY_S
            return None

    def _touched(self, before: Current) -> bool:
        now = self.current()
        return now is None or now.generation != before.generation or now.state.dense != before.state.dense

    def _sound(self, now: Current) -> bool:
        """Whether Chroma may be used. The check runs in the background from the second search of a process on: a
        single one is answered sooner by an exact scan."""
        progress = now.state.dense
        if progress.busy or not progress.change.number or progress.place != self.dense_part.place:
            return False
        self._large_searches += 1
        if self._large_searches == 1 or not self._truth.knows(progress.change):
            return False
        name = now.generation.name
        known = self._health.get(name)
        if known is not None and known.away and time.monotonic() > self._look_again_at:
            del self._health[name]
            self.dense_part.close()
        if name not in self._health:
            self._health[name] = None
            threading.Thread(target=self._examine, args=(now,), name="ibid-index-check", daemon=True).start()
        health = self._health[name]
        return health is not None and health.ok

    def _examine(self, now: Current) -> None:
        """Checks a generation; a bad one is rebuilt by a child process, and the exact scan answers meanwhile, or for
        good when a rebuild would not help."""
        health = self.examine(now)
        self._look_again_at = time.monotonic() + _AWAY_S
        self._health[now.generation.name] = health
        if not (health.ok or health.lasting or health.away or self._read_only):
            server = json.dumps(self._chroma.to_dict() if self._chroma else None)
            with suppress(LibraryError):  # somebody else is writing: then the next check finds it again
                program.run("assistant.storage.mend", [str(self._folder), str(self._found_share)], given=server)

    def examine(self, now: Current) -> Health:
        """Whether the vector index holds what its last writer left and finds it."""
        progress = now.state.dense
        if self.dense_part.files(now.generation) != progress.files:
            return Health(False, "files of the vector index have changed since they were written")
        return self.dense_part.check(now.generation, progress, whole=progress.change == self._truth.change())

    def _reading(self, call: Callable[[Current], T], empty: T) -> T:
        """`call` on a lexical index that is up to date if this process can make it so, else on what is there."""
        now = self.current()
        if now is None or now.state.lexical.change != self._truth.change() or now.state.lexical.busy:
            now = self._mended(lambda: self._catch_up("lexical")) or now
        if now is None:
            return empty
        try:
            return call(now)
        except LibraryError:
            moved = self.current()
            if moved is not None and moved.generation != now.generation:
                return call(moved)
            mended = self._mended(lambda: self.rebuild("lexical"))
            if mended is None:
                raise
            return call(mended)

    def _mended(self, mend: Callable[[], object]) -> Current | None:
        """The state after `mend`; None when this process must not write, or another one is writing."""
        if self._read_only or self._truth.count() == 0:
            return None
        try:
            with self._lock.held("bringing indexes up to date", wait_s=0.0):
                mend()
        except LibraryLocked:
            return None
        return self.current()
