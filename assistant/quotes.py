"""The `quotes` engine: an answer made of the abstracts' own sentences, picked, ordered and joined.

It can't invent: every sentence is verbatim. What it can do wrong is to pick badly, so each kind of question has a plan of
its own: a fact takes the one or two sentences that state it, a list takes one sentence a paper, a comparison shows both
sides, a summary takes what a paper proposes and what it found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant import elision, listing, questions
from assistant.elision import Wording, leans
from assistant.evidence import Evidence, PaperEvidence, Sentence, asked_terms, share
from assistant.papers import Paper
from assistant.scoring import shares
from assistant.terms import terms

_FACT_WORDS = 75  # a single fact is told in at most 80 words, title and marker included
_FACT_SENTENCES = 3
_ENOUGH = 0.85  # fitted share of questions that the chosen sentences answer, from where on no more are added
_TOO_LITTLE = 0.04  # a sentence that answers fewer is not worth its words
_PER_WORD = 0.0015  # share that each word of a further sentence must be worth
_LIST_PAPERS = 8
_SIDES = 3
_ANY_SORT = frozenset(
    terms("paper papers study studies work works article articles")
)  # say nothing of the sort of paper
_TIE = 0.1  # of a paper's fitness, beside the shares of the words that tell the sort
_CLEARLY = 0.8  # strength of a name that surely means the paper
_NEARLY = 2.5  # score below the best from where on a sentence says too little
_ALONE = 1.5  # how much better, in score, a sentence that leans must be than one that stands alone
_IN_EACH = (
    frozenset(terms("each respective side other apart contrast distinguish share similar same versus vs")) | _ANY_SORT
)
_SUMMARY_SENTENCES = 4
_SUMMARY_WORDS = 110

_PROPOSES = re.compile(
    r"\b(?:propos|introduc|present|develop|design|describ|investigat|review|survey)\w*\b", re.IGNORECASE
)
_FIGURE = re.compile(r"(?<![\w-])\d[\d.,]*")
_SAME = 0.75  # share of the shorter sentence's terms that another holds, from where on it says nothing new
# A sentence that tells against what a question takes for granted.
_CONTRARY = re.compile(
    r"\b(?:not|no|nor|neither|cannot|without|except(?:ion\w*)?|however|although|fail\w*|unlike|only (?:slight\w*|marginal\w*|one|"
    r"two|in|for)|equal(?:ly)?|similar\w*|comparable|lacks?|little|rather than|contrary|despite|unaffected|unchanged|insignificant|"
    r"universally)\b",
    re.IGNORECASE,
)
_CONTRARY_BONUS = 1.0  # score that such a sentence gains when it holds all that is asked; yes/no on dev 28 → 29 of 32
_WHY = re.compile(r"^\W*(?:so |and |but )?(?:why|how come)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """Sentences of one paper, in the abstract's order; `lead` says that the paper's title introduces them.

    `wordings` has how each sentence is told, in the same order; when empty, all are told whole.
    """

    paper: Paper
    sentences: tuple[Sentence, ...]
    lead: bool
    wordings: tuple[Wording, ...] = ()

    def worded(self) -> Iterator[tuple[Sentence, Wording]]:
        """Each sentence with its wording."""
        return zip(self.sentences, self.wordings or tuple(elision.whole(s.text) for s in self.sentences), strict=True)


def compose(evidence: Evidence, *, most: int) -> tuple[Part, ...]:
    """The parts of an answer of at most `most` sentences; empty when there is no evidence at all.

    A list has a sentence a paper, and may run longer.
    """
    if not any(paper.sentences for paper in evidence.papers):
        return ()
    question = evidence.question
    if len(sides := side_by_side(evidence)) > 1:
        each = max(1, min(2, most // len(sides)))
        respect = _respect(question, sides)
        return tuple(_part(side, _about(side, most=each, respect=respect), lead=True) for side in sides)
    if question.kind == "list":
        return _list(evidence, most=max(most, _LIST_PAPERS) if most > 1 else 1)
    top = next(paper for paper in evidence.papers if paper.sentences)
    if question.kind == "summary":
        return (_part(top, _summary(top, most=min(most, _SUMMARY_SENTENCES)), lead=False),)
    least = 2 if question.kind == "comparison" else 1
    return (_part(top, _fact(_weighed(top, question), least=least, most=most), lead=False),)


def _weighed(paper: PaperEvidence, question: questions.Question) -> PaperEvidence:
    """The paper with sentences raised that tell against what a yes/no question, or one that asks why, takes for granted."""
    bonus = _CONTRARY_BONUS * (question.kind == "yes_no" or bool(_WHY.match(question.text)))
    if not bonus:
        return paper
    raised = tuple(
        replace(s, score=s.score + bonus * s.coverage) if _CONTRARY.search(s.text) else s for s in paper.sentences
    )
    return replace(paper, sentences=raised)


def _part(paper: PaperEvidence, sentences: Sequence[Sentence], *, lead: bool) -> Part:
    ordered = sorted(
        {sentence.start: sentence for sentence in sentences}.values(), key=lambda sentence: sentence.start
    )
    told = {sentence.ordinal for sentence in ordered}
    wordings = tuple(
        (None if sentence.ordinal - 1 in told else _standing_alone(sentence, paper)) or elision.whole(sentence.text)
        for sentence in ordered
    )
    return Part(paper.paper, tuple(ordered), lead, wordings)


def _standing_alone(sentence: Sentence, paper: PaperEvidence) -> Wording | None:
    """A wording of a leaning sentence that needs no neighbour and leaves out nothing that is asked for."""
    if not leans(sentence.text):
        return None
    before = next((s.text for s in paper.sentences if s.ordinal == sentence.ordinal - 1), "")
    wording = elision.standing(sentence.text, before, paper.paper)
    if wording is None:
        return None
    return wording if sentence.holds <= frozenset(terms(elision.told(sentence.text, wording))) else None


def _needs_neighbour(sentence: Sentence, paper: PaperEvidence) -> bool:
    return leans(sentence.text) and _standing_alone(sentence, paper) is None


def _best(paper: PaperEvidence) -> list[Sentence]:
    return sorted(paper.sentences, key=lambda sentence: (-sentence.score, sentence.start))


def _fact(paper: PaperEvidence, *, least: int, most: int) -> list[Sentence]:
    """The sentences that together answer most such questions, and what they lean on."""
    ranking = _best(paper)
    chosen: list[Sentence] = []
    sure = 0.0
    for candidate, part in zip(ranking, shares([sentence.score for sentence in ranking]), strict=True):
        done = sure >= _ENOUGH or part < max(_TOO_LITTLE, _PER_WORD * _words([candidate]))
        if chosen and ((done and len(chosen) >= least) or len(chosen) >= min(most, _FACT_SENTENCES)):
            break
        if not chosen or (_words([*chosen, candidate]) <= _FACT_WORDS and not _said(candidate, chosen)):
            chosen.append(candidate)
            sure += part
    return _with_neighbours(chosen, paper, words=_FACT_WORDS, most=max(most, _FACT_SENTENCES))


def _said(candidate: Sentence, chosen: Sequence[Sentence]) -> bool:
    """Whether a chosen sentence says nearly the same already."""
    own = frozenset(terms(candidate.text))
    others = (frozenset(terms(sentence.text)) for sentence in chosen)
    return any(len(own & other) >= _SAME * min(len(own), len(other)) for other in others)


def _with_neighbours(chosen: Sequence[Sentence], paper: PaperEvidence, *, words: int, most: int) -> list[Sentence]:
    """Adds before each sentence that leans on its neighbour that neighbour, while words and sentences last."""
    taken = {sentence.ordinal: sentence for sentence in chosen}
    by_ordinal = {sentence.ordinal: sentence for sentence in paper.sentences}
    queue = [sentence for sentence in chosen if _needs_neighbour(sentence, paper)]
    while queue:
        leaning = queue.pop(0)
        neighbour = by_ordinal.get(leaning.ordinal - 1)
        if neighbour is None or neighbour.ordinal in taken or len(taken) >= most:
            continue
        if _words([*taken.values(), neighbour]) > words:
            continue
        taken[neighbour.ordinal] = neighbour
        if _needs_neighbour(neighbour, paper):
            queue.append(neighbour)
    return list(taken.values())


def _words(sentences: Sequence[Sentence]) -> int:
    return sum(len(sentence.text.split()) for sentence in sentences)


def _list(evidence: Evidence, *, most: int) -> tuple[Part, ...]:
    """One sentence a paper for all the papers that belong; for one paper asked for, the best."""
    candidates = [paper for paper in evidence.papers if paper.sentences]
    if not evidence.question.many:
        return (_part(candidates[0], _standing(candidates[0]), lead=True),)
    ranked = listing.belonging(evidence)
    kept = [paper for paper, odds in ranked if odds >= listing.BELONGS][:most] or [ranked[0][0]]
    return tuple(_part(paper, _standing(paper), lead=True) for paper in kept)


def _standing(paper: PaperEvidence) -> list[Sentence]:
    """The best sentence that stands alone, unless one that leans is much better."""
    ranking = _best(paper)
    alone = next(
        (s for s in ranking if not _needs_neighbour(s, paper) and s.score >= ranking[0].score - _ALONE), None
    )
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
    if question.two:
        return _two(evidence, list(by_id.values()))
    if question.kind == "comparison" and not told:
        return tuple(sorted(by_id.values(), key=lambda paper: -paper.fitness))[:2]
    return ()


def _two(evidence: Evidence, papers: Sequence[PaperEvidence]) -> tuple[PaperEvidence, ...]:
    """The two papers of the sort that the question speaks of: "the two bandit papers", "the two surveys"."""
    sort = frozenset(terms(evidence.question.two_of)) - _ANY_SORT
    if not sort:
        return tuple(sorted(papers, key=lambda paper: -paper.fitness))[:2]

    def of_the_sort(paper: PaperEvidence) -> float:
        title = frozenset(terms(paper.paper.title))
        text = title | frozenset(terms(paper.paper.abstract))
        return (
            2 * share(title, sort, evidence.statistics)
            + share(text, sort, evidence.statistics)
            + _TIE * paper.fitness
        )

    return tuple(sorted(papers, key=lambda paper: -of_the_sort(paper)))[:2]


def _separately(named: Sequence[PaperEvidence]) -> bool:
    """Whether the question calls the first two papers by clear names that share no word."""
    first, second = (paper.named for paper in named[:2])
    return (
        first is not None
        and second is not None
        and min(first.strength, second.strength) >= _CLEARLY
        and not first.words & second.words
    )


def _respect(question: questions.Question, compared: Sequence[PaperEvidence]) -> frozenset[str]:
    """The terms that say in which respect papers are compared: those asked for that name no side; empty when none is."""
    spoken = asked_terms(question.text, [paper.named for paper in compared if paper.named])
    titles = frozenset(terms(" ".join(paper.paper.title for paper in compared)))
    return (
        spoken - (frozenset(terms(" ".join(question.sides))) & titles) - frozenset(terms(question.two_of)) - _IN_EACH
    )


def _about(paper: PaperEvidence, *, most: int, respect: frozenset[str]) -> list[Sentence]:
    """What bears on the compared respect in one side; what the paper does, when no respect is named."""
    ranking = _best(paper)
    if respect:
        chosen = [s for s in ranking if s.score >= ranking[0].score - _NEARLY][:most]
    else:
        chosen = _does_and_finds(ranking)[:most]
    return _with_neighbours(chosen, paper, words=_FACT_WORDS, most=most + 1)


def _does_and_finds(ranking: Sequence[Sentence]) -> list[Sentence]:
    """What the paper proposes, then what it found, in numbers if it can be: the same two roles on every side."""
    told = [s for s in ranking if questions.plays("contribution", s.text)]
    told = [s for s in told if _PROPOSES.search(s.text)] or told or list(ranking)
    found = [s for s in ranking if s != told[0] and questions.plays("result", s.text)]
    found = [s for s in found if _FIGURE.search(s.text)] or found
    return [*told[:1], *found[:1]]


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
