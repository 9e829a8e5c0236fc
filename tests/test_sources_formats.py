"""Each format's own fields, as its service or program writes them, and which format a text is taken for."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import source_samples as samples
from source_samples import ABSTRACT, OTHER_TITLE, PAPERS, SAMPLES, TITLE

from assistant.errors import SourceError
from assistant.identity import Identifier
from assistant.library import Library
from assistant.testing import HashEmbedder
from ingest import add
from ingest.records import Record, Rejected
from ingest.sources import FORMATS, detect, read

_NAMES = ("a.txt", "a.bib", "a.csv", "a.json", "a.xml", "a.ris", "a")
_RETRACTED = ("Retracted: so says its record",)


def _items(content: str | bytes, name: str = "given", **asked: Any) -> list[Record | Rejected]:
    return list(read(io.BytesIO(content if isinstance(content, bytes) else content.encode()), name, **asked))


def _records(content: str | bytes, name: str = "given", **asked: Any) -> list[Record]:
    return [item for item in _items(content, name, **asked) if isinstance(item, Record)]


def _first(content: Any) -> Record:
    return _records(content if isinstance(content, str) else json.dumps(content))[0]


@pytest.mark.parametrize("written", sorted(SAMPLES))
def test_every_sample_is_its_format_under_any_name_and_gives_its_papers(written: str) -> None:
    kind, text = SAMPLES[written]
    for name in _NAMES:
        assert kind == detect(text, name).NAME
        assert len(_records("\ufeff\n" + text, name)) == PAPERS
        matching = [source.NAME for source in FORMATS if source.matches(text, name)]
        assert matching == [kind]  # no other format would take it, whatever the order
        records = _records(text, name)
        assert [record.title.replace(": for", " for") for record in records] == [TITLE, OTHER_TITLE]
        assert len(_items(text, name)) == PAPERS


@pytest.mark.parametrize("written", sorted(SAMPLES))
@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_other_line_ends_and_encodings(written: str, line_end: str) -> None:
    text = SAMPLES[written][1]
    plain = [dataclasses.replace(record, where="") for record in _records(text)]
    ended = text.replace("\n", line_end)
    assert [dataclasses.replace(record, where="") for record in _records(ended)] == plain
    assert [dataclasses.replace(record, where="") for record in _records(ended.encode("utf-16"))] == plain


def test_latin_1() -> None:
    for written in ("bibtex", "ris", "refer", "wos", "zotero csv"):
        text = SAMPLES[written][1]
        assert _records(text.encode("latin-1"))[0].authors[0] == "Jörg Müller", written
    declared = samples.ATOM.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"')
    assert _records(declared.encode("latin-1"))[0].authors[0] == "Jörg Müller"
    assert _records(declared)[0].authors[0] == "Jörg Müller"  # UTF-8 by its bytes, whatever is declared


def test_atom() -> None:
    record = _first(samples.ATOM)
    assert (record.abstract, record.year, record.venue) == (ABSTRACT, 2020, "Lake J. 3 (2021)")
    assert (record.arxiv_id, record.doi, record.categories) == ("2001.01234", "10.1000/lakes.1", ("cs.LG", "stat.ML"))
    assert record.notices == ("Withdrawn: so says its comment on arXiv",)
    assert record.source == "atom:given"


def test_a_faulty_query_of_arxiv_is_told() -> None:
    text = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/api/errors#x</id><title>Error</title><summary>incorrect id format for 1</summary></entry></feed>'
    (rejected,) = _items(text)
    assert rejected == Rejected("given:1", "arXiv's answer is an error: incorrect id format for 1")


def test_pubmed_xml() -> None:
    record = _first(samples.PUBMED_XML)
    assert record.abstract == "AIM: We measure lakes.\n\nRESULTS: The error falls by 12^2%."
    assert (record.authors, record.year, record.venue) == (("Jörg Müller", "Lake Group"), 2019, "Lake Journal")
    assert record.doi == "10.1000/lakes.1"  # not that of a work it cites
    assert record.others == (Identifier("pmid", "12345678"), Identifier("pmcid", "pmc7654321"))
    assert record.notices == ("Retracted: Lake J. 2020;4:1 (PMID 22222222)",)


def test_medline() -> None:
    record = _first(samples.NBIB)
    assert (record.title, record.abstract, record.authors) == (TITLE, ABSTRACT, ("Jörg Müller", "Ann Lee"))
    assert (record.doi, record.year, record.venue) == ("10.1000/lakes.1", 2019, "Lake Journal")
    assert record.notices == ("Retracted: Lake J. 2020 Jan;4(1):1. doi: 10.1000/lakes.2. PMID: 22222222",)
    assert _records(samples.NBIB)[1].authors == ("BC Ek",)


def test_endnote_in_both_forms() -> None:
    xml, tagged = _first(samples.ENDNOTE_XML), _first(samples.REFER)
    assert (xml.title, xml.abstract, xml.authors, xml.year, xml.doi) == (
        tagged.title, tagged.abstract, tagged.authors, tagged.year, tagged.doi,
    )  # fmt: skip
    assert xml.citekey == tagged.citekey == "mueller2019"
    assert xml.others == (Identifier("pmid", "12345678"),)
    assert tagged.tags == ("lakes", "nets")


def test_ris_and_web_of_science() -> None:
    ris, wos = _first(samples.RIS), _first(samples.WOS)
    assert (ris.title, ris.abstract, ris.authors, ris.notices) == (
        TITLE,
        ABSTRACT,
        ("Jörg Müller", "Ann Lee"),
        _RETRACTED,
    )
    assert (wos.title, wos.abstract, wos.authors, wos.notices) == (
        TITLE,
        ABSTRACT,
        ("Jörg Müller", "Ann Lee"),
        _RETRACTED,
    )
    assert (ris.citekey, ris.venue, ris.tags) == ("mueller2019", "Lake Journal", ("lakes",))
    assert (wos.categories, wos.tags) == (("Limnology", "Computer Science"), ("lakes", "nets"))
    assert _records(samples.RIS)[1].authors == ("B. Ek",)


def test_ris_without_ends_or_beginnings_loses_nothing() -> None:
    text = "TY  - JOUR\nTI  - A\nAB  - One.\nTY  - JOUR\nTI  - B\nAB  - Two.\nER  - \nTI  - C\nAB  - Three.\nER  -\n1.\nNL  - x\n"
    assert [(record.title, record.abstract) for record in _records(text)] == [
        ("A", "One."),
        ("B", "Two."),
        ("C", "Three."),
    ]


def test_acl_anthology() -> None:
    first, second = _records(samples.ACL_XML)
    assert (first.title, first.citekey, first.doi) == (TITLE, "muller-2020-deep", "10.18653/v1/2020.acl-main.1")
    assert (second.year, second.venue) == (2020, "Proceedings of the 58th Meeting")
    assert second.others == (Identifier("acl", "2020.acl-main.2"),)
    assert first.notices == ("Retracted: Made-up data.",)
    old = '<collection id="W18"><volume id="5"><meta><year>2018</year></meta><paper id="12"><title>T</title><abstract>An abstract.</abstract></paper></volume></collection>'
    assert _first(old).others == (Identifier("acl", "w18-0512"),)


def test_bibtex_macros_parents_and_braces() -> None:
    text = samples.BIBTEX + "@proceedings{hands, title={Proceedings of Hands}, year=1998}\n"
    items = _items(text)
    records = {item.citekey: item for item in items if isinstance(item, Record)}
    assert (records["mueller2019"].title, records["mueller2019"].venue) == (TITLE, "Lake Journal A")
    assert records["mueller2019"].authors == ("Jörg Müller", "Ann Lee")
    assert (records["ek1998"].year, records["ek1998"].venue) == (1998, "Proceedings of Hands")
    assert [item.reason for item in items if isinstance(item, Rejected)] == ["no abstract ('Proceedings of Hands')"]


def test_a_macro_makes_no_bibtex_file_and_a_file_of_macros_is_told() -> None:
    table = f"record,title,abstract\n1,T,{ABSTRACT}\n@string{{m,0\n"
    assert detect(table, "a").NAME == "table"
    (reason,) = [item.reason for item in _items("@article{,}\n@string{m,0\n") if isinstance(item, Rejected)]
    assert reason


def test_a_long_bibtex_file_is_read_in_pieces_with_the_same_lines() -> None:
    macro = "@string{lj = {Lake Journal}}\n\n"
    entry = "@article{{k{n},\n  title = {{T {n}}}, journal = lj,\n  abstract = {{We measure lake {n}.}}\n}}\n\n"
    records = _records(macro + "".join(entry.format(n=n) for n in range(1000)))
    assert [record.citekey for record in records] == [f"k{n}" for n in range(1000)]
    assert [record.where for record in records] == [f"given:{3 + 5 * n}" for n in range(1000)]
    assert {record.venue for record in records} == {"Lake Journal"}


def test_tables_of_zotero_and_scopus() -> None:
    zotero, scopus = _first(samples.ZOTERO_CSV), _first(samples.SCOPUS_CSV)
    assert (zotero.tags, zotero.keys) == (("mine", "lakes", "nets"), ("ABCD2345",))
    assert (scopus.authors, scopus.notices) == (("Jörg Müller", "Ann Lee"), _RETRACTED)
    assert scopus.others == (Identifier("pmid", "12345678"),)


def test_a_table_below_what_a_database_says_first() -> None:
    for preamble in ("sep=,\n", "\nSearch results\n12 May 2022, 2 records\n\n"):
        assert [record.title for record in _records(preamble + samples.SCOPUS_CSV)] == [TITLE, OTHER_TITLE]
    with pytest.raises(SourceError):
        detect("We name it.\nIts title, and abstract\nare short.\n", "a.csv")


def test_openalex() -> None:
    record = _first(samples.OPENALEX_WORK)
    assert (record.source, record.abstract, record.arxiv_id) == ("openalex:given", "We measure lakes.", "2001.01234")
    assert record.others == (Identifier("pmid", "12345678"), Identifier("openalex", "w2741809807"))
    assert record.notices == ("Retracted: so says OpenAlex",)
    assert (record.venue, record.categories, record.tags) == ("Lake Journal", ("Environmental Science",), ("lakes",))


def test_semantic_scholar_and_what_it_does_not_know() -> None:
    batch = json.dumps([samples.SEMANTIC_SCHOLAR_PAPER, None, {"citingPaper": samples.SEMANTIC_SCHOLAR_PAPER}])
    items = _items(batch)
    assert [type(item) for item in items] == [Record, Rejected, Record]
    record = items[2]
    assert isinstance(record, Record)
    assert (record.doi, record.arxiv_id, record.venue) == ("10.1000/lakes.1", "2001.01234", "Lake Journal")
    assert Identifier("acl", "2020.acl-main.1") in record.others


def test_crossref_without_its_markup() -> None:
    for wrapped in (
        samples.CROSSREF_WORK,
        {"status": "ok", "message-type": "work", "message": samples.CROSSREF_WORK},
    ):
        record = _first(wrapped)
        assert record.source == "crossref:given"
        assert record.title == "Deep Nets: for Shallow Lakes"
        assert record.abstract == "Aim: We measure lakes.\n\nIt works < 2."
        assert (record.authors, record.venue) == (("Jörg Müller", "Lake Group"), "Lakes & Rivers")
        assert record.notices == ("Retracted: doi:10.1000/lakes.2",)


def test_csl_json() -> None:
    record = _first([samples.CSL_ITEM])
    assert (record.title, record.citekey, record.authors) == (
        TITLE,
        "mueller2019",
        ("Anna van der Berg", "Lake Group"),
    )
    assert (record.arxiv_id, record.others) == ("2001.01234", (Identifier("pmid", "12345678"),))


def test_arxiv_snapshot_and_its_categories() -> None:
    lines = [{**samples.ARXIV_LINE, "id": f"2001.0{n:04}", "title": f"T {n}", "categories": kept} for n, kept in enumerate(("cs.CL", "cs.LG stat.ML", "math.AG", "physics.cs-x"))]  # fmt: skip
    text = "\n".join(map(json.dumps, lines))
    assert [record.title for record in _records(text)] == ["T 0", "T 1", "T 2", "T 3"]
    assert [record.title for record in _records(text, categories=["cs.CL"])] == ["T 0"]
    assert [record.title for record in _records(text, categories=["cs"])] == ["T 0", "T 1"]
    assert [record.title for record in _records(text, categories=["stat.ML", "math"])] == ["T 1", "T 2"]
    assert (_records(text)[0].year, _records(text)[0].abstract) == (2020, ABSTRACT)


def test_hugging_face_and_zotero_json() -> None:
    face, zotero = _first([samples.HUGGING_FACE]), _first([samples.ZOTERO_ITEM])
    assert (face.arxiv_id, face.abstract, face.tags) == ("2001.01234", "We measure lakes with deep nets.", ("lakes",))
    assert (zotero.authors, zotero.keys, zotero.tags) == (("Jörg Müller",), ("ABCD2345",), ("lakes",))


def test_lists_of_identifiers_say_what_they_need() -> None:
    items = _items(samples.IDENTIFIERS, "ids.txt")
    assert detect(samples.IDENTIFIERS, "ids.txt").NAME == "identifiers"
    assert [item.where for item in items] == [f"ids.txt:{line}" for line in range(3, 8)]
    named = [item.reason.rpartition("(")[2] for item in items if isinstance(item, Rejected)]
    assert named == [
        "doi:10.1000/lakes.1)",
        "doi:10.1000/x)",
        "arxiv:2001.01234)",
        "arxiv:hep-th/9901001)",
        "pmid:12345)",
    ]
    assert all("looked up online" in item.reason for item in items if isinstance(item, Rejected))


def test_what_a_publisher_writes_before_a_title_is_a_notice() -> None:
    assert _first({"title": "RETRACTED: A Lake", "abstract": ABSTRACT}).notices == ("Retracted: so says its title",)
    assert _first({"title": "[Withdrawn] A Lake", "abstract": ABSTRACT}).notices == ("Withdrawn: so says its title",)
    assert _first({"title": "Retracted papers: a survey", "abstract": ABSTRACT}).notices == ()


# --- packed ---------------------------------------------------------------------------------------------------------


def test_packed_sources(tmp_path: Path) -> None:
    import zstandard

    text = samples.BIBTEX.encode()
    packed = {
        "a.gz": gzip.compress(text) + gzip.compress(b"\n"),
        "a.zst": zstandard.compress(text),
        "stream.zst": b"",
    }
    compressor = zstandard.ZstdCompressor().compressobj()
    packed["stream.zst"] = compressor.compress(text) + compressor.flush()  # without its size
    for name, content in packed.items():
        (tmp_path / name).write_bytes(content)
        assert [record.title for record in read(tmp_path / name) if isinstance(record, Record)] == [
            TITLE,
            OTHER_TITLE,
        ]


def test_a_zip_gives_its_files_by_name_alone() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/refs.bib", samples.BIBTEX)
        archive.writestr("C:\\x\\b.ris", samples.RIS)
        archive.writestr("__MACOSX/._b.ris", b"\x00\x01")
        archive.writestr("inner.zip", b"PK\x03\x04rest")
        archive.writestr("notes.md", "# Notes\n\nNot a paper.\n")
    items = _items(buffer.getvalue(), "all.zip")
    records = [item for item in items if isinstance(item, Record)]
    assert {record.source for record in records} == {"bibtex:all.zip/refs.bib", "ris:all.zip/b.ris"}
    assert len(records) == 4
    rejected = {item.where: item.reason for item in items if isinstance(item, Rejected)}
    assert set(rejected) == {"all.zip/inner.zip", "all.zip/notes.md"}
    assert "archives within archives" in rejected["all.zip/inner.zip"]


def test_adding_takes_categories_and_a_bound_for_what_is_packed(tmp_path: Path) -> None:
    source = tmp_path / "snapshot.json.gz"
    kept = [
        {**samples.ARXIV_LINE, "id": f"2001.0000{n}", "title": f"T {n}", "categories": c}
        for n, c in enumerate(("cs.CL", "hep-ph"))
    ]
    source.write_bytes(gzip.compress("\n".join(map(json.dumps, kept)).encode()))
    with Library.open(tmp_path / "library", embedder=HashEmbedder()) as library:
        assert add(library, source, categories=["cs.CL"]).added == 1
        assert [paper.title for paper in library.papers()] == ["T 0"]
        refused = add(library, source, max_unpacked_bytes=100)
        assert "unpacked" in refused.rejected[0].reason
        assert add(library, source).added == 1


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_encodings_and_line_ends_change_nothing(kind: str) -> None:
    name, text = SAMPLES[kind]
    as_it_is = _items(text, name)
    plain = text.replace('encoding="UTF-8"', "")
    latin = plain.encode("cp1252", "xmlcharrefreplace" if "<?xml" in text else "ignore")
    for content in (
        text.encode("utf-8-sig"),
        plain.encode("utf-16"),
        plain.encode("utf-16-le"),
        text.replace("\n", "\r\n").encode(),
        text.replace("\n", "\r").encode(),
        latin,
    ):
        assert _items(content, name) == as_it_is
