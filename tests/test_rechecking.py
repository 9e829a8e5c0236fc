"""A stored answer is checked again: a claim that is its quotes stays quoted, in whatever form it was shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from assistant import Library, Paper
from assistant.testing import HashEmbedder, tiny_library
from assistant.verifying import check_record

STORED = "PromptLadder raised the pass rate by 12.5\\% over  the ``plain'' prompt."
SHOWN = 'PromptLadder raised the pass rate by 12.5% over the "plain" prompt'


@pytest.fixture
def library(tmp_path: Path) -> Library:
    paper = Paper(id="title:p", title="Ladders of prompts", abstract=STORED)
    return tiny_library(tmp_path / "library", papers=[paper], embedder=HashEmbedder(16))


def _checked(library: Library, text: str) -> set[str]:
    abstract = next(iter(library.papers())).abstract
    citation: Mapping[str, Any] = {
        "key": "1",
        "paper": {"id": "title:p", "title": "Ladders of prompts"},
        "start": 0,
        "end": len(abstract),
        "quote": abstract,
    }
    claim = {"text": text, "start": 0, "end": len(text), "verdict": "quoted", "citations": [citation]}
    answer = {"text": text, "claims": [claim], "citations": [citation], "engine": "local"}
    library.save_record(
        {
            "id": "r",
            "question": "q",
            "query": "q",
            "engine": "local",
            "answer": json.loads(json.dumps(answer)),
            "filters": {},
            "settings": {},
            "versions": {},
            "evidence": [],
            "conversation_id": None,
            "decision": {},
        }
    )
    return {finding.kind for finding in check_record(library, "r").findings}


@pytest.mark.parametrize("text", [f"{SHOWN} [1].", f"{SHOWN}. [1]", f"{SHOWN[:25]} [1]{SHOWN[25:]}."])
def test_a_quote_that_cleaning_changes_is_still_its_quote(library: Library, text: str) -> None:
    assert "not_verbatim" not in _checked(library, text)


def test_a_quote_as_stored_is_its_quote(library: Library) -> None:
    assert "not_verbatim" not in _checked(library, f"{next(iter(library.papers())).abstract} [1]")


@pytest.mark.parametrize("text", ["PromptLadder raised the pass rate by 15.2% [1].", f"{SHOWN[:30]} [1].", "[1]"])
def test_other_words_are_not(library: Library, text: str) -> None:
    assert "not_verbatim" in _checked(library, text)
