"""The answer-sentence selector: its input form and its readings."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.selector import (
    MODEL_FILE,
    QUESTION_TOKENS,
    SENTENCE_TOKENS,
    TITLE_TOKENS,
    UNCALIBRATED,
    WINDOW_TOKENS,
    Calibration,
    Selector,
    default_selector,
    pooling,
    windows,
)

TITLE = "OrbitNet: Sparse Attention for Long Satellite Time Series"
ABSTRACT = (
    "Satellite time series are long and irregular, which makes them costly to model.",
    "We introduce OrbitNet, a sparse attention network that reads only the orbits which cover the queried area.",
    "On the CropWatch benchmark OrbitNet reaches an accuracy of 91.4%, 3.2 points above a dense transformer.",
    "Training takes six hours on a single A100 GPU.",
    "Code is available at https://github.com/orbitnet/orbitnet.",
)
OTHER = (
    "Grief counselling by telephone has rarely been studied.",
    "We interviewed 31 bereaved parents in Norway.",
    "Most of them preferred meetings in person.",
)

tokens = st.lists(st.integers(min_value=1000, max_value=30000), max_size=150)
texts = st.lists(tokens, max_size=14)


@settings(max_examples=60)
@given(question=tokens, title=tokens, sentences=texts)
def test_windows_keep_to_their_limits_and_hold_every_sentence(
    question: list[int], title: list[int], sentences: list[list[int]]
) -> None:
    found = windows(question, title, sentences)

    read = set()
    for window in found:
        assert len(window.ids) == len(window.types) <= WINDOW_TOKENS
        assert window.types == sorted(window.types)
        assert window.ids[0] == 101
        for offset, (start, end) in enumerate(window.spans):
            assert window.ids[start:end] == [*sentences[window.first + offset][:SENTENCE_TOKENS], 102]
            assert set(window.types[start:end]) == {1}
            read.add(window.first + offset)
    assert read == set(range(len(sentences)))


@given(sentences=st.lists(st.lists(st.just(2000), min_size=60, max_size=119), min_size=8, max_size=20))
def test_neighbouring_windows_share_one_sentence(sentences: list[list[int]]) -> None:
    found = windows([1000] * 10, [1001] * 10, sentences)

    assert len(found) > 1
    for one, next_one in pairwise(found):
        assert next_one.first == one.first + len(one.spans) - 1


def test_a_long_question_keeps_its_end_and_a_long_title_its_beginning() -> None:
    (window,) = windows(list(range(1000, 1100)), list(range(2000, 2100)), [[5000]])

    assert window.ids[1 : QUESTION_TOKENS + 1] == list(range(1100 - QUESTION_TOKENS, 1100))
    assert window.ids[QUESTION_TOKENS + 2 : -3] == list(range(2000, 2000 + TITLE_TOKENS))


def test_an_empty_title_leaves_its_place_out() -> None:
    (window,) = windows([1000], [], [[5000]])

    assert window.ids == [101, 1000, 102, 5000, 102]
    assert window.types == [0, 0, 0, 1, 1]


def test_each_row_of_the_pooling_averages_its_sentence() -> None:
    rows = pooling([(2, 4), (4, 8)], 9)

    assert rows.tolist() == [[0, 0, 0.5, 0.5, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0.25, 0.25, 0.25, 0.25, 0]]


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
    (reading,) = default_selector().read(question, [(TITLE, ABSTRACT)])

    assert int(np.argmax(reading.sentences)) == right


@pytest.mark.parametrize(
    "question",
    [
        "Who are the authors of the OrbitNet paper?",
        "What learning rate was used to train OrbitNet?",
        "Under which licence is OrbitNet released?",
        "How many parameters does OrbitNet have?",
    ],
)
def test_an_abstract_without_the_detail_is_told_from_one_with_it(question: str) -> None:
    (absent,) = default_selector().read(question, [(TITLE, ABSTRACT)])
    (present,) = default_selector().read("What accuracy does OrbitNet reach on CropWatch?", [(TITLE, ABSTRACT)])

    assert absent.answered + 0.2 < present.answered


def test_a_reading_does_not_depend_on_its_company_nor_on_threads() -> None:
    question = "What accuracy does OrbitNet reach?"
    papers = [(TITLE, ABSTRACT), ("", OTHER), (TITLE, ABSTRACT * 9)]
    together = default_selector().read(question, papers)
    alone = [default_selector().read(question, [paper])[0] for paper in papers]

    assert together == alone == Selector.load(threads=1).read(question, papers)


def test_a_paper_longer_than_a_window_has_every_sentence_judged() -> None:
    sentences = (*OTHER * 12, *ABSTRACT)
    (reading,) = default_selector().read("Which GPU was used for training OrbitNet?", [(TITLE, sentences)])

    assert len(reading.sentences) == len(sentences)
    assert int(np.argmax(reading.sentences)) == len(sentences) - 2


def test_no_papers_give_nothing_and_a_paper_without_sentences_answers_nothing() -> None:
    assert default_selector().read("What is it?", []) == []
    (reading,) = default_selector().read("What is it?", [("A title", ())])
    assert (reading.sentences, reading.answered) == ((), 0.0)


def test_the_digest_is_that_of_the_file() -> None:
    selector = Selector(b"another file", UNCALIBRATED)

    assert selector.digest == hashlib.sha256(b"another file").hexdigest()


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=80), st.lists(st.text(max_size=200), min_size=1, max_size=3), st.text(max_size=60))
def test_any_text_gets_probabilities(question: str, sentences: list[str], title: str) -> None:
    (reading,) = default_selector().read(question, [(title, sentences)])

    assert all(0.0 < value < 1.0 for value in (*reading.sentences, reading.answered))


def test_a_huge_text_and_lone_surrogates_are_read() -> None:
    (reading,) = default_selector().read("why? " * 5000, [("\ud800", ["word " * 50000, "\ud800 broken \udfff"])])

    assert all(0.0 < value < 1.0 for value in (*reading.sentences, reading.answered))


def test_the_model_that_ships_is_small_and_takes_any_number_of_sentences() -> None:
    import onnxruntime

    file = files("assistant.models") / MODEL_FILE
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    ids = np.full((1, 30), 2000, dtype=np.int64)
    for count in (1, 4):
        pool = pooling([(3 * n + 2, 3 * n + 5) for n in range(count)], 30)[None]
        sentences, answered = session.run(None, {"ids": ids, "types": np.zeros_like(ids), "pool": pool})
        assert (sentences.shape, answered.shape) == ((1, count), (1,))
    assert len(file.read_bytes()) < 25_000_000


def test_importing_the_selector_loads_no_runtime() -> None:
    code = "import sys, assistant.selector; print([n for n in ('onnxruntime', 'tokenizers', 'torch') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
