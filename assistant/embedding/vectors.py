"""What an embedder takes and gives: texts in, unit vectors out, and the compact forms in which vectors are stored."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assistant.errors import LibraryError
from assistant.papers import Span

Vectors: TypeAlias = NDArray[np.float32]

_SCALE_BYTES = 2  # a float16 scale in front of each int8 row
_INT8_LIMIT = 127
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What must be equal for vectors to be comparable; a library keeps the one that its vectors were made with."""

    name: str
    digest: str  # sha256 of the model file; the address and model name for a remote model
    dimension: int
    pooling: str
    template: str
    chunker: str = ""

    def apart_from(self, other: Fingerprint) -> str:
        """The name, and where `other` has the same name, the first thing by which they differ."""
        if self.name != other.name:
            return repr(self.name)
        for part, mine in asdict(self).items():
            if mine != getattr(other, part):
                shown = mine[:8] if part == "digest" and _SHA256.fullmatch(mine) else mine
                return f"{self.name!r} ({part} {shown})"
        return repr(self.name)

    def to_json(self) -> str:
        """One line with sorted keys: equal fingerprints give equal text."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Fingerprint:
        """Inverse of `to_json`. Raises LibraryError for anything else."""
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError) as error:
            raise LibraryError(f"unreadable embedder fingerprint {text[:80]!r}; run: ibid doctor") from error


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage to embed. `sentences` are spans into `text`, in order."""

    title: str
    text: str
    sentences: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """Unit vectors of one passage: `vector` (d,), `sentence_vectors` (n, d) or None when the embedder has none."""

    vector: Vectors
    sentence_vectors: Vectors | None


class Embedder(Protocol):
    """Turns texts into float32 unit vectors. The same text gives the same vector whatever it is embedded with."""

    @property
    def dimension(self) -> int: ...

    @property
    def fingerprint(self) -> Fingerprint: ...

    def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
        """Any number of passages; one result each, in order."""
        ...

    def embed_query(self, text: str) -> Vectors:
        """Shape (d,). Any text will do, the empty one too."""
        ...

    def embed_sentences(self, texts: Sequence[str]) -> Vectors:
        """Shape (n, d): each text on its own."""
        ...


def normalise(vectors: Vectors) -> Vectors:
    """Rows of length 1 in float32. A row that is zero or not finite becomes the first unit vector."""
    rows = np.atleast_2d(np.asarray(vectors, dtype=np.float64))
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    usable = np.isfinite(lengths) & (lengths > 0)
    unit = np.zeros_like(rows)
    unit[:, 0] = 1.0
    np.divide(rows, lengths, out=unit, where=usable)
    return unit.astype(np.float32).reshape(np.shape(vectors))


def pack(vectors: Vectors) -> bytes:
    """Unit vectors (n, d) as n rows of a float16 scale and d int8: a quarter of float32, cosine to it above .9998."""
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.size == 0:
        return b""
    scales = (np.abs(rows).max(axis=1, keepdims=True) / _INT8_LIMIT).astype("<f2")
    steps = np.maximum(scales.astype(np.float32), np.finfo(np.float32).tiny)
    values = np.clip(np.rint(rows / steps), -_INT8_LIMIT, _INT8_LIMIT).astype(np.int8)
    return np.hstack([scales.view(np.uint8).reshape(len(rows), _SCALE_BYTES), values.view(np.uint8)]).tobytes()


def unpack(packed: bytes, dimension: int) -> Vectors:
    """Inverse of `pack` up to rounding: (n, dimension) unit vectors. Raises LibraryError if the size is wrong."""
    width = _SCALE_BYTES + dimension
    if len(packed) % width:
        raise LibraryError(
            f"{len(packed)} bytes are not sentence vectors of dimension {dimension}; run: ibid rebuild"
        )
    rows = np.frombuffer(packed, dtype=np.uint8).reshape(-1, width)
    # The scale has no effect on direction; it is kept so that packed rows can also be read as they are.
    return normalise(rows[:, _SCALE_BYTES:].copy().view(np.int8).astype(np.float32))


def pack_half(vectors: Vectors) -> bytes:
    """Vectors as little-endian float16: half of float32, cosine to it above .999999."""
    return np.ascontiguousarray(vectors, dtype="<f2").tobytes()


def unpack_half(packed: bytes, dimension: int) -> Vectors:
    """Inverse of `pack_half` up to rounding: (n, dimension) unit vectors. Raises LibraryError if the size is wrong."""
    if len(packed) % (2 * dimension):
        raise LibraryError(f"{len(packed)} bytes are not vectors of dimension {dimension}; run: ibid rebuild")
    return normalise(np.frombuffer(packed, dtype="<f2").reshape(-1, dimension).astype(np.float32))
