"""The library as its callers see it: searching, records, conversations, threads, embedders, and what it costs to open."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.embedding.vectors import Fingerprint
from assistant.errors import EmbedderMismatch, LibraryError, NotInLibrary
from assistant.library import Library, text_digest
from assistant.records import AnswerRecord, Evidence, new_id
from assistant.settings import Settings
from assistant.testing import HashEmbedder
from tests.stored_papers import EMBEDDER, many, own_word, paper, stored


@pytest.fixture
def library(tmp_path: Path, chroma: str) -> Iterator[Library]:
    """With Chroma in this process, then with a server of it."""
    with Library.open(tmp_path / "library", embedder=EMBEDDER) as opened:
        opened.write(many(range(20)))
        yield opened


def test_dense_search_agrees_with_a_plain_scan(library: Library) -> None:
    everything = [passage for number in range(20) for passage in library.passages(f"title:{number}")]
    query = EMBEDDER.embed_query("xyniz Paper 7")
    vectors = library.vectors([passage.id for passage in everything])
    expected = sorted(
        (
            (passage.id, round(float(vectors[passage.id].astype(float) @ query.astype(float)), 5))
            for passage in everything
        ),
        key=lambda hit: (-hit[1], hit[0]),
    )[:5]
    found = library.dense(query, 5)
    assert [hit for hit, _ in found] == [hit for hit, _ in expected]
    np.testing.assert_allclose([score for _, score in found], [score for _, score in expected], atol=1e-5)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=30), k=st.integers(0, 60), numbers=st.none() | st.sets(st.integers(0, 25)))
def test_any_search_is_sane(library: Library, text: str, k: int, numbers: set[int] | None) -> None:
    allowed = None if numbers is None else {f"title:{number}" for number in numbers}
    for hits in (library.dense(EMBEDDER.embed_query(text), k, allowed), library.lexical(text, k, allowed)):
        assert len(hits) <= k
        assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))
        assert len({hit for hit, _ in hits}) == len(hits)
        assert allowed is None or all(hit.rpartition("#")[0] in allowed for hit, _ in hits)


def test_search_gives_papers_with_passages(library: Library) -> None:
    hits = library.search("xyniz", k=3)
    assert hits[0].paper == paper(7)
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert hits[0].passages[0].text in hits[0].paper.abstract
    assert library.search("xyniz", filters={"ids": ["title:3"]})[0].paper.id == "title:3"
    assert library.search("xyniz", filters={"year": 1800}) == ()


def test_the_retriever_is_langchains(library: Library) -> None:
    from langchain_core.retrievers import BaseRetriever

    retriever = library.as_retriever(k=2)
    assert isinstance(retriever, BaseRetriever)
    documents = retriever.invoke("xyniz")
    first = documents[0]
    assert first.metadata["paper_id"] == "title:7"
    abstract = library.paper("title:7").abstract
    assert abstract[first.metadata["start"] : first.metadata["end"]] == first.page_content
    assert len({document.metadata["paper_id"] for document in documents}) == 2


def test_removed_papers_are_found_nowhere(library: Library) -> None:
    assert library.remove(["paper 7", "title:8"]) == 2
    assert library.count() == 18
    assert all(
        not hit.startswith(("title:7#", "title:8#")) for hit, _ in library.dense(EMBEDDER.embed_query("xyniz"), 99)
    )
    assert library.lexical("xyniz", 5) == []
    assert library.term_statistics().df("xyniz") == 0
    with pytest.raises(NotInLibrary):
        library.paper("title:7")
    with pytest.raises(NotInLibrary):
        library.remove(["title:3", "title:7"])
    assert library.count() == 18


def test_an_update_replaces_what_is_found(library: Library) -> None:
    library.write([stored(replace(paper(7), abstract="gorillas everywhere"))])
    assert library.lexical("xyniz", 5) == []
    assert [hit for hit, _ in library.lexical("gorillas", 5)] == ["title:7#0"]
    assert library.dense(EMBEDDER.embed_query("Paper 7\ngorillas everywhere"), 1)[0][0] == "title:7#0"


def test_a_record_comes_back_as_it_was_saved(library: Library) -> None:
    passage = library.passages("title:7")[0]
    record = AnswerRecord(
        id=new_id(),
        created_at="2026-01-01T00:00:00+00:00",
        question="What \ud800?",
        query="What?",
        engine="quotes",
        answer={"text": "“…” [1]", "claims": [{"verdict": "quoted"}]},
        filters={"year": 2020},
        settings={"papers": 8},
        versions={"ibid": "0.1.0"},
        model={"name": None},
        prompts={"system": {"text": "x", "sha256": "y"}},
        evidence=(Evidence("title:7", passage.id, passage.start, passage.end, passage.text),),
        extra={"more": [1, 2]},
    )
    assert library.save_record(record) == record.id
    digest = text_digest(paper(7).title, paper(7).abstract)
    assert library.record(record.id) == replace(record, papers={"title:7": digest})

    library.remove(["title:7"])
    assert library.record(record.id).evidence[0].text == passage.text
    with pytest.raises(NotInLibrary):
        library.former_text("title:7", digest)


def test_a_record_leads_to_the_text_that_was_quoted(library: Library) -> None:
    evidence = {"paper_id": "title:7", "passage_id": "title:7#0", "start": 0, "end": 5, "text": "xyniz"}
    record_id = library.save_record({"question": "q", "answer": {}, "evidence": [evidence]})
    old = library.paper("title:7")
    library.write([stored(replace(old, abstract="all different"))])
    digest = library.record(record_id).papers["title:7"]
    assert digest != library.text_digests(["title:7"])["title:7"]
    assert library.former_text("title:7", digest) == (old.title, old.abstract)


def test_records_are_listed_latest_first(library: Library) -> None:
    ids = [library.save_record({"question": str(number), "answer": {}}) for number in range(3)]
    assert [record.id for record in library.records()] == ids[::-1]
    with pytest.raises(NotInLibrary):
        library.record("none")


def test_feedback_belongs_to_a_record(library: Library) -> None:
    record_id = library.save_record({"question": "q", "answer": {}})
    library.add_feedback(record_id, 5.0, "good")
    assert [(word.rating, word.comment) for word in library.feedback(record_id)] == [(1.0, "good")]
    with pytest.raises(NotInLibrary):
        library.add_feedback("none", 1.0)


def test_conversations(library: Library) -> None:
    first, second = library.create_conversation(), library.create_conversation("Mine")
    record_id = library.save_record({"question": "q", "answer": {}, "conversation_id": first})
    library.append_turn(first, "and\nit?  " + "x" * 200, "what about it?", record_id)
    library.append_turn(first, "more?", "more about it?", "r2")
    assert [(turn.question[:3], turn.query) for turn in library.conversation_turns(first)] == [
        ("and", "what about it?"),
        ("mor", "more about it?"),
    ]
    latest, other = library.list_conversations()
    assert (latest.id, latest.turns, other.title, other.turns) == (first, 2, "Mine", 0)
    assert latest.title.startswith("and it? xxx")
    assert len(latest.title) <= 80
    library.rename_conversation(second, "Ours")
    assert {found.title for found in library.list_conversations()} >= {"Ours"}
    library.delete_conversation(first)
    assert [found.id for found in library.list_conversations()] == [second]
    for call in (library.conversation_turns, library.delete_conversation):
        with pytest.raises(NotInLibrary):
            call(first)
    with pytest.raises(NotInLibrary):
        library.append_turn(first, "q", "q", "r")
    with pytest.raises(NotInLibrary):
        library.record(record_id)


def test_ingest_reports_are_kept(library: Library) -> None:
    library.save_report({"added": 1})
    library.save_report({"added": 2})
    assert [report["added"] for report in library.reports()] == [2, 1]


def test_threads_share_a_library(library: Library) -> None:
    def work(number: int) -> tuple[str, str, str]:
        dense = library.dense(EMBEDDER.embed_query(f"Paper {number}\n{paper(number).abstract.split('. ')[0]}"), 1)[0][
            0
        ]
        lexical = library.lexical(own_word(number), 1)[0][0]
        if number == 5:
            library.write(many([100]))
        return dense, lexical, library.save_record({"question": str(number), "answer": {}})

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, [number % 20 for number in range(80)]))
    assert all(dense == lexical == f"title:{i % 20}#0" for i, (dense, lexical, _) in enumerate(results))
    assert len(list(library.records())) == 80


def test_embedders_of_one_name_are_told_apart(library: Library) -> None:
    class Rebuilt(HashEmbedder):
        @property
        def fingerprint(self) -> Fingerprint:
            return replace(EMBEDDER.fingerprint, digest="1c13c2f3" * 8)

    name = EMBEDDER.fingerprint.name
    with pytest.raises(EmbedderMismatch, match=re.escape(f"this is {name!r} (digest 1c13c2f3);")):
        Library.open(library.path, embedder=Rebuilt())


def test_another_embedder_is_refused_until_the_library_is_embedded_anew(library: Library) -> None:
    other = HashEmbedder(name="other")
    library.close()
    with pytest.raises(EmbedderMismatch, match="ibid rebuild --embed"):
        Library.open(library.path, embedder=other)
    with Library.open(library.path) as reopened:
        assert reopened.count() == 20
        with pytest.raises(EmbedderMismatch):
            _ = reopened.embedder
        reopened.rebuild(embed=True, embedder=other)
    with Library.open(library.path, embedder=other) as reopened:
        text = f"Paper 7\n{reopened.passages('title:7')[0].text}"
        assert reopened.dense(other.embed_query(text), 1)[0][0] == "title:7#0"
        assert all(check.ok for check in reopened.doctor())


class _Failing(HashEmbedder):
    """Embeds so many batches, then fails."""

    def __init__(self, name: str, batches: int) -> None:
        super().__init__(name=name)
        self.left = batches
        self.embedded = 0

    def embed_passages(self, passages):  # type: ignore[no-untyped-def]  # as the parent's
        if not self.left:
            raise LibraryError("the lights went out")
        self.left -= 1
        self.embedded += len(passages)
        return super().embed_passages(passages)


def test_embedding_anew_goes_on_where_it_stopped_and_answers_meanwhile(tmp_path: Path) -> None:
    first, second = _Failing("other", 2), _Failing("other", 99)
    query = EMBEDDER.embed_query("xyniz")
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        library.write(many(range(100)))
        before = library.dense(query, 9)
        with pytest.raises(LibraryError, match="lights"):
            library.rebuild(embed=True, embedder=first)
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert library.dense(query, 9) == before
        library.rebuild(embed=True, embedder=second)
    assert first.embedded > 0
    assert first.embedded + second.embedded == 200


def test_opening_and_asking_a_small_library_leaves_chroma_alone(library: Library) -> None:
    library.close()
    code = (
        "import sys; import numpy as np; from assistant.library import Library;"
        f"library = Library.open({str(library.path)!r});"
        f"library.dense(np.ones({EMBEDDER.dimension}, np.float32), 3); library.lexical('xyniz', 3); library.count();"
        "heavy = {'chromadb', 'gradio', 'onnxruntime', 'langchain_core', 'openai'} & set(sys.modules);"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_default_folder_is_that_of_the_settings(tmp_path: Path) -> None:
    with Library.open(settings=Settings(library=tmp_path / "mine")) as library:
        assert library.path == tmp_path / "mine"
        assert (library.path / "library.sqlite").exists()


@pytest.mark.usefixtures("chroma")
def test_an_empty_library_answers_everything_with_nothing(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=EMBEDDER) as library:
        assert library.count() == 0
        assert list(library.papers()) == []
        assert library.dense(EMBEDDER.embed_query("x"), 3) == []
        assert library.lexical("x", 3) == []
        assert library.search("x") == ()
        assert library.term_statistics().n == 0
        library.rebuild()
        assert all(check.ok for check in library.doctor())
        library.write([])
        assert library.count() == 0


def test_a_conversation_may_be_somebodys(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        hers, nobodys = library.create_conversation(user="ada"), library.create_conversation()
        assert library.conversation_user(hers) == "ada"
        assert library.conversation_user(nobodys) is None
        library.append_turn(hers, "q", "q", "r1")
        library.append_turn(hers, "q2", "q2", "r2")
        told = {summary.id: (summary.user, summary.turns) for summary in library.list_conversations()}
        assert told == {hers: ("ada", 2), nobodys: (None, 0)}
        library.delete_conversation(hers)
        with pytest.raises(NotInLibrary, match=hers):
            library.conversation_user(hers)
        assert [summary.id for summary in library.list_conversations()] == [nobodys]
