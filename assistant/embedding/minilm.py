"""all-MiniLM-L6-v2 on onnxruntime: one forward pass gives a passage's vector and those of its sentences."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from assistant.embedding.vectors import Fingerprint, PassageText, PassageVectors, Vectors, normalise
from assistant.papers import Span

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

DIMENSION = 384
MODEL_FILE = "minilm-l6-v2-int8.onnx"
MODEL_SHA256 = "1c13c2f31d3fb659b5055ab6e8964dcef176fd3f2a0f253be8e1359382a704a8"
TOKENIZER_FILE = "minilm-l6-v2-tokenizer.json"
WINDOW = 256  # positions, [CLS] and [SEP] included; the length sentence-transformers runs this model at

_CLS, _SEP = 101, 102  # ids in the BERT vocabulary
_SURROGATES = dict.fromkeys(range(55296, 57344), "�")
_THREADS_LIMIT = 8
_REMEMBERED_QUERIES = 8  # one question is embedded for retrieval and again to measure sentences

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Token ids of a text with the characters `[start, end)` each one stands for, and whether it begins a word."""

    ids: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    words: tuple[int | None, ...]


class MiniLM:
    """The int8 all-MiniLM-L6-v2 inside the package; an `Embedder`.

    Each window of text goes through the model by itself, so a vector does not depend on what is embedded with it;
    threads, not batches, keep the cores busy. Texts longer than the window are cut between sentences or words and
    their windows' token vectors are averaged together. Loads on first use; safe to share between threads.
    """

    def __init__(
        self,
        threads: int | None = None,
        *,
        sentences: Literal["in_context", "alone"] = "in_context",
        model: Path | None = None,
        window: int = WINDOW,
    ) -> None:
        """`threads` texts are embedded at once; by default one per usable core, at most eight. Sentences take their
        vectors from the passage's own pass, or each from a pass `alone`: more exact, at the price of a second pass. `model` is
        another ONNX form of the same network and `window` another length (3 to 512 positions), for experiments."""
        self._sentences = sentences
        self._threads = threads or min(usable_cores(), _THREADS_LIMIT)
        self._model = model
        self._window = window
        self._loading = threading.Lock()
        self._query = lru_cache(_REMEMBERED_QUERIES)(self._embed_text)

    @property
    def dimension(self) -> int:
        return DIMENSION

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(
            name="all-MiniLM-L6-v2-int8",
            digest=MODEL_SHA256 if self._model is None else sha256(self._model.read_bytes()).hexdigest(),
            dimension=DIMENSION,
            pooling=f"mean of token vectors, windows of {self._window}, sentences {self._sentences}",
            template="{title}\n{text}",
        )

    def embed_passages(self, passages: Sequence[PassageText]) -> list[PassageVectors]:
        """Vectors of passages under their titles; sentence vectors come from the same forward pass unless
        asked for `alone`. A sentence without tokens gets its passage's vector."""
        return self._longest_first(self._embed_passage, passages, lambda passage: len(passage.text))

    def embed_query(self, text: str) -> Vectors:
        """Unit vector (384,) of any text, the empty one too; that of a question just asked is remembered."""
        return self._query(text).copy()

    def _embed_text(self, text: str) -> Vectors:
        return normalise(self._sum(self._tokenise(text), ())[0])

    def embed_sentences(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (n, 384), each text on its own."""
        if not texts:
            return np.zeros((0, DIMENSION), dtype=np.float32)
        return np.stack(self._longest_first(self._embed_text, texts, len))

    def read(self, text: str) -> tuple[tuple[Span, ...], Vectors]:
        """The word pieces of a text, as spans, and the vector of each in its context, (n, 384); of the first window."""
        tokens = self._tokenise(text)
        room = self._window - 2
        spans = tuple(Span(start, end) for start, end in zip(tokens.starts[:room], tokens.ends[:room], strict=True))
        return spans, self._run(tokens.ids[:room])[1:-1]

    def token_count(self, text: str) -> int:
        """How many word pieces `text` has for this model, without [CLS] and [SEP]."""
        return len(self._tokenise(text).ids)

    def _embed_passage(self, passage: PassageText) -> PassageVectors:
        prefix = f"{passage.title}\n" if passage.title.strip() else ""
        shift = len(prefix)
        spans = tuple(Span(span.start + shift, span.end + shift) for span in passage.sentences)
        alone = self._sentences == "alone"
        total, sentences = self._sum(self._tokenise(prefix + passage.text), () if alone else spans)
        vector = normalise(total)
        if alone:
            texts = [passage.text[span.start : span.end] for span in passage.sentences]
            own = [self._embed_text(text) for text in texts]
            return PassageVectors(vector, np.stack(own) if own else sentences)
        empty = ~sentences.any(axis=1)
        sentence_vectors = normalise(sentences)
        sentence_vectors[empty] = vector
        return PassageVectors(vector, sentence_vectors)

    def _sum(self, tokens: _Tokens, spans: Sequence[Span]) -> tuple[Vectors, Vectors]:
        """Sums of token vectors over the whole text, (384,), and over each span's own tokens, (n, 384)."""
        starts = np.array(tokens.starts, dtype=np.int64)
        total = np.zeros(DIMENSION, dtype=np.float32)
        sums = np.zeros((len(spans), DIMENSION), dtype=np.float32)
        # A token belongs to the last span that starts at or before it; spans that touch never share a token.
        first = [int(np.searchsorted(starts, span.start, side="left")) for span in spans]
        last = [int(np.searchsorted(starts, span.end, side="left")) for span in spans]
        for begin, end in _windows(tokens, frozenset(first), self._window - 2):
            states = self._run(tokens.ids[begin:end])
            total += states.sum(axis=0)
            for row, (low, high) in enumerate(zip(first, last, strict=True)):
                low, high = max(low, begin), min(high, end)
                if low < high:
                    sums[row] += states[1 + low - begin : 1 + high - begin].sum(axis=0)
        return total, sums

    def _run(self, ids: Sequence[int]) -> Vectors:
        """Token vectors (len(ids) + 2, 384): [CLS], the tokens, [SEP]."""
        window = np.array([[_CLS, *ids, _SEP]], dtype=np.int64)
        states: Vectors = self._session.run(None, {"input_ids": window})[0][0]
        return states

    def _tokenise(self, text: str) -> _Tokens:
        # Lone surrogates cannot be encoded; U+FFFD keeps the offsets and is dropped by the model's own normaliser.
        encoding: Any = self._tokenizer.encode(text.translate(_SURROGATES), add_special_tokens=False)
        offsets = encoding.offsets
        return _Tokens(
            ids=tuple(encoding.ids),
            starts=tuple(start for start, _ in offsets),
            ends=tuple(end for _, end in offsets),
            words=tuple(encoding.word_ids),
        )

    def _longest_first(self, embed: Callable[[T], R], items: Sequence[T], size: Callable[[T], int]) -> list[R]:
        """Results in the order of `items`; the longest are started first so that the threads finish together."""
        if len(items) < 2 or self._threads < 2:
            return [embed(item) for item in items]
        order = sorted(range(len(items)), key=lambda index: -size(items[index]))
        results: dict[int, R] = {}
        with ThreadPoolExecutor(self._threads, thread_name_prefix="ibid-embed") as pool:
            done = pool.map(embed, [items[index] for index in order])
            results.update(zip(order, done, strict=True))
        return [results[index] for index in range(len(items))]

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_buffer((files("assistant.models") / TOKENIZER_FILE).read_bytes())
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    @property
    def _session(self) -> InferenceSession:
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the calling threads are the parallelism
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = (self._model or files("assistant.models") / MODEL_FILE).read_bytes()
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _windows(tokens: _Tokens, sentence_starts: frozenset[int], room: int) -> list[tuple[int, int]]:
    """Token ranges that cover a text in order, each of at most `room` tokens: cut at the last sentence start in
    the second half of the window, else at the last word start, else where the window ends. One range when empty."""
    count = len(tokens.ids)
    ranges: list[tuple[int, int]] = []
    begin = 0
    while count - begin > room:
        limit = begin + room
        candidates = range(limit, begin + room // 2, -1)
        cut = next((index for index in candidates if index in sentence_starts), None)
        if cut is None:
            cut = next((i for i in candidates if tokens.words[i] != tokens.words[i - 1]), limit)
        ranges.append((begin, cut))
        begin = cut
    ranges.append((begin, count))
    return ranges


def usable_cores() -> int:
    """Cores this process may run on; containers and `taskset` narrow them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
