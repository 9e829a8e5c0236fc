"""The answer-sentence selector: does this sentence, of a paper with this title, answer this question?

A small cross-encoder (see models/selector-card.md) that reads question, title and sentence together, so that it can
tell a sentence that names what is asked about from one that states the detail asked for. Its probability serves to
pick quotes, to rerank and, when no sentence of a paper gets a high one, to say that the abstract does not state it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assistant.embedding.minilm import TOKENIZER_FILE, usable_cores
from assistant.errors import InputError, ModelMalformed

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MODEL_FILE = "selector-int8.onnx"
CALIBRATION_FILE = "selector.json"

Pair: TypeAlias = tuple[list[int], list[int]]  # token ids and their segments, of one length
_START, _SEPARATOR = 101, 102  # [CLS] and [SEP] of the BERT vocabulary
QUESTION_TOKENS, TITLE_TOKENS, SENTENCE_TOKENS = 40, 20, 72  # the lengths it was trained at
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_LONGEST_TEXT = 4000  # characters of a part that are tokenised; far beyond the token limits


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling: probability = sigmoid(slope · logit + intercept), fitted on held-out pairs."""

    slope: float
    intercept: float

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities of the same shape, in (0, 1), rising with the logits."""
        scaled = np.clip(self.slope * logits.astype(np.float64) + self.intercept, -30.0, 30.0)
        found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-scaled))
        return found


def pack(question: Sequence[int], title: Sequence[int], sentence: Sequence[int]) -> Pair:
    """Token ids and segments of `[CLS] question [SEP] title [SEP]` + `sentence [SEP]`, each part within its limit.

    A long question keeps its end, where what is asked usually stands; an empty title leaves its place out.
    """
    first = [_START, *question[-QUESTION_TOKENS:], _SEPARATOR]
    if title:
        first += [*title[:TITLE_TOKENS], _SEPARATOR]
    second = [*sentence[:SENTENCE_TOKENS], _SEPARATOR]
    return first + second, [0] * len(first) + [1] * len(second)


class Selector:
    """Scores sentences for a question. Loads nothing until first used; safe to share between threads.

    Every pair is read by itself, so a score does not depend on what is scored with it; threads, not batches, keep
    the cores busy.
    """

    def __init__(self, model: bytes, calibration: Calibration, threads: int | None = None) -> None:
        """`model` is an ONNX file's content; `threads` pairs are read at once, by default one per usable core."""
        self._model = model
        self._calibration = calibration
        self._threads = threads or min(usable_cores(), 8)
        self._loading = threading.Lock()
        self._session: InferenceSession | None = None
        self._tokenizer: Tokenizer | None = None

    @classmethod
    def load(cls, folder: Path | None = None, *, threads: int | None = None) -> Selector:
        """The selector that ships with Ibid, or one that `ibid train selector` wrote into `folder`."""
        source = files("assistant.models") if folder is None else folder
        fitted = json.loads((source / CALIBRATION_FILE).read_text(encoding="utf-8"))["calibration"]
        calibration = Calibration(float(fitted["slope"]), float(fitted["intercept"]))
        return cls((source / MODEL_FILE).read_bytes(), calibration, threads)

    def scores(self, question: str, sentences: Sequence[str], titles: Sequence[str] | str = "") -> list[float]:
        """For each sentence the probability in (0, 1) that it answers `question`, in order; empty for none.

        `titles` are those of the sentences' papers, or one title for all; an empty title is allowed.
        """
        if not sentences:
            return []
        each = [titles] * len(sentences) if isinstance(titles, str) else list(titles)
        if len(each) != len(sentences):
            raise InputError(f"{len(each)} titles for {len(sentences)} sentences: give one each, or a single title")
        return [float(value) for value in self._calibration.probabilities(self.logits(question, sentences, each))]

    def logits(self, question: str, sentences: Sequence[str], titles: Sequence[str]) -> NDArray[np.float32]:
        """The model's raw output per sentence."""
        session, tokenizer = self._loaded()

        def tokens(text: str) -> list[int]:
            clean = text[:_LONGEST_TEXT].translate(_SURROGATES)
            ids: list[int] = tokenizer.encode(clean, add_special_tokens=False).ids
            return ids

        asked = tokens(question)
        known = {title: tokens(title) for title in set(titles)}
        pairs = [pack(asked, known[title], tokens(text)) for title, text in zip(titles, sentences, strict=True)]

        def read(pair: Pair) -> float:
            ids, types = (np.array([part], dtype=np.int64) for part in pair)
            return float(session.run(None, {"ids": ids, "types": types, "mask": np.ones_like(ids)})[0][0])

        found = np.array(self._each(read, pairs), dtype=np.float32)
        if not np.isfinite(found).all():
            raise ModelMalformed(f"the selector gave {found.tolist()!r} for {question!r}; reinstall Ibid")
        return found

    def _each(self, read: Callable[[Pair], float], pairs: Sequence[Pair]) -> list[float]:
        if self._threads < 2 or len(pairs) < 2:
            return [read(pair) for pair in pairs]
        longest_first = sorted(range(len(pairs)), key=lambda index: -len(pairs[index][0]))
        with ThreadPoolExecutor(self._threads, thread_name_prefix="ibid-select") as pool:
            results = dict(zip(longest_first, pool.map(read, [pairs[i] for i in longest_first]), strict=True))
        return [results[index] for index in range(len(pairs))]

    def _loaded(self) -> tuple[InferenceSession, Tokenizer]:
        with self._loading:
            if self._session is None or self._tokenizer is None:
                self._session = _session(self._model)
                self._tokenizer = _tokenizer()
            return self._session, self._tokenizer


def _session(model: bytes) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the calling threads are the parallelism
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _tokenizer() -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer((files("assistant.models") / TOKENIZER_FILE).read_bytes())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@cache
def default_selector() -> Selector:
    """The shipped selector, read from disk once."""
    return Selector.load()
