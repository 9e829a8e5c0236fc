"""Bytes a paper on disk: by table and index of `library.sqlite`, and by kind of file beside it. Prints a Markdown table.

    python -m benchmarks.disk LIBRARY

Opens the library's files for reading only, and nothing of Ibid: a library of an older schema is measured as it is. Needs
an SQLite with the `dbstat` table, as Python's mostly has. `text` is title and abstract in UTF-8.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.measuring import table

_LEAST = 5  # bytes a paper, below which tables and files are summed up in one line
_REST = "the rest"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disk")
    parser.add_argument("library", type=Path, help="folder of a library")
    library = parser.parse_args().library
    papers, text = counted(library / "library.sqlite")
    lines = [*of_tables(library / "library.sqlite"), *of_files(library)]
    print(table(f"{papers:,} papers, bytes a paper", rows(lines, papers, text)))


def counted(file: Path) -> tuple[int, int]:
    """Papers, and bytes of their titles and abstracts."""
    query = "SELECT count(*), sum(length(CAST(title AS BLOB)) + length(CAST(abstract AS BLOB))) FROM papers"
    with closing(_opened(file)) as connection:
        papers, text = connection.execute(query).fetchone()
    if not papers:
        raise SystemExit(f"no papers in {file}")
    return papers, text


def of_tables(file: Path) -> list[tuple[str, int, int]]:
    """(name, bytes on disk, bytes of them in use) of each table and index, and of pages that hold nothing."""
    with closing(_opened(file)) as connection:
        found = connection.execute("SELECT name, sum(pgsize), sum(payload) FROM dbstat GROUP BY name").fetchall()
        free = connection.execute("PRAGMA freelist_count").fetchone()[0]
        page = connection.execute("PRAGMA page_size").fetchone()[0]
    return [*((f"truth: {name}", size, used) for name, size, used in found), ("truth: free pages", free * page, 0)]


def of_files(library: Path) -> list[tuple[str, int, int]]:
    """The same of other files by kind: Chroma's by name, those of the lexical index by ending."""
    kinds: Counter[str] = Counter()
    for path in library.rglob("*"):
        if path.is_file() and path.name != "library.sqlite":
            part = next((name for name in ("chroma", "lexical") if name in path.parts), "beside")
            kinds[f"{part}: {path.suffix if part == 'lexical' and path.suffix else path.name}"] += path.stat().st_size
    return [(kind, size, size) for kind, size in kinds.items()]


def rows(lines: list[tuple[str, int, int]], papers: int, text: int) -> list[dict[str, Any]]:
    """Largest first, then the sum, and the sum without the text."""
    large = [line for line in lines if line[1] >= _LEAST * papers]
    small = [line for line in lines if line[1] < _LEAST * papers]
    ordered = sorted(large, key=lambda line: -line[1])
    ordered.append((_REST, sum(line[1] for line in small), sum(line[2] for line in small)))
    whole = (sum(line[1] for line in lines), sum(line[2] for line in lines))
    ordered += [("all", *whole), ("all but text", whole[0] - text, whole[1] - text)]
    return [
        {"part": name, "on disk": _each(size, papers), "in use": _each(used, papers)} for name, size, used in ordered
    ]


def _each(size: int, papers: int) -> str:
    return f"{size / papers:,.0f}"


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True)


if __name__ == "__main__":
    main()
