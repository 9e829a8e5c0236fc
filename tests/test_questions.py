"""Reading a question: plain ones are read as meant, and no text whatever makes a reader fail."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import details, expectations, questions, triage

TEXTS = st.text(max_size=200) | st.text(alphabet="aA0 .,?!'\"-()[]{}\\%$*_\n\x00", max_size=300)
PHRASES = st.lists(
    st.sampled_from(
        [
            "what",
            "which",
            "papers",
            "compare",
            "and",
            "with",
            "vs",
            "how",
            "many",
            "3",
            "is",
            "it",
            "the",
            "about",
            "GSM8K",
            "?",
            ",",
            "tl;dr",
            "why",
            "code",
        ]
    )
    | st.text(max_size=6),
    max_size=25,
).map(" ".join)
ROLES: tuple[questions.Role, ...] = ("contribution", "result", "problem", "data", "resource")


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What does ExPO stand for?", "fact"),
        ("Which papers study prompt optimisation?", "list"),
        ("Compare ExPO and GRPO.", "comparison"),
        ("What is the difference between ExPO and GRPO?", "comparison"),
        ("Summarise the ExPO paper.", "summary"),
        ("Does ExPO need expert demonstrations?", "yes_no"),
    ],
)
def test_kinds(question: str, kind: str) -> None:
    assert questions.read(question).kind == kind


def test_the_sides_of_a_comparison_are_as_worded() -> None:
    assert questions.read("What is the difference between ExPO and GRPO?").sides == ("ExPO", "GRPO")


@pytest.mark.parametrize(
    "text", ["", "  ", "Hello!", "thanks a lot", "12 * 7", "🦄", "Write me a poem", "what's your name?"]
)
def test_what_is_no_question_for_a_corpus(text: str) -> None:
    assert triage.not_for_a_corpus(text)


@pytest.mark.parametrize(
    "text",
    ["What does the method improve?", "哪篇论文提出了新方法？", "Summarise the paper on prompts", "GSM8K results?"],
)
def test_what_may_be_one(text: str) -> None:
    assert not triage.not_for_a_corpus(text)


@settings(max_examples=150, deadline=None)
@given(TEXTS | PHRASES)
def test_no_text_makes_a_reader_fail(text: str) -> None:
    read = questions.read(text)
    assert read.text == " ".join(text.split())
    assert read == questions.read(read.text)
    if read.kind != "comparison":
        assert read.sides == ()
    assert isinstance(triage.not_for_a_corpus(text), bool)
    assert isinstance(triage.personal(text), bool)
    for role in ROLES:
        assert isinstance(questions.plays(role, text), bool)


@settings(max_examples=150, deadline=None)
@given(TEXTS | PHRASES, TEXTS)
def test_no_text_makes_an_expectation_fail(question: str, sentence: str) -> None:
    expected = expectations.read(question)
    if expected is not None:
        assert isinstance(expectations.meets(expected, sentence), bool)
    for detail in details.asked(question):
        assert isinstance(details.stated(detail, sentence), bool)


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "what " * 4_000, "(" * 5_000, "1," * 5_000, "A-" * 5_000, "is it " * 3_000]
)
def test_long_texts_are_read_in_time(text: str) -> None:
    questions.read(text)
    triage.not_for_a_corpus(text)
    expected = expectations.read(text)
    if expected is not None:
        expectations.meets(expected, text)
