"""Libraries to ask bundled cases of: each corpus once, in the user's cache folder, and never in the user's library."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import EmbedderMismatch, InputError, LibraryNotFound, SchemaMismatch
from assistant.papers import Paper
from evals.cases import Case
from evals.responses import Corpus, Response
from evals.systems import System

if TYPE_CHECKING:
    from assistant import Library

_DIGEST = 12  # characters of the corpus' digest in a folder name


def cache_folder() -> Path:
    """Where evals keep the libraries they make; may be deleted at any time."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("ibid")) / "evals"


def library_for(corpus: Path, root: Path | None = None) -> Library:
    """The library of a corpus file, made when absent, made again when another version of Ibid made it."""
    from assistant import Library
    from ingest import add

    try:
        digest = hashlib.sha256(corpus.read_bytes()).hexdigest()[:_DIGEST]
    except OSError as error:
        raise InputError(f"cannot read the corpus {str(corpus)!r}: {error.strerror}; reinstall Ibid") from error
    folder = (root or cache_folder()) / f"{corpus.stem}-{digest}"
    _drop_stale(folder)
    library = Library.open(folder)
    add(library, corpus)  # what is there already is not embedded again
    return library


def _drop_stale(folder: Path) -> None:
    """Deletes the library in `folder`, a cache of ours, when this version of Ibid cannot search it."""
    import shutil

    from assistant import Library

    if not folder.exists():
        return
    try:
        with Library.open(folder) as library:
            library.check_embedder()
    except (EmbedderMismatch, LibraryNotFound, SchemaMismatch):
        shutil.rmtree(folder)


def papers_of(source: Path) -> tuple[Paper, ...]:
    """The papers of any file that `ibid add` reads, without a library."""
    from assistant.identity import paper_id
    from ingest.records import Record
    from ingest.sources import read

    return tuple(item.paper(paper_id(item)) for item in read(source) if isinstance(item, Record))


class Routed:
    """Several systems as one: each case goes to the system of its dataset, whose library holds its papers."""

    def __init__(self, systems: Mapping[str, System]) -> None:
        self._systems = dict(systems)
        self.name = next(iter(self._systems.values())).name
        self.corpus = Corpus(paper for system in self._systems.values() for paper in system.corpus.papers)

    def respond(self, case: Case) -> Response:
        """The response of the dataset's system."""
        return self._systems[case.dataset].respond(case)

    def provenance(self) -> dict[str, str]:
        """What the systems share, with the digest of all corpora together."""
        found: dict[str, str] = {}
        for system in self._systems.values():
            found.update(system.provenance())
        return {**found, "corpus": self.corpus.digest}


def route(datasets: Mapping[str, Path], make: Callable[[Any], System], root: Path | None = None) -> System:
    """`make` applied to the library of each dataset's corpus; datasets of one corpus share a system."""
    by_corpus: dict[Path, System] = {}
    for corpus in datasets.values():
        if corpus not in by_corpus:
            by_corpus[corpus] = make(library_for(corpus, root))
    if len(by_corpus) == 1:
        return next(iter(by_corpus.values()))
    return Routed({dataset: by_corpus[corpus] for dataset, corpus in datasets.items()})
