"""Near misses: sentences that speak of the very thing asked about and leave the answer out, beside some that state it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from assistant.training.grammar import Paper, kinds, slots
from assistant.training.pairs import Pair

_SIZES = ("1.5B", "3B", "7B", "8B", "13B", "14B", "32B", "70B", "72B", "base", "large", "v1", "v2")
_TERMS = (
    "a silent error|the stability gap|reward drift|an orphan token|waywardness|semantic leakage|the echo effect|"
    "label bleeding|a lucky guess|negative interference|answer churn|mode lock"
)


def misses(count: int, seed: int) -> Iterator[Pair]:
    """Pairs over `count` imagined papers, three questions each: stated, left out, and asked of something else."""
    r = random.Random(seed)
    blocks = [kind for kind in kinds("misses.txt").values() if kind.questions]
    for _ in range(count):
        paper = Paper(r)
        paper.values |= {"size1": r.choice(_SIZES), "term": r.choice(_TERMS.split("|"))}
        for kind in r.sample(blocks, 3):
            title = paper.title if r.random() < 0.85 else ""
            template = r.choice(kind.questions)
            question = paper.fill(template)
            if r.random() < 0.7:
                yield Pair(question, title, paper.fill(r.choice(kind.sentences)), 1, kind.name)
            if r.random() < 0.8:
                yield Pair(question, title, paper.fill(r.choice(kind.vague)), 0, "vague " + kind.name)
            if kind.swap and r.random() < 0.7 and "{" + kind.swap + "}" in template:
                known = _SIZES if kind.swap == "size1" else slots()[kind.swap]
                other = r.choice([value for value in known if value not in paper.values.values()])
                asked = paper.fill(template, **{kind.swap: other})
                yield Pair(asked, title, paper.fill(r.choice(kind.sentences)), 0, "swap " + kind.name)
