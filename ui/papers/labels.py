"""Names for groups of papers: the words that tell a group from the others (class-based tf-idf, Grootendorst 2022)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from assistant.cleaning import clean
from assistant.papers import Paper
from assistant.terms import STOP_WORDS

_WORD: Final = re.compile(r"[^\W\d_][^\W_]*(?:-[^\W_]+)*")
_TITLE: Final = 3  # a word of a title counts as so many of an abstract
_TERMS: Final = 3
# Words of any abstract: they tell how papers are written, not what they are about.
_WRITING: Final = """
    ability able achieve achieves across additionally aim aims analysis approach approaches article assess
    associated based better case compared conclusion conclusions data dataset datasets demonstrate demonstrates
    despite different due effect effects effective efficient enable enables existing experiments finding findings
    first framework furthermore given group groups high however identify identified importance important improve
    improved improves including increase increased introduce introduces known large leading level levels like low
    lower make many method methods model models new novel number objective obtained one paper papers patient
    patients performance performed possible potential present presented presents previous problem process propose
    proposed proposes provide provides recent recently related report reported research result results review role
    second set several show showed shown shows significant significantly similar single state-of-the-art studies
    study suggest suggests system systems task tasks three time towards two type types understanding used various
    way well whether work years arxiv abstract background conclude conducted evaluate evaluated evaluation
    information key language long often outperforms processing range strong term trained training use specific
    found higher observed respectively total versus among control controls changes change factor factors
    human humans mechanism mechanisms response responses function functions activity risk treatment"""
_OF_PAPERS: Final = frozenset(_WRITING.split())


def labels(papers: Sequence[Paper], member: Sequence[int], groups: int) -> tuple[str, ...]:
    """A label for each group, its most telling terms first; `member[i]` is the group of `papers[i]`."""
    counts = [Counter[str]() for _ in range(groups)]
    written: Counter[tuple[str, str]] = Counter()
    for paper, group in zip(papers, member, strict=True):
        for text, weight in ((paper.title, _TITLE), (paper.abstract, 1)):
            for term, surface in _terms(clean(text).text):
                counts[group][term] += weight
                written[term, surface] += 1
    overall = sum(counts, Counter[str]())
    mean = sum(overall.values()) / max(groups, 1)
    surfaces: dict[str, str] = {}
    for (term, surface), _ in sorted(written.items(), key=lambda item: (-item[1], item[0])):
        surfaces.setdefault(term, surface)
    return tuple(_label(count, overall, mean, surfaces) for count in counts)


def _label(count: Counter[str], overall: Counter[str], mean: float, surfaces: dict[str, str]) -> str:
    total = max(sum(count.values()), 1)
    floor = 2 if total > 200 else 1
    scores = {
        term: (n / total) * math.log(1 + mean / overall[term]) * (1.5 if " " in term else 1.0)
        for term, n in count.items()
        if n > floor
    }
    chosen: list[str] = []
    taken: set[str] = set()
    for term in sorted(scores, key=lambda term: (-scores[term], term)):
        words = {_root(word) for word in re.split(r"[ -]", term)}
        if not words & taken:
            chosen.append(surfaces[term])
            taken |= words
        if len(chosen) == _TERMS:
            break
    return ", ".join(chosen) or "other"


def _root(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def _terms(text: str) -> Iterable[tuple[str, str]]:
    """Words and pairs of neighbours, folded, each as written."""
    before: tuple[str, str, int] | None = None
    for found in _WORD.finditer(text):
        surface = found.group()
        folded = surface.casefold()
        if folded in STOP_WORDS or folded in _OF_PAPERS or len(folded) < 3:
            before = None
            continue
        yield folded, surface
        if before is not None and text[before[2] : found.start()] == " ":
            yield f"{before[0]} {folded}", f"{before[1]} {surface}"
        before = folded, surface, found.end()
