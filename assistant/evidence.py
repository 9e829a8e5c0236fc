"""Evidence: the sentences that an answer may rest on, each measured against the question.

Retrieval finds papers; this module opens them, measures every sentence, and sees which papers the question calls by
name. All measures are relative to the question, so that they mean the same in a library of fifty papers or a million.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant import expectations, naming, questions, scoring
from assistant.naming import Named
from assistant.papers import Paper, Passage, Span
from assistant.questions import Question
from assistant.scoring import PaperFeatures, SentenceFeatures
from assistant.terms import TermStatistics, terms

if TYPE_CHECKING:
    from assistant.library import Library

# Words of talk about papers: asked with, not asked for. General vocabulary, stemmed like any term.
_FURNITURE = frozenset(
    terms(
        "paper papers study studies article work author authors abstract publication researcher research propose "
        "proposed present presented describe report say said tell mention discuss find found finding show shown give list "
        "name kind sort type many main key explain summary summarize overview according corpus library document "
        "stand mean meaning call called abbreviation acronym definition define short happen exactly particular reach "
        "achieve obtain get got make made take help serve compare compared comparison difference differ"
    )
)


class Selector(Protocol):
    """Judges whether sentences answer a question; see `assistant.selector`."""

    def scores(self, question: str, sentences: Sequence[str], titles: Sequence[str]) -> list[float]:
        """One probability in [0, 1] per sentence."""


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
    relevance: float  # the retriever's score
    cosine: float  # of the question and its best passage
    named: Named | None
    sentences: tuple[Sentence, ...]
    coverage: float  # idf-weighted share of the question's terms that title and abstract hold
    asked: frozenset[str]  # what is asked of it: the question's terms less furniture and its own name
    missing: frozenset[str]  # asked terms that title and abstract lack
    fitness: float = 0.0  # log-odds that it belongs to the papers asked for


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


def gather(
    library: Library,
    question: Question,
    *,
    papers: int,
    ranked: Sequence[RankedPaper],
    focus: Sequence[Paper] = (),
    context: Sequence[Paper] = (),
) -> Evidence:
    """Opens the ranked papers and measures their sentences.

    `focus` are papers that a conversation is about, taken as named; `context` those it may still be about, favoured.
    """
    statistics = library.term_statistics()
    rarity = telling(statistics)
    query = np.asarray(library.embedder.embed_query(question.text), dtype=np.float32)
    names = {item.paper.id: naming.named(question.text, item.paper, rarity) for item in ranked}
    ordered = {
        item.paper.id: (item.paper, item.rank, item.score, item.cosine)
        for place, item in enumerate(ranked)
        if place < papers or names[item.paper.id]
    }
    for paper in focus:
        ordered.setdefault(paper.id, (paper, len(ordered) + 1, 0.0, 0.0))
        names[paper.id] = names.get(paper.id) or Named(1.0, frozenset())
    for paper in context:
        ordered.setdefault(paper.id, (paper, len(ordered) + 1, 0.0, 0.0))
        names.setdefault(paper.id, None)
    favoured = {paper.id for paper in context}
    repaired = _respelt(asked_terms(question.text), [item[0] for item in ordered.values()], statistics)
    found = []
    for id, (paper, rank, relevance, cosine) in ordered.items():
        asked = _renamed(asked_terms(question.text, [name] if (name := names[id]) else ()), repaired)
        sentences = _measure(library, paper, query, question, asked, statistics)
        all_terms = _renamed(asked_terms(question.text), repaired)
        own = frozenset(terms(f"{paper.title} {paper.abstract}"))
        found.append(
            PaperEvidence(
                paper=paper,
                rank=rank,
                relevance=relevance,
                cosine=max([cosine, *(sentence.cosine for sentence in sentences)]),
                named=name,
                sentences=tuple(sentences),
                coverage=share(own, all_terms, statistics),
                asked=asked,
                missing=frozenset(asked - own),
            )
        )
    fit = [
        replace(paper, fitness=scoring.fitness(features) + _CONTEXT * (paper.paper.id in favoured))
        for paper, features in _paper_features(question, found)
    ]
    ordered_papers = _ordered(_shared_names_dropped(fit))
    if question.kinds and not any(paper.named for paper in ordered_papers):
        question = replace(question, kind="list", many=True)
    return Evidence(question, ordered_papers, statistics, respelt=tuple(repaired.items()))


def _paper_features(question: Question, found: Sequence[PaperEvidence]) -> list[tuple[PaperEvidence, PaperFeatures]]:
    """Each paper with its measures; those of the best paper are what the others stand behind."""
    cosines = [max((s.cosine for s in paper.sentences), default=0.0) for paper in found]
    held = [max((s.coverage for s in paper.sentences), default=0.0) for paper in found]
    best = (max(cosines, default=0.0), max(held, default=0.0), max((p.coverage for p in found), default=0.0))
    return [
        (
            paper,
            PaperFeatures(
                cosine=cosine,
                sentence_coverage=covered,
                coverage=paper.coverage,
                passage_cosine=paper.cosine,
                expected=float(any(s.features.expected for s in paper.sentences)),
                behind_cosine=cosine - best[0],
                behind_sentence_coverage=covered - best[1],
                behind_coverage=paper.coverage - best[2],
                nearness=1.0 / (1.0 + paper.rank),
            ),
        )
        for paper, cosine, covered in zip(found, cosines, held, strict=True)
    ]


def _respelt(asked: frozenset[str], papers: Sequence[Paper], statistics: TermStatistics) -> dict[str, str]:
    """Asked terms that no paper of the library holds, each with the term of these papers that it misspells."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    unknown = [term for term in asked if len(term) >= 5 and term.isalpha() and not statistics.df(term)]
    if not unknown:
        return {}
    known = sorted({term for paper in papers for term in terms(f"{paper.title} {paper.abstract}") if term.isalpha()})
    repaired = {}
    for term in unknown:
        near = process.extractOne(term, known, scorer=OSA.distance, score_cutoff=1 if len(term) < 9 else 2)
        if near is not None and near[0][0] == term[0]:
            repaired[term] = near[0]
    return repaired


def _renamed(asked: frozenset[str], repaired: Mapping[str, str]) -> frozenset[str]:
    return frozenset(repaired.get(term, term) for term in asked)


class RankedPaper(Protocol):
    """What retrieval gives per paper."""

    @property
    def paper(self) -> Paper: ...
    @property
    def rank(self) -> int: ...
    @property
    def score(self) -> float: ...
    @property
    def cosine(self) -> float: ...


_CLOSE_PAPERS = 4  # papers between which the selector decides when none is called by name
_CLOSE_SENTENCES = 3  # of each of them
_TOP_SENTENCES = 8  # of the best paper
_CONTEXT = 1.5  # log-odds that a paper just spoken of is favoured by
_NAMED = 3.0  # log-odds that a name of full strength is worth
_SELECTED_FITNESS = 0.5  # log-odds of belonging per log-odds of the selector's best sentence


def select(evidence: Evidence, selector: Selector) -> Evidence:
    """Lets the selector read the best sentences: to choose between papers when none is named, then within the best.

    Scores of the papers read are made anew; a sentence left unread there counts like the worst one read.
    """
    told: dict[tuple[str, int], float] = {}
    papers = evidence.papers
    if not evidence.named and not evidence.question.many and evidence.question.kind != "comparison":
        close = papers[:_CLOSE_PAPERS]
        _read(evidence.question, [s for p in close for s in _foremost(p, _CLOSE_SENTENCES)], selector, told)
        weighed = [(p.fitness + _SELECTED_FITNESS * _logit(max(_told(p, told), default=0.5)), p) for p in close]
        weighed.sort(key=lambda item: -item[0])
        papers = (*(paper for _, paper in weighed), *papers[_CLOSE_PAPERS:])
    beside = [paper for paper in papers if paper.paper.id in evidence.sides] or papers[:1]
    ahead = [s for p in beside for s in _foremost(p, _TOP_SENTENCES)]
    _read(evidence.question, [s for s in ahead if (s.paper.id, s.start) not in told], selector, told)
    return replace(evidence, papers=tuple(_rescored(paper, told) for paper in papers), selected=True)


def _foremost(paper: PaperEvidence, most: int) -> list[Sentence]:
    return sorted(paper.sentences, key=lambda s: (-s.score, s.start))[:most]


def _told(paper: PaperEvidence, told: Mapping[tuple[str, int], float]) -> list[float]:
    return [told[paper.paper.id, s.start] for s in paper.sentences if (paper.paper.id, s.start) in told]


def _read(
    question: Question, sentences: Sequence[Sentence], selector: Selector, told: dict[tuple[str, int], float]
) -> None:
    """Adds the selector's probabilities of the sentences to `told`."""
    probabilities = selector.scores(question.text, [s.text for s in sentences], [s.paper.title for s in sentences])
    told |= {(s.paper.id, s.start): value for s, value in zip(sentences, probabilities, strict=True)}


def _rescored(paper: PaperEvidence, told: Mapping[tuple[str, int], float]) -> PaperEvidence:
    known = _told(paper, told)
    if not known:
        return paper
    anew = [_judged(s, told.get((paper.paper.id, s.start)), min(known)) for s in paper.sentences]
    return replace(paper, sentences=tuple(anew))


def _judged(sentence: Sentence, probability: float | None, unread: float) -> Sentence:
    features = replace(sentence.features, selected=_logit(unread if probability is None else probability))
    return replace(
        sentence, features=features, selected=probability, score=scoring.score(features, scoring.WITH_SELECTOR)
    )


def _logit(probability: float) -> float:
    clipped = min(1 - 1e-6, max(1e-6, probability))
    return math.log(clipped / (1 - clipped))


def _measure(
    library: Library,
    paper: Paper,
    query: NDArray[np.float32],
    question: Question,
    asked: frozenset[str],
    statistics: TermStatistics,
) -> list[Sentence]:
    passages = library.passages(paper.id)
    vectors = library.sentence_vectors([passage.id for passage in passages])
    spans: dict[Span, tuple[Passage, float]] = {}
    for passage in passages:
        rows = vectors.get(passage.id)
        if rows is None:
            rows = library.embedder.embed_sentences([paper.abstract[s.start : s.end] for s in passage.sentences])
        for span, row in zip(passage.sentences, rows, strict=True):
            cosine = float(np.dot(query, row))
            if span not in spans or spans[span][1] < cosine:
                spans[span] = (passage, cosine)
    sentences: list[Sentence] = []
    pairs = _pairs(question.text)
    for ordinal, span in enumerate(sorted(spans, key=lambda s: (s.start, s.end))):
        passage, cosine = spans[span]
        text = paper.abstract[span.start : span.end]
        holds = asked & frozenset(terms(text))
        before = sentences[-1].features if sentences else None
        features = SentenceFeatures(
            cosine=cosine,
            coverage=share(holds, asked, statistics),
            previous_cosine=before.cosine if before else 0.0,
            previous_coverage=before.coverage if before else 0.0,
            pairs=len(pairs & _pairs(text)) / max(1, len(pairs)),
            position=ordinal / max(1, len(spans) - 1),
            expected=float(question.expects is not None and expectations.meets(question.expects, text)),
            role=float(question.role is not None and questions.plays(question.role, text)),
        )
        sentences.append(
            Sentence(
                paper=paper,
                passage_id=passage.id,
                ordinal=ordinal,
                of=len(spans),
                start=span.start,
                end=span.end,
                text=text,
                features=features,
                holds=holds,
                score=scoring.score(features, scoring.WITHOUT_SELECTOR),
            )
        )
    return sentences


def _pairs(text: str) -> set[tuple[str, str]]:
    found = terms(text)
    return set(pairwise(found))


def _shared_names_dropped(found: list[PaperEvidence]) -> list[PaperEvidence]:
    """A paper that merely shares a word with the one really named is not named itself."""
    strongest = max((paper.named.strength for paper in found if paper.named), default=0.0)
    kept = []
    for paper in found:
        weak = paper.named is not None and paper.named.strength < 0.75 * strongest
        inside = paper.named is not None and any(
            other.named is not None and paper.named.words < other.named.words for other in found
        )
        kept.append(replace(paper, named=None) if weak or inside else paper)
    return kept


def _ordered(found: Sequence[PaperEvidence]) -> tuple[PaperEvidence, ...]:
    """By fitness and by how strongly the question calls the paper by name, ties by id."""

    def key(paper: PaperEvidence) -> tuple[float, str]:
        return (-paper.fitness - _NAMED * (paper.named.strength if paper.named else 0.0), paper.paper.id)

    return tuple(sorted(found, key=key))
