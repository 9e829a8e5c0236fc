"""The lexical index: BM25 over stemmed terms of title and passage, kept by tantivy in a folder of its own.

Texts are stored as the output of `assistant.terms.terms`, so a query is a disjunction of terms and never parsed as a
query language. The folder is derived data: anything wrong with it raises LibraryError, and the library rebuilds it.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from assistant.cleaning import clean
from assistant.errors import LibraryError, LibraryLocked
from assistant.mirror import Mirror
from assistant.terms import TermStatistics, terms

if TYPE_CHECKING:
    import tantivy

_WRITER_HEAP_BYTES = 64_000_000
_MAX_QUERY_TERMS = 48  # distinct; a longer query keeps its rarest, which decide its ranking anyway
_MAX_QUERY_CHARACTERS = 40_000  # about 6,000 words; the rest of a longer query is not read
_MAX_TERM_WEIGHT = 3.0  # of a term repeated in the query
_TIE_MARGIN = 16  # hits fetched beyond k so that equal scores are cut by id and not by position in the index
_SEGMENT_PARTS = ("term", "idx", "pos", "fieldnorm", "fast", "store")
_LIVING = (".json",)  # meta.json and .managed.json, which every commit replaces
_FEW_ALLOWED = 8  # measured: with 100,000 passages and k 100, naming 9,000 papers costs what sifting hits costs
_VERIFY_ATTEMPTS = 5
_MOST_SEGMENTS = 16  # each commit leaves one, and each is another look-up for each term of a question
_FOOTER_MAGIC = 1337  # tantivy's: the last eight bytes of a file are the footer's length and this

_T = TypeVar("_T")


class LexicalIndex:
    """One folder. Several processes may search it while one adds and removes; what they wrote shows after `reload`.

    Changes become durable, all at once, with `commit`; a process killed before it leaves the last commit.
    """

    def __init__(self, folder: Path, index: tantivy.Index, mirror: Mirror | None = None) -> None:
        """Use `create` or `open`."""
        self._folder = folder
        self._index = index
        self._mirror = mirror
        self._writer: tantivy.IndexWriter | None = None

    @classmethod
    def create(cls, folder: Path) -> LexicalIndex:
        """A new empty index; `folder` is made when absent. Raises LibraryError when it already holds one."""
        import tantivy

        if (folder / "meta.json").exists():
            raise LibraryError(f"{str(folder)!r} already holds a lexical index; open it or choose an empty folder")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(
                f"cannot make the folder {str(folder)!r}: {error.strerror}; check its parent"
            ) from error
        return cls(folder, _guarded(folder, lambda: tantivy.Index(_schema(), str(folder))))

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """An existing index, its files checked against their checksums; LibraryError when absent or damaged.

        One in a folder that cannot be written to can be searched.
        """
        import tantivy

        if not (folder / "meta.json").is_file():
            raise LibraryError(f"no lexical index in {str(folder)!r}; run `ibid rebuild`")
        verify(folder)
        mirror = None if os.access(folder, os.W_OK) else _guarded(folder, lambda: Mirror(folder, _LIVING))
        index = _guarded(folder, lambda: tantivy.Index.open(str(mirror.folder if mirror else folder)))
        _guarded(folder, lambda: index.searcher().num_docs)
        return cls(folder, index, mirror)

    def add(self, passages: Iterable[tuple[str, str, str, str]]) -> int:
        """Adds `(passage_id, paper_id, title, text)`, in place of a passage of that id; how many were given.

        Adding the same again changes nothing. Passages that a paper no longer has are the caller's to remove.
        """
        import tantivy

        writer = self._writing()
        count = 0
        for passage_id, paper_id, title, text in passages:
            body = " ".join(terms(clean(f"{title}\n{text}").text))
            document = tantivy.Document(passage=[passage_id], paper=[paper_id], body=[body])
            _guarded(self._folder, partial(writer.delete_documents_by_term, "passage", passage_id))
            _guarded(self._folder, partial(writer.add_document, document))
            count += 1
        return count

    def remove(self, paper_ids: Iterable[str]) -> None:
        """Takes away all passages of the papers; unknown ids are fine."""
        self._delete("paper", paper_ids)

    def remove_passages(self, passage_ids: Iterable[str]) -> None:
        """Takes away single passages; unknown ids are fine."""
        self._delete("passage", passage_ids)

    def _delete(self, field: str, values: Iterable[str]) -> None:
        writer = self._writing()
        for value in values:
            _guarded(self._folder, partial(writer.delete_documents_by_term, field, value))

    def commit(self) -> None:
        """Makes the changes so far durable and visible here."""
        if self._writer is not None:
            _guarded(self._folder, self._writer.commit)
        self.reload()

    def tidy(self) -> None:
        """Has tantivy merge segments of like size, and waits for it: closing a writer ends merges that a commit began.
        Readers see no difference but in time, and that removed passages in what was merged count no more."""
        writer, self._writer = self._writing(), None
        _guarded(self._folder, writer.commit)
        _guarded(self._folder, writer.wait_merging_threads)
        self.reload()

    def reload(self) -> None:
        """Shows what other processes have committed."""
        if self._mirror is not None:
            _guarded(self._folder, self._mirror.refresh)
        _guarded(self._folder, self._index.reload)

    def close(self) -> None:
        """Drops uncommitted changes and lets another process write. Searching still works."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            _guarded(self._folder, writer.rollback)
            _guarded(self._folder, writer.wait_merging_threads)

    def __enter__(self) -> LexicalIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def count(self) -> int:
        """Committed passages."""
        return int(_guarded(self._folder, lambda: self._index.searcher().num_docs))

    def statistics(self) -> TermStatistics:
        """Document frequencies over passages as of now; a removed passage counts until its segment is merged."""
        searcher = _guarded(self._folder, self._index.searcher)
        return TermStatistics(searcher.num_docs, lambda term: int(searcher.doc_freq("body", term)))

    def search(self, query: str, k: int, allowed: Collection[str] | None = None) -> list[tuple[str, float]]:
        """The `k` best `(passage_id, BM25 score)`, best first, ties by id; any text is a query.

        `allowed` limits hits to passages of these papers, completely: None is every paper, empty is none. A query
        without content terms gives nothing.
        """
        if k < 1 or (allowed is not None and not allowed):
            return []
        return _guarded(self._folder, lambda: self._search(query, k, allowed))

    def _search(self, query: str, k: int, allowed: Collection[str] | None) -> list[tuple[str, float]]:
        import tantivy

        searcher = self._index.searcher()
        weights = self._weights(query, searcher)
        if not weights or not searcher.num_docs:
            return []
        wanted = self._disjunction(weights)
        limit, n = k + _TIE_MARGIN, searcher.num_docs
        if allowed is None:
            found = self._hits(searcher, wanted, limit)
        elif len(allowed) ** 2 <= _FEW_ALLOWED * k * n:
            papers = tantivy.Query.term_set_query(self._index.schema, "paper", sorted(allowed))
            clauses = [
                (tantivy.Occur.Must, wanted),
                (tantivy.Occur.Must, tantivy.Query.const_score_query(papers, 0.0)),
            ]
            found = self._hits(searcher, tantivy.Query.boolean_query(clauses), limit)
        else:
            found = self._sifted(searcher, wanted, limit, allowed)
        return sorted(((passage, score) for passage, _, score in found), key=lambda hit: (-hit[1], hit[0]))[:k]

    def _disjunction(self, weights: Mapping[str, float]) -> tantivy.Query:
        import tantivy

        clauses = []
        for term, weight in weights.items():
            clause = tantivy.Query.term_query(self._index.schema, "body", term, "freq")
            clauses.append(
                (tantivy.Occur.Should, tantivy.Query.boost_query(clause, weight) if weight != 1.0 else clause)
            )
        return tantivy.Query.boolean_query(clauses)

    def _hits(self, searcher: tantivy.Searcher, query: tantivy.Query, limit: int) -> list[tuple[str, str, float]]:
        hits = searcher.search(query, limit=min(limit, searcher.num_docs), count=False).hits
        stored = ((searcher.doc(address), score) for score, address in hits)
        return [(str(row.get_first("passage")), str(row.get_first("paper")), float(score)) for row, score in stored]

    def _sifted(
        self, searcher: tantivy.Searcher, query: tantivy.Query, limit: int, allowed: Collection[str]
    ) -> list[tuple[str, str, float]]:
        """The best `limit` hits of allowed papers, from a window of all hits that widens until it holds them."""
        window = limit * (1 + 2 * searcher.num_docs // len(allowed))
        while True:
            hits = self._hits(searcher, query, window)
            kept = [hit for hit in hits if hit[1] in allowed]
            if len(kept) >= limit or len(hits) < window:
                return kept[:limit]
            window *= 4

    def _weights(self, query: str, searcher: tantivy.Searcher) -> dict[str, float]:
        """Query terms that the index holds with how much they count; at most `_MAX_QUERY_TERMS`, the rarest."""
        counts = Counter(terms(query[:_MAX_QUERY_CHARACTERS]))
        rare = sorted((frequency, term) for term in counts if (frequency := searcher.doc_freq("body", term)))
        return {term: min(float(counts[term]), _MAX_TERM_WEIGHT) for _, term in rare[:_MAX_QUERY_TERMS]}

    def _writing(self) -> tantivy.IndexWriter:
        if self._writer is None:
            try:
                # One thread: a library's batches are small, and the other core is embedding meanwhile.
                self._writer = self._index.writer(_WRITER_HEAP_BYTES, 1)
            except ValueError as error:
                if "lock" in str(error).lower():
                    raise LibraryLocked(
                        f"another process is writing to {str(self._folder)!r}; wait for it to finish and try again"
                    ) from error
                raise _damaged(self._folder, error) from error
        return self._writer


def crowded(folder: Path) -> bool:
    """Whether an index has so many segments that `tidy` pays."""
    try:
        return len(json.loads(_meta(folder))["segments"]) > _MOST_SEGMENTS
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error


def verify(folder: Path) -> None:
    """Compares every live file of the index with the CRC-32 in its footer; LibraryError at the first mismatch."""
    for _ in range(_VERIFY_ATTEMPTS):
        before = _meta(folder)
        try:
            return _verify_segments(folder, before)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            if _meta(folder) == before:
                raise _damaged(folder, error) from error
            # A writer committed meanwhile, and its merge took files away: look at what is live now.
    raise LibraryError(f"the lexical index in {str(folder)!r} keeps changing while it is checked; try again")


def _meta(folder: Path) -> bytes:
    try:
        return (folder / "meta.json").read_bytes()
    except OSError as error:
        raise _damaged(folder, error) from error


def _verify_segments(folder: Path, meta: bytes) -> None:
    for segment in json.loads(meta)["segments"]:
        name, deletes = segment["segment_id"].replace("-", ""), segment["deletes"]
        for part in (*_SEGMENT_PARTS, *([f"{deletes['opstamp']}.del"] if deletes else [])):
            _verify_file(folder / f"{name}.{part}")


def _verify_file(path: Path) -> None:
    content = path.read_bytes()
    length, magic = struct.unpack("<II", content[-8:])
    footer = json.loads(content[-8 - length : -8])
    if magic != _FOOTER_MAGIC or zlib.crc32(content[: -8 - length]) != footer["crc"]:
        raise ValueError(f"{path.name} does not match its checksum")


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("passage", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("paper", stored=True, tokenizer_name="raw", index_option="basic")
    # `terms` has already split, folded and stemmed; positions are not needed for a disjunction.
    builder.add_text_field("body", tokenizer_name="whitespace", index_option="freq")
    return builder.build()


def _guarded(folder: Path, call: Callable[[], _T]) -> _T:
    """`call()` with tantivy's errors, and its panics on damaged files, raised as LibraryError."""
    try:
        return call()
    except (ValueError, OSError, RuntimeError) as error:
        raise _damaged(folder, error) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # pyo3's, derived from BaseException and importable from nowhere
            raise _damaged(folder, error) from error
        raise


def _damaged(folder: Path, cause: Any) -> LibraryError:
    reason = " ".join(str(cause).split())[:200]
    return LibraryError(f"the lexical index in {str(folder)!r} cannot be used ({reason}); run `ibid rebuild`")
