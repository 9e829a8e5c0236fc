"""Filters: what is understood is understood exactly, and everything else is an error rather than every paper."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import FilterError
from assistant.filters import FILTER_KEYS, Filters
from assistant.library import Library
from tests.stored_papers import EMBEDDER, paper, stored

NAMES = st.text(min_size=1, max_size=20).map(str.strip).filter(bool)
YEARS = st.integers(1000, 2999)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (2020, (2020, 2020)),
        ("2020", (2020, 2020)),
        ("=2020", (2020, 2020)),
        ("2019-2021", (2019, 2021)),
        ("2019 – 2021", (2019, 2021)),
        ("2019..2021", (2019, 2021)),
        ("2019:2021", (2019, 2021)),
        ("2019-", (2019, None)),
        ("-2021", (None, 2021)),
        (">=2019", (2019, None)),
        ("> 2019", (2020, None)),
        ("<=2019", (None, 2019)),
        ("<2019", (None, 2018)),
        ([2019, 2021], (2019, 2021)),
        ((None, 2021), (None, 2021)),
    ],
)
def test_years(value: object, bounds: tuple[int | None, int | None]) -> None:
    filters = Filters.parse({"year": value})
    assert (filters.year_from, filters.year_to) == bounds


@pytest.mark.parametrize(
    "value", ["", "-", "soon", "20200", "2021-2019", True, None, [2020], [1, 2, 3], {}, 2020.5, "2020 2021"]
)
def test_years_that_are_none(value: object) -> None:
    with pytest.raises(FilterError):
        Filters.parse({"year": value})


@given(YEARS, YEARS)
def test_a_range_in_every_spelling_is_the_same(one: int, other: int) -> None:
    first, last = sorted((one, other))
    spellings: list[object] = [f"{first}-{last}", f"{first}..{last}", [first, last], f" {first} : {last} "]
    assert {Filters.parse({"year": spelling}) for spelling in spellings} == {Filters(year_from=first, year_to=last)}


@given(st.fixed_dictionaries({}, optional={key: st.lists(NAMES, min_size=1, max_size=3) for key in FILTER_KEYS[1:]}))
def test_names_come_back_as_they_went_in(given_: dict[str, list[str]]) -> None:
    filters = Filters.parse(given_)
    fields = {"author": filters.authors, "venue": filters.venues, "category": filters.categories, "tag": filters.tags}
    fields |= {"source": filters.sources, "note": filters.notes, "ids": filters.ids or ()}
    assert {key: list(values) for key, values in fields.items() if values} == given_
    assert Filters.parse(filters) is filters
    assert filters.empty == (not given_)


@given(st.dictionaries(st.sampled_from(FILTER_KEYS) | st.text(max_size=6), ANYTHING, max_size=3))
def test_anything_is_understood_or_refused(given_: dict[str, Any]) -> None:
    try:
        filters = Filters.parse(given_)
    except FilterError:
        return
    assert filters.empty == (not given_)


@given(st.lists(st.text(max_size=12), max_size=3))
def test_any_options_are_understood_or_refused(options: list[str]) -> None:
    try:
        filters = Filters.parse_options(options)
    except FilterError:
        return
    assert filters.empty == (not options)


def test_options_add_up() -> None:
    options = ["author=Lee", "year=2020-2024", "author= Ek ", "tag=a=b"]
    assert Filters.parse_options(options) == Filters(2020, 2024, authors=("Lee", "Ek"), tags=("a=b",))
    for wrong in (["year=2020", "year=2021"], ["year"], ["=x"], ["author="]):
        with pytest.raises(FilterError):
            Filters.parse_options(wrong)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    opened = Library.open(tmp_path_factory.mktemp("filtered"), embedder=EMBEDDER)
    papers = [
        paper(1, year=2019, authors=("Ann Lee",), venue="J. of Things", tags=("a",), categories=("cs.CL",)),
        paper(2, year=2021, authors=("Bo Ek", "Ann Lee"), doi="10.1000/two", citekey="ek2021"),
        paper(3, source="bibtex:refs.bib", arxiv_id="2001.00001"),
    ]
    opened.write([stored(one) for one in papers])
    return opened


@pytest.mark.parametrize(
    ("given_", "numbers"),
    [
        (None, {1, 2, 3}),
        ({}, {1, 2, 3}),
        ({"year": 2019}, {1}),
        ({"year": "2000-"}, {1, 2}),
        ({"author": "lee"}, {1, 2}),
        ({"author": ["Ek", "Nobody"]}, {2}),
        ({"author": "lee", "year": 2021}, {2}),
        ({"venue": "things"}, {1}),
        ({"category": "cs.CL"}, {1}),
        ({"category": "cs"}, set()),
        ({"tag": "A"}, {1}),
        ({"source": "refs"}, {3}),
        ({"ids": ["title:1", "10.1000/two", "2001.00001"]}, {1, 2, 3}),
        ({"ids": "ek2021"}, {2}),
        ({"ids": []}, set()),
        ({"author": "%"}, set()),
        ({"author": "_nn"}, set()),
    ],
)
def test_what_a_filter_leaves(library: Library, given_: dict[str, object] | None, numbers: set[int]) -> None:
    ids = {f"title:{number}" for number in numbers}
    assert {found.id for found in library.papers(given_)} == ids
    assert library.count(given_) == len(ids)
    assert {hit.paper.id for hit in library.search("paper", k=10, filters=given_)} <= ids


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(FILTER_KEYS), st.text(min_size=1, max_size=10), min_size=1, max_size=2))
def test_no_filter_of_a_caller_breaks_the_query(library: Library, given_: dict[str, str]) -> None:
    try:
        filters = Filters.parse(given_)
    except FilterError:
        return
    assert library.count(filters) <= 3
