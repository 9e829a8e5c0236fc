"""Chroma, behind a port of four calls; the only module that imports chromadb.

Chroma gets our vectors and ids and nothing else: no documents, no metadata, no embedding function (its default
downloads a model, and one stored on a server could be made to run code in the client).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import numpy as np

from assistant.embedding.vectors import Vectors
from assistant.errors import LibraryError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_COLLECTION = "ibid"
_BATCH = 2_000  # Chroma refuses more than 5,461 at once
_HNSW = {
    "space": "cosine",
    "max_neighbors": 32,  # costs no more insertion time than 16 (1.8 s of CPU for 8,000 vectors)
    "ef_construction": 100,
    "ef_search": 200,  # of at least the 100 neighbours that a search asks for; cannot be changed later (chroma #2176)
}


class VectorIndex:
    """Passage vectors by passage id in one Chroma collection, with cosine as similarity. Not for a second writer."""

    def __init__(self, client: ClientAPI, collection: str, mode: Literal["create", "open"]) -> None:
        """Use `embedded` or `server`."""
        self._client: Any = client  # ClientAPI leaves out `close`, which every client has
        with _translated():
            # Told not to make an embedding function, for creating and for opening alike.
            if mode == "create":
                configuration: Any = {"hnsw": _HNSW}
                self._collection = client.get_or_create_collection(
                    collection, embedding_function=None, configuration=configuration
                )
            else:
                self._collection = client.get_collection(collection, embedding_function=None)

    @classmethod
    def embedded(cls, folder: Path, mode: Literal["create", "open"]) -> VectorIndex:
        """Chroma inside this process, its files in `folder`."""
        import chromadb

        with _translated():
            client = chromadb.PersistentClient(str(folder), settings=_settings())
        return cls(client, _COLLECTION, mode)

    @classmethod
    def server(cls, url: str, collection: str, mode: Literal["create", "open"]) -> VectorIndex:
        """A collection of a Chroma server."""
        return cls(_http_client(url), collection, mode)

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Adds or replaces; any number of rows. An id must not come twice in one call."""
        with _translated():
            for start in range(0, len(ids), _BATCH):
                chosen = slice(start, start + _BATCH)
                self._collection.upsert(ids=list(ids[chosen]), embeddings=vectors[chosen])

    def delete(self, ids: Sequence[str]) -> None:
        """Unknown ids are fine."""
        with _translated():
            for start in range(0, len(ids), _BATCH):
                self._collection.delete(ids=list(ids[start : start + _BATCH]))

    def query(self, vectors: Vectors, k: int) -> list[list[tuple[str, float]]]:
        """For each row of `vectors` (n, d) about its `k` nearest as (id, cosine), best first, ties by id."""
        if k < 1 or not self.count():
            return [[] for _ in vectors]
        with _translated():
            found = self._collection.query(
                query_embeddings=np.atleast_2d(vectors), n_results=min(k, self.count()), include=["distances"]
            )
        rows = zip(found["ids"], found["distances"] or [], strict=True)
        return [
            sorted(
                ((id_, 1.0 - float(d)) for id_, d in zip(ids, row, strict=True)), key=lambda hit: (-hit[1], hit[0])
            )
            for ids, row in rows
        ]

    def present(self, ids: Collection[str]) -> set[str]:
        """Those of `ids` that are stored; says nothing about whether a search can reach them."""
        with _translated():
            return set(self._collection.get(ids=list(ids), include=[])["ids"])

    def count(self) -> int:
        with _translated():
            return int(self._collection.count())

    def close(self) -> None:
        """Lets go of the files: those of an embedded index are then as they will be found."""
        with _translated():
            self._client.close()


def drop(url: str, collection: str) -> None:
    """Takes a collection off a server; one that is not there is fine."""
    client = _http_client(url)
    with _translated():
        if collection in {found.name for found in client.list_collections()}:
            client.delete_collection(collection)


def _http_client(url: str) -> ClientAPI:
    import chromadb

    parts = urlsplit(url)
    secure = parts.scheme == "https"
    with _translated(url):
        return chromadb.HttpClient(
            host=parts.hostname or "localhost",
            port=parts.port or (443 if secure else 8000),
            ssl=secure,
            settings=_settings(),
        )


def _settings() -> Any:
    from chromadb.config import Settings

    # `_env_file`: Chroma would read any `.env` in the working directory and stumble over keys that are not its own.
    return Settings(anonymized_telemetry=False, _env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own


@contextmanager
def _translated(where: str = "") -> Iterator[None]:
    """Chroma raises its own errors, ValueError, and the Rust core's panics, which derive from BaseException."""
    try:
        yield
    except LibraryError:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            reason = " ".join(str(error).split())[:200]
            at = f" at {where!r}" if where else ""
            raise LibraryError(f"the vector index{at} cannot be used ({reason}); run: ibid rebuild") from error
        raise
