"""Retrieval over the bundled corpus: titles and sentences find their papers, filters fail closed, odd queries are sane."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.features import FEATURES, Candidate, WeighedQuery, measure
from assistant.filters import Filters
from assistant.library import Library
from assistant.papers import Paper, Passage, Span
from assistant.retrieval import Retriever
from assistant.terms import TermStatistics
from ingest import add


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("retrieval") / "library") as made:
        add(made, str(files("ingest") / "corpus" / "huggingface-papers.txt"))
        yield made


@pytest.fixture(scope="module")
def retriever(library: Library) -> Retriever:
    return Retriever(library)


def test_each_title_finds_its_paper_first(library: Library, retriever: Retriever) -> None:
    found = {paper.title: retriever.search(paper.title, 1)[0].paper.title for paper in library.papers()}
    assert {title: first for title, first in found.items() if title != first} == {}


def test_each_abstracts_sentences_find_their_paper(library: Library, retriever: Retriever) -> None:
    for paper in library.papers():
        sentences = [span for passage in library.passages(paper.id) for span in passage.sentences]
        first = paper.abstract[sentences[0].start : sentences[0].end]
        assert paper.id in [hit.paper.id for hit in retriever.search(first, 3)], first


def test_ranks_scores_and_passages_are_in_order(library: Library, retriever: Retriever) -> None:
    ranked = retriever.ranked("How do reward models improve mathematical reasoning?", 12)
    assert [item.rank for item in ranked] == list(range(1, 13))
    assert [(-item.score, item.paper.id) for item in ranked] == sorted((-i.score, i.paper.id) for i in ranked)
    for item in ranked:
        assert item.passages
        assert all(passage.paper_id == item.paper.id for passage in item.passages)
        assert len(item.sentence_scores) == len(item.passages)
        for passage, scores in zip(item.passages, item.sentence_scores, strict=True):
            assert len(scores) == len(passage.sentences)
        assert 0.0 <= item.coverage <= 1.0
        assert -1.001 <= item.cosine <= 1.001
        assert item.bm25 >= 0.0
    hits = retriever.search("How do reward models improve mathematical reasoning?", 12)
    assert [hit.paper.id for hit in hits] == [item.paper.id for item in ranked]


def test_a_shorter_list_is_the_beginning_of_a_longer(retriever: Retriever) -> None:
    whole = [hit.paper.id for hit in retriever.search("chain of thought prompting", 20)]
    assert [hit.paper.id for hit in retriever.search("chain of thought prompting", 5)] == whole[:5]
    assert [hit.paper.id for hit in retriever.search("chain of thought prompting", 20)] == whole


def test_filters_fail_closed(library: Library, retriever: Retriever) -> None:
    assert retriever.search("prompts", 5, Filters(year_from=1650, year_to=1660)) == ()
    assert retriever.search("prompts", 5, Filters(ids=())) == ()
    chosen = [paper.id for paper in library.papers()][10:13]
    hits = retriever.search("eccentric automatic prompts", 10, Filters(ids=tuple(chosen)))
    assert {hit.paper.id for hit in hits} == set(chosen)


@pytest.mark.parametrize(
    "query", ["", "   ", "😀🎉", "?!…", "\n\t", "---"], ids=["empty", "blank", "emoji", "marks", "white", "dashes"]
)
def test_a_query_without_words_finds_nothing(retriever: Retriever, query: str) -> None:
    assert retriever.search(query, 5) == ()


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200), st.integers(0, 6))
@example("GSM8K", 3)
@example("Quelle est la meilleure invite pour les mathématiques ?", 3)
@example("什么是注意力机制", 3)
@example("def f(x): return {x: [y for y in x]}; SELECT * FROM papers WHERE 1=1", 3)
@example("math " * 5000, 3)
@example(" ".join(f"w{i}" for i in range(5000)), 3)
@example("x" * 100_000, 3)
def test_any_text_is_a_query(retriever: Retriever, query: str, k: int) -> None:
    hits = retriever.search(query, k)
    assert len(hits) <= k
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert len({hit.paper.id for hit in hits}) == len(hits)


def test_an_empty_library_has_no_hits(tmp_path: Path) -> None:
    with Library.open(tmp_path / "empty") as empty:
        assert Retriever(empty).search("anything", 5) == ()


_PAPER = Paper("p", "Quantised transformers", "Four bits suffice. Memory halves.")
_PASSAGE = Passage("p#0", "p", 0, 0, 33, _PAPER.abstract, 7, (Span(0, 18), Span(19, 33)))
_STATISTICS = TermStatistics.of(["quantised transformers four bits", "memory of mice", "transformers on mice"])


def _features(query: str, **changes: object) -> dict[str, float]:
    fields = {"passages": (_PASSAGE,), "cosines": (0.5,), "sentence_cosines": ((0.8, 0.2),), "bm25": 1.0}
    weighed = WeighedQuery.of(query, _STATISTICS)
    values = measure(weighed, Candidate(paper=_PAPER, **(fields | changes)))  # type: ignore[arg-type]
    return dict(zip(FEATURES, values.tolist(), strict=True))


def test_features_are_shares_of_what_the_query_could_match() -> None:
    found = _features("quantised transformers memory")
    assert found["coverage"] == 1.0
    assert 0.0 < found["title_coverage"] < 1.0
    assert found["cosine"] == 0.5
    assert found["sentences"] == pytest.approx(0.5)
    assert 0.0 < found["bm25"] < 1.0
    assert _features("quantised transformers memory", sentence_cosines=((),))["sentences"] == 0.5


def test_rare_terms_cover_more_than_common_ones() -> None:
    assert _features("memory zebra")["coverage"] < 0.5
    assert _features("of the")["coverage"] == _features("of the")["bm25"] == 0.0


@given(st.text(max_size=100), st.floats(0, 1e6))
def test_features_stay_in_range(query: str, bm25: float) -> None:
    found = _features(query, bm25=bm25)
    assert all(-1.0 <= value <= 1.0 + 1e-9 for value in found.values())
