"""Which papers belong to a list: names count as spelt, either side of an "or" will do, frames of lists don't count."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from assistant import listing
from assistant.evidence import Evidence
from assistant.terms import TermStatistics
from assistant.testing import HashEmbedder, tiny_library
from tests.made_evidence import found

STATISTICS = TermStatistics.of(
    ["continual learning", "lifelong learning", "multi-armed bandits", "we aim at rewards"]
)


@cache
def evidence() -> Evidence:
    with TemporaryDirectory() as folder, tiny_library(Path(folder), embedder=HashEmbedder()) as library:
        return found(library, "Which papers study networks?")


def test_words_that_frame_a_list_do_not_count() -> None:
    wanted = listing.wanted("list every paper that deals with multi-armed bandits", STATISTICS)
    assert [word.text for word in wanted.words] == ["multi-armed", "bandits"]


def test_either_side_of_an_or_will_do() -> None:
    (either, learning) = listing.wanted("papers about continual or lifelong learning", STATISTICS).words
    assert len(either.forms) == 2
    assert learning.text == "learning"


def test_names_count_as_they_are_spelt() -> None:
    assert listing.wanted("Which papers mention AIME?", STATISTICS).names == ("AIME",)
    assert listing._is_named("AIME", frozenset({"aime2024"}))
    assert not listing._is_named("AIME", frozenset({"aimed"}))


def test_papers_come_best_first_and_once() -> None:
    ranked = listing.belonging(evidence())
    assert [odds for _, odds in ranked] == sorted((odds for _, odds in ranked), reverse=True)
    assert {paper.paper.id for paper, _ in ranked} == {
        paper.paper.id for paper in evidence().papers if paper.sentences
    }
    for _, fit in listing.measure(evidence()):
        assert fit.behind_cosine <= 0
        assert fit.behind_words <= 0
        assert 0 <= fit.apart <= 1
