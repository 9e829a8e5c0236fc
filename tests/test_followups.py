"""Follow-ups are read as their speaker means them: which papers they point at, and what they leave to the past."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.engine import Assistant
from assistant.followups import Exchange, StandAlone, rewrite
from assistant.library import Library
from assistant.settings import Settings
from assistant.subject import Nearby
from assistant.testing import tiny_library

OREAL = "Exploring the Limit of Outcome Reward for Learning Mathematical Reasoning"
REDI = "Harnessing Negative Signals: Reinforcement Distillation from Teacher Data for LLM Reasoning"
DRPO = "DRPO: Efficient Reasoning via Decoupled Reward Policy Optimization"
TOKENS = "Critical Tokens Matter: Token-Level Contrastive Estimation Enhence LLM's Reasoning Capability"
SURVEY = "A Comprehensive Survey of Continual Learning: Theory, Method and Application"
SEQUENCES = "Towards Robust and Efficient Continual Language Learning"
GAP = "Two Complementary Perspectives to Continual Learning: Ask Not Only What to Optimize, But Also How"
FORWARD = "The Forward-Forward Algorithm: Some Preliminary Investigations"
STORIES = "Re3: Generating Longer Stories With Recursive Reprompting and Revision"


COMPARED = ("Compare OREAL and REDI", OREAL, REDI)
LISTED = ("Which papers are about continual learning?", SURVEY, SEQUENCES, GAP)
ASKED = ("What does DRPO change?", DRPO)


@pytest.fixture(scope="module")
def library(bundled_folder: Path) -> Iterator[Library]:
    with Library.open(bundled_folder, read_only=True) as opened:
        yield opened


def read(library: Library, question: str, *past: tuple[str, ...]) -> StandAlone:
    """The rewriting of a question after turns of (question, title, …)."""
    history = [Exchange(asked, asked, tuple(library.paper(title) for title in titles)) for asked, *titles in past]
    return rewrite(question, history, Nearby(library))


@pytest.mark.parametrize(
    ("question", "past", "titles"),
    [
        ("the second one, what data did it use?", (COMPARED,), [REDI]),
        ("What does the former prove?", (COMPARED,), [OREAL]),
        ("And the other one?", (COMPARED,), [REDI]),
        ("and the other?", (COMPARED, ("What data does REDI use?", REDI)), [OREAL]),
        ("What is [2] trained on?", (COMPARED,), [REDI]),
        ("Do both use negative samples?", (COMPARED,), [OREAL, REDI]),
        ("the survey: what limits continual learning?", (LISTED,), [SURVEY]),
        ("the one on task sequences, what does it build?", (LISTED,), [SEQUENCES]),
        ("the last one?", (LISTED,), [GAP]),
        ("Which of them gives a taxonomy?", (LISTED,), [SURVEY, SEQUENCES, GAP]),
        ("which one builds a benchmark?", (LISTED,), [SURVEY, SEQUENCES, GAP]),
        ("back to the first paper: how long do answers get?", (ASKED, ("What is REDI?", REDI)), [DRPO]),
        ("as for DRPO, on which model size?", (ASKED, ("What is REDI?", REDI)), [DRPO]),
        ("its authors?", (ASKED,), [DRPO]),
        ("and what does that paper say about GRPO?", (ASKED,), [DRPO]),
        ("do they give code?", (ASKED,), [DRPO]),
        ("why?", (ASKED,), [DRPO]),
        ("how much better?", (ASKED,), [DRPO]),
        ("and on GSM8K?", (ASKED,), [DRPO]),
        ("on which datasets?", (ASKED,), [DRPO]),
        ("the learning rate?", (ASKED,), [DRPO]),
        ("how much shorter do answers get?", (ASKED,), [DRPO]),
        ("thanks! and its main result?", (ASKED,), [DRPO]),
        ("shorter please", (ASKED,), [DRPO]),
        ("tell me more", (ASKED,), [DRPO]),
    ],
)
def test_a_follow_up_points_at_its_papers(
    library: Library, question: str, past: tuple[tuple[str, ...], ...], titles: list[str]
) -> None:
    assert [paper.title for paper in read(library, question, *past).focus] == titles


@pytest.mark.parametrize(
    "question",
    [
        "What is NegativePrompt?",
        "Which papers are about bandits?",
        "How do language models handle idioms in Portuguese?",
        "And how does NeoGauge measure creativity?",
        "Is the Ambrosetti-Rabinowitz condition needed?",
        "how do I bake sourdough bread?",
        "What do we call it when past tasks harm new ones in continual language learning?",
        "Who won the Champions League in 2020?",
        "That paper on counterexample-guided repair, does it prove termination?",
        "I rather want to know about negative prompts in image generation, when do they take effect?",
    ],
)
def test_a_new_subject_is_not_glued_to_the_last(library: Library, question: str) -> None:
    found = read(library, question, ASKED)
    assert found.focus == ()
    assert "DRPO" not in found.query


@pytest.mark.parametrize(
    ("question", "past", "query"),
    [
        ("how are they found?", ("What are critical tokens?", TOKENS), "How are critical tokens found?"),
        ("No, I meant REDI", ASKED, "What does REDI change?"),
        ("what about REDI?", ASKED, "What does REDI change?"),
        ("and what about idioms?", LISTED, "Which papers are about idioms?"),
        ("why?", ASKED, "What does DRPO change: why?"),
        ("does it need code?", ASKED, "Does DRPO need code?"),
        ("compare it with ExPO", ASKED, "Compare DRPO with ExPO"),
        ("longer", ASKED, "Give an overview of DRPO"),
        ("the dataset?", ASKED, "In DRPO: what is the dataset?"),
        (
            "how does it differ from it?",
            ("What is the Forward-Forward algorithm?", FORWARD),
            "How does the Forward-Forward algorithm differ from it?",
        ),
        (
            "and relevance?",
            ("How much did Re3 improve plot coherence?", STORIES),
            "How much did Re3 improve plot coherence: relevance?",
        ),
        ("which of the two needs no labels?", COMPARED, "Which paper needs no labels? (Of: OREAL; REDI)"),
        ("and the year?", (f"In “{GAP}”: its authors?", GAP), f"In “{GAP}”: what is the year of publication?"),
        ("I meant the first one", (f"In “{GAP}”: who wrote it?", SURVEY, GAP), f"In “{SURVEY}”: who wrote it?"),
        ("Now something else: how do lichens grow?", ASKED, "How do lichens grow?"),
        ("ok, a different topic: what is REDI?", ASKED, "What is REDI?"),
        ("ok, and proximal point methods?", ("How do lichens grow?", DRPO), "Proximal point methods?"),
    ],
)
def test_the_rewriting_reads_as_a_question(
    library: Library, question: str, past: tuple[str, ...], query: str
) -> None:
    assert read(library, question, past).query == query


@pytest.mark.parametrize(
    ("wish", "many"), [("one sentence", 1), ("a single sentence", 1), ("two short sentences", 2), ("3 sentences", 3)]
)
def test_a_wished_length_is_kept_with_and_without_a_past(library: Library, wish: str, many: int) -> None:
    assert read(library, f"Summarise DRPO in {wish}").sentences == many
    assert read(library, f"Summarise it in {wish}", ASKED).sentences == many
    assert read(library, "How is it said in sentences?", ASKED).sentences is None


def test_a_further_fragment_takes_the_place_of_the_one_before(library: Library) -> None:
    paper = library.paper(DRPO)
    first = Exchange(
        "on which datasets?", "What does DRPO change: on which datasets?", (paper,), "What does DRPO change?"
    )
    assert rewrite("why?", [first], Nearby(library)).query == "What does DRPO change: why?"


def test_a_title_is_set_beside_the_question_not_searched_for(library: Library) -> None:
    found = read(library, "which ages did they enrol?", ("What is the stability gap?", GAP))
    assert found.query == f"In “{GAP}”: which ages did they enrol?"
    assert found.searched == "Which ages did they enrol?"


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    return Assistant(tiny_library(tmp_path), settings=Settings.load(strictness="lenient"))


@pytest.mark.parametrize("wish", ["in German please", "auf Deutsch", "translate it to French", "and in Spanish?"])
def test_another_language_is_answered_in_that_of_the_abstracts_and_said_so(assistant: Assistant, wish: str) -> None:
    conversation = assistant.conversation()
    first = conversation.ask("What is PromptLadder?")
    again = conversation.ask(wish)
    assert again.text == first.text
    assert any("answers are in the language of the abstracts" in note for note in again.notes)


def test_shorter_is_one_sentence_of_the_same_answer(assistant: Assistant) -> None:
    conversation = assistant.conversation()
    conversation.ask("What is PromptLadder?")
    assert len(conversation.ask("shorter").claims) == 1


def test_the_record_says_how_the_question_was_read(assistant: Assistant) -> None:
    conversation = assistant.conversation()
    conversation.ask("What is PromptLadder?")
    answer = conversation.ask("How many students took part in it?")
    record = assistant.library.record(answer.record_id)
    read_as = record.extra["rewriting"]
    assert record.query == answer.query == "How many students took part in PromptLadder?"
    assert read_as["kind"] == "reference"
    assert read_as["filled"] == [{"said": "it", "means": "PromptLadder"}]
    assert [paper["id"] for paper in read_as["focus"]] == ["title:tiny-1"]


def test_a_question_alone_has_no_rewriting_in_its_record(assistant: Assistant) -> None:
    answer = assistant.ask("What is PromptLadder?")
    assert assistant.library.record(answer.record_id).extra["rewriting"] is None
