"""What `growth` measures of one library, each part in a process of its own; prints JSON.

python -m benchmarks.growth_measures reading LIBRARY     opening, first search, searches, filters, lists, memory
python -m benchmarks.growth_measures writing LIBRARY     one paper added and edited until found, adding 300: on a copy
python -m benchmarks.growth_measures watching LIBRARY WORD COUNT    a reader that says when it finds WORD0, WORD1, …
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import ROOT, WARM_UP, cpu_seconds, peak_megabytes, wall_and_cpu
from benchmarks.queries import standing_alone, wait_for_checks

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.papers import Paper

_QUESTIONS = 40
_UPDATES = 5
_BATCH = 64  # passages embedded at once, as by `ingest.add`
_ADDED = 300
_PATIENCE_S = 60.0
Times = Sequence[tuple[float, float]]


def main() -> None:
    what, folder, *more = sys.argv[1:]
    if what == "watching":
        watch(Path(folder), more[0], int(more[1]))
    else:
        print(json.dumps({"reading": reading, "writing": writing}[what](Path(folder))))


def reading(folder: Path) -> dict[str, float]:
    """Seconds, megabytes and counts. The library is not written to."""
    from assistant import Library

    found: dict[str, float] = {}
    Library.open(folder).close()  # a migration is not what is measured
    library, found["open, wall s"], found["open, CPU s"] = _kept(lambda: Library.open(folder, read_only=True))
    with library:
        found["papers"] = library.count()
        library.embedder.embed_query("loads the model")
        _note(found, "first search", [wall_and_cpu(lambda: library.search(WARM_UP))])
        found["memory after it, MB"] = peak_megabytes()
        questions = standing_alone()[:_QUESTIONS]
        _note(found, "search by exact scan", _each(lambda question: library.search(question), questions[:1]))
        wait_for_checks()
        library.search(WARM_UP)
        _note(found, "search", _each(library.search, questions))
        for name, filters in _filters(library).items():
            first = wall_and_cpu(partial(library.search, WARM_UP, filters=filters))
            found[f"first search of {name}, CPU s"] = first[1]
            _note(found, f"search of {name}", _each(partial(library.search, filters=filters), questions))
            found[f"papers of {name}"] = library.count(filters)
        _note(found, "page of papers", [wall_and_cpu(lambda: _page(library, "")) for _ in range(3)])
        _note(
            found, "page of papers with a word", [wall_and_cpu(lambda: _page(library, "gradient")) for _ in range(3)]
        )
        _note(found, "authors to filter by", [wall_and_cpu(lambda: library.facets("author")) for _ in range(3)])
        found["peak memory of a reader, MB"] = peak_megabytes()
        now = library._indexes.current()
        assert now is not None
        found["vector index found sound"] = float(library._indexes.dense_part.opened)
    return found


def _filters(library: Library) -> dict[str, dict[str, Any]]:
    author, category = (library.facets(field, limit=20)[-1].value for field in ("author", "category"))
    return {
        "a fifth, by year": {"year": "2010-2014"},
        "four fifths, by year": {"year": "2005-"},
        "few, by author": {"author": author},
        "some, by category": {"category": category},
    }


def writing(folder: Path) -> dict[str, float]:
    """One paper at a time, then many. Changes the library."""
    from assistant import Library
    from benchmarks.ingest import write_source
    from ingest import add

    found: dict[str, float] = {}
    with Library.open(folder) as library:
        library.search(WARM_UP)
        found |= _updates(library, folder)
        source = folder.parent / f"{folder.name}.jsonl"
        write_source(source, None, _ADDED)
        before = {paper.id for paper in library.papers()}
        wall, cpu = wall_and_cpu(lambda: add(library, str(source)))
        new = [paper for paper in library.papers() if paper.id not in before]
        bare = _bare(library, new)
        found["adding 300, abstracts per CPU s"] = len(new) / cpu
        found["adding 300, share of bare inference"] = bare / cpu
        found["adding 300, wall s"] = wall
        found["peak memory of a writer, MB"] = peak_megabytes()
    return found


def _bare(library: Library, papers: Sequence[Paper]) -> float:
    """CPU seconds of embedding the passages of `papers` and nothing else."""
    from assistant.chunking import passages
    from assistant.cleaning import embedding_text

    texts = [embedding_text(paper.title, passage) for paper in papers for passage in passages(paper)]
    starts = range(0, len(texts), _BATCH)
    return sum(
        cpu_seconds(partial(library.embedder.embed_passages, texts[start : start + _BATCH])) for start in starts
    )


def _updates(library: Library, folder: Path) -> dict[str, float]:
    """From the call that adds or edits one paper until a search here, and one in another process, finds it."""
    from assistant.editing import Changes
    from ingest import add
    from ingest.editing import edit

    word = "quixotic"
    watcher = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.growth_measures", "watching", str(folder), word, str(_UPDATES)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watcher.stdout is not None
    watcher.stdout.readline()  # it is up
    added: list[tuple[float, float]] = []
    edited: list[tuple[float, float]] = []
    elsewhere: list[float] = []
    for number in range(_UPDATES):
        source = folder.parent / f"{folder.name}-{number}.bib"
        name = _named(word, number)
        source.write_text(
            f"@article{{{name}, title={{A {name} paper}}, abstract={{The {name} way of doing it. It is new.}}}}"
        )
        started = time.time()
        added.append(wall_and_cpu(partial(_until_found, library, partial(add, library, str(source)), name)))
        elsewhere.append(float(watcher.stdout.readline()) - started)
        changes = Changes({"abstract": f"Once called {name}, now re{name}. It is newer."})
        call = partial(edit, library, name, changes)
        edited.append(wall_and_cpu(partial(_until_found, library, call, f"re{name}")))
    watcher.wait()
    found: dict[str, float] = {}
    _note(found, "one paper added, until found", added[1:])
    _note(found, "one paper edited, until found", edited[1:])
    found["first paper added, until found, CPU s"] = added[0][1]
    found["one paper added, until found elsewhere, wall s"] = statistics.median(elsewhere[1:])
    return found


def _until_found(library: Library, change: Callable[[], object], word: str) -> None:
    change()
    deadline = time.monotonic() + _PATIENCE_S
    while not any(word in f"{hit.paper.title} {hit.paper.abstract}" for hit in library.search(f"the {word} way")):
        if time.monotonic() > deadline:
            raise SystemExit(f"{word!r} was not found within {_PATIENCE_S:.0f} s")


def watch(folder: Path, word: str, count: int) -> None:
    """Says when it is ready, then the time at which it first finds each of `count` words."""
    from assistant import Library

    with Library.open(folder, read_only=True) as library:
        library.search(WARM_UP)
        print("ready", flush=True)
        for number in range(count):
            _until_found(library, lambda: time.sleep(0.01), _named(word, number))
            print(time.time(), flush=True)


def _named(word: str, number: int) -> str:
    """A word of letters alone, another one for each number."""
    return f"{word}{chr(ord('a') + number) * 3}"


def _page(library: Library, search: str) -> object:
    from assistant.storage.shelf import Wanted

    return library.shelf.page(Wanted(search=search, order="title"))


def _each(search: Callable[[str], object], questions: Sequence[str]) -> Times:
    return [wall_and_cpu(partial(search, question)) for question in questions]


def _kept(call: Callable[[], Any]) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    made = call()
    return made, time.perf_counter() - wall, time.process_time() - cpu


def _note(found: dict[str, float], name: str, times: Times) -> None:
    """Median and, of many, the 95th percentile."""
    for kind, values in (("wall", [wall for wall, _ in times]), ("CPU", [cpu for _, cpu in times])):
        found[f"{name}, {kind} s"] = statistics.median(values)
        if len(values) >= 20:
            found[f"{name}, {kind} s, p95"] = statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main()
