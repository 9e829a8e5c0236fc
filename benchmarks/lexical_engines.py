"""Compares lexical engines on abstract-like documents: build, adding 1,000, questions, disk, reopening, ranking.

    python -m benchmarks.lexical_engines DATASETS --documents 100000

DATASETS is a folder with `NAME/corpus.jsonl`, `NAME/queries.jsonl` and `NAME/qrels/SPLIT.tsv` in BEIR's layout for
scifact and cisi, and `pubmedqa/corpus.jsonl`. Documents are made by recombining their sentences. Needs `bm25s` and
`ir-measures`. Times are CPU seconds of this process except where a column says wall.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from assistant.lexical import LexicalIndex
from assistant.terms import STOP_WORDS, terms

_SEED = 20
_QUESTIONS = 300
_K = 100


class Document(NamedTuple):
    id: str
    title: str
    text: str


class Engine(Protocol):
    def build(self, documents: Iterable[Document]) -> None: ...
    def add(self, documents: Iterable[Document]) -> None: ...
    def reopen(self) -> None: ...
    def search(self, question: str, k: int) -> list[tuple[str, float]]: ...


class Tantivy:
    """Ours: `assistant.lexical`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "tantivy"

    def build(self, documents: Iterable[Document]) -> None:
        self._index = LexicalIndex.create(self._folder)
        self.add(documents)

    def add(self, documents: Iterable[Document]) -> None:
        self._index.add((document.id, *document) for document in documents)
        self._index.commit()

    def reopen(self) -> None:
        self._index.close()
        self._index = LexicalIndex.open(self._folder)

    def search(self, question: str, k: int) -> list[tuple[str, float]]:
        return self._index.search(question, k)


class Fts5:
    """SQLite FTS5: Porter stemmer, one table with title and text, disjunction of quoted words without stop words."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "fts5.sqlite"

    def build(self, documents: Iterable[Document]) -> None:
        self._connection = sqlite3.connect(self._file)
        self._connection.execute("CREATE VIRTUAL TABLE d USING fts5(id UNINDEXED, body, tokenize='porter unicode61')")
        self.add(documents)

    def add(self, documents: Iterable[Document]) -> None:
        with self._connection:
            rows = ((document.id, f"{document.title}\n{document.text}") for document in documents)
            self._connection.executemany("INSERT INTO d VALUES (?, ?)", rows)

    def reopen(self) -> None:
        self._connection.close()
        self._connection = sqlite3.connect(self._file)

    def search(self, question: str, k: int) -> list[tuple[str, float]]:
        words = "".join(c if c.isalnum() else " " for c in question.lower()).split()
        wanted = " OR ".join(f'"{word}"' for word in words if word not in STOP_WORDS)
        if not wanted:
            return []
        sql = "SELECT id, -bm25(d) FROM d WHERE d MATCH ? ORDER BY bm25(d) LIMIT ?"
        return [(str(key), float(score)) for key, score in self._connection.execute(sql, (wanted, k))]


class Bm25s:
    """bm25s over the terms that our index stores; adding means building again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "bm25s"
        self._documents: list[Document] = []

    def build(self, documents: Iterable[Document]) -> None:
        self.add(documents)

    def add(self, documents: Iterable[Document]) -> None:
        import bm25s

        self._documents.extend(documents)
        self._ids = [document.id for document in self._documents]
        self._index: Any = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        tokens = [terms(f"{document.title}\n{document.text}") for document in self._documents]
        self._index.index(tokens, show_progress=False)
        self._index.save(self._folder, show_progress=False)

    def reopen(self) -> None:
        import bm25s

        self._index = bm25s.BM25.load(self._folder)

    def search(self, question: str, k: int) -> list[tuple[str, float]]:
        wanted = [term for term in terms(question) if term in self._index.vocab_dict]
        if not wanted:
            return []
        found, scores = self._index.retrieve([wanted], k=min(k, len(self._ids)), show_progress=False)
        return [(self._ids[i], float(s)) for i, s in zip(found[0], scores[0], strict=True) if s > 0]


def corpus(datasets: Path, name: str) -> list[Document]:
    with (datasets / name / "corpus.jsonl").open(encoding="utf-8") as lines:
        return [Document(row["_id"], row.get("title") or "", row["text"]) for row in map(json.loads, lines)]


def questions(datasets: Path, name: str, split: str) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
    """Queries that have labels, and their labels."""
    labels: dict[str, dict[str, int]] = {}
    with (datasets / name / "qrels" / f"{split}.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            labels.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    with (datasets / name / "queries.jsonl").open(encoding="utf-8") as lines:
        texts = {row["_id"]: row["text"] for row in map(json.loads, lines)}
    return {key: texts[key] for key in labels}, labels


def recombined(datasets: Path, n: int) -> Iterator[Document]:
    """`n` documents of the length of an abstract, each sentence drawn from a real one."""
    draw = random.Random(_SEED)
    real = [document for name in ("scifact", "cisi", "pubmedqa") for document in corpus(datasets, name)]
    sentences = [part for document in real for part in document.text.split(". ") if len(part) > 20]
    titles = [document.title for document in real if document.title]
    for i in range(n):
        yield Document(f"{i:07d}", draw.choice(titles), ". ".join(draw.choices(sentences, k=draw.randint(5, 11))))


def measure(engine: Engine, folder: Path, documents: list[Document], asked: list[str]) -> dict[str, float]:
    row: dict[str, float] = {}
    new = [Document("n" + document.id, document.title, document.text) for document in documents[:1000]]
    steps = {
        "build": lambda: engine.build(documents),
        "add 1,000": lambda: engine.add(new),
        "reopen": lambda: (engine.reopen(), engine.search(asked[0], 10)),
    }
    for name, step in steps.items():
        start = time.process_time()
        step()
        row[f"{name} s"] = time.process_time() - start
    row["disk MB"] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    times = []
    for question in asked:
        start = time.process_time()
        engine.search(question, _K)
        times.append((time.process_time() - start) * 1e3)
    row["p50 ms"], row["p95 ms"] = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    return row


def quality(make: type[Tantivy] | type[Fts5] | type[Bm25s], folder: Path, datasets: Path) -> dict[str, float]:
    import ir_measures

    row = {}
    for name, split in (("scifact", "train"), ("cisi", "test")):
        engine = make(folder / name)
        engine.build(corpus(datasets, name))
        asked, labels = questions(datasets, name, split)
        run = {key: dict(engine.search(text, _K)) for key, text in asked.items()}
        scores = ir_measures.calc_aggregate([ir_measures.nDCG @ 10], labels, run)
        row[f"{name} {split} nDCG@10"] = scores[ir_measures.nDCG @ 10]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("datasets", type=Path)
    parser.add_argument("--documents", type=int, default=100_000)
    arguments = parser.parse_args()
    documents = list(recombined(arguments.datasets, arguments.documents))
    asked = list(questions(arguments.datasets, "scifact", "train")[0].values())[: _QUESTIONS - 76]
    asked += list(questions(arguments.datasets, "cisi", "test")[0].values())
    scratch = Path(tempfile.mkdtemp())
    try:
        for make in (Tantivy, Bm25s, Fts5):
            folder = scratch / make.__name__
            row = measure(make(folder), folder, documents, asked) | quality(
                make, folder / "quality", arguments.datasets
            )
            print(make.__name__, " ".join(f"{name}={value:.4g}" for name, value in row.items()), flush=True)
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
