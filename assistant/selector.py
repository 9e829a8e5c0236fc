"""The answer-sentence selector: which sentences of an abstract answer this question, and does the abstract at all?

A small reader (see models/selector-card.md) that takes the question with the whole abstract at once, so that it can
tell a sentence that names what is asked about from one that states the detail asked for, and knows what the
sentences around it say. Its probabilities serve to pick quotes, to choose between papers and to say that an abstract
does not state the answer.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assistant.embedding.minilm import usable_cores
from assistant.errors import ModelMalformed
from assistant.small_models import SEPARATOR, START, session, tokenizer, tokens

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MODEL_FILE = "selector-int8.onnx"
CALIBRATION_FILE = "selector.json"

Paper: TypeAlias = tuple[str, Sequence[str]]  # title (may be empty) and sentences
WINDOW_TOKENS = 384  # of one window, question and title included; the lengths it was trained at
QUESTION_TOKENS, TITLE_TOKENS, SENTENCE_TOKENS = 40, 32, 120


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader makes of one abstract for one question; all in [0, 1]."""

    sentences: tuple[float, ...]  # probability of each sentence that it answers, in order
    answered: float  # probability that the abstract states the answer; 0 for one without sentences


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling: probability = sigmoid(slope · logit + intercept), fitted on held-out questions."""

    slope: float
    intercept: float

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities of the same shape, in (0, 1), rising with the logits."""
        scaled = np.clip(self.slope * logits.astype(np.float64) + self.intercept, -30.0, 30.0)
        found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-scaled))
        return found


@dataclass(frozen=True, slots=True)
class Calibrations:
    """One scaling for the sentences, one for the abstract as a whole."""

    sentences: Calibration
    answered: Calibration

    @classmethod
    def of(cls, stored: Mapping[str, Mapping[str, float]]) -> Calibrations:
        """From the part `calibration` of the calibration file."""
        sentences, answered = (
            Calibration(float(stored[name]["slope"]), float(stored[name]["intercept"]))
            for name in ("sentences", "answered")
        )
        return cls(sentences, answered)


UNCALIBRATED = Calibrations(Calibration(1.0, 0.0), Calibration(1.0, 0.0))


@dataclass(frozen=True, slots=True)
class Window:
    """A run of a paper's sentences as the model takes it: token ids, segments, and where each sentence's tokens are."""

    ids: list[int]
    types: list[int]
    first: int  # which sentence the run begins with
    spans: list[tuple[int, int]]  # start and end of each sentence's tokens, its [SEP] included


def windows(question: Sequence[int], title: Sequence[int], sentences: Sequence[Sequence[int]]) -> list[Window]:
    """`[CLS] question [SEP] title [SEP]` + `sentence [SEP]` for each sentence that fits; neighbours share a sentence.

    Every sentence is in a window, cut to its limit; no windows for no sentences. A long question keeps its end,
    where what is asked usually stands; an empty title leaves its place out.
    """
    head = [START, *question[-QUESTION_TOKENS:], SEPARATOR]
    if title:
        head += [*title[:TITLE_TOKENS], SEPARATOR]
    found: list[Window] = []
    first = 0
    while first < len(sentences):
        ids = list(head)
        spans: list[tuple[int, int]] = []
        for sentence in sentences[first:]:
            tokens = [*sentence[:SENTENCE_TOKENS], SEPARATOR]
            if spans and len(ids) + len(tokens) > WINDOW_TOKENS:
                break
            spans.append((len(ids), len(ids) + len(tokens)))
            ids += tokens
        found.append(Window(ids, [0] * len(head) + [1] * (len(ids) - len(head)), first, spans))
        if first + len(spans) == len(sentences):
            break
        first += max(1, len(spans) - 1)
    return found


def pooling(spans: Sequence[tuple[int, int]], length: int) -> NDArray[np.float32]:
    """A row per sentence that averages its tokens: (sentences, length)."""
    weights = np.zeros((len(spans), length), dtype=np.float32)
    for row, (start, end) in enumerate(spans):
        weights[row, start:end] = 1.0 / (end - start)
    return weights


@dataclass(frozen=True, slots=True)
class Logits:
    """The model's raw output for one paper: per sentence, and for the whole (-inf without sentences)."""

    sentences: NDArray[np.float32]
    answered: float


class Selector:
    """Reads abstracts for a question. Loads nothing until first used; safe to share between threads.

    Every window is read by itself, so a reading does not depend on what is read with it; threads, not batches, keep
    the cores busy.
    """

    def __init__(self, model: bytes, calibration: Calibrations, threads: int | None = None) -> None:
        """`model` is an ONNX file's content; `threads` windows are read at once, by default one per usable core."""
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
        stored = json.loads((source / CALIBRATION_FILE).read_text(encoding="utf-8"))["calibration"]
        return cls((source / MODEL_FILE).read_bytes(), Calibrations.of(stored), threads)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the model's file, in hexadecimal."""
        return hashlib.sha256(self._model).hexdigest()

    def read(self, question: str, papers: Sequence[Paper]) -> list[Reading]:
        """What each paper (title, sentences) says to the question, in order; empty for no papers."""
        found = []
        for logits in self.logits(question, papers):
            sentences = self._calibration.sentences.probabilities(logits.sentences)
            answered = 0.0
            if len(sentences):
                answered = float(self._calibration.answered.probabilities(np.array([logits.answered], np.float32))[0])
            found.append(Reading(tuple(float(value) for value in sentences), answered))
        return found

    def logits(self, question: str, papers: Sequence[Paper]) -> list[Logits]:
        """The model's raw output per paper; what is in several windows counts by its highest."""
        model, words = self._loaded()

        def run(window: Window) -> tuple[NDArray[np.float32], float]:
            ids, types = (np.array([part], dtype=np.int64) for part in (window.ids, window.types))
            pool = pooling(window.spans, len(window.ids))[None]
            sentences, answered = model.run(None, {"ids": ids, "types": types, "pool": pool})
            return sentences[0], float(answered[0])

        asked = tokens(words, question)
        parts = [
            (paper, window)
            for paper, (title, sentences) in enumerate(papers)
            for window in windows(asked, tokens(words, title), [tokens(words, sentence) for sentence in sentences])
        ]
        found = [np.full(len(sentences), -np.inf, dtype=np.float32) for _, sentences in papers]
        whole = [-np.inf] * len(papers)
        for (paper, window), (sentences, answered) in zip(parts, self._each(run, parts), strict=True):
            if not (np.isfinite(sentences).all() and np.isfinite(answered)):
                raise ModelMalformed(f"the selector gave no number for {question!r}; reinstall Ibid")
            there = found[paper][window.first : window.first + len(window.spans)]
            np.maximum(there, sentences, out=there)
            whole[paper] = max(whole[paper], answered)
        return [Logits(sentences, answered) for sentences, answered in zip(found, whole, strict=True)]

    def _each(
        self, run: Callable[[Window], tuple[NDArray[np.float32], float]], parts: Sequence[tuple[int, Window]]
    ) -> list[tuple[NDArray[np.float32], float]]:
        if self._threads < 2 or len(parts) < 2:
            return [run(window) for _, window in parts]
        longest_first = sorted(range(len(parts)), key=lambda index: -len(parts[index][1].ids))
        with ThreadPoolExecutor(self._threads, thread_name_prefix="ibid-select") as pool:
            results = dict(zip(longest_first, pool.map(run, [parts[i][1] for i in longest_first]), strict=True))
        return [results[index] for index in range(len(parts))]

    def _loaded(self) -> tuple[InferenceSession, Tokenizer]:
        with self._loading:
            if self._session is None or self._tokenizer is None:
                self._session = session(self._model)
                self._tokenizer = tokenizer()
            return self._session, self._tokenizer


@cache
def default_selector() -> Selector:
    """The shipped selector, read from disk once."""
    return Selector.load()
