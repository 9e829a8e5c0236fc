"""Which papers belong to a list: every paper that fits what is asked, and none that merely shares a word with it.

Measured per word of the question rather than per term, so that "multi-armed" is one word, not three; words that only
frame a list ("every", "deal with") don't count; and a name counts only when it is spelt as a name, so that papers that
"aim" at something are no papers on AIME.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import pairwise

from assistant.evidence import Evidence, PaperEvidence, asked_terms
from assistant.naming import fold
from assistant.papers import Paper
from assistant.terms import TermStatistics, terms

# Words that ask for a list and say nothing of what it should hold; stemmed like any term.
_FRAME = frozenset(
    terms(
        "every each all any deal deals dealing look looking ask asks search searching work works working cover covering concern "
        "concerning address addressing relate related consider focus topic subject involve contain include including one "
        "ones mention mentions talk talks discuss investigate examine explore apply employ based own here there please many "
        "several give gives come comes recommend suggest other another more most method methods approach approaches technique "
        "techniques issue question questions kind area field literature reading read link links url"
    )
)
_TOKEN = re.compile(r"[^\W_]+(?:[-'.@+^/&][^\W_]+)*", re.UNICODE)
_DOMAIN = re.compile(r"\.(?:com|org|net|io|edu)$", re.IGNORECASE)
_PARTS = re.compile(r"[-'.@+^/&]")
_OR = re.compile(r"([^\W_]+(?:[-'.@+^/&][^\W_]+)*)\s+(?:and/)?or\s+([^\W_]+(?:[-'.@+^/&][^\W_]+)*)", re.IGNORECASE)
_EITHER = re.compile(r"\bor\b|\band/or\b|,(?=[^,]*\bor\b)|;", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the question: the sets of terms any of which stands for it, and its weight (summed idf at most once)."""

    text: str
    forms: tuple[frozenset[str], ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is of: its words, the same by alternatives ("this or that"), and those spelt as names."""

    words: tuple[Word, ...]
    either: tuple[tuple[Word, ...], ...]
    names: tuple[str, ...]


def wanted(question: str, statistics: TermStatistics) -> Wanted:
    """Reads the words of a question that tell papers apart."""
    words = _either_of(_words(question, statistics), question)
    either = tuple(found for part in _EITHER.split(question) if (found := _words(part, statistics)))
    return Wanted(words, either or (words,), _names(question))


def _words(text: str, statistics: TermStatistics) -> tuple[Word, ...]:
    counted = asked_terms(text) - _FRAME
    found: dict[str, Word] = {}
    for match in _TOKEN.finditer(text):
        token = match.group()
        own = [term for term in terms(_DOMAIN.sub("", token)) if term in counted]
        if not own or token.casefold() in found:
            continue
        whole, *parts = own
        forms = (frozenset({whole}), frozenset(parts)) if len(set(parts)) > 1 else (frozenset({whole}),)
        weight = max(statistics.idf(term) for term in own[1:] or own)
        found[token.casefold()] = Word(token, forms, weight)
    return tuple(found.values())


def _either_of(words: tuple[Word, ...], question: str) -> tuple[Word, ...]:
    """The words with those on both sides of an "or" made one, as either will do: "continual or lifelong learning"."""
    found = list(words)
    for match in _OR.finditer(question):
        pair = [word for word in found if word.text.casefold() in (match[1].casefold(), match[2].casefold())]
        if len(pair) == 2:
            one = Word(pair[0].text, pair[0].forms + pair[1].forms, max(word.weight for word in pair))
            found[found.index(pair[0])] = one
            found.remove(pair[1])
    return tuple(found)


def _pairs(texts: Iterable[str]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for text in texts for pair in pairwise(terms(text)))


def _names(question: str) -> tuple[str, ...]:
    """Words spelt as names are: a capital or digit beyond the first letter, or a capital inside the question."""
    if question.isupper():
        return ()
    names = []
    for token in (part for match in _TOKEN.finditer(question) for part in match.group().split("-")):
        inner = any(c.isupper() or c.isdigit() for c in token[1:]) and not token.isdigit()
        if len(token) > 1 and inner and any(c.isupper() for c in token):
            names.append(token)
    return tuple(dict.fromkeys(names))


def share(words: Sequence[Word], held: Iterable[str]) -> float:
    """Weighted share of the words that a text with these terms holds; 1 when nothing is asked."""
    own = frozenset(held)
    total = sum(word.weight for word in words)
    return sum(word.weight for word in words if any(form <= own for form in word.forms)) / total if total else 1.0


@lru_cache(maxsize=4096)
def _spelt(paper: Paper) -> frozenset[str]:
    """The words of title and abstract spelt with a capital or digit, folded, whole and in parts."""
    found = set()
    for match in _TOKEN.finditer(f"{paper.title} {paper.abstract}"):
        for part in (match.group(), *_PARTS.split(match.group())):
            if any(c.isupper() or c.isdigit() for c in part):
                found.add(fold(part))
    return frozenset(found)


def _is_named(name: str, spelt: frozenset[str]) -> bool:
    key = fold(name)
    return key in spelt or any(word.startswith(key) and not word[len(key) :].strip("s0123456789") for word in spelt)


@dataclass(frozen=True, slots=True)
class Fit:
    """Measures of one paper against the list asked for."""

    cosine: float  # of the question and its best sentence
    second_cosine: float  # its second best
    passage_cosine: float
    all_words: float  # share of the words in title and abstract
    either: float  # of the best held alternative
    in_title: float
    in_sentence: float  # best sentence, best alternative
    often: float  # share of its sentences that hold half of what the best holds
    names_lacking: float  # share of the names that it lacks
    apart: float  # share of the adjacent pairs of asked terms that aren't adjacent in it
    behind_cosine: float  # ≤ 0, to the best of the papers
    behind_words: float
    behind_sentence: float
    nearness: float  # 1 / (1 + rank in the retriever's ranking)


def measure(evidence: Evidence) -> list[tuple[PaperEvidence, Fit]]:
    """Each paper that has sentences, with its measures."""
    asked = wanted(evidence.question.text, evidence.statistics)
    pairs = _pairs([evidence.question.text])
    pairs = frozenset(pair for pair in pairs if set(pair) <= _core(asked))
    raw = [(paper, _fit(paper, asked, pairs)) for paper in evidence.papers if paper.sentences]
    if not raw:
        return []
    top = [max(getattr(fit, name) for _, fit in raw) for name in ("cosine", "either", "in_sentence")]
    return [
        (
            paper,
            replace(
                fit,
                behind_cosine=fit.cosine - top[0],
                behind_words=fit.either - top[1],
                behind_sentence=fit.in_sentence - top[2],
            ),
        )
        for paper, fit in raw
    ]


def _core(asked: Wanted) -> frozenset[str]:
    return frozenset(term for word in asked.words for form in word.forms for term in form)


def _fit(paper: PaperEvidence, asked: Wanted, pairs: frozenset[tuple[str, str]]) -> Fit:
    cosines = sorted((s.cosine for s in paper.sentences), reverse=True)
    title = frozenset(terms(paper.paper.title))
    texts = [frozenset(terms(s.text)) for s in paper.sentences]
    own = title.union(*texts)
    held = [max(share(words, text) for words in asked.either) for text in texts]
    spelt = _spelt(paper.paper)
    lacking = sum(not _is_named(name, spelt) for name in asked.names) / max(1, len(asked.names))
    return Fit(
        cosine=cosines[0],
        second_cosine=cosines[min(1, len(cosines) - 1)],
        passage_cosine=paper.cosine,
        all_words=share(asked.words, own),
        either=max(share(words, own) for words in asked.either),
        in_title=max(share(words, title) for words in asked.either),
        in_sentence=max(held),
        often=sum(value > 0 and value >= 0.5 * max(held) for value in held) / len(held),
        names_lacking=lacking,
        apart=len(pairs - _pairs([paper.paper.title, *(s.text for s in paper.sentences)])) / max(1, len(pairs)),
        behind_cosine=0.0,
        behind_words=0.0,
        behind_sentence=0.0,
        nearness=1.0 / (1.0 + paper.rank),
    )


# Log-odds, fitted on 101 lists over five corpora; in the order of `Fit`.
_WEIGHTS = Fit(2.4, 1.1, 2.6, 2.15, -0.2, 1.25, -0.35, -0.35, -1.2, -0.65, 4.05, 1.1, 2.2, 5.0)
_INTERCEPT = -3.05
BELONGS = (
    -1.25
)  # log-odds from where on a paper belongs to a list; lower than the best F1, as a paper left out is the worse fault


def belonging(evidence: Evidence) -> list[tuple[PaperEvidence, float]]:
    """Each paper with the log-odds that it belongs to the list asked for, best first, ties by id."""
    scored = [
        (paper, _INTERCEPT + sum(getattr(_WEIGHTS, f.name) * getattr(fit, f.name) for f in fields(Fit)))
        for paper, fit in measure(evidence)
    ]
    return sorted(scored, key=lambda item: (-item[1], item[0].paper.id))
