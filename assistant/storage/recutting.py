"""Passages cut anew where another version of the chunker cut them: paper by paper, each whole at every moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from assistant.chunking import CHUNKER_VERSION, passages
from assistant.cleaning import embedding_text
from assistant.embedding.vectors import Fingerprint
from assistant.storage.database import Database
from assistant.storage.dialect import replacing
from assistant.storage.schema import meta
from assistant.storage.truth import FINGERPRINT, StoredPaper, Truth

if TYPE_CHECKING:
    from assistant.embedding import Embedder
    from assistant.papers import Paper

_BATCH: Final = 64  # papers of one transaction


def recut(database: Database, truth: Truth, embedder: Embedder) -> int:
    """In a library that another chunker cut, or nobody knows which: cuts again every paper whose passages are not what
    the chunker makes of it, embeds and stores those; gives how many. At the end the library says who cut it.

    The vectors must come from `embedder`; the caller holds the writer lock. Killed, it goes on where it was: papers
    that are as they should be are passed over.
    """
    done = 0
    stored = truth.fingerprint()
    if stored and Fingerprint.from_json(stored).chunker == CHUNKER_VERSION:
        return done
    fingerprint = replace(embedder.fingerprint, chunker=CHUNKER_VERSION).to_json()
    papers = truth.papers()
    while batch := list(islice(papers, _BATCH)):
        stale = [paper for paper in batch if passages(paper) != truth.passages(paper.id)]
        if stale:
            truth.write(list(_stored(stale, embedder)), fingerprint)
            done += len(stale)
    with database.write() as connection:
        connection.execute(replacing(meta, "key", key=FINGERPRINT, value=fingerprint))
    return done


def _stored(papers: Sequence[Paper], embedder: Embedder) -> Iterator[StoredPaper]:
    cut = {paper.id: passages(paper) for paper in papers}
    texts = [embedding_text(paper.title, passage) for paper in papers for passage in cut[paper.id]]
    vectors = iter(embedder.embed_passages(texts) if texts else [])
    for paper in papers:
        yield StoredPaper(paper, cut[paper.id], tuple(islice(vectors, len(cut[paper.id]))))
