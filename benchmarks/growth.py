"""How a library's times, memory and disk grow with its papers, and what they would be at 2.5 million. Markdown tables.

    python -m benchmarks.growth --papers 10000 30000 100000 --keep FOLDER

Libraries of made papers are grown from one size to the next in FOLDER and used again; nothing is embedded for them.
What is written to is a copy. Each size is measured by processes of their own (`growth_measures.py`). A straight line
through the sizes, by least squares, says what each figure would be at 2.5 million papers, and at how many papers it
passes its limit: an assumption that holds for scans and files, is too dark for the graph, whose searches grow with the
logarithm, and too bright for whatever no longer fits in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import in_a_process, machine, table

_FAR = 2_500_000
_LIMITS = {  # of the figures that are promised; memory and disk are those of a small machine
    "open, CPU s": 3.0,
    "first search, CPU s": 3.0,
    "search, CPU s": 0.15,
    "search, CPU s, p95": 0.15,
    "search by exact scan, CPU s": 0.15,
    "search of a fifth, by year, CPU s, p95": 0.2,
    "search of four fifths, by year, CPU s, p95": 0.2,
    "first search of a fifth, by year, CPU s": 0.2,
    "first search of four fifths, by year, CPU s": 0.2,
    "first search of few, by author, CPU s": 0.2,
    "one paper added, until found, CPU s": 2.0,
    "one paper edited, until found, CPU s": 2.0,
    "peak memory of a reader, MB": 8_000,
    "peak memory of a writer, MB": 8_000,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--papers", type=int, nargs="+", default=[10_000, 30_000])
    parser.add_argument("--keep", type=Path, help="folder of libraries that were grown before")
    parser.add_argument("--found", type=Path, help="file of figures: sizes that it has are not measured again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        sizes = sorted(options.papers)
        print(f"{machine()}\n", flush=True)
        measured = [found(folder, sizes, size, options.found) for size in sizes]
        print(table("By number of papers", _figures(measured)))
        if len(sizes) > 1:
            print(table(f"What a straight line says of {_FAR:,} papers", extrapolated(measured)))


def grown(folder: Path, sizes: Sequence[int]) -> None:
    """Makes the libraries that are not there, each from the next smaller one."""
    smaller: Path | None = None
    for size in sizes:
        library = folder / f"papers-{size}"
        if not library.exists():
            if smaller is not None:
                shutil.copytree(smaller, library)
            made = in_a_process("benchmarks.queries", "--papers", str(size), "--build", str(library))
            (folder / f"{library.name}.json").write_text(json.dumps(made), encoding="utf-8")
        smaller = library


def found(folder: Path, sizes: Sequence[int], size: int, file: Path | None) -> dict[str, float]:
    """The figures of one size: those of `file`, where it has them, else measured now and kept there."""
    known: dict[str, dict[str, float]] = {}
    if file is not None and file.exists():
        known = json.loads(file.read_text(encoding="utf-8"))
    if str(size) not in known:
        grown(folder, [smaller for smaller in sizes if smaller <= size])
        known[str(size)] = _measured(folder / f"papers-{size}")
        if file is not None:
            file.write_text(json.dumps(known, indent=1), encoding="utf-8")
    return known[str(size)]


def _measured(library: Path) -> dict[str, float]:
    seen: dict[str, float] = in_a_process("benchmarks.growth_measures", "reading", str(library))
    with tempfile.TemporaryDirectory(dir=library.parent, prefix="copy-") as scratch:
        copy = Path(scratch) / library.name
        shutil.copytree(library, copy)
        seen |= in_a_process("benchmarks.growth_measures", "writing", str(copy))
    built = library.parent / f"{library.name}.json"
    if built.exists():
        made = json.loads(built.read_text(encoding="utf-8"))
        seen["storing and indexing a paper while growing, CPU s"] = made["cpu"] / made["made"]
    seen["load at the end"] = os.getloadavg()[0]
    return seen | {f"disk, {part}, kB a paper": kb / seen["papers"] for part, kb in _disk(library).items()}


def _disk(library: Path) -> dict[str, float]:
    """kB of the truth and of each index, deleted generations left out."""
    parts = {"truth": 0.0, "lexical index": 0.0, "vector graph": 0.0, "vector index's own database": 0.0}
    for path in library.rglob("*"):
        if not path.is_file():
            continue
        where = "truth"
        if "lexical" in path.parts:
            where = "lexical index"
        elif "chroma" in path.parts:
            where = "vector index's own database" if path.suffix == ".sqlite3" else "vector graph"
        parts[where] += path.stat().st_size / 1000
    return parts


def extrapolated(measured: Sequence[dict[str, float]]) -> list[dict[str, Any]]:
    """Each figure's growth per 100,000 papers, what it comes to far away, and where it passes its limit; the first to
    pass comes first."""
    papers = np.array([found["papers"] for found in measured])
    rows = []
    for name in measured[-1]:
        if not name.endswith(("CPU s", "CPU s, p95", "MB")) or name.startswith("storing"):
            continue  # times by the clock say more of the machine's other work
        slope, start = np.polyfit(papers, [found[name] for found in measured], 1)
        limit = _LIMITS.get(name)
        passes = (limit - start) / slope if limit is not None and slope > 0 else float("inf")
        row = {
            "figure": name,
            "more per 100,000 papers": _short(slope * 100_000),
            f"at {_FAR:,}": _short(start + slope * _FAR),
            "limit": "" if limit is None else _short(limit),
            "passes it at": f"{passes:,.0f}" if passes < 100 * _FAR else "",
        }
        rows.append((passes, row))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def _figures(measured: Sequence[dict[str, float]]) -> list[dict[str, Any]]:
    """A row per figure, a column per size."""
    return [
        {"figure": name} | {f"{found['papers']:,.0f} papers": _short(found.get(name)) for found in measured}
        for name in measured[-1]
        if name != "papers"
    ]


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
