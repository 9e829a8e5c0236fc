"""Public test doubles: a library in memory, and an assistant that knows the answers.

The oracle answers each case from the abstracts of its expected papers: the sentences that hold the required facts, each
quoted with exact offsets. It is the ceiling of any quoting system on a set of cases, and what tests break on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from assistant.answers import Abstention, Answer, Citation, Claim
from assistant.papers import Hit, Paper, Passage, Span
from assistant.sentences import split
from evals.cases import Case
from evals.matching import occurs
from evals.responses import Corpus
from evals.verifiers import terms


@dataclass(frozen=True)
class PaperShelf:
    """The reading side of a library, in memory; search is by shared words."""

    items: tuple[Paper, ...]

    def papers(self) -> Iterator[Paper]:
        """All papers."""
        return iter(self.items)

    def search(self, question: str, k: int = 10, filters: Any = None) -> tuple[Hit, ...]:
        """Papers that share most content words with the question."""
        wanted = terms(question)
        scores = {paper.id: float(len(wanted & terms(f"{paper.title} {paper.abstract}"))) for paper in self.items}
        best = sorted(self.items, key=lambda paper: (-scores[paper.id], paper.id))[:k]
        return tuple(Hit(paper, scores[paper.id], rank, (whole(paper),)) for rank, paper in enumerate(best, start=1))


@lru_cache(maxsize=1024)
def whole(paper: Paper) -> Passage:
    """A paper's abstract as one passage."""
    text = paper.abstract
    return Passage(f"{paper.id}#0", paper.id, 0, 0, len(text), text, len(text.split()), split(text))


@dataclass
class OracleAssistant:
    """Answers `cases` rightly and refuses the unanswerable; asked anything else, it refuses."""

    library: PaperShelf
    cases: Iterable[Case]
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._known = {case.turns: case for case in self.cases}
        self._corpus = Corpus(self.library.papers())

    def ask(self, question: str, filters: Mapping[str, Any] | None = None, conversation: Any = None) -> Answer:
        """The right answer to the case with this one turn."""
        return self.answer((question,))

    def conversation(self) -> OracleConversation:
        """A conversation that answers the case whose turns it hears."""
        return OracleConversation(self)

    def answer(self, turns: tuple[str, ...]) -> Answer:
        """The right answer after these turns."""
        self.asked.append(turns[-1])
        case = self._known.get(turns)
        if case is None or not case.answerable:
            reason = (case.reason if case else None) or "nothing_relevant"
            return refuse(turns[-1], reason)
        papers = [paper for title in case.papers if (paper := self._corpus.by_title(title))]
        return quote(turns[-1], [(paper, span) for paper in papers for span in needed_spans(paper, case.facts)])


@dataclass
class OracleConversation:
    """Remembers its turns."""

    assistant: OracleAssistant
    turns: tuple[str, ...] = ()

    def ask(self, question: str, filters: Mapping[str, Any] | None = None) -> Answer:
        """The right answer to the turns so far."""
        self.turns = (*self.turns, question)
        return self.assistant.answer(self.turns)


def needed_spans(paper: Paper, facts: Sequence[Sequence[str]]) -> tuple[Span, ...]:
    """The fewest sentences, greedily and in order, that hold the facts which this abstract holds; else the first."""
    sentences = whole(paper).sentences
    texts = [paper.abstract[span.start : span.end] for span in sentences]
    held = [
        frozenset(index for index, fact in enumerate(facts) if any(occurs(wanted, text) for wanted in fact))
        for text in texts
    ]
    chosen: set[int] = set()
    while left := frozenset().union(*held) - frozenset().union(*(held[one] for one in chosen), frozenset()):
        chosen.add(max(range(len(texts)), key=lambda one: (len(held[one] & left), -one)))
    return tuple(sentences[one] for one in sorted(chosen or {0}))


def quote(question: str, spans: Sequence[tuple[Paper, Span]]) -> Answer:
    """An answer that joins these verbatim sentences, each with its marker."""
    keys: dict[str, str] = {}
    claims: list[Claim] = []
    citations: list[Citation] = []
    text = ""
    for paper, span in spans:
        key = keys.setdefault(paper.id, str(len(keys) + 1))
        said = paper.abstract[span.start : span.end]
        citation = Citation(key, paper, f"{paper.id}#0", said, span.start, span.end)
        sentence = f"{said} [{key}]"
        start = len(text) + bool(text)
        text = f"{text} {sentence}".strip()
        claims.append(Claim(sentence, start, start + len(sentence), "quoted", 1.0, (citation,)))
        citations.append(citation)
    return Answer(question, question, "answered", text, tuple(claims), tuple(citations), None, "", "quotes")


def refuse(question: str, reason: Any) -> Answer:
    """A refusal."""
    message = "The papers here do not answer this."
    return Answer(question, question, "abstained", message, (), (), Abstention(reason, message), "", "quotes")
