"""What an ingest did, for people, programs and the library's own history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ingest.records import Rejected

_SHOWN: Final = 1000  # rejected and ambiguous records, each


class Ambiguous(NamedTuple):
    """A record that was kept, though it may be a paper that is already there under another id."""

    where: str
    paper_id: str
    other_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Every record of the sources is counted once: added, updated, unchanged, a duplicate, or rejected.

    A duplicate is a second record of a paper within this run, or one that names a paper of the library by another
    identifier (a preprint and its publication): it is linked to the paper and fills what the paper lacked.
    `ambiguous` records are among the added ones. The ids are in the order in which the records came. Counts and lists
    are complete for any number of records: a list of more than 10,000 is read from a temporary file as it is gone through.
    """

    added_ids: Sequence[str] = ()
    updated_ids: Sequence[str] = ()
    unchanged_ids: Sequence[str] = ()
    duplicate_ids: Sequence[str] = ()  # of the papers that the duplicates were linked to
    rejected: Sequence[Rejected] = ()
    ambiguous: Sequence[Ambiguous] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def added(self) -> int:
        return len(self.added_ids)

    @property
    def updated(self) -> int:
        return len(self.updated_ids)

    @property
    def unchanged(self) -> int:
        return len(self.unchanged_ids)

    @property
    def duplicates(self) -> int:
        return len(self.duplicate_ids)

    @property
    def found(self) -> int:
        """How many records were papers, whether or not anything was new about them."""
        return self.added + self.updated + self.unchanged + self.duplicates

    def __str__(self) -> str:
        """For people: the counts on one line, then a line for each record that was rejected or is ambiguous, of each
        kind the first thousand."""
        named = ("added", "updated", "unchanged")
        counts = [f"{getattr(self, name)} {name}" for name in named if getattr(self, name)]
        if self.duplicates:
            counts.append(f"{self.duplicates} duplicate{'' if self.duplicates == 1 else 's'}")
        if self.rejected:
            counts.append(f"{len(self.rejected)} rejected")
        lines = [", ".join(counts) or "nothing found"]
        lines += [f"rejected {rejected.where}: {rejected.reason}" for rejected in self.rejected[:_SHOWN]]
        lines += _more(len(self.rejected), "rejected")
        lines += [
            f"ambiguous {ambiguous.where}: {ambiguous.paper_id} may be {ambiguous.other_id}: {ambiguous.reason}"
            for ambiguous in self.ambiguous[:_SHOWN]
        ]
        lines += _more(len(self.ambiguous), "ambiguous")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form printed by `ibid add --json`, with every id."""
        ids = {
            "added": list(self.added_ids),
            "updated": list(self.updated_ids),
            "unchanged": list(self.unchanged_ids),
            "duplicates": list(self.duplicate_ids),
        }
        return {**self.summary(), "ids": ids}

    def summary(self, most: int | None = None) -> dict[str, Any]:
        """The JSON form without the ids, and with the first `most` rejected and ambiguous records."""
        return {
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "duplicates": self.duplicates,
            "rejected": [rejected._asdict() for rejected in self.rejected[:most]],
            "ambiguous": [ambiguous._asdict() for ambiguous in self.ambiguous[:most]],
            "seconds": round(self.seconds, 3),
        }


def _more(number: int, kind: str) -> list[str]:
    return [f"and {number - _SHOWN:,} more {kind}; --json names them all"] if number > _SHOWN else []


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: `done` of `total` records; `total` is None while it is not known."""

    done: int
    total: int | None
    added: int
    updated: int
    unchanged: int
    duplicates: int
    rejected: int
