"""Words compared by meaning: each word of the claim with the word of the evidence that is used most like it.

The token vectors of the embedding model that ships with Ibid, averaged over a word's pieces. Two words used alike
("patients", "participants") come out near 1; so do opposites, which is what the lexicons are for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assistant.checks.words import Text, read

_REMEMBERED = 1024  # sentences; about 30 kB each


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence read by the model: a unit vector per word of its `Text`, and one of the whole."""

    words: NDArray[np.float32]
    whole: NDArray[np.float32]


@lru_cache(maxsize=_REMEMBERED)
def vectors(raw: str) -> Read:
    """The vectors of a text's words. A word without pieces in the model's window gets zeros."""
    from assistant.embedding import default_embedder

    text = read(raw)
    spans, states = default_embedder().read(raw)
    made = np.zeros((len(text.words), states.shape[1] if len(states) else 384), dtype=np.float32)
    piece = 0
    for index, word in enumerate(text.words):
        while piece < len(spans) and spans[piece].end <= word.start:
            piece += 1
        last = piece
        while last < len(spans) and spans[last].start < word.end:
            last += 1
        if last > piece:
            made[index] = states[piece:last].mean(axis=0)
    whole = states.mean(axis=0) if len(states) else np.zeros(384, dtype=np.float32)
    return Read(_unit(made), _unit(whole[None, :])[0])


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    found: NDArray[np.float32] = rows / np.maximum(lengths, 1e-9)
    return found


def likeness(claim: str, evidence: Sequence[str]) -> NDArray[np.float32]:
    """For each word of the claim, the cosine to the evidence's most similar word; 0 for no evidence."""
    said = vectors(claim).words
    told = [vectors(text).words for text in evidence]
    if not len(said) or not sum(map(len, told)):
        return np.zeros(len(said), dtype=np.float32)
    best: NDArray[np.float32] = np.max(said @ np.concatenate(told).T, axis=1)
    return best


def backward(claim: str, evidence: str) -> float:
    """How much of the evidence's content the claim takes up, by meaning, in [0, 1]."""
    said, told = vectors(claim).words, vectors(evidence).words
    text: Text = read(evidence)
    rows = [index for index, word in enumerate(text.words) if word.content]
    if not len(said) or not rows:
        return 0.0
    return float(np.clip(np.max(told[rows] @ said.T, axis=1).mean(), 0.0, 1.0))


def cosines(claim: str, evidence: Sequence[str]) -> list[float]:
    """Cosine of the claim with each text as a whole."""
    whole = vectors(claim).whole
    return [float(whole @ vectors(text).whole) for text in evidence]
