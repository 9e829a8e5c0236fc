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
_BLOCK = 4096  # rows unpacked at once
_CODE_ZERO = 15  # of codes of five bits, 0 … 30
_LOW_BITS = 15  # of a code, kept in half a byte; the fifth bits stand together behind them
_CODED_SHARE = 0.88  # of the greatest component, beyond which all get the same code
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
    width = packed_width(dimension)
    if len(packed) % width:
        raise LibraryError(f"{len(packed)} bytes are not vectors of dimension {dimension}; run: ibid doctor")
    rows = np.frombuffer(packed, dtype=np.int8).reshape(-1, width)
    unpacked = np.empty((len(rows), dimension), np.float32)
    for start in range(0, len(rows), _BLOCK):  # so that what is made on the way stays small beside the result
        block = slice(start, start + _BLOCK)
        # The scale has no effect on direction; it is kept so that packed rows can also be read as they are.
        unpacked[block] = normalise(rows[block, _SCALE_BYTES:].astype(np.float32))
    return unpacked


def packed_width(dimension: int) -> int:
    """Bytes that `pack` makes of one vector."""
    return _SCALE_BYTES + dimension


def packed_dimension(width: int) -> int:
    """Inverse of `packed_width`."""
    return width - _SCALE_BYTES


def pack_beside(rows: Vectors, near: Vectors) -> NDArray[np.uint8]:
    """Unit vectors (n, d), each told from the unit vector in the same row of `near`: (n, `beside_width(d)`) bytes.

    A row becomes `share * near` and a rest: two float16 and five bits a component, cosine to it above .999. Sentences
    have a cosine of .89 to their passage, so that five bits for the rest are as good as six for the whole of them.
    """
    rows, near = np.asarray(rows, np.float32), np.asarray(near, np.float32)
    shares = (rows * near).sum(axis=1, keepdims=True).astype("<f2")
    codes, steps = _coded(rows - shares.astype(np.float32) * near)
    low, high = codes & _LOW_BITS, codes > _LOW_BITS
    if codes.shape[1] % 2:
        low = np.hstack([low, np.zeros((len(low), 1), np.uint8)])
    halves = low[:, 0::2] | (low[:, 1::2] << 4)
    return np.hstack([shares.view(np.uint8), steps.view(np.uint8), halves, np.packbits(high, axis=1)])


def unpack_beside(packed: bytes, near: Vectors) -> Vectors:
    """Inverse of `pack_beside` up to rounding: unit vectors, one for each row of `near`. Raises LibraryError."""
    dimension = near.shape[1]
    width, halves_end = beside_width(dimension), 2 * _SCALE_BYTES + (dimension + 1) // 2
    if len(packed) != width * len(near):
        raise LibraryError(f"{len(packed)} bytes are not {len(near)} sentence vectors; run: ibid doctor")
    rows = np.frombuffer(packed, np.uint8).reshape(-1, width)
    shares, steps = (rows[:, at : at + 2].copy().view("<f2").astype(np.float32) for at in (0, _SCALE_BYTES))
    halves = rows[:, 2 * _SCALE_BYTES : halves_end]
    low = np.stack([halves & _LOW_BITS, halves >> 4], axis=2).reshape(len(rows), -1)[:, :dimension]
    high = np.unpackbits(rows[:, halves_end:], axis=1, count=dimension)
    return normalise(shares * near + steps * ((low | high << 4).astype(np.float32) - _CODE_ZERO))


def beside_width(dimension: int) -> int:
    """Bytes that `pack_beside` makes of one vector."""
    return 2 * _SCALE_BYTES + (dimension + 1) // 2 + (dimension + 7) // 8


def _coded(left: Vectors) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Codes (n, d) and steps (n, 1) such that `step * (code - _CODE_ZERO)` is near `left`."""
    most = np.abs(left).max(axis=1, keepdims=True, initial=0.0)
    width = np.maximum(most * (_CODED_SHARE / _CODE_ZERO), np.finfo(np.float32).tiny)
    levels = np.rint(left / width).clip(-_CODE_ZERO, _CODE_ZERO)
    squares = np.maximum((levels * levels).sum(axis=1, keepdims=True), 1.0)
    steps = (left * levels).sum(axis=1, keepdims=True) / squares  # which loses least with these levels
    return (levels + _CODE_ZERO).astype(np.uint8), steps.astype("<f2")


def pack_half(vectors: Vectors) -> bytes:
    """Vectors as little-endian float16: half of float32, cosine to it above .999999."""
    return np.ascontiguousarray(vectors, dtype="<f2").tobytes()


def unpack_half(packed: bytes, dimension: int) -> Vectors:
    """Inverse of `pack_half` up to rounding: (n, dimension) unit vectors. Raises LibraryError if the size is wrong."""
    if len(packed) % (2 * dimension):
        raise LibraryError(f"{len(packed)} bytes are not vectors of dimension {dimension}; run: ibid rebuild")
    return normalise(np.frombuffer(packed, dtype="<f2").reshape(-1, dimension).astype(np.float32))
