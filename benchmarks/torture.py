"""Kills a process over and over while it adds, updates, removes or rebuilds, goes on, and compares with an undisturbed run.

    python -m benchmarks.torture --kills 100 --out kills.jsonl

Half of the kills come at random moments, told by the processor time that the victim has had so that a busy machine moves
none of them, half when a file of the index has just changed for the nth time. Linux only. After each
the same operation runs again; then the library must hold the same papers in the same order, the same vectors, and
give the same rankings by meaning, by words and by both as a library that nobody disturbed; what was reported stored
must be there at once, and the doctor must be content. Rankings are compared under a filter that leaves every paper,
where vectors are scanned exactly. Chroma's graph is approximate and differs with its past even undisturbed, so of it
is asked that it finds as many of the exact scan's passages as the undisturbed one's. Prints a JSON line per kill and
a table. Kills already in `--out` are not done again.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np

from assistant.cleaning import embedding_text
from assistant.library import Library, StoredPaper
from assistant.papers import Paper, Passage, Span
from assistant.testing import HashEmbedder
from benchmarks.measuring import ROOT, table

Operation = Literal["add", "update", "remove", "rebuild"]
Aim = Literal["random", "index"]

OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)
EMBEDDER: Final = HashEmbedder(dimension=96)
PAPERS: Final = 5000
TOUCHED: Final = 1000  # papers that an operation adds, updates or removes
_BATCH: Final = 50
_PASSAGES: Final = 3  # of a paper: 15,000 are enough that searches ask Chroma
_QUESTIONS: Final = 25
_EVERY: Final = {"year": ">=1900"}
_DRIFT: Final = 0.02  # of the share that a graph finds: 5 of 250 passages
_MODULE: Final = "benchmarks.torture"
_SYLLABLES: Final = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]


def _word(number: int) -> str:
    """A word of its own for each number."""
    parts: list[str] = []
    while number or not parts:
        number, digit = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[digit])
    return "".join(parts)


@functools.cache
def _vocabulary() -> tuple[list[str], list[float]]:
    words = [_word(number * 37 + 5000) for number in range(8000)]
    return words, [1 / (rank + 5) for rank in range(len(words))]


def stored(number: int, version: int = 0) -> StoredPaper:
    """Paper `number`: made-up sentences, each a passage; another text for another version."""
    chance = random.Random(f"{number}-{version}")
    words, weights = _vocabulary()
    sentences = [f"{' '.join(chance.choices(words, weights, k=14))}." for _ in range(_PASSAGES)]
    paper = Paper(f"title:{number}", f"On {_word(number + 90_000)}", " ".join(sentences), year=2000 + number % 20)
    passages, start = [], 0
    for ordinal, sentence in enumerate(sentences):
        end = start + len(sentence)
        passages.append(
            Passage(f"{paper.id}#{ordinal}", paper.id, ordinal, start, end, sentence, 14, (Span(start, end),))
        )
        start = end + 1
    vectors = EMBEDDER.embed_passages([embedding_text(paper.title, passage) for passage in passages])
    return StoredPaper(paper, tuple(passages), tuple(vectors))


def operate(folder: Path, operation: Operation) -> Iterator[int]:
    """Does the operation, or what is left of it; gives the first number of each batch once it is stored."""
    with Library.open(folder, embedder=EMBEDDER) as library:
        if operation == "rebuild":
            library.rebuild()
            return
        first = PAPERS if operation == "add" else 0
        with library.writing(operation):
            for start in range(first, first + TOUCHED, _BATCH):
                _batch(library, operation, range(start, start + _BATCH))
                yield start


def _batch(library: Library, operation: Operation, numbers: range) -> None:
    ids = [f"title:{number}" for number in numbers]
    there = library.text_digests(ids)
    if operation == "remove":
        if there:
            library.remove(sorted(there))
        return
    from assistant.library import text_digest

    wanted = [stored(number, version=operation == "update") for number in numbers]
    library.write(
        [one for one in wanted if there.get(one.paper.id) != text_digest(one.paper.title, one.paper.abstract)]
    )


def done(library: Library, operation: Operation, start: int) -> bool:
    """Whether a batch that was reported is there."""
    ids = [f"title:{number}" for number in range(start, start + _BATCH)]
    there = library.papers_by_id(ids)
    if operation == "remove":
        return not there
    return len(there) == len(ids) and all(
        there[f"title:{number}"].abstract == stored(number, version=operation == "update").paper.abstract
        for number in range(start, start + _BATCH)
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What a library holds and answers."""

    papers: tuple[tuple[str, str], ...]  # id and abstract, in the order of arrival
    vectors: dict[str, bytes]
    dense: tuple[tuple[str, ...], ...]  # the best passages of each question, by exact scan
    lexical: tuple[tuple[str, ...], ...]
    searched: tuple[tuple[str, ...], ...]  # papers
    graph: float  # share of `dense` that a search by Chroma finds; 0 where Chroma was not asked
    unsound: tuple[str, ...]  # what the doctor finds


def look(folder: Path) -> Seen:
    with Library.open(folder, embedder=EMBEDDER) as library:
        papers = tuple((paper.id, paper.abstract) for paper in library.papers())
        ids = [f"{id_}#{ordinal}" for id_, _ in papers for ordinal in range(_PASSAGES)]
        vectors = {id_: np.asarray(row, np.float32).tobytes() for id_, row in library.vectors(ids).items()}
        questions = [stored(number, 2).paper.abstract.split(".")[0] for number in range(_QUESTIONS)]
        rows = [EMBEDDER.embed_query(question) for question in questions]
        for row in rows[:2]:
            library.dense(row, 10)
        for thread in threading.enumerate():
            if thread.name == "ibid-index-check":
                thread.join()
        by_graph = [{id_ for id_, _ in library.dense(row, 10)} for row in rows]
        asked = library._indexes.dense_part.opened  # no public way tells which way a search went
        every = library.matching_ids(_EVERY)
        dense = tuple(tuple(id_ for id_, _ in library.dense(row, 10, every)) for row in rows)
        found = sum(len(mine & set(exact)) for mine, exact in zip(by_graph, dense, strict=True))
        return Seen(
            papers,
            vectors,
            dense,
            tuple(tuple(id_ for id_, _ in library.lexical(question, 10)) for question in questions),
            tuple(tuple(hit.paper.id for hit in library.search(question, 10, _EVERY)) for question in questions),
            found / sum(map(len, dense)) if asked else 0.0,
            tuple(f"{check.check}: {check.message}" for check in library.doctor() if not check.ok),
        )


def differences(seen: Seen, reference: Seen) -> list[str]:
    """What an undisturbed run has otherwise; empty when nothing is lost."""
    found = [f"doctor: {finding}" for finding in seen.unsound]
    if seen.papers != reference.papers:
        found.append("papers")
    if seen.vectors != reference.vectors:
        found.append("vectors")
    for name in ("dense", "lexical", "searched"):
        mine, theirs = getattr(seen, name), getattr(reference, name)
        other = sum(a != b for a, b in zip(mine, theirs, strict=True))
        if other:
            found.append(f"{name} of {other} questions")
    if seen.graph < reference.graph - _DRIFT:
        found.append(f"the vector index finds {seen.graph:.3f}, not {reference.graph:.3f}")
    return found


def attack(
    folder: Path, operation: Operation, wait: Callable[[subprocess.Popen[str]], None]
) -> tuple[list[int], bool]:
    """Starts the operation in a process, kills it after `wait`; the batches that it had reported, and whether it was
    still at work."""
    command = [sys.executable, "-m", _MODULE, "--victim", str(folder), "--operation", operation]
    victim = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    victim.stdout.readline()  # it is about to begin
    wait(victim)
    victim.send_signal(signal.SIGKILL)
    reported = [int(line) for line in victim.communicate()[0].split() if line.isdigit()]
    return reported, victim.returncode == -signal.SIGKILL


def after_seconds(seconds: float) -> Callable[[subprocess.Popen[str]], None]:
    def wait(victim: subprocess.Popen[str]) -> None:
        while victim.poll() is None and _processor_seconds(victim.pid) < seconds:
            time.sleep(0.002)

    return wait


def _processor_seconds(pid: int) -> float:
    """What a process has had so far; 0 when it has gone."""
    try:
        user, system = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def after_changes(folder: Path, changes: int) -> Callable[[subprocess.Popen[str]], None]:
    """Until files below `index` have come, gone, grown or been written that many times."""

    def wait(victim: subprocess.Popen[str]) -> None:
        before, counted = _stamps(folder), 0
        while counted < changes and victim.poll() is None:
            now = _stamps(folder)
            counted += len(before.items() ^ now.items())
            before = now

    return wait


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for parent, _, names in os.walk(folder / "index"):
        for name in names:
            path = os.path.join(parent, name)
            try:
                status = os.stat(path)
            except OSError:
                continue
            found[path] = (status.st_mtime_ns, status.st_size)
    return found


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """An operation that nobody killed: what came of it, its processor time at its start and end, changes of files."""

    seen: Seen
    began: float
    seconds: float
    changes: int


def undisturbed(base: Path, scratch: Path, operation: Operation) -> Undisturbed:
    folder = scratch / f"reference-{operation}"
    shutil.copytree(base, folder)
    command = [sys.executable, "-m", _MODULE, "--victim", str(folder), "--operation", operation]
    victim = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    victim.stdout.readline()
    began = seconds = _processor_seconds(victim.pid)
    before, changes = _stamps(folder), 0
    while victim.poll() is None:
        seconds = max(seconds, _processor_seconds(victim.pid))
        now = _stamps(folder)
        changes += len(before.items() ^ now.items())
        before = now
    if victim.returncode:
        raise SystemExit(f"{operation} failed undisturbed")
    found = Undisturbed(look(folder), began, seconds, changes)
    if found.seen.unsound:
        raise SystemExit(f"{operation} undisturbed: {found.seen.unsound}")
    shutil.rmtree(folder)
    return found


def kill_once(base: Path, scratch: Path, number: int, references: dict[Operation, Undisturbed]) -> dict[str, Any]:
    """One kill: what was reported, what was missing, and what is otherwise than undisturbed after going on."""
    chance = random.Random(number)
    operation = OPERATIONS[number // 2 % len(OPERATIONS)]
    aim: Aim = "index" if number % 2 else "random"
    reference = references[operation]
    folder = scratch / f"kill-{number}"
    shutil.copytree(base, folder)
    if aim == "random":
        wait = after_seconds(chance.uniform(reference.began, reference.seconds))
    else:
        wait = after_changes(folder, chance.randint(1, max(1, reference.changes)))
    reported, killed = attack(folder, operation, wait)
    with Library.open(folder, embedder=EMBEDDER, read_only=True) as library:
        lost = sum(not done(library, operation, start) for start in reported)
    for _ in operate(folder, operation):
        pass
    seen = look(folder)
    shutil.rmtree(folder)
    return {
        "kill": number,
        "operation": operation,
        "aim": aim,
        "killed": killed,
        "batches reported": len(reported),
        "batches lost": lost,
        "graph": [round(seen.graph, 3), round(reference.seen.graph, 3)],
        "otherwise": differences(seen, reference.seen),
    }


def build(folder: Path) -> None:
    with Library.open(folder, embedder=EMBEDDER) as library, library.writing("building"):
        papers = map(stored, range(PAPERS))
        while batch := list(islice(papers, 500)):
            library.write(batch)


def summary(results: list[dict[str, Any]]) -> str:
    rows = []
    for operation in OPERATIONS:
        for aim in get_args(Aim):
            mine = [one for one in results if one["operation"] == operation and one["aim"] == aim]
            rows.append(
                {
                    "operation": operation,
                    "kills": f"{len(mine)} {'at random moments' if aim == 'random' else 'at index files'}",
                    "still at work": sum(one.get("killed", False) for one in mine),
                    "batches reported": sum(one["batches reported"] for one in mine),
                    "of them lost": sum(one["batches lost"] for one in mine),
                    "libraries otherwise than undisturbed": sum(bool(one["otherwise"]) for one in mine),
                }
            )
    return table("Kills", rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog=f"python -m {_MODULE}")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--out", type=Path, help="JSON Lines, a kill a line; those there are not done again")
    parser.add_argument("--victim", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--operation", choices=OPERATIONS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.victim:
        print("ready", flush=True)
        for start in operate(options.victim, options.operation):
            print(start, flush=True)
        return
    results = []
    if options.out and options.out.exists():
        results = [json.loads(line) for line in options.out.read_text(encoding="utf-8").splitlines()]
    there = {one["kill"] for one in results}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        build(scratch / "base")
        references = {operation: undisturbed(scratch / "base", scratch, operation) for operation in OPERATIONS}
        for number in range(options.kills):
            if number in there:
                continue
            results.append(kill_once(scratch / "base", scratch, number, references))
            line = json.dumps(results[-1])
            print(line, flush=True)
            if options.out:
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
    print(summary(results))


if __name__ == "__main__":
    main()
