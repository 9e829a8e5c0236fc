"""Looking through the library's papers a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from assistant.errors import InputError
from assistant.library import Library
from assistant.storage.shelf import ORDERS, Wanted
from assistant.testing import HashEmbedder
from tests.stored_papers import paper, stored

PAPERS = [
    replace(paper(1), title="Zebra finches sing", authors=("Ada Byron",), year=2001, venue="Birds"),
    replace(paper(2), title="Ähren im Wind", authors=("Émile Zola", "Ada Byron"), year=1999, abstract=""),
    replace(paper(3), title="a small thing", authors=(), year=None, venue="Archive 100% open"),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("shelf"), embedder=HashEmbedder()) as made:
        made.write([stored(one) for one in PAPERS])
        yield made


def titles(library: Library, wanted: Wanted, offset: int = 0, limit: int = 50) -> list[str]:
    return [one.title.split()[0] for one in library.shelf.page(wanted, offset, limit).papers]


def test_papers_come_in_any_order_and_what_lacks_it_last(library: Library) -> None:
    assert titles(library, Wanted()) == ["Zebra", "Ähren", "a"]
    assert titles(library, Wanted(descending=True)) == ["a", "Ähren", "Zebra"]
    assert titles(library, Wanted(order="title")) == ["a", "Zebra", "Ähren"]
    assert titles(library, Wanted(order="year")) == ["Ähren", "Zebra", "a"]
    assert titles(library, Wanted(order="year", descending=True)) == ["Zebra", "Ähren", "a"]
    assert titles(library, Wanted(order="author")) == ["Zebra", "Ähren", "a"]
    assert titles(library, Wanted(order="venue"))[-1] == "Ähren"


def test_every_word_of_a_search_must_be_somewhere(library: Library) -> None:
    assert titles(library, Wanted("ada")) == ["Zebra", "Ähren"]
    assert titles(library, Wanted("ADA birds")) == ["Zebra"]
    assert titles(library, Wanted("ähren")) == ["Ähren"]
    assert titles(library, Wanted("1999")) == ["Ähren"]
    assert titles(library, Wanted("100%")) == ["a"]
    assert titles(library, Wanted(PAPERS[0].abstract.split()[0])) == ["Zebra"]
    assert titles(library, Wanted("%")) == ["a"]
    assert titles(library, Wanted("ada nobody")) == []


def test_pages_follow_one_another_and_tell_how_many_there_are(library: Library) -> None:
    for wanted in (Wanted(), Wanted("a", order="title")):
        whole = library.shelf.page(wanted)
        parts = [library.shelf.page(wanted, offset, 1) for offset in range(whole.total + 1)]
        assert tuple(one for part in parts for one in part.papers) == whole.papers
        assert {part.total for part in parts} == {3}


def test_ids_narrow_and_none_of_them_leaves_nothing(library: Library) -> None:
    assert titles(library, Wanted(ids=[PAPERS[1].id])) == ["Ähren"]
    assert titles(library, Wanted("ada", ids=[PAPERS[1].id, PAPERS[2].id])) == ["Ähren"]
    assert library.shelf.page(Wanted(ids=())).total == 0


def test_an_unknown_order_and_a_boundless_page_are_refused(library: Library) -> None:
    with pytest.raises(InputError, match=", ".join(ORDERS)):
        library.shelf.page(Wanted(order="shape"))  # type: ignore[arg-type]  # what a request may ask
    with pytest.raises(InputError, match="1 to 200"):
        library.shelf.page(Wanted(), 0, 100_000)


def test_mean_vectors_are_units_in_the_order_asked_for(library: Library) -> None:
    ids, rows = library.shelf.mean_vectors([PAPERS[2].id, "title:nobody", PAPERS[0].id])
    assert ids == (PAPERS[2].id, PAPERS[0].id)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    own = library.vectors([passage.id for passage in library.passages(PAPERS[0].id)])
    mean = np.mean(list(own.values()), axis=0)
    np.testing.assert_allclose(rows[1], mean / np.linalg.norm(mean), rtol=1e-4)


def test_the_stamp_changes_with_the_papers_only(library: Library) -> None:
    before = library.shelf.stamp()
    library.create_conversation()
    assert library.shelf.stamp() == before
    library.write([stored(paper(9))])
    assert library.shelf.stamp() != before
    assert library.remove([paper(9).id]) == 1
