"""Embedding: the model shipped with Ibid, any other behind LangChain's `Embeddings`, and how vectors are stored."""

from __future__ import annotations

from functools import cache

from assistant.embedding.minilm import MiniLM
from assistant.embedding.remote import AnyEmbeddings, openai_compatible
from assistant.embedding.vectors import (
    Embedder,
    Fingerprint,
    PassageText,
    PassageVectors,
    Vectors,
    normalise,
    pack,
    pack_half,
    unpack,
    unpack_half,
)

__all__ = [
    "AnyEmbeddings",
    "Embedder",
    "Fingerprint",
    "MiniLM",
    "PassageText",
    "PassageVectors",
    "Vectors",
    "default_embedder",
    "normalise",
    "openai_compatible",
    "pack",
    "pack_half",
    "unpack",
    "unpack_half",
]


@cache
def default_embedder() -> MiniLM:
    """The process's shared MiniLM; its model is loaded on first use."""
    return MiniLM()
