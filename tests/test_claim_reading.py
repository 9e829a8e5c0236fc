"""The model that reads claims: what it is given, what it adds, and that the verifier works without it."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.checks import calibration, entailment
from assistant.checks.calibration import Logistic, Weights, weights_from
from assistant.checks.features import Checked
from assistant.verification import judge

TOKENS = st.lists(st.integers(1000, 2000), max_size=300)
MODEL = files("assistant.models") / entailment.MODEL_FILE


@given(TOKENS, TOKENS, TOKENS)
@settings(max_examples=60, deadline=None)
def test_a_window_holds_all_parts_within_its_limit(claim: list[int], title: list[int], evidence: list[int]) -> None:
    ids, types = entailment.window(claim, title, evidence)
    assert len(ids) == len(types) <= entailment.WINDOW_TOKENS
    assert ids[0] == 101
    assert ids[-1] == 102
    assert types == sorted(types)
    assert ids[1 : types.index(1) - 1] == claim[: entailment.CLAIM_TOKENS]
    second = ids[types.index(1) : -1]
    if title:
        kept = title[: entailment.TITLE_TOKENS]
        assert second[: len(kept) + 1] == [*kept, 102]
        second = second[len(kept) + 1 :]
    assert second == evidence[: len(second)]
    assert len(second) == len(evidence) or len(ids) == entailment.WINDOW_TOKENS


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        entailment.ClaimReader.load(tmp_path)


def _weights(support: float) -> Weights:
    read = Logistic(0.0, {entailment.SUPPORTED: support, "coverage": 1.0})
    return Weights(read, Logistic(-1.0, {entailment.CONTRADICTED: 1.0}), 0.6, 0.3, 0.5)


def test_weights_without_a_part_for_the_model_serve_for_both() -> None:
    plain = _weights(1.0)
    text = json.dumps(plain.to_dict())
    assert weights_from(text, read=True) == weights_from(text) == plain


def test_weights_beside_the_model_are_read_from_their_part() -> None:
    beside = _weights(2.0)
    text = json.dumps(_weights(1.0).to_dict() | {calibration.READ: beside.to_dict()})
    assert weights_from(text, read=True) == beside
    assert weights_from(text) == _weights(1.0)


@given(st.floats(-6, 6), st.floats(-6, 6), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_surer_reading_never_lowers_the_score(low: float, high: float, coverage: float) -> None:
    low, high = sorted((low, high))
    scores = []
    for value in (low, high):
        given_features = {
            entailment.SUPPORTED: value,
            entailment.CONTRADICTED: -value,
            "coverage": coverage,
            "best_coverage": coverage,
            "found_number": 0.0,
        }
        found = judge(Checked((), given_features, 0, True, ()), 0, _weights(1.0))
        assert found.score is not None
        assert (found.verdict == "supported") == (found.score >= 0.6)
        scores.append(found.score)
    assert scores[0] <= scores[1]


def test_the_stored_weights_belong_to_the_stored_model() -> None:
    stored = json.loads((files("assistant.models") / calibration.WEIGHTS_FILE).read_text(encoding="utf-8"))
    assert stored[calibration.READ]["sha256"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert stored[calibration.READ]["supported"]["weights"][entailment.SUPPORTED] > 0
    assert len(MODEL.read_bytes()) < 25_000_000


def test_the_model_tells_a_turned_claim_from_a_faithful_one() -> None:
    reader = entailment.default_reader()
    assert reader is not None
    told = ["Blue light halved the growth of every colony, while red light had no effect."]
    faithful = reader.read("Colonies grew half as fast under blue light.", told)
    turned = reader.read("Colonies grew twice as fast under blue light.", told)
    assert faithful.supported > turned.supported
    assert faithful.supported + faithful.contradicted + faithful.unstated == pytest.approx(1.0)
    assert reader.read("Colonies grew half as fast under blue light.", told) == faithful


def test_any_text_is_read() -> None:
    reader = entailment.default_reader()
    assert reader is not None
    for claim, told in (("", []), ("word " * 5000, ["word " * 5000] * 3), ("\ud800 broken", ["\udfff"])):
        found = reader.read(claim, told, "A title")
        assert 0.0 <= found.supported <= 1.0
