"""Sentence splitting: the labelled boundaries, and what must hold for any text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.papers import Span
from assistant.sentences import split
from ingest.records import Record
from ingest.sources import read

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Case:
    source: str
    text: str
    starts: frozenset[int]
    optional: frozenset[int]


def _cases() -> Iterator[Case]:
    corpus = _ROOT / "ingest" / "corpus" / "huggingface-papers.txt"
    bundled = [item.abstract for item in read(corpus) if isinstance(item, Record)]
    for line in (_ROOT / "tests" / "data" / "sentences.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = row.get("text") or bundled[int(row["id"]) - 1]
        yield Case(row["source"], text, frozenset(row["starts"]), frozenset(row.get("optional", ())))


def _sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split(text)]


def test_labelled_boundaries_are_found() -> None:
    right = wrong = missed = exact = 0
    cases = list(_cases())
    assert sum(len(case.starts) for case in cases) > 1000
    for case in cases:
        found = {span.start for span in split(case.text)} - {split(case.text)[0].start} - case.optional
        right += len(found & case.starts)
        wrong += len(found - case.starts)
        missed += len(case.starts - found)
        exact += found == case.starts
    assert 2 * right / (2 * right + wrong + missed) >= 0.99
    assert exact / len(cases) >= 0.95


def test_every_bundled_abstract_is_split_as_labelled() -> None:
    for case in _cases():
        if case.source == "bundled":
            assert {span.start for span in split(case.text)} == case.starts | {0}


@pytest.mark.parametrize(
    "sentences",
    [
        ["The method of Welleck et al. (2020) fails here.", "We show why."],
        ["The positive data (i.e. real samples) are few.", "The rest, e.g. generated ones, are many."],
        ["A 7B model obtains 94.0 pass@1 accuracy on MATH-500.", "It is on par with 32B models."],
        ["The effect was 3.2 vs. 0.4 points.", "See Fig. 3 and Eq. 2."],
        ["J. R. Smith and A. B. Jones proposed it.", "D. E. Knuth improved it."],
        ["Code is at https://github.com/foo/bar.Baz.git.", "Models follow."],
        ["It has two parts: (1) one; (2) two.", "Both matter."],
        ['He called it "surprising."', "We agree."],
        ["What is learned?", "When does it transfer?"],
        ["Results hold for S. aureus and E. coli.", "C. elegans differs."],
        ['Methods [Diakonikolas et al., 2021, B\\"ohm, 2022] go beyond.', "We follow."],
    ],
)
def test_hard_cases_stay_whole(sentences: list[str]) -> None:
    assert _sentences(" ".join(sentences)) == sentences


def test_a_lost_blank_after_a_full_stop_parts_sentences() -> None:
    assert _sentences("We use token-level DPO learning.Experimental results show gains.") == [
        "We use token-level DPO learning.",
        "Experimental results show gains.",
    ]


@pytest.mark.parametrize("text", ["", "   ", "\n\t\n"])
def test_blank_text_has_no_sentence(text: str) -> None:
    assert split(text) == ()


_PROSE = st.text(
    alphabet=st.one_of(
        st.sampled_from(list(" .?!;:()[]\"'$%\\{}\n\t,-0123456789abcdefgABCDE")), st.characters(codec="utf-8")
    ),
    max_size=300,
)
_WORDS = st.lists(
    st.sampled_from(
        ["We", "show", "et al.", "(2020)", "e.g.", "vs.", "A.", "Fig.", "3.", "tasks.", "U.S.", "x.Y", "?"]
    )
).map(" ".join)


@given(st.one_of(_PROSE, _WORDS))
@settings(max_examples=200, deadline=None)
def test_sentences_are_ordered_trimmed_and_cover_every_non_blank_character(text: str) -> None:
    spans = split(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    assert all(text[span.start : span.end] == text[span.start : span.end].strip() for span in spans)
    outside = [text[a.end : b.start] for a, b in zip((Span(0, 0), *spans), (*spans, Span(len(text), 0)), strict=True)]
    assert all(not gap.strip() for gap in outside)


@given(_PROSE)
@settings(max_examples=50, deadline=None)
def test_splitting_is_deterministic(text: str) -> None:
    assert split(text) == split(text)
