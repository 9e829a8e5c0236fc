"""The checks of a claim: each kind of fault is noticed in words, and honest rewordings are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.checks import direction, entities, focus, lexicon, numbers, partners, polarity, strength
from assistant.checks.words import read, same


def kinds(claim: str, evidence: str, title: str = "") -> set[str]:
    """The kinds of findings that all checks make of a claim."""
    claim = entities.without_authors(claim)
    missing = numbers.check(claim, [evidence, title])
    found = (
        *missing.digits,
        *missing.words,
        *missing.units,
        *partners.check(claim, [evidence]),
        *entities.check(claim, [evidence], [title]),
        *polarity.check(claim, [evidence]),
        *direction.check(claim, [evidence]),
        *strength.check(claim, [evidence]),
    )
    return {finding.kind for finding in found}


SCORES = "PromptLadder reaches 52.3 on MATH and 84.1 on GSM8K, 4.1 points above the baseline."
TRIAL = "Of 8,349 women, 77\\% took 5 mg of metformin daily for 12 weeks; mortality declined in the treated group."


@pytest.mark.parametrize(
    ("claim", "evidence", "kind"),
    [
        ("PromptLadder reaches 52.9 on MATH.", SCORES, "number"),
        ("Thirteen weeks of metformin lowered mortality.", TRIAL, "number"),
        ("The women took 5 g of metformin daily.", TRIAL, "unit"),
        ("They took metformin for 12 months.", TRIAL, "unit"),
        ("PromptLadder reaches 84.1 on MATH.", SCORES, "partner"),
        ("Mice scored 84 and rats 52.", "Rats and mice scored 84 and 52, respectively.", "partner"),
        ("QuietNet reaches 52.3 on MATH.", SCORES, "entity"),
        ("Most women took aspirin, others metformin and rapamycin.", TRIAL, "entity"),
        ("The men took metformin daily.", TRIAL, "entity"),
        ("GPT-3 wins on MATH.", "GPT-4 wins on MATH.", "entity"),
        ("Mortality did not decline in the treated group.", TRIAL, "negation"),
        ("The gene is essential for growth.", "The gene is not essential for growth.", "negation"),
        ("The probe fails to detect tumours.", "The probe detects tumours.", "negation"),
        ("Responses were likely after treatment.", "Responses were unlikely after treatment.", "negation"),
        ("UCP1-dependent heat is made in beige fat.", "UCP1-independent heat is made in beige fat.", "negation"),
        ("Mortality rose in the treated group.", TRIAL, "direction"),
        ("The treated group had a higher mortality.", "The treated group had a lower mortality.", "direction"),
        ("Accuracy rose to 4.1 points.", "Accuracy rose by 4.1 points.", "direction"),
        ("More than 40 sites took part.", "Fewer than 40 sites took part.", "direction"),
        ("Llama outperforms GPT-4 on MATH.", "GPT-4 outperforms Llama on MATH.", "role"),
        ("GPT-4 is outperformed by Llama on MATH.", "GPT-4 outperforms Llama on MATH.", "role"),
        ("All models fail on long inputs.", "Most models fail on long inputs.", "quantifier"),
        ("Only large models fail on long inputs.", "Large models fail on long inputs.", "quantifier"),
        ("The gene proves essential for growth.", "The gene may be essential for growth.", "hedge"),
        ("Sleep drives memory in adults.", "Sleep was associated with memory in adults.", "cause"),
        ("The compound slowed tumour growth.", "The compound slowed tumour growth in mice.", "scope"),
    ],
)  # fmt: skip
def test_a_fault_is_found(claim: str, evidence: str, kind: str) -> None:
    assert kind in kinds(claim, evidence)


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("PromptLadder reaches 84.1 on GSM8K and 52.3 on MATH.", SCORES),
        ("On MATH, PromptLadder scores 52.3.", SCORES),
        ("Just over three quarters of 8349 women took metformin.", TRIAL),
        ("About 8.3k women took part.", TRIAL),
        ("In the treated group, mortality fell.", TRIAL),
        ("They took metformin for twelve weeks.", TRIAL),
        ("Llama is outperformed by GPT-4 on MATH.", "GPT-4 outperforms Llama on MATH."),
        ("Rats scored 84.", "Rats and mice scored 84 and 52, respectively."),
        ("Smith et al. (2020) show that fish sleep at night.", "We show that fish sleep at night."),
        ("The GPT-4-based judge agrees.", "The judge agrees with GPT-4."),
        ("Large language models (LLMs) hallucinate.", "LLMs hallucinate."),
        ("LLMs hallucinate.", "Large language models hallucinate."),
        ("The probe cannot detect tumours.", "The probe fails to detect tumours."),
        ("It not only halves growth but shrinks colonies.", "It halves growth and shrinks colonies."),
        ("Sleep may improve memory.", "Sleep might improve memory."),
    ],
)
def test_an_honest_rewording_is_left_alone(claim: str, evidence: str) -> None:
    assert kinds(claim, evidence) == set()


@settings(max_examples=80)
@given(st.integers(2, 10**7), st.integers(2, 10**7))
def test_a_number_matches_itself_in_any_spelling_and_no_other(told: int, said: int) -> None:
    evidence = [f"The corpus holds {told:,} papers."]
    for spelling in (str(said), f"{said:,}", f"{said}.0", f"{said:,}".replace(",", "{,}")):
        missing = numbers.check(f"The corpus holds {spelling} papers.", evidence)
        assert bool(missing.digits) == (told != said)


@settings(max_examples=60)
@given(st.integers(100, 10**6), st.floats(-0.02, 0.02))
def test_rounding_that_is_said_is_near_enough(told: int, off: float) -> None:
    said = round(told * (1 + off))
    evidence = [f"The corpus holds {told} papers."]
    assert not numbers.check(f"The corpus holds about {said} papers.", evidence).digits
    assert bool(numbers.check(f"The corpus holds {said} papers.", evidence).digits) == (said != told)


@settings(max_examples=80)
@given(st.text(max_size=120), st.text(max_size=120))
def test_any_text_is_checked_without_an_error(claim: str, evidence: str) -> None:
    assert isinstance(kinds(claim, evidence), set)


@given(st.text(max_size=200))
def test_words_stand_where_they_say(raw: str) -> None:
    for word in read(raw).words:
        assert raw[word.start : word.end] == word.text
        assert same(word, word)


def test_the_sentences_in_focus_are_about_the_claim() -> None:
    sentences = [f"Sentence {n} tells of lichens and of nothing else at all." for n in "abcdefgh"]
    told = "Metformin lowered mortality in women by a third after twelve weeks of treatment."
    chosen = focus.focus("Metformin lowered mortality in women.", [" ".join([*sentences[:4], told, *sentences[4:]])])
    assert chosen[0].text == told
    assert len(chosen) <= focus.MOST
    assert [one.source for one in focus.focus("Fish.", ["A.", "B."])] == [0, 1]


def test_no_word_is_on_both_poles_of_a_line() -> None:
    for word, places in lexicon.POLES.items():
        lines = [line for line, _ in places]
        assert len(lines) == len(set(lines)), word
