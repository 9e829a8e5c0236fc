"""Real exports, whole: every file comes in, with the number of its papers, and what does not is named."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from assistant.identity import Identifier, paper_id
from ingest.records import Record, Rejected
from ingest.sources import detect, read

_DATA = Path(__file__).parent / "data" / "importers"
_SHARED = (
    Path(__file__).parents[2] / "shared" / "datasets" / "importers"
)  # larger files of the same kind, where there are

# File: format, papers, and how often each reason.
_FILES: dict[str, tuple[str, int, dict[str, int]]] = {
    "arxiv_snapshot.json": ("json", 1, {}),
    "baseline_empty_values.ris": ("ris", 0, {"no title": 2, "no abstract": 2}),
    "baseline_reference_types.ris": ("ris", 0, {"no title": 61}),
    "baseline_tag-notes.ris": ("ris", 0, {"no title": 11, "no abstract": 1}),
    "baseline_tag-notes_labels.ris": ("ris", 0, {"no abstract": 32}),
    "baseline_tag-notes_zotero.ris": ("ris", 0, {"no abstract": 4}),
    "baseline_tag_and_field_definitions.ris": ("ris", 1, {}),
    "baseline_tag_and_field_definitions_lists.ris": ("ris", 0, {"no title": 1}),
    "duplicate_records.csv": ("table", 10, {"no title": 4}),
    "embase.csv": ("table", 6, {}),
    "embase.ris": ("ris", 6, {}),
    "embase_newpage.csv": ("table", 6, {}),
    "faulty_year.ris": ("ris", 1, {}),
    "generic.csv": ("table", 2, {}),
    "generic_column_names_with_spaces.csv": ("table", 2, {}),
    "generic_labels_no_abs.csv": ("table", 0, {"no abstract": 6}),
    "generic_labels_no_title.csv": ("table", 0, {"no title": 6}),
    "generic_semicolon.csv": ("table", 2, {}),
    "generic_tab.csv": ("table", 2, {}),
    "generic_tab.tab": ("table", 2, {}),
    "generic_tab.tsv": ("table", 2, {}),
    "missing_values.csv": ("table", 0, {"no title": 2, "no abstract": 2}),
    "ovid_psycinfo.ris": ("ris", 6, {}),
    "ovid_zotero.ris": ("ris", 6, {}),
    "proquest.ris": ("ris", 6, {}),
    "pubmed_endnote.txt": ("ris", 6, {}),
    "pubmed_zotero.ris": ("ris", 6, {}),
    "record_id.csv": ("table", 10, {}),
    "ris_issue_1099.txt": ("ris", 7, {}),
    "ris_issue_992.txt": ("ris", 8, {"no abstract": 11}),
    "web_of_science.txt": ("ris", 10, {}),
    "zotero_library.csv": ("table", 5, {}),
    "zotero_library.ris": ("ris", 5, {}),
}
_LARGER = {
    "asreview/_baseline.ris": (98, {"no abstract": 2}),
    "asreview/baseline_zotero.ris": (98, {"no abstract": 2}),
    "asreview/scopus.ris": (6, {}),
    "asreview/generic_labels.csv": (6, {}),
    "asreview/generic_bad_record_id.csv": (6, {}),
    "asreview/generic_partial_labels.csv": (6, {}),
    "arxiv_atom/arxiv_response_1601.00001.xml": (1, {}),
}


def _records(name: str) -> list[Record]:
    return [item for item in read(_DATA / name) if isinstance(item, Record)]


def _counted(path: Path) -> tuple[int, dict[str, int]]:
    items = list(read(path))
    reasons = Counter(item.reason.partition(" (")[0] for item in items if isinstance(item, Rejected))
    return sum(isinstance(item, Record) for item in items), dict(reasons)


def test_every_file_is_expected() -> None:
    assert {path.name for path in _DATA.iterdir()} - {"SOURCE.txt"} == set(_FILES)


@pytest.mark.parametrize("name", sorted(_FILES))
def test_every_record_of_a_file_comes_in_or_is_named(name: str) -> None:
    kind, papers, reasons = _FILES[name]
    assert kind == detect((_DATA / name).read_text(encoding="utf-8-sig"), "unnamed").NAME
    assert _counted(_DATA / name) == (papers, reasons)


@pytest.mark.parametrize("name", sorted(_LARGER))
def test_larger_files_where_they_are(name: str) -> None:
    if not (_SHARED / name).exists():
        pytest.skip("the larger exports are not beside this project")
    assert _counted(_SHARED / name) == _LARGER[name]


def test_one_library_exported_twice_gives_the_same_papers() -> None:
    table, ris = _records("zotero_library.csv"), _records("zotero_library.ris")

    def papers(records: list[Record]) -> dict[str, Record]:
        bare = {"where": "", "source": "", "keys": ()}  # Zotero's RIS does not carry its keys
        return {paper_id(record, record.others): dataclasses.replace(record, **bare) for record in records}

    assert papers(table) == papers(ris)
    assert len(papers(table)) == 5
    assert table[0].keys == ("YK878327",)


def test_one_search_exported_by_embase_in_two_formats_gives_the_same_papers() -> None:
    table, ris = _records("embase.csv"), _records("embase.ris")
    named = [[(r.title, r.doi, r.year, r.venue, r.authors[:1]) for r in records] for records in (table, ris)]
    assert named[0] == named[1]
    assert table[0].doi == "10.4103/2303-9027.138783"  # only in the resolver's address
    assert table[0].authors == ("R. Liu", "D.G. Adler")
    assert table[0].tags[1] == "bronchogenic duplication cyst (diagnosis, surgery)"


def test_ovid_twice_gives_the_same_papers() -> None:
    ovid, zotero = _records("ovid_psycinfo.ris"), _records("ovid_zotero.ris")
    assert [(r.title, r.doi, r.authors, r.year) for r in ovid] == [
        (r.title, r.doi, r.authors, r.year) for r in zotero
    ]


def test_spot_values() -> None:
    first = _records("web_of_science.txt")[0]
    assert (first.title, first.year) == (
        "Holding Yourself Captive: Perceptions of Custody During Interviews and Interrogations", 2018,
    )  # fmt: skip
    assert (first.doi, first.venue, first.authors[0]) == (
        "10.1016/j.jarmac.2018.03.001", "JOURNAL OF APPLIED RESEARCH IN MEMORY AND COGNITION", "F Alceste",
    )  # fmt: skip
    assert _records("pubmed_endnote.txt")[0].others == (Identifier("pmid", "21553931"),)
    assert _records("proquest.ris")[0].others == ()  # its accession numbers are ProQuest's own
    wrapped = _records("ris_issue_1099.txt")[0]
    assert (wrapped.doi, wrapped.venue) == (
        "10.15598/aeee.v16i3.2698",
        "Advances in Electrical and Electronic Engineering",
    )
    assert _records("faulty_year.ris")[0].year is None
    assert _records("generic_semicolon.csv")[0].authors == ("Karl Marx", "Astrid Lindgren")
    assert _records("embase_newpage.csv")[0].abstract.startswith("TEST\n\nGastrointestinal tract")


def test_arxiv_snapshot_in_its_real_layout() -> None:
    (record,) = _records("arxiv_snapshot.json")
    assert record.title == "Calculation of prompt diphoton production cross sections at Tevatron and LHC energies"
    assert record.abstract.startswith(
        "A fully differential calculation in perturbative quantum chromodynamics is presented"
    )
    assert "\n" not in record.abstract
    assert (record.year, record.arxiv_id, record.categories) == (2007, "0704.0001", ("hep-ph",))
    assert record.authors == ("C. Balázs", "E. L. Berger", "P. M. Nadolsky", "C. -P. Yuan")
