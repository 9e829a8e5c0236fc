"""Public test doubles: a deterministic embedder that needs no model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from assistant.embedding.vectors import Fingerprint, PassageText, PassageVectors, Vectors, normalise

_WORD = re.compile(r"\w+")


class HashEmbedder:
    """An `Embedder` that adds up one pseudo-random direction per word: texts that share words are close.

    The same text gives the same vector on every machine. `name` goes into the fingerprint.
    """

    def __init__(self, dimension: int = 32, name: str = "hash") -> None:
        self._dimension = dimension
        self._name = name

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self._name, "none", self._dimension, "sum of word hashes", "{title}\n{text}")

    def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
        return [
            PassageVectors(
                self.embed_query(f"{passage.title}\n{passage.text}"),
                self.embed_sentences([passage.text[span.start : span.end] for span in passage.sentences]),
            )
            for passage in passages
        ]

    def embed_query(self, text: str) -> Vectors:
        total = np.zeros(self._dimension, np.float32)
        for word in _WORD.findall(text.casefold()):
            total += self._direction(word)
        return normalise(total)

    def embed_sentences(self, texts: Sequence[str]) -> Vectors:
        rows = [self.embed_query(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self._dimension), np.float32)

    def _direction(self, word: str) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(f"{self._name}:{word}".encode()).digest()[:8], "little")
        return np.random.default_rng(seed).standard_normal(self._dimension).astype(np.float32)
