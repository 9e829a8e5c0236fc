"""The derived indexes of a library: kept in step with the truth by its writer, checked, rebuilt, searched by all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from assistant.embedding.vectors import Vectors
from assistant.errors import LibraryError, LibraryLocked
from assistant.storage.exact import ExactScan
from assistant.storage.generations import Generation, Generations, Part, Progress, State
from assistant.storage.lexical_part import LexicalPart
from assistant.storage.lock import WriterLock
from assistant.storage.truth import Truth

if TYPE_CHECKING:
    from assistant.terms import TermStatistics

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Current:
    generation: Generation
    state: State


class Indexes:
    """Searches of the current generation. Reading never needs the lock; mending takes it when it is free."""

    def __init__(self, folder: Path, truth: Truth, lock: WriterLock, *, read_only: bool) -> None:
        self._truth = truth
        self._lock = lock
        self._read_only = read_only
        self.generations = Generations(folder)
        self.exact = ExactScan(truth)
        self._lexical = LexicalPart(truth)

    # searching

    def dense(self, query: Vectors, k: int, allowed: Collection[str] | None) -> list[tuple[str, float]]:
        """The `k` best (passage id, cosine), best first, ties by id."""
        return self.exact.search(query, k, allowed, self._truth.change())

    def lexical(self, query: str, k: int, allowed: Collection[str] | None) -> list[tuple[str, float]]:
        """The `k` best (passage id, BM25), best first, ties by id."""
        nothing: list[tuple[str, float]] = []
        return self._reading(
            lambda now: self._lexical.search(now.generation, now.state.lexical, query, k, allowed), empty=nothing
        )

    def term_statistics(self) -> TermStatistics:
        from assistant.terms import TermStatistics

        return self._reading(
            lambda now: self._lexical.statistics(now.generation, now.state.lexical), empty=TermStatistics.of(())
        )

    def close(self) -> None:
        self._lexical.close()
        self.exact.forget()

    # keeping in step

    def catch_up(self) -> None:
        """Brings both indexes up to the truth; the caller holds the writer lock."""
        self._catch_up("lexical")

    def rebuild(self, *parts: Part) -> Generation:
        """Makes `parts` anew in a new generation, copies the others, then moves the pointer."""
        with self._lock.held("rebuilding indexes"):
            old = self._current()
            new = self.generations.create()
            state = State()
            for part in ("lexical", "dense"):
                if part not in parts and old is not None and old.generation.part(part).exists():
                    shutil.copytree(old.generation.part(part), new.part(part))
                    state = state.having(part, old.state.of(part))
            new.save(state)
            if "lexical" in parts:
                target = self._truth.change()
                new.save(state := state.having("lexical", self._lexical.catch_up(new, Progress(), target)))
            self.generations.publish(new)
            self._lexical.close()
            self.generations.delete_leftovers()
            return new

    def _catch_up(self, part: Part) -> None:
        now = self._current()
        if now is None:
            self.rebuild("lexical", "dense")
            return
        progress, target = now.state.of(part), self._truth.change()
        if not self._truth.knows(progress.change):
            self.rebuild("lexical", "dense")
            return
        if progress.change == target and not progress.busy:
            return
        now.generation.save(now.state.having(part, replace(progress, busy=True)))
        try:
            reached = self._lexical.catch_up(now.generation, progress, target)
        except LibraryLocked:
            raise
        except LibraryError:
            self.rebuild(part)
            return
        now.generation.save(now.state.having(part, reached))

    def _current(self) -> _Current | None:
        generation = self.generations.current()
        state = None if generation is None else generation.state()
        return None if generation is None or state is None else _Current(generation, state)

    def _reading(self, call: Callable[[_Current], T], empty: T) -> T:
        """`call` on an index that is up to date if this process can make it so, else on what another's writer left."""
        now = self._current()
        if now is None or now.state.lexical.change != self._truth.change() or now.state.lexical.busy:
            now = self._mended(lambda: self._catch_up("lexical")) or now
        if now is None:
            return empty
        try:
            return call(now)
        except LibraryError as error:
            mended = self._mended(lambda: self.rebuild("lexical"))
            if mended is None:
                raise error
            return call(mended)

    def _mended(self, mend: Callable[[], object]) -> _Current | None:
        """The state after `mend`; None when this process must not write, or another one is writing."""
        if self._read_only or self._truth.count() == 0:
            return None
        try:
            with self._lock.held("bringing indexes up to date", wait_s=0.0):
                mend()
        except LibraryLocked:
            return None
        return self._current()
