"""The verifier: verdicts, scores in range, numbers in all their spellings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.checks.numbers import numbers
from assistant.verification import verify

STUDY = "In a study with 8,349 students, PromptLadder raised the pass rate by 12.5\\%."
HOSPITALS = "We index the notes of thirteen hospitals with QuietNet, a sparse retriever."
LIGHT = "Blue light halved the growth of every colony, while red light had no effect."
WORDS = ["graph", "prompt", "retriever", "students", "accuracy", "attention", "corpus", "lichen", "recall", "noise"]


@pytest.mark.parametrize(
    ("claim", "evidence", "verdict"),
    [
        ("PromptLadder raised the pass rate by 12.5%.", STUDY, "supported"),
        ("The study had 8349 students.", STUDY, "supported"),
        ("The study had 8,439 students.", STUDY, "unsupported"),
        ("PromptLadder raised the pass rate by 125%.", STUDY, "unsupported"),
        ("QuietNet indexes the notes of 13 hospitals.", HOSPITALS, "supported"),
        ("QuietNet indexes the notes of 30 hospitals.", HOSPITALS, "unsupported"),
        ("QuietNet indexes the notes of thirty hospitals.", HOSPITALS, "unsupported"),
        ("Blue light halved the growth of every colony.", LIGHT, "supported"),
        ("Red light had an effect.", LIGHT, "contradicted"),
        ("Blue light did not halve the growth of every colony.", "Blue light halved the growth of every colony.", "contradicted"),
        ("Blue light halved the growth of every colony and red light had no effect.", LIGHT, "supported"),
        ("The model is safe on average, but it guarantees convergence.", "The model is safe on average, but it does not guarantee convergence.", "contradicted"),
        ("It not only halves growth but colony size.", "It halves growth and colony size.", "supported"),
        ("The learning rate was 0.001 on eight GPUs.", HOSPITALS, "unsupported"),
    ],
)  # fmt: skip
def test_verdicts(claim: str, evidence: str, verdict: str) -> None:
    judged = verify(claim, [evidence])
    assert judged.verdict == verdict
    assert judged.best == 0
    if verdict != "supported":
        assert judged.findings


def test_findings_say_what_is_wrong_in_the_words_of_the_claim() -> None:
    judged = verify("QuietNet indexes 30 hospitals in Norway.", [HOSPITALS])
    messages = {finding.kind: finding.message for finding in judged.findings}
    assert messages["number"] == "The number 30 is not in the cited sentences."
    assert messages["missing_words"] == "Not in the cited sentences: Norway."


def test_no_evidence_and_no_content() -> None:
    assert verify("Anything at all.", []).verdict == "uncited"
    assert verify("It is so.", [STUDY]).verdict == "unscored"
    assert verify("", [STUDY]).verdict == "unscored"


def test_several_cited_sentences_carry_a_claim_together() -> None:
    claim = "QuietNet indexes thirteen hospitals and reaches a recall of 0.91."
    second = "QuietNet reaches a recall of 0.91."
    assert verify(claim, [HOSPITALS]).verdict == "unsupported"
    judged = verify(claim, [HOSPITALS, second])
    assert judged.verdict == "supported"
    assert judged.score is not None
    assert judged.score > 0.5


def test_a_claim_may_name_its_paper_but_the_title_proves_nothing() -> None:
    evidence, title = "We reach a recall of 0.91.", "Quiet Retrieval for Clinical Notes"
    claim = "Quiet Retrieval for Clinical Notes reaches a recall of 0.91."
    assert verify(claim, [evidence]).verdict != "supported"
    assert verify(claim, [evidence], titles=[title]).verdict == "supported"
    assert (
        verify("Quiet Retrieval for Clinical Notes won a prize.", [evidence], titles=[title]).verdict == "unsupported"
    )
    assert verify("Quiet Retrieval for Clinical Notes.", [evidence], titles=[title]).verdict == "unscored"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8,349 students", {"8349"}),
        ("8{,}349 and 8\\,349", {"8349"}),
        ("94.0 and 094 and 94", {"94"}),
        ("77\\% or 77 %", {"77"}),
        (".05 and 0.05", {"0.05"}),
        ("10k, 10,000 and ten thousand", {"10000"}),
        ("1.5M or 1.5 million", {"1500000"}),
        ("a 7B model", {"7000000000"}),
        ("twenty-one, two hundred and five", {"21", "205"}),
        ("two or three", {"2", "3"}),
        ("in 2019, 2020 and 2021", {"2019", "2020", "2021"}),
        ("between 3–5", {"3", "5"}),
        ("someone attended often", set()),
        ("BERT2 and v1.2", set()),
        ("three million two hundred thousand", {"3200000"}),
    ],
)
def test_numbers(text: str, found: set[str]) -> None:
    assert numbers(text) == found


@settings(deadline=None)
@given(st.integers(0, 10**9))
def test_a_number_is_one_in_every_spelling(value: int) -> None:
    spellings = [
        str(value),
        f"{value:,}",
        f"{value:,}".replace(",", "{,}"),
        f"{value}.0",
        f"{value}\\%",
        f"({value})",
    ]
    assert {numbers(f"It was {spelling} in all.") for spelling in spellings} == {frozenset({str(value)})}


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_changed_number_is_never_supported(told: int, true: int) -> None:
    judged = verify(f"The corpus holds {told:,} papers.", [f"The corpus holds {true} papers."])
    assert (judged.verdict == "supported") == (told == true)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.lists(st.text(max_size=200), max_size=3), st.text(max_size=60))
def test_any_text_gets_a_verdict_and_a_score_in_range(claim: str, evidence: list[str], title: str) -> None:
    judged = verify(claim, evidence, titles=[title] * len(evidence))
    assert judged.score is None or 0.0 <= judged.score <= 1.0
    assert (judged.best is None) == (judged.verdict in ("uncited", "unscored"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), st.integers(1, 99))
def test_a_sentence_supports_itself_and_more_evidence_hardly_lowers_the_score(words: list[str], number: int) -> None:
    sentence = f"The {' '.join(words)} improves by {number} points."
    assert verify(sentence, [sentence]).verdict == "supported"
    alone = verify(sentence, ["The corpus improves."]).score
    more = verify(sentence, ["The corpus improves.", "Points of noise."]).score
    assert alone is not None
    assert more is not None
    assert more >= alone - 0.1  # a model reads all of it together
