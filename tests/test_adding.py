"""Adding: what a library holds after one, two and interrupted ingests."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from assistant.embedding.vectors import PassageText, PassageVectors
from assistant.library import Library
from assistant.testing import HashEmbedder
from ingest import IngestReport, Progress, add
from ingest.adding import BATCH

_CORPUS = Path(__file__).parent.parent / "ingest" / "corpus" / "huggingface-papers.txt"
_ABSTRACT = "We study one thing. It works well in all cases."


class _Counting(HashEmbedder):
    """Counts the passages it was asked to embed."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded = 0

    def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
        self.embedded += len(passages)
        return super().embed_passages(passages)


@pytest.fixture
def embedder() -> _Counting:
    return _Counting()


@pytest.fixture
def library(tmp_path: Path, embedder: _Counting) -> Iterator[Library]:
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        yield library


def _add(library: Library, *records: dict[str, Any]) -> IngestReport:
    return add(library, io.BytesIO("\n".join(map(json.dumps, records)).encode()))


def _counts(report: IngestReport) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.duplicates, len(report.rejected)


def test_the_bundled_corpus_comes_in_once(library: Library, embedder: _Counting) -> None:
    assert _counts(add(library, _CORPUS)) == (59, 0, 0, 0, 0)
    embedded = embedder.embedded
    assert _counts(add(library, _CORPUS, str(_CORPUS))) == (0, 0, 59, 59, 0)
    assert embedder.embedded == embedded
    assert library.count() == 59
    paper = library.paper("Schrödinger-Poisson systems with a general critical nonlinearity")
    assert paper.source == "dump:huggingface-papers.txt"
    assert all(
        paper.abstract[passage.start : passage.end] == passage.text
        for paper in library.papers()
        for passage in library.passages(paper.id)
    )


def test_sentence_vectors_parallel_the_sentences(library: Library) -> None:
    add(library, _CORPUS)
    for paper in library.papers():
        cut = library.passages(paper.id)
        vectors = library.sentence_vectors([passage.id for passage in cut])
        assert all(len(vectors[passage.id]) == len(passage.sentences) for passage in cut)


def test_a_changed_abstract_updates_and_a_changed_field_embeds_nothing(library: Library, embedder: _Counting) -> None:
    first = {"title": "A", "abstract": _ABSTRACT, "doi": "10.1000/a"}
    assert _counts(_add(library, first)) == (1, 0, 0, 0, 0)
    embedded = embedder.embedded
    assert _counts(_add(library, {**first, "year": 2020, "venue": "V"})) == (0, 1, 0, 0, 0)
    assert embedder.embedded == embedded
    assert _counts(_add(library, first)) == (0, 0, 1, 0, 0)
    assert library.paper("10.1000/a").year == 2020
    assert _counts(_add(library, {**first, "abstract": "Now another text."})) == (0, 1, 0, 0, 0)
    assert embedder.embedded == embedded + 1
    assert library.paper("10.1000/a").abstract == "Now another text."


def test_more_metadata_later_is_the_same_paper(library: Library) -> None:
    assert _counts(_add(library, {"title": "The Great Paper", "abstract": _ABSTRACT})) == (1, 0, 0, 0, 0)
    richer = {
        "title": "The great paper.",
        "abstract": _ABSTRACT,
        "doi": "10.1000/g",
        "authors": ["Ann Lee"],
        "year": 2021,
    }
    assert _counts(_add(library, richer)) == (0, 1, 0, 0, 0)
    assert library.count() == 1
    assert library.paper("10.1000/G").authors == ("Ann Lee",)
    assert _counts(_add(library, {"title": "The Great Paper", "abstract": "Less."})) == (0, 0, 1, 0, 0)
    assert library.paper("10.1000/g").abstract == _ABSTRACT


def test_preprint_and_publication_are_linked(library: Library) -> None:
    preprint = {
        "title": "One Work",
        "abstract": _ABSTRACT,
        "arxiv_id": "2001.00001v3",
        "year": 2020,
        "authors": ["Ann Lee"],
    }
    published = {
        "title": "One work",
        "abstract": "Polished.",
        "doi": "10.1000/w",
        "year": 2021,
        "authors": ["A. Lee"],
    }
    assert _counts(_add(library, preprint)) == (1, 0, 0, 0, 0)
    assert _counts(_add(library, published)) == (0, 0, 0, 1, 0)
    paper = library.paper("10.1000/w")
    assert (paper.id, paper.abstract, paper.doi) == ("arxiv:2001.00001", _ABSTRACT, "10.1000/w")
    for _ in range(2):
        assert _counts(_add(library, published)) == (0, 0, 1, 0, 0)
        assert _counts(_add(library, preprint)) == (0, 0, 1, 0, 0)
    assert library.count() == 1


def test_duplicates_in_one_file_are_stable_over_runs(library: Library) -> None:
    records: list[dict[str, Any]] = [
        {"title": "The Same Thing", "abstract": "First text.", "doi": "10.1000/s", "tags": ["a"]},
        {"title": "The Same Thing", "abstract": "Second text.", "doi": "10.1000/S", "tags": ["b"], "year": 2020},
        {"title": "THE SAME THING", "abstract": "Third text."},
    ]
    assert _counts(_add(library, *records)) == (1, 0, 0, 2, 0)
    for _ in range(2):
        assert _counts(_add(library, *records)) == (0, 0, 1, 2, 0)
    paper = library.paper("10.1000/s")
    assert (paper.abstract, paper.tags, paper.year) == ("First text.", ("a",), 2020)


def test_namesakes_are_kept_apart_and_reported(library: Library) -> None:
    report = _add(
        library,
        {"title": "Editorial", "abstract": "About spring.", "authors": ["Ann Lee"], "year": 2020},
        {"title": "Editorial", "abstract": "About autumn.", "authors": ["Bo Ek"], "year": 2020},
    )
    assert _counts(report) == (2, 0, 0, 0, 0)
    assert [ambiguous.other_id for ambiguous in report.ambiguous] == [report.added_ids[0]]
    assert library.count() == 2


def test_bad_records_and_files_cost_nothing_else(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / "more").mkdir(parents=True)
    (folder / "a.jsonl").write_text(json.dumps({"title": "A", "abstract": _ABSTRACT}) + '\n{"title": "cut\n')
    (folder / "more" / "b.csv").write_text(f"title,abstract\nB,{_ABSTRACT}\nC,\n")
    (folder / "notes.pdf").write_bytes(b"%PDF-1.7 binary")
    (folder / ".hidden").write_text("x")
    report = add(library, folder, tmp_path / "absent.bib", io.BytesIO(b""))
    assert report.added == 2
    assert [where for where, _ in report.rejected] == [
        "a.jsonl:2",
        "notes.pdf",
        "more/b.csv:3",
        str(tmp_path / "absent.bib"),
        "stream",
    ]
    assert {paper.source for paper in library.papers()} == {"json:a.jsonl", "table:more/b.csv"}


def test_half_characters_cost_nothing_but_themselves(library: Library, tmp_path: Path) -> None:
    fields = '"doi": "10.1000/a\\ud800b", "url": "https://x.org/\\uDC00", "citekey": "k\\ud83d", "authors": ["A \\ud83d\\ude00 B"]'
    paper_text = f'{{"title": "A number of things", "abstract": "{_ABSTRACT}", {fields}}}'
    named = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    try:
        named.write_text(paper_text)
    except OSError:  # a system whose names are text
        named = tmp_path / "cafe.jsonl"
        named.write_text(paper_text)
    assert add(library, named).added == 1
    paper = library.paper("k")
    assert (paper.doi, paper.url) == ("10.1000/ab", "https://x.org/")
    assert paper.authors == ("A 😀 B",)
    assert add(library, io.BytesIO(f"[{paper_text}]".encode())).unchanged == 1


def test_the_library_is_no_source_of_itself(library: Library) -> None:
    _add(library, {"title": "A", "abstract": _ABSTRACT})
    report = add(library, library.path.parent)
    assert _counts(report) == (0, 0, 0, 0, 0)


def test_report_as_json_and_in_the_history(library: Library) -> None:
    report = _add(library, {"title": "A", "abstract": _ABSTRACT}, {"title": "B"})
    told = json.loads(json.dumps(report.to_dict()))
    assert (told["added"], told["updated"], told["unchanged"], told["duplicates"]) == (1, 0, 0, 0)
    assert told["rejected"] == [{"where": "stream:2", "reason": "no abstract ('B')"}]
    assert told["ids"]["added"] == [paper.id for paper in library.papers()]
    assert library.reports()[0]["added"] == 1


def test_progress_counts_up_to_the_total(library: Library) -> None:
    told: list[Progress] = []
    add(library, _CORPUS, progress=told.append)
    assert told[0].done == 0
    assert told[-1].done == told[-1].total == told[-1].added == 59


def test_a_failing_embedder_keeps_what_was_stored(tmp_path: Path) -> None:
    class Failing(HashEmbedder):
        def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
            if any("T70" in passage.title for passage in passages):
                raise OSError("out of order")
            return super().embed_passages(passages)

    records = [{"title": f"T{number}", "abstract": _ABSTRACT} for number in range(2 * BATCH)]
    with Library.open(tmp_path, embedder=Failing()) as library:
        with pytest.raises(OSError, match="out of order"):
            _add(library, *records)
        assert library.count() == BATCH
    with Library.open(tmp_path, embedder=HashEmbedder()) as library:
        assert _counts(_add(library, *records)) == (BATCH, 0, BATCH, 0, 0)


_SLOW_INGEST = """
import sys, time
from assistant.library import Library
from assistant.testing import HashEmbedder
from ingest import add

class Slow(HashEmbedder):
    def embed_passages(self, passages):
        time.sleep(0.15)
        return super().embed_passages(passages)

with Library.open(sys.argv[1], embedder=Slow()) as library:
    add(library, sys.argv[2], progress=lambda progress: print(progress.done, flush=True))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this platform")
def test_killed_and_run_again(tmp_path: Path) -> None:
    source = tmp_path / "papers.jsonl"
    total = 6 * BATCH
    source.write_text("".join(json.dumps({"title": f"T{n}", "abstract": _ABSTRACT}) + "\n" for n in range(total)))
    command = [sys.executable, "-c", _SLOW_INGEST, str(tmp_path / "library"), str(source)]
    root = str(Path(__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": root}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=root)
    assert process.stdout is not None
    stored = 0
    while stored < 2 * BATCH:
        stored = int(process.stdout.readline())
    time.sleep(0.05)
    process.kill()
    process.wait()
    process.stdout.close()
    with Library.open(tmp_path / "library", embedder=HashEmbedder()) as library:
        kept = library.count()
        assert stored <= kept < total
        report = add(library, source)
        assert _counts(report) == (total - kept, 0, kept, 0, 0)
        assert library.count() == total
        assert len(library.search("T5", k=5)) == 5
