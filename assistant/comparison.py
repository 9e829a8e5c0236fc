"""Which papers a comparison sets side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant import naming
from assistant.evidence import asked_terms, share, telling
from assistant.papers import Paper
from assistant.terms import TermStatistics, terms

_ABOUT = 0.5  # idf share of a side's words that a paper must hold to be about it
_BOTH = 0.95  # idf share of both sides' words that lets one paper stand for both


@dataclass(frozen=True, slots=True)
class Sides:
    """`papers` has one paper per side, or a single one that tells of both; `missing` is a side without a paper."""

    papers: tuple[Paper, ...]
    missing: str | None = None


def sides(phrases: Sequence[str], candidates: Sequence[Sequence[Paper]], statistics: TermStatistics) -> Sides:
    """Picks a paper per phrase from its own candidates, best first.

    Two papers when the phrases name two; one when no two are named and one paper holds the words of both.
    """
    picked = [_pick(phrase, papers, statistics) for phrase, papers in zip(phrases, candidates, strict=True)]
    named = [paper for paper, strength, _ in picked if strength > 0]
    if len({paper.id for paper in named}) < 2:
        everyone = list(dict.fromkeys(paper for papers in candidates for paper in papers))
        asked = frozenset().union(*(asked_terms(phrase) for phrase in phrases))
        both = [paper for paper in everyone if share(_held(paper), asked, statistics) >= _BOTH]
        if both:
            return Sides((next((paper for paper in named if paper in both), both[0]),))
    found = tuple(dict.fromkeys(paper for paper, strength, held in picked if strength > 0 or held >= _ABOUT))
    lacking = [
        phrase for phrase, (_, strength, held) in zip(phrases, picked, strict=True) if strength == 0 and held < _ABOUT
    ]
    return Sides(found, lacking[0] if lacking else None)


def _held(paper: Paper) -> frozenset[str]:
    return frozenset(terms(f"{paper.title} {paper.abstract}"))


def _pick(phrase: str, papers: Sequence[Paper], statistics: TermStatistics) -> tuple[Paper, float, float]:
    """The paper that the phrase names best, else the one that holds most of its words; its strength and share."""
    rarity = telling(statistics)
    asked = asked_terms(phrase)
    measured = []
    for place, paper in enumerate(papers):
        name = naming.named(phrase, paper, rarity)
        strength = name.strength if name else 0.0
        measured.append((strength, share(_held(paper), asked, statistics) if asked else 0.0, -place, paper))
    strength, held, _, paper = max(measured, key=lambda item: item[:3])
    return paper, strength, held
