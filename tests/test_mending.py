"""What becomes of sentences that their evidence does not carry: marked, repaired once, or replaced by a quote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.answers import Answer, ClaimVerified, Event, Finished, Token
from assistant.cli import cli
from assistant.engine import Assistant
from assistant.library import Library
from assistant.settings import Settings
from assistant.testing import ScriptedChatModel, tiny_library
from assistant.verifying import check_record
from tests.fake_openai import MODEL, FakeOpenAI, Script

QUESTION = "By how much did PromptLadder raise the pass rate?"
TRUE = "PromptLadder raised the pass rate by 12.5% [3]."
FALSE = "PromptLadder raised the pass rate of beginners by 64% on 99 laptops [3]."
LAST = "It did so with 8,349 students [3]."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with tiny_library(Path(tmp_path_factory.mktemp("tiny"))) as opened:
        yield opened


def events(library: Library, mode: str, *replies: str | Exception, **script: Any) -> list[Event]:
    told = Settings.load(strictness="lenient", on_failed_claim=mode)
    model = ScriptedChatModel(replies=list(replies), **script)
    return list(Assistant(library, model=model, settings=told).stream(QUESTION))


def consistent(found: list[Event]) -> Answer:
    """The answer, after the checks that hold in every mode: what was streamed is the final text and its claims."""
    assert isinstance(found[-1], Finished)
    answer = found[-1].answer
    assert "".join(event.text for event in found if isinstance(event, Token)) == answer.text
    assert tuple(event.claim for event in found if isinstance(event, ClaimVerified)) == answer.claims
    for claim in answer.claims:
        assert answer.text[claim.start : claim.end] == claim.text
        for citation in claim.citations:
            assert citation.paper.abstract[citation.start : citation.end] == citation.quote
            assert f"[{citation.key}]" in claim.text
    return answer


def kinds(answer: Answer, at: int) -> set[str]:
    return {finding.kind for finding in answer.claims[at].findings}


def test_by_default_a_failed_sentence_is_shown_marked(library: Library) -> None:
    assert Settings.load().on_failed_claim == "mark"
    answer = consistent(events(library, "mark", f"{TRUE} {FALSE} {LAST}"))
    assert answer.claims[1].verdict in ("unsupported", "contradicted")
    assert "64%" in answer.text
    assert library.record(answer.record_id).model["mended"] == []


def test_a_failed_sentence_is_repaired_once_and_says_so(library: Library) -> None:
    answer = consistent(events(library, "repair", f"{TRUE} {FALSE} {LAST}", "Students solved more tasks, 12.5% [3]."))
    record = library.record(answer.record_id)
    (mended,) = record.model["mended"]
    assert mended["said"] == FALSE
    if mended["how"] == "repaired":
        assert mended["proposed"] in answer.text.replace("[1]", "[3]")
    assert mended["verdict"] in ("unsupported", "contradicted")


def test_a_repair_that_holds_stands_with_both_texts_in_the_record(library: Library) -> None:
    answer = consistent(events(library, "repair", f"{TRUE} {FALSE} {LAST}", TRUE))
    assert [claim.verdict for claim in answer.claims] == ["supported", "supported", "supported"]
    assert "64%" not in answer.text
    assert "repaired" in kinds(answer, 1)
    assert FALSE in next(f.message for f in answer.claims[1].findings if f.kind == "repaired")
    record = library.record(answer.record_id)
    (mended,) = record.model["mended"]
    assert (mended["how"], mended["said"], mended["proposed"]) == ("repaired", FALSE, TRUE)
    assert record.model["spent"]["calls"] == 2
    assert record.model["draft"] == f"{TRUE} {FALSE} {LAST}"
    assert "repair" in record.prompts
    assert answer.notes == ("1 sentence was asked for again and repaired",)


@pytest.mark.parametrize(
    "again", [FALSE, "NOT STATED", "", "It ran on 128 GPUs in Canberra [3].", "<think>hm</think>", "[3]", "!!!"]
)
def test_a_repair_that_is_no_better_leaves_the_sentence_marked(library: Library, again: str) -> None:
    answer = consistent(events(library, "repair", f"{TRUE} {FALSE} {LAST}", again))
    assert "64%" in answer.text
    assert answer.claims[1].verdict in ("unsupported", "contradicted")
    assert "not_repaired" in kinds(answer, 1)
    assert answer.claims[2].verdict == "supported"


def test_a_model_that_fails_while_it_repairs_leaves_the_sentence_marked(library: Library) -> None:
    answer = consistent(events(library, "repair", f"{TRUE} {FALSE}", ConnectionError("gone")))
    assert "not_repaired" in kinds(answer, 1)
    assert answer.status == "answered"


def test_no_more_than_three_repairs_are_asked_for(library: Library) -> None:
    answer = consistent(events(library, "repair", " ".join([TRUE, *[FALSE] * 6]), TRUE))
    assert library.record(answer.record_id).model["spent"]["calls"] == 4
    assert [claim.verdict for claim in answer.claims[:4]] == ["supported"] * 4
    assert "64%" in answer.claims[4].text


def test_the_repair_is_told_what_is_wrong_and_where_to_look(library: Library) -> None:
    with FakeOpenAI(Script(f"{TRUE} {FALSE}"), Script(TRUE)) as server:
        told = Settings.load(
            strictness="lenient", chat_model=MODEL, chat_base_url=server.base_url, on_failed_claim="repair"
        )
        answer = consistent(list(Assistant(library, settings=told).stream(QUESTION)))
    assert [claim.verdict for claim in answer.claims] == ["supported", "supported"]
    first, second = (request["messages"] for request in server.requests)
    assert second[0] == first[0]  # the prefix that a server caches
    content = second[1]["content"]
    assert FALSE in content
    assert "64" in content.split("What is wrong:")[1]
    assert "nearest are [3]" in content
    assert library.record(answer.record_id).model["spent"]["input_tokens"] == 200


def test_a_reply_that_broke_off_is_not_repaired(library: Library) -> None:
    draft = f"{TRUE} {FALSE} {LAST}"
    answer = consistent(events(library, "repair", draft, TRUE, break_after=len(draft) - 5))
    assert library.record(answer.record_id).model["spent"]["calls"] == 1
    assert "64%" in answer.text
    assert answer.notes[0].startswith("incomplete")


def test_a_failed_sentence_is_replaced_by_the_quote_nearest_to_it(library: Library) -> None:
    answer = consistent(events(library, "replace", f"{TRUE} {FALSE} {LAST}"))
    claim = answer.claims[1]
    assert claim.verdict == "quoted"
    assert claim.citations[0].quote in claim.text
    assert kinds(answer, 1) == {"replaced"}
    assert FALSE in claim.findings[0].message
    assert "64%" not in answer.text
    record = library.record(answer.record_id)
    assert record.model["mended"][0]["said"] == FALSE
    assert answer.notes == ("1 sentence was replaced by a quote",)
    assert check_record(library, answer.record_id).ok


def test_a_quote_is_not_told_twice_and_what_nothing_comes_near_stays_marked(library: Library) -> None:
    answer = consistent(events(library, "replace", f"{TRUE} Canberra is a quiet capital [3]."))
    assert "Canberra" in answer.text
    assert "not_replaced" in kinds(answer, 1)
    answer = consistent(events(library, "replace", f"{TRUE} {FALSE} {FALSE} {FALSE} {FALSE} {FALSE}"))
    quotes = [claim.text for claim in answer.claims if claim.verdict == "quoted"]
    assert len(quotes) == len(set(quotes))


def test_the_command_line_asks_for_a_mode_and_shows_what_was_done(tmp_path: Path) -> None:
    tiny_library(tmp_path / "tiny").close()
    with FakeOpenAI(Script(f"{TRUE} {FALSE} It was quick, they say [3].")) as server:
        given = [
            "ask",
            QUESTION,
            "--library",
            str(tmp_path / "tiny"),
            "--model",
            MODEL,
            "--base-url",
            server.base_url,
        ]
        marked = CliRunner().invoke(cli, given)
        replaced = CliRunner().invoke(cli, [*given, "--on-failed", "replace"])
        wrong = CliRunner().invoke(cli, [*given, "--on-failed", "hide"])
    assert marked.exit_code == replaced.exit_code == 0
    assert "quoted, replaced" not in marked.output
    assert "! unsupported: “" in marked.output or "! contradicted: “" in marked.output
    assert "! quoted, replaced: “" in replaced.output
    assert "replaced by a quote." in replaced.output
    assert wrong.exit_code == 2


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mode=st.sampled_from(["mark", "repair", "replace"]),
    draft=st.lists(st.sampled_from([TRUE, FALSE, LAST, "Sure!", "It is so [99].", "\n- Canberra grew."]), min_size=1),
    again=st.sampled_from([TRUE, FALSE, "NOT STATED", "", "Line one [3]\nline two [2]."]),
    piece=st.integers(1, 60),
)
def test_in_every_mode_each_sentence_of_the_draft_has_its_claim(
    library: Library, mode: str, draft: list[str], again: str, piece: int
) -> None:
    found = events(library, mode, " ".join([TRUE, *draft]), again, piece=piece)
    answer = consistent(found)
    assert len(answer.claims) >= len([text for text in draft if text != "Sure!"])
    if "It is so [99]." in draft and mode == "mark":
        assert any(f.kind == "unknown_citation" for claim in answer.claims for f in claim.findings)
        assert "[?99]" in answer.text
