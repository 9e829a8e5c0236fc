"""Values to filter by, and conversations cut short."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant.errors import InputError, NotInLibrary
from assistant.library import Library
from assistant.storage.facets import FIELDS
from assistant.testing import HashEmbedder, tiny_library


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with tiny_library(tmp_path_factory.mktemp("facets"), embedder=HashEmbedder()) as made:
        yield made


def test_values_come_with_the_number_of_papers_that_a_filter_for_them_leaves(library: Library) -> None:
    assert [facet.value for facet in library.facets("year")] == ["2019", "2023", "2024"]
    for field in ("year", "author", "source", "venue", "category", "tag"):
        for facet in library.facets(field):
            assert library.count({field: facet.value}) == facet.papers
    for facet in library.facets("paper"):
        assert library.count({"ids": [facet.value]}) == 1


def test_values_are_narrowed_by_what_they_hold_in_any_case(library: Library) -> None:
    assert [facet.value for facet in library.facets("author", "EXAMPLE")] == ["Ada Example"]
    assert [facet.label for facet in library.facets("paper", "lichens")] == [
        "On the Growth of Lichens under Artificial Light"
    ]
    assert library.facets("author", "nobody") == ()
    assert len(library.facets("author", limit=2)) == 2


def test_an_unknown_field_is_refused_by_name(library: Library) -> None:
    with pytest.raises(InputError, match="cannot filter by 'colour'"):
        library.facets("colour")  # type: ignore[arg-type]  # what a request may hold
    assert len(FIELDS) == 7


def test_a_conversation_is_cut_and_goes_on(library: Library) -> None:
    conversation = library.create_conversation()
    for number in range(4):
        library.append_turn(conversation, f"question {number}", "", f"r{number}")
    assert [turn.record_id for turn in library.cut_conversation(conversation, 2)] == ["r2", "r3"]
    library.append_turn(conversation, "another", "", "r9")
    assert [turn.record_id for turn in library.conversation_turns(conversation)] == ["r0", "r1", "r9"]
    assert library.cut_conversation(conversation, 3) == ()
    with pytest.raises(NotInLibrary):
        library.cut_conversation("nowhere", 0)
