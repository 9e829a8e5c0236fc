"""Search and answer times, opening, memory and disk, by number of papers in the library. Prints a Markdown table.

    python -m benchmarks.queries                                59 and 5,000 papers
    python -m benchmarks.queries --papers 100000 --keep FOLDER  keeps what it built in FOLDER, and uses it again

Papers beyond the bundled ones are made (`made_papers.py`). Questions are those of the bundled development set that
stand alone. Each size is measured in a process of its own, after three questions to warm up.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import (
    CASES,
    CORPUS,
    WARM_UP,
    in_a_process,
    peak_megabytes,
    quantiles,
    table,
    wall_and_cpu,
)

if TYPE_CHECKING:
    from assistant.library import Library, StoredPaper

_QUESTIONS = 60
_FILTER = {"year": "2010-2014"}  # a fifth of the made papers
_BATCH = 1000  # papers of one write
_BUNDLED = 59
_MODULE = "benchmarks.queries"


def main() -> None:
    parser = argparse.ArgumentParser(prog=f"python -m {_MODULE}")
    parser.add_argument("--papers", type=int, nargs="+", default=[59, 5000])
    parser.add_argument("--keep", type=Path, help="folder of libraries that were built before")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        print(json.dumps(build(options.build, options.papers[0])))
    elif options.measure:
        print(json.dumps(measure(options.measure)))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            rows = [_row(options.keep or Path(scratch), papers) for papers in options.papers]
        print(table("Questions, by papers in the library", rows))


def _row(folder: Path, papers: int) -> dict[str, Any]:
    library = folder / f"papers-{papers}"
    if not library.exists():
        in_a_process(_MODULE, "--papers", str(papers), "--build", str(library))
    found: dict[str, Any] = in_a_process(_MODULE, "--measure", str(library))
    return found


def build(folder: Path, papers: int) -> dict[str, float]:
    """A library of the bundled papers and as many made ones as there are still to come; what that took."""
    from assistant import Library
    from benchmarks.made_papers import stored_papers
    from ingest import add

    with Library.open(folder) as library:
        add(library, str(CORPUS))
        before = library.count()
        more = stored_papers(library, max(0, papers - before), before - _BUNDLED)
        wall, cpu = wall_and_cpu(lambda: _write(library, more))
        return {"papers": library.count(), "made": library.count() - before, "wall": wall, "cpu": cpu}


def _write(library: Library, papers: Iterator[StoredPaper]) -> None:
    with library.writing("adding made papers"):
        while batch := list(islice(papers, _BATCH)):
            library.write(batch)


def measure(folder: Path) -> dict[str, Any]:
    """One row of the table."""
    from assistant import Assistant, Library

    opened, _ = wall_and_cpu(lambda: Library.open(folder).close())
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    questions = standing_alone()[:_QUESTIONS]
    with Library.open(folder) as library:
        assistant = Assistant(library)
        for _ in range(3):
            assistant.ask(WARM_UP)
            library.search(WARM_UP, filters=_FILTER)
        wait_for_checks()
        searched = [wall_and_cpu(partial(library.search, question)) for question in questions]
        filtered = [wall_and_cpu(partial(library.search, question, filters=_FILTER)) for question in questions]
        asked = [wall_and_cpu(partial(assistant.ask, question)) for question in questions]
        count, matching = library.count(), library.count(_FILTER)
        text = sum(len(f"{paper.title}{paper.abstract}".encode()) for paper in library.papers())
    return {
        "papers": f"{count:,}",
        "search, CPU ms": _cpu(searched),
        "filtered search, CPU ms": _cpu(filtered) if matching else "no such papers",
        "answer, CPU ms": _cpu(asked),
        "search, wall ms": _wall(searched),
        "answer, wall ms": _wall(asked),
        "open, wall ms": round(opened * 1000),
        "disk a paper, kB": round(disk / count / 1000, 1),
        "of it text": round(text / count / 1000, 1),
        "peak memory, MB": peak_megabytes(),
    }


def standing_alone() -> list[str]:
    """Development questions over the bundled papers that need no conversation."""
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [case["question"] for case in cases if case["split"] == "dev" and "question" in case]


def wait_for_checks() -> None:
    """Until a large library's vector index is known to be sound: before, searches scan all vectors."""
    for thread in threading.enumerate():
        if thread.name == "ibid-index-check":
            thread.join()


def _cpu(times: list[tuple[float, float]]) -> str:
    return quantiles([cpu for _, cpu in times])


def _wall(times: list[tuple[float, float]]) -> str:
    return quantiles([wall for wall, _ in times])


if __name__ == "__main__":
    main()
