"""What the selector is trained on: which pairs, how many of each, in which stage, and what is held out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.training import details, grammar, misses
from assistant.training.pairs import (
    HELD_OUT,
    Abstract,
    Pair,
    abstracts,
    claims,
    conclusions,
    general,
    held_out,
    thinned,
)

ANSWER_SENTENCES = Path("training/answer_sentences.jsonl")
PUBMEDQA = Path("datasets/pubmedqa")
SCIFACT = Path("datasets/scifact")


@dataclass(frozen=True, slots=True)
class Mixture:
    """Three stages of training pairs, and the pairs kept back by source name."""

    general: list[Pair]
    abstracts: list[Pair]
    near_misses: list[Pair]
    kept_back: dict[str, list[Pair]]


def mixture(data: Path, *, imagined: int = 900, real: int = 9000, replayed: int = 3000, seed: int = 1) -> Mixture:
    """Assemble the pairs from the folder `data` (its README names the sets).

    First general questions over Wikipedia and PubMedQA's title questions, then abstracts: imagined papers, patterns
    over SciFact's abstracts, its training claims, and some of the first stage again so that it is not forgotten.
    Last near misses, with a little of everything else drawn anew.
    """
    wikipedia, wikipedia_test = general(data / ANSWER_SENTENCES, 2, seed)
    titles, titles_test = conclusions(data / PUBMEDQA, seed)
    rationales, rationales_test = claims(data / SCIFACT / "grounding.jsonl", seed)
    papers, papers_test = _split(abstracts(data / SCIFACT))
    asked = list(details.asked(papers, seed))
    right = thinned((pair for pair in asked if pair.label), real // 2, seed)
    wrong = thinned((pair for pair in asked if not pair.label), max(0, real - len(right)), seed)
    second = [
        *grammar.imagined(imagined, seed),
        *right,
        *wrong,
        *(pair for pair in rationales if pair.label),
        *thinned((pair for pair in rationales if not pair.label), 1500, seed),
        *thinned(wikipedia + titles, replayed, seed),
    ]
    third = [
        *misses.misses(700, seed),
        *grammar.imagined(120, seed + 1),
        *_balanced(details.asked(papers, seed + 1), 1600, seed + 1),
        *(pair for pair in rationales if pair.label),
        *thinned((pair for pair in rationales if not pair.label), 300, seed + 1),
        *thinned(wikipedia + titles, 700, seed + 1),
    ]
    kept = {
        "wikipedia": wikipedia_test,
        "pubmedqa": titles_test,
        "scifact": rationales_test,
        "details": thinned(details.asked(papers_test, seed), 1500, seed),
    }
    return Mixture(wikipedia + titles, second, third, kept)


def _balanced(pairs: Iterable[Pair], count: int, seed: int) -> list[Pair]:
    """At most `count` pairs, half of them positive."""
    everything = list(pairs)
    right = thinned((pair for pair in everything if pair.label), count // 2, seed)
    return right + thinned((pair for pair in everything if not pair.label), count // 2, seed)


def _split(papers: Sequence[Abstract]) -> tuple[list[Abstract], list[Abstract]]:
    test = [paper for paper in papers if held_out(paper.id, HELD_OUT)]
    return [paper for paper in papers if not held_out(paper.id, HELD_OUT)], test
