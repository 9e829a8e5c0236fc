"""The claim reader: a small cross-encoder that reads a claim beside its evidence and says which of three holds.

Supported, contradicted, or not stated. Trained from MiniLM on claims written by hand over research abstracts and on
public sets (`ibid train verifier`; docs/verifier.md). Its opinion is a feature of the calibrated layer among
others, never a verdict by itself.
"""

from __future__ import annotations

import hashlib
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from assistant.errors import ModelMalformed
from assistant.small_models import SEPARATOR, START, session, tokenizer, tokens

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MODEL_FILE: Final = "verifier-int8.onnx"
CLAIM_TOKENS, TITLE_TOKENS, WINDOW_TOKENS = 64, 32, 192  # the lengths it was trained at
SUPPORTED, CONTRADICTED = "read_supported", "read_contradicted"  # the features: log-odds, within ±_FARTHEST
_FARTHEST: Final = 6.0
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ESCAPED = re.compile(r"\\([%&$#_])")
_REMEMBERED: Final = 4096  # readings kept; a claim is judged several times on its way to an answer


@dataclass(frozen=True, slots=True)
class Reading:
    """Probabilities of the three relations of evidence to claim; they sum to 1."""

    supported: float
    contradicted: float
    unstated: float


def window(claim: Sequence[int], title: Sequence[int], evidence: Sequence[int]) -> tuple[list[int], list[int]]:
    """Token ids and segments of `[CLS] claim [SEP]` + `title [SEP] evidence [SEP]`, each part cut to its limit."""
    first = [START, *claim[:CLAIM_TOKENS], SEPARATOR]
    headed = [*title[:TITLE_TOKENS], SEPARATOR] if title else []
    told = [*headed, *evidence][: WINDOW_TOKENS - len(first) - 1]
    second = [*told, SEPARATOR]
    return [*first, *second], [0] * len(first) + [1] * len(second)


class ClaimReader:
    """Reads claims. Loads nothing until first used; safe to share between threads."""

    def __init__(self, model: bytes) -> None:
        """`model` is an ONNX file's content."""
        self._model = model
        self._lock = threading.Lock()
        self._session: InferenceSession | None = None
        self._tokenizer: Tokenizer | None = None
        self._known: OrderedDict[tuple[str, str, str], Reading] = OrderedDict()

    @classmethod
    def load(cls, folder: Path | None = None) -> ClaimReader:
        """The reader that ships with Ibid, or one that `ibid train verifier` wrote into `folder`."""
        source = files("assistant.models") if folder is None else folder
        return cls((source / MODEL_FILE).read_bytes())

    @cached_property
    def digest(self) -> str:
        """The sha256 of the model's file, in hexadecimal."""
        return hashlib.sha256(self._model).hexdigest()

    def read(self, claim: str, evidence: Sequence[str], title: str = "") -> Reading:
        """What the sentences of `evidence`, taken together, say of `claim`; `title` heads them, empty for none."""
        key = (claim, title, " ".join(evidence))
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
            if self._session is None or self._tokenizer is None:
                self._session, self._tokenizer = session(self._model), tokenizer()
            model, words = self._session, self._tokenizer
        ids, types = window(*(tokens(words, part) for part in key))
        arrays = {"ids": np.array([ids], dtype=np.int64), "types": np.array([types], dtype=np.int64)}
        found = self._reading(np.asarray(model.run(None, arrays)[0][0], dtype=np.float64), claim)
        with self._lock:
            self._known[key] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    @staticmethod
    def _reading(logits: np.ndarray[tuple[int], np.dtype[np.float64]], claim: str) -> Reading:
        if not np.isfinite(logits).all():
            raise ModelMalformed(f"the verifier's model gave no number for {claim[:80]!r}; reinstall ibid-papers")
        powers = np.exp(logits - logits.max())
        supported, contradicted, unstated = (float(value) for value in powers / powers.sum())
        return Reading(supported, contradicted, unstated)


@cache
def default_reader() -> ClaimReader | None:
    """The shipped reader, read from disk once; None where the package has none."""
    try:
        return ClaimReader.load()
    except FileNotFoundError:
        return None


def read(claim: str, title: str, evidence: tuple[str, ...]) -> dict[str, float]:
    """The shipped reader's opinion as features; none where its file is not there."""
    reader = default_reader()
    return opinion(reader, claim, title, evidence) if reader else {}


def opinion(reader: ClaimReader, claim: str, title: str, evidence: Sequence[str]) -> dict[str, float]:
    """What a reader says, as the calibrated layer takes it. Figures are given to it in one spelling."""
    found = reader.read(_spelt(claim), [_spelt(text) for text in evidence], title)
    return {SUPPORTED: _log_odds(found.supported), CONTRADICTED: _log_odds(found.contradicted)}


def _spelt(text: str) -> str:
    return _ESCAPED.sub(r"\1", _THOUSANDS.sub("", text))


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-9), 1.0 - 1e-9)
    return max(-_FARTHEST, min(_FARTHEST, math.log(kept / (1.0 - kept))))
