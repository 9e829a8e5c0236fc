"""Papers named by the user's own keys, and notes of retraction beside what is quoted of them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from assistant.engine import Assistant
from assistant.filters import Filters
from assistant.keyed import keyed
from assistant.library import Library
from assistant.settings import Settings
from assistant.testing import HashEmbedder
from ingest import add

_BIB = """
@article{smith2020, title={Sleep and Memory in Adults}, author={Smith, Ann}, year={2020}, doi={10.1000/s},
  abstract={We tested sleep in 40 adults. Longer sleep improved memory by 12 percent.}}
@article{jones:21/a, title={Sleep and Memory in Mice}, author={Jones, Bo}, year={2021}, doi={10.1000/j},
  abstract={We tested sleep in 60 mice. Longer sleep improved memory by 30 percent.}}
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library.open(tmp_path / "library", embedder=HashEmbedder())
    add(library, io.BytesIO(_BIB.encode()))
    return library


def test_a_key_stands_for_its_paper(library: Library) -> None:
    asked, filters = keyed(library, "By how much did memory improve in @smith2020?", Filters())
    assert asked == "By how much did memory improve in “Sleep and Memory in Adults”?"
    assert filters.ids == ("doi:10.1000/s",)
    asked, filters = keyed(library, "Compare @smith2020, and @jones:21/a.", Filters())
    assert filters.ids == ("doi:10.1000/s", "doi:10.1000/j")
    assert asked.endswith("“Sleep and Memory in Mice”.")


@pytest.mark.parametrize(
    "question", ["Write to me@smith2020 now", "What of @nobody1999?", "@", "plain", "@@smith2020"]
)
def test_what_is_no_key_is_left_alone(library: Library, question: str) -> None:
    assert keyed(library, question, Filters()) == (question, Filters())


def test_a_key_outside_the_filter_matches_nothing(library: Library) -> None:
    _, filters = keyed(library, "@smith2020", Filters.parse({"year": 2021}))
    assert library.matching_ids(filters) == set()


def test_search_and_answers_keep_to_the_paper_that_is_named(library: Library) -> None:
    assert [hit.paper.citekey for hit in library.search("sleep and memory @jones:21/a")] == ["jones:21/a"]
    assistant = Assistant(library, settings=Settings.load(strictness="lenient"))
    answer = assistant.ask("By how much did longer sleep improve memory in @jones:21/a?")
    assert {citation.paper.citekey for citation in answer.citations} == {"jones:21/a"}
    assert answer.question.endswith("@jones:21/a?")


def test_a_retracted_paper_is_quoted_with_a_note(library: Library) -> None:
    retracted = {
        "DOI": "10.1000/j", "title": ["Sleep and Memory in Mice"], "publisher": "P", "author": [{"given": "Bo", "family": "Jones"}],
        "abstract": "We tested sleep in 60 mice. Longer sleep improved memory by 30 percent.",
        "update-to": [], "updated-by": [{"DOI": "10.1000/r", "type": "retraction", "label": "Retraction",
                                         "updated": {"date-parts": [[2022, 3, 1]]}}],
    }  # fmt: skip
    add(library, io.BytesIO(json.dumps(retracted).encode() + b"\n"))
    (notice,) = library.paper("10.1000/j").notices
    assert "etract" in notice
    answer = Assistant(library, settings=Settings.load(strictness="lenient")).ask(
        "By how much did sleep help in @jones:21/a?"
    )
    assert answer.status == "answered"
    assert any("Sleep and Memory in Mice" in note and "etract" in note for note in answer.notes)
