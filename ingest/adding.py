"""Adds sources to a library: read, recognise what is known, cut, embed, store; batch by batch.

Each batch is one transaction, so an ingest may be killed anywhere: what was stored stays, and the same command again
goes on from there, as papers that are already as they should be are neither cut nor embedded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from assistant.chunking import passages
from assistant.cleaning import embedding_text
from assistant.editing import Edits, edited
from assistant.identity import Identifier
from assistant.library import Library, StoredPaper
from assistant.papers import Paper
from assistant.storage.editions import FIELDS
from ingest.ledger import Ledger
from ingest.matching import Decision, Outcome, decide, ids_of, names_of
from ingest.records import Record, Rejected
from ingest.report import Ambiguous, IngestReport, Progress
from ingest.sources import STANDARD_INPUT, files, read
from ingest.sources.packed import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from assistant.embedding.vectors import PassageVectors
    from assistant.papers import Passage

SourceLike = str | os.PathLike[str] | BinaryIO

BATCH: Final = 64  # records of one transaction: some seconds of embedding, which is what a kill can cost
_COUNTED_BYTES: Final = 200 << 20
_KEPT: Final = 1000  # rejected and ambiguous records, each, of one report in the library's history


def add(
    library: Library,
    *sources: SourceLike,
    progress: Callable[[Progress], None] | None = None,
    categories: Sequence[str] = (),
    max_unpacked_bytes: int = DEFAULT_LIMITS.unpacked_bytes,
) -> IngestReport:
    """Brings the papers of `sources` into `library`: files, folders, `-` for standard input, or binary streams.

    Adding the same sources again changes nothing. Only new papers and changed texts are embedded. A broken record
    or file is in the report's `rejected` and costs nothing else. `progress` is called as records are done.
    With `categories` (`cs.CL`, or `cs` for all within) only papers in one of them come in.
    A compressed source may become `max_unpacked_bytes` (`ibid add` takes them from the settings).

    Raises LibraryLocked when another process writes to the library, EmbedderMismatch, or what the embedder raises;
    what was stored until then stays.
    """
    began = time.monotonic()
    reading = _Reading(tuple(categories), replace(DEFAULT_LIMITS, unpacked_bytes=max_unpacked_bytes))
    total = _count(library, sources, reading) if progress else None
    with library.writing("adding papers"):
        run = Run(library, total, progress)
        items = _items(library, sources, reading)
        while batch := list(islice(items, BATCH)):
            library.sources.keep(met.paper_id for met in run.take(batch))
        report = run.report(time.monotonic() - began)
        library.save_report(_for_history(report, sources))
    return report


@dataclass(frozen=True, slots=True)
class Met:
    """What became of one record."""

    paper_id: str
    outcome: Outcome


class Run:
    """One going through sources: what it has met so far. With `dry` nothing is stored, only decided.

    The caller holds the library's writer lock, unless dry.
    """

    def __init__(
        self,
        library: Library,
        total: int | None = None,
        progress: Callable[[Progress], None] | None = None,
        *,
        dry: bool = False,
    ) -> None:
        self._library = library
        self._total = total
        self._progress = progress
        self._dry = dry
        self._ledger = Ledger()
        self._tell()

    def take(self, batch: Sequence[Record | Rejected]) -> list[Met]:
        """Decides about each record, then stores what is new of all of them at once."""
        records = [item for item in batch if isinstance(item, Record)]
        for item in batch:
            if isinstance(item, Rejected):
                self._ledger.note("rejected", *item)
        known, papers = self._known(records)
        before = dict(papers)
        origins = self._library.editions.origins(papers)
        names: dict[str, dict[Identifier, None]] = {}
        keys: dict[str, set[str]] = {}
        notes: dict[str, str] = {}
        compact: dict[str, Mapping[str, str]] = {}
        met: list[Met] = []
        for record in records:
            decision = decide(record, known, papers.get, self._ledger.has_met, lambda id_: origins.get(id_, {}))
            self._note(record, decision)
            met.append(Met(decision.paper_id, decision.outcome))
            if decision.paper:
                papers[decision.paper_id] = decision.paper
                compact[decision.paper_id] = decision.origins
                origins[decision.paper_id] = dict.fromkeys(FIELDS, decision.paper.source or "") | dict(
                    decision.origins
                )
            for name in decision.names:
                if name not in known:
                    known[name] = decision.paper_id
                    names.setdefault(decision.paper_id, {})[name] = None
            if mine := {*record.keys, *([record.citekey] if record.citekey else [])}:
                keys.setdefault(decision.paper_id, set()).update(mine)
            if record.note:
                notes.setdefault(decision.paper_id, record.note)
        if self._dry:
            decided = [paper for id_, paper in papers.items() if paper != before.get(id_)]
            self._ledger.decide(decided, known.items())
        else:
            self._store(papers, before, names, self._new_keys(keys), compact, self._new_notes(notes))
        self._tell()
        return met

    def report(self, seconds: float) -> IngestReport:
        return IngestReport(
            added_ids=self._ledger.ids("added"),
            updated_ids=self._ledger.ids("updated"),
            unchanged_ids=self._ledger.ids("unchanged"),
            duplicate_ids=self._ledger.ids("duplicate"),
            rejected=self._ledger.told("rejected", Rejected),
            ambiguous=self._ledger.told("ambiguous", Ambiguous),
            seconds=seconds,
        )

    def _known(self, records: Iterable[Record]) -> tuple[dict[Identifier, str], dict[str, Paper]]:
        """What the library already has of the records' identifiers, and those papers by id as their sources have them."""
        records = list(records)
        wanted = {name for record in records for name in names_of(record)}
        known = {Identifier(*name): id_ for name, id_ in self._library.find(wanted).items()}
        if self._dry:
            known |= self._ledger.named(wanted)
        ids = {*known.values(), *(id_ for record in records for id_ in ids_of(record))}
        papers = self._library.editions.sourced(ids)
        return known, papers | self._ledger.decided(ids) if self._dry else papers

    def _new_keys(self, keys: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
        """The citekeys that their papers do not have yet."""
        there = self._library.editions.papers_of_citekeys({key for mine in keys.values() for key in mine})
        fresh = {
            id_: tuple(sorted(key for key in mine if id_ not in there.get(key, ()))) for id_, mine in keys.items()
        }
        return {id_: mine for id_, mine in fresh.items() if mine}

    def _new_notes(self, notes: Mapping[str, str]) -> dict[str, Edits]:
        """The edits of papers whose note is in a file that Ibid wrote, and of which the user has said nothing here."""
        there = self._library.editions.edits(notes) if notes else {}
        return {
            id_: replace(mine, fields={**mine.fields, "note": note})
            for id_, note in notes.items()
            if "note" not in (mine := there.get(id_, Edits())).fields
        }

    def _note(self, record: Record, decision: Decision) -> None:
        self._ledger.note(decision.outcome, decision.paper_id)
        self._ledger.meet(decision.paper_id)
        if decision.doubt and decision.outcome == "added":
            self._ledger.note("ambiguous", record.where, decision.paper_id, decision.doubt, decision.doubt_reason)

    def _store(
        self,
        papers: Mapping[str, Paper],
        before: Mapping[str, Paper],
        names: Mapping[str, Mapping[Identifier, None]],
        keys: Mapping[str, tuple[str, ...]],
        origins: Mapping[str, Mapping[str, str]],
        notes: Mapping[str, Edits],
    ) -> None:
        """Writes the papers that changed or got a new name, with the user's edits over what the sources say."""
        changed = [id_ for id_, paper in papers.items() if paper != before.get(id_)]
        ids = list(dict.fromkeys([*changed, *(id_ for id_ in (*names, *keys) if id_ in before), *notes]))
        edits = {**self._library.editions.edits(ids), **notes}
        shown = {id_: edited(papers[id_], edits.get(id_)) for id_ in ids}
        former = {id_: edited(before[id_], edits.get(id_)) for id_ in ids if id_ in before}
        embedded = embedded_passages(
            self._library, [paper for id_, paper in shown.items() if _text(paper) != _text(former.get(id_))]
        )
        self._library.write(
            [
                StoredPaper(
                    paper=paper,
                    passages=embedded[id_][0] if id_ in embedded else None,
                    vectors=embedded[id_][1] if id_ in embedded else None,
                    identifiers=tuple((name.scheme, name.value) for name in names.get(id_, ())),
                    citekeys=keys.get(id_, ()),
                    origins=origins.get(id_),
                    edits=edits.get(id_),
                    sourced=papers[id_],
                )
                for id_, paper in shown.items()
            ]
        )

    def _tell(self) -> None:
        if self._progress:
            counts = self._ledger.counts
            self._progress(
                Progress(
                    done=counts.total() - counts["ambiguous"],
                    total=self._total,
                    added=counts["added"],
                    updated=counts["updated"],
                    unchanged=counts["unchanged"],
                    duplicates=counts["duplicate"],
                    rejected=counts["rejected"],
                )
            )


def embedded_passages(
    library: Library, papers: Sequence[Paper]
) -> dict[str, tuple[tuple[Passage, ...], tuple[PassageVectors, ...]]]:
    """Each paper's passages with their vectors, embedded in one go."""
    cut = {paper.id: passages(paper) for paper in papers}
    prepared = [embedding_text(paper.title, passage) for paper in papers for passage in cut[paper.id]]
    vectors = iter(library.embedder.embed_passages(prepared) if prepared else [])
    return {id_: (of_paper, tuple(islice(vectors, len(of_paper)))) for id_, of_paper in cut.items()}


@dataclass(frozen=True, slots=True)
class _Reading:
    """How sources are read in one call."""

    categories: tuple[str, ...]
    limits: Limits


def _items(library: Library, sources: Iterable[SourceLike], reading: _Reading) -> Iterator[Record | Rejected]:
    for source in sources:
        for origin, name in _origins(library, source):
            yield from read(origin, name, categories=reading.categories, limits=reading.limits)


def _origins(library: Library, source: SourceLike) -> Iterator[tuple[SourceLike, str | None]]:
    """The files that a source stands for, each with the name it has in reports; a library is no source of itself."""
    if not isinstance(source, str | os.PathLike) or source == STANDARD_INPUT or not os.path.isdir(source):
        yield source, None
        return
    folder = Path(source)
    home = library.path.resolve()
    for path in files(folder):
        if home not in path.resolve().parents:
            yield path, path.relative_to(folder).as_posix()


def _count(library: Library, sources: Iterable[SourceLike], reading: _Reading) -> int | None:
    """How many records there are to come: read twice, as reading costs a hundredth of embedding.

    None for streams, and for files so large that reading them alone takes minutes.
    """
    paths = [source for source in sources if isinstance(source, str | os.PathLike) and source != STANDARD_INPUT]
    if len(paths) < len(list(sources)) or any(not os.path.isfile(p) and not os.path.isdir(p) for p in paths):
        return None
    if sum(os.path.getsize(path) for path in paths if os.path.isfile(path)) > _COUNTED_BYTES:
        return None
    return sum(1 for _ in _items(library, paths, reading))


def _text(paper: Paper | None) -> tuple[str, str] | None:
    return (paper.title, paper.abstract) if paper else None


def _for_history(report: IngestReport, sources: Iterable[SourceLike]) -> dict[str, object]:
    """The report as the library keeps it: counts and rejections, without the ids."""
    kept = report.summary(_KEPT)
    kept["sources"] = [os.fspath(source) if isinstance(source, str | os.PathLike) else "stream" for source in sources]
    return kept
