"""A stored answer as it was given: its papers have the text that they had then, also when they have changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from assistant.answers import Abstention, Answer, Citation, Claim, Finding, from_summary
from assistant.errors import NotInLibrary
from assistant.papers import Paper
from assistant.records import AnswerRecord, Evidence

if TYPE_CHECKING:
    from assistant.library import Library


@dataclass(frozen=True, slots=True)
class Recalled:
    """An answer from its record. A paper in `gone` was removed from the library: its abstract is empty here.

    One in `changed` has another text now than the one that was quoted.
    """

    answer: Answer
    filters: Mapping[str, Any]
    evidence: tuple[Evidence, ...] = ()
    papers: Mapping[str, Paper] = field(default_factory=dict)  # those told of, by id
    changed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


def recall(library: Library, record: AnswerRecord) -> Recalled:
    """Reads an answer back from its record."""
    content = record.answer
    told = {citation["paper"]["id"]: citation["paper"] for citation in _citations(content)}
    told |= {paper["id"]: paper for paper in _nearest(content)}
    here = library.papers_by_id({*told, *(item.paper_id for item in record.evidence)})
    now = library.text_digests(here)
    papers, changed = {}, set()
    for paper_id, paper in here.items():
        then = record.papers.get(paper_id)
        if then is not None and then != now[paper_id]:
            changed.add(paper_id)
            paper = _as_it_was(library, paper, then)
        papers[paper_id] = paper
    gone = frozenset(told.keys() - here.keys())
    papers |= {paper_id: from_summary(told[paper_id]) for paper_id in gone}
    answer = _answer(content, papers)
    return Recalled(answer, record.filters, record.evidence, papers, frozenset(changed), gone)


def _as_it_was(library: Library, paper: Paper, digest: str) -> Paper:
    try:
        title, abstract = library.former_text(paper.id, digest)
    except NotInLibrary:
        return replace(paper, abstract="")
    return replace(paper, title=title, abstract=abstract)


def _citations(content: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    yield from content["citations"]
    for claim in content["claims"]:
        yield from claim["citations"]


def _nearest(content: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return content["abstention"]["nearest_papers"] if content["abstention"] else ()


def _answer(content: Mapping[str, Any], papers: Mapping[str, Paper]) -> Answer:
    def citation(said: Mapping[str, Any]) -> Citation:
        names = ("key", "passage_id", "quote", "start", "end")
        return Citation(paper=papers[said["paper"]["id"]], **{name: said[name] for name in names})

    def claim(said: Mapping[str, Any]) -> Claim:
        findings = tuple(Finding(**finding) for finding in said["findings"])
        citations = tuple(map(citation, said["citations"]))
        return Claim(**{**said, "citations": citations, "findings": findings})

    refused = content["abstention"]
    if refused:
        nearest = tuple(papers[paper["id"]] for paper in refused["nearest_papers"])
        refused = Abstention(refused["reason"], refused["message"], nearest)
    changed = {
        "claims": tuple(map(claim, content["claims"])),
        "citations": tuple(map(citation, content["citations"])),
        "abstention": refused,
        "notes": tuple(content["notes"]),
    }
    return Answer(**{**content, **changed})
