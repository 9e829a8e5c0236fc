"""A library: a folder with a corpus, its indexes and its records. Everything else reaches papers through it."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from assistant.embedding.vectors import Fingerprint, Vectors
from assistant.errors import EmbedderMismatch, LibraryError, LibraryNotFound
from assistant.filters import Filters
from assistant.papers import Hit, Paper, Passage
from assistant.records import AnswerRecord
from assistant.storage.chroma_server import ChromaServer
from assistant.storage.database import FILE, Database
from assistant.storage.editions import Editions
from assistant.storage.facets import Facet, Field, facets
from assistant.storage.filtering import Matching
from assistant.storage.history import ConversationSummary, Feedback, History, Turn
from assistant.storage.indexes import Indexes
from assistant.storage.lock import WriterLock
from assistant.storage.shelf import Shelf
from assistant.storage.sources import Sources
from assistant.storage.truth import StoredPaper, Truth, paper_digest, text_digest

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

    from assistant.embedding import Embedder
    from assistant.settings import Settings
    from assistant.storage.doctor import Check
    from assistant.terms import TermStatistics

_FLUSH_S = 3.0  # between two times that a long ingest brings the lexical index up to date

__all__ = ["Library", "StoredPaper", "paper_digest", "text_digest"]


class Library:
    """Papers, searches and records of one library folder. Any number of threads may read and save records; one
    process at a time adds or removes papers. What a write returned from is on disk.
    """

    def __init__(
        self, folder: Path, *, read_only: bool, create: bool, embedder: Embedder | None, settings: Settings
    ) -> None:
        """Use `Library.open`."""
        self._folder = folder
        self._settings = settings
        self._embedder = embedder
        self._embedder_checked = False
        self._database = Database(folder, read_only=read_only, create=create)
        self._database.prepare()
        self._truth = Truth(self._database)
        self._history = History(self._database)
        self._matching = Matching(self._database)
        self.shelf = Shelf(self._database)
        self.editions = Editions(self._database, self._truth)
        self.sources = Sources(self._database)
        self._lock = WriterLock(folder, settings.lock_wait_s)
        self._indexes = Indexes(
            folder, self._truth, self._lock, read_only=read_only, chroma=ChromaServer.of(settings)
        )
        self._flushed_at = 0.0

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        *,
        create: bool = True,
        read_only: bool = False,
        embedder: Embedder | None = None,
        settings: Settings | None = None,
    ) -> Library:
        """Opens the library at `path`, by default that of the settings; made when absent and `create` is set.

        A folder that cannot be written to is opened for reading only. Raises LibraryNotFound, SchemaMismatch,
        EmbedderMismatch (when `embedder` is not the one the vectors came from) or LibraryError.
        """
        from assistant.settings import Settings

        settings = settings or Settings.load()
        folder = Path(path).expanduser() if path is not None else settings.library_path()
        if folder.exists() and not folder.is_dir():
            raise LibraryNotFound(f"{str(folder)!r} is a file, not a library folder; give a folder")
        exists = (folder / FILE).exists()
        if not exists and create and not read_only:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LibraryError(f"cannot make library folder {str(folder)!r}: {error.strerror}") from error
        read_only = read_only or (exists and not (os.access(folder, os.W_OK) and os.access(folder / FILE, os.W_OK)))
        library = cls(folder, read_only=read_only, create=create, embedder=embedder, settings=settings)
        if embedder is not None:
            try:
                library.check_embedder()
            except LibraryError:
                library.close()
                raise
        return library

    def close(self) -> None:
        """Lets go of files and memory; the library cannot be used afterwards."""
        self._indexes.close()
        self._database.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        return self._folder

    @property
    def read_only(self) -> bool:
        """Whether nothing can be saved here: no papers, no records, no conversations."""
        return self._database.read_only

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def embedder(self) -> Embedder:
        """What turns texts into vectors here. Raises EmbedderMismatch when it is not what the vectors came from."""
        self.check_embedder()
        return self._the_embedder()

    # reading

    def count(self, filters: Filters | Mapping[str, Any] | None = None) -> int:
        """How many papers there are, or match."""
        ids = self.matching_ids(filters)
        return self._truth.count() if ids is None else len(ids)

    def papers(self, filters: Filters | Mapping[str, Any] | None = None) -> Iterator[Paper]:
        """Papers in the order in which they were added."""
        return self._truth.papers(self.matching_ids(filters))

    def paper(self, reference: str) -> Paper:
        """The paper of this id, DOI, arXiv id, citekey or exact title; raises NotInLibrary."""
        paper_id = self._truth.resolve(reference)
        return self._truth.papers_by_id([paper_id])[paper_id]

    def papers_by_id(self, ids: Collection[str]) -> dict[str, Paper]:
        """Those of `ids` that are here."""
        return self._truth.papers_by_id(ids)

    def former_text(self, paper_id: str, digest: str) -> tuple[str, str]:
        """(title, abstract) that the paper had under this `text_digest`; raises NotInLibrary."""
        return self._truth.former_text(paper_id, digest)

    def passages(self, paper_id: str) -> tuple[Passage, ...]:
        """The paper's passages in order; empty for an unknown id."""
        return self._truth.passages(paper_id)

    def passages_by_id(self, ids: Collection[str]) -> dict[str, Passage]:
        """Those of `ids` that are here."""
        return self._truth.passages_by_id(ids)

    def vectors(self, passage_ids: Collection[str]) -> dict[str, Vectors]:
        """The stored unit vector (d,) of each passage that is here."""
        return self._truth.vectors(passage_ids)

    def sentence_vectors(self, passage_ids: Collection[str]) -> dict[str, Vectors]:
        """Unit vectors (n, d), a row per sentence of the passage; absent where the embedder gave none."""
        return self._truth.sentence_vectors(passage_ids)

    def matching_ids(self, filters: Filters | Mapping[str, Any] | None) -> set[str] | None:
        """Ids of the papers that `filters` leave; None when there is no filter, which means every paper."""
        return self._matching.ids(Filters.parse(filters))

    def facets(self, field: Field, containing: str = "", limit: int = 50) -> tuple[Facet, ...]:
        """Values of a field to filter by that hold `containing`, with how many papers have each; most papers first."""
        return facets(self._database, field, containing, limit)

    def find(self, identifiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Paper id of each known (scheme, value) identifier."""
        return self._truth.find(identifiers)

    def digests(self, ids: Iterable[str]) -> dict[str, str]:
        """`paper_digest` of each paper as stored: equal digests need no writing."""
        return self._truth.digests(ids)

    def text_digests(self, ids: Iterable[str]) -> dict[str, str]:
        """`text_digest` of each paper as stored: equal ones need no embedding."""
        return self._truth.digests(ids, text_only=True)

    # searching

    def search(
        self, question: str, k: int = 10, filters: Filters | Mapping[str, Any] | None = None
    ) -> tuple[Hit, ...]:
        """The `k` best papers for a question, with their matching passages; of `@key` only the papers of that key."""
        from assistant.keyed import keyed
        from assistant.retrieval import Retriever

        asked, narrowed = keyed(self, question, Filters.parse(filters))
        return Retriever(self).search(asked, k, narrowed)

    def as_retriever(self, k: int = 10, filters: Filters | Mapping[str, Any] | None = None) -> BaseRetriever:
        """This search as a LangChain retriever."""
        from assistant.langchain_retriever import LibraryRetriever

        return LibraryRetriever(library=self, k=k, filters=Filters.parse(filters))

    def dense(self, query_vector: Vectors, k: int, allowed: set[str] | None = None) -> list[tuple[str, float]]:
        """The `k` passages closest to a unit vector as (passage id, cosine), best first, ties by id.

        `allowed` limits the papers, completely: None is every paper, the empty set none.
        """
        return self._indexes.dense(query_vector, k, allowed)

    def lexical(self, query: str, k: int, allowed: set[str] | None = None) -> list[tuple[str, float]]:
        """The `k` best passages by BM25 as (passage id, score), best first, ties by id; `allowed` as in `dense`."""
        return self._indexes.lexical(query, k, allowed)

    def term_statistics(self) -> TermStatistics:
        """In how many passages each term occurs, as of now."""
        return self._indexes.term_statistics()

    # writing

    @contextmanager
    def writing(self, what: str = "writing papers") -> Iterator[None]:
        """Holds the writer lock over several writes and brings the indexes up to date once, at the end.

        Readers elsewhere find new papers by meaning at once and by words within seconds. Raises LibraryLocked when
        another process is writing.
        """
        self._refuse_read_only()
        with self._lock.held(what):
            if not self._lock.nested:
                self._flushed_at = time.monotonic()
            yield
            if not self._lock.nested:
                self._indexes.catch_up()
            elif time.monotonic() - self._flushed_at > _FLUSH_S:
                self._indexes.catch_up("lexical")
                self._flushed_at = time.monotonic()

    def write(self, papers: Sequence[StoredPaper]) -> None:
        """Adds or replaces papers in one transaction: when it returns they are on disk and can be found."""
        if papers:
            with self.writing():
                self._truth.write(papers, self._stamp())

    def remove(self, references: Iterable[str]) -> int:
        """Takes papers out of the library and its indexes; gives how many. Records keep the text they quote.

        Raises NotInLibrary for a reference that names no paper, before anything is removed.
        """
        ids = [self._truth.resolve(reference) for reference in references]
        with self.writing("removing papers"):
            return self._truth.remove(ids)

    def rebuild(self, *, embed: bool = False, embedder: Embedder | None = None) -> None:
        """Makes all indexes anew from the stored vectors; with `embed` makes the vectors anew first, by `embedder`
        (which then is this library's) or the one in use, and cuts anew what another version of the chunker cut.

        Either may be killed: until it is done the library is as it was, and embedding goes on where it stopped.
        """
        self._refuse_read_only()
        with self._lock.held("rebuilding"):
            if embed:
                from assistant.storage.recutting import recut
                from assistant.storage.reembedding import reembed

                self._embedder = embedder or self._the_embedder()
                reembed(self._database, self._embedder)
                recut(self._database, self._truth, self._embedder)
                self._embedder_checked = True
            self._database.compact()
            self._indexes.rebuild("lexical", "dense")

    def doctor(self) -> tuple[Check, ...]:
        """What is right and wrong with the library, each with the command that mends it; changes nothing."""
        from assistant.storage.doctor import Doctor

        return Doctor(self._folder, self._database, self._truth, self._indexes, self.check_embedder).examine()

    def stats(self) -> dict[str, int]:
        """Numbers for display: papers, passages, conversations, records, bytes on disk."""
        return {
            "papers": self._truth.count(),
            "passages": self._truth.passage_count(),
            **self._history.counts(),
            "bytes": sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file()),
        }

    # records and conversations

    def save_record(self, record: AnswerRecord | Mapping[str, Any]) -> str:
        """Stores what one question did, with the digests of the papers it quotes; gives its id.

        A mapping needs `question` and `answer`; see `AnswerRecord.from_dict`. Raises LibraryError in a read-only
        library: look at `read_only` first.
        """
        whole = record if isinstance(record, AnswerRecord) else AnswerRecord.from_dict(record)
        self._history.save_record(whole.to_dict())
        return whole.id

    def record(self, record_id: str) -> AnswerRecord:
        """Raises NotInLibrary."""
        return AnswerRecord.from_dict(self._history.record(record_id))

    def records(self) -> Iterator[AnswerRecord]:
        """All records, latest first."""
        return map(AnswerRecord.from_dict, self._history.records())

    def create_conversation(self, title: str = "", user: str | None = None) -> str:
        """A new conversation's id; without a title it takes that of its first question.

        `user` is whose it is, where a server knows its users; the records of its answers then carry the name.
        """
        return self._history.create_conversation(title, user)

    def conversation_user(self, conversation_id: str) -> str | None:
        """Whose conversation it is; None for nobody's in particular. Raises NotInLibrary for an unknown one."""
        return self._history.conversation_user(conversation_id)

    def append_turn(self, conversation_id: str, question: str, query: str, record_id: str) -> None:
        """Adds a turn; raises NotInLibrary for an unknown conversation."""
        self._history.append_turn(conversation_id, question, query, record_id)

    def cut_conversation(self, conversation_id: str, turns: int) -> tuple[Turn, ...]:
        """Keeps the first `turns` turns and gives those taken away; the records of their answers stay.

        Raises NotInLibrary for an unknown conversation.
        """
        return self._history.cut_conversation(conversation_id, turns)

    def conversation_turns(self, conversation_id: str) -> tuple[Turn, ...]:
        """In order; raises NotInLibrary for an unknown conversation."""
        return self._history.turns(conversation_id)

    def list_conversations(self) -> tuple[ConversationSummary, ...]:
        """Latest first."""
        return self._history.conversations()

    def rename_conversation(self, conversation_id: str, title: str) -> None:
        self._history.rename_conversation(conversation_id, title)

    def delete_conversation(self, conversation_id: str) -> None:
        """Takes away the conversation, its turns and the records of its answers."""
        self._history.delete_conversation(conversation_id)

    def add_feedback(self, record_id: str, rating: float, comment: str = "") -> None:
        """A reader's word on an answer, from -1 (bad) to 1 (good)."""
        self._history.add_feedback(record_id, rating, comment)

    def feedback(self, record_id: str) -> tuple[Feedback, ...]:
        return self._history.feedback(record_id)

    def save_report(self, report: Mapping[str, Any]) -> None:
        """Keeps what an ingest did."""
        self._history.save_report(report)

    def reports(self) -> list[dict[str, Any]]:
        """What the ingests did, latest first."""
        return self._history.reports()

    def noted(self, name: str) -> str | None:
        """A small text kept with the library under this name; None when there is none."""
        return self._history.noted(f"note:{name}")

    def note(self, name: str, text: str | None) -> None:
        """Keeps a small text with the library in place of any other of this name; None takes it away."""
        self._history.keep(f"note:{name}", text)

    # the embedder

    def check_embedder(self) -> None:
        """Raises EmbedderMismatch when the library's vectors come from another embedder than this process uses."""
        if self._embedder_checked:
            return
        stored = self._truth.fingerprint()
        if stored is None:
            return
        # Who cut the passages is no reason to refuse: their vectors compare all the same. The doctor tells of it.
        theirs, ours = replace(Fingerprint.from_json(stored), chunker=""), self._the_embedder().fingerprint
        if theirs != ours:
            raise EmbedderMismatch(
                f"the vectors of library {str(self._folder)!r} come from {theirs.apart_from(ours)}, "
                f"this is {ours.apart_from(theirs)}; "
                f"re-embed with: ibid rebuild --embed --library {self._folder}"
            )
        self._embedder_checked = True

    def _stamp(self) -> str:
        """What a library without papers keeps of its first write: who embedded, and who cut."""
        from assistant.chunking import CHUNKER_VERSION

        return replace(self.embedder.fingerprint, chunker=CHUNKER_VERSION).to_json()

    def _the_embedder(self) -> Embedder:
        if self._embedder is None:
            self._embedder = _embedder_of(self._settings)
        return self._embedder

    def _refuse_read_only(self) -> None:
        if self.read_only:
            raise LibraryError(f"library {str(self._folder)!r} is open for reading only; nothing was changed")


def _embedder_of(settings: Settings) -> Embedder:
    if settings.embedding_base_url is None:
        from assistant.embedding import default_embedder

        return default_embedder()
    from assistant.embedding import openai_compatible

    key = settings.embedding_api_key.get_secret_value() if settings.embedding_api_key else "none"
    return openai_compatible(settings.embedding_base_url, settings.embedding_model, key)
