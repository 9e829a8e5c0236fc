"""What is written out comes back as it was; references are what their styles ask for; nothing runs as a formula."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from docx import Document
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.cleaning import clean, normalise
from assistant.cli import main
from assistant.editing import Changes, Edits
from assistant.engine import Assistant
from assistant.entry_types import assumed_type
from assistant.errors import InputError
from assistant.exporting import FORMATS, Format, written
from assistant.identity import identifiers, paper_id
from assistant.library import Library, StoredPaper
from assistant.papers import Details, Paper, details
from assistant.referencing import STYLES, references
from assistant.settings import Settings
from assistant.testing import HashEmbedder, tiny_library
from assistant.transcript import transcript
from assistant.transcript_docx import document
from assistant.transcript_html import html
from ingest import add
from ingest.editing import edit
from ingest.matching import decide, names_of
from ingest.records import Record
from ingest.sources import read
from tests.stored_papers import stored

_ENDINGS: dict[Format, str] = {"bibtex": "bib", "csl-json": "json", "ris": "ris", "csv": "csv", "jsonl": "jsonl"}
_WORDS = st.sampled_from(
    [
        "graph",
        "GSM8K",
        "théorie",
        "α-helix",
        "{\\'e}tude",
        "50\\%",
        "$x^2$",
        "R&D",
        "Zoë's",
        "(draft)",
        "=SUM",
        "a:b",
        "基于",
        "@home",
    ]
)
_TITLES = st.lists(_WORDS, min_size=4, max_size=8).map(lambda words: normalise(" ".join(words)))
_NAMES = st.sampled_from(
    [
        "Ann Lee",
        "Jan van den Berg",
        "J. R. R. Tolkien",
        "Martin Luther King Jr.",
        "Zoë Müller",
        "Plato",
        "O'Brien Sean",
        "Centers for Disease Control and Prevention",
    ]
)
_PLAIN = st.lists(
    st.sampled_from(["Society", "R&D", "50%", "Zoë's", "#3", "a_b", "(2nd)", "$5"]), min_size=1, max_size=3
).map(" ".join)
_PAGES = st.sampled_from(["", "12-15", "e0815", "1:1-1:20", "xii-xv", "3-9, 12"])
_LINES = st.lists(
    st.sampled_from(["sample is small", "{odd", "see {A} & 5%", "=1+1", "", "  deep"]),
    min_size=1,
    max_size=4,
)
_OF_ALL = ("publisher", "publisher-place", "edition", "collection-title", "language")
_OF_TYPES: dict[str, tuple[str, ...]] = {
    "article-journal": ("volume", "issue", "page", "container-title-short"),
    "article-magazine": ("volume", "issue"),
    "paper-conference": ("page", "event-title", "event-place", "collection-number"),
    "chapter": ("volume", "page", "collection-number"),
    "book": ("collection-number", "number-of-pages"),
    "thesis": ("genre", "number"),
    "report": ("genre", "number"),
    "article": ("number",),
    "dataset": (), "software": (), "speech": (), "standard": ("number",), "webpage": (), "entry-dictionary": ("page",),
    "post-weblog": (), "patent": ("number",), "manuscript": ("genre",), "entry-encyclopedia": ("page",), "article-newspaper": ("page",),
}  # fmt: skip


@st.composite
def _details(draw: st.DrawFn, number: int, *, dated: bool, venue: bool) -> Details:
    kind = draw(st.sampled_from(["", *_OF_TYPES]))
    found = {"type": kind}
    placed = (
        "container-title-short",
        "collection-title",
        "event-title",
        "event-place",
    )  # which, without a venue, are taken for it
    for name in (*_OF_ALL, *_OF_TYPES.get(kind, ("volume", "page"))):
        if draw(st.booleans()) and (venue or name not in placed):
            found[name] = draw(
                _PAGES
                if name == "page"
                else st.sampled_from(["7", "12A", "B-4"])
                if "n" in name[:1] or name in ("volume", "issue", "collection-number")
                else _PLAIN
            )
    found["number-of-pages"] = "240" if found.get("number-of-pages") else ""
    found["ISSN"] = draw(st.sampled_from(["", "1234-567X", "1234-5678, 2345-6789"]))
    found["ISBN"] = draw(st.sampled_from(["", "978-3-16-148410-0"])) if kind in ("book", "chapter") else ""
    found["editor"] = draw(st.sampled_from(["", "Ann Lee", "Jan van den Berg; Martin Luther King Jr."]))
    found["note"] = draw(st.sampled_from(["", "Best paper & more", "First line\nSecond, 50% line"]))
    found["month"] = draw(st.sampled_from(["", "3", "12"])) if dated else ""
    found["day"] = "5" if found["month"] == "3" else ""
    found["PMID"] = draw(st.sampled_from(["", f"1234{number}"]))
    found["PMCID"] = draw(st.sampled_from(["", f"PMC77{number}"])) if found["PMID"] else ""
    return details(found)


_NOTICES = st.sampled_from(
    [
        (),
        ("Retracted: Lake J. 2020;4:1 (PMID 22222222)",),
        ("Withdrawn", "Odd & new: 5%"),
        ("Is the retraction of doi:10.1/x",),
    ]
)


@st.composite
def _papers(draw: st.DrawFn) -> list[Paper]:
    made: dict[str, Paper] = {}
    taken: set[object] = set()
    for number in range(draw(st.integers(1, 4))):
        bare = Paper(
            id="",
            title=f"{draw(_TITLES)} number {number}",
            abstract=draw(_TITLES) + ". " + draw(_TITLES) + ".",
            authors=tuple(draw(st.lists(_NAMES, max_size=3, unique=True))),
            year=draw(st.none() | st.integers(1950, 2030)),
            venue=draw(st.sampled_from([None, "Nature", "Proceedings of the R&D Workshop", "J. {\\'E}tudes"])),
            doi=draw(st.none() | st.integers(1, 99).map("10.1000/ab{}".format)),
            arxiv_id=draw(st.none() | st.integers(1, 99).map("2001.000{:02}".format)),
            url=draw(st.sampled_from([None, "https://example.org/a?b=c"])),
            categories=draw(st.sampled_from([(), ("cs.CL",), ("cs.CL", "stat.ML")])),
            tags=draw(st.sampled_from([(), ("to read",), ("a, b",), ("x", "y z")])),
            citekey=draw(st.sampled_from([None, f"key{number}", f"lee:2020/{number}"])),
            source="made:up",
            notices=draw(_NOTICES),
            note=draw(st.none() | _LINES.map("\n".join).map(str.strip)) or None,
        )
        bare = replace(
            bare, details=draw(_details(number, dated=bare.year is not None, venue=bare.venue is not None))
        )
        paper = replace(bare, id=paper_id(bare))
        names = set(identifiers(paper))
        if not names & taken:
            taken |= names
            made[paper.id] = paper
    return list(made.values())


def _edited(paper: Paper) -> StoredPaper:
    """As it is stored when the user wrote the note."""
    names = [(n.scheme, n.value) for n in identifiers(paper)]
    names += [("pmid", paper.detail("PMID"))] if paper.detail("PMID") else []
    edits = Edits({"note": paper.note}) if paper.note else None
    return stored(paper, identifiers=tuple(names), edits=edits, sourced=replace(paper, note=None) if edits else None)


@pytest.mark.parametrize("form", _ENDINGS)
@settings(max_examples=40)
@given(papers=_papers())
def test_what_is_written_out_is_read_back_whole_and_is_nothing_new(form: Format, papers: list[Paper]) -> None:
    """Details, notices and the user's note as well; into an empty library, and beside the papers that were written."""
    source = io.BytesIO("".join(written(papers, form)).encode())
    records = list(read(source, f"out.{_ENDINGS[form]}"))
    assert len(records) == len(papers)
    for paper, record in zip(papers, records, strict=True):
        assert isinstance(record, Record)
        found = replace(record.paper(paper.id), note=record.note)
        kept = replace(paper, categories=()) if form == "ris" else paper
        assert _as_shown(found) == _as_shown(kept)
        base = replace(paper, note=None)
        known = dict.fromkeys((*identifiers(paper), *names_of(record)), paper.id)
        assert decide(record, known, {paper.id: base}.get, lambda _: False).paper is None


def _as_shown(paper: Paper) -> Paper:
    """As displayed, with the type that is assumed, without what only a library with keys and files knows."""
    known = dict(paper.details)
    known["type"] = known.get("type") or assumed_type(paper)
    shown: dict[str, Any] = {
        name: clean(getattr(paper, name) or "").text.lstrip("'") for name in ("title", "abstract", "venue")
    }
    return replace(paper, **shown, details=details(known), source=None, citekey=None, id=paper.id.partition(":")[0])


@pytest.mark.parametrize("form", _ENDINGS)
@settings(max_examples=4)
@given(papers=_papers())
@example(papers=[Paper("title:x", "=SUM of all the parts", "+1 is more. @home.", ("=cmd Lee",))])
def test_a_library_written_out_and_added_again_is_the_same(form: Format, papers: list[Paper]) -> None:
    papers = [replace(paper, id=paper_id(paper)) for paper in papers]
    with TemporaryDirectory() as folder, Library.open(Path(folder) / "l", embedder=HashEmbedder()) as library:
        library.write([_edited(paper) for paper in papers])
        target = Path(folder) / f"out.{_ENDINGS[form]}"
        target.write_bytes("".join(written(papers, form)).encode())
        report = add(library, target)
        assert list(library.papers()) == papers
        assert (report.unchanged, report.rejected) == (len(papers), ())


@pytest.mark.parametrize("form", _ENDINGS)
def test_a_file_fills_an_empty_library_with_the_same_papers(form: Format, tmp_path: Path) -> None:
    papers = [
        Paper("doi:10.1000/a", "A Long Title of GSM8K", "One thing. Another.", ("Ann Lee", "Bo Ek"), 2020, "Nature", "10.1000/a",
              citekey="lee2020", tags=("x", "y")),
        Paper("arxiv:2001.00001", "Another Rather Long Title", "More of it.", ("Jan van den Berg",), 2021, None, None, "2001.00001"),
    ]  # fmt: skip
    target = tmp_path / f"out.{_ENDINGS[form]}"
    target.write_bytes("".join(written(papers, form)).encode())
    with Library.open(tmp_path / "l", embedder=HashEmbedder()) as library:
        assert add(library, target).added == 2
        for paper, found in zip(papers, library.papers(), strict=True):
            assert (found.id, found.title, found.abstract, found.authors, found.year) == (
                paper.id, paper.title, paper.abstract, paper.authors, paper.year,
            )  # fmt: skip
            assert (found.venue, found.doi, found.arxiv_id, found.tags) == (
                paper.venue,
                paper.doi,
                paper.arxiv_id,
                paper.tags,
            )
        assert library.paper("@lee2020").id == "doi:10.1000/a"


def test_the_note_fills_an_empty_library_once_and_never_comes_over_the_users(tmp_path: Path) -> None:
    note = "sample is {small\n@book{x, of 5%"
    paper = Paper("doi:10.1000/a", "A Long Title of GSM8K", "One thing.", doi="10.1000/a", note=note)
    target = tmp_path / "out.bib"
    target.write_text("".join(written([paper], "bibtex")))
    with Library.open(tmp_path / "l", embedder=HashEmbedder()) as library:
        add(library, target)
        assert library.paper("10.1000/a").note == note
        assert library.editions.provenance("doi:10.1000/a")["note"] == "you"
        edit(library, "10.1000/a", Changes({"note": "Mine."}))
        add(library, target)
        assert library.paper("10.1000/a").note == "Mine."
        edit(library, "10.1000/a", Changes({"note": None}))
        add(library, target)
        assert library.paper("10.1000/a").note is None


def test_the_notes_of_others_are_not_the_users(tmp_path: Path) -> None:
    target = tmp_path / "refs.bib"
    target.write_text(
        "@article{a, title={T of It}, abstract={A.}, note={Retracted: why. \n\nBest paper}, annote={read it}}"
    )
    (record,) = read(target)
    assert isinstance(record, Record)
    assert (record.note, record.notices) == (None, ("Retracted: why.",))
    assert dict(record.details)["note"] == "Best paper\nread it"


def test_bibtex_names_no_empty_key() -> None:
    (piece,) = written([Paper("title:1", "Plain Title of It", "Text.", ("Ann Lee",), 2020)], "bibtex")
    assert piece.startswith("@misc{lee2020plain,")
    assert "ibidcitekey" not in piece
    (piece,) = written([Paper("title:1", "Plain Title of It", "Text.", citekey="smith, 2020")], "bibtex")
    assert "@misc{smith2020," in piece
    assert "ibidcitekey = {smith, 2020}" in piece


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_runs_as_a_formula(start: str) -> None:
    text = "".join(written([Paper("title:1", f"{start}1+1", "Text.")], "csv"))
    assert f"'{start}1+1" in text


_LEE = Paper("doi:10.1000/abc", "Attention is all you need for GSM8K", "Text.", ("Ann B. Lee", "Jan van den Berg"), 2020, "Nature", "10.1000/abc")  # fmt: skip
_STYLED = {
    "apa": "Lee, A. B., & van den Berg, J. (2020). Attention is all you need for GSM8K. Nature. https://doi.org/10.1000/abc",
    "ieee": "[1] A. B. Lee and J. van den Berg, “Attention is all you need for GSM8K,” Nature, 2020, doi: 10.1000/abc.",
    "vancouver": "1. Lee AB, van den Berg J. Attention is all you need for GSM8K. Nature. 2020. doi:10.1000/abc",
}


@pytest.mark.parametrize("style", _STYLED)
def test_references_follow_their_style(style: str) -> None:
    assert references([_LEE], style) == [_STYLED[style]]


_ARTICLE = Paper(
    "doi:10.1000/x", "Waste not: Rarefying is inadmissible", "Text.", ("Paul J. McMurdie", "Susan Holmes"), 2014, "PLOS Computational Biology", "10.1000/x",
    details=details({"type": "article-journal", "volume": "10", "issue": "4", "page": "1531-1538", "month": "4", "day": "3", "PMID": "77"}),
)  # fmt: skip
_OF_AN_ARTICLE = {
    "acm": "[1] Paul J. McMurdie and Susan Holmes. 2014. Waste not: Rarefying is inadmissible. PLOS Computational Biology 10, 4 (April 2014), 1531–1538. https://doi.org/10.1000/x",
    "ama": "1. McMurdie PJ, Holmes S. Waste not: Rarefying is inadmissible. PLOS Computational Biology. 2014;10(4):1531-1538. doi:10.1000/x",
    "apa": "McMurdie, P. J., & Holmes, S. (2014). Waste not: Rarefying is inadmissible. PLOS Computational Biology, 10(4), 1531–1538. https://doi.org/10.1000/x",
    "chicago": "McMurdie, Paul J., and Susan Holmes. 2014. “Waste Not: Rarefying Is Inadmissible.” PLOS Computational Biology 10 (4): 1531–38. https://doi.org/10.1000/x.",
    "harvard": "McMurdie, P.J. and Holmes, S. (2014) “Waste not: Rarefying is inadmissible”, PLOS Computational Biology, 10(4), pp. 1531–1538. Available at: https://doi.org/10.1000/x.",
    "ieee": "[1] P. J. McMurdie and S. Holmes, “Waste not: Rarefying is inadmissible,” PLOS Computational Biology, vol. 10, no. 4, pp. 1531–1538, Apr. 2014, doi: 10.1000/x.",
    "mla": "McMurdie, Paul J., and Susan Holmes. “Waste Not: Rarefying Is Inadmissible.” PLOS Computational Biology, vol. 10, no. 4, Apr. 2014, pp. 1531–38, https://doi.org/10.1000/x.",
    "nature": "1. McMurdie, P. J. & Holmes, S. Waste not: Rarefying is inadmissible. PLOS Computational Biology 10, 1531–1538 (2014).",
    "vancouver": "1. McMurdie PJ, Holmes S. Waste not: Rarefying is inadmissible. PLOS Computational Biology. 2014 Apr 3;10(4):1531–8. doi:10.1000/x PubMed PMID: 77.",
}  # fmt: skip
_OF_OTHERS = [
    (
        Paper(
            "title:1", "Deep bidirectional transformers", "T.", ("Jacob Devlin",), 2019, "Proceedings of NAACL",
            details=details({"type": "paper-conference", "page": "4171-4186", "publisher": "ACL", "publisher-place": "Minneapolis", "editor": "Jill Burstein; Christy Doran"}),
        ),
        "Devlin, J. (2019). Deep bidirectional transformers. In J. Burstein & C. Doran (Eds.), Proceedings of NAACL (pp. 4171–4186). ACL.",
    ),
    (
        Paper("arxiv:1706.03762", "Attention is all", "T.", ("Ashish Vaswani",), 2017, arxiv_id="1706.03762"),
        "Vaswani, A. (2017). Attention is all (arXiv:1706.03762). arXiv. https://arxiv.org/abs/1706.03762",
    ),
    (
        Paper("title:2", "On things", "T.", ("Zoë Müller",), 2015, details=details({"type": "thesis", "genre": "PhD thesis", "publisher": "University of Oslo"})),
        "Müller, Z. (2015). On things [PhD thesis, University of Oslo].",
    ),
    (
        Paper("title:3", "Global report", "T.", ("World Health Organization",), 2020, details=details({"type": "report", "number": "12", "publisher": "WHO Press"})),
        "World Health Organization. (2020). Global report (No. 12). WHO Press.",
    ),
    (
        replace(_ARTICLE, notices=("Retracted: PLOS 2015;1:1",)),
        "McMurdie, P. J., & Holmes, S. (2014). Waste not: Rarefying is inadmissible [Retracted]. PLOS Computational Biology, 10(4), 1531–1538. https://doi.org/10.1000/x",
    ),
]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_an_article_with_volume_and_pages_is_as_the_style_wants_it(style: str) -> None:
    assert references([_ARTICLE], style) == [_OF_AN_ARTICLE[style]]


def test_every_kind_of_work_is_cited_as_what_it_is() -> None:
    assert references([paper for paper, _ in _OF_OTHERS], "apa") == [told for _, told in _OF_OTHERS]


@pytest.mark.parametrize("style", STYLES)
def test_a_retracted_paper_is_marked_in_every_style(style: str) -> None:
    marked, corrected, said = references(
        [
            replace(_ARTICLE, notices=("Corrected: 2015", "Retracted: PLOS 2015;1:1")),
            replace(_ARTICLE, notices=("Corrected: 2015",)),
            replace(_ARTICLE, title="RETRACTED: Waste not", notices=("Retracted: so says its title",)),
        ],
        style,
    )
    assert "[Retracted]" in marked
    assert "[" not in corrected.removeprefix("[2]")
    assert "[Retracted]" not in said


@pytest.mark.parametrize("style", STYLES)
def test_every_style_gives_every_paper_a_reference(style: str) -> None:
    bare = Paper("title:1", "No author or year <b>here</b>", "Text.")
    preprint = Paper(
        "arxiv:2001.00001", "A preprint", "Text.", ("Plato",), 2020, "arXiv", None, "2001.00001", "https://x.org"
    )
    made = references([_LEE, bare, preprint], style)
    assert len(made) == 3
    assert all(word in made[0] for word in ("Lee", "GSM8K", "10.1000/abc"))
    assert "author or year" in made[1].lower()
    assert "Plato" in made[2]


def test_numbered_references_count_on() -> None:
    assert [text.split()[0] for text in references([_LEE, _LEE], "ieee", first=3)] == ["[3]", "[4]"]
    assert references([], "apa") == []


def test_a_style_that_is_none_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.csl"
    broken.write_text("<style>")
    for style in ("no-such", str(tmp_path / "absent.csl"), str(broken), "../apa.csl"):
        with pytest.raises(InputError):
            references([_LEE], style)


def test_lists_of_references_hold_no_markup_of_papers() -> None:
    sly = replace(_LEE, title="See [here](http://evil) *now*")
    (line,) = written([sly], "markdown")
    assert "[here](" not in line
    assert set(FORMATS) == {*_ENDINGS, "markdown", "text"}
    assert json.loads("".join(written([], "csl-json"))) == []


# --- conversations ----------------------------------------------------------------------------------------------------


@pytest.fixture
def talked(tmp_path: Path) -> tuple[Path, str]:
    with tiny_library(tmp_path / "talked") as library:
        assistant = Assistant(library, settings=Settings.load(strictness="lenient"))
        conversation = assistant.conversation()
        conversation.ask("What is PromptLadder? <script>alert(1)</script>")
        conversation.ask("Who won the cricket world cup in 1997?")
    return tmp_path / "talked", conversation.id


def test_a_conversation_as_html_is_inert_and_whole(talked: tuple[Path, str]) -> None:
    with Library.open(talked[0], create=False) as library:
        whole = transcript(library, talked[1])
    page = html(whole)
    assert "<script" not in page
    assert page.count("<h2>") == 2 + bool(whole.references)
    assert all(f'id="ref-{r.number}"' in page and f"#ref-{r.number}" in page for r in whole.references)
    assert whole.references


def test_a_conversation_as_word_opens_with_its_references(talked: tuple[Path, str], tmp_path: Path) -> None:
    with Library.open(talked[0], create=False) as library:
        whole = transcript(library, talked[1])
    target = tmp_path / "out.docx"
    target.write_bytes(b"".join(document(whole)))
    text = "\n".join(paragraph.text for paragraph in Document(str(target)).paragraphs)
    assert all(turn.question in text for turn in whole.turns)
    assert f"“{clean(whole.references[0].quote).text}”" in text
    assert "References" in text


def test_the_command_line_writes_conversations_and_styles(
    talked: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ibid(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([*map(str, arguments), "--library", str(talked[0])])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    for ending in ("html", "docx"):
        target = tmp_path / f"talk.{ending}"
        assert ibid("conversations", "export", "last", "-o", target)[0] == 0
        assert target.stat().st_size > 1000
    code, _, err = ibid("conversations", "export", "last", "--format", "docx")
    assert (code, err.strip().splitlines()[-1]) == (2, "Error: a Word document needs a file: give --output NAME.docx")
    code, out, _ = ibid("export", "--conversation", "last", "--style", "ieee")
    assert code == 0
    assert out.startswith("[1] ")
    code, _, err = ibid("export", "--style", "nonesuch")
    assert (code, len(err.strip().splitlines())) == (1, 1)
    assert ibid("export", "--style", "apa", "--format", "ris")[0] == 2
