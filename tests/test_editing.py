"""The user's own word on a paper: it wins over every source, it is found, and it can be taken back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.editing import Changes, written
from assistant.errors import InputError
from assistant.library import Library
from assistant.testing import HashEmbedder
from ingest import add
from ingest.editing import edit

_A = {"title": "The Great Paper", "abstract": "We study one thing. It works.", "doi": "10.1000/a", "tags": ["ml"]}
_B = {"title": "Another Long Paper", "abstract": "Something else altogether.", "doi": "10.1000/b"}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", embedder=HashEmbedder()) as library:
        _add(library, _A, _B)
        yield library


def _add(library: Library, *records: dict[str, Any]) -> tuple[int, int, int]:
    report = add(library, io.BytesIO("\n".join(map(json.dumps, records)).encode()))
    return report.added, report.updated, report.unchanged


def test_edits_win_over_sources_until_they_are_reset(library: Library) -> None:
    edit(library, "10.1000/a", Changes({"title": "My Title", "year": 1999}, tags=("read",), untags=("ml",)))
    found = library.paper("10.1000/a")
    assert (found.title, found.year, found.tags) == ("My Title", 1999, ("read",))
    assert _add(library, _A) == (0, 0, 1)
    assert _add(library, {**_A, "year": 2020, "venue": "V", "tags": ["ml", "nlp"]}) == (0, 1, 0)
    found = library.paper("10.1000/a")
    assert (found.title, found.year, found.venue, found.tags) == ("My Title", 1999, "V", ("nlp", "read"))
    edit(library, "10.1000/a", Changes(reset=("year", "tags")))
    found = library.paper("10.1000/a")
    assert (found.title, found.year, found.tags) == ("My Title", 2020, ("ml", "nlp"))
    edit(library, "10.1000/a", Changes(reset_all=True))
    assert library.paper("10.1000/a").title == "The Great Paper"
    assert library.editions.edits(["doi:10.1000/a"]) == {}


def test_an_edited_abstract_is_cut_anew_and_stays(library: Library) -> None:
    edit(library, "10.1000/a", Changes({"abstract": "Mine. Two sentences."}))
    assert _add(library, {**_A, "abstract": "The source's new text."}) == (0, 1, 0)
    paper = library.paper("10.1000/a")
    assert paper.abstract == "Mine. Two sentences."
    assert all(paper.abstract[p.start : p.end] == p.text for p in library.passages(paper.id))
    edit(library, "10.1000/a", Changes(reset=("abstract",)))
    paper = library.paper("10.1000/a")
    assert paper.abstract == "The source's new text."
    assert all(paper.abstract[p.start : p.end] == p.text for p in library.passages(paper.id))


def test_notes_and_tags_are_searched_and_filtered_by(library: Library) -> None:
    edit(library, "10.1000/b", Changes({"note": "Großes Zebrafish rebuttal"}, tags=("quokka",)))
    for words in ("zebrafish", "quokka"):
        assert library.lexical(words, 5)[0][0].startswith("doi:10.1000/b#")
        assert library.search(words)[0].paper.id == "doi:10.1000/b"
    assert library.matching_ids({"note": "GROSSES zebra"}) == {"doi:10.1000/b"}
    assert library.matching_ids({"tag": "Quokka"}) == {"doi:10.1000/b"}
    assert library.matching_ids({"note": "absent"}) == set()
    _add(library, {**_B, "year": 2021})
    assert library.paper("10.1000/b").note == "Großes Zebrafish rebuttal"
    assert library.lexical("zebrafish", 5)
    edit(library, "10.1000/b", Changes(reset=("note", "tags")))
    assert library.lexical("zebrafish", 5) == []
    assert library.lexical("quokka", 5) == []


def test_which_source_gave_each_field_is_known(library: Library, tmp_path: Path) -> None:
    (tmp_path / "one.bib").write_text(
        "@article{lee2020, title={A Work of Three Files}, abstract={Text.}, author={Lee, Ann}, doi={10.1000/c}}"
    )
    (tmp_path / "two.csv").write_text("title,abstract,doi,year,venue\nA Work of Three Files,Text.,10.1000/c,2020,V\n")
    (tmp_path / "three.bib").write_text(
        "@article{lee20, title={A work of three files}, abstract={Other.}, author={Lee, Ann}, eprint={2001.00001}}"
    )
    add(library, tmp_path / "one.bib")
    add(library, tmp_path / "two.csv", tmp_path / "three.bib")
    paper = library.paper("2001.00001")
    assert paper.id == "doi:10.1000/c"
    edit(library, paper.id, Changes({"venue": "W"}, tags=("x",)))
    told = library.editions.provenance(paper.id)
    assert {name: origin.partition(":")[2] or origin for name, origin in told.items()} == {
        "title": "one.bib", "abstract": "one.bib", "authors": "one.bib", "doi": "one.bib", "citekey": "one.bib",
        "year": "two.csv", "venue": "you", "arxiv_id": "three.bib", "tags": "you",
        "details.type": "one.bib",
    }  # fmt: skip
    assert library.editions.citekeys(paper.id) == ("lee2020", "lee20")
    assert library.paper("@lee20").id == library.paper("lee2020").id == paper.id
    assert library.matching_ids({"ids": ["@lee20"]}) == {paper.id}


@pytest.mark.parametrize(
    "changes",
    [
        Changes({"title": ""}),
        Changes({"abstract": None}),
        Changes({"colour": "red"}),
        Changes(reset=("id",)),
        Changes(tags=(" ",)),
    ],
)
def test_what_cannot_be_edited_is_said_and_changes_nothing(library: Library, changes: Changes) -> None:
    before = library.paper("10.1000/a")
    with pytest.raises(InputError):
        edit(library, "10.1000/a", changes)
    assert library.paper("10.1000/a") == before


def test_the_publication_lends_its_year_and_venue_to_the_preprint(library: Library) -> None:
    preprint = {"title": "One Work in Two Places", "abstract": "T.", "arxiv_id": "2001.00001", "year": 2020,
                "venue": "arXiv", "authors": ["Ann Lee"]}  # fmt: skip
    published = {"title": "One work in two places", "abstract": "U.", "doi": "10.1000/p", "year": 2021,
                 "venue": "Nature", "authors": ["Lee, A."]}  # fmt: skip
    for first, second in ((preprint, published), (published, preprint)):
        library.remove(["10.1000/p"]) if library.find([("doi", "10.1000/p")]) else None
        _add(library, first)
        _add(library, second)
        for again in (preprint, published, preprint):
            _add(library, again)
        paper = library.paper("2001.00001")
        assert paper == library.paper("10.1000/p")
        assert (paper.year, paper.venue, paper.doi, paper.arxiv_id) == (2021, "Nature", "10.1000/p", "2001.00001")
        assert paper.abstract == first["abstract"]


def test_details_are_edited_by_their_names_and_given_back(library: Library, tmp_path: Path) -> None:
    source = tmp_path / "one.bib"
    source.write_text(
        "@article{a, title={A Work of Volumes}, abstract={Text.}, doi={10.1000/v}, journal={J}, volume={1}, pages={2--3}}"
    )
    add(library, source)
    paper = edit(library, "10.1000/v", Changes(written({"volume": " 12 ", "page": "", "month": "03"})))
    assert paper.details == (("month", "3"), ("type", "article-journal"), ("volume", "12"))
    source.write_text(source.read_text().replace("volume={1}", "volume={2}, number={7}"))
    add(library, source)
    assert dict(library.paper("10.1000/v").details) == {
        "month": "3",
        "type": "article-journal",
        "volume": "12",
        "issue": "7",
    }
    told = library.editions.provenance("doi:10.1000/v")
    assert (told["details.volume"], told["details.issue"]) == ("you", "bibtex:one.bib")
    assert "details.page" not in told
    back = edit(library, "10.1000/v", Changes(reset=("volume", "page", "month")))
    assert dict(back.details) == {"type": "article-journal", "volume": "2", "issue": "7", "page": "2-3"}
    for wrong in ({"type": "novel"}, {"month": "13"}, {"publisher": "x" * 301}):
        with pytest.raises(InputError):
            written(wrong)
