"""Checks made again, offline: a stored answer against the papers as they are now, and anybody's claims against papers.

That a quote stands where it is said to stand is a comparison of strings; that sentences carry a claim is a verifier's
judgement. The two are never mixed: only a claim that is verbatim whole sentences of a paper gets `quoted`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from assistant import elision
from assistant.answers import Finding, Verdict
from assistant.cleaning import clean, normalise
from assistant.errors import NotInLibrary
from assistant.library import Library, text_digest
from assistant.naming import long_forms, short_names
from assistant.papers import Paper, Span
from assistant.records import AnswerRecord
from assistant.verification import Judgement, Verifier, verify

PaperState = Literal["unchanged", "changed", "removed"]
QuoteState = Literal["exact", "kept", "broken"]

_SENTENCES = 3  # that a claim may rest on together, as in what an engine cites
_SEARCHED_PAPERS = 5  # whose sentences are tried when a claim names no paper
_RANK: dict[Verdict, int] = {"quoted": 5, "supported": 4, "partial": 3, "contradicted": 1, "unsupported": 1}


@dataclass(frozen=True, slots=True)
class CheckedCitation:
    """One citation of a record, checked.

    `quote_state` is `exact` when the paper's abstract, as it stood when the answer was recorded, still gives the quote
    at its offsets; `kept` when the paper is gone and only the record's own evidence shows the quote; else `broken`.
    """

    key: str
    paper_id: str
    title: str
    start: int
    end: int
    quote: str
    quote_state: QuoteState
    paper_state: PaperState


@dataclass(frozen=True, slots=True)
class CheckedRecord:
    """A stored answer, checked. `findings` say what is broken and what has changed since; `ok` when nothing is broken."""

    record_id: str
    question: str
    created_at: str
    ok: bool
    citations: tuple[CheckedCitation, ...]
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A span of a paper: `paper.abstract[start:end] == quote`."""

    paper_id: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim, judged; `evidence` is what holds at least some of it, best first."""

    verdict: Verdict
    score: float | None
    findings: tuple[Finding, ...]
    evidence: tuple[Quoted, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


# --- a stored answer --------------------------------------------------------------------------------------------------


def check_record(library: Library, record_id: str) -> CheckedRecord:
    """Checks every claim and citation of a stored answer against its papers; raises NotInLibrary for an unknown id."""
    record = library.record(record_id)
    answer = record.answer
    papers = {citation["paper"]["id"] for citation in answer["citations"]}
    states = {paper_id: _paper_state(library, record, paper_id) for paper_id in papers}
    citations = tuple(
        _checked(library, record, citation, states[citation["paper"]["id"]]) for citation in answer["citations"]
    )
    broken = [*_broken_claims(answer), *_broken_quotes(citations)]
    titles = {citation.paper_id: citation.title for citation in citations}
    since = [
        Finding(f"paper_{state}", f"“{titles[paper_id]}” ({paper_id}) was {state} since this answer was recorded.")
        for paper_id, state in sorted(states.items())
        if state != "unchanged"
    ]
    return CheckedRecord(record.id, record.question, record.created_at, not broken, citations, (*broken, *since))


def _paper_state(library: Library, record: AnswerRecord, paper_id: str) -> PaperState:
    paper = library.papers_by_id([paper_id]).get(paper_id)
    if paper is None:
        return "removed"
    then = record.papers.get(paper_id)
    return "unchanged" if then is None or then == text_digest(paper.title, paper.abstract) else "changed"


def _checked(
    library: Library, record: AnswerRecord, citation: Mapping[str, Any], state: PaperState
) -> CheckedCitation:
    paper_id, start, end, quote = citation["paper"]["id"], citation["start"], citation["end"], citation["quote"]
    abstract = _abstract_then(library, record, paper_id)
    if abstract is not None:
        quote_state: QuoteState = "exact" if quote and abstract[start:end] == quote else "broken"
    else:
        kept = any(
            (item.paper_id, item.start, item.end, item.text) == (paper_id, start, end, quote)
            for item in record.evidence
        )
        quote_state = "kept" if kept else "broken"
    title = citation["paper"]["title"]
    return CheckedCitation(citation["key"], paper_id, title, start, end, quote, quote_state, state)


def _abstract_then(library: Library, record: AnswerRecord, paper_id: str) -> str | None:
    """The abstract that the record quotes; None when the library no longer has it."""
    digest = record.papers.get(paper_id)
    if digest is None:
        paper = library.papers_by_id([paper_id]).get(paper_id)
        return paper.abstract if paper else None
    try:
        return library.former_text(paper_id, digest)[1]
    except NotInLibrary:
        return None


def _broken_claims(answer: Mapping[str, Any]) -> list[Finding]:
    found = []
    for claim in answer["claims"]:
        if answer["text"][claim["start"] : claim["end"]] != claim["text"]:
            found.append(Finding("claim_offsets", f"Not at its place in the answer: “{claim['text']}”"))
        if claim["verdict"] == "quoted" and not _is_quoted(claim, strictly=answer.get("engine") == "quotes"):
            found.append(Finding("not_verbatim", f"Called quoted, but it isn't its quotes: “{claim['text']}”"))
    return found


def _is_quoted(claim: Mapping[str, Any], *, strictly: bool) -> bool:
    """Whether a claim is what it cites, and nothing else but what stands in brackets; a chat model's may say more."""
    quotes = [citation["quote"] for citation in claim["citations"]]
    text = claim["text"]
    if not strictly and elision.ELLIPSIS not in text:
        return any(_tells(claim, quote) for quote in quotes)
    for citation in claim["citations"][:1]:
        text = text.removesuffix(f" [{citation['key']}]")
    return elision.only_brackets_between(text, quotes)


def _tells(claim: Mapping[str, Any], quote: str) -> bool:
    """Whether the claim repeats the quote as stored or, as a chat model was shown it, cleaned; its keys and the final
    punctuation aside."""
    keyless = claim["text"]
    for citation in claim["citations"]:
        keyless = keyless.replace(f" [{citation['key']}]", "").replace(f"[{citation['key']}]", "")
    forms = [form for form in (_bare(quote), _bare(clean(quote).text)) if form]
    return any(form in " ".join(text.split()) for form in forms for text in (claim["text"], keyless))


def _bare(text: str) -> str:
    return " ".join(text.split()).strip("\"“”'.!… ")


def _broken_quotes(citations: Sequence[CheckedCitation]) -> list[Finding]:
    return [
        Finding("quote_offsets", f"[{c.key}] {c.start}–{c.end} of {c.paper_id} is not “{c.quote}”")
        for c in citations
        if c.quote_state == "broken"
    ]


# --- anybody's claims -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Candidate:
    paper: Paper
    span: Span

    @property
    def text(self) -> str:
        return self.paper.abstract[self.span.start : self.span.end]

    @property
    def quoted(self) -> Quoted:
        return Quoted(self.paper.id, self.span.start, self.span.end, self.text)


def check_claim(
    library: Library, claim: str, papers: Sequence[str] = (), *, verifier: Verifier = verify
) -> CheckedClaim:
    """Judges a claim against the papers that it names (title, id or citekey), or against what a search finds.

    A name that is no paper of the library is a finding of kind `unknown_paper`. Without any evidence the verdict is
    `uncited`. At most three sentences carry a claim together, so that one is not pieced together from a whole abstract.
    """
    found, unknown = _named(library, papers)
    if not papers and claim.strip():
        found = [hit.paper for hit in library.search(claim, k=_SEARCHED_PAPERS)]
    checked = check_against(library, claim, found, together=bool(papers), verifier=verifier)
    return replace(checked, findings=(*unknown, *checked.findings))


def check_against(
    library: Library, claim: str, papers: Sequence[Paper], *, together: bool = True, verifier: Verifier = verify
) -> CheckedClaim:
    """Judges a claim against each paper by itself and, with `together`, against all of them; the best judgement counts."""
    for paper in papers:
        if verbatim := _verbatim(claim, paper, _sentences(library, paper)):
            return CheckedClaim("quoted", 1.0, (), (verbatim,))
    groups = [[paper] for paper in papers]
    if len(papers) != 1 and (together or not papers):
        groups.append(list(papers))
    judged = [_judged(library, claim, group, verifier) for group in groups]
    judgement, chosen = max(judged, key=lambda pair: _worth(pair[0]))
    return CheckedClaim(
        judgement.verdict,
        judgement.score,
        judgement.findings,
        tuple(candidate.quoted for candidate in chosen) if judgement.score else (),
    )


def _named(library: Library, names: Sequence[str]) -> tuple[list[Paper], tuple[Finding, ...]]:
    found: dict[str, Paper] = {}
    unknown = []
    for name in names:
        try:
            paper = library.paper(name)
            found[paper.id] = paper
        except NotInLibrary as error:
            unknown.append(Finding("unknown_paper", f"{name!r} cannot be checked: {error}"))
    return list(found.values()), tuple(unknown)


def _sentences(library: Library, paper: Paper) -> list[Span]:
    """All sentences of the abstract, once each, in order."""
    spans = {span for passage in library.passages(paper.id) for span in passage.sentences}
    return sorted(spans, key=lambda span: (span.start, span.end))


def _verbatim(claim: str, paper: Paper, spans: Sequence[Span]) -> Quoted | None:
    """The whole sentences that the claim repeats, as stored or as displayed; a part of a sentence is no quote, as what
    stands around it ("it is false that …") may turn it."""
    wanted = _displayed(normalise(claim))
    if not wanted:
        return None
    for first, opening in enumerate(spans):
        for closing in spans[first:]:
            stored = paper.abstract[opening.start : closing.end]
            shown = _displayed(stored)
            if shown == wanted:
                return Quoted(paper.id, opening.start, closing.end, stored)
            if len(shown) > len(wanted):
                break
    return None


def _displayed(text: str) -> str:
    return " ".join(clean(text).text.split()).rstrip(" .")


def _judged(
    library: Library, claim: str, papers: Sequence[Paper], verifier: Verifier
) -> tuple[Judgement, tuple[_Candidate, ...]]:
    """The judgement against all sentences of some papers, and the sentences that it rests on, best first."""
    candidates = [_Candidate(paper, span) for paper in papers for span in _sentences(library, paper)]
    titles = {paper.id: called(paper) for paper in papers}
    judgement = verifier(
        claim,
        [clean(candidate.text).text for candidate in candidates],
        titles=[titles[candidate.paper.id] for candidate in candidates],
    )
    used = judgement.used or (() if judgement.best is None else (judgement.best,))
    return judgement, tuple(candidates[index] for index in used[:_SENTENCES])


def called(paper: Paper) -> str:
    """What the paper is called and calls things: its title, with the abbreviations that it defines."""
    forms = dict(long_forms(paper))
    names = dict.fromkeys((*forms, *short_names(paper)))
    defined = "; ".join(f"{forms[name]} ({name})" if name in forms else name for name in names)
    title = clean(paper.title).text
    return f"{title} ({defined})" if defined else title


def _worth(judgement: Judgement) -> tuple[float, int]:
    return (judgement.score or 0.0, _RANK.get(judgement.verdict, 0))
