"""Gathering evidence: retrieval finds papers; here they are opened, their sentences measured, and the papers ordered.

All measures are relative to the question, so that they mean the same in a library of fifty papers or a million.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant import expectations, naming, questions, scoring
from assistant.evidence import Evidence, PaperEvidence, Sentence, asked_terms, share, telling
from assistant.naming import Named
from assistant.papers import Paper, Passage, Span
from assistant.questions import Question
from assistant.scoring import PaperFeatures, SentenceFeatures
from assistant.terms import TermStatistics, terms

if TYPE_CHECKING:
    from assistant.library import Library

_CONTEXT = 1.5  # log-odds that a paper just spoken of is favoured by
_NAMED = 3.0  # log-odds that a name of full strength is worth


class RankedPaper(Protocol):
    """What retrieval gives per paper."""

    @property
    def paper(self) -> Paper: ...
    @property
    def rank(self) -> int: ...
    @property
    def cosine(self) -> float: ...


_CLOSE_PAPERS = 4  # papers between which the selector decides when none is called by name
_CLOSE_SENTENCES = 3  # of each of them
_TOP_SENTENCES = 8  # of the best paper


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
    candidates = _candidates(question, papers, ranked, focus, context, telling(statistics))
    repaired = _respelt(asked_terms(question.text), [candidate.paper for candidate in candidates], statistics)
    query = np.asarray(library.embedder.embed_query(question.text), dtype=np.float32)
    opened = _opened(library, [candidate.paper for candidate in candidates])
    found = [
        _paper_evidence(candidate, opened[candidate.paper.id], query, question, repaired, statistics)
        for candidate in candidates
    ]
    favoured = {paper.id for paper in context}
    fit = [
        replace(paper, fitness=scoring.fitness(features) + _CONTEXT * (paper.paper.id in favoured))
        for paper, features in _paper_features(found)
    ]
    ordered = _ordered(_shared_names_dropped(fit))
    if question.kinds and not any(paper.named for paper in ordered):
        question = replace(question, kind="list", many=True)
    return Evidence(question, ordered, statistics, respelt=tuple(repaired.items()))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A paper to be opened, as retrieval or the conversation put it forward."""

    paper: Paper
    rank: int
    cosine: float
    named: Named | None


def _candidates(
    question: Question,
    papers: int,
    ranked: Sequence[RankedPaper],
    focus: Sequence[Paper],
    context: Sequence[Paper],
    rarity: Callable[[str], float],
) -> list[_Candidate]:
    """The best `papers` ranked ones, all that the question names, and those of the conversation."""
    chosen: dict[str, _Candidate] = {}
    for place, item in enumerate(ranked):
        name = naming.named(question.text, item.paper, rarity)
        if place < papers or name:
            chosen[item.paper.id] = _Candidate(item.paper, item.rank, item.cosine, name)
    for paper in (*focus, *context):
        chosen.setdefault(paper.id, _Candidate(paper, len(chosen) + 1, 0.0, None))
    for paper in focus:
        if chosen[paper.id].named is None:
            chosen[paper.id] = replace(chosen[paper.id], named=Named(1.0, frozenset()))
    return list(chosen.values())


Opened = list[tuple[Passage, NDArray[np.float32]]]


def _opened(library: Library, papers: Sequence[Paper]) -> dict[str, Opened]:
    """Each paper's passages, with a vector per sentence: the stored ones, else embedded now."""
    passages = {paper.id: library.passages(paper.id) for paper in papers}
    vectors = library.sentence_vectors([passage.id for group in passages.values() for passage in group])

    def rows(passage: Passage) -> NDArray[np.float32]:
        stored = vectors.get(passage.id)
        if stored is not None:
            return stored
        own = [passage.text[s.start - passage.start : s.end - passage.start] for s in passage.sentences]
        return library.embedder.embed_sentences(own)

    return {paper_id: [(passage, rows(passage)) for passage in group] for paper_id, group in passages.items()}


def _paper_evidence(
    candidate: _Candidate,
    opened: Opened,
    query: NDArray[np.float32],
    question: Question,
    repaired: Mapping[str, str],
    statistics: TermStatistics,
) -> PaperEvidence:
    paper = candidate.paper
    asked = _renamed(asked_terms(question.text, [candidate.named] if candidate.named else ()), repaired)
    alternatives = _alternatives(question, repaired)
    sentences = _measure(paper, opened, query, question, asked, alternatives, statistics)
    own = frozenset(terms(f"{paper.title} {paper.abstract}"))
    return PaperEvidence(
        paper=paper,
        rank=candidate.rank,
        cosine=max([candidate.cosine, *(sentence.cosine for sentence in sentences)]),
        named=candidate.named,
        sentences=tuple(sentences),
        coverage=_covered(own, alternatives, statistics),
        asked=asked,
        missing=frozenset(asked - own),
    )


def _paper_features(found: Sequence[PaperEvidence]) -> list[tuple[PaperEvidence, PaperFeatures]]:
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


def _alternatives(question: Question, repaired: Mapping[str, str]) -> list[frozenset[str]]:
    """The sets of terms any one of which will do: several for a list of papers on "this or that", else one."""
    phrases = re.split(r"\bor\b", question.text) if question.many else [question.text]
    found = [_renamed(asked_terms(phrase), repaired) for phrase in phrases]
    return [asked for asked in found if asked] or [frozenset()]


def _covered(held: frozenset[str], alternatives: Sequence[frozenset[str]], statistics: TermStatistics) -> float:
    return max(share(held, asked, statistics) for asked in alternatives)


def _renamed(asked: frozenset[str], repaired: Mapping[str, str]) -> frozenset[str]:
    return frozenset(repaired.get(term, term) for term in asked)


def _measure(
    paper: Paper,
    opened: Opened,
    query: NDArray[np.float32],
    question: Question,
    asked: frozenset[str],
    alternatives: Sequence[frozenset[str]],
    statistics: TermStatistics,
) -> list[Sentence]:
    spans: dict[Span, tuple[Passage, float]] = {}
    for passage, rows in opened:
        for span, row in zip(passage.sentences, rows, strict=True):
            cosine = float(np.dot(query, row))
            if span not in spans or spans[span][1] < cosine:
                spans[span] = (passage, cosine)
    sentences: list[Sentence] = []
    pairs = _pairs(question.text)
    either = [alternative & asked for alternative in alternatives if alternative & asked]
    for ordinal, span in enumerate(sorted(spans, key=lambda s: (s.start, s.end))):
        passage, cosine = spans[span]
        text = paper.abstract[span.start : span.end]
        holds = asked & frozenset(terms(text))
        before = sentences[-1].features if sentences else None
        features = SentenceFeatures(
            cosine=cosine,
            coverage=_covered(holds, either or [asked], statistics),
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
