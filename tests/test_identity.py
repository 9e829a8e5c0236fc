"""Identity: one spelling per identifier, ids that survive a second import, and namesakes kept apart."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.identity import (
    Identifier,
    arxiv_of_doi,
    contradicted,
    family_name,
    identifiers,
    normalise_arxiv,
    normalise_doi,
    normalise_identifier,
    paper_id,
    same_work,
    title_key,
)
from assistant.papers import Paper


def _paper(title: str = "A Title That Tells", **fields: object) -> Paper:
    return Paper("", title, "An abstract.", **fields)  # type: ignore[arg-type]  # fields of Paper by name


@pytest.mark.parametrize(
    ("given_text", "doi"),
    [
        ("10.1000/ABC.def", "10.1000/abc.def"),
        ("https://doi.org/10.1000/xyz", "10.1000/xyz"),
        ("http://dx.doi.org/10.1000/xyz.", "10.1000/xyz"),
        ("doi:10.1000/xyz", "10.1000/xyz"),
        ("DOI 10.1016/S0140-6736(05)67889-0", "10.1016/s0140-6736(05)67889-0"),
        ("(see 10.1000/xyz)", "10.1000/xyz"),
        ("https://doi.org/10.1002%2F%28SICI%291097", "10.1002/(sici)1097"),
        ("https://x.org/?doi=10.1000/abc&utm=1", "10.1000/abc"),
        ("https://x.org/find?utm=1&doi=10.1000%2Fabc&b=2#top", "10.1000/abc"),
        ("https://doi.org/10.1000/a%26b?x=1", "10.1000/a&b"),
        ("10.1000/a&b", "10.1000/a&b"),
        ("https://www.tandfonline.com/doi/full/10.1080/01234567.2019.1?needAccess=true", "10.1080/01234567.2019.1"),
        ("https://link.springer.com/article/10.1007/s00001-020-1#Sec2", "10.1007/s00001-020-1"),
        ("https://onlinelibrary.wiley.com/doi/10.1002/abc.1/abstract", "10.1002/abc.1"),
        ("https://doi.org/10.1000/abstract/full", "10.1000/abstract/full"),
        ("https://www.biorxiv.org/content/10.1101/2020.01.02.123456v2.full.pdf", "10.1101/2020.01.02.123456"),
        (
            "10.1002/(SICI)1097-0258(19980815)17:15<1661::AID-SIM968>3.0.CO;2-2",
            "10.1002/(sici)1097-0258(19980815)17:15<1661::aid-sim968>3.0.co;2-2",
        ),
        (
            "https://doi.org/10.1002/(SICI)1097-0258(19980815)17:15%3C1661::AID-SIM968%3E3.0.CO;2-%23",
            "10.1002/(sici)1097-0258(19980815)17:15<1661::aid-sim968>3.0.co;2-#",
        ),
        ("10.1002/(SICI)1(1998)1:1&lt;1::AID-X&gt;3.0.CO;2-A.", "10.1002/(sici)1(1998)1:1<1::aid-x>3.0.co;2-a"),
        ("10.1000.10/xyz", "10.1000.10/xyz"),
        ("none", None),
        ("10.1", None),
        ("", None),
        (None, None),
    ],
)
def test_doi_has_one_spelling(given_text: str | None, doi: str | None) -> None:
    assert normalise_doi(given_text) == doi


@pytest.mark.parametrize(
    ("given_text", "arxiv"),
    [
        ("1706.03762", "1706.03762"),
        ("1706.03762v5", "1706.03762"),
        ("arXiv:1706.03762v5 [cs.CL]", "1706.03762"),
        ("https://arxiv.org/abs/1706.03762v2", "1706.03762"),
        ("http://arxiv.org/pdf/1706.03762v2.pdf", "1706.03762"),
        ("10.48550/arXiv.1706.03762", "1706.03762"),
        ("https://doi.org/10.48550/arXiv.2401.00001", "2401.00001"),
        ("hep-th/9901001v3", "hep-th/9901001"),
        ("math.AG/0601001", "math/0601001"),
        ("https://arxiv.org/abs/cs/0112017", "cs/0112017"),
        ("0704.0001", "0704.0001"),
        ("see page 1234.56789 of the book", None),
        ("1799.12345", None),
        ("10.1103/1706.03762", None),
        ("12345", None),
        (None, None),
    ],
)
def test_arxiv_id_has_one_spelling_without_version(given_text: str | None, arxiv: str | None) -> None:
    assert normalise_arxiv(given_text) == arxiv


@pytest.mark.parametrize(
    ("scheme", "given_text", "value"),
    [
        ("pmid", "PMID: 012345", "12345"),
        ("pmcid", "PMC12345", "pmc12345"),
        ("openalex", "https://openalex.org/W2741809807", "w2741809807"),
        ("acl", "https://aclanthology.org/2020.acl-main.1/", "2020.acl-main.1"),
        ("acl", "P18-1001", "p18-1001"),
        ("s2", "0" * 40, "0" * 40),
        ("isbn", "978-3-16-148410-0", "9783161484100"),
        ("pmid", "n/a", None),
        ("unknown", "1", None),
    ],
)
def test_other_identifiers_have_one_spelling(scheme: str, given_text: str, value: str | None) -> None:
    assert normalise_identifier(scheme, given_text) == (Identifier(scheme, value) if value else None)


def test_id_prefers_the_most_stable_identifier() -> None:
    others = [Identifier("pmid", "7")]
    assert paper_id(_paper(doi="10.1000/X", arxiv_id="1706.03762"), others) == "doi:10.1000/x"
    assert paper_id(_paper(arxiv_id="1706.03762v3"), others) == "arxiv:1706.03762"
    assert paper_id(_paper(doi="10.48550/arXiv.1706.03762"), others) == "arxiv:1706.03762"
    assert paper_id(_paper(), others) == "pmid:7"
    assert paper_id(_paper()).startswith("title:")


def test_arxivs_own_doi_names_the_preprint() -> None:
    assert arxiv_of_doi("10.48550/arxiv.1706.03762") == "1706.03762"
    assert arxiv_of_doi("10.1000/xyz") is None
    assert identifiers(_paper(doi="10.48550/arxiv.1706.03762"))[0] == ("arxiv", "1706.03762")


@pytest.mark.parametrize(
    "spelling",
    [
        r"Schr\"odinger--Poisson Systems: A {Survey}",
        "SCHRÖDINGER-POISSON systems, a survey.",
        "Schro\u0308dinger\u2013Poisson  systems:\na survey",
    ],
)
def test_spellings_of_a_title_have_one_key(spelling: str) -> None:
    assert title_key(spelling) == "schrodinger poisson systems a survey"


def test_title_keys_keep_other_scripts() -> None:
    assert title_key("基于深度学习的方法") == "基于深度学习的方法"
    assert title_key("?!") == ""


def test_family_name_in_either_order() -> None:
    assert family_name("Müller, Jörg") == family_name("Jörg Müller") == "muller"


def test_first_author_and_year_tell_untitled_namesakes_apart() -> None:
    first = paper_id(_paper("Editorial", authors=("Ann Lee",), year=2020))
    assert first != paper_id(_paper("Editorial", authors=("Bo Ek",), year=2020))
    assert first != paper_id(_paper("Editorial", authors=("Ann Lee",), year=2021))
    assert first == paper_id(_paper("EDITORIAL.", authors=("Lee, Ann",), year=2020))


def test_same_work_unless_something_speaks_against_it() -> None:
    plain = _paper("A Title That Says Something")
    assert same_work(plain, _paper(year=2020, authors=("Ann Lee",)))
    preprint = _paper(year=2019, authors=("A. Lee",), arxiv_id="1901.00001")
    assert same_work(preprint, _paper(year=2020, authors=("Ann Lee", "Bo Ek")))
    assert not same_work(_paper(year=2019, authors=("A. Lee",)), _paper(year=2020, authors=("Ann Lee",)))
    assert not same_work(preprint, _paper(year=2019, authors=("A. Lee",), arxiv_id="1902.00002"))
    assert same_work(_paper(doi="10.1000/a", year=2020), _paper(doi="10.1101/2019.01.02.123456v2", year=2019))
    editorial = _paper("Editorial", authors=("Ann Lee",), year=2020)
    assert same_work(editorial, editorial)
    assert not same_work(editorial, _paper("Editorial", authors=("Ann Lee",), year=2021))
    assert not same_work(_paper("Deep learning"), _paper("Deep Learning", authors=("Ann Lee",)))


def test_a_shared_identifier_is_not_believed_against_title_and_authors() -> None:
    first = _paper("Kernel methods for strings", authors=("Ann Lee",), doi="10.1000/book")
    assert contradicted(first, _paper("Prices of grain after 1900", authors=("Bo Ek",), doi="10.1000/book"))
    assert not contradicted(first, _paper("Prices of grain after 1900", authors=("Lee, A.",), doi="10.1000/book"))
    assert not contradicted(first, _paper("Kernel methods", authors=("Bo Ek",), doi="10.1000/book"))
    assert not contradicted(first, _paper("Prices of grain after 1900", doi="10.1000/book"))


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1101/2020.01.02.123456v2", "10.1101/2020.01.02.123456"),
        ("10.21203/rs.3.rs-12345/v1", "10.21203/rs.3.rs-12345"),
        ("10.26434/chemrxiv.12345.v3", "10.26434/chemrxiv.12345"),
        ("10.1101/gr.123456.111", "10.1101/gr.123456.111"),
        ("10.1000/apiv2", "10.1000/apiv2"),
    ],
)
def test_a_preprints_version_is_no_part_of_its_doi(text: str, doi: str) -> None:
    assert normalise_doi(text) == doi


def test_same_work_sees_names_and_numbers() -> None:
    assert same_work(_paper(authors=("Lee Ann",)), _paper(authors=("Ann Lee",)))
    assert same_work(_paper(authors=("Müller, J.",)), _paper(authors=("J. Mueller",)))
    assert not same_work(_paper(year=2010), _paper(year=2020))
    assert not same_work(_paper(authors=("Ann Lee",)), _paper(authors=("Bo Ek",)))
    assert not same_work(_paper(doi="10.1000/a"), _paper(doi="10.1000/b"))
    cut = _paper(doi="10.1000/(SICI)1(1998)1:1")
    assert same_work(_paper(doi="10.1000/(SICI)1(1998)1:1<1::AID-X>3.0.CO;2-A"), cut)
    assert not same_work(_paper(doi="10.1000/(SICI)1(1998)1:2<1::AID-X>3.0.CO;2-A"), cut)
    assert same_work(_paper(doi="10.1000/a"), _paper(doi="10.48550/arxiv.1706.03762"))


_DOIS = st.builds(
    "10.{}/{}".format,
    st.integers(1000, 999_999_999),
    st.text(string.ascii_letters + string.digits + "-._;()/", min_size=1, max_size=20),
)


@given(_DOIS, st.sampled_from(["", "https://doi.org/", "doi:", "DOI: ", "http://dx.doi.org/", " "]))
@settings(max_examples=200, deadline=None)
def test_resolvers_and_case_do_not_change_a_doi(doi: str, prefix: str) -> None:
    plain = normalise_doi(doi)
    assert normalise_doi(prefix + doi.upper()) == plain
    assert plain is None or normalise_doi(plain) == plain


@given(st.integers(7, 30), st.integers(1, 12), st.integers(1, 99_999), st.integers(1, 30))
@settings(max_examples=200, deadline=None)
def test_versions_and_urls_do_not_change_an_arxiv_id(year: int, month: int, number: int, version: int) -> None:
    plain = f"{year:02}{month:02}.{number:05}"
    spellings = (plain, f"{plain}v{version}", f"arXiv:{plain}", f"https://arxiv.org/abs/{plain}v{version}")
    assert {normalise_arxiv(text) for text in spellings} == {plain}


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_is_normalised_without_raising(text: str) -> None:
    for scheme in ("doi", "arxiv", "pmid", "openalex", "acl", "isbn"):
        found = normalise_identifier(scheme, text)
        assert found is None or normalise_identifier(scheme, found.value) == found
    assert title_key(title_key(text)) == title_key(text)
    assert paper_id(_paper(text, authors=(text,))) == paper_id(_paper(text, authors=(text,)))
    assert all(identifier.value for identifier in identifiers(_paper(text)))
