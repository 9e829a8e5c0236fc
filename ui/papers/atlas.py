"""The map of a library: a point for each paper, or for each of a sample, and groups with names for all of them.

Made when it is looked at, beside the answers, and again after papers have come or gone. It is kept in memory.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from assistant.errors import IbidError
from ui.papers import projection
from ui.papers.labels import labels

if TYPE_CHECKING:
    from assistant.library import Library

POINTS: Final = 3000
_GROUPS: Final = 14
_FEWEST: Final = 3  # papers that a map is made of
_AT_ONCE: Final = 2000
_READ: Final = 1200  # papers whose words name the groups


@dataclass(frozen=True, slots=True)
class Group:
    """Papers that are about the same; `papers` counts all of the library, also those that are no point."""

    label: str
    papers: int


@dataclass(frozen=True, slots=True)
class Point:
    """A paper at a place in [0, 1]²."""

    paper: str
    x: float
    y: float
    group: int


@dataclass(frozen=True, slots=True)
class Atlas:
    """As of `stamp`. `members` gives the group of each paper of the library that has a vector."""

    stamp: str
    groups: tuple[Group, ...]
    points: tuple[Point, ...]
    members: Mapping[str, int]

    def of(self, group: int) -> tuple[str, ...]:
        """Ids of the group's papers."""
        return tuple(paper for paper, number in self.members.items() if number == group)


def draw(library: Library) -> Atlas:
    """Makes the map as of now; without groups or points when the library is too small for one."""
    stamp, every = library.shelf.stamp(), library.shelf.ids()
    shown, rows = library.shelf.mean_vectors(_sample(every, POINTS))
    if len(shown) < _FEWEST:
        return Atlas(stamp, (), (), {})
    grouped = projection.groups(rows, _count(len(shown)))
    member, number_of = [int(group) for group in grouped.member], len(grouped.centres)
    places = projection.plane(rows)
    papers = library.papers_by_id(shown)
    here = [number for number, one in enumerate(shown) if one in papers]
    told = here[:: len(here) // _READ + 1]
    names = labels([papers[shown[n]] for n in told], [member[n] for n in told], number_of)
    rest = set(every).difference(shown)
    members = {
        **_nearest(library, [one for one in every if one in rest], grouped),
        **dict(zip(shown, member, strict=True)),
    }
    sizes = np.bincount(list(members.values()), minlength=number_of)
    points = tuple(
        Point(shown[n], round(float(places[n, 0]), 4), round(float(places[n, 1]), 4), member[n]) for n in here
    )
    groups = tuple(Group(name, int(size)) for name, size in zip(names, sizes, strict=True))
    return Atlas(stamp, groups, points, members)


def _nearest(library: Library, rest: Sequence[str], grouped: projection.Groups) -> dict[str, int]:
    """The groups of papers that are no points."""
    found: dict[str, int] = {}
    for start in range(0, len(rest), _AT_ONCE):
        ids, rows = library.shelf.mean_vectors(rest[start : start + _AT_ONCE])
        if ids:
            found |= dict(zip(ids, map(int, grouped.nearest(rows)), strict=True))
    return found


def _sample(ids: Sequence[str], most: int) -> list[str]:
    """At most so many, evenly from first to last."""
    if len(ids) <= most:
        return list(ids)
    return [ids[int(place)] for place in np.linspace(0, len(ids) - 1, most)]


def _count(papers: int) -> int:
    return max(1, min(_GROUPS, int(1.5 * math.cbrt(papers) + 0.5), papers // 3))


class Atlases:
    """The latest map of a library. Any thread may ask."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._latest: Atlas | None = None
        self._making = False
        self._failure = ""

    @property
    def latest(self) -> Atlas | None:
        """The last one made, maybe of papers as they were before."""
        return self._latest

    def unmoved(self, before: str) -> None:
        """Since the library had the stamp `before` nothing was changed that the map shows: it still holds."""
        with self._lock:
            if self._latest is not None and self._latest.stamp == before:
                self._latest = replace(self._latest, stamp=self._library.shelf.stamp())

    def asked(self) -> tuple[Atlas | None, bool]:
        """(the map as of now, whether it is being made); starts to make it. Raises what the last try failed with."""
        with self._lock:
            if self._failure:
                failure, self._failure = self._failure, ""
                raise IbidError(failure)
            if self._latest is not None and self._latest.stamp == self._library.shelf.stamp():
                return self._latest, False
            if not self._making:
                self._making = True
                threading.Thread(target=self._make, name="ibid-map", daemon=True).start()
            return None, True

    def _make(self) -> None:
        try:
            self._latest = draw(self._library)
        except Exception as error:  # told to whoever looks; the table works without a map
            self._failure = f"the map could not be drawn: {error}"
        finally:
            self._making = False
