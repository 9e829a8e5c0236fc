"""Run as a program by a process that found its vector index damaged: rebuilds it while that process goes on answering.

`python -m assistant.storage.mend FOLDER FOUND_SHARE [CHROMA_URL]`; takes the writer lock, so exits with 1 when someone else
writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from assistant.errors import LibraryError
from assistant.storage.database import Database
from assistant.storage.indexes import Indexes
from assistant.storage.lock import WriterLock
from assistant.storage.truth import Truth


def run(folder: Path, found_share: float, url: str | None) -> int:
    """Exit code: 0 rebuilt, 1 not."""
    try:
        database = Database(folder, create=False)
        lock = WriterLock(folder)
        Indexes(folder, Truth(database), lock, read_only=False, chroma_url=url, found_share=found_share).mend()
    except LibraryError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None))
