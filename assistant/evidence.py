"""Evidence: the sentences that an answer may rest on, each measured against the question, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from assistant.naming import Named
from assistant.papers import Paper
from assistant.questions import Question
from assistant.scoring import SentenceFeatures
from assistant.terms import TermStatistics, terms

# Words of talk about papers: asked with, not asked for. General vocabulary, stemmed like any term.
_FURNITURE = frozenset(
    terms(
        "paper papers study studies article work author authors abstract publication researcher research propose "
        "proposed present presented describe report say said tell mention discuss find found finding show shown give list "
        "name kind sort type many main key explain summary summarize overview according corpus library document "
        "stand mean meaning call called abbreviation acronym definition define short happen exactly particular reach "
        "achieve obtain get got make made take help serve compare compared comparison difference differ "
        "anything here"
    )
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One evidence sentence: `paper.abstract[start:end] == text`."""

    paper: Paper
    passage_id: str
    ordinal: int  # place among the abstract's sentences, from 0
    of: int  # sentences in the abstract
    start: int
    end: int
    text: str
    features: SentenceFeatures
    holds: frozenset[str]  # the asked terms that it holds
    score: float = 0.0
    selected: float | None = None  # the selector's probability; None when it was not asked

    @property
    def cosine(self) -> float:
        return self.features.cosine

    @property
    def coverage(self) -> float:
        return self.features.coverage


@dataclass(frozen=True, slots=True)
class PaperEvidence:
    """A paper with its sentences in order; `named` when the question calls it by name."""

    paper: Paper
    rank: int  # in the retriever's ranking, from 1
    cosine: float  # of the question and its best passage
    named: Named | None
    sentences: tuple[Sentence, ...]
    coverage: float  # idf-weighted share of the question's terms that title and abstract hold
    asked: frozenset[str]  # what is asked of it: the question's terms less furniture and its own name
    missing: frozenset[str]  # asked terms that title and abstract lack
    fitness: float = 0.0  # log-odds that it belongs to the papers asked for
    answered: float | None = None  # the selector's probability that its abstract states the answer; None when unread


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found for one question, best paper first."""

    question: Question
    papers: tuple[PaperEvidence, ...]
    statistics: TermStatistics
    sides: tuple[str, ...] = ()  # ids of the papers that a comparison sets side by side; one when one paper has both
    side_missing: str | None = None  # the side of a comparison that no paper is about
    respelt: tuple[tuple[str, str], ...] = ()  # (term as asked, term as the papers spell it)
    selected: bool = False  # whether a selector read the sentences of the best papers

    @property
    def named(self) -> tuple[PaperEvidence, ...]:
        return tuple(paper for paper in self.papers if paper.named)


def telling(statistics: TermStatistics) -> Callable[[str], float]:
    """How telling a folded word is in [0, 1]: 1 when at most one paper holds it, falling with its frequency."""
    single = TermStatistics(statistics.n, lambda _: 1).idf("")

    def rarity(word: str) -> float:
        found = terms(word)
        return min(1.0, statistics.idf(found[0]) / single) if found else 0.0

    return rarity


def asked_terms(question: str, names: Iterable[Named] = ()) -> frozenset[str]:
    """The stemmed terms asked for: all of the question's less furniture and the words that only name a paper."""
    spoken = set(terms(question))
    for name in names:
        spoken -= set(terms(" ".join(name.words)))
    return frozenset(spoken - _FURNITURE)


def weight(asked: Iterable[str], statistics: TermStatistics) -> float:
    """Summed idf of terms."""
    return sum(statistics.idf(term) for term in asked)


def share(held: Iterable[str], asked: Iterable[str], statistics: TermStatistics) -> float:
    """Idf-weighted share of `asked` in `held`; 1 when nothing is asked."""
    wanted = weight(asked, statistics)
    return weight(set(held) & set(asked), statistics) / wanted if wanted else 1.0
