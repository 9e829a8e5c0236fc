"""Names of papers, and follow-up questions that lean on them: read as meant, and never failing on any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import followups, naming
from assistant.followups import Exchange
from assistant.papers import Paper
from assistant.terms import TermStatistics
from assistant.testing import TINY_PAPERS
from tests.made_surroundings import MadeSurroundings

TEXTS = st.text(max_size=120) | st.text(alphabet="abAB01 .,?!'\"-()[]{}\\:–+@^_", max_size=160)
FOLLOW_UPS = (
    st.lists(
        st.sampled_from(
            [
                "and",
                "what",
                "about",
                "the",
                "second",
                "one",
                "former",
                "latter",
                "it",
                "its",
                "their",
                "both",
                "shorter",
                "more",
                "on",
                "for",
                "other",
            ]
        )
        | st.text(max_size=5),
        max_size=12,
    ).map(" ".join)
    | TEXTS
)
PAPERS = st.builds(
    Paper, id=st.text(min_size=1, max_size=5), title=TEXTS.filter(str.strip), abstract=TEXTS.filter(str.strip)
)
STATISTICS = TermStatistics.of(f"{paper.title} {paper.abstract}" for paper in TINY_PAPERS)
LADDER, QUIET, _ = TINY_PAPERS
DEFINED = Paper("x", "On Policies", "We propose Reinforcement Distillation (REDI). REDI (2024) is good.")


def test_names_are_read_off_title_and_abstract() -> None:
    assert naming.short_names(LADDER)[0] == "PromptLadder"
    assert naming.label(LADDER) == "PromptLadder"
    assert naming.label(QUIET) == QUIET.title
    assert ("REDI", "Reinforcement Distillation") in naming.long_forms(DEFINED)


@pytest.mark.parametrize("question", ["What is PromptLadder?", "what is promptladder", "PROMPTLADDER?"])
def test_a_name_is_found_in_any_case(question: str) -> None:
    found = naming.named(question, LADDER, lambda _: 1.0)
    assert found is not None
    assert "promptladder" in found.words
    assert naming.named(question, QUIET, lambda _: 1.0) is None


def test_a_common_word_names_nothing() -> None:
    assert naming.named("What is slowly?", LADDER, lambda _: 0.0) is None


@given(TEXTS)
def test_folding_is_settled(text: str) -> None:
    assert naming.fold(naming.fold(text)) == naming.fold(text)
    assert all(naming.words(text))


@settings(max_examples=150, deadline=None)
@given(TEXTS, PAPERS, st.floats(0, 1))
def test_no_text_makes_naming_fail(question: str, paper: Paper, rarity: float) -> None:
    found = naming.named(question, paper, lambda _: rarity)
    if found is not None:
        assert 0 < found.strength <= 1
    assert naming.label(paper)
    assert all(naming.short_names(paper))
    assert all(name and form for name, form in naming.long_forms(paper))


@settings(max_examples=150, deadline=None)
@given(
    FOLLOW_UPS, st.lists(st.tuples(TEXTS, st.lists(PAPERS | st.sampled_from(TINY_PAPERS), max_size=3)), max_size=3)
)
def test_no_follow_up_makes_the_rewriting_fail(question: str, past: list[tuple[str, list[Paper]]]) -> None:
    history = [Exchange(asked, " ".join(asked.split()), tuple(papers)) for asked, papers in past]
    near = MadeSurroundings(STATISTICS)
    found = followups.rewrite(question, history, near)
    spoken_of = {paper for _, papers in past for paper in papers}
    assert set(found.focus) <= spoken_of
    if not spoken_of:
        assert found.query == " ".join(question.split())
    assert found == followups.rewrite(question, history, near)
