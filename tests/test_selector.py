"""The answer-sentence selector: its input form, its scores, and the data it is trained on."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import InputError
from assistant.selector import (
    QUESTION_TOKENS,
    SENTENCE_TOKENS,
    TITLE_TOKENS,
    Calibration,
    Selector,
    default_selector,
    pack,
)
from assistant.training import details, grammar, pairs

TITLE = "OrbitNet: Sparse Attention for Long Satellite Time Series"
ABSTRACT = (
    "Satellite time series are long and irregular, which makes them costly to model.",
    "We introduce OrbitNet, a sparse attention network that reads only the orbits which cover the queried area.",
    "On the CropWatch benchmark OrbitNet reaches an accuracy of 91.4%, 3.2 points above a dense transformer.",
    "Training takes six hours on a single A100 GPU.",
    "Code is available at https://github.com/orbitnet/orbitnet.",
)

tokens = st.lists(st.integers(min_value=1000, max_value=30000), max_size=120)


@given(question=tokens, title=tokens, sentence=tokens)
def test_packed_input_keeps_to_its_limits(question: list[int], title: list[int], sentence: list[int]) -> None:
    ids, types = pack(question, title, sentence)

    assert len(ids) == len(types) <= QUESTION_TOKENS + TITLE_TOKENS + SENTENCE_TOKENS + 4
    assert ids[0] == 101
    assert ids[-1] == 102
    assert ids.count(102) == (3 if title else 2)
    assert types == sorted(types)
    assert [i for i, t in zip(ids, types, strict=True) if t] == [*sentence[:SENTENCE_TOKENS], 102]


def test_a_long_question_keeps_its_end() -> None:
    ids, _ = pack(list(range(1000, 1100)), [], [5000])

    assert ids[1 : QUESTION_TOKENS + 1] == list(range(1100 - QUESTION_TOKENS, 1100))


@given(st.lists(st.floats(min_value=-1e6, max_value=1e6, width=32), min_size=2, max_size=20))
def test_probabilities_lie_inside_the_unit_interval_and_rise_with_the_logit(logits: list[float]) -> None:
    ordered = np.sort(np.array(logits, dtype=np.float32))
    probabilities = Calibration(slope=0.7, intercept=-0.3).probabilities(ordered)

    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert (np.diff(probabilities) >= 0).all()


@pytest.mark.parametrize(
    ("question", "right"),
    [
        ("What accuracy does OrbitNet reach on CropWatch?", 2),
        ("How long did it take to train OrbitNet?", 3),
        ("Which GPU was used for training?", 3),
        ("Where can I find the code?", 4),
        ("What is OrbitNet?", 1),
        ("Why are satellite time series hard to model?", 0),
    ],
)
def test_the_sentence_that_states_the_detail_is_first(question: str, right: int) -> None:
    scores = default_selector().scores(question, ABSTRACT, TITLE)

    assert int(np.argmax(scores)) == right


@pytest.mark.parametrize(
    "question",
    [
        "Who are the authors of the OrbitNet paper?",
        "What learning rate was used to train OrbitNet?",
        "Under which licence is OrbitNet released?",
        "How many parameters does OrbitNet have?",
    ],
)
def test_a_detail_that_is_not_there_scores_below_one_that_is(question: str) -> None:
    selector = default_selector()
    absent = max(selector.scores(question, ABSTRACT, TITLE))
    present = max(selector.scores("What accuracy does OrbitNet reach on CropWatch?", ABSTRACT, TITLE))

    assert absent + 0.2 < present


def test_a_score_does_not_depend_on_its_company_nor_on_threads() -> None:
    question = "What accuracy does OrbitNet reach?"
    together = default_selector().scores(question, ABSTRACT, TITLE)
    alone = [default_selector().scores(question, [sentence], [TITLE])[0] for sentence in ABSTRACT]
    single = Selector.load(threads=1).scores(question, ABSTRACT, [TITLE] * len(ABSTRACT))

    assert together == alone == single


def test_nothing_to_score_gives_nothing() -> None:
    assert default_selector().scores("What is it?", []) == []


def test_titles_must_match_the_sentences() -> None:
    with pytest.raises(InputError, match="1 titles for 2 sentences"):
        default_selector().scores("What is it?", ["One.", "Two."], ["A title"])


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=80), st.text(max_size=200), st.text(max_size=60))
def test_any_text_gets_a_probability(question: str, sentence: str, title: str) -> None:
    (score,) = default_selector().scores(question, [sentence], title)

    assert 0.0 < score < 1.0


def test_a_huge_text_and_lone_surrogates_are_read() -> None:
    scores = default_selector().scores("why? " * 5000, ["word " * 50000, "\ud800 broken \udfff"], "\ud800")

    assert all(0.0 < score < 1.0 for score in scores)


def test_importing_the_selector_loads_no_runtime() -> None:
    code = "import sys, assistant.selector; print([n for n in ('onnxruntime', 'tokenizers', 'torch') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_imagined_papers_are_the_same_for_a_seed_and_hold_both_labels() -> None:
    first, again, other = (list(grammar.imagined(30, seed)) for seed in (1, 1, 2))

    assert first == again != other
    assert {pair.label for pair in first} == {0, 1}
    assert not any(
        "{" in text or "[" in text for pair in first for text in (pair.question, pair.sentence, pair.title)
    )


def test_every_slot_of_the_grammar_has_values() -> None:
    known = set(grammar.Paper(random.Random(0)).values) | {"it"}
    used = {
        slot.lower()
        for kind in grammar.kinds().values()
        for text in (*kind.sentences, *kind.questions)
        for slot in re.findall(r"\{(\w+)\}", text)
    }

    assert used <= known
    assert all(kind.near <= set(grammar.kinds()) | {"first"} for kind in grammar.kinds().values())


TRIAL = pairs.Abstract(
    id="1",
    title="Effect of Vitamin K on Fracture Risk in Older Women: A Randomised Trial",
    sentences=(
        "Fractures are a major burden in ageing societies.",
        "We enrolled 440 women with osteopenia in Canada between 2002 and 2004.",
        "Participants received 5 mg of vitamin K or placebo daily.",
        "Vitamin K supplementation reduced fracture incidence in the treated group (hazard ratio 0.45, 95% CI 0.20-0.98).",
        "These results suggest that vitamin K may protect against fractures.",
    ),
)


def test_patterns_take_the_stating_sentence_as_positive_only() -> None:
    found = [pair for seed in range(40) for pair in details.asked([TRIAL], seed)]
    right = {pair.origin: pair.sentence for pair in found if pair.label}

    assert right["participants"].startswith("We enrolled 440")
    assert right["dose"].startswith("Participants received 5 mg")
    assert right["hazard"].startswith("Vitamin K supplementation")
    assert right["conclusion"].startswith("These results suggest")
    assert all(not pair.label for pair in found if pair.origin.startswith(("never", "lacking", "foreign")))


def test_claims_of_the_test_split_are_never_trained_on(tmp_path: Path) -> None:
    base = {"title": "T", "evidence_sentences": ["Water is wet.", "Fire is hot."], "rationale": [[0]]}
    rows = [{**base, "claim": f"Claim number {n} holds", "split": "dev" if n % 2 else "train"} for n in range(40)]
    file = tmp_path / "grounding.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    training, test = pairs.claims(file, seed=1)

    numbers = {int(word) for pair in (*training, *test) for word in pair.question.split() if word.isdigit()}
    assert numbers == set(range(0, 40, 2))
    assert not {pair.question for pair in training} & {pair.question for pair in test}


def test_held_out_questions_are_not_trained_on(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    rows = [
        {"question": f"Question {n}?", "sentence": f"Answer {n}.", "label": n % 2, "source": "x"} for n in range(200)
    ]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    training, test = pairs.general(file, negatives=2, seed=1)

    assert 5 <= len(test) <= 40
    assert not {pair.question for pair in training} & {pair.question for pair in test}
