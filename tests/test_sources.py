"""Sources: every format with what real files do to it, told apart by content, and never an exception."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import SourceError
from ingest.records import Record, Rejected
from ingest.sources import FORMATS, detect, files, read

_ROOT = Path(__file__).parent.parent
_CORPUS = _ROOT / "ingest" / "corpus" / "huggingface-papers.txt"
_DATA = Path(__file__).parent / "data"

_FIRST = "Large models reason well. They fail on long chains, and we show why that is so in this paper."
_SECOND = "We study bandits under noise. The regret is bounded by a constant, which closes an old question."


def _read(content: str | bytes, name: str = "given.txt") -> list[Record | Rejected]:
    return list(read(io.BytesIO(content if isinstance(content, bytes) else content.encode()), name))


def _records(content: str | bytes, name: str = "given.txt") -> list[Record]:
    return [item for item in _read(content, name) if isinstance(item, Record)]


def _rejected(content: str | bytes, name: str = "given.txt") -> list[Rejected]:
    return [item for item in _read(content, name) if isinstance(item, Rejected)]


# --- the dump ---------------------------------------------------------------------------------------------------------


def _dump() -> tuple[list[str], list[str]]:
    """The bundled corpus by hand: its titles as listed beside this file, its abstracts as the lines between them."""
    titles = (_DATA / "ingest_titles.txt").read_text(encoding="utf-8").splitlines()
    lines = _CORPUS.read_text(encoding="utf-8").splitlines()
    return titles, lines[3::2]


def test_all_papers_of_the_bundled_corpus_come_in_exactly() -> None:
    titles, abstracts = _dump()
    items = list(read(_CORPUS))
    assert len(titles) == len(abstracts) == 59
    assert [item.title for item in items if isinstance(item, Record)] == titles
    assert [item.abstract for item in items if isinstance(item, Record)] == abstracts
    assert titles[0] == "The Unreasonable Effectiveness of Eccentric Automatic Prompts"
    assert [item.where for item in items] == [f"huggingface-papers.txt:{line}" for line in range(3, 121, 2)]


@pytest.mark.parametrize(
    "head",
    [
        "",
        "Subscribe",
        "Sign up",
        "Get the best papers!\nJoin",
        "Trending papers\nDaily digest, straight to your inbox.\nFollow",
        "Search\n123 results\n",
        "Home\nPapers\nLog in\n\nNewest first\n",
        "Never miss a paper!\nContinue with Google",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n\n", "\n \n\n"])
def test_other_pages_heads_and_line_ends(head: str, line_end: str) -> None:
    titles, abstracts = _dump()
    body = line_end.join(part for pair in zip(titles, abstracts, strict=True) for part in pair)
    for bom in (b"", b"\xef\xbb\xbf"):
        records = _records(bom + (head.replace("\n", line_end) + body).encode())
        assert [record.title for record in records] == titles
        assert [record.abstract for record in records] == abstracts


def test_a_name_written_like_a_lost_seam_stays() -> None:
    titles, abstracts = _dump()
    for at, title in enumerate(titles):
        if title.split(":")[0] in {"NegativePrompt", "LongDPO", "ProgRM", "ReLOAD"}:
            for head in ("", "Get our letter!\n"):
                records = _records(f"{head}{title}\n{abstracts[at]}\n{titles[1]}\n{abstracts[1]}\n")
                assert records[0].title == title


@pytest.mark.parametrize("dropped", [0, 1, 30, 58])
def test_a_title_without_abstract_is_reported_and_costs_no_neighbour(dropped: int) -> None:
    titles, abstracts = _dump()
    lines = [
        part for at, pair in enumerate(zip(titles, abstracts, strict=True)) for part in pair[: 1 + (at != dropped)]
    ]
    items = _read("\n".join(lines))
    records = [item for item in items if isinstance(item, Record)]
    (rejected,) = [item for item in items if isinstance(item, Rejected)]
    assert [record.title for record in records] == titles[:dropped] + titles[dropped + 1 :]
    assert [record.abstract for record in records] == abstracts[:dropped] + abstracts[dropped + 1 :]
    assert rejected.where == f"given.txt:{2 * dropped + 1}"
    assert rejected.reason.startswith("no abstract")


def test_many_missing_abstracts() -> None:
    titles, abstracts = _dump()
    random_numbers = random.Random(7)
    kept = {at for at in range(59) if random_numbers.random() < 0.7}
    lines = [part for at in range(59) for part in ([titles[at], abstracts[at]] if at in kept else [titles[at]])]
    items = _read("\n".join(["Join our list!", *lines]))
    assert {item.title: item.abstract for item in items if isinstance(item, Record)} == {
        titles[at]: abstracts[at] for at in kept
    }
    assert sum(isinstance(item, Rejected) for item in items) == 59 - len(kept)


def test_an_abstract_without_a_title_is_reported() -> None:
    titles, abstracts = _dump()
    items = _read("\n".join([titles[0], abstracts[0], abstracts[1], titles[2], abstracts[2]]))
    assert [item.title for item in items if isinstance(item, Record)] == [titles[0], titles[2]]
    (rejected,) = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason.startswith("an abstract without a title")


@pytest.mark.parametrize("blank", ["", "\n"])
def test_wrapped_abstracts_are_joined(blank: str) -> None:
    import textwrap

    titles, abstracts = _dump()
    chosen = [at for at in range(59) if len(titles[at]) < 75]
    parts = [titles[at] + "\n" + blank + textwrap.fill(abstracts[at], 80, break_on_hyphens=False) for at in chosen]
    records = _records(("\n" + blank).join(parts))
    assert [record.title for record in records] == [titles[at] for at in chosen]
    assert [record.abstract for record in records] == [" ".join(abstracts[at].split()) for at in chosen]


# --- JSON ---------------------------------------------------------------------------------------------------------------


def test_json_lines_with_every_spelling_of_fields() -> None:
    lines = [
        {"title": "A", "abstract": _FIRST, "authors": ["Ann Lee", "Ek, Bo"], "year": 2020, "doi": "10.1000/A", "tags": "x; y"},
        {"Title": "B", "summary": _SECOND, "authors": [{"name": "Ann Lee"}], "published": "2021-05-01T00:00:00Z", "id": "http://arxiv.org/abs/2105.00001v2"},
        {"TI": "C", "AB": _FIRST, "AU": "Lee, Ann and Ek, Bo", "PY": "1999", "externalIds": {"DOI": "10.1000/C", "ArXiv": "1706.03762"}},
        {"title": ["D"], "abstract": _SECOND, "author": [{"family": "Lee", "given": "Ann"}], "issued": {"date-parts": [[2018, 3]]}, "container-title": ["Venue"]},
        {"display_name": "E", "abstract_inverted_index": {"Deep": [0], "nets": [1, 3], "beat": [2]}, "publication_year": 2022, "id": "https://openalex.org/W123456"},
        {"title": "F", "abstract": _FIRST, "authors": "C. Bal\\'azs, E. L. Berger, C.-P. Yuan", "categories": "cs.AI cs.LG", "journal-ref": "J. X", "id": "0704.0001"},
    ]  # fmt: skip
    records = _records("\n".join(map(json.dumps, lines)))
    assert [record.title for record in records] == list("ABCDEF")
    assert [record.year for record in records] == [2020, 2021, 1999, 2018, 2022, None]
    assert records[0].authors == ("Ann Lee", "Bo Ek")
    assert records[0].tags == ("x", "y")
    assert records[1].arxiv_id == "2105.00001"
    assert (records[2].doi, records[2].arxiv_id, records[2].authors) == (
        "10.1000/c",
        "1706.03762",
        ("Ann Lee", "Bo Ek"),
    )
    assert (records[3].authors, records[3].venue) == (("Ann Lee",), "Venue")
    assert (records[4].abstract, records[4].others[0].value) == ("Deep nets beat nets", "w123456")
    assert records[5].authors == ("C. Balázs", "E. L. Berger", "C.-P. Yuan")
    assert (records[5].categories, records[5].venue, records[5].arxiv_id) == (("cs.AI", "cs.LG"), "J. X", "0704.0001")


_TWO = [{"title": "A", "abstract": _FIRST}, {"title": "B", "abstract": _SECOND}]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(_TWO),
        json.dumps(_TWO, indent=2),
        "\n\n" + json.dumps(_TWO, indent=4) + "\n",
        json.dumps({"total": 2, "papers": _TWO}),
        json.dumps({"papers": _TWO}, indent=2),
        "\n".join(json.dumps(one, indent=2) for one in _TWO),
        "\r\n".join(map(json.dumps, _TWO)),
        "\n\n".join(map(json.dumps, _TWO)) + "\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_in_every_layout(text: str, encoding: str) -> None:
    records = _records(text.encode(encoding))
    assert [(record.title, record.abstract) for record in records] == [("A", _FIRST), ("B", _SECOND)]


def test_a_broken_line_costs_itself() -> None:
    text = "\n".join(
        [json.dumps(_TWO[0]), '{"title": "cut of', "", "3", '{"title": "No abstract"}', json.dumps(_TWO[1])]
    )
    items = _read(text, "a.jsonl")
    assert [item.title for item in items if isinstance(item, Record)] == ["A", "B"]
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert [item.where for item in rejected] == ["a.jsonl:2", "a.jsonl:4", "a.jsonl:5"]
    assert rejected[0].reason.startswith("not JSON")
    assert rejected[2].reason == "no abstract ('No abstract')"


def test_a_broken_first_line_costs_itself() -> None:
    text = "\n".join(['{"title": "cut of', *map(json.dumps, _TWO)])
    assert [record.title for record in _records(text, "a.jsonl")] == ["A", "B"]


def test_a_truncated_array_keeps_what_is_whole() -> None:
    text = json.dumps([*_TWO, {"title": "C", "abstract": _FIRST}], indent=1)
    items = _read(text[: text.rindex("reason")])
    assert [item.title for item in items if isinstance(item, Record)] == ["A", "B"]
    (rejected,) = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason == "ends in the middle of a record"


def test_deep_nesting_is_no_stack_overflow() -> None:
    text = '{"title": "A", "abstract": ' + "[" * 200_000 + "\n" + json.dumps(_TWO[1])
    assert _rejected(text, "a.jsonl")


# --- tables -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_tables_with_any_delimiter(delimiter: str, line_end: str) -> None:
    rows = [
        ["Title", "Abstract Note", "Author Names", "Publication Year", "DOI"],
        ["A", f'"{_FIRST}"', '"Lee, Ann; Ek, Bo"', "2020", "10.1000/A"],
        ["B", '"Two lines\nin one ""cell""."', "", "n/a", ""],
    ]
    text = "\n".join(delimiter.join(row) for row in rows).replace("\n", line_end) + line_end
    records = _records(text)
    assert [record.title for record in records] == ["A", "B"]
    assert (records[0].abstract, records[0].authors, records[0].year, records[0].doi) == (
        _FIRST, ("Ann Lee", "Bo Ek"), 2020, "10.1000/a",
    )  # fmt: skip
    assert (records[1].abstract, records[1].year) == ('Two lines\nin one "cell".', None)


def test_an_unclosed_quote_costs_its_row() -> None:
    text = f'title,abstract,year\nA,"{_FIRST}",2020\nB,"never closed,2020\nC,"{_SECOND}",2021\nD,"{_FIRST}",2022\n'
    items = _read(text, "a.csv")
    titles = [item.title for item in items if isinstance(item, Record)]
    assert titles == ["A", "C", "D"]
    assert [item.where for item in items if isinstance(item, Rejected)] == ["a.csv:3"]


def test_rows_too_short_or_too_long_are_read_as_far_as_they_go() -> None:
    text = f"title,abstract,year\nA,{_FIRST.replace(',', '')},2020,more,and more\nB\n"
    items = _read(text)
    assert [type(item) for item in items] == [Record, Rejected]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_encodings(encoding: str) -> None:
    text = "title;abstract;authors\n" + "\n".join(
        f"Über Größe und Café {n};Naïve Schätzer für Müller’s Größe übertreffen ältere Verfahren.;Jörg Müller"
        for n in range(5)
    )
    text = text if encoding not in {"latin-1"} else text.replace("’", "'")
    records = _records(text.encode(encoding), "a.csv")
    assert [record.title for record in records] == [f"Über Größe und Café {n}" for n in range(5)]
    assert records[0].authors == ("Jörg Müller",)


def test_one_stray_byte_costs_one_character() -> None:
    lines = [f"Größe {n},Schätzer für viele Größen.".encode() for n in range(50)]
    lines[30] = "Größe 30,Ein Schätzer.".encode("latin-1")
    records = _records(b"title,abstract\n" + b"\n".join(lines))
    assert [record.title for record in records] == [f"Größe {n}" for n in range(50)]


# --- BibTeX -------------------------------------------------------------------------------------------------------------


def test_bibtex() -> None:
    items = list(read(_DATA / "ingest.bib"))
    records = {item.title: item for item in items if isinstance(item, Record)}
    rejected = {item.where: item.reason for item in items if isinstance(item, Rejected)}
    first = records["Attention Is All You Need"]
    assert first.authors == ("Ashish Vaswani", "Noam Shazeer")
    assert (first.year, first.venue) == (2017, "Advances in Neural Information Processing Systems")
    assert (first.arxiv_id, first.citekey, first.tags) == ("1706.03762", "vaswani2017", ("attention", "translation"))
    assert first.abstract == (
        "The dominant sequence transduction models are based on complex recurrent or convolutional neural networks. "
        "We gain 77\\% with Schr\\\"odinger's cat."
    )
    second = records["On Ch\\'evalley groups"]
    assert second.authors == ("Jörg Müller", "Anna van der Berg")
    assert (second.doi, second.abstract) == ("10.1000/abc.1", "We study groups. They are nice.")
    child = records["The Child Paper"]
    assert (child.year, child.venue) == (2015, "Proceedings of Everything")
    assert records["Another Paper Under a Used Key"].citekey == "muller2020"
    assert set(rejected) == {"ingest.bib:25", "ingest.bib:30", "ingest.bib:45"}
    assert rejected["ingest.bib:25"] == "no abstract ('Only a Title Here')"
    assert "broken" in rejected["ingest.bib:30"]


# --- all formats --------------------------------------------------------------------------------------------------------


def test_format_is_told_by_content_whatever_the_name() -> None:
    contents = {
        "bibtex": "@article{a,\n title={A}, abstract={B}\n}",
        "json": json.dumps(_TWO[0]),
        "table": f"title\tabstract\nA\t{_FIRST}\n",
        "dump": _CORPUS.read_text(encoding="utf-8"),
    }
    for name in ("a.txt", "a.bib", "a.csv", "a", "a.json"):
        assert {expected: detect(content, name).NAME for expected, content in contents.items()} == {
            expected: expected for expected in contents
        }
    assert {source.NAME for source in FORMATS} > set(contents)


@pytest.mark.parametrize(
    "text",
    [
        "# Heading\n\nSome text. More text follows here in the readme.\n",
        "<html><body>No papers. None at all, in this page of text.</body></html>",
        "def f():\n    return 1\n",
        "a,b,c\n1,2,3\n",
        "hello",
    ],
)
def test_other_text_is_no_source(text: str) -> None:
    with pytest.raises(SourceError):
        detect(text, "x.txt")
    (rejected,) = _read(text)
    assert isinstance(rejected, Rejected)
    assert rejected.reason.startswith("not a source of papers")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n\t\n",
        b"\xef\xbb\xbf",
        b"\x00\x01\x02" * 100,
        b"%PDF-1.7\n...",
        b"\x1f\x8b\x08rest",
        b"PK\x03\x04rest",
        b"\xff\xfe\x00",
    ],
)
def test_empty_and_binary_files_are_one_line_of_the_report(content: bytes) -> None:
    (rejected,) = _read(content)
    assert isinstance(rejected, Rejected)
    assert "\n" not in rejected.reason


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    (rejected,) = read(tmp_path / "absent.bib")
    assert isinstance(rejected, Rejected)
    assert "No such file" in rejected.reason


def test_huge_line_costs_itself() -> None:
    text = json.dumps(_TWO[0]) + "\n" + '{"title": "' + "x" * (9 << 20) + '"}\n' + json.dumps(_TWO[1])
    items = _read(text, "a.jsonl")
    assert [item.title for item in items if isinstance(item, Record)] == ["A", "B"]
    assert "characters" in next(item.reason for item in items if isinstance(item, Rejected))


def test_json_and_tables_are_streamed() -> None:
    def lines() -> Iterator[bytes]:
        for number in range(200_000):
            yield json.dumps({"title": f"T{number}", "abstract": _FIRST}).encode() + b"\n"
        raise AssertionError("read to the end before the first record")

    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.source = lines()

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return b"".join(next(self.source) for _ in range(max(1, size // 200)))

    first = next(iter(read(Endless(), "a.jsonl")))  # type: ignore[arg-type]  # as much of a stream as is needed
    assert isinstance(first, Record)
    assert first.title == "T0"


def test_folder_gives_its_files_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.bib", ".hidden", ".git/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [path.relative_to(tmp_path).as_posix() for path in files(tmp_path)] == ["b.txt", "a/c.bib"]


_NASTY = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(
        st.sampled_from(
            ["@article{", "k,", "title", "=", "{", "}", '"', ",", "\n", "abstract", " and ", "@string{a=", "#", '{"title":', '"A"', "[", "]", ":", "\t",
             ";", "A. B c. ", "Deep Learning for All", "\\\"o", "\r", "é", "1", "null", "\x00", "We show that it works well. It does so on all of the nine tasks."]
        ),
        max_size=40,
    ).map(lambda parts: "".join(parts).encode()),
)  # fmt: skip


@given(_NASTY, st.sampled_from(["a.bib", "a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a"]))
@settings(max_examples=400, deadline=None)
def test_no_bytes_make_a_source_raise(content: bytes, name: str) -> None:
    items = _read(content, name)
    assert items
    for item in items:
        if isinstance(item, Record):
            assert item.title
            assert item.abstract
        else:
            assert item.where.startswith(name)
            assert "\n" not in item.reason


@given(st.sampled_from(FORMATS), _NASTY)
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_a_format_raise_once_it_was_taken_for_it(source: object, content: bytes) -> None:
    from ingest.sources.text import open_text

    try:
        text = open_text(io.BytesIO(content))
    except SourceError:
        return
    for item in source.read(text, "a"):  # type: ignore[attr-defined]  # one of FORMATS
        assert isinstance(item, Record | Rejected)


_FIELD = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=60).map(
    lambda text: " ".join(text.split())
)


@given(st.lists(st.tuples(_FIELD, _FIELD), min_size=1, max_size=5))
@settings(max_examples=150, deadline=None)
def test_json_round_trip(pairs: list[tuple[str, str]]) -> None:
    from assistant.cleaning import normalise

    text = "\n".join(json.dumps({"title": f"t{title}", "abstract": f"a{abstract}"}) for title, abstract in pairs)
    assert [(record.title, record.abstract) for record in _records(text, "a.jsonl")] == [
        (" ".join(normalise(f"t{title}").split()), normalise(f"a{abstract}")) for title, abstract in pairs
    ]


@given(st.lists(st.tuples(_FIELD, _FIELD), min_size=1, max_size=5), st.sampled_from([",", "\t", ";"]))
@settings(max_examples=150, deadline=None)
def test_table_round_trip(pairs: list[tuple[str, str]], delimiter: str) -> None:
    import csv

    from assistant.cleaning import normalise

    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([("title", "abstract"), *((f"t{title}", f"a{abstract}") for title, abstract in pairs)])
    assert [(record.title, record.abstract) for record in _records(out.getvalue(), "a.csv")] == [
        (" ".join(normalise(f"t{title}").split()), normalise(f"a{abstract}")) for title, abstract in pairs
    ]
