"""From a draft with markers to claims whose citations point at characters."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import attribution
from assistant.attribution import Attributed, absent, attribute, finished, parse, split, write
from assistant.evidence import Evidence, Sentence
from assistant.ledger import Numbering
from assistant.testing import tiny_library
from assistant.verification import verify
from tests.made_evidence import found, made

PIECES = [
    "A b.",
    " It was 3.5, e.g. five.",
    "[1]",
    " [2, 3]",
    "[12",
    "]",
    ". ",
    "\n",
    "- x y z",
    " Word",
    " [",
    "?",
    "**",
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sentence, ...]:
    """1, 2 of a first paper, 3 of a second."""
    with tiny_library(Path(tmp_path_factory.mktemp("tiny"))) as library:
        like: Evidence = found(library, "How many hospitals does QuietNet index?")
    evidence = made(
        like,
        (
            "Quiet Retrieval",
            ["We index the notes of thirteen hospitals with QuietNet.", "Recall in [0, 9] was 0.91\\%."],
        ),
        ("PromptLadder", ["PromptLadder raised the pass rate of beginners by 12 points."]),
    )
    return tuple(sentence for paper in evidence.papers for sentence in paper.sentences)


def cut(draft: str) -> list[str]:
    return [draft[span.start : span.end] for span in split(draft)]


def told(raw: str, shown: tuple[Sentence, ...]) -> Attributed:
    return attribute(parse(raw, shown), shown, verify)


@pytest.mark.parametrize(
    ("draft", "pieces"),
    [
        ("One is here [1]. Two is there [2].", ["One is here [1].", "Two is there [2]."]),
        ("One is here. [1] Two is there. [2]", ["One is here. [1]", "Two is there. [2]"]),
        ("One is here.[1][2] Two is there.", ["One is here.[1][2]", "Two is there."]),
        ("One is here [1, 2] and so on.", ["One is here [1, 2] and so on."]),
        ("[1] One is here.\n[2] Two is there.", ["[1] One is here.", "[2] Two is there."]),
        ("One is here.\n[1]\nTwo is there.", ["One is here.\n[1]", "Two is there."]),
        ("- One is here [1]\n2. Two is there [2]", ["One is here [1]", "Two is there [2]"]),
        ("One by Smith et al. [1] is here.", ["One by Smith et al. [1] is here."]),
        ("One is here 【1】. Two.", ["One is here 【1】.", "Two."]),
        ("[1]", ["[1]"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_markers_stay_with_their_sentence(draft: str, pieces: list[str]) -> None:
    assert cut(draft) == pieces


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_pieces_are_in_order_and_lose_no_word(draft: str) -> None:
    spans = split(draft)
    assert all(span.start < span.end for span in spans)
    assert all(one.end <= two.start for one, two in pairwise(spans))
    between = "".join(
        draft[end:start]
        for end, start in zip([0, *(s.end for s in spans)], [*(s.start for s in spans), len(draft)], strict=True)
    )
    assert not any(character.isalpha() for character in between)
    assert "]" not in between or "[" not in between


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_draft_can_be_cut_and_read(draft: str) -> None:
    for span in split(draft):
        said = parse(draft[span.start : span.end], ())
        assert said.keys == ()
    assert len(finished(draft)) <= len(split(draft))


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.integers(0, 200))
def test_a_finished_sentence_does_not_change_as_the_draft_grows(draft: str, at: int) -> None:
    early = finished(draft[:at])
    assert split(draft)[: len(early)] == early


def test_keys_known_unknown_ranges_and_literal_brackets(shown: tuple[Sentence, ...]) -> None:
    said = parse("It [1-2] was **so** [3][9] in [0, 9] of [evidence 2].", shown)
    assert said.keys == (1, 2, 3)
    assert said.unknown == (9,)
    assert said.body == "It was so in [0, 9] of."


@pytest.mark.parametrize(
    "body",
    [
        "NOT STATED",
        "Not stated.",
        "The evidence does not state the learning rate.",
        "The provided evidence sentences don't explicitly mention GPUs.",
        "The learning rate is not specified in the abstracts.",
    ],
)
def test_a_sentence_that_only_says_that_nothing_is_stated(body: str) -> None:
    assert absent(body)


def test_a_finding_about_papers_is_not_taken_for_a_refusal() -> None:
    assert not absent("The effect did not last longer than four weeks.")
    assert not absent("Patients do not report pain after treatment.")


def test_a_right_citation_is_kept(shown: tuple[Sentence, ...]) -> None:
    attributed = told("QuietNet indexes the notes of 13 hospitals [1].", shown)
    assert (attributed.verdict, attributed.evidence, attributed.findings) == ("supported", (shown[0],), ())


def test_a_misplaced_citation_moves_to_what_carries_the_claim(shown: tuple[Sentence, ...]) -> None:
    attributed = told("PromptLadder raised the pass rate by 12 points [1].", shown)
    assert (attributed.verdict, attributed.evidence, attributed.moved) == ("supported", (shown[2],), True)
    assert [finding.kind for finding in attributed.findings] == ["citation_moved"]
    claim = write(attributed, Numbering(), shown, 0)
    assert claim.text == "PromptLadder raised the pass rate by 12 points [1]."
    assert claim.citations[0].paper.title == "PromptLadder"


def test_a_missing_citation_is_added_with_a_finding(shown: tuple[Sentence, ...]) -> None:
    claim = write(told("PromptLadder raised the pass rate by 12 points.", shown), Numbering(), shown, 5)
    assert claim.text == "PromptLadder raised the pass rate by 12 points. [1]"
    assert (claim.start, claim.end) == (5, 5 + len(claim.text))
    assert [finding.kind for finding in claim.findings] == ["citation_added"]


def test_an_unknown_key_stays_visible_and_is_a_finding(shown: tuple[Sentence, ...]) -> None:
    attributed = told("QuietNet was trained on 8 GPUs [7].", shown)
    claim = write(attributed, Numbering(), shown, 0)
    assert claim.text == "QuietNet was trained on 8 GPUs [?7]."
    assert claim.verdict == "uncited"
    assert claim.citations == ()
    assert [finding.kind for finding in claim.findings] == ["unknown_citation"]


def test_a_whole_sentence_repeated_is_quoted_and_part_of_one_is_not(shown: tuple[Sentence, ...]) -> None:
    assert told("We index the notes of thirteen hospitals with QuietNet [1].", shown).verdict == "quoted"
    assert told("Recall in [0, 9] was 0.91%. [2]", shown).verdict == "quoted"  # as it was shown
    assert told("We index the notes of thirteen hospitals [1].", shown).verdict == "supported"
    moved = told("We index the notes of thirteen hospitals with QuietNet [3].", shown)
    assert (moved.verdict, moved.evidence) == ("quoted", (shown[0],))


def test_talk_is_no_claim(shown: tuple[Sentence, ...]) -> None:
    attributed = told("Here is what the papers say:", shown)
    assert (attributed.verdict, attributed.score) == ("unscored", None)
    assert [finding.kind for finding in attributed.findings] == ["no_claim"]


def test_keys_number_papers_by_first_use(shown: tuple[Sentence, ...]) -> None:
    numbering = Numbering()
    first = write(told("PromptLadder raised the pass rate by 12 points [3].", shown), numbering, shown, 0)
    second = write(
        told("QuietNet [1] indexes notes of thirteen hospitals [1][2], like PromptLadder [3].", shown),
        numbering,
        shown,
        0,
    )
    assert first.text.endswith("[1].")
    assert second.text == "QuietNet [2] indexes notes of thirteen hospitals [2], like PromptLadder [1]."
    assert [citation.key for citation in second.citations] == ["2", "2", "1"]
    for citation in (*first.citations, *second.citations):
        assert citation.paper.abstract[citation.start : citation.end] == citation.quote


@settings(max_examples=80, deadline=None)
@given(
    raw=st.lists(st.sampled_from([*PIECES, "hospitals ", "[3]", "PromptLadder "]), min_size=1, max_size=8).map(
        "".join
    )
)
def test_whatever_is_said_is_written_with_every_key_accounted_for(shown: tuple[Sentence, ...], raw: str) -> None:
    said = parse(raw, shown)
    claim = write(attribute(said, shown, verify), Numbering(), shown, 3)
    assert claim.end - claim.start == len(claim.text)
    for key in said.unknown:
        assert f"[?{key}]" in claim.text
    assert all(f"[{citation.key}]" in claim.text for citation in claim.citations)
    kept = attribution._MARKER.sub("", claim.text)
    assert [c for c in kept if c.isalpha()] == [c for c in said.body if c.isalpha()]
