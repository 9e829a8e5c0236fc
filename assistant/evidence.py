"""Evidence: the sentences that an answer may rest on, each measured against the question.

Retrieval finds papers; this module opens them, measures every sentence, and sees which papers the question calls by
name. All measures are relative to the question, so that they mean the same in a library of fifty papers or a million.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant import naming, questions
from assistant.naming import Named
from assistant.papers import Paper, Passage, Span
from assistant.questions import Question
from assistant.terms import TermStatistics, terms

if TYPE_CHECKING:
    from assistant.library import Library

# Words of talk about papers: asked with, not asked for. General vocabulary, stemmed like any term.
_FURNITURE = frozenset(
    terms(
        "paper papers study studies article work author authors abstract publication researcher research propose "
        "proposed present presented describe report say tell mention discuss find show give list name kind sort type "
        "many main key explain summary summarize overview according corpus library document"
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
    cosine: float  # of the question and the sentence in its passage
    coverage: float  # idf-weighted share of what is asked that the sentence holds, in [0, 1]
    holds: frozenset[str]  # the asked terms that it holds
    selected: float | None = None  # the selector's probability; None when it was not asked
    score: float = 0.0


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
    missing: frozenset[str] = field(default=frozenset())  # asked terms that title and abstract lack


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found for one question, best paper first."""

    question: Question
    papers: tuple[PaperEvidence, ...]
    statistics: TermStatistics
    sides: tuple[str, ...] = ()  # ids of the papers that a comparison sets side by side; one when one paper has both
    side_missing: str | None = None  # the side of a comparison that no paper is about

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
    library: Library, question: Question, *, papers: int, ranked: Sequence[RankedPaper], focus: Sequence[Paper] = ()
) -> Evidence:
    """Opens the ranked papers (and those a conversation is about, as if named) and measures their sentences."""
    statistics = library.term_statistics()
    rarity = telling(statistics)
    query = np.asarray(library.embedder.embed_query(question.text), dtype=np.float32)
    ordered = {item.paper.id: (item.paper, item.rank, item.score, item.cosine) for item in ranked[:papers]}
    for paper in focus:
        ordered.setdefault(paper.id, (paper, len(ordered) + 1, 0.0, 0.0))
    focused = {paper.id for paper in focus}
    names = {id: naming.named(question.text, item[0], rarity) for id, item in ordered.items()}
    names |= {id: names[id] or Named(1.0, frozenset()) for id in focused}
    found = []
    for id, (paper, rank, relevance, cosine) in ordered.items():
        asked = asked_terms(question.text, [name] if (name := names[id]) else ())
        sentences = _measure(library, paper, query, asked, statistics)
        all_terms = asked_terms(question.text)
        own = frozenset(terms(f"{paper.title} {paper.abstract}"))
        found.append(
            PaperEvidence(
                paper=paper,
                rank=rank,
                relevance=relevance,
                cosine=max([cosine, *(sentence.cosine for sentence in sentences)]),
                named=name,
                sentences=tuple(replace(item, score=score(question, item)) for item in sentences),
                coverage=share(own, all_terms, statistics),
                missing=frozenset(asked - own),
            )
        )
    return Evidence(question, _ordered(_shared_names_dropped(found)), statistics)


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


def select(evidence: Evidence, selector: Selector, *, most: int) -> Evidence:
    """Asks the selector about the `most` best sentences and scores them anew; the others keep their scores."""
    pool = sorted((s for p in evidence.papers for s in p.sentences), key=lambda s: -s.score)[:most]
    verdicts = selector.scores(evidence.question.text, [s.text for s in pool], [s.paper.title for s in pool])
    judged = {(s.paper.id, s.start): value for s, value in zip(pool, verdicts, strict=True)}

    def judge(sentence: Sentence) -> Sentence:
        value = judged.get((sentence.paper.id, sentence.start))
        if value is None:
            return sentence
        told = replace(sentence, selected=value)
        return replace(told, score=score(evidence.question, told))

    papers = [replace(p, sentences=tuple(judge(s) for s in p.sentences)) for p in evidence.papers]
    return replace(evidence, papers=_ordered(papers))


# Weights of a sentence's score. Set by hand on the dev split; see docs/experiments/answering.md.
_COVERAGE, _ROLE, _EXPECTED, _ASKS, _SHORT, _SELECTED = 0.6, 0.12, 0.2, -0.15, -0.2, 0.6


def score(question: Question, sentence: Sentence) -> float:
    """How well one sentence serves the question; comparable across the sentences of one question."""
    total = sentence.cosine + _COVERAGE * sentence.coverage
    if question.role and questions.plays(question.role, sentence.text):
        total += _ROLE
    if question.expects and questions.meets(question.expects, sentence.text):
        total += _EXPECTED
    if sentence.text.rstrip().endswith("?"):
        total += _ASKS
    if len(sentence.text.split()) < 5:
        total += _SHORT
    if sentence.selected is not None:
        total += _SELECTED * sentence.selected
    return total


def _measure(
    library: Library, paper: Paper, query: NDArray[np.float32], asked: frozenset[str], statistics: TermStatistics
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
    sentences = []
    for ordinal, span in enumerate(sorted(spans, key=lambda s: (s.start, s.end))):
        passage, cosine = spans[span]
        text = paper.abstract[span.start : span.end]
        holds = asked & frozenset(terms(text))
        sentences.append(
            Sentence(
                paper=paper,
                passage_id=passage.id,
                ordinal=ordinal,
                of=len(spans),
                start=span.start,
                end=span.end,
                text=text,
                cosine=cosine,
                coverage=share(holds, asked, statistics),
                holds=holds,
            )
        )
    return sentences


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
    """Named papers first, by strength; the rest by their best sentence and the retriever's rank together."""

    def key(paper: PaperEvidence) -> tuple[float, float, str]:
        best = max((sentence.score for sentence in paper.sentences), default=0.0)
        strength = paper.named.strength if paper.named else 0.0
        return (-round(strength, 3), -(best + 1.0 / (1.0 + paper.rank)), paper.paper.id)

    return tuple(sorted(found, key=key))
