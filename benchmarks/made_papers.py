"""Papers for libraries of any size: sentences of the bundled abstracts recombined and varied, vectors mixed.

Nothing is embedded. Authors, venues and categories are drawn so that few are common and most rare. A part of the words is replaced by made-up ones, drawn so that a few are common and most are
rare, as in real text: else all papers would share their words and every cache would hold every sentence.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.embedding import PassageVectors
from assistant.papers import Paper, Passage, Span

if TYPE_CHECKING:
    from assistant.embedding.vectors import Vectors
    from assistant.library import Library, StoredPaper

_MADE = "title:made-"
_REPLACED = 0.2  # of the words
_VOCABULARY = 30_000
_SENTENCES = (4, 9)  # fewest and most of a paper
_NOISE = 0.03  # standard deviation per dimension: cosine of about .9 to the sentence varied
_AUTHORS = 40_000
_VENUES = 400
_CATEGORIES = 60
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


def stored_papers(library: Library, count: int, first: int = 0) -> Iterator[StoredPaper]:
    """Papers number `first` to `first + count`, made from those of `library` that are not made themselves."""
    from assistant.library import StoredPaper

    sentences, vectors = _sentences(library)
    about = islice(_surroundings(), first, None)
    for number, (title, chosen, texts) in enumerate(islice(varied(sentences), first, first + count), first):
        spans, position = [], 0
        for text in texts:
            spans.append(Span(position, position + len(text)))
            position += len(text) + 1
        abstract = " ".join(texts)
        paper = Paper(id=f"{_MADE}{number}", title=title, abstract=abstract, year=2000 + number % 25, **next(about))
        passage = Passage(f"{paper.id}#0", paper.id, 0, 0, len(abstract), abstract, len(abstract) // 4, tuple(spans))
        noise = np.random.default_rng((1, number))
        own = vectors[chosen] + noise.normal(0, _NOISE, (len(chosen), vectors.shape[1])).astype(np.float32)
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        whole = own.mean(axis=0)
        yield StoredPaper(paper, (passage,), (PassageVectors(whole / np.linalg.norm(whole), own),))


def _surroundings(seed: int = 2) -> Iterator[dict[str, Any]]:
    """Authors, venue and category of papers, without end."""
    chance = random.Random(seed)
    of = {
        count: list(accumulate(1 / rank for rank in range(1, count + 1)))
        for count in (_AUTHORS, _VENUES, _CATEGORIES)
    }

    def drawn(count: int, times: int = 1) -> list[int]:
        return chance.choices(range(count), cum_weights=of[count], k=times)

    while True:
        authors = dict.fromkeys(drawn(_AUTHORS, chance.randint(1, 7)))
        yield {
            "authors": tuple(f"{_word(number % 2000).title()} {_word(number).title()}" for number in authors),
            "venue": f"Journal of {_word(drawn(_VENUES)[0]).title()}",
            "categories": tuple(f"{_word(number)}.xx" for number in dict.fromkeys(drawn(_CATEGORIES, 2))),
            "source": f"part-{drawn(_CATEGORIES)[0]}.jsonl",
        }


def _sentences(library: Library) -> tuple[list[str], Vectors]:
    texts: list[str] = []
    rows = []
    for paper in library.papers():
        if paper.id.startswith(_MADE):
            break  # they come after all others
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
