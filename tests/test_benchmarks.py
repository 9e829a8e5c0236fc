"""The benchmarks' own machinery: what they measure is what they say. Nothing here is timed."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np

from assistant.library import Library
from assistant.testing import HashEmbedder
from benchmarks.ingest import run, write_source
from benchmarks.made_papers import stored_papers, varied
from benchmarks.measuring import CORPUS, quantiles, table
from benchmarks.queries import standing_alone
from ingest import add


def test_tables_are_markdown() -> None:
    assert table("A", [{"x": 1, "y": 2}, {"x": 3}]) == "## A\n\n| x | y |\n|---|---|\n| 1 | 2 |\n| 3 |  |\n"


def test_quantiles_are_in_milliseconds() -> None:
    assert quantiles([0.1] * 40) == "100 / 100"


def test_made_papers_are_sound_distinct_and_the_same_each_time(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashEmbedder()) as library:
        add(library, str(CORPUS))
        made = list(stored_papers(library, 20))
        again = list(stored_papers(library, 20))
        assert [stored.paper for stored in made] == [stored.paper for stored in again]
        assert len({stored.paper.abstract for stored in made}) == 20
        for stored in made:
            assert stored.passages is not None
            assert stored.vectors is not None
            (passage,), (vectors,) = stored.passages, stored.vectors
            assert passage.text == stored.paper.abstract[passage.start : passage.end]
            assert vectors.sentence_vectors is not None
            assert len(vectors.sentence_vectors) == len(passage.sentences)
            assert np.isclose(np.linalg.norm(vectors.vector), 1.0, atol=1e-5)
        library.write(made)
        assert library.count() == 79


def test_sentences_are_varied_by_seed() -> None:
    sentences = [f"Sentence number {number} says nothing at all." for number in range(20)]
    first, other = (list(islice(varied(sentences, seed), 3)) for seed in (1, 2))
    assert first == list(islice(varied(sentences, 1), 3))
    assert first != other


def test_adding_is_measured_stage_by_stage(tmp_path: Path) -> None:
    source = tmp_path / "papers.jsonl"
    assert write_source(source, None, 3) == 3
    assert {"title", "abstract"} == set(json.loads(source.read_text(encoding="utf-8").splitlines()[0]))
    spent = run(source, tmp_path / "library")
    stages = ("reading", "cutting", "embedding", "truth", "indexes", "bare")
    assert all(spent[stage] > 0 for stage in stages)
    assert spent["embedding"] + spent["truth"] + spent["indexes"] <= spent["whole"]


def test_there_are_questions_to_ask() -> None:
    assert len(standing_alone()) >= 60
