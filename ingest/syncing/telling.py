"""What a sync did or would do, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest.report import IngestReport


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source. `gone` are papers that it held and holds no more; of these `pruned` were taken out of the library."""

    address: str
    report: IngestReport
    skipped: int = 0  # parts that have not changed since they were last read
    gone: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    failed: str | None = None  # why it could not be read to its end: nothing is pruned then

    def to_dict(self) -> dict[str, Any]:
        told = {"source": self.address, **self.report.to_dict(), "skipped": self.skipped}
        return {**told, "gone": list(self.gone), "pruned": list(self.pruned), "failed": self.failed}


@dataclass(frozen=True, slots=True)
class SyncReport:
    """All sources of one sync; with `dry` nothing was changed."""

    sources: tuple[SourceReport, ...]
    dry: bool = False
    left_out: tuple[str, ...] = ()  # remembered sources on the internet, which were not named

    @property
    def ok(self) -> bool:
        """Whether every source could be read."""
        return not any(source.failed for source in self.sources)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form printed by `ibid sync --json`."""
        sources = [source.to_dict() for source in self.sources]
        return {"dry_run": self.dry, "sources": sources, "left_out": list(self.left_out)}

    def __str__(self) -> str:
        lines: list[str] = []
        for source in self.sources:
            counts, *others = str(source.report).split("\n")
            told = [] if counts == "nothing found" and (source.skipped or source.failed) else [counts]
            told += [f"{source.skipped} file{'s' * (source.skipped != 1)} unchanged"] if source.skipped else []
            told += [f"failed: {source.failed}"] if source.failed else []
            lines.append(f"{source.address}: {', '.join(told)}")
            lines += [f"  {line}" for line in others]
            lines += _gone(source, self.dry)
        lines += [f"{address}: left out, as it is on the internet; add --online" for address in self.left_out]
        if self.dry:
            lines.append("Nothing was changed; the same without --dry-run does it.")
        return "\n".join(lines)


def _gone(source: SourceReport, dry: bool) -> list[str]:
    pruned = set(source.pruned)
    verb = "would be removed" if dry else "removed"
    lines = [f"  {id_} is no longer in the source: {verb}" for id_ in source.pruned]
    kept = [id_ for id_ in source.gone if id_ not in pruned]
    return lines + [f"  {id_} is no longer in the source: kept" for id_ in kept]
