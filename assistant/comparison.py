"""Which papers a comparison sets side by side."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from assistant import naming
from assistant.evidence import asked_terms, share, telling
from assistant.papers import Paper
from assistant.terms import STOP_WORDS, TermStatistics, terms

_ABOUT = 0.5  # idf share of a side's words that a paper must hold to be about it
_BOTH = 0.95  # idf share of both sides' words that lets one paper stand for both
_RUN = 3  # words with a meaning of their own that a title and a side share in a row, from where on the side names the paper
_DESCRIBED_TITLE = (
    0.55  # idf share of "the … paper" that a title must hold to be meant when it isn't certain that two are compared
)
_DESCRIBED = re.compile(
    r"^(?P<which>.*?)\b(?:papers?|works?|stud(?:y|ies)|surveys?|reviews?|articles?|trials?|reports?)\b(?P<rest>.*)$",
    re.IGNORECASE,
)
_IN_QUOTES = re.compile(r"[\"“”']([^\"“”']{6,})[\"“”']")


@dataclass(frozen=True, slots=True)
class Sides:
    """`papers` has one paper per side, or a single one that tells of both; `missing` is a side without a paper."""

    papers: tuple[Paper, ...]
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class _Pick:
    """The paper that a side means best: how strongly it is named, and the shares of the side's words that it holds."""

    paper: Paper
    strength: float
    held: float
    in_title: float
    its_own: bool  # the name is the paper's own, not the size of a model or a benchmark that it happens to spell so


def sides(
    phrases: Sequence[str], candidates: Sequence[Sequence[Paper]], statistics: TermStatistics, *, sure: bool = True
) -> Sides:
    """Picks a paper per phrase from its own candidates, best first.

    Two papers when the phrases name two; one when no two are named and one paper holds the words of both. With `sure`
    false the phrases may be no sides at all: then two papers that are clearly meant, or none.
    """
    picked = [_pick(phrase, papers, statistics) for phrase, papers in zip(phrases, candidates, strict=True)]
    if not sure:
        clear = all(pick.strength > 0 or pick.in_title >= _DESCRIBED_TITLE for pick in picked)
        return Sides(tuple(p.paper for p in picked) if clear and len({p.paper.id for p in picked}) > 1 else ())
    if alone := _one_for_both(phrases, picked, candidates, statistics):
        return Sides((alone,))
    found = tuple(dict.fromkeys(pick.paper for pick in picked if pick.strength > 0 or pick.held >= _ABOUT))
    lacking = [
        phrase for phrase, pick in zip(phrases, picked, strict=True) if pick.strength == 0 and pick.held < _ABOUT
    ]
    return Sides(found, lacking[0] if lacking else None)


def _one_for_both(
    phrases: Sequence[str],
    picked: Sequence[_Pick],
    candidates: Sequence[Sequence[Paper]],
    statistics: TermStatistics,
) -> Paper | None:
    """The paper that tells of both sides, unless each is a paper of its own by title or description."""
    named = [pick for pick in picked if pick.strength > 0]
    own = [pick for pick in named if pick.its_own]
    if len({pick.paper.id for pick in own}) > 1 or any(_DESCRIBED.match(phrase) for phrase in phrases):
        return None
    if len({pick.paper.id for pick in named}) > 1 and not own:
        return None
    everyone = [pick.paper for pick in own] + [paper for papers in candidates for paper in papers]
    asked = frozenset().union(*(asked_terms(phrase) for phrase in phrases))
    both = [paper for paper in dict.fromkeys(everyone) if share(_held(paper), asked, statistics) >= _BOTH]
    if own:
        both = [paper for paper in both if any(pick.paper.id == paper.id for pick in own)] or (
            both if len({pick.paper.id for pick in named}) < 2 else []
        )
    return both[0] if both else None


def _held(paper: Paper) -> frozenset[str]:
    return frozenset(terms(f"{paper.title} {paper.abstract}"))


def _pick(phrase: str, papers: Sequence[Paper], statistics: TermStatistics) -> _Pick:
    """The paper that the phrase names best, else the one that holds most of its words, in its title above all."""
    rarity = telling(statistics)
    described = _DESCRIBED.match(phrase)
    asked = asked_terms(phrase)
    wanted = asked
    if described and (which := asked_terms(described.group("which"))):
        wanted = which
    picks = []
    for place, paper in enumerate(papers):
        name = naming.named(phrase, paper, rarity)
        strength = name.strength if name else 0.0
        if run := _named_by_title(phrase, paper):
            strength = max(strength, run)
        title = frozenset(terms(paper.title))
        its_own = bool(name and _is_own(name.words, paper)) or bool(run)
        held = share(_held(paper), asked, statistics) if asked else 0.0
        in_title = share(title, wanted, statistics) if described and wanted else 0.0
        picks.append((strength, held + in_title, -place, _Pick(paper, strength, held, in_title, its_own)))
    return max(picks, key=lambda item: item[:3])[3]


def _is_own(words: Collection[str], paper: Paper) -> bool:
    """Whether a name is in the title or, like a coined word but unlike "32B" or "MATH-500", has no digit."""
    title = naming.words(paper.title)
    return any(word in title or not any(c.isdigit() for c in word) for word in words)


def _named_by_title(phrase: str, paper: Paper) -> float:
    """1 when the phrase holds a telling run of the title's words, or in quotation marks words that are all the title's."""
    title = naming.words(paper.title)
    for match in _IN_QUOTES.finditer(phrase):
        quoted = naming.words(match.group(1))
        if len(quoted) >= _RUN and set(quoted) <= set(title):
            return 1.0
    asked = naming.words(phrase)
    for start in range(len(title)):
        for place in range(len(asked)):
            length = 0
            while title[start + length : start + length + 1] == asked[place + length : place + length + 1] != ():
                length += 1
            run = title[start : start + length]
            if sum(len(word) > 1 and word not in STOP_WORDS for word in run) >= _RUN:
                return 1.0
    return 0.0
