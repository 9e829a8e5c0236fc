"""How memory grows while papers are added: resident and traced bytes at every so many records of a made arXiv snapshot.

    python -m benchmarks.adding_memory --records 300000 --folder DIR
    python -m benchmarks.adding_memory --records 100000 --folder DIR --traced     Python's own allocations: 4 times slower

The snapshot is gzipped JSON Lines, written once. Vectors are made of nothing, as an embedder has a fixed cost and only what is
kept per record is measured here. With `--again` the same file is added a second time: nothing in it is new then. The last line is
the slope over the second half, in bytes a record.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assistant.embedding.vectors import Fingerprint, PassageText, PassageVectors, Vectors, normalise
from assistant.library import Library
from benchmarks.reading_sources import papers
from ingest import Progress, add

_DIMENSION = 16
_ABSTRACT = 600  # characters: a third of a real one, which changes the time and not what is kept


class Point(NamedTuple):
    records: int
    resident_mb: float
    traced_mb: float
    cpu_s: float


class _Made:
    """An embedder that costs next to nothing."""

    dimension = _DIMENSION
    fingerprint = Fingerprint("made", "none", _DIMENSION, "none", "none")

    def __init__(self) -> None:
        self._chance = np.random.default_rng(5)

    def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
        return [PassageVectors(self.embed_query(""), self._rows(len(passage.sentences))) for passage in passages]

    def embed_query(self, text: str) -> Vectors:
        del text
        made: Vectors = self._rows(1)[0]
        return made

    def embed_sentences(self, texts: Sequence[str]) -> Vectors:
        return self._rows(len(texts))

    def _rows(self, number: int) -> Vectors:
        return normalise(self._chance.standard_normal((number, _DIMENSION)).astype(np.float32))


def written(folder: Path, number: int) -> Path:
    """The snapshot, made where it is not there yet. Every hundredth record is there twice, every thousandth is broken."""
    path = folder / f"short-{number}.json.gz"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as out:
            for index, paper in enumerate(papers(number)):
                line = json.dumps({**paper, "abstract": str(paper["abstract"])[:_ABSTRACT]})
                out.write((line[:200] if index % 1000 == 999 else line) + "\n")
                if index % 100 == 50:
                    out.write(line + "\n")
    return path


def resident_mb() -> float:
    """Without the pages of mapped files, such as the lexical index, which the system takes back when it needs them."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1e3


def run(source: Path, folder: Path, every: int) -> tuple[list[Point], str]:
    """Adds `source`; gives a point for each `every` records and what the report says."""
    points: list[Point] = []

    def noted(now: Progress) -> None:
        if now.done >= every * len(points):
            traced = tracemalloc.get_traced_memory()[0] / 1e6 if tracemalloc.is_tracing() else 0.0
            points.append(Point(now.done, resident_mb(), traced, time.process_time()))
            row = (f"{points[-1].records:,}", *(f"{value:.1f}" for value in points[-1][1:]))
            print(f"| {' | '.join(row)} |", flush=True)

    with Library.open(folder, embedder=_Made()) as library:
        report = add(library, source, progress=noted)
        counts = report.added, report.updated, report.unchanged, report.duplicates, len(report.rejected)
    return points, f"added, updated, unchanged, duplicates, rejected: {counts}; end {resident_mb():.0f} MB"


def slope(points: Sequence[Point], traced: bool) -> float:
    """Bytes a record over the second half of the points, by least squares."""
    half = points[len(points) // 2 :]
    size = [point.traced_mb if traced else point.resident_mb for point in half]
    return float(np.polyfit([point.records for point in half], np.array(size) * 1e6, 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adding_memory")
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--every", type=int, default=20_000)
    parser.add_argument("--traced", action="store_true")
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    source = written(asked.folder, asked.records)
    if asked.traced:
        tracemalloc.start()
    for _ in range(2 if asked.again else 1):
        print("| records | MB resident | MB traced | CPU s |\n|---|---|---|---|")
        points, told = run(source, asked.folder / f"library-{os.getpid()}", asked.every)
        print(f"\n{told}; slope {slope(points, asked.traced):.0f} bytes a record", flush=True)


if __name__ == "__main__":
    main()
