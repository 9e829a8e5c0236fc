"""Adding papers: abstracts per CPU second beside bare inference and beside the usual tutorial's way. Markdown tables.

    python -m benchmarks.ingest                            the bundled abstracts' sentences, recombined
    python -m benchmarks.ingest --corpus corpus.jsonl      abstracts of a file of (title, text) lines instead
    python -m benchmarks.ingest --float32 FLOAT32.onnx     adds langchain-chroma's `add_documents` with that model

Bare inference embeds the same passages and does nothing else. Models, tokenisers and Chroma are loaded before the
clock starts; what loading costs is in `cold_start`. Runs of both kinds take turns, and medians are given.
`FLOAT32.onnx` comes from `tools/quantise_minilm.py --float32`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from assistant.embedding import MiniLM, PassageText, default_embedder
from assistant.library import Library, StoredPaper
from assistant.papers import Paper
from benchmarks.made_papers import varied
from benchmarks.measuring import CORPUS, cpu_seconds, table

_BATCH = 64  # passages embedded in one call by bare inference, as by `ingest.add`


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest")
    parser.add_argument("--abstracts", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--float32", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "papers.jsonl"
        count = write_source(source, options.corpus, options.abstracts)
        _load(Path(scratch) / "warm")
        runs = [run(source, Path(scratch) / f"library-{number}") for number in range(options.repeats)]
        print(table(f"Adding {count} abstracts", _rows(runs, count, source, options.float32, Path(scratch))))
        print(table("Where adding spends its CPU time", [_shares(runs)]))


def write_source(path: Path, corpus: Path | None, abstracts: int) -> int:
    """Writes JSON Lines of title and abstract to `path`; gives how many."""
    if corpus:
        lines = (json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines())
        papers = [(line["title"], line.get("abstract") or line["text"]) for line in islice(lines, abstracts)]
    else:
        papers = [(title, " ".join(texts)) for title, _, texts in islice(varied(_bundled_sentences()), abstracts)]
    content = (json.dumps({"title": title, "abstract": abstract}) for title, abstract in papers)
    path.write_text("\n".join(content) + "\n", encoding="utf-8")
    return len(papers)


def run(source: Path, folder: Path) -> Counter[str]:
    """CPU seconds of adding `source` to a new library, by stage, `whole`, and `bare` of embedding its passages."""
    from assistant.chunking import passages
    from assistant.cleaning import embedding_text
    from ingest import add
    from ingest.sources import read

    spent: Counter[str] = Counter()
    with _Timed.open(folder, embedder=_TimedEmbedder(spent)) as library:
        assert isinstance(library, _Timed)
        library.spent = spent
        spent["whole"] = cpu_seconds(lambda: add(library, str(source)))
        papers = list(library.papers())
    spent["reading"] = cpu_seconds(lambda: list(read(source)))
    texts: list[PassageText] = []
    spent["cutting"] = cpu_seconds(lambda: texts.extend(_prepared(papers, passages, embedding_text)))
    spent["bare"] = sum(
        cpu_seconds(lambda start=start: default_embedder().embed_passages(texts[start : start + _BATCH]))
        for start in range(0, len(texts), _BATCH)
    )
    return spent


def _prepared(papers: Sequence[Paper], passages: Any, embedding_text: Any) -> Iterator[PassageText]:
    return (embedding_text(paper.title, passage) for paper in papers for passage in passages(paper))


class _TimedEmbedder(MiniLM):
    """The shipped embedder, its time noted."""

    def __init__(self, spent: Counter[str]) -> None:
        super().__init__()
        self._spent = spent
        self.embed_query("loads the model")

    def embed_passages(self, passages: Sequence[PassageText]) -> Any:
        started = time.process_time()
        made = super().embed_passages(passages)
        self._spent["embedding"] += time.process_time() - started
        return made


class _Timed(Library):
    """A library that notes how long it writes the truth and how long its indexes."""

    spent: Counter[str]

    @contextmanager
    def writing(self, what: str = "writing papers") -> Iterator[None]:
        with super().writing(what):
            yield
            started = time.process_time()
        self.spent["indexes"] += time.process_time() - started

    def write(self, papers: Sequence[StoredPaper]) -> None:
        started, before = time.process_time(), self.spent["indexes"]
        super().write(papers)
        self.spent["truth"] += time.process_time() - started - (self.spent["indexes"] - before)


def _rows(
    runs: list[Counter[str]], count: int, source: Path, float32: Path | None, scratch: Path
) -> list[dict[str, Any]]:
    rows = [
        _row("`ingest.add`", count, [run["whole"] for run in runs], [run["bare"] for run in runs]),
    ]
    if float32 is None or not float32.is_file():
        missing = "not measured: give the float32 model with --float32"
        return [*rows, {"way": "langchain-chroma `add_documents`, float32", "abstracts per CPU s": missing}]
    return [*rows, _tutorial(source, float32, scratch, count)]


def _row(way: str, count: int, whole: list[float], bare: list[float]) -> dict[str, Any]:
    shares = [inner / outer for inner, outer in zip(bare, whole, strict=True)]
    return {
        "way": way,
        "abstracts per CPU s": round(count / statistics.median(whole), 1),
        "bare inference of the same texts": round(count / statistics.median(bare), 1),
        "share": round(statistics.median(shares), 2),
        "shares seen": f"{min(shares):.2f} to {max(shares):.2f}",
    }


def _tutorial(source: Path, float32: Path, scratch: Path, count: int) -> dict[str, Any]:
    """langchain-chroma's `add_documents` with the float32 model, one call for all papers."""
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings

    embedder = MiniLM(model=float32)
    embedder.embed_query("loads the model")

    class Float32(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return embedder.embed_sentences(texts).tolist()

        def embed_query(self, text: str) -> list[float]:
            return embedder.embed_query(text).tolist()

    lines = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    documents = [Document(f"{line['title']}\n{line['abstract']}") for line in lines]
    store = Chroma("tutorial", embedding_function=Float32(), persist_directory=str(scratch / "tutorial"))
    whole = cpu_seconds(lambda: store.add_documents(documents))
    bare = cpu_seconds(lambda: embedder.embed_sentences([document.page_content for document in documents]))
    return _row("langchain-chroma `add_documents`, float32", count, [whole], [bare])


def _shares(runs: list[Counter[str]]) -> dict[str, str]:
    """Each stage's median share of the whole; the rest is deciding what is new and the report."""
    stages = ("reading", "cutting", "embedding", "truth", "indexes")
    shares = {stage: statistics.median(run[stage] / run["whole"] for run in runs) for stage in stages}
    shares["rest"] = 1 - sum(shares.values())
    return {stage: f"{share:.1%}" for stage, share in shares.items()}


def _load(folder: Path) -> None:
    """Everything that is loaded once in a process."""
    from ingest import add

    with Library.open(folder) as library:
        add(library, str(CORPUS))


def _bundled_sentences() -> list[str]:
    from assistant.sentences import split
    from ingest.records import Record
    from ingest.sources import read

    abstracts = [record.abstract for record in read(CORPUS) if isinstance(record, Record)]
    return [abstract[span.start : span.end] for abstract in abstracts for span in split(abstract)]


if __name__ == "__main__":
    main()
