"""Imagined abstracts with near misses: sentences that speak of the very thing asked about and leave the answer out."""

from __future__ import annotations

import random
from collections.abc import Iterator

from assistant.training.documents import Document
from assistant.training.grammar import Kind, Paper, kinds, slots

_SIZES = ("1.5B", "3B", "7B", "8B", "13B", "14B", "32B", "70B", "72B", "base", "large", "v1", "v2")
_TERMS = (
    "a silent error|the stability gap|reward drift|an orphan token|waywardness|semantic leakage|the echo effect|"
    "label bleeding|a lucky guess|negative interference|answer churn|mode lock"
)
_AROUND = (
    "filler",
    "problem",
    "proposal",
    "filler",
)  # kinds of the grammar that answer none of the questions asked here


def imagined(count: int, seed: int) -> Iterator[Document]:
    """Two or three questions on each of `count` imagined papers: stated, left out, or asked of something else."""
    r = random.Random(seed)
    blocks = [kind for kind in kinds("misses.txt").values() if kind.questions and kind.sentences and kind.vague]
    for _ in range(count):
        paper = Paper(r)
        paper.values |= {"size1": r.choice(_SIZES), "term": r.choice(_TERMS.split("|"))}
        told = {kind.name: r.random() < 0.5 for kind in r.sample(blocks, 4)}
        lines = [
            (name, paper.fill(r.choice(kind.sentences if told[name] else kind.vague)))
            for name, kind in ((name, kinds("misses.txt")[name]) for name in told)
        ]
        around = r.sample(_AROUND, r.randint(2, 3))
        lines += [("", paper.fill(r.choice(kinds()[name].sentences))) for name in around]
        r.shuffle(lines)
        title = paper.title if r.random() < 0.9 else ""
        for name in r.sample(sorted(told), 2):
            yield from _asked(paper, title, kinds("misses.txt")[name], told[name], lines, r)


def _asked(
    paper: Paper, title: str, kind: Kind, told: bool, lines: list[tuple[str, str]], r: random.Random
) -> Iterator[Document]:
    template = r.choice(kind.questions)
    sentences = tuple(text for _, text in lines)
    right = frozenset(index for index, (name, _) in enumerate(lines) if told and name == kind.name)
    question = paper.fill(template)
    yield Document(
        question.lower() if r.random() < 0.1 else question, title, sentences, right, told, f"imagined {kind.name}"
    )
    if told and kind.swap and "{" + kind.swap + "}" in template:
        known = _SIZES if kind.swap == "size1" else slots()[kind.swap]
        other = r.choice([value for value in known if value not in paper.values.values()])
        asked = paper.fill(template, **{kind.swap: other})
        yield Document(asked, title, sentences, frozenset(), False, "imagined, another")
