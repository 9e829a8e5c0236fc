"""Papers for libraries of any size: sentences of the bundled abstracts recombined and varied, vectors mixed.

Nothing is embedded. A part of the words is replaced by made-up ones, drawn so that a few are common and most are
rare, as in real text: else all papers would share their words and every cache would hold every sentence.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from assistant.embedding import PassageVectors
from assistant.papers import Paper, Passage, Span

if TYPE_CHECKING:
    from assistant.embedding.vectors import Vectors
    from assistant.library import Library, StoredPaper

_REPLACED = 0.2  # of the words
_VOCABULARY = 30_000
_SENTENCES = (4, 9)  # fewest and most of a paper
_NOISE = 0.03  # standard deviation per dimension: cosine of about .9 to the sentence varied
_SYLLABLES = [consonant + vowel for consonant in "bdgklmnrst" for vowel in "ao"]


def varied(sentences: list[str], seed: int = 1) -> Iterator[tuple[str, list[int], list[str]]]:
    """Title, numbers of the sentences used, and their varied texts, without end; the same for the same seed."""
    chance = random.Random(seed)
    words = [_word(number) for number in range(_VOCABULARY)]
    weights = list(accumulate(1 / rank for rank in range(1, _VOCABULARY + 1)))
    while True:
        chosen = chance.sample(range(len(sentences)), chance.randint(*_SENTENCES))
        texts = []
        for number in chosen:
            tokens = sentences[number].split(" ")
            new = chance.choices(words, cum_weights=weights, k=len(tokens))
            texts.append(" ".join(n if chance.random() < _REPLACED else t for t, n in zip(tokens, new, strict=True)))
        yield " ".join(texts[0].split(" ")[:9]).rstrip(".,;:"), chosen, texts


def stored_papers(library: Library, count: int) -> Iterator[StoredPaper]:
    """`count` papers made from those that `library` holds."""
    from assistant.library import StoredPaper

    sentences, vectors = _sentences(library)
    noise = np.random.default_rng(1)
    for (title, chosen, texts), number in zip(varied(sentences), range(count), strict=False):
        spans, position = [], 0
        for text in texts:
            spans.append(Span(position, position + len(text)))
            position += len(text) + 1
        abstract = " ".join(texts)
        paper = Paper(id=f"title:made-{number}", title=title, abstract=abstract, year=2000 + number % 25)
        passage = Passage(f"{paper.id}#0", paper.id, 0, 0, len(abstract), abstract, len(abstract) // 4, tuple(spans))
        own = vectors[chosen] + noise.normal(0, _NOISE, (len(chosen), vectors.shape[1])).astype(np.float32)
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        whole = own.mean(axis=0)
        yield StoredPaper(paper, (passage,), (PassageVectors(whole / np.linalg.norm(whole), own),))


def _sentences(library: Library) -> tuple[list[str], Vectors]:
    texts: list[str] = []
    rows = []
    for paper in list(library.papers()):
        for passage in library.passages(paper.id):
            texts += [paper.abstract[span.start : span.end] for span in passage.sentences]
            rows.append(library.sentence_vectors([passage.id])[passage.id])
    return texts, np.concatenate(rows)


def _word(number: int) -> str:
    """A pronounceable word, another one for each number."""
    number += len(_SYLLABLES) ** 2
    parts = []
    while number:
        number, digit = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[digit])
    return "".join(parts)
