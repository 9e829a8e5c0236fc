"""A judge is believed only after people agree with it; cycle consistency leads back to the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from evals_corpus import bundled_shelf
from numpy.typing import NDArray

from assistant.answers import Answer
from assistant.errors import InputError, ModelUnavailable
from assistant.testing import HashEmbedder
from evals import run
from evals.cases import load, select
from evals.judge import Judge, Validation, validate
from evals.metrics.cycle import cycle
from evals.testing import OracleAssistant
from evals.verifier_check import Labelled

_PAIRS = [Labelled(f"claim {place}", ("evidence",), place % 2 == 0) for place in range(60)]


def _knows(prompt: str) -> str:
    place = int(prompt.split("Claim: claim ")[1].split()[0])
    return "SUPPORTED" if place % 2 == 0 else "Unsupported."


def test_a_judge_that_agrees_with_people_is_believed() -> None:
    found = validate(Judge(_knows, "judge-1", answering_model="other"), _PAIRS)
    assert found.kappa == pytest.approx(1.0)
    assert found.holds
    judge = Judge(_knows, "judge-1", answering_model="other", validation=found)
    assert judge("claim 2", ["evidence"]) == ("supported", 1.0)
    assert judge("claim 3", ["evidence"]) == ("unsupported", 0.0)


def test_kappa_by_hand() -> None:
    # right on 45 of 60: of 30 positives 25, of 30 negatives 20; observed .75, by chance .5; κ = .5
    def errs(prompt: str) -> str:
        place = int(prompt.split("Claim: claim ")[1].split()[0])
        wrong = place < 10 if place % 2 == 0 else place < 20
        return "SUPPORTED" if (place % 2 == 0) != wrong else "UNSUPPORTED"

    found = validate(Judge(errs, "j", answering_model="o"), _PAIRS)
    assert found.kappa == pytest.approx(0.5)
    assert not found.holds


@pytest.mark.parametrize("reply", ["", "maybe", "SUPPORTED or CONTRADICTED?", "yes"])
def test_an_unclear_reply_is_unscored(reply: str) -> None:
    judge = Judge(lambda prompt: reply, "j", answering_model="o")
    assert judge.raw("claim", ["evidence"]) == ("unscored", None)
    found = validate(judge, _PAIRS)
    assert (found.n, found.unscored, found.holds) == (0, 60, False)


def test_a_judge_that_says_the_same_of_everything_is_not_believed() -> None:
    found = validate(Judge(lambda prompt: "SUPPORTED", "j", answering_model="o"), _PAIRS)
    assert not found.holds


def test_a_judge_that_fails_or_was_not_validated_is_unscored() -> None:
    def gone(prompt: str) -> str:
        raise ModelUnavailable("gone; start it")

    assert Judge(gone, "j", answering_model="o").raw("claim", ["e"]) == ("unscored", None)
    assert Judge(_knows, "j", answering_model="o")("claim 2", ["e"]) == ("unscored", None)
    few = Validation("j", 0.9, 10, 0)
    assert Judge(_knows, "j", answering_model="o", validation=few)("claim 2", ["e"]) == ("unscored", None)


def test_nobody_judges_their_own_answers() -> None:
    with pytest.raises(InputError, match="its own answers"):
        Judge(_knows, "same", answering_model="same")
    with pytest.raises(InputError, match="not of"):
        Judge(_knows, "j", answering_model="o", validation=Validation("other", 0.9, 100, 0))


def _embed(texts: Sequence[str]) -> NDArray[np.float32]:
    return HashEmbedder(256).embed_sentences(list(texts))


class _Evasive(OracleAssistant):
    """Answers every question with the same paper's answer."""

    def answer(self, turns: tuple[str, ...]) -> Answer:
        found = super().answer(turns)
        if found.status != "answered":
            return found
        other = super().answer(next(case.turns for case in self.cases if case.answerable))
        return replace(other, question=found.question, query=found.query)


def test_good_answers_lead_back_and_evasive_ones_do_not() -> None:
    cases = select(load("bundled"), limit=60)
    good = cycle(run(OracleAssistant(bundled_shelf(), cases), cases), _embed)
    evasive = cycle(run(_Evasive(bundled_shelf(), cases), cases), _embed)
    assert good.mean_reciprocal_rank > 2 * evasive.mean_reciprocal_rank  # type: ignore[operator]  # both answered
    assert good.mean_closeness > evasive.mean_closeness  # type: ignore[operator]  # both answered
    assert good.left_out == sum(not case.answerable for case in cases)
    assert len(good.weakest(3)) == 3


def test_a_regenerated_question_is_compared_in_place_of_the_answer() -> None:
    cases = [case for case in select(load("bundled"), limit=20) if case.answerable and len(case.turns) == 1]
    found = run(OracleAssistant(bundled_shelf(), cases), cases)
    by_answer = {one.response.text.split(" [")[0]: one.case.question for one in found.results}

    def back(text: str) -> str:
        return next(question for answer, question in by_answer.items() if text.startswith(answer))

    report = cycle(found, _embed, back)
    assert report.mean_closeness == pytest.approx(1.0)
    assert report.mean_reciprocal_rank == 1.0


def test_no_answers_lead_nowhere() -> None:
    cases = [case for case in load("bundled") if not case.answerable][:5]
    report = cycle(run(OracleAssistant(bundled_shelf(), cases), cases), _embed)
    assert report.mean_closeness is None
    assert report.left_out == 5
