"""Embedding: unit vectors that depend on their own text only, sentence vectors, windows, packing, other models."""

from __future__ import annotations

import hashlib
import socket
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from langchain_core.embeddings import Embeddings

from assistant.embedding import (
    AnyEmbeddings,
    Embedder,
    Fingerprint,
    MiniLM,
    PassageText,
    default_embedder,
    normalise,
    openai_compatible,
    pack,
    pack_half,
    unpack,
    unpack_half,
)
from assistant.embedding.minilm import MODEL_FILE, MODEL_SHA256, TOKENIZER_FILE, WINDOW, _Tokens, _windows
from assistant.embedding.vectors import beside_width, pack_beside, unpack_beside
from assistant.errors import LibraryError, ModelMalformed, ModelUnavailable
from assistant.papers import Span

FIRST = "Sparse attention reduces the cost of long contexts."
SECOND = "We evaluate it on eleven summarization datasets."
ABSTRACT = f"{FIRST} {SECOND}"
SPANS = (Span(0, len(FIRST)), Span(len(FIRST) + 1, len(ABSTRACT)))
PASSAGES = [
    PassageText("Sparse attention", ABSTRACT, SPANS),
    PassageText("", "A short one.", (Span(0, 12),)),
    PassageText("Protein folding", "Proteins fold. " * 60, tuple(Span(15 * n, 15 * n + 14) for n in range(60))),
]


@pytest.fixture(scope="module")
def embedder() -> MiniLM:
    return default_embedder()


def test_the_shipped_files_are_the_recorded_ones() -> None:
    folder = files("assistant") / "models"
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert hashlib.sha256((folder / MODEL_FILE).read_bytes()).hexdigest() == MODEL_SHA256
    assert MODEL_SHA256 in card
    assert hashlib.sha256((folder / TOKENIZER_FILE).read_bytes()).hexdigest() in card


def test_vectors_are_of_unit_length_and_float32(embedder: MiniLM) -> None:
    for passage, vectors in zip(PASSAGES, embedder.embed_passages(PASSAGES), strict=True):
        assert vectors.vector.shape == (embedder.dimension,)
        assert vectors.vector.dtype == np.float32
        assert vectors.sentence_vectors is not None
        assert vectors.sentence_vectors.shape == (len(passage.sentences), embedder.dimension)
        lengths = np.linalg.norm(np.vstack([vectors.vector, vectors.sentence_vectors]), axis=1)
        assert lengths == pytest.approx(1.0, abs=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours(embedder: MiniLM) -> None:
    together = embedder.embed_passages(PASSAGES)
    for passage, expected in zip(PASSAGES, together, strict=True):
        (alone,) = MiniLM(threads=1).embed_passages([passage])
        assert np.array_equal(alone.vector, expected.vector)
        assert np.array_equal(alone.sentence_vectors, expected.sentence_vectors)


def test_queries_and_sentences_are_embedded_alike(embedder: MiniLM) -> None:
    texts = [FIRST, SECOND, ""]
    assert np.array_equal(embedder.embed_sentences(texts), np.stack([embedder.embed_query(text) for text in texts]))
    assert embedder.embed_sentences([]).shape == (0, embedder.dimension)
    assert embedder.embed_passages([]) == []


def test_meaning_brings_vectors_together(embedder: MiniLM) -> None:
    question = embedder.embed_query("How can attention over long documents be made cheaper?")
    (passage, _, proteins) = embedder.embed_passages(PASSAGES)
    assert question @ passage.vector > question @ proteins.vector + 0.2
    assert passage.sentence_vectors is not None
    costs, datasets = passage.sentence_vectors @ question
    assert costs > datasets


def test_one_sentence_over_the_whole_text_is_close_to_its_passage(embedder: MiniLM) -> None:
    (vectors,) = embedder.embed_passages([PassageText("", ABSTRACT, (Span(0, len(ABSTRACT)),))])
    assert vectors.sentence_vectors is not None
    assert vectors.vector @ vectors.sentence_vectors[0] > 0.97  # they differ by [CLS] and [SEP]


def test_a_title_counts(embedder: MiniLM) -> None:
    untitled, titled = embedder.embed_passages([PassageText("", ABSTRACT, SPANS), PASSAGES[0]])
    assert not np.array_equal(untitled.vector, titled.vector)
    blank = embedder.embed_passages([PassageText("  ", ABSTRACT, SPANS)])[0]
    assert np.array_equal(untitled.vector, blank.vector)


def test_a_sentence_without_tokens_gets_its_passages_vector(embedder: MiniLM) -> None:
    (vectors,) = embedder.embed_passages([PassageText("", "Some words \x00\x00", (Span(0, 10), Span(11, 13)))])
    assert vectors.sentence_vectors is not None
    assert np.array_equal(vectors.sentence_vectors[1], vectors.vector)


def test_sentences_can_be_embedded_alone(embedder: MiniLM) -> None:
    alone = MiniLM(sentences="alone")
    found, bare = alone.embed_passages([PASSAGES[0], PassageText("", ABSTRACT)])
    assert np.array_equal(found.sentence_vectors, embedder.embed_sentences([FIRST, SECOND]))
    assert np.array_equal(found.vector, embedder.embed_passages(PASSAGES[:1])[0].vector)
    assert bare.sentence_vectors is not None
    assert bare.sentence_vectors.shape == (0, 384)
    assert alone.fingerprint != embedder.fingerprint


def test_nothing_of_a_long_text_is_cut(embedder: MiniLM) -> None:
    filler = "The weather was mild and the harbour was calm. " * 60
    plain = embedder.embed_passages([PassageText("", filler)])[0].vector
    ending = filler + "Mitochondria regulate apoptosis in neurons. " * 12
    assert embedder.token_count(filler) > WINDOW
    longer = embedder.embed_passages([PassageText("", ending)])[0].vector
    question = embedder.embed_query("mitochondria and apoptosis")
    assert question @ longer > question @ plain + 0.1


def test_sentences_beyond_the_window_have_their_own_vectors(embedder: MiniLM) -> None:
    filler = "The weather was mild and the harbour was calm. " * 60
    last = "Mitochondria regulate apoptosis in neurons."
    spans = (Span(0, 46), Span(len(filler), len(filler) + len(last)))
    (vectors,) = embedder.embed_passages([PassageText("", filler + last, spans)])
    assert vectors.sentence_vectors is not None
    weather, cells = vectors.sentence_vectors @ embedder.embed_query("apoptosis")
    assert cells > weather + 0.2


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "😀",
        "\x00",
        "\ud800",
        "a\udfffb",
        "word " * 5000,
        "x" * 20_000,
        "数据" * 300,
        "def f(x):\n\treturn x**2",
    ],
)
def test_any_text_gives_a_finite_unit_vector(embedder: MiniLM, text: str) -> None:
    vector = embedder.embed_query(text)
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 6), max_size=80), st.integers(2, 12), st.sets(st.integers(0, 200), max_size=40))
def test_windows_cover_every_token_once(words: list[int], room: int, starts: set[int]) -> None:
    numbers = tuple(word for word, length in enumerate(words) for _ in range(length))
    tokens = _Tokens(numbers, numbers, numbers, numbers)
    ranges = _windows(tokens, frozenset(starts), room)
    covered = [index for begin, end in ranges for index in range(begin, end)]
    assert covered == list(range(len(numbers)))
    assert all(end - begin <= room for begin, end in ranges)


def test_windows_prefer_sentence_then_word_starts() -> None:
    tokens = _Tokens((0,) * 10, (0,) * 10, (0,) * 10, (0, 0, 0, 0, 1, 1, 2, 2, 2, 2))
    assert _windows(tokens, frozenset({5}), 6) == [(0, 5), (5, 10)]
    assert _windows(tokens, frozenset(), 7) == [(0, 6), (6, 10)]


def test_no_socket_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert MiniLM().embed_query("offline").shape == (384,)


def test_the_fingerprint_names_the_model_file(embedder: MiniLM, tmp_path: Path) -> None:
    fingerprint = embedder.fingerprint
    assert fingerprint.digest == MODEL_SHA256
    assert Fingerprint.from_json(fingerprint.to_json()) == fingerprint
    other = tmp_path / "other.onnx"
    other.write_bytes(b"another model")
    assert MiniLM(model=other).fingerprint != fingerprint
    with pytest.raises(LibraryError):
        Fingerprint.from_json('{"name": "x"}')


ROWS = npst.arrays(np.float32, (3, 384), elements=st.floats(-1, 1, width=32))


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_packed_vectors_keep_their_direction(rows: np.ndarray) -> None:
    unit = normalise(rows)
    assert (unpack(pack(unit), 384) * unit).sum(axis=1) == pytest.approx(1.0, abs=1e-3)
    assert (unpack_half(pack_half(unit), 384) * unit).sum(axis=1) == pytest.approx(1.0, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(ROWS, ROWS, st.sampled_from([384, 383, 33, 1]))
def test_vectors_told_beside_others_keep_their_direction(rows: np.ndarray, near: np.ndarray, dimension: int) -> None:
    unit, beside = normalise(rows[:, :dimension]), normalise(near[:, :dimension])
    packed = pack_beside(unit, beside)
    assert packed.shape == (3, beside_width(dimension))
    assert (unpack_beside(packed.tobytes(), beside) * unit).sum(axis=1) == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(unpack_beside(pack_beside(beside, beside).tobytes(), beside), beside, atol=1e-6)


def test_real_vectors_lose_almost_nothing_by_packing(embedder: MiniLM) -> None:
    vectors = embedder.embed_sentences([FIRST, SECOND, "A third one."])
    assert ((unpack(pack(vectors), 384) * vectors).sum(axis=1) > 0.9999).all()
    assert len(pack(vectors)) == 3 * 386
    assert unpack(pack(vectors[:0]), 384).shape == (0, 384)
    passage = np.repeat(normalise(vectors.mean(axis=0))[None], 3, axis=0)
    told = pack_beside(vectors, passage)
    assert ((unpack_beside(told.tobytes(), passage) * vectors).sum(axis=1) > 0.997).all()
    assert told.shape == (3, 244)
    with pytest.raises(LibraryError):
        unpack_beside(b"123", passage)
    for read in (unpack, unpack_half):
        with pytest.raises(LibraryError):
            read(b"123", 384)


def test_normalise_gives_unit_vectors_whatever_comes() -> None:
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]], dtype=np.float32)
    assert normalise(rows).tolist() == [pytest.approx([0.6, 0.8]), [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
    assert normalise(rows[0]).shape == (2,)


class Letters(Embeddings):
    """Counts letters a to e: a deterministic stand-in for a remote model; fails or misbehaves on request."""

    def __init__(self, failure: str = "") -> None:
        self.failure = failure
        self.batches: list[int] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if self.failure == "raise":
            raise ConnectionError("connection\nrefused")
        self.batches.append(len(texts))
        rows = [[1.0 + text.count(letter) for letter in "abcde"] for text in texts]
        return rows[1:] if self.failure == "short" else rows

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def test_any_embeddings_can_take_the_place_of_minilm() -> None:
    model = Letters()
    other: Embedder = AnyEmbeddings(model, name="letters", digest="local")
    assert other.dimension == 5
    assert other.fingerprint.dimension == 5
    texts = ["abc" * (n % 7) for n in range(150)]
    vectors = other.embed_passages([PassageText("", text, (Span(0, 1),)) for text in texts])
    assert max(model.batches) <= 64
    assert all(found.sentence_vectors is None for found in vectors)
    assert np.array_equal(vectors[1].vector, other.embed_query("abc"))
    assert np.linalg.norm(other.embed_sentences(texts), axis=1) == pytest.approx(1.0, abs=1e-5)
    assert other.embed_sentences([]).shape == (0, 5)
    assert np.isfinite(other.embed_query("\ud800")).all()


def test_failures_of_other_models_are_ours() -> None:
    with pytest.raises(ModelUnavailable, match="connection refused"):
        AnyEmbeddings(Letters("raise"), name="letters").embed_query("a")
    with pytest.raises(ModelMalformed, match="shape"):
        AnyEmbeddings(Letters("short"), name="letters").embed_sentences(["a", "b"])


def test_an_openai_compatible_embedder_is_built_without_a_call() -> None:
    embedder = openai_compatible("http://127.0.0.1:9/v1", "some-model")
    assert isinstance(embedder, AnyEmbeddings)
