"""Chunking: passages cover the abstract exactly, within their bound, on sentence boundaries."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import tokens
from assistant.chunking import MAX_TOKENS, passages
from assistant.papers import Paper, Passage, Span
from assistant.sentences import split
from ingest.records import Record
from ingest.sources import read

_CORPUS = Path(__file__).parent.parent / "ingest" / "corpus" / "huggingface-papers.txt"


def _paper(abstract: str) -> Paper:
    return Paper("p", "A Title", abstract)


def _check(abstract: str, cut: tuple[Passage, ...]) -> None:
    covered = [False] * len(abstract)
    for ordinal, passage in enumerate(cut):
        assert (passage.id, passage.paper_id, passage.ordinal) == (f"p#{ordinal}", "p", ordinal)
        assert abstract[passage.start : passage.end] == passage.text == passage.text.strip()
        assert 0 < passage.tokens == tokens.count(passage.text)
        assert passage.tokens <= MAX_TOKENS or len(passage.text) == 1
        assert passage.sentences
        assert (passage.sentences[0].start, passage.sentences[-1].end) == (passage.start, passage.end)
        assert all(before.end <= after.start for before, after in pairwise(passage.sentences))
        covered[passage.start : passage.end] = [True] * (passage.end - passage.start)
    assert all(a.start < b.start and a.end < b.end for a, b in pairwise(cut))
    assert all(done or char.isspace() for done, char in zip(covered, abstract, strict=True))


def test_bundled_abstracts() -> None:
    for item in read(_CORPUS):
        assert isinstance(item, Record)
        cut = passages(_paper(item.abstract))
        _check(item.abstract, cut)
        assert len(cut) <= 2
        assert {sentence for passage in cut for sentence in passage.sentences} == set(split(item.abstract))


def test_a_short_abstract_is_one_passage() -> None:
    (passage,) = passages(_paper("We show it. It works."))
    assert passage.sentences == (Span(0, 11), Span(12, 21))


def test_a_long_abstract_is_cut_evenly_with_one_sentence_of_overlap() -> None:
    abstract = " ".join(f"Sentence number {number} says that all is well with the model." for number in range(24))
    cut = passages(_paper(abstract))
    assert len(cut) == 2
    assert cut[1].start < cut[0].end
    assert set(cut[0].sentences) & set(cut[1].sentences) == {cut[0].sentences[-1]}
    assert abs(cut[0].tokens - cut[1].tokens) < 0.25 * cut[0].tokens


def test_a_sentence_longer_than_the_bound_is_cut_between_words() -> None:
    abstract = "We list " + ", ".join(f"thing{number}" for number in range(400)) + " and more."
    cut = passages(_paper(abstract))
    _check(abstract, cut)
    assert len(cut) > 3
    assert all(abstract[passage.end : passage.end + 1] in {"", " "} for passage in cut)


@pytest.mark.parametrize("abstract", ["", "  \n "])
def test_nothing_has_no_passage(abstract: str) -> None:
    assert passages(_paper(abstract)) == ()


def test_a_huge_word_is_cut_in_reasonable_time() -> None:
    _check("a" * 100_000, passages(_paper("a" * 100_000)))


_SENTENCES = st.lists(
    st.one_of(
        st.sampled_from(["We show that it works.", "See Fig. 3.", "x" * 700, "🙂" * 120, "Does it?", "中文" * 150, "\n\n", "e.g. this;"]),
        st.text(max_size=80),
        st.integers(5, 400).map(lambda words: "word " * words + "end."),
    ),
    max_size=14,
)  # fmt: skip


@given(_SENTENCES)
@settings(max_examples=80, deadline=None)
def test_passages_of_any_text(parts: list[str]) -> None:
    abstract = " ".join(parts)
    cut = passages(_paper(abstract))
    _check(abstract, cut)
    assert cut == passages(_paper(abstract))
    assert bool(cut) == bool(abstract.strip())
