"""Run as a program by a process that found its vector index damaged: rebuilds it while that process goes on answering.

`python -m assistant.storage.mend FOLDER FOUND_SHARE` with the Chroma server as JSON, or null, on standard input; takes
the writer lock, so exits with 1 when someone else writes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from assistant.errors import LibraryError
from assistant.storage.chroma_server import ChromaServer
from assistant.storage.database import Database
from assistant.storage.indexes import Indexes
from assistant.storage.lock import WriterLock
from assistant.storage.truth import Truth


def run(folder: Path, found_share: float, server: ChromaServer | None) -> int:
    """Exit code: 0 rebuilt, 1 not."""
    try:
        database = Database(folder, create=False)
        lock = WriterLock(folder)
        Indexes(folder, Truth(database), lock, read_only=False, chroma=server, found_share=found_share).mend()
    except LibraryError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), float(sys.argv[2]), ChromaServer.from_dict(json.load(sys.stdin))))
