"""What a user waits for: start-up, adding papers, questions by library size, memory. Prints Markdown tables.

    python -m benchmarks                                      59 and 5,000 papers
    python -m benchmarks --papers 59 5000 100000              more take minutes to write
    python -m benchmarks --float32 FLOAT32.onnx               adds the usual tutorial's way of adding papers

Each measurement runs in a process of its own. Papers beyond the bundled ones are made: sentences of the bundled
abstracts recombined, their vectors mixed from the bundled vectors, so that nothing is embedded. Questions are those
of the bundled dev set that stand alone. `FLOAT32.onnx` comes from `tools/quantise_minilm.py --float32`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "ingest" / "corpus" / "huggingface-papers.txt"
CASES = ROOT / "evals" / "datasets" / "bundled.jsonl"
_QUESTIONS = 60
_REPEATS = 3
_BATCH = 1000  # made papers of one write


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--papers", type=int, nargs="+", default=[59, 5000])
    parser.add_argument("--float32", type=Path)
    parser.add_argument("--measure", choices=sorted(_MEASURES), help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=59, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        with contextlib.redirect_stdout(io.StringIO()):
            found = _MEASURES[options.measure](options)
        print(json.dumps(found))
        return
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} before the run; Python {sys.version.split()[0]}\n")
    _table("Start-up", [_child("start", options)])
    ingests = [_child("ingest", options)]
    if options.float32:
        ingests.append(_child("tutorial", options))
    _table("Adding the 59 bundled papers", ingests)
    _table("Questions", [_child("questions", options, size) for size in options.papers])


def _child(measure: str, options: argparse.Namespace, size: int = 59) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks", "--measure", measure, "--size", str(size)]
    if options.float32:
        command += ["--float32", str(options.float32)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"measuring {measure!r} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _table(title: str, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    print(f"## {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(str(row.get(column, '')) for column in columns)} |")
    print(flush=True)


def _measure_start(_: argparse.Namespace) -> dict[str, Any]:
    """`ibid --help`, and `ibid ask` on a library that is there: from an empty process to the answer."""
    with tempfile.TemporaryDirectory() as scratch:
        library = f"{scratch}/library"
        _ibid("add", "--library", library, str(CORPUS))
        shown = min(_ibid("--help") for _ in range(_REPEATS))
        asked = min(_ibid("ask", "--library", library, "What is cautious weight decay?") for _ in range(_REPEATS))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "`ibid --help`, CPU s": _rounded(shown),
        "first answer of a new process, CPU s": _rounded(asked),
        "peak memory, MB": round(peak / 1024),
    }


def _ibid(*arguments: str) -> float:
    """CPU seconds of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = "from assistant.cli import main; main()"
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _measure_ingest(_: argparse.Namespace) -> dict[str, Any]:
    """`ingest.add` into a new library against embedding the same passages and nothing else; the model is loaded."""
    from assistant.cleaning import embedding_text
    from assistant.embedding import default_embedder
    from assistant.library import Library
    from ingest import add
    from ingest.chunking import passages

    embedder = default_embedder()
    embedder.embed_query("loads the model")
    whole, bare, count = [], [], 0
    for _repeat in range(_REPEATS):
        with (
            tempfile.TemporaryDirectory() as scratch,
            Library.open(f"{scratch}/library", embedder=embedder) as library,
        ):
            whole.append(_cpu(lambda library=library: add(library, str(CORPUS))))
            count = library.count()
            texts = [
                embedding_text(paper.title, passage) for paper in library.papers() for passage in passages(paper)
            ]
        bare.append(_cpu(lambda texts=texts: embedder.embed_passages(texts)))
    return {
        "way": "`ingest.add`",
        "abstracts per CPU s": round(count / min(whole), 1),
        "bare inference of the same texts": round(count / min(bare), 1),
        "share": round(min(bare) / min(whole), 2),
    }


def _measure_tutorial(options: argparse.Namespace) -> dict[str, Any]:
    """langchain-chroma's `add_documents` with the float32 model, one call for all papers."""
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings

    from assistant.embedding import MiniLM
    from ingest.sources import read

    embedder = MiniLM(model=options.float32)

    class Float32(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return embedder.embed_sentences(texts).tolist()

        def embed_query(self, text: str) -> list[float]:
            return embedder.embed_query(text).tolist()

    embedder.embed_query("loads the model")
    records = [record for record in read(CORPUS) if hasattr(record, "abstract")]
    documents = [Document(f"{record.title}\n{record.abstract}") for record in records]
    with tempfile.TemporaryDirectory() as scratch:
        store = Chroma("tutorial", embedding_function=Float32(), persist_directory=scratch)
        whole = _cpu(lambda: store.add_documents(documents))
        bare = _cpu(lambda: embedder.embed_sentences([document.page_content for document in documents]))
    return {
        "way": "langchain-chroma `add_documents`, float32",
        "abstracts per CPU s": round(len(documents) / whole, 1),
        "bare inference of the same texts": round(len(documents) / bare, 1),
        "share": round(bare / whole, 2),
    }


def _measure_questions(options: argparse.Namespace) -> dict[str, Any]:
    """Search and answer times in one open library, after one question to warm up."""
    from assistant import Assistant, Library
    from ingest import add

    lines = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    questions = [case["question"] for case in lines if case["split"] == "dev" and "question" in case][:_QUESTIONS]
    with tempfile.TemporaryDirectory() as scratch:
        with Library.open(f"{scratch}/library") as library:
            add(library, str(CORPUS))
            for batch in _made_papers(library, options.size - library.count()):
                library.write(batch)
        disk = sum(path.stat().st_size for path in Path(scratch).rglob("*") if path.is_file())
        with Library.open(f"{scratch}/library") as library:
            assistant = Assistant(library)
            assistant.ask("What is cautious weight decay?")
            searched = [_cpu(lambda question=question: library.search(question)) for question in questions]
            asked = [_cpu(lambda question=question: assistant.ask(question)) for question in questions]
            count = library.count()
    return {
        "papers": f"{count:,}",
        "questions": len(questions),
        "search p50 / p95, CPU ms": _quantiles(searched),
        "answer p50 / p95, CPU ms": _quantiles(asked),
        "disk, MB": round(disk / 2**20),
        "peak memory, MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _made_papers(library: Any, wanted: int) -> Iterator[list[Any]]:
    """Batches of `wanted` papers to store: three to eight sentences of the library's own, vectors mixed from theirs."""
    import numpy as np

    from assistant.embedding import PassageVectors
    from assistant.library import StoredPaper
    from assistant.papers import Paper, Passage, Span

    chance = random.Random(1)
    sentences = []
    for paper in list(library.papers()):
        for passage in library.passages(paper.id):
            vectors = library.sentence_vectors([passage.id])[passage.id]
            sentences += [
                (paper.abstract[span.start : span.end], vector)
                for span, vector in zip(passage.sentences, vectors, strict=True)
            ]
    batch: list[Any] = []
    for number in range(max(0, wanted)):
        chosen = chance.sample(sentences, chance.randint(3, 8))
        spans, position = [], 0
        for text, _ in chosen:
            spans.append(Span(position, position + len(text)))
            position += len(text) + 1
        abstract = " ".join(text for text, _ in chosen)
        made = Paper(id=f"title:made-{number}", title=f"Made paper {number}: {chosen[0][0][:60]}", abstract=abstract)
        passage = Passage(f"{made.id}#0", made.id, 0, 0, len(abstract), abstract, len(abstract) // 4, tuple(spans))
        own = np.array([vector for _, vector in chosen], dtype=np.float32)
        noise = np.random.default_rng(number).normal(0, 0.02, own.shape[1]).astype(np.float32)
        mean = own.mean(axis=0) + noise
        batch.append(StoredPaper(made, (passage,), (PassageVectors(mean / np.linalg.norm(mean), own),)))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _cpu(call: Callable[[], object]) -> float:
    """CPU seconds of this process, all threads: on a machine with other work, the time that does not lie."""
    started = time.process_time()
    call()
    return time.process_time() - started


def _quantiles(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=20)
    return f"{statistics.median(seconds) * 1000:.0f} / {cuts[-1] * 1000:.0f}"


def _rounded(seconds: float) -> float:
    return round(seconds, 2)


_MEASURES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "start": _measure_start,
    "ingest": _measure_ingest,
    "tutorial": _measure_tutorial,
    "questions": _measure_questions,
}
