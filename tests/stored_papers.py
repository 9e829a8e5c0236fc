"""Papers ready to be stored, made up of words so that any two can be told apart by meaning and by words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from assistant.cleaning import embedding_text
from assistant.library import StoredPaper
from assistant.papers import Paper, Passage, Span
from assistant.testing import HashEmbedder

EMBEDDER = HashEmbedder()
_WORDS = [
    a + b for a in ("gra", "lum", "ter", "vos", "qui", "ban", "sel", "dro") for b in ("do", "ni", "ka", "sul", "met")
]


_SYLLABLES = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru")


def own_word(number: int) -> str:
    """A word that only `paper(number)` has; of letters only, as a number in it would be a word of its own."""
    return f"xy{''.join(_SYLLABLES[int(digit)] for digit in str(number))}z"


def paper(number: int, **fields: Any) -> Paper:
    """The paper `title:{number}`: two sentences of pseudo-random words, the first with its own word `own_word(number)`."""
    chance = random.Random(number)
    sentences = [f"{' '.join(chance.choices(_WORDS, k=12))}." for _ in range(2)]
    abstract = fields.pop("abstract", f"{own_word(number)} {' '.join(sentences)}")
    return Paper(
        id=fields.pop("id", f"title:{number}"),
        title=fields.pop("title", f"Paper {number}"),
        abstract=abstract,
        **fields,
    )


def stored(paper: Paper, embedder: HashEmbedder = EMBEDDER, **more: Any) -> StoredPaper:
    """`paper` as one passage per sentence."""
    passages = []
    start = 0
    for ordinal, sentence in enumerate(paper.abstract.split(". ")):
        end = start + len(sentence)
        passages.append(
            Passage(f"{paper.id}#{ordinal}", paper.id, ordinal, start, end, sentence, 12, (Span(start, end),))
        )
        start = end + 2
    vectors = embedder.embed_passages([embedding_text(paper.title, passage) for passage in passages])
    return StoredPaper(paper, tuple(passages), tuple(vectors), **more)


def many(numbers: Sequence[int]) -> list[StoredPaper]:
    return [stored(paper(number)) for number in numbers]


def changed(numbers: Sequence[int]) -> list[StoredPaper]:
    """`many`, each with other sentences after its own word."""
    return [
        stored(paper(number, abstract=f"{own_word(number)} {paper(number + 70_000).abstract}")) for number in numbers
    ]
