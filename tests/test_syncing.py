"""Syncing: what changed comes in, what is gone goes only when it was asked for, nothing is multiplied, nothing guessed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from assistant.editing import Changes
from assistant.embedding.vectors import PassageText, PassageVectors
from assistant.errors import NotInLibrary, SourceError
from assistant.library import Library
from assistant.testing import HashEmbedder
from ingest import add
from ingest.editing import edit
from ingest.syncing import Services, SourceReport, SyncReport, sync
from tests.made_zotero import zotero_file
from tests.scripted_server import Asked, Said, ScriptedServer


class _Counting(HashEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.embedded = 0

    def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
        self.embedded += len(passages)
        return super().embed_passages(passages)


@pytest.fixture
def embedder() -> _Counting:
    return _Counting()


@pytest.fixture
def library(tmp_path: Path, embedder: _Counting) -> Iterator[Library]:
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        yield library


def _write(path: Path, *numbers: int, **more: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    lines = [
        json.dumps({"title": f"Paper of the Number {n}", "abstract": f"Text of {n}.", "doi": f"10.1000/{n}", **more})
        for n in numbers
    ]
    path.write_text("\n".join(lines))
    return path


def _counts(report: SyncReport) -> tuple[int, int, int, int, int, int]:
    (source,) = report.sources
    told = source.report
    return told.added, told.updated, told.unchanged, source.skipped, len(source.gone), len(source.pruned)


def _only(report: SyncReport) -> SourceReport:
    (source,) = report.sources
    return source


# --- files and folders ------------------------------------------------------------------------------------------------


def test_a_folder_is_brought_up_to_date_and_unchanged_files_are_skipped(
    library: Library, tmp_path: Path, embedder: _Counting
) -> None:
    folder = tmp_path / "papers"
    _write(folder / "a.jsonl", 1, 2)
    _write(folder / "b.jsonl", 3)
    assert _counts(sync(library, str(folder))) == (3, 0, 0, 0, 0, 0)
    embedded = embedder.embedded
    assert _counts(sync(library)) == (0, 0, 0, 2, 0, 0)
    _write(folder / "b.jsonl", 3, 4)
    assert _counts(sync(library)) == (1, 0, 1, 1, 0, 0)
    assert embedder.embedded == embedded + 1
    (folder / "a.jsonl").rename(folder / "renamed.jsonl")
    assert _counts(sync(library)) == (0, 0, 2, 1, 0, 0)
    assert library.count() == 4
    (summary,) = library.sources.all()
    assert (summary.address, summary.papers) == (str(folder), 4)


def test_what_is_gone_is_told_and_removed_only_when_asked(library: Library, tmp_path: Path) -> None:
    file = _write(tmp_path / "in" / "a.jsonl", 1, 2, 3)
    sync(library, str(file))
    _write(file, 1)
    assert _counts(sync(library)) == (0, 0, 1, 0, 2, 0)
    assert library.count() == 3
    assert _counts(sync(library, dry=True, prune=True)) == (0, 0, 1, 0, 2, 2)
    assert library.count() == 3
    assert _counts(sync(library, prune=True)) == (0, 0, 1, 0, 2, 2)
    assert [paper.doi for paper in library.papers()] == ["10.1000/1"]
    assert _counts(sync(library, prune=True)) == (0, 0, 1, 0, 0, 0)


def test_papers_that_came_otherwise_or_were_written_to_are_not_pruned(library: Library, tmp_path: Path) -> None:
    by_hand, other = _write(tmp_path / "in" / "hand.jsonl", 1), _write(tmp_path / "in" / "other.jsonl", 2)
    file = _write(tmp_path / "in" / "a.jsonl", 1, 2, 3, 4, 5)
    add(library, by_hand)
    sync(library, str(file), str(other))
    add(library, _write(tmp_path / "in" / "later.jsonl", 3))
    edit(library, "10.1000/4", Changes({"note": "mine"}))
    _write(file, 9)
    report = _only(sync(library, str(file), prune=True))
    assert (len(report.gone), report.pruned) == (5, ("doi:10.1000/5",))
    assert sorted(str(paper.doi) for paper in library.papers()) == [f"10.1000/{n}" for n in (1, 2, 3, 4, 9)]


@pytest.mark.parametrize("content", [b"", b"\x00\x01 no papers at all", None])
def test_a_source_that_is_emptied_or_gone_prunes_nothing(
    library: Library, tmp_path: Path, content: bytes | None
) -> None:
    file = _write(tmp_path / "in" / "a.jsonl", 1, 2)
    sync(library, str(file))
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    report = sync(library, prune=True)
    assert not report.ok
    assert len(str(_only(report).failed).splitlines()) == 1
    assert library.count() == 2


def test_a_dry_run_changes_nothing(library: Library, tmp_path: Path) -> None:
    file = _write(tmp_path / "in" / "a.jsonl", *range(1, 70), *range(1, 70))
    report = sync(library, str(file), dry=True)
    told = _only(report).report
    assert (told.added, told.duplicates) == (69, 69)
    assert "Nothing was changed" in str(report)
    assert (library.count(), library.sources.all(), library.reports()) == (0, (), [])


def test_addresses_that_are_none_are_refused_in_one_line(library: Library, tmp_path: Path) -> None:
    for given in ("-", str(tmp_path / "absent.bib"), "arxiv:", "crossref:nothing", "doi:", "zotero:/absent"):
        with pytest.raises(SourceError) as caught:
            sync(library, given)
        assert "\n" not in str(caught.value)
    with pytest.raises(SourceError, match="no source is remembered"):
        sync(library)
    with pytest.raises(NotInLibrary):
        library.sources.forget("absent")


def test_a_forgotten_source_leaves_its_papers(library: Library, tmp_path: Path) -> None:
    file = _write(tmp_path / "in" / "a.jsonl", 1)
    sync(library, str(file))
    library.sources.forget(str(file))
    assert (library.sources.all(), library.count()) == ((), 1)


# --- Zotero -----------------------------------------------------------------------------------------------------------

_ITEM: dict[str, Any] = {
    "key": "ABCD1234",
    "fields": {
        "title": "A Study of Great Things",
        "abstractNote": "We study things. They are great.",
        "date": "2020-03-00 March 2020",
        "DOI": "10.1000/z1",
        "publicationTitle": "Nature",
        "extra": "PMID: 123456\nCitation Key: lee2020study",
    },
    "authors": [("Ann", "Lee"), ("Bo", "Ek")],
    "tags": ["to read"],
    "collections": ["Thesis"],
}
_OTHERS: list[dict[str, Any]] = [
    {
        "key": "PREP0001",
        "type": "preprint",
        "fields": {"title": "A Preprint of Things", "abstractNote": "More.", "archiveID": "arXiv:2001.00001", "repository": "arXiv"},
        "retracted": {"date": "2021-05-04", "reasons": ["Error in data"]},
    },
    {"key": "NOABST01", "fields": {"title": "Nothing to say here"}},
    {"key": "ATTACH01", "type": "attachment", "fields": {"title": "Full Text PDF", "abstractNote": "no"}},
    {"key": "TRASH001", "fields": {"title": "In the bin now", "abstractNote": "Gone."}, "deleted": True},
    {"key": "GROUP001", "fields": {"title": "Of a group library", "abstractNote": "Theirs."}, "library": 2},
]  # fmt: skip


def _check_zotero(library: Library, report: SyncReport) -> None:
    told = _only(report).report
    assert (told.added, [reject.reason.split(" (")[0] for reject in told.rejected]) == (2, ["no abstract"])
    paper = library.paper("@lee2020study")
    assert paper == library.paper("ABCD1234") == library.paper("10.1000/z1")
    assert (paper.authors, paper.year, paper.venue, paper.tags) == (
        ("Ann Lee", "Bo Ek"),
        2020,
        "Nature",
        ("to read",),
    )
    assert paper.categories == ("Thesis",)
    assert ("pmid", "123456") in library.editions.identifiers(paper.id)
    assert library.paper("2001.00001").title == "A Preprint of Things"


def test_a_zotero_file_is_read_without_being_touched(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "Zotero" / "zotero.sqlite"
    file.parent.mkdir()
    zotero_file(file, [_ITEM, *_OTHERS])
    before = file.read_bytes(), sorted(file.parent.iterdir())
    locked = sqlite3.connect(file, isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")  # as a running Zotero does
    _check_zotero(library, sync(library, str(file.parent)))
    locked.execute("ROLLBACK")
    locked.close()
    assert (file.read_bytes(), sorted(file.parent.iterdir())) == before
    assert library.paper("2001.00001").notices == ("Retracted 2021-05-04: Error in data",)
    assert _counts(sync(library)) == (0, 0, 0, 1, 0, 0)
    zotero_file(file, [{**_ITEM, "fields": {**_ITEM["fields"], "publicationTitle": "Science"}}])
    assert _counts(sync(library, prune=True)) == (0, 1, 0, 0, 1, 1)
    assert [paper.venue for paper in library.papers()] == ["Science"]


def test_better_bibtex_keys_stand_beside(library: Library, tmp_path: Path) -> None:
    zotero_file(tmp_path / "zotero.sqlite", [_ITEM])
    with sqlite3.connect(tmp_path / "better-bibtex.sqlite") as keys:
        keys.execute("CREATE TABLE citationkey (itemID, itemKey, libraryID, citationKey, pinned)")
        keys.execute("INSERT INTO citationkey VALUES (1, 'ABCD1234', 1, 'betterKey', 0)")
    keys.close()
    sync(library, f"zotero:{tmp_path}")
    assert library.paper("@betterKey").doi == "10.1000/z1"


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + b"\xff" * 200])
def test_a_file_that_is_no_zotero_database_is_one_line(library: Library, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "zotero.sqlite").write_bytes(content)
    report = sync(library, str(tmp_path / "zotero.sqlite"))
    assert not report.ok
    assert "not a Zotero database" in str(_only(report).failed)
    assert "\n" not in str(_only(report).failed)


def _api(items: list[dict[str, Any]], version: str = "7") -> Callable[[Asked, int], Said]:
    told = []
    for item in items:
        data = {"key": item["key"], "itemType": item.get("type", "journalArticle"), **item.get("fields", {})}
        data |= {
            "creators": [{"creatorType": "author", "firstName": f, "lastName": s} for f, s in item.get("authors", ())]
        }
        data |= {
            "tags": [{"tag": tag} for tag in item.get("tags", ())],
            "collections": ["COLL0001"] if item.get("collections") else [],
        }
        data |= {"deleted": 1} if item.get("deleted") else {}
        data["date"] = data.get("date", "").partition(" ")[2]
        told.append({"key": item["key"], "version": 1, "data": data})

    def answer(asked: Asked, _: int) -> Said:
        if asked.path.endswith("/collections"):
            body: list[Any] = [{"key": "COLL0001", "data": {"key": "COLL0001", "name": "Thesis"}}]
        else:
            start, limit = int(asked.params.get("start", 0)), min(2, int(asked.params["limit"]))
            body = told[start : start + limit]
        headers = {
            "Total-Results": str(1 if "collections" in asked.path else len(told)),
            "Last-Modified-Version": version,
        }
        return Said(json.dumps(body).encode(), headers=headers)

    return answer


def test_a_running_zotero_is_asked_page_by_page(library: Library) -> None:
    items = [_ITEM, *(item for item in _OTHERS if item["key"] != "GROUP001")]
    with ScriptedServer(_api(items)) as server:
        services = Services(zotero=f"{server.url}/api")
        _check_zotero(library, sync(library, "zotero", services=services))
        asked = len(server.asked)
        assert _counts(sync(library, services=services)) == (0, 0, 0, 1, 0, 0)
        assert len(server.asked) == asked + 1


def _with_groups(own: list[dict[str, Any]], *groups: list[dict[str, Any]]) -> Callable[[Asked, int], Said]:
    """A Zotero whose user is in groups 1, 2, …, as far as `groups` go."""
    answers = [_api(own), *map(_api, groups)]

    def answer(asked: Asked, number: int) -> Said:
        if asked.path == "/api/users/0/groups":
            told = [{"id": at, "version": 1, "data": {"id": at, "name": f"G{at}"}} for at in range(1, len(answers))]
            return Said(json.dumps(told).encode(), headers={"Total-Results": str(len(told))})
        _, _, kind, which, *_ = asked.path.split("/")
        return answers[0 if kind == "users" else int(which)](asked, number)

    return answer


def test_group_libraries_of_a_running_zotero(library: Library) -> None:
    second = {**_ITEM, "key": "WXYZ9876", "fields": {"title": "Of the second group", "abstractNote": "Theirs too."}}
    with ScriptedServer(_with_groups([_ITEM], [_OTHERS[4]], [second, _ITEM])) as server:
        services = Services(zotero=f"{server.url}/api")
        assert _counts(sync(library, "zotero:groups/1", services=services))[0] == 1
        assert library.paper("GROUP001").source == "zotero:groups/1"
        assert _counts(sync(library, "zotero:groups", services=services))[0] == 2
        only = library.paper("WXYZ9876")
        assert only.source == "zotero:groups/2"
        assert [len(one.gone) for one in sync(library, services=services).sources] == [0, 0]
        assert [one.skipped for one in sync(library, services=services).sources] == [1, 2]
        assert _counts(sync(library, "zotero", services=services))[0] == 0
    with ScriptedServer(_with_groups([_ITEM], [_OTHERS[4]])) as server:
        report = sync(library, "zotero:groups", prune=True, services=Services(zotero=f"{server.url}/api"))
    assert (len(_only(report).gone), _only(report).pruned) == (
        2,
        (only.id,),
    )  # the other is in the user's own library too
    assert library.count() == 2


def test_zotero_is_asked_neither_through_a_proxy_nor_elsewhere(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(lambda *_: Said(b"[]")) as elsewhere:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, elsewhere.url)
        monkeypatch.setenv("NO_PROXY", "")
        with ScriptedServer(lambda *_: Said(b"", 302, {"Location": f"{elsewhere.url}/stolen"})) as server:
            report = sync(library, "zotero", services=Services(zotero=f"{server.url}/api", sleep=lambda _: None))
            assert server.asked
    assert "status 302" in str(_only(report).failed)
    assert elsewhere.asked == []


def test_a_zotero_that_does_not_run_is_told_of(library: Library) -> None:
    with ScriptedServer(lambda *_: Said(b"{}")) as server:
        url = server.url
    report = sync(library, "zotero", services=Services(zotero=f"{url}/api", sleep=lambda _: None))
    assert "start Zotero" in str(_only(report).failed)
    assert library.count() == 0


# --- online -----------------------------------------------------------------------------------------------------------


def _feed(numbers: Sequence[int], total: int) -> bytes:
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/2001.{n:05}v1</id><published>2020-01-01T00:00:00Z</published>"
        f"<title>Paper of the Number {n}</title><summary>  Text of {n}.\n</summary><author><name>Ann Lee</name></author>"
        f'<category term="cs.CL" scheme="http://arxiv.org/schemas/atom"/></entry>'
        for n in numbers
    )
    head = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
    total_tag = f"<opensearch:totalResults>{total}</opensearch:totalResults>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{head}{total_tag}{entries}</feed>'.encode()


def _arxiv(asked: Asked, _: int) -> Said:
    start, most = int(asked.params["start"]), int(asked.params["max_results"])
    return Said(_feed(range(start, min(start + most, 130)), 130), kind="application/atom+xml; charset=UTF-8")


def test_an_arxiv_query_is_paged_politely_and_cached(library: Library) -> None:
    waits: list[float] = []
    with ScriptedServer(_arxiv) as server:
        services = Services(arxiv=server.url, sleep=waits.append)
        report = sync(library, "arxiv:cat:cs.CL", contact="me@example.org", services=services)
        assert _counts(report) == (130, 0, 0, 0, 0, 0)
        assert [asked.params["start"] for asked in server.asked] == ["0", "100"]
        assert all("ibid-papers/" in asked.agent and "mailto:me@example.org" in asked.agent for asked in server.asked)
        assert 2.0 < waits[1] <= 3.0
        assert _counts(sync(library, "arxiv:cat:cs.CL", services=services)) == (0, 0, 130, 0, 0, 0)
        assert len(server.asked) == 2
        sync(library, "arxiv:cat:cs.CL", refresh=True, most=10, services=services)
        assert len(server.asked) == 3
        left = sync(library, services=services)
        assert (left.sources, left.left_out) == ((), ("arxiv:cat:cs.CL",))
        assert len(server.asked) == 3
        assert len(sync(library, online=True, refresh=True, services=services).sources) == 1
        assert server.asked[-1].params["max_results"] == "10"
    assert library.paper("2001.00003").categories == ("cs.CL",)


_FAULTS = {
    "busy": Said(b"slow down", 429, {"Retry-After": "7"}, "text/plain"),
    "broken": Said(b"oops", 500, kind="text/html"),
    "half a feed": Said(_feed([1], 1)[:-40], kind="application/atom+xml"),
    "wrong type": Said(b"<html>maintenance</html>", kind="text/html"),
    "cut": Said(_feed([1], 1), kind="application/atom+xml", cut=True),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_faults_of_a_service_are_waited_out(library: Library, fault: str) -> None:
    waits: list[float] = []
    with ScriptedServer(lambda asked, n: _FAULTS[fault] if n < 2 else _arxiv(asked, n)) as server:
        services = Services(arxiv=server.url, sleep=waits.append)
        assert _counts(sync(library, "arxiv:all:x", most=1, services=services)) == (1, 0, 0, 0, 0, 0)
        assert len(server.asked) == 3
    assert fault != "busy" or max(waits) >= 7.0


@pytest.mark.parametrize(
    "fault", [*_FAULTS.values(), Said(b"", 429, {"Retry-After": "9999"}), Said(b"bad query", 400)]
)
def test_faults_that_last_are_one_line_and_change_nothing(library: Library, fault: Said) -> None:
    with ScriptedServer(lambda *_: fault) as server:
        services = Services(arxiv=server.url, sleep=lambda _: None)
        report = sync(library, "arxiv:all:x", prune=True, services=services)
    failed = str(_only(report).failed)
    assert failed.startswith("arXiv ")
    assert len(failed.splitlines()) == 1
    assert len(server.asked) <= 5
    assert library.count() == 0


def _work(doi: str, abstract: str | None) -> dict[str, Any]:
    work: dict[str, Any] = {
        "DOI": doi,
        "title": ["A Paper from a Registry"],
        "author": [{"given": "Ann", "family": "Lee"}],
    }
    work |= {"issued": {"date-parts": [[2020, 3]]}, "container-title": ["Nature"], "type": "journal-article"}
    work |= {
        "prefix": "10.1000",
        "member": "78",
        "source": "Crossref",
        "publisher": "P",
        "score": 1.0,
        "reference-count": 0,
    }
    return work | ({"abstract": f"<jats:p>{abstract}</jats:p>"} if abstract else {})


def test_dois_are_looked_up_where_their_abstract_is(library: Library, tmp_path: Path) -> None:
    listed = tmp_path / "dois.txt"
    listed.write_text("https://doi.org/10.1000/one\n10.1000/two, seen\n10.1000/none\n10.1000/one\n")

    def answer(asked: Asked, _: int) -> Said:
        if asked.path.startswith("/crossref/"):
            doi = asked.path.removeprefix("/crossref/")
            if doi.endswith("none"):
                return Said(b"Resource not found.", 404, kind="text/plain")
            return Said(
                json.dumps(
                    {"status": "ok", "message": _work(doi, "Words." if doi.endswith("one") else None)}
                ).encode()
            )
        if asked.path.endswith("two"):
            inverted = {"Open": [0], "words.": [1]}
            work = {"id": "https://openalex.org/W123456", "doi": "https://doi.org/10.1000/two", "title": "A Paper of OpenAlex",
                    "publication_year": 2021, "abstract_inverted_index": inverted}  # fmt: skip
            return Said(json.dumps(work).encode())
        return Said(b"{}", 404)

    with ScriptedServer(answer) as server:
        registries = {"crossref": f"{server.url}/crossref/", "openalex": f"{server.url}/openalex/doi:"}
        services = Services(registries=registries, sleep=lambda _: None)  # type: ignore[arg-type]  # names of registries
        report = sync(library, f"doi:{listed}", contact="me@example.org", services=services)
    told = _only(report).report
    assert (told.added, [reject.where for reject in told.rejected]) == (2, ["10.1000/none"])
    assert (library.paper("10.1000/one").abstract, library.paper("10.1000/two").abstract) == ("Words.", "Open words.")
    assert library.paper("10.1000/one").source == "crossref:10.1000/one"
    assert all(asked.params["mailto"] == "me@example.org" for asked in server.asked)
