"""What an assistant returns: answers, their claims and citations, abstentions, and the events of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from assistant.papers import Hit, Paper, Passage

Verdict = Literal["quoted", "supported", "partial", "unsupported", "contradicted", "uncited", "unscored"]
Reason = Literal["nothing_relevant", "not_stated", "filter_matched_nothing", "not_a_question_for_the_corpus"]
Status = Literal["answered", "abstained"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A claim's link to the very characters it rests on: `paper.abstract[start:end] == quote`, always.

    `key` is the number shown as `[key]`. Keys number papers in order of first use, so several citations of one
    answer share a key when they point at different spans of the same paper.
    """

    key: str
    paper: Paper
    passage_id: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check noticed about a claim, in words a reader understands."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable sentence of an answer: `answer.text[start:end] == text`, markers included."""

    text: str
    start: int
    end: int
    verdict: Verdict
    score: float | None  # probability in [0, 1] that the evidence carries the claim; None when unscored
    citations: tuple[Citation, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Abstention:
    """A typed refusal. `message` is for the user; `nearest_papers` are offered best first, possibly empty."""

    reason: Reason
    message: str
    nearest_papers: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered or refused question.

    `text` is free of Markdown and carries `[n]` markers; for an abstention it is the abstention's message, and
    `claims` and `citations` are empty. `citations` are in order of first use, without repeats.
    """

    question: str
    query: str  # the stand-alone question that was searched for; equals `question` outside a conversation
    status: Status
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    abstention: Abstention | None
    record_id: str
    engine: str
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())  # what the user should know: "incomplete", "fell back to quotes", …

    def to_dict(self) -> dict[str, Any]:
        """The JSON form printed by `ibid ask --json` and stored in records."""
        return {
            "question": self.question,
            "query": self.query,
            "status": self.status,
            "text": self.text,
            "claims": [_claim(claim) for claim in self.claims],
            "citations": [_citation(citation) for citation in self.citations],
            "abstention": None if self.abstention is None else _abstention(self.abstention),
            "record_id": self.record_id,
            "engine": self.engine,
            "seconds": round(self.seconds, 4),
            "notes": list(self.notes),
        }


def paper_summary(paper: Paper) -> dict[str, Any]:
    """The bibliographic part of a paper, without its abstract."""
    return {
        "id": paper.id,
        "title": paper.title,
        "authors": list(paper.authors),
        "year": paper.year,
        "venue": paper.venue,
        "doi": paper.doi,
        "arxiv_id": paper.arxiv_id,
        "url": paper.url,
        "notices": list(paper.notices),
    }


def from_summary(summary: Mapping[str, Any]) -> Paper:
    """The paper that a summary tells of, without its abstract; also one of a record from before notices were kept."""
    told = {"authors": tuple(summary["authors"]), "notices": tuple(summary.get("notices", ())), "abstract": ""}
    return Paper(**{**summary, **told})


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "key": citation.key,
        "paper": paper_summary(citation.paper),
        "passage_id": citation.passage_id,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "text": claim.text,
        "start": claim.start,
        "end": claim.end,
        "verdict": claim.verdict,
        "score": claim.score,
        "citations": [_citation(citation) for citation in claim.citations],
        "findings": [{"kind": finding.kind, "message": finding.message} for finding in claim.findings],
    }


def _abstention(abstention: Abstention) -> dict[str, Any]:
    return {
        "reason": abstention.reason,
        "message": abstention.message,
        "nearest_papers": [paper_summary(paper) for paper in abstention.nearest_papers],
    }


@dataclass(frozen=True, slots=True)
class Retrieved:
    """First event of a stream: the papers found, their best passages, and the quotes that answer best.

    `quotes` are out before any model writes; none when the question will be refused. A chat model that words a follow-up
    anew, and by that finds other papers, makes a second such event, which replaces the first.
    """

    query: str
    hits: tuple[Hit, ...]
    passages: tuple[Passage, ...]
    quotes: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer's text; the pieces join to `Answer.text` unless a note of the answer says otherwise."""

    text: str


@dataclass(frozen=True, slots=True)
class ClaimVerified:
    """A claim with its verdict, as soon as it is known."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Finished:
    """Last event of a stream."""

    answer: Answer


Event: TypeAlias = Retrieved | Token | ClaimVerified | Finished
