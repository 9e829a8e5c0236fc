"""Facts, papers, refusals, outcome: what an answer says against what its case wants."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.papers import Paper
from evals.cases import Case
from evals.matching import fold, numbers, occurs
from evals.metrics import ALL, effort, facts, outcome, papers, refusals
from evals.responses import Cited, Corpus, Response, Said, Usage
from evals.scores import Judged
from evals.verifiers import WordCoverage

_ONE = Paper("p1", "Alpha", "Cats sleep 14 hours. Dogs bark.")
_TWO = Paper("p2", "Beta", "Birds sing at dawn. Fish swim.")
_CORPUS = Corpus([_ONE, _TWO])


def _case(**changes: Any) -> Case:
    return Case(
        **{"id": "c", "group": "c", "split": "test", "kind": "fact", "turns": ("?",), "papers": ("Alpha",), **changes}
    )


def _answer(text: str, *cited: Paper, quote: str | None = None) -> Response:
    citations = tuple(
        Cited(str(place), paper.id, paper.title, quote or paper.abstract, 0, len(quote or paper.abstract))
        for place, paper in enumerate(cited, start=1)
    )
    return Response("answered", text, said=(Said(text, 0, len(text), citations),), citations=citations)


def _judged(case: Case, response: Response) -> Judged:
    return Judged(case, response, _CORPUS, WordCoverage())


@pytest.mark.parametrize(
    ("wanted", "text", "found"),
    [
        ("14 hours", "They sleep 14  HOURS a day", True),
        ("7", "70 models", False),
        ("7", "7.5 points", False),
        ("7.5", "a gain of 7.5.", True),
        ("5", "7.5 points", False),
        ("77%", r"reaches 77\% accuracy", True),
        ("RAG", "a fragment", False),
        ("RAG", "RAG, in short", True),
        ("state-of-the-art", "state\u2010of\u2010the\u2010art", True),
        ("1000", "1,000 papers", True),
        ("Schrodinger", r"the Schr\"odinger equation", True),
        ("Schr", r"the Schr\"odinger equation", True),
        ("pass@k", "$pass@k$ rises", True),
        ("emph text", r"\textbf{emph} text", True),
        ("the end", "the [1] end", True),
        ("", "anything", False),
    ],
)
def test_occurs(wanted: str, text: str, found: bool) -> None:
    assert occurs(wanted, text) is found


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_folding_settles(text: str) -> None:
    assert fold(text) == " ".join(fold(text).split())
    assert fold(text.upper().lower()) == fold(text.upper())


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abc 127.,%-", min_size=1, max_size=30), st.text(alphabet="xyz ", max_size=10))
def test_what_stands_alone_in_a_text_occurs_in_it(wanted: str, around: str) -> None:
    if fold(wanted) and fold(wanted)[0].isalnum() and fold(wanted)[-1].isalnum():
        assert occurs(wanted, f"{around} ; {wanted} ; {around}")


def test_numbers_are_levelled_and_markers_are_none() -> None:
    assert numbers("1,000 of 94.0% [3] in GPT-4") == ("1000", "94", "4")


def test_fact_recall_takes_any_alternative() -> None:
    case = _case(facts=(("14 hours", "fourteen hours"), ("bark",)))
    found = facts.measure_recall(_judged(case, _answer("Fourteen hours [1].", _ONE)))
    assert found is not None
    assert found.value == 0.5
    assert found.note == "missing: bark"
    refused = facts.measure_recall(_judged(case, Response("abstained", "14 hours bark")))
    assert refused is not None
    assert refused.value == 0.0


def test_first_paper_is_the_first_expected_one_except_in_lists() -> None:
    both = ("Alpha", "Beta")
    assert papers.measure_first(_judged(_case(papers=both), _answer("x", _TWO, _ONE))).value == 0.0  # type: ignore[union-attr]  # it applies
    assert papers.measure_first(_judged(_case(papers=both, kind="list"), _answer("x", _TWO, _ONE))).value == 1.0  # type: ignore[union-attr]  # it applies


def test_lists_are_judged_both_ways() -> None:
    judged = _judged(_case(papers=("Alpha",), kind="list"), _answer("x", _TWO, _ONE))
    assert papers.measure_precision(judged).value == 0.5  # type: ignore[union-attr]  # it applies
    assert papers.measure_recall(judged).value == 1.0  # type: ignore[union-attr]  # it applies


def test_refusals_have_their_reason() -> None:
    case = _case(answerable=False, reason="not_stated")
    right = _judged(case, Response("abstained", "no", reason="not_stated"))
    other = _judged(case, Response("abstained", "no", reason="nothing_relevant"))
    silent = _judged(case, Response("abstained", "no"))
    answered = _judged(case, _answer("Yes [1]", _ONE))
    assert [refusals.measure_recall(one).value for one in (right, other, silent, answered)] == [1, 1, 1, 0]  # type: ignore[union-attr]  # it applies
    assert refusals.measure_reason(right).value == 1  # type: ignore[union-attr]  # it applies
    assert refusals.measure_reason(other).value == 0  # type: ignore[union-attr]  # it applies
    assert refusals.measure_reason(silent).value is None  # type: ignore[union-attr]  # it applies
    assert refusals.measure_reason(answered) is None


@pytest.mark.parametrize(
    ("case", "response", "wanted"),
    [
        (_case(facts=(("14 hours",),)), _answer("Cats sleep 14 hours. [1]", _ONE), "right_and_supported"),
        # the fact is right, the citation points at another paper
        (_case(facts=(("14 hours",),)), _answer("Cats sleep 14 hours. [1]", _TWO), "right_but_wrongly_cited"),
        # the fact is right, the span does not carry it
        (
            _case(facts=(("14 hours",),)),
            Response(
                "answered",
                "Cats sleep 14 hours. [1]",
                said=(Said("Cats sleep 14 hours. [1]", 0, 24, (Cited("1", "p1", "Alpha", "Dogs bark.", 21, 31),)),),
                citations=(Cited("1", "p1", "Alpha", "Dogs bark.", 21, 31),),
            ),
            "right_but_wrongly_cited",
        ),
        (_case(facts=(("15 hours",),)), _answer("Cats sleep 14 hours. [1]", _ONE), "wrong"),
        (_case(facts=(("14 hours",),), forbidden=("cats",)), _answer("Cats sleep 14 hours. [1]", _ONE), "wrong"),
        (_case(answerable=False), _answer("Cats sleep 14 hours. [1]", _ONE), "wrong"),
        (_case(answerable=False), Response("abstained", "no"), "refused_rightly"),
        (_case(), Response("abstained", "no"), "refused_wrongly"),
        (_case(), Response("error", "", error="ModelError: gone"), "error"),
    ],
)
def test_outcomes(case: Case, response: Response, wanted: str) -> None:
    assert outcome.outcome(_judged(case, response)) == wanted


def test_effort_that_is_not_reported_is_unscored() -> None:
    judged = _judged(_case(), _answer("x", _ONE))
    assert effort.measure_tokens(judged).value is None  # type: ignore[union-attr]  # it applies
    assert effort.measure_cost(judged).value is None  # type: ignore[union-attr]  # it applies
    assert effort.measure_seconds(judged).value is None  # type: ignore[union-attr]  # it applies
    paid = Response("answered", "one two [1]", usage=Usage(10, 5, 0.02))
    assert effort.measure_tokens(_judged(_case(), paid)).value == 15  # type: ignore[union-attr]  # it applies
    assert effort.measure_words(_judged(_case(), paid)).value == 2  # type: ignore[union-attr]  # it applies


_PAPERS = st.sampled_from((_ONE, _TWO))


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=80),
    status=st.sampled_from(("answered", "abstained")),
    cited=st.lists(_PAPERS, max_size=3),
    offsets=st.tuples(st.integers(-5, 50), st.integers(-5, 50)),
    answerable=st.booleans(),
    kind=st.sampled_from(("fact", "list", "summary", "unanswerable")),
)
def test_shares_stay_in_range_whatever_a_system_returns(
    text: str, status: Any, cited: list[Paper], offsets: tuple[int, int], answerable: bool, kind: Any
) -> None:
    citations = tuple(Cited("1", paper.id, paper.title, text, *offsets) for paper in cited)
    response = Response(
        status, text, said=(Said(text, 0, len(text), citations),), citations=citations, ranking=("p1", "p2", "p1x")
    )
    case = _case(answerable=answerable, kind=kind, facts=(("cats",),) if answerable else ())
    for metric in ALL:
        if not metric.applies(case):
            continue
        found = metric.measure(_judged(case, response))
        if found is None or found.value is None or metric.unit != "share":
            continue
        assert 0.0 <= found.value <= 1.0, metric.name
        assert not metric.binary or found.value in (0.0, 1.0), metric.name
