"""Chroma, behind a port of four calls; the only module that imports chromadb.

Chroma gets our vectors and ids and nothing else: no documents, no metadata, no embedding function (its default
downloads a model, and one stored on a server could be made to run code in the client).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from assistant.embedding.vectors import Vectors
from assistant.errors import LibraryError
from assistant.storage.chroma_server import ChromaServer

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_COLLECTION = "ibid"
_TIMEOUT_S = 60.0  # for a server's answer; Chroma's client would wait for ever
_BATCH = 2_000  # Chroma refuses more than 5,461 at once
_HNSW = {
    "space": "cosine",
    "max_neighbors": 32,  # costs no more insertion time than 16 (1.8 s of CPU for 8,000 vectors)
    "ef_construction": 100,
    "ef_search": 200,  # of at least the 100 neighbours that a search asks for; cannot be changed later (chroma #2176)
}


class VectorIndex:
    """Passage vectors by passage id in one Chroma collection, with cosine as similarity. Not for a second writer."""

    def __init__(
        self, client: ClientAPI, collection: str, mode: Literal["create", "open"], server: ChromaServer | None = None
    ) -> None:
        """Use `embedded` or `on`."""
        self._client: Any = client  # ClientAPI leaves out `close`, which every client has
        self._server = server
        self._held = 0  # at least so many were there when last counted, which at 100,000 takes longer than a query
        with _translated(server):
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
            try:
                client = chromadb.PersistentClient(str(folder), settings=_settings())
            except BaseException:
                _forget_unstarted(folder)
                raise
        try:
            return cls(client, _COLLECTION, mode)
        except LibraryError:
            client.close()  # type: ignore[attr-defined]  # as in `__init__`
            raise

    @classmethod
    def on(cls, server: ChromaServer, collection: str, mode: Literal["create", "open"]) -> VectorIndex:
        """A collection of a Chroma server. Raises IndexAway when that cannot be used now."""
        client = _http_client(server)
        try:
            return cls(client, collection, mode, server)
        except LibraryError:
            client.close()  # type: ignore[attr-defined]  # as in `__init__`
            raise

    def upsert(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Adds or replaces; any number of rows. An id must not come twice in one call."""
        with _translated(self._server):
            for start in range(0, len(ids), _BATCH):
                chosen = slice(start, start + _BATCH)
                self._collection.upsert(ids=list(ids[chosen]), embeddings=vectors[chosen])

    def delete(self, ids: Sequence[str]) -> None:
        """Unknown ids are fine."""
        self._held = 0
        with _translated(self._server):
            for start in range(0, len(ids), _BATCH):
                self._collection.delete(ids=list(ids[start : start + _BATCH]))

    def query(self, vectors: Vectors, k: int) -> list[list[tuple[str, float]]]:
        """For each row of `vectors` (n, d) about its `k` nearest as (id, cosine), best first, ties by id."""
        if k > self._held:
            self._held = self.count()
        if k < 1 or not self._held:
            return [[] for _ in vectors]
        with _translated(self._server):
            found = self._collection.query(
                query_embeddings=np.atleast_2d(vectors), n_results=min(k, self._held), include=["distances"]
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
        with _translated(self._server):
            return set(self._collection.get(ids=list(ids), include=[])["ids"])

    def count(self) -> int:
        with _translated(self._server):
            return int(self._collection.count())

    def close(self) -> None:
        """Lets go of the files: those of an embedded index are then as they will be found."""
        with _translated(self._server):
            self._client.close()


def _forget_unstarted(folder: Path) -> None:
    """Chromadb 1.5.9 keeps what it could not start, say on a full disk, and gives it to whoever opens that folder next."""
    from chromadb.api.shared_system_client import SharedSystemClient

    if not SharedSystemClient._identifier_to_refcount.get(str(folder)):
        SharedSystemClient._identifier_to_system.pop(str(folder), None)


def drop(server: ChromaServer, collection: str) -> None:
    """Takes a collection off a server; one that is not there is fine."""
    client: Any = _http_client(server)

    from chromadb.errors import NotFoundError

    try:
        with _translated(server), suppress(NotFoundError):
            client.delete_collection(collection)
    finally:
        client.close()


def _http_client(server: ChromaServer) -> ClientAPI:
    server.reach()  # before chromadb is imported, and with patience that has an end

    import chromadb

    settings = _settings()
    settings.chroma_server_host = settings.chroma_server_http_port = None  # of CHROMA_* variables, meant for others
    try:
        client = chromadb.HttpClient(
            host=server.address,  # with scheme, port and path, which `HttpClient` then leaves as they are
            port=server.port,
            ssl=server.secure,
            headers=server.headers,
            settings=settings,
            tenant=server.tenant,
            database=server.database,
        )
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise server.away(f"cannot be used ({reason}); see docs/server-backend.md") from error
    _give_up_in_time(client)
    return client


def _give_up_in_time(client: Any) -> None:
    """Chromadb 1.5.9 has no setting for the time-out of its requests, only the session it keeps."""
    import httpx

    session = getattr(getattr(client, "_server", None), "_session", None)
    if isinstance(session, httpx.Client):
        session.timeout = httpx.Timeout(_TIMEOUT_S, connect=5.0)


def _settings() -> Any:
    from chromadb.config import Settings

    # `_env_file`: Chroma would read any `.env` in the working directory and stumble over keys that are not its own.
    return Settings(anonymized_telemetry=False, _env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own


@contextmanager
def _translated(server: ChromaServer | None = None) -> Iterator[None]:
    """Chroma raises its own errors, ValueError, httpx's of a server, and the Rust core's panics, which derive from
    BaseException."""
    try:
        yield
    except LibraryError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        if server is None:
            raise LibraryError(f"the vector index cannot be used ({reason}); run: ibid rebuild") from error
        if _is_transport(error):
            raise server.away(f"does not answer ({reason}); start it, or unset IBID_CHROMA_URL") from error
        raise LibraryError(
            f"the vector index at {server.url!r} cannot be used ({reason}); run: ibid rebuild"
        ) from error


def _is_transport(error: BaseException) -> bool:
    import httpx

    return isinstance(error, httpx.TransportError)
