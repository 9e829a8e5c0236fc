"""Other embedding models: anything behind LangChain's `Embeddings`, such as an OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from assistant.embedding.vectors import Fingerprint, PassageText, PassageVectors, Vectors, normalise
from assistant.errors import ModelError, ModelMalformed, ModelUnavailable

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

_BATCH = 64  # texts a request; servers commonly refuse thousands
_TIMEOUT_S = 30.0
_RETRIES = 3
_PROBE = "dimension"

T = TypeVar("T")


class AnyEmbeddings:
    """An `Embedder` over a LangChain `Embeddings`. It has no sentence vectors; empty texts are sent as one blank."""

    def __init__(self, embeddings: Embeddings, *, name: str, digest: str = "") -> None:
        """`name` and `digest` (say, address and model) identify the model in a library's fingerprint."""
        self._embeddings = embeddings
        self._name = name
        self._digest = digest

    @cached_property
    def dimension(self) -> int:
        """Discovered by embedding one word, once."""
        return int(self.embed_sentences([_PROBE]).shape[1])

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(
            name=self._name,
            digest=self._digest,
            dimension=self.dimension,
            pooling="the model's own",
            template="{title}\n{text}",
        )

    def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
        """Vectors of passages under their titles; `sentence_vectors` are None."""
        texts = [
            f"{passage.title}\n{passage.text}" if passage.title.strip() else passage.text for passage in passages
        ]
        return [PassageVectors(vector, None) for vector in self.embed_sentences(texts)]

    def embed_query(self, text: str) -> Vectors:
        """Unit vector (d,) by the model's query side, which for some models differs from its document side."""
        (vector,) = self._unit([self._call(lambda: self._embeddings.embed_query(_sendable(text)))], 1)
        return np.asarray(vector, dtype=np.float32)

    def embed_sentences(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (n, d), in requests of at most 64 texts."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        sendable = [_sendable(text) for text in texts]
        batches = [sendable[start : start + _BATCH] for start in range(0, len(sendable), _BATCH)]
        return np.vstack([self._documents(batch) for batch in batches])

    def _documents(self, batch: list[str]) -> Vectors:
        return self._unit(self._call(lambda: self._embeddings.embed_documents(batch)), len(batch))

    def _call(self, request: Callable[[], T]) -> T:
        try:
            return request()
        except ModelError:
            raise
        except Exception as error:  # every client library has its own errors; all mean that no vectors came
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelUnavailable(
                f"embedding model {self._name!r} failed: {reason}; check its address and key"
            ) from error

    def _unit(self, vectors: list[list[float]], expected: int) -> Vectors:
        """Checks that the reply is `expected` finite vectors of one length."""
        try:
            rows = np.asarray(vectors, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ModelMalformed(f"embedding model {self._name!r} sent vectors of different lengths") from error
        if rows.ndim != 2 or len(rows) != expected or not rows.shape[1] or not np.isfinite(rows).all():
            raise ModelMalformed(
                f"embedding model {self._name!r} sent an array of shape {rows.shape} for {expected} texts; "
                "check that it is an embedding model"
            )
        return normalise(rows)


def openai_compatible(base_url: str, model: str, api_key: str = "none") -> AnyEmbeddings:
    """The embedder of a server that speaks OpenAI's `/v1/embeddings`, with a time limit and retries."""
    from langchain_openai import OpenAIEmbeddings
    from pydantic import SecretStr

    embeddings = OpenAIEmbeddings(
        model=model,
        base_url=base_url,
        api_key=SecretStr(api_key),
        check_embedding_ctx_length=False,  # otherwise it counts tokens with a table that it downloads
        timeout=_TIMEOUT_S,
        max_retries=_RETRIES,
        chunk_size=_BATCH,
    )
    return AnyEmbeddings(embeddings, name=model, digest=f"{base_url} {model}")


def _sendable(text: str) -> str:
    """Servers refuse empty texts and JSON cannot carry lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8") if text.strip() else " "
