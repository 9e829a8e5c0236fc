"""Ibid without its guards, as a system of the evals: whatever the model says is shown and read for its markers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import InputError
from assistant.library import Library
from assistant.testing import tiny_library
from evals.baselines import Options, maker
from evals.cases import Case
from evals.responses import Response
from tests.fake_openai import MODEL, FakeOpenAI, Script

CASE = Case("c", "c", "dev", "fact", ("By how much did PromptLadder raise the pass rate?",), ("PromptLadder",))
ABSENT = Case("a", "a", "dev", "unanswerable", ("How do I bake rye bread?",), (), answerable=False)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with tiny_library(tmp_path) as opened:
        yield opened


def asked(library: Library, text: str, case: Case = CASE) -> tuple[Response, FakeOpenAI]:
    with FakeOpenAI(Script(text)) as server:
        system = maker("unguarded", Options(server.base_url, MODEL))(library)
        return system.respond(case), server


def test_what_is_said_is_shown_with_the_sentences_that_its_markers_name(library: Library) -> None:
    found, server = asked(library, "PromptLadder raised it by 99% [3].")
    assert (found.status, found.text) == ("answered", "PromptLadder raised it by 99% [3].")
    assert [(cited.key, cited.title[:12]) for cited in found.citations] == [("3", "PromptLadder")]
    assert found.citations[0].quote is not None
    assert "12.5" in found.citations[0].quote
    assert found.usage.output_tokens == 20
    roles = [message["role"] for message in server.requests[0]["messages"]]
    assert roles == ["system", "user"]


def test_nothing_is_refused_before_the_model_is_asked(library: Library) -> None:
    found, server = asked(library, "At 240 degrees.", ABSENT)
    assert (found.status, len(server.requests)) == ("answered", 1)
    assert asked(library, "NOT STATED", ABSENT)[0].status == "abstained"


def test_it_needs_a_server(library: Library) -> None:
    with pytest.raises(InputError, match="--base-url and --model"):
        maker("unguarded", Options())
