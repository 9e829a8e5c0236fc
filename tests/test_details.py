"""Volume, issue, pages and the rest: read from each format as that format means them, merged name by name."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.papers import DETAIL_NAMES, Paper, details
from ingest.dates import month_and_day
from ingest.detailing import page_range
from ingest.merging import merged, origins_after
from ingest.records import Record
from ingest.sources import read

_DATA = Path(__file__).parent / "data" / "importers"


def _told(text: str, name: str = "file") -> dict[str, str]:
    (record,) = read(io.BytesIO(text.encode()), name)
    assert isinstance(record, Record), record
    return dict(record.details)


_ABSTRACT = "It is about something that is long enough to be read."
_BIBTEX = [
    (
        "@article{a, title={T}, abstract={%s}, year=2020, journal={Nature}, volume={Vol. 12}, number=3, pages={349--69},"
        " month=mar # { 5}, issn={1234567x}, publisher={Wiley \\& Sons}, shortjournal={Nat.}, doi={10.1000/a}}",
        {"type": "article-journal", "volume": "12", "issue": "3", "page": "349-369", "month": "3", "day": "5", "ISSN": "1234-567X",
         "publisher": "Wiley & Sons", "container-title-short": "Nat."},
    ),
    (
        "@inproceedings{a, title={T}, abstract={%s}, booktitle={Proc. of X}, pages={1--9}, editor={Lee, Ann and Ek, Bo},"
        " address={Oslo}, series={LNCS}, volume=77, organization={ACM}, eventtitle={X '20}, venue={Oslo, Norway}, date={2020-07-01}}",
        {"type": "paper-conference", "page": "1-9", "editor": "Ann Lee; Bo Ek", "publisher-place": "Oslo", "collection-title": "LNCS",
         "volume": "77", "publisher": "ACM", "event-title": "X '20", "event-place": "Oslo, Norway", "month": "7", "day": "1"},
    ),
    (
        "@mastersthesis{a, title={T}, abstract={%s}, school={University of Oslo}, year=1999, month={June}}",
        {"type": "thesis", "genre": "Master's thesis", "publisher": "University of Oslo", "month": "6"},
    ),
    (
        "@techreport{a, title={T}, abstract={%s}, institution={MIT}, number={TR-7}, type={Memo}, year=1999}",
        {"type": "report", "genre": "Memo", "publisher": "MIT", "number": "TR-7"},
    ),
    (
        "@incollection{a, title={T}, abstract={%s}, booktitle={Handbook}, series={S}, number=4, edition={2}, isbn={978-3-16-148410-0}}",
        {"type": "chapter", "collection-title": "S", "collection-number": "4", "edition": "2", "ISBN": "978-3-16-148410-0"},
    ),
    ("@misc{a, title={T}, abstract={%s}, eprint={2001.00001}, archiveprefix={arXiv}}", {"type": "article"}),
    ("@article{a, title={T}, abstract={%s}, journal={arXiv preprint arXiv:2001.00001}}", {"type": "article"}),
    ("@article{a, title={T}, abstract={%s}, journal={J}, eid={e123}}", {"type": "article-journal", "page": "e123"}),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "expected"), _BIBTEX)
def test_bibtex_and_biblatex(entry: str, expected: dict[str, str]) -> None:
    assert _told(entry % _ABSTRACT) == expected


def test_a_paper_inherits_from_the_proceedings_that_it_names() -> None:
    found = list(
        read(
            io.BytesIO(
                b"@inproceedings{a, title={T}, abstract={Something is said.}, crossref={p}, pages={3--4}}\n"
                b"@proceedings{p, title={Proc. of X}, publisher={ACM}, address={Oslo}, isbn={3161484100}, year=2001}"
            ),
            "refs.bib",
        )
    )
    assert isinstance(found[0], Record)
    assert dict(found[0].details) == {
        "type": "paper-conference", "page": "3-4", "publisher": "ACM", "publisher-place": "Oslo", "ISBN": "3161484100",
    }  # fmt: skip


_RIS = [
    (
        "TY  - CHAP\nTI  - T\nAB  - %s\nT2  - Handbook\nT3  - Series\nA2  - Lee, Ann\nSP  - 12\nEP  - 15\nPB  - Springer\nCY  - Berlin\n"
        "SN  - 978-3-16-148410-0\nET  - 2\nVL  - 3\nPY  - 2010\nDA  - 2010/04/03/\nER  - \n",
        {"type": "chapter", "collection-title": "Series", "editor": "Ann Lee", "page": "12-15", "publisher": "Springer", "publisher-place": "Berlin",
         "ISBN": "978-3-16-148410-0", "edition": "2", "volume": "3", "month": "4", "day": "3"},
    ),
    (
        "TY  - RPRT\nTI  - T\nAB  - %s\nPB  - WHO\nIS  - 7\nM3  - White paper\nN1  - Best one\nER  - \n",
        {"type": "report", "publisher": "WHO", "number": "7", "genre": "White paper", "note": "Best one"},
    ),
    (
        "TY  - JOUR\nTI  - T\nAB  - %s\nDB  - Embase\nN1  - Cited By :3\nSP  - No Pagination\nEP  - Specified\nER  - \n",
        {"type": "article-journal"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), _RIS)
def test_ris(text: str, expected: dict[str, str]) -> None:
    assert _told(text % _ABSTRACT) == expected


def test_medline_web_of_science_and_refer() -> None:
    medline = (
        f"PMID- 77\nTI  - T\nAB  - {_ABSTRACT}\nVI  - 50\nIP  - 6\nPG  - 349-69\nDP  - 2011 Jun 5\nIS  - 0312-5963 (Print)\n"
        "IS  - 1179-1926 (Electronic)\nTA  - Clin P\nJT  - Clinical P\nLA  - eng\nPMC - PMC9\nPT  - Journal Article\n"
    )
    assert _told(medline) == {
        "type": "article-journal", "volume": "50", "issue": "6", "page": "349-369", "month": "6", "day": "5", "PMID": "77", "PMCID": "PMC9",
        "ISSN": "0312-5963, 1179-1926", "container-title-short": "Clin P", "language": "eng",
    }  # fmt: skip
    wos = (
        f"FN Clarivate\nVR 1.0\nPT J\nTI T\nAB {_ABSTRACT}\nSO J\nVL 7\nIS 3\nBP 387\nEP 397\nPU ELSEVIER\nPI NEW YORK\nSN 2211-3681\n"
        "EI 2211-369X\nJ9 J APPL\nJI J. Appl.\nPD SEP\nPY 2018\nDT Article\nUT WOS:1\nER\nEF\n"
    )
    assert _told(wos) == {
        "type": "article-journal", "volume": "7", "issue": "3", "page": "387-397", "publisher": "ELSEVIER", "publisher-place": "NEW YORK",
        "ISSN": "2211-3681, 2211-369X", "container-title-short": "J. Appl.", "month": "9",
    }  # fmt: skip
    refer = f"%0 Conference Proceedings\n%T T\n%A Lee, Ann\n%E Ek, Bo\n%X {_ABSTRACT}\n%B Proc. of X\n%I ACL\n%C Oslo\n%P 1-9\n%D 2020\n%8 July\n%@ 1234-5678\n"
    assert _told(refer) == {
        "type": "paper-conference", "editor": "Bo Ek", "publisher": "ACL", "publisher-place": "Oslo", "page": "1-9", "month": "7", "ISSN": "1234-5678",
    }  # fmt: skip


def test_xml_of_pubmed_endnote_and_the_anthology() -> None:
    pubmed = (
        "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>77</PMID><Article><Journal><ISSN>1234-5678</ISSN><JournalIssue>"
        "<Volume>5</Volume><Issue>2</Issue><PubDate><Year>2020</Year><Month>Mar</Month><Day>05</Day></PubDate></JournalIssue>"
        "<Title>Journal of X</Title><ISOAbbreviation>J. X</ISOAbbreviation></Journal><ArticleTitle>T</ArticleTitle><Pagination>"
        f"<MedlinePgn>12-9</MedlinePgn></Pagination><Abstract><AbstractText>{_ABSTRACT}</AbstractText></Abstract><Language>eng</Language>"
        "</Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
    )
    assert _told(pubmed) == {
        "type": "article-journal", "volume": "5", "issue": "2", "page": "12-19", "month": "3", "day": "5", "ISSN": "1234-5678",
        "container-title-short": "J. X", "language": "eng", "PMID": "77",
    }  # fmt: skip
    endnote = (
        '<xml><records><record><ref-type name="Journal Article">17</ref-type><titles><title>T</title><secondary-title>J</secondary-title>'
        "</titles><pages>1-9</pages><volume>3</volume><number>4</number><isbn>1234-5678</isbn><dates><year>2001</year><pub-dates><date>"
        f"Jun 4</date></pub-dates></dates><abstract>{_ABSTRACT}</abstract><notes>read it</notes></record></records></xml>"
    )
    assert _told(endnote) == {
        "type": "article-journal", "page": "1-9", "volume": "3", "issue": "4", "ISSN": "1234-5678", "month": "6", "day": "4", "note": "read it",
    }  # fmt: skip
    anthology = (
        '<collection id="2020.x"><volume id="1"><meta><booktitle>Proc. of X</booktitle><editor><first>Bo</first><last>Ek</last></editor>'
        "<publisher>ACL</publisher><address>Oslo</address><month>July</month><year>2020</year></meta>"
        f'<paper id="1"><title>T</title><pages>1–9</pages><abstract>{_ABSTRACT}</abstract></paper></volume></collection>'
    )
    assert _told(anthology) == {
        "type": "paper-conference", "editor": "Bo Ek", "publisher": "ACL", "publisher-place": "Oslo", "month": "7", "page": "1-9",
    }  # fmt: skip


_JSON: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {"id": "https://openalex.org/W123456", "display_name": "T", "abstract_inverted_index": {"Some": [0], "words": [1]}, "type": "article",
         "publication_year": 2020, "publication_date": "2020-03-05", "language": "en", "biblio": {"volume": "5", "issue": "2", "first_page": "1", "last_page": "9"},
         "primary_location": {"source": {"display_name": "J", "type": "journal", "issn": ["1234-5678"], "host_organization_name": "Elsevier BV"}}},
        {"type": "article-journal", "volume": "5", "issue": "2", "page": "1-9", "ISSN": "1234-5678", "publisher": "Elsevier BV", "language": "en",
         "month": "3", "day": "5"},
    ),
    (
        {"DOI": "10.1000/a", "title": ["T"], "abstract": _ABSTRACT, "publisher": "IEEE", "type": "proceedings-article", "page": "1-9", "URL": "https://x.org",
         "container-title": ["Proc. of X", "LNCS"], "issued": {"date-parts": [[2020, 7]]}, "ISBN": ["9783161484100"], "event": {"name": "X '20", "location": "Oslo"}},
        {"type": "paper-conference", "publisher": "IEEE", "page": "1-9", "collection-title": "LNCS", "month": "7", "ISBN": "9783161484100",
         "event-title": "X '20", "event-place": "Oslo"},
    ),
    (
        {"paperId": "a" * 40, "externalIds": {}, "title": "T", "abstract": _ABSTRACT, "year": 2020, "publicationDate": "2020-03-05",
         "journal": {"name": "J", "volume": "5", "pages": " 1-9 \n"}, "publicationTypes": ["JournalArticle", "Review"]},
        {"type": "article-journal", "volume": "5", "page": "1-9", "month": "3", "day": "5"},
    ),
    (
        {"id": "a", "type": "article", "title": "T", "abstract": _ABSTRACT, "author": [{"family": "Lee"}], "issued": {"date-parts": [["2020", 3, 5]]},
         "publisher": "arXiv", "number": "arXiv:2001.00001", "note": "arXiv:2001.00001 [cs]\nPMID: 7\nBest one"},
        {"type": "article", "month": "3", "day": "5", "note": "Best one", "PMID": "7"},
    ),
    (
        {"itemType": "bookSection", "title": "T", "abstractNote": _ABSTRACT, "bookTitle": "Handbook", "pages": "1-9", "place": "Berlin", "publisher": "Springer",
         "creators": [{"creatorType": "author", "lastName": "Lee"}, {"creatorType": "editor", "firstName": "Bo", "lastName": "Ek"}], "date": "2020", "series": "S"},
        {"type": "chapter", "page": "1-9", "publisher": "Springer", "publisher-place": "Berlin", "editor": "Bo Ek", "collection-title": "S"},
    ),
    (
        {"title": "T", "abstract": _ABSTRACT, "volume": 3, "number": "4", "start_page": "5", "end_page": "9", "type_of_reference": "JOUR"},
        {"type": "article-journal", "volume": "3", "issue": "4", "page": "5-9"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), _JSON)
def test_json_of_services_and_managers(value: dict[str, Any], expected: dict[str, str]) -> None:
    assert _told(json.dumps(value)) == expected


def _details(name: str) -> dict[str, str]:
    record = next(item for item in read(_DATA / name) if isinstance(item, Record))
    return dict(record.details)


def test_spot_values_of_real_exports() -> None:
    wos = _details("web_of_science.txt")
    assert (wos["volume"], wos["issue"], wos["page"], wos["month"], wos["ISSN"]) == (
        "7",
        "3",
        "387-397",
        "9",
        "2211-3681, 2211-369X",
    )
    assert (wos["publisher"], wos["container-title-short"]) == ("ELSEVIER SCIENCE INC", "J. Appl. Res. Mem. Cogn.")
    assert "note" not in wos  # how often it was cited
    pubmed = _details("pubmed_endnote.txt")
    assert (pubmed["page"], pubmed["volume"], pubmed["issue"], pubmed["PMID"]) == ("349-369", "50", "6", "21553931")
    assert "edition" not in pubmed  # EndNote keeps a date there
    assert _details("embase.ris")["page"] == _details("embase.csv")["page"] == "152-160"
    assert (_details("embase.csv")["volume"], _details("embase.csv")["issue"]) == ("3", "3")
    zotero = _details("zotero_library.csv")
    assert (zotero["page"], zotero["volume"], zotero["issue"], zotero["month"], zotero["day"]) == (
        "e1003531",
        "10",
        "4",
        "4",
        "3",
    )
    generic = _details("generic.csv")
    assert (generic["volume"], generic["issue"], generic["page"], generic["type"]) == (
        "9",
        "3",
        "e0815",
        "article-journal",
    )
    assert "page" not in _details("ovid_psycinfo.ris")  # "No Specified"
    assert _details("arxiv_snapshot.json") == {"month": "4", "day": "2"}


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        (("123--130",), "123-130"), (("349-69",), "349-369"), (("S12-5",), "S12-S15"), (("12", "15"), "12-15"), (("12-15", "15"), "12-15"), (("739", "739"), "739"),
        (("pp. 12–15",), "12-15"), (("1:1--1:20",), "1:1-1:20"), (("xii-xv",), "xii-xv"), (("No", "Specified"), ""), (("n/a",), ""), (("123-",), "123"),
    ],
)  # fmt: skip
def test_page_ranges(pages: tuple[str, ...], expected: str) -> None:
    assert page_range(*pages) == expected
    assert page_range(expected) == expected


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["2019-03-05", "2020 Mar 5"], ("3", "5")), (["2020-03-05T10:00:00Z"], ("3", "5")), ([{"date-parts": [[2020, 3]]}], ("3", "")),
        (["MAR 15"], ("3", "15")), (["2020 Jan-Feb"], ("1", "")), (["2020///"], ("", "")), (["2020-13-45"], ("", "")), (["soon"], ("", "")),
    ],
)  # fmt: skip
def test_a_date_counts_when_it_is_of_the_publications_year(dates: list[Any], expected: tuple[str, str]) -> None:
    assert month_and_day(None, None, dates, 2020) == expected


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_gives_pages_and_dates_or_none(first: str, second: str) -> None:
    page_range(first, second)
    month, day = month_and_day(first, second, [first, second], 2020)
    assert month in {"", *map(str, range(1, 13))}
    assert day in {"", *map(str, range(1, 32))}


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(DETAIL_NAMES)), _ANYTHING, max_size=6), st.booleans())
def test_details_of_any_shape_cost_nothing_but_themselves(told: dict[str, Any], nested: bool) -> None:
    value = {"title": "T", "abstract": _ABSTRACT, **({"details": told} if nested else told)}
    (record,) = read(io.BytesIO(json.dumps(value).encode()), "x.json")
    assert isinstance(record, Record)
    assert all((text and "\n" not in text) or name == "note" for name, text in record.details)


def _paper(doi: str | None = None, arxiv: str | None = None, venue: str | None = None, **told: str) -> Paper:
    names = {name.replace("_", "-"): value for name, value in told.items()}
    return Paper("x:1", "T", "A.", (), 2020, venue, doi, arxiv, source="one", details=details(names))


def _record(paper: Paper) -> Record:
    return Record("", "two", "T", "A.", (), 2020, paper.venue, paper.doi, paper.arxiv_id, details=paper.details)


def test_details_are_merged_name_by_name_but_never_a_preprints_with_the_publications() -> None:
    mine = _paper("10.1000/a", venue="J", volume="1", page="2-3")
    more = _record(_paper("10.1000/a", venue="J", volume="9", issue="4"))
    assert merged(mine, more, {}, speaks=False).details == (("issue", "4"), ("page", "2-3"), ("volume", "1"))
    spoken = merged(mine, more, {}, speaks=True)
    assert spoken.details == (("issue", "4"), ("page", "2-3"), ("volume", "9"))
    assert origins_after(mine, {}, spoken, more)["details.page"] == "one"
    preprint = _paper(arxiv="2001.00001", publisher="arXiv", language="en")
    assert merged(mine, _record(preprint), {}, speaks=True).details == (
        ("language", "en"),
        ("page", "2-3"),
        ("volume", "1"),
    )
    assert merged(preprint, _record(mine), {}, speaks=False).details == (
        ("language", "en"),
        ("page", "2-3"),
        ("volume", "1"),
    )
    typed = _record(_paper("10.1000/a", venue="J", type="article-journal"))
    assert merged(mine, typed, {}, speaks=True) == mine  # an export has to give one: nobody's word
