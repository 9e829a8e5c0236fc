"""What a system did with a case, in a form that any system can fill and that JSON keeps.

Ibid's `Answer` is one source of it; peers that only give text with `[n]` and a list of sources are another. Metrics
read nothing else, so a run is scored again from its records without a model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from assistant.answers import Answer, Citation, Claim
from assistant.papers import Paper
from evals.matching import title_key

ResponseStatus = Literal["answered", "abstained", "error"]


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation as the system gave it; `quote`, `start` and `end` are None when it names a paper only."""

    key: str
    paper_id: str
    title: str
    quote: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence of an answer with the system's own verdict (None when the system gives none)."""

    text: str
    start: int
    end: int
    citations: tuple[Cited, ...] = ()
    verdict: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost; None is unknown, which is not zero."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None  # in the currency of the prices that the system was given


@dataclass(frozen=True, slots=True)
class Response:
    """What came back for one case. `ranking` holds paper ids, best first; None when the system shows no retrieval."""

    status: ResponseStatus
    text: str
    reason: str | None = None
    said: tuple[Said, ...] = ()
    citations: tuple[Cited, ...] = ()  # in order of first use
    ranking: tuple[str, ...] | None = None
    query: str | None = None
    confidence: float | None = None
    seconds: float | None = None
    usage: Usage = Usage()
    engine: str = ""
    record_id: str | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Response:
        """The inverse of `to_dict`."""
        said = tuple(Said(**{**item, "citations": _cited(item["citations"])}) for item in data["said"])
        ranking = None if data["ranking"] is None else tuple(data["ranking"])
        plain = {**data, "said": said, "citations": _cited(data["citations"]), "ranking": ranking}
        return cls(**{**plain, "usage": Usage(**data["usage"])})

    @classmethod
    def failed(cls, error: Exception, seconds: float | None = None) -> Response:
        """A case that the system did not get through."""
        return cls(status="error", text="", error=f"{type(error).__name__}: {error}", seconds=seconds)


def _cited(items: Iterable[Mapping[str, Any]]) -> tuple[Cited, ...]:
    return tuple(Cited(**item) for item in items)


def from_answer(
    answer: Answer,
    *,
    ranking: tuple[str, ...] | None = None,
    seconds: float | None = None,
    usage: Usage | None = None,
) -> Response:
    """Ibid's own answer as a Response; confidence is the lowest claim score: as good as its worst."""
    scores = [claim.score for claim in answer.claims if claim.score is not None]
    return Response(
        status=answer.status,
        text=answer.text,
        reason=answer.abstention.reason if answer.abstention else None,
        said=tuple(_said(claim) for claim in answer.claims),
        citations=tuple(_citation(citation) for citation in answer.citations),
        ranking=ranking,
        query=answer.query,
        confidence=min(scores) if scores else None,
        seconds=answer.seconds if seconds is None else seconds,
        usage=usage or Usage(),
        engine=answer.engine,
        record_id=answer.record_id or None,
    )


def _citation(citation: Citation) -> Cited:
    paper = citation.paper
    return Cited(citation.key, paper.id, paper.title, citation.quote, citation.start, citation.end)


def _said(claim: Claim) -> Said:
    citations = tuple(_citation(citation) for citation in claim.citations)
    return Said(claim.text, claim.start, claim.end, citations, claim.verdict, claim.score)


class Corpus:
    """The papers that answers are judged against, by id and by title."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        self.papers: tuple[Paper, ...] = tuple(papers)
        self._by_id = {paper.id: paper for paper in self.papers}
        self._by_title = {title_key(paper.title): paper for paper in self.papers}

    def __len__(self) -> int:
        return len(self.papers)

    def by_id(self, paper_id: str) -> Paper | None:
        """The paper with this id."""
        return self._by_id.get(paper_id)

    def by_title(self, title: str) -> Paper | None:
        """The paper with this title, spelling levelled."""
        return self._by_title.get(title_key(title))

    def of(self, cited: Cited) -> Paper | None:
        """The stored paper that a citation names: by id, else by title; None when there is no such paper."""
        return self.by_id(cited.paper_id) or self.by_title(cited.title)

    def ids(self, titles: Iterable[str]) -> tuple[str, ...]:
        """Ids of the papers with these titles; a title that is not here stands for itself, so it is never found."""
        return tuple(paper.id if (paper := self.by_title(title)) else f"missing:{title}" for title in titles)

    @property
    def digest(self) -> str:
        """sha256 over ids, titles and abstracts, whatever their order."""
        lines = sorted(f"{paper.id}\t{paper.title}\t{paper.abstract}" for paper in self.papers)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
