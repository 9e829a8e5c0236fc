"""Marked elision: what is told outside of brackets is verbatim and in order, and a forged piece is found out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import elision
from assistant.answers import Answer
from assistant.elision import ELLIPSIS, Inserted, Piece, Wording
from assistant.evidence import Evidence
from assistant.ledger import quoted
from assistant.library import Library
from assistant.papers import Paper
from assistant.quotes import Part, compose
from assistant.testing import HashEmbedder, tiny_library
from assistant.verifying import check_record
from evals.metrics.quote_exactness import _in_order
from tests.made_evidence import found, made

EXPO = Paper(
    "title:1", "ExPO: Hard Reasoning by Self-Explanation", "We propose ExPO, a simple framework. It halves the cost."
)
BEFORE = "We propose ExPO, a simple framework for reasoning."
OPENINGS = st.sampled_from(
    [
        "However, ",
        "To address this issue, we ",
        "It ",
        "This method ",
        "Thus, ",
        "",
        "In this case, ",
        "[1] ",
        "However, it ",
        "Also, ",
    ]
)


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("However, ground truths are rarely at hand.", f"{ELLIPSIS} ground truths are rarely at hand."),
        ("To address this issue, we propose a buffer.", f"{ELLIPSIS} we propose a buffer."),
        ("Building on this insight, we reweigh rewards.", f"{ELLIPSIS} we reweigh rewards."),
        ("It halves the cost.", "[ExPO] halves the cost."),
        ("This framework halves the cost.", "[ExPO] halves the cost."),
        ("However, it halves the cost.", f"{ELLIPSIS} [ExPO] halves the cost."),
    ],
)
def test_what_stands_alone(sentence: str, told: str) -> None:
    wording = elision.standing(sentence, BEFORE, EXPO)
    assert wording is not None
    assert elision.told(sentence, wording) == told


@pytest.mark.parametrize(
    "sentence",
    [
        "However, this problem is hard.",  # still leans
        "Otherwise, the reward is zero.",  # a condition
        "In this case, the reward is zero.",
        "It is known that rewards are sparse.",  # stands for nothing
        "To address this without labels, we propose a buffer.",  # a negation would go
        "These results suggest a limit.",
    ],
)
def test_what_does_not(sentence: str) -> None:
    assert elision.standing(sentence, BEFORE, EXPO) is None


@pytest.mark.parametrize(
    "before",
    [
        "We compare ExPO with GRPO.",
        "Clubs were designed to help with the self-explanation policy (ExPO).",
        "Existing work relies on GRPO.",
        "We propose a loss for ExPO.",
        "",
    ],
)
def test_a_name_is_put_in_only_when_just_given(before: str) -> None:
    assert elision.standing("It halves the cost.", before, EXPO) is None


@settings(max_examples=150, deadline=None)
@given(OPENINGS, st.text(min_size=1, max_size=60), st.sampled_from([BEFORE, "", "ExPO works well."]))
def test_pieces_are_verbatim_and_in_order(opening: str, rest: str, before: str) -> None:
    text = (opening + rest).strip()
    wording = elision.standing(text, before, EXPO)
    if wording is None:
        return
    said, position = elision.told(text, wording), 0
    for piece in elision.pieces(wording):
        assert piece.start >= position
        position = piece.end
        assert text[piece.start : piece.end].strip() == text[piece.start : piece.end] != ""
    assert elision.only_brackets_between(said, [text[p.start : p.end] for p in elision.pieces(wording)])


def test_only_brackets_may_stand_between() -> None:
    assert elision.only_brackets_between("A b. […] c d.", ["A b.", "c d."])
    assert elision.only_brackets_between("[ExPO] wins.", ["wins."])
    assert not elision.only_brackets_between("A b. c d.", ["A b.", "c d."])  # the cut is not marked
    assert not elision.only_brackets_between("It never wins.", ["wins."])
    assert not elision.only_brackets_between("c d. […] A b.", ["A b.", "c d."])
    assert not elision.only_brackets_between("[…]", [])
    assert _in_order("A b. […] c d.", ["A b.", "c d."])
    assert not _in_order("A b. […] not c d.", ["A b.", "c d."])


@cache
def like() -> Evidence:
    with TemporaryDirectory() as folder, tiny_library(Path(folder), embedder=HashEmbedder()) as library:
        return found(library, "What does QuietNet reach?")


def test_every_piece_is_cited() -> None:
    text = "However, it never fails, as shown elsewhere, on long inputs."
    (paper,) = made(like(), ("A Paper", ["Before.", text])).papers
    wording: Wording = (Inserted(ELLIPSIS), Piece(9, 23), Inserted(ELLIPSIS), Piece(45, len(text)))
    ledger = quoted([Part(paper.paper, paper.sentences[1:], False, (wording,))])
    (claim,) = ledger.claims
    assert claim.text == "[…] it never fails […] on long inputs. [1]"
    assert [citation.quote for citation in claim.citations] == ["it never fails", "on long inputs."]
    assert {citation.key for citation in claim.citations} == {"1"}
    for citation in claim.citations:
        assert citation.paper.abstract[citation.start : citation.end] == citation.quote


def test_a_leaning_sentence_needs_no_neighbour_when_its_opening_may_go() -> None:
    evidence = made(like(), ("A Paper", ["However, ground truths are rarely at hand.", "Zeal is unrelated."]))
    (paper,) = evidence.papers
    leaning = replace(paper.sentences[0], score=9.0, holds=frozenset())
    evidence = replace(evidence, papers=(replace(paper, sentences=(leaning, paper.sentences[1])),))
    assert quoted(compose(evidence, most=1)).text == "[…] ground truths are rarely at hand. [1]"


def _record(library: Library, answer: Answer, change: str) -> str:
    told: dict[str, Any] = answer.to_dict()
    (claim,) = told["claims"]
    for place in (claim, told):
        place["text"] = place["text"].replace(ELLIPSIS, change)
    claim["end"] = claim["start"] + len(claim["text"])
    identity = f"r{len(change)}"
    library.save_record(
        {
            "id": identity,
            "question": "q",
            "query": "q",
            "engine": "quotes",
            "answer": told,
            "filters": {},
            "settings": {},
            "versions": {},
            "evidence": [],
            "conversation_id": None,
            "decision": {},
        }
    )
    return identity


def test_a_shortened_claim_is_verified_and_a_forged_one_is_not(tmp_path: Path) -> None:
    with tiny_library(tmp_path, embedder=HashEmbedder()) as library:
        (sentence,) = found(library, "What does QuietNet reach?").papers[0].sentences[:1]
        words = sentence.text.split(" ", 2)
        cut = len(words[0]) + 1 + len(words[1]) + 1
        wording: Wording = (Inserted(ELLIPSIS), Piece(cut, len(sentence.text)))
        ledger = quoted([Part(sentence.paper, (sentence,), False, (wording,))])
        answer = Answer("q", "q", "answered", ledger.text, ledger.claims, ledger.citations, None, "r", "quotes")
        assert check_record(library, _record(library, answer, ELLIPSIS)).ok
        forged = check_record(library, _record(library, answer, "It is false that"))
        assert not forged.ok
        assert "not_verbatim" in {finding.kind for finding in forged.findings}
