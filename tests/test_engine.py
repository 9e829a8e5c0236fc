"""What holds for every answer of the default engine, whatever it is tuned to say; asked of the bundled papers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.answers import Answer, ClaimVerified, Event, Finished, Retrieved, Token
from assistant.engine import Assistant
from assistant.errors import FilterError, IbidError, NotInLibrary
from assistant.library import Library
from assistant.settings import Settings
from assistant.testing import tiny_library
from assistant.verifying import check_record

DATASET = Path(__file__).parent.parent / "evals" / "datasets" / "bundled.jsonl"
CASES = [case for case in map(json.loads, DATASET.read_text("utf-8").splitlines()) if case["split"] == "dev"]
SINGLE = [case for case in CASES if "question" in case]
SAMPLE = [case["question"] for case in SINGLE[::7]]
FACTS = [case["question"] for case in SINGLE if case["kind"] == "fact"][:12]
FACT = "What is ExPO?"
ODD = {
    "nothing": "",
    "blanks": " \n\t ",
    "emoji": "🦄🔥🦄",
    "one letter": "a",
    "marks": "?!…",
    "long": "prompt optimisation " * 2_500,
    "one long word": "x" * 50_000,
    "chinese": "哪篇论文提出了新的提示方法？",
    "arabic": "ما هي أفضل طريقة؟",
    "combining": "e\u0301" * 300 + " z̴̡͝a̵l̷g̸o̶",
    "code": "def f(x):\n    return {k: v for k, v in x.items()}  # why?",
    "sql": "'; DROP TABLE papers; -- \" OR 1=1",
    "lexical syntax": 'title:"x" AND (NOT [a TO b]) +foo^3 ~2 *:* \\ /re.*/',
    "nul": "What is \x00 ExPO\x00?",
    "surrogates": "What \ud800 is \udfff ExPO?",
    "braces": "{question} {evidence!r} {0} %s ${HOME} {{}}",
    "html": "<script>alert(1)</script><img src=x onerror=y>",
    "markers": "What about [1] and [2]? [99]",
    "backslashes": r"\1 \g<0> \N{BULLET} C:\new",
    "bidi": "\u202ewhat is ExPO\u202c\u200b\ufeff",
    "number": "1e999",
}


@pytest.fixture(scope="module")
def assistant(bundled: Library) -> Assistant:
    return Assistant(bundled)


def check(answer: Answer, library: Library) -> None:
    """The promise, for one answer."""
    cited = [citation for claim in answer.claims for citation in claim.citations]
    assert answer.citations == tuple(dict.fromkeys(cited))
    for citation in answer.citations:
        stored = library.paper(citation.paper.id)
        assert stored.abstract[citation.start : citation.end] == citation.quote != ""
        passage = library.passages_by_id([citation.passage_id])[citation.passage_id]
        assert passage.paper_id == stored.id
        assert passage.start <= citation.start < citation.end <= passage.end
    ended = 0
    for claim in answer.claims:
        assert answer.text[claim.start : claim.end] == claim.text
        assert claim.start >= ended
        ended = claim.end
        assert claim.verdict == "quoted"
        assert claim.citations
        for citation in claim.citations:
            assert citation.quote in claim.text
            assert f"[{citation.key}]" in claim.text
    keys = list(dict.fromkeys(citation.key for citation in cited))
    assert keys == [str(number) for number in range(1, len(keys) + 1)]
    assert len({(citation.key, citation.paper.id) for citation in cited}) == len(keys)
    if answer.status == "abstained":
        assert answer.abstention is not None
        assert answer.text == answer.abstention.message != ""
        assert answer.claims == ()
    else:
        assert answer.abstention is None
        assert answer.claims


def timeless(answer: Answer) -> Answer:
    return replace(answer, record_id="", seconds=0.0)


# --- every answer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", SAMPLE)
def test_every_answer_keeps_the_promise(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    check(answer, assistant.library)
    assert answer.question == question
    assert answer.engine == "quotes"
    assert answer.seconds > 0


@pytest.mark.parametrize("question", FACTS)
def test_a_single_fact_takes_at_most_eighty_words(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    check(answer, assistant.library)
    assert len(re.sub(r"\[\d+\]", "", answer.text).split()) <= 80


@pytest.mark.parametrize("question", [FACT, *SAMPLE[:3]])
def test_the_same_question_has_the_same_answer(assistant: Assistant, question: str) -> None:
    first, second = assistant.ask(question), Assistant(assistant.library).ask(question)
    assert timeless(first) == timeless(second)
    assert first.record_id != second.record_id


@pytest.mark.parametrize("question", ODD.values(), ids=ODD)
def test_no_question_is_too_odd(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    check(answer, assistant.library)
    json.dumps(answer.to_dict())
    assert assistant.library.record(answer.record_id).answer["text"] == answer.text
    assistant.library.search(question, k=3)


def test_a_question_that_was_cut_says_so(assistant: Assistant) -> None:
    assert any("cut" in note for note in assistant.ask(ODD["long"]).notes)


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "filters", "reason"),
    [
        ("Hello there!", {}, "not_a_question_for_the_corpus"),
        ("What is the melting point of tungsten carbide?", {}, "nothing_relevant"),
        ("What learning rate was used to train ExPO?", {}, "not_stated"),
        ("Who wrote about volcanic ash?", {}, "nothing_relevant"),
        ("Who wrote about negative prompts?", {}, "not_stated"),
        (FACT, {"year": 1900}, "filter_matched_nothing"),
        (FACT, {"ids": []}, "filter_matched_nothing"),
    ],
)
def test_each_kind_of_refusal(assistant: Assistant, question: str, filters: dict[str, object], reason: str) -> None:
    answer = assistant.ask(question, filters=filters)
    check(answer, assistant.library)
    assert answer.abstention is not None
    assert answer.abstention.reason == reason


def test_a_refusal_offers_papers_unless_there_are_none(assistant: Assistant, tmp_path: Path) -> None:
    refused = assistant.ask("What is the melting point of tungsten carbide?").abstention
    assert refused is not None
    assert refused.nearest_papers
    with Library.open(tmp_path / "empty") as empty:
        answer = Assistant(empty).ask(FACT)
    assert answer.abstention is not None
    assert answer.abstention.nearest_papers == ()
    assert "ibid add" in answer.text


# --- filters ----------------------------------------------------------------------------------------------------------


def test_answers_come_from_the_papers_that_a_filter_leaves(tmp_path: Path) -> None:
    with tiny_library(tmp_path) as library:
        assistant = Assistant(library, settings=Settings.load(strictness="lenient"))
        for year in (2019, 2023, 2024):
            answer = assistant.ask("How large was the effect?", filters={"year": year})
            check(answer, library)
            papers = [c.paper for c in answer.citations] or list(answer.abstention.nearest_papers)  # type: ignore[union-attr]  # one or the other
            assert papers
            assert {paper.year for paper in papers} == {year}


@pytest.mark.parametrize("filters", [{"colour": "red"}, {"year": "soon"}, {"author": []}, {"tag": 3}])
def test_a_filter_that_is_none_is_an_error(assistant: Assistant, filters: dict[str, object]) -> None:
    with pytest.raises(FilterError):
        assistant.ask(FACT, filters=filters)


# --- ways of asking ---------------------------------------------------------------------------------------------------


def events_of(stream: Iterator[Event]) -> list[Event]:
    return list(stream)


def test_streaming_tells_the_same_in_pieces(assistant: Assistant) -> None:
    for question in (FACT, "Hello there!", "Which papers propose a prompting method?"):
        events = events_of(assistant.stream(question))
        assert isinstance(events[0], Retrieved)
        assert isinstance(events[-1], Finished)
        answer = events[-1].answer
        assert "".join(event.text for event in events if isinstance(event, Token)) == answer.text
        assert tuple(event.claim for event in events if isinstance(event, ClaimVerified)) == answer.claims
        assert timeless(answer) == timeless(assistant.ask(question))


def test_asking_inside_a_running_loop(assistant: Assistant) -> None:
    async def notebook() -> tuple[Answer, Answer, list[Event], list[Event]]:
        awaited = await assistant.aask(FACT)
        streamed = [event async for event in assistant.astream(FACT)]
        return assistant.ask(FACT), awaited, list(assistant.stream(FACT)), streamed

    blocking, awaited, pulled, streamed = asyncio.run(notebook())
    assert timeless(blocking) == timeless(awaited)
    assert [type(event) for event in pulled] == [type(event) for event in streamed]


def test_many_at_once(assistant: Assistant) -> None:
    async def all_of_them() -> list[Answer]:
        return await asyncio.gather(*(assistant.aask(question) for question in SAMPLE[:6]))

    together = asyncio.run(all_of_them())
    assert [answer.question for answer in together] == SAMPLE[:6]
    assert timeless(together[0]) == timeless(assistant.ask(SAMPLE[0]))


def test_a_stream_may_be_left_early(assistant: Assistant) -> None:
    for event in assistant.stream(FACT):
        if isinstance(event, Token):
            break
    assert assistant.ask(FACT).status == "answered"


def test_as_a_runnable(assistant: Assistant) -> None:
    runnable = assistant.as_runnable()
    assert timeless(runnable.invoke(FACT)) == timeless(assistant.ask(FACT))
    refused = runnable.invoke({"question": FACT, "filters": {"year": 1900}})
    assert refused.abstention is not None
    assert timeless(asyncio.run(runnable.ainvoke(FACT))) == timeless(assistant.ask(FACT))
    assert [answer.status for answer in runnable.batch([FACT, "Hello!"])] == ["answered", "abstained"]


def test_as_a_retriever(bundled: Library) -> None:
    found = bundled.as_retriever(k=3).invoke(FACT)
    assert "ExPO" in found[0].metadata["title"]
    for document in found:
        paper = bundled.paper(document.metadata["paper_id"])
        assert paper.abstract[document.metadata["start"] : document.metadata["end"]] == document.page_content
    assert len({document.metadata["paper_id"] for document in found}) <= 3


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_record_tells_everything_and_holds(assistant: Assistant) -> None:
    answer = assistant.ask(FACT, filters={"source": "huggingface"})
    record = assistant.library.record(answer.record_id)
    assert record.question == FACT
    assert record.answer == answer.to_dict()
    assert record.filters["sources"] == ["huggingface"]
    assert record.versions
    assert record.settings["chat_model"] == "quotes"
    shown = {(item.paper_id, item.start, item.end, item.text) for item in record.evidence}
    assert {(c.paper.id, c.start, c.end, c.quote) for c in answer.citations} <= shown
    assert set(record.papers) >= {citation.paper.id for citation in answer.citations}
    assert check_record(assistant.library, answer.record_id).ok


def test_a_record_is_enough_to_ask_again(assistant: Assistant) -> None:
    first = assistant.ask(FACT, filters={"source": "huggingface"})
    record = assistant.library.record(first.record_id)
    settings = Settings.load(**{name: value for name, value in record.settings.items() if value is not None})
    filters = {"source": list(record.filters["sources"])}
    again = Assistant(assistant.library, settings=settings).ask(record.query, filters=filters)
    assert timeless(again) == timeless(first)


def test_a_library_open_for_reading_answers_with_a_note(bundled_copy: Path) -> None:
    with Library.open(bundled_copy, read_only=True) as library:
        answer = Assistant(library).ask(FACT)
        check(answer, library)
        assert answer.status == "answered"
        assert any("left no record" in note for note in answer.notes)
        with pytest.raises(NotInLibrary):
            library.record(answer.record_id)


def test_without_a_selector(bundled: Library) -> None:
    answer = Assistant(bundled, selector=None).ask(FACT)
    check(answer, bundled)
    assert answer.status == "answered"


def test_settings_bound_the_answer(bundled: Library) -> None:
    answer = Assistant(bundled, settings=Settings.load(sentences=1)).ask("Which papers propose a prompting method?")
    check(answer, bundled)
    assert len(answer.claims) <= 1


def test_an_unknown_conversation_is_an_error(assistant: Assistant) -> None:
    with pytest.raises(IbidError, match="nonesuch"):
        assistant.ask(FACT, conversation="nonesuch")
    with pytest.raises(NotInLibrary):
        assistant.conversation("nonesuch")


@pytest.mark.parametrize("sort", ["coral reefs", "soil erosion", "violin acoustics"])
@pytest.mark.parametrize(
    "asked", ["papers about {}", "Is there anything here on {}?", "Do you have any studies of {}?"]
)
def test_a_list_of_what_no_paper_is_about_is_refused(assistant: Assistant, asked: str, sort: str) -> None:
    answer = assistant.ask(asked.format(sort))

    assert answer.abstention is not None
    assert answer.abstention.reason == "nothing_relevant"


@pytest.mark.parametrize("asked", ["papers about bandits", "Do you have anything about bandits?"])
def test_a_list_is_asked_for_in_many_forms(assistant: Assistant, asked: str) -> None:
    answer = assistant.ask(asked)

    assert len([paper for paper in {c.paper.title for c in answer.citations} if "Bandits" in paper]) == 2
