"""The bundled papers as values, for tests of evals that need no library."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from assistant.identity import paper_id
from assistant.papers import Paper
from evals.testing import PaperShelf
from ingest.records import Record
from ingest.sources import read

_DUMP = Path(__file__).parent.parent / "ingest" / "corpus" / "huggingface-papers.txt"


@cache
def bundled_papers() -> tuple[Paper, ...]:
    return tuple(item.paper(paper_id(item)) for item in read(_DUMP) if isinstance(item, Record))


def bundled_shelf() -> PaperShelf:
    return PaperShelf(bundled_papers())
