"""What the stages before the written questions are trained on, and how much of each."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from pathlib import Path

from assistant.training.documents import (
    Document,
    asked_elsewhere,
    claims,
    conclusions,
    cropped,
    held_out,
    wikipedia,
)
from assistant.training.pairs import Pair, general_pairs, titled

ANSWER_SENTENCES = Path("training/answer_sentences.jsonl")
PUBMEDQA = Path("datasets/pubmedqa")
CLAIMS = Path("datasets/scifact/grounding.jsonl")


def single(data: Path, seed: int) -> list[Pair]:
    """Question and sentence by themselves: Wikipedia, and PubMedQA's title questions."""
    return general_pairs(data / ANSWER_SENTENCES, 2, seed) + titled(data / PUBMEDQA, seed)


def general(data: Path, seed: int, evaluated: Collection[str] = ()) -> list[Document]:
    """Human-labelled questions over Wikipedia, PubMedQA's and SciFact's; those kept back are left out.

    `evaluated`: keys of the titles of abstracts that the evaluation is over.
    """
    generator = random.Random(seed)
    paragraphs = wikipedia(data / ANSWER_SENTENCES, seed)
    own = [
        *_thinned([document for document in paragraphs if document.origin == "selqa"], 1300, generator),
        *_thinned([document for document in paragraphs if document.origin == "qnli"], 500, generator),
        *conclusions(data / PUBMEDQA, seed),
        *claims(data / CLAIMS, seed, evaluated),
    ]
    kept = [document for document in own if not held_out(document.question)]
    away = asked_elsewhere(_thinned(kept, 300, generator), seed)
    return [cropped(document, generator) if generator.random() < 0.4 else document for document in kept + away]


def _thinned(documents: Sequence[Document], count: int, generator: random.Random) -> list[Document]:
    return generator.sample(list(documents), min(count, len(documents)))
