"""Adds sources to a library: read, recognise what is known, cut, embed, store; batch by batch.

Each batch is one transaction, so an ingest may be killed anywhere: what was stored stays, and the same command again
goes on from there, as papers that are already as they should be are neither cut nor embedded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from assistant.cleaning import embedding_text
from assistant.identity import Identifier, paper_id
from assistant.library import Library, StoredPaper
from assistant.papers import Paper
from ingest.chunking import passages
from ingest.matching import Decision, decide, names_of
from ingest.records import Record, Rejected
from ingest.report import Ambiguous, IngestReport, Progress
from ingest.sources import STANDARD_INPUT, files, read

SourceLike = str | os.PathLike[str] | BinaryIO

BATCH: Final = 64  # records of one transaction: some seconds of embedding, which is what a kill can cost
_KEPT_REJECTIONS: Final = 1000  # of one report in the library's history


def add(
    library: Library,
    *sources: SourceLike,
    progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Brings the papers of `sources` into `library`: files, folders, `-` for standard input, or binary streams.

    Adding the same sources again changes nothing. Only new papers and changed texts are embedded. A broken record
    or file is in the report's `rejected` and costs nothing else. `progress` is called as records are done.

    Raises LibraryLocked when another process writes to the library, EmbedderMismatch, or what the embedder raises;
    what was stored until then stays.
    """
    began = time.monotonic()
    total = _count(library, sources) if progress else None
    with library.writing("adding papers"):
        run = _Run(library, total, progress)
        items = _items(library, sources)
        while batch := list(islice(items, BATCH)):
            run.take(batch)
        report = run.report(time.monotonic() - began)
        library.save_report(_for_history(report, sources))
    return report


class _Run:
    """One call of `add`: what it has met so far."""

    def __init__(self, library: Library, total: int | None, progress: Callable[[Progress], None] | None) -> None:
        self._library = library
        self._total = total
        self._progress = progress
        self._outcomes: dict[str, list[str]] = {"added": [], "updated": [], "unchanged": [], "duplicate": []}
        self._seen: set[str] = set()
        self._rejected: list[Rejected] = []
        self._ambiguous: list[Ambiguous] = []
        self._tell()

    def take(self, batch: list[Record | Rejected]) -> None:
        """Decides about each record, then stores what is new of all of them at once."""
        records = [item for item in batch if isinstance(item, Record)]
        self._rejected += [item for item in batch if isinstance(item, Rejected)]
        known, papers = self._known(records)
        before = dict(papers)
        names: dict[str, dict[Identifier, None]] = {}
        for record in records:
            decision = decide(record, known, papers.get, self._seen.__contains__)
            self._note(record, decision)
            if decision.paper:
                papers[decision.paper_id] = decision.paper
            for name in decision.names:
                if name not in known:
                    known[name] = decision.paper_id
                    names.setdefault(decision.paper_id, {})[name] = None
        changed = [paper for id_, paper in papers.items() if paper != before.get(id_)]
        renamed = [before[id_] for id_ in names if id_ in before and papers[id_] == before[id_]]
        self._store([*changed, *renamed], before, names)
        self._tell()

    def report(self, seconds: float) -> IngestReport:
        return IngestReport(
            added_ids=tuple(self._outcomes["added"]),
            updated_ids=tuple(self._outcomes["updated"]),
            unchanged_ids=tuple(self._outcomes["unchanged"]),
            duplicate_ids=tuple(self._outcomes["duplicate"]),
            rejected=tuple(self._rejected),
            ambiguous=tuple(self._ambiguous),
            seconds=seconds,
        )

    def _known(self, records: Iterable[Record]) -> tuple[dict[Identifier, str], dict[str, Paper]]:
        """What the library already has of the records' identifiers, and those papers by id."""
        wanted = {name for record in records for name in names_of(record)}
        known = {Identifier(*name): id_ for name, id_ in self._library.find(wanted).items()}
        ids = {*known.values(), *(paper_id(record, record.others) for record in records)}
        return known, dict(self._library.papers_by_id(ids))

    def _note(self, record: Record, decision: Decision) -> None:
        self._outcomes[decision.outcome].append(decision.paper_id)
        self._seen.add(decision.paper_id)
        if decision.doubt and decision.outcome == "added":
            self._ambiguous.append(Ambiguous(record.where, decision.paper_id, decision.doubt, decision.doubt_reason))

    def _store(self, papers: list[Paper], before: dict[str, Paper], names: dict[str, dict[Identifier, None]]) -> None:
        texts = [paper for paper in papers if _text(paper) != _text(before.get(paper.id))]
        cut = {paper.id: passages(paper) for paper in texts}
        prepared = [embedding_text(paper.title, passage) for paper in texts for passage in cut[paper.id]]
        vectors = iter(self._library.embedder.embed_passages(prepared) if prepared else [])
        embedded = {id_: tuple(islice(vectors, len(of_paper))) for id_, of_paper in cut.items()}
        self._library.write(
            [
                StoredPaper(
                    paper=paper,
                    passages=cut.get(paper.id),
                    vectors=embedded.get(paper.id),
                    identifiers=tuple((name.scheme, name.value) for name in names.get(paper.id, ())),
                )
                for paper in papers
            ]
        )

    def _tell(self) -> None:
        if self._progress:
            counts = {outcome: len(ids) for outcome, ids in self._outcomes.items()}
            self._progress(
                Progress(
                    done=sum(counts.values()) + len(self._rejected),
                    total=self._total,
                    added=counts["added"],
                    updated=counts["updated"],
                    unchanged=counts["unchanged"],
                    duplicates=counts["duplicate"],
                    rejected=len(self._rejected),
                )
            )


def _items(library: Library, sources: Iterable[SourceLike]) -> Iterator[Record | Rejected]:
    for source in sources:
        for origin, name in _origins(library, source):
            yield from read(origin, name)


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


def _count(library: Library, sources: Iterable[SourceLike]) -> int | None:
    """How many records there are to come: read twice, as reading costs a hundredth of embedding. None for streams."""
    paths = [source for source in sources if isinstance(source, str | os.PathLike) and source != STANDARD_INPUT]
    if len(paths) < len(list(sources)) or any(not os.path.isfile(p) and not os.path.isdir(p) for p in paths):
        return None
    return sum(1 for _ in _items(library, paths))


def _text(paper: Paper | None) -> tuple[str, str] | None:
    return (paper.title, paper.abstract) if paper else None


def _for_history(report: IngestReport, sources: Iterable[SourceLike]) -> dict[str, object]:
    """The report as the library keeps it: counts and rejections, without the ids."""
    kept = report.to_dict()
    del kept["ids"]
    kept["rejected"] = kept["rejected"][:_KEPT_REJECTIONS]
    kept["sources"] = [os.fspath(source) if isinstance(source, str | os.PathLike) else "stream" for source in sources]
    return kept
