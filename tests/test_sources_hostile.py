"""Sources meant to hurt, and mutated ones: each refusal is a line, memory stays flat, and nothing is ever raised."""

from __future__ import annotations

import gzip
import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from source_samples import IDENTIFIERS, SAMPLES

from ingest.records import Record, Rejected
from ingest.sources import FORMATS, read
from ingest.sources.packed import Limits

_BOMB = """<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><feed><entry><title>&c;</title><summary>x</summary></entry></feed>"""
_READS_A_FILE = """<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<feed><entry><title>&x;</title><summary>x</summary></entry></feed>"""
_OUTSIDE_TYPE = """<?xml version="1.0"?><!DOCTYPE feed SYSTEM "file:///etc/hostname">
<feed><entry><title>A</title><summary>Something.</summary></entry></feed>"""


def _items(content: str | bytes, name: str = "given", **asked: object) -> list[Record | Rejected]:
    stream = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    return list(read(stream, name, **asked))  # type: ignore[arg-type]  # only limits are asked for


def _reasons(items: list[Record | Rejected]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Rejected)]


class _Made(io.RawIOBase):
    """A long stream that is never held."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        given, self._rest = self._rest[:size], self._rest[size:]
        return given


# --- XML --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [_BOMB, _READS_A_FILE])
def test_entities_are_refused(text: str) -> None:
    (rejected,) = _items(text)
    assert isinstance(rejected, Rejected)
    assert rejected.where.startswith("given:")
    assert "entities" in rejected.reason


def test_an_outside_document_type_is_named_and_never_read() -> None:
    (record,) = _items(_OUTSIDE_TYPE)
    assert isinstance(record, Record)
    assert record.title == "A"


def test_what_came_before_the_damage_comes_in() -> None:
    for written in ("atom", "pubmed xml", "endnote xml", "acl xml"):
        text = SAMPLES[written][1]
        items = _items(text[: int(len(text) * 0.9)])
        assert isinstance(items[0], Record), written
        assert _reasons(items)[-1].startswith("not well-formed XML"), written


@pytest.mark.parametrize("inside", ["feed", "entry"])
def test_deep_nesting_is_refused_early(inside: str) -> None:
    head = "<feed>" if inside == "feed" else "<feed><entry><title>A</title>"
    (reason,) = _reasons(_items(head + "<a>" * 200_000))
    assert "nested more than 100 deep" in reason


@pytest.mark.parametrize("piece", [b"<!-- " + b"x" * 1000, b"<entry a='" + b"x" * 1000])
def test_one_endless_part_of_xml_is_refused(piece: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"<feed>" + piece
        for _ in range(400):
            yield b"y" * (1 << 16)
        raise AssertionError("read on after the refusal")

    items = list(read(_Made(pieces()), "given"))  # type: ignore[arg-type]  # as much of a stream as is needed
    assert len(items) == 1
    assert "characters" in _reasons(items)[0]


# --- length -----------------------------------------------------------------------------------------------------------

_HUGE = {
    "bibtex": (b"@article{a, title={", SAMPLES["bibtex"][1]),
    "ris": (b"TY  - JOUR\nAB  - ", SAMPLES["ris"][1]),
    "nbib": (b"PMID- 1\nTI  - ", SAMPLES["nbib"][1]),
    "wos": (b"PT J\nTI ", SAMPLES["wos"][1]),
    "refer": (b"%0 Book\n%T A\n%A B\n%X ", SAMPLES["refer"][1]),
    "json": (b'{"title": "', SAMPLES["arxiv snapshot"][1]),
    "table": (b'"', SAMPLES["zotero csv"][1]),
}


def test_a_bibtex_entry_on_one_endless_line_leaves_its_neighbours() -> None:
    entry = b"@article{a, title={A}, abstract={Something.}}\n"

    def pieces(opening: bytes) -> Iterator[bytes]:
        yield entry + opening
        for _ in range(9):
            yield b"x" * (1 << 20)
        yield b"}}\n" + entry

    for opening, line in ((b"@article{b, abstract={", 2), (b"@article{b,\n abstract={", 2)):
        items = list(read(_Made(pieces(opening)), "given"))  # type: ignore[arg-type]  # as above
        assert [isinstance(item, Record) for item in items] == [True, False, True]
        assert items[1].where == f"given:{line}"


@pytest.mark.parametrize("kind", sorted(_HUGE))
def test_a_line_of_a_hundred_megabytes_costs_itself_and_no_memory(kind: str) -> None:
    opening, sample = _HUGE[kind]

    def pieces() -> Iterator[bytes]:
        yield sample.encode() + (b"" if sample.endswith("\n") else b"\n") + opening
        for _ in range(100):
            yield b"x" * (1 << 20)
        yield b"\n"
        if kind != "table":  # there a quotation mark is open
            yield sample.encode().lstrip(b"\n")

    tracemalloc.start()
    try:
        items = list(read(_Made(pieces()), "given"))  # type: ignore[arg-type]  # as above
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 90 << 20
    assert sum(isinstance(item, Record) for item in items) >= 2
    assert any("characters" in reason for reason in _reasons(items))


_ENTRY = b"<entry><title>A</title><summary>Something.</summary></entry>"


@pytest.mark.parametrize("inside", [b"y" * (1 << 16), b"<a/>" * (1 << 14), b"<a b='" + b"y" * 60_000 + b"'/>"])
def test_an_xml_record_that_is_too_long_costs_itself_and_no_memory(inside: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"<feed>\n" + _ENTRY + b"\n<entry><title>"
        for _ in range(40 if b"<a/>" in inside else 400):
            yield inside
        yield b"</title></entry>\n" + _ENTRY + b"</feed>"

    tracemalloc.start()
    try:
        items = list(read(_Made(pieces()), "given"))  # type: ignore[arg-type]  # as above
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60 << 20
    assert [item.where for item in items] == ["given:2", "given:3", "given:4"]
    assert _reasons(items) == ["an XML record of more than 8,388,608 characters"]


def test_an_element_of_an_array_that_is_too_long_costs_itself_and_no_memory() -> None:
    paper = b'{"title": "A", "abstract": "Something."}'

    def pieces() -> Iterator[bytes]:
        yield b"[" + paper + b',\n{"title": "'
        for _ in range(100):
            yield b"x" * (1 << 20)
        yield b'"},\n' + paper + b",\n" + paper + b"]"

    tracemalloc.start()
    try:
        items = list(read(_Made(pieces()), "given"))  # type: ignore[arg-type]  # as above
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 90 << 20
    assert [item.where for item in items] == ["given:1", "given:2", "given:3", "given:4"]
    assert _reasons(items) == ["a record of more than 8,388,608 characters"]


def test_a_broken_element_does_not_slow_down_those_after_it() -> None:
    papers = ",\n".join(json.dumps({"title": f"T{number}", "abstract": "x" * 200}) for number in range(40_000))
    began = time.process_time()
    items = _items(f'[{{"title": 01}},\n{papers}]')
    assert (len(items), len(_reasons(items))) == (40_001, 1)
    assert time.process_time() - began < 12  # 2 s; quadratic, it was 20


def test_an_entry_that_is_too_long_leaves_its_neighbours() -> None:
    entry = "@article{{{key}, title={{A {key}}}, abstract={{Something.}}}}\n"
    long = "@article{long, title={A}, abstract={" + "x y z \n" * (10 << 17) + "}}\n"
    items = _items("".join(entry.format(key=key) for key in "abc") + long + entry.format(key="d"))
    assert [item.where for item in items] == ["given:1", "given:2", "given:3", "given:4", f"given:{5 + (10 << 17)}"]
    assert _reasons(items) == ["an entry of more than 8,388,608 characters"]


def test_a_page_of_titles_and_abstracts_is_bounded() -> None:
    pair = (
        "A Title in Headline Style of Words\n" + "It is a text. We show that it works well. " * 9
    ).encode() + b"\n"

    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield pair * ((1 << 20) // len(pair))

    (reason,) = _reasons(list(read(_Made(pieces()), "given.txt")))  # type: ignore[arg-type]  # as above
    assert reason.startswith("longer than 33,554,432 characters")


# --- packed -----------------------------------------------------------------------------------------------------------


def test_a_bomb_is_refused_while_it_is_unpacked() -> None:
    lines = json.dumps({"title": "A", "abstract": "We measure."}).encode() + b"\n"
    bomb = gzip.compress(lines + b" " * (200 << 20) + b"\n" + lines)
    items = _items(bomb, limits=Limits(ratio=50))
    assert isinstance(items[0], Record)
    assert _reasons(items) == ["unpacks to more than 50 times its size; no text of papers does"]
    items = _items(bomb, limits=Limits(unpacked_bytes=1 << 20))
    assert _reasons(items) == ["more than 1,048,576 bytes when unpacked; unpack and split it, or raise the limit"]


def test_zip_and_zstd_bombs() -> None:
    import zstandard

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b" " * (100 << 20))
        archive.writestr("b.bib", SAMPLES["bibtex"][1])
    items = _items(buffer.getvalue(), "bomb.zip")
    assert sum(isinstance(item, Record) for item in items) == 2  # the other file of the archive
    assert [item.where for item in items if isinstance(item, Rejected)] == ["bomb.zip/a.json"]
    items = _items(zstandard.compress(SAMPLES["arxiv snapshot"][1].encode() + b"\n" + b" " * (100 << 20)))
    assert sum(isinstance(item, Record) for item in items) == 2
    assert "times its size" in _reasons(items)[-1]


def test_archives_within_archives_are_not_opened() -> None:
    for inner in (gzip.compress(b"x" * 99), b"PK\x03\x04" + b"x" * 99, b"\x28\xb5\x2f\xfd" + b"x" * 99):
        (reason,) = _reasons(_items(gzip.compress(inner)))
        assert "archives within archives are not opened" in reason


def test_damaged_and_unusual_archives_are_one_line() -> None:
    packed = gzip.compress(SAMPLES["ris"][1].encode() * 2000)
    items = _items(packed[: len(packed) // 2])
    assert any(isinstance(item, Record) for item in items)
    assert "end early" in _reasons(items)[-1]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.bib", SAMPLES["bibtex"][1])
    assert _reasons(_items(buffer.getvalue())) == [
        "packed by an unusual method inside its zip archive; unpack it first"
    ]
    assert len(_reasons(_items(b"PK\x05\x06" + b"\x00" * 18))) == 1
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(30):
            archive.writestr(f"{number}.txt", "")
    assert _reasons(_items(many.getvalue(), limits=Limits(members=20))) == [
        "a zip archive of 30 files; at most 20 are read"
    ]


# --- fuzz -------------------------------------------------------------------------------------------------------------

_TEXTS = sorted({text for _, text in SAMPLES.values()} | {IDENTIFIERS})
_SPLICES = st.sampled_from(
    ["\n", "\x00", "\ufeff", "<", ">", "&", "&x;", "]]>", "<a>", "</entry>", "{", "}", '"', "'", ",", "[", "]", "null", "0", "-1e999",
     "TY  - ", "ER  - ", "PMID- ", "PT J\n", "%0 ", "%", "@", "@string{a=", "#", "\\", "title", "10.1000/x", "é", "\ud83d\ude00", " " * 50]
)  # fmt: skip


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A sample with some pieces cut, doubled, swapped for another sample's, or spliced in."""
    text = draw(st.sampled_from(_TEXTS))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        to = draw(st.integers(at, min(len(text), at + 120)))
        kind = draw(st.sampled_from(["cut", "double", "splice", "other", "end"]))
        if kind == "cut":
            text = text[:at] + text[to:]
        elif kind == "double":
            text = text[:to] + text[at:]
        elif kind == "splice":
            text = text[:at] + draw(_SPLICES) + text[at:]
        elif kind == "other":
            other = draw(st.sampled_from(_TEXTS))
            text = text[:at] + other[at:to] + text[to:]
        else:
            text = text[:to]
    return text.encode(draw(st.sampled_from(["utf-8", "latin-1", "utf-16"])), "replace")


def _checked(content: bytes) -> None:
    items = _items(content)
    assert items
    for item in items:
        if isinstance(item, Record):
            assert item.title
            assert item.abstract
            assert "\n" not in item.title
            assert all(notice and "\n" not in notice for notice in item.notices)
        else:
            assert item.where.startswith("given")
            assert item.reason
            assert "\n" not in item.reason


@given(_mutated())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_mutated_source_raises(content: bytes) -> None:
    _checked(content)


@given(st.sampled_from([source.NAME for source in FORMATS]), _mutated(), st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_parser_raises_on_what_is_not_its_own(kind: str, content: bytes, category: bool) -> None:
    from assistant.errors import SourceError
    from ingest.sources.text import open_text

    (source,) = (source for source in FORMATS if kind == source.NAME)
    try:
        text = open_text(io.BytesIO(content))
        text.categories = frozenset({"cs"}) if category else frozenset()
        items = list(source.read(text, "given"))
    except SourceError:
        return
    assert all(isinstance(item, Record | Rejected) for item in items)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "title", "abstract", "DOI", "authors", "author", "authorships", "message", "items", "data", "paper", "results",
                         "paperId", "externalIds", "abstract_inverted_index", "ids", "issued", "date-parts", "type", "URL", "family", "name",
                         "itemType", "creators", "authors_parsed", "versions", "categories", "keywords", "notices", "keys", "updated-by", "upvotes"]),
        inner, max_size=8),
    max_leaves=30,
))  # fmt: skip
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_shape_of_json_raises(value: object) -> None:
    _checked(json.dumps([value, {"title": "A", "abstract": "B"}]).encode())


@given(st.sampled_from([b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"]), st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_damaged_archive_raises(magic: bytes, content: bytes) -> None:
    _checked(magic + content)
    _checked(gzip.compress(content) if magic == b"\x1f\x8b" else magic + content)


# --- found by fuzzing (benchmarks/fuzz_sources.py) --------------------------------------------------------------------


def test_a_nul_beside_a_group_in_braces() -> None:
    for authors in ("A\0B and {Group, of Some}", "{Group\0, of Some}\0"):
        (item,) = _items(json.dumps({"title": "A Title", "abstract": "Something.", "authors": authors}))
        assert isinstance(item, Record)
