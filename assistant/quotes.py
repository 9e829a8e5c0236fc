"""The `quotes` engine: an answer made of the abstracts' own sentences, picked, ordered and joined.

It can't invent: every sentence is verbatim. What it can do wrong is to pick badly, so each kind of question has a plan of
its own: a fact takes the one or two sentences that state it, a list takes one sentence a paper, a comparison shows both
sides, a summary takes what a paper proposes and what it found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant import questions
from assistant.evidence import Evidence, PaperEvidence, Sentence
from assistant.papers import Paper
from assistant.scoring import shares

_FACT_WORDS = 75  # a single fact is told in at most 80 words, title and marker included
_FACT_SENTENCES = 3
_ENOUGH = 0.9  # fitted share of questions that the chosen sentences answer, from where on no more are added
_TOO_LITTLE = 0.04  # a sentence that answers fewer is not worth its words
_LIST_PAPERS = 8
_BELONGS = -0.8  # log-odds from where on a paper belongs to a list: precision .86, recall .86 on the dev splits
_SIDES = 3
_CLEARLY = 0.8  # strength of a name that surely means the paper
_NEARLY = 2.5  # score below the best from where on a sentence says too little
_ALONE = 1.5  # how much better, in score, a sentence that leans must be than one that stands alone
_SUMMARY_SENTENCES = 4
_SUMMARY_WORDS = 110

_LEANS = re.compile(
    r"^\W*(?:(?:this|these|those|that|such)\b(?! (?:paper|work|study|article|survey|review|report|research|thesis|chapter)\b)|"
    r"(?:it|they|its|their|he|she|them|both|neither|the (?:former|latter|two)|one|another|others)\b|"
    r"(?:however|nevertheless|nonetheless|thus|therefore|hence|consequently|accordingly|as a result|in contrast|"
    r"on the other hand|conversely|instead|otherwise|by contrast|to (?:this end|address (?:this|these)|resolve (?:this|"
    r"these)|tackle (?:this|these)|overcome (?:this|these)|mitigate (?:this|these)|do so)|for this reason|"
    r"in this (?:setting|way|case|context|setup)|with this|from this|given this|under this|unlike (?:this|these|it)|"
    r"based on (?:this|these)|building (?:up)?on (?:this|these)|motivated by (?:this|these)|beyond this|second(?:ly)?|third(?:ly)?|"
    r"lastly|also|similarly|likewise)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """Sentences of one paper, in the abstract's order; `lead` says that the paper's title introduces them."""

    paper: Paper
    sentences: tuple[Sentence, ...]
    lead: bool


def leans(text: str) -> bool:
    """Whether a sentence begins with a word that points at its neighbour, so that it can't stand alone."""
    return _LEANS.match(text) is not None


def compose(evidence: Evidence, *, most: int) -> tuple[Part, ...]:
    """The parts of an answer of at most `most` sentences; empty when there is no evidence at all.

    A list has a sentence a paper, and may run longer.
    """
    if not any(paper.sentences for paper in evidence.papers):
        return ()
    question = evidence.question
    if len(sides := side_by_side(evidence)) > 1:
        each = max(1, min(2, most // len(sides)))
        return tuple(_part(side, _about(side, most=each), lead=True) for side in sides)
    if question.kind == "list":
        return _list(evidence, most=max(most, _LIST_PAPERS) if most > 1 else 1)
    top = next(paper for paper in evidence.papers if paper.sentences)
    if question.kind == "summary":
        return (_part(top, _summary(top, most=min(most, _SUMMARY_SENTENCES)), lead=False),)
    least = 2 if question.kind == "comparison" else 1
    return (_part(top, _fact(top, least=least, most=most), lead=False),)


def _part(paper: PaperEvidence, sentences: Sequence[Sentence], *, lead: bool) -> Part:
    ordered = {sentence.start: sentence for sentence in sentences}
    return Part(paper.paper, tuple(ordered[start] for start in sorted(ordered)), lead)


def _best(paper: PaperEvidence) -> list[Sentence]:
    return sorted(paper.sentences, key=lambda sentence: (-sentence.score, sentence.start))


def _fact(paper: PaperEvidence, *, least: int, most: int) -> list[Sentence]:
    """The sentences that together answer most such questions, and what they lean on."""
    ranking = _best(paper)
    chosen: list[Sentence] = []
    sure = 0.0
    for candidate, part in zip(ranking, shares([sentence.score for sentence in ranking]), strict=True):
        done = sure >= _ENOUGH or part < _TOO_LITTLE
        if chosen and ((done and len(chosen) >= least) or len(chosen) >= min(most, _FACT_SENTENCES)):
            break
        if not chosen or _words([*chosen, candidate]) <= _FACT_WORDS:
            chosen.append(candidate)
            sure += part
    return _with_neighbours(chosen, paper, words=_FACT_WORDS, most=max(most, _FACT_SENTENCES))


def _with_neighbours(chosen: Sequence[Sentence], paper: PaperEvidence, *, words: int, most: int) -> list[Sentence]:
    """Adds before each sentence that leans on its neighbour that neighbour, while words and sentences last."""
    taken = {sentence.ordinal: sentence for sentence in chosen}
    by_ordinal = {sentence.ordinal: sentence for sentence in paper.sentences}
    queue = [sentence for sentence in chosen if leans(sentence.text)]
    while queue:
        leaning = queue.pop(0)
        neighbour = by_ordinal.get(leaning.ordinal - 1)
        if neighbour is None or neighbour.ordinal in taken or len(taken) >= most:
            continue
        if _words([*taken.values(), neighbour]) > words:
            continue
        taken[neighbour.ordinal] = neighbour
        if leans(neighbour.text):
            queue.append(neighbour)
    return list(taken.values())


def _words(sentences: Sequence[Sentence]) -> int:
    return sum(len(sentence.text.split()) for sentence in sentences)


def _list(evidence: Evidence, *, most: int) -> tuple[Part, ...]:
    """One sentence a paper for all the papers that belong; for one paper asked for, the best."""
    candidates = [paper for paper in evidence.papers if paper.sentences]
    if not evidence.question.many:
        return (_part(candidates[0], _standing(candidates[0]), lead=True),)
    ranked = sorted(candidates, key=lambda paper: -paper.fitness)
    kept = [paper for paper in ranked if paper.fitness >= _BELONGS][:most] or ranked[:1]
    return tuple(_part(paper, _standing(paper), lead=True) for paper in kept)


def _standing(paper: PaperEvidence) -> list[Sentence]:
    """The best sentence that stands alone, unless one that leans is much better."""
    ranking = _best(paper)
    alone = next((s for s in ranking if not leans(s.text) and s.score >= ranking[0].score - _ALONE), None)
    if alone is not None:
        return [alone]
    return _with_neighbours(ranking[:1], paper, words=_FACT_WORDS, most=2)


def side_by_side(evidence: Evidence) -> tuple[PaperEvidence, ...]:
    """The papers that the answer must show side by side, in the question's order; empty when one paper answers."""
    question = evidence.question
    by_id = {paper.paper.id: paper for paper in evidence.papers if paper.sentences}
    told = tuple(by_id[side] for side in evidence.sides if side in by_id)
    if question.kind == "list":
        return ()
    if len(told) > 1 and not question.two:
        return told[:_SIDES]
    named = tuple(paper for paper in evidence.named if paper.sentences and paper.named and paper.named.words)
    if len(named) > 1 and (question.kind == "comparison" or _separately(named)):
        return named[:2]
    if question.two or (question.kind == "comparison" and not told):
        return tuple(sorted(by_id.values(), key=lambda paper: -paper.fitness))[:2]
    return ()


def _separately(named: Sequence[PaperEvidence]) -> bool:
    """Whether the question calls the first two papers by clear names that share no word."""
    first, second = (paper.named for paper in named[:2])
    return (
        first is not None
        and second is not None
        and min(first.strength, second.strength) >= _CLEARLY
        and not first.words & second.words
    )


def _about(paper: PaperEvidence, *, most: int) -> list[Sentence]:
    """What bears on the question in one side of a comparison; what the paper does, when nothing else is asked."""
    ranking = _best(paper)
    if paper.asked:
        chosen = [s for s in ranking if s.score >= ranking[0].score - _NEARLY][:most]
    else:
        chosen = ([s for s in ranking if questions.plays("contribution", s.text)] or ranking)[:1]
    return _with_neighbours(chosen, paper, words=_FACT_WORDS, most=most + 1)


def _summary(paper: PaperEvidence, *, most: int) -> list[Sentence]:
    """What the paper does, what it found and what else it is about, in the abstract's order."""
    ranking = _best(paper)
    told = [s for s in ranking if questions.plays("contribution", s.text)]
    found = [s for s in reversed(paper.sentences) if questions.plays("result", s.text)]
    found = [s for s in found if not questions.plays("resource", s.text)]
    wanted = [*told[:2], *found[:1], *ranking]
    chosen: list[Sentence] = []
    for sentence in wanted:
        if sentence not in chosen and len(chosen) < most and _words([*chosen, sentence]) <= _SUMMARY_WORDS:
            chosen.append(sentence)
    return _with_neighbours(chosen, paper, words=_SUMMARY_WORDS, most=most + 1)
