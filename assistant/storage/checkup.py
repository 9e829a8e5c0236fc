"""Run as a program by the health check: opens a vector index and sees whether passages find themselves in it.

Reads a job as JSON from standard input, prints `{"found", "count"}` or `{"error"}`. A process of its own, because what
is asked of a damaged index may never come back.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from assistant.errors import LibraryError
from assistant.storage.chroma_server import ChromaServer

_SAME = 0.999  # cosine of a vector with itself, or with another passage of the same words
_DEPTH = 3


def run(job: dict[str, Any]) -> dict[str, object]:
    """`found`: how many of the job's vectors have themselves, or an equal, among their nearest."""
    from assistant.storage.vector_index import VectorIndex

    server = ChromaServer.from_dict(job["server"])
    try:
        if server is None:
            _check_database(Path(job["folder"]) / "chroma.sqlite3")
            index = VectorIndex.embedded(Path(job["folder"]), "open")
        else:
            index = VectorIndex.on(server, job["collection"], "open")
        ids = job["ids"]
        vectors = np.frombuffer(base64.b64decode(job["vectors"]), "<f4")
        nearest = index.query(vectors.reshape(len(ids), -1), _DEPTH) if ids else []
        found = sum(bool(hits) and hits[0][1] > _SAME for hits in nearest)
        return {"found": found, "count": index.count()}
    except LibraryError as error:
        return {"error": str(error)}


def _check_database(path: Path) -> None:
    if not path.exists():
        raise LibraryError(f"no vector index in {str(path.parent)!r}")
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise LibraryError(f"{path.name} of the vector index is damaged ({error})") from error
    if verdict != "ok":
        raise LibraryError(f"{path.name} of the vector index is damaged ({' '.join(str(verdict).split())[:100]})")


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
