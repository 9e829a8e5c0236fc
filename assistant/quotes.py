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
from assistant.evidence import Evidence, PaperEvidence, Sentence, fitness
from assistant.papers import Paper
from assistant.scoring import shares

_FACT_WORDS = 75  # a single fact is told in at most 80 words, title and marker included
_FACT_SENTENCES = 3
_ENOUGH = 0.9  # fitted share of questions that the chosen sentences answer, from where on no more are added
_TOO_LITTLE = 0.04  # a sentence that answers fewer is not worth its words
_LIST_FITNESS = 0.75  # of the best paper's fitness
_ALONE = 1.0  # how much better, in score, a sentence that leans must be than one that stands alone
_SUMMARY_SENTENCES = 3

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
    """The parts of an answer of at most `most` sentences; empty when there is no evidence at all."""
    if not any(paper.sentences for paper in evidence.papers):
        return ()
    kind = evidence.question.kind
    if kind == "comparison" and len(sides := _sides(evidence)) == 2:
        return tuple(_part(side, _about(side, most=1 + (most > 3)), lead=True) for side in sides)
    if kind == "list":
        return _list(evidence, most=most)
    top = next(paper for paper in evidence.papers if paper.sentences)
    if kind == "summary":
        return (_part(top, _summary(top, most=min(most, _SUMMARY_SENTENCES)), lead=False),)
    return (_part(top, _fact(top, most=most), lead=False),)


def _part(paper: PaperEvidence, sentences: Sequence[Sentence], *, lead: bool) -> Part:
    ordered = {sentence.start: sentence for sentence in sentences}
    return Part(paper.paper, tuple(ordered[start] for start in sorted(ordered)), lead)


def _best(paper: PaperEvidence) -> list[Sentence]:
    return sorted(paper.sentences, key=lambda sentence: (-sentence.score, sentence.start))


def _fact(paper: PaperEvidence, *, most: int) -> list[Sentence]:
    """The sentences that together answer most such questions, and what they lean on."""
    ranking = _best(paper)
    chosen: list[Sentence] = []
    sure = 0.0
    for candidate, part in zip(ranking, shares([sentence.score for sentence in ranking]), strict=True):
        if chosen and (sure >= _ENOUGH or part < _TOO_LITTLE or len(chosen) >= min(most, _FACT_SENTENCES)):
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
    """One sentence a paper for all the papers that fit as well as the best does, or nearly."""
    candidates = [paper for paper in evidence.papers if paper.sentences]
    if not evidence.question.many:
        return (_part(candidates[0], _standing(candidates[0]), lead=True),)
    scored = sorted(candidates, key=lambda paper: -fitness(paper))
    floor = _LIST_FITNESS * fitness(scored[0])
    kept = [paper for paper in scored if fitness(paper) >= floor][:most]
    return tuple(_part(paper, _standing(paper), lead=True) for paper in kept)


def _standing(paper: PaperEvidence) -> list[Sentence]:
    """The best sentence that stands alone, unless one that leans is much better."""
    ranking = _best(paper)
    alone = next((s for s in ranking if not leans(s.text) and s.score >= ranking[0].score - _ALONE), None)
    if alone is not None:
        return [alone]
    return _with_neighbours(ranking[:1], paper, words=_FACT_WORDS, most=2)


def _sides(evidence: Evidence) -> tuple[PaperEvidence, ...]:
    """The papers compared, in the order of the question; none when a single paper tells of both sides."""
    by_id = {paper.paper.id: paper for paper in evidence.papers if paper.sentences}
    found = tuple(by_id[side] for side in evidence.sides if side in by_id)
    if len(found) == 1:
        return ()
    named = tuple(paper for paper in evidence.named if paper.sentences)
    return found[:2] or (named[:2] if len(named) > 1 else tuple(by_id.values())[:2])


def _about(paper: PaperEvidence, *, most: int) -> list[Sentence]:
    """What a side of a comparison is, and what bears on the question."""
    ranking = _best(paper)
    contribution = [s for s in ranking if questions.plays("contribution", s.text)]
    chosen = (contribution or ranking)[:1]
    chosen += [s for s in ranking if s not in chosen and s.score >= ranking[0].score - _ALONE / 2][: most - 1]
    return _with_neighbours(chosen, paper, words=_FACT_WORDS, most=most + 1)


def _summary(paper: PaperEvidence, *, most: int) -> list[Sentence]:
    """What the paper does, how, and what it found, in the abstract's order."""
    chosen: list[Sentence] = []
    for role in ("contribution", "result", "contribution"):
        fitting = [
            sentence
            for sentence in paper.sentences
            if sentence not in chosen and questions.plays(role, sentence.text) and not leans(sentence.text)
        ]
        if role == "result":
            fitting.reverse()  # findings close an abstract
            fitting.sort(key=lambda sentence: questions.plays("resource", sentence.text))
        if fitting and len(chosen) < most:
            chosen.append(fitting[0])
    return chosen or _standing(paper)
