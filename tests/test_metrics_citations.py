"""Citation metrics on cases worked by hand from ALCE's definitions, and on every way a citation can be wrong."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.papers import Paper
from evals.cases import Case
from evals.metrics import citation_support, citation_validity, number_fidelity, quote_exactness, unsupported
from evals.responses import Cited, Corpus, Response, Said
from evals.scores import Judged, Score, VerifierVerdict

_ONE = Paper("p1", "Alpha", "Cats sleep 14 hours. Dogs bark.")
_TWO = Paper("p2", "Beta", "Birds sing at dawn. Fish swim.")
_CORPUS = Corpus([_ONE, _TWO])
_CASE = Case("c", "c", "test", "fact", ("?",), ("Alpha",))


def _cite(paper: Paper, quote: str, key: str = "1") -> Cited:
    start = paper.abstract.index(quote)
    return Cited(key, paper.id, paper.title, quote, start, start + len(quote))


class Entails:
    """Supported iff every word group `need` is within the evidence: entailment that a reader can work by hand."""

    def __init__(self, **needs: str) -> None:
        self._needs = {claim: need.split("|") for claim, need in needs.items()}

    def __call__(self, claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        text = " ".join(evidence)
        held = all(need in text for need in self._needs[claim])
        return ("supported", 1.0) if held else ("unsupported", 0.0)


def _judged(said: list[Said], verifier: Entails, text: str = "x [1] [2]") -> Judged:
    citations = tuple(dict.fromkeys(cited for one in said for cited in one.citations))
    response = Response("answered", text, said=tuple(said), citations=citations)
    return Judged(_CASE, response, _CORPUS, verifier)


def _said(text: str, *citations: Cited, verdict: str | None = None) -> Said:
    return Said(text, 0, len(text), citations, verdict)


CATS, DOGS = _cite(_ONE, "Cats sleep 14 hours."), _cite(_ONE, "Dogs bark.")
BIRDS, FISH = _cite(_TWO, "Birds sing at dawn.", "2"), _cite(_TWO, "Fish swim.", "2")


@pytest.mark.parametrize(
    ("said", "needs", "recall", "precision"),
    [
        # one citation that carries its sentence
        ([_said("cats", CATS)], {"cats": "Cats sleep"}, 1.0, 1.0),
        # one that does not: recall 0, precision 0
        ([_said("cats", DOGS)], {"cats": "Cats sleep"}, 0.0, 0.0),
        # carried alone by the first; the second is irrelevant: removing it changes nothing
        ([_said("cats", CATS, FISH)], {"cats": "Cats sleep"}, 1.0, 0.5),
        # neither carries it alone, together they do: both are needed
        ([_said("pair", CATS, BIRDS)], {"pair": "Cats sleep|Birds sing"}, 1.0, 1.0),
        # each carries it alone: neither is irrelevant, though one would do
        ([_said("either", CATS, DOGS)], {"either": "Alpha"}, 1.0, 1.0),
        # three: two needed, one idle
        ([_said("pair", CATS, BIRDS, FISH)], {"pair": "Cats sleep|Birds sing"}, 1.0, 2 / 3),
        # a sentence without citation costs recall, not precision
        ([_said("cats", CATS), _said("dogs")], {"cats": "Cats sleep", "dogs": "Dogs"}, 0.5, 1.0),
        # an unsupported sentence's citations all count against precision
        ([_said("cats", CATS), _said("dogs", BIRDS, FISH)], {"cats": "Cats", "dogs": "Dogs"}, 0.5, 1 / 3),
        # no citations at all
        ([_said("cats")], {"cats": "Cats"}, 0.0, 0.0),
    ],
)
def test_alce_by_hand(said: list[Said], needs: dict[str, str], recall: float, precision: float) -> None:
    judged = _judged(said, Entails(**needs))
    assert citation_support.measure_recall(judged) == Score(pytest.approx(recall))
    found = citation_support.measure_precision(judged)
    assert found is not None
    assert found.value == pytest.approx(precision)


def test_an_unscored_sentence_leaves_the_answer_unscored() -> None:
    def unsure(claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]:
        return "unscored", None

    response = Response("answered", "cats [1]", said=(_said("cats", CATS),), citations=(CATS,))
    judged = Judged(_CASE, response, _CORPUS, unsure)
    for measure in (citation_support.measure_recall, citation_support.measure_precision, unsupported.measure):
        found = measure(judged)
        assert found is not None
        assert found.value is None


def test_metrics_of_answers_do_not_apply_to_refusals() -> None:
    judged = Judged(_CASE, Response("abstained", "no", reason="not_stated"), _CORPUS, Entails())
    assert citation_support.measure_recall(judged) is None
    assert citation_validity.measure(judged) is None
    assert quote_exactness.measure(judged) is None
    assert number_fidelity.measure(judged) is None
    assert unsupported.measure(judged) is None


def _validity(cited: Cited, text: str = "x [1]") -> Score | None:
    return citation_validity.measure(
        Judged(_CASE, Response("answered", text, citations=(cited,)), _CORPUS, Entails())
    )


@pytest.mark.parametrize(
    ("cited", "value"),
    [
        (CATS, 1.0),
        (Cited("1", "p1", "Alpha", "Cats sleep 14 hours.", 1, 21), 0.0),  # shifted by one
        (Cited("1", "p1", "Alpha", "Cats sleep 14 hours", 0, 20), 0.0),  # quote shorter than its span
        (Cited("1", "p1", "Alpha", "Cats", 0, 900), 0.0),  # past the end
        (Cited("1", "p1", "Alpha", "", 0, 0), 0.0),  # empty
        (Cited("1", "p1", "Alpha", "bark.", -5, 31), 0.0),  # Python would slice it; a reader could not
        (Cited("1", "p2", "Beta", "Cats sleep 14 hours.", 0, 20), 0.0),  # another paper's offsets
        (Cited("1", "p9", "Gamma", "Cats", 0, 4), 0.0),  # no such paper
        (Cited("7", "p1", "Alpha", "Cats", 0, 4), 0.0),  # [7] is not in the text
        (Cited("1", "p1", "Alpha", "Dogs bark."), 1.0),  # a quote without offsets, found
        (Cited("1", "p1", "Alpha", "Dogs meow."), 0.0),  # and not found
        (Cited("1", "p1", "Alpha"), None),  # a paper only: nothing to check
    ],
)
def test_validity(cited: Cited, value: float | None) -> None:
    found = _validity(cited)
    assert found is not None
    assert found.value == value


@settings(max_examples=100, deadline=None)
@given(start=st.integers(-3, 40), end=st.integers(-3, 40))
def test_only_exact_offsets_are_valid(start: int, end: int) -> None:
    found = _validity(Cited("1", "p1", "Alpha", "Dogs bark.", start, end))
    assert found is not None
    assert (found.value == 1.0) == ((start, end) == (21, 31))


def test_numbers_must_be_in_the_sentence_s_own_evidence() -> None:
    judged = _judged([_said("Cats sleep 14 of 24 hours [1].", CATS)], Entails())
    found = number_fidelity.measure(judged)
    assert found is not None
    assert found.value == 0.5
    assert "24" in found.note


def test_a_quoted_sentence_must_hold_its_quote_unchanged() -> None:
    exact = _judged([_said("In Alpha: Cats sleep 14 hours [1].", CATS, verdict="quoted")], Entails())
    assert quote_exactness.measure(exact) == Score(1.0)
    changed = _judged([_said("Cats sleep 15 hours [1].", CATS, verdict="quoted")], Entails())
    found = quote_exactness.measure(changed)
    assert found is not None
    assert found.value == 0.0


def test_unsupported_rate_counts_what_nothing_carries() -> None:
    said = [_said("cats", CATS), _said("dogs", FISH), _said("birds")]
    judged = _judged(said, Entails(cats="Cats", dogs="Dogs", birds="Birds"))
    found = unsupported.measure(judged)
    assert found is not None
    assert found.value == pytest.approx(2 / 3)
