"""How much of a library a set of cases covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.papers import Paper
from evals.cases import Case
from evals.matching import title_key


@dataclass(frozen=True, slots=True)
class Coverage:
    """Cases per paper (in the papers' order, zeros too) and per kind."""

    papers: tuple[tuple[str, int], ...]
    kinds: tuple[tuple[str, int], ...]

    @property
    def covered(self) -> int:
        """Papers with a case."""
        return sum(count > 0 for _, count in self.papers)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds)
        bare = [title for title, count in self.papers if not count]
        missing = f"; none for {'; '.join(bare[:3])}{' …' if len(bare) > 3 else ''}" if bare else ""
        return f"{self.covered} of {len(self.papers)} papers have a case ({kinds or 'no cases'}){missing}"


def cover(cases: Iterable[Case], papers: Sequence[Paper]) -> Coverage:
    """Counts the cases that name each paper."""
    every = list(cases)
    named = Counter(title_key(title) for case in every for title in set(case.papers))
    return Coverage(
        tuple((paper.title, named[title_key(paper.title)]) for paper in papers),
        tuple(sorted(Counter(case.kind for case in every).items())),
    )
