"""What goes over the wire, as Pydantic models: they check requests, shape replies and make the schema.

Offsets count Unicode code points, as everywhere in Ibid: `abstract[start:end]` in Python.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from assistant.answers import Reason, Status, Verdict
from assistant.editing import Changes, EditField, written
from assistant.errors import InputError
from assistant.papers import DetailName
from assistant.verifying import PaperState, QuoteState

MAX_QUESTION = 20_000  # characters; as many as an assistant reads

Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUESTION)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"\S")]
Line = Annotated[str, StringConstraints(max_length=2000)]
Names = Name | Annotated[list[Name], Field(min_length=1, max_length=500)]
Year = Annotated[int, Field(ge=0, le=9999)]
YearText = Annotated[
    str, StringConstraints(pattern=r"^(((>=|<=|>|<)?[0-9]{4})|([0-9]{4}-)|(-[0-9]{4})|([0-9]{4}-[0-9]{4}))$")
]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


# --- papers -----------------------------------------------------------------------------------------------------------


class PaperSummary(_Out):
    """The bibliographic part of a paper. `notices` are what sources say of its standing: retractions, corrections."""

    id: str
    title: str
    authors: list[str]
    year: int | None
    venue: str | None
    doi: str | None
    arxiv_id: str | None
    url: str | None
    notices: list[str] = []


class ListedPaper(PaperSummary):
    """A paper without its abstract."""

    categories: list[str]
    tags: list[str]
    source: str | None
    citekey: str | None
    note: str | None
    details: dict[str, str]

    @field_validator("details", mode="before")
    @classmethod
    def _named(cls, details: Any) -> Any:
        return dict(details)


class PassageSpan(_Out):
    """A retrievable span: `abstract[start:end] == text`."""

    id: str
    start: int
    end: int
    text: str


class PaperOut(ListedPaper):
    """A paper as stored, with every name it is known by: `citekeys`, and `identifiers` as (scheme, value).

    `provenance` says which source gave each field that it has, `details.volume` and the like among them; `you` where
    somebody changed it here.
    """

    abstract: str
    passages: list[PassageSpan]
    citekeys: list[str]
    identifiers: list[tuple[str, str]]
    provenance: dict[str, str]


class PaperPage(_Out):
    """Papers `offset` to `offset + limit` of `total`; `next` is the offset of the next page, null on the last."""

    papers: list[ListedPaper]
    total: int
    offset: int
    limit: int
    next: int | None


class NewPaper(_In):
    """A paper to be added. Its id is made from its DOI, arXiv id, or title, first author and year."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "PromptLadder: Training Students to Climb",
                    "abstract": "Writing good prompts is hard. We present PromptLadder, which grades them in five steps.",
                    "authors": ["Ada Example"],
                    "year": 2024,
                }
            ]
        }
    )
    title: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    abstract: Annotated[str, StringConstraints(min_length=1, max_length=50_000)]
    authors: Annotated[list[str], Field(max_length=2000)] = []
    year: Year | None = None
    venue: str | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    url: str | None = None
    categories: Annotated[list[str], Field(max_length=200)] = []
    tags: Annotated[list[str], Field(max_length=200)] = []
    citekey: str | None = None
    details: Annotated[dict[DetailName, Line], Field(description="By CSL's names: volume, issue, page, …")] = {}


class PaperChanges(_In):
    """What somebody says of a paper; it wins over every source until it is `reset`.

    A field that is left out stays, null empties it; so within `details`. `tags` are given, `untags` taken away; `reset`
    gives fields, single details by their names, or `tags`, back to what the sources say.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"year": 2021, "tags": ["thesis"], "note": "Small sample."}]}
    )
    title: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    abstract: Annotated[str, StringConstraints(min_length=1, max_length=50_000)] | None = None
    authors: Annotated[list[Line], Field(max_length=2000)] | None = None
    year: Annotated[int, Field(ge=1000, le=2200)] | None = None
    venue: Line | None = None
    doi: Line | None = None
    arxiv_id: Line | None = None
    url: Line | None = None
    citekey: Line | None = None
    note: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    details: dict[DetailName, Line | None] = {}
    tags: Annotated[list[Name], Field(max_length=200)] = []
    untags: Annotated[list[Name], Field(max_length=200)] = []
    reset: list[EditField | DetailName | Literal["tags"]] = []
    reset_all: bool = False

    def changes(self) -> Changes:
        """Raises InputError for what cannot be a field."""
        given = self.model_dump(exclude_unset=True, exclude={"details", "tags", "untags", "reset", "reset_all"})
        if "note" in self.details:
            raise InputError("a source's note cannot be changed; your own is `note`, beside `details`")
        given |= {str(name): value for name, value in self.details.items()}
        read = {
            name: value if isinstance(value, list) else str("" if value is None else value)
            for name, value in given.items()
        }
        if "authors" in given and given["authors"] is None:
            read["authors"] = []
        return Changes(written(read), tuple(self.tags), tuple(self.untags), tuple(self.reset), self.reset_all)


class NewPapers(_In):
    papers: Annotated[list[NewPaper], Field(min_length=1, max_length=500)]


class Rejected(_Out):
    where: str
    reason: str


class Ambiguous(_Out):
    """A record that was kept, though it may be a paper that is already there under another id."""

    where: str
    paper_id: str
    other_id: str
    reason: str


class Report(_Out):
    """What adding did; every record is counted once, among the rejected ones with its place and reason."""

    added: int
    updated: int
    unchanged: int
    duplicates: int
    rejected: list[Rejected]
    ambiguous: list[Ambiguous]
    ids: dict[str, list[str]]
    seconds: float


class Removed(_Out):
    removed: int
    papers: int


# --- questions --------------------------------------------------------------------------------------------------------


class Filter(_In):
    """Conditions joined by AND, the values of one by OR. `year`: 2020, "2020-2024", ">=2020" or [2020, 2024]."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"year": "2020-2024", "author": "Hinton"}]})
    year: Year | YearText | Annotated[list[Year | None], Field(min_length=2, max_length=2)] | None = None
    author: Names | None = None
    venue: Names | None = None
    category: Names | None = None
    tag: Names | None = None
    source: Names | None = None
    note: Names | None = None
    ids: Names | None = None

    def given(self) -> dict[str, Any]:
        """As `Filters.parse` reads it."""
        return self.model_dump(exclude_none=True)


class SearchRequest(_In):
    model_config = ConfigDict(json_schema_extra={"examples": [{"question": "system prompts", "k": 5}]})
    question: Text
    k: Annotated[int, Field(ge=1, le=100)] = 10
    filters: Filter | None = None


class HitOut(_Out):
    """A ranked paper with its matching passages, best first."""

    rank: int
    score: float
    paper: PaperSummary
    passages: list[PassageSpan]


class SearchReply(_Out):
    question: str
    hits: list[HitOut]


class AskRequest(_In):
    """A question. `conversation` is the id of one to go on with, or `new`; `stream` asks for server-sent events."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"question": "How many combinations of system message snippets were assessed?"}]
        }
    )
    question: Text
    filters: Filter | None = None
    conversation: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    stream: bool = False


class CitationOut(_Out):
    """`abstract[start:end] == quote`, always; `key` is the number in the answer's `[key]`."""

    key: str
    paper: PaperSummary
    passage_id: str
    quote: str
    start: int
    end: int


class FindingOut(_Out):
    kind: str
    message: str


class ClaimOut(_Out):
    """One checkable sentence: `answer.text[start:end] == text`, with what the checks say of it."""

    text: str
    start: int
    end: int
    verdict: Verdict
    score: float | None
    citations: list[CitationOut]
    findings: list[FindingOut]


class AbstentionOut(_Out):
    reason: Reason
    message: str
    nearest_papers: list[PaperSummary]


class AnswerOut(_Out):
    """An answer or a refusal; of a refusal `text` is its message, and there are no claims."""

    question: str
    query: str
    status: Status
    text: str
    claims: list[ClaimOut]
    citations: list[CitationOut]
    abstention: AbstentionOut | None
    record_id: str
    engine: str
    seconds: float
    notes: list[str]


class AskReply(AnswerOut):
    conversation: str | None = None


class EvidenceOut(_Out):
    """A span that was shown to the engine, as it stood then."""

    paper_id: str
    passage_id: str
    start: int
    end: int
    text: str


class RecordOut(_Out):
    """What one question did: the answer as it was given, and what it was made from."""

    id: str
    created_at: str
    question: str
    query: str
    engine: str
    answer: AnswerOut
    evidence: list[EvidenceOut]
    filters: dict[str, Any]
    versions: dict[str, str]
    papers: dict[str, str]
    conversation_id: str | None
    user: str | None


# --- verifying --------------------------------------------------------------------------------------------------------


class VerifyRecord(_In):
    """Check a stored answer again."""

    record_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ClaimToCheck(_In):
    """A sentence, and the papers that are said to carry it: titles, ids or citekeys; by default what a search finds."""

    claim: Annotated[str, StringConstraints(min_length=1, max_length=5000)]
    papers: Annotated[list[Annotated[str, StringConstraints(max_length=2000)]], Field(max_length=20)] = []
    id: Annotated[str, StringConstraints(max_length=200)] | None = None


class VerifyClaims(_In):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"claims": [{"claim": "Weight decay is made cautious by one line of code."}]}]
        }
    )
    claims: Annotated[list[ClaimToCheck], Field(min_length=1, max_length=100)]


class VerifyText(_In):
    """Check each sentence of a draft against the papers that it cites."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=50_000)]


class CheckedCitationOut(_Out):
    key: str
    paper_id: str
    title: str
    start: int
    end: int
    quote: str
    quote_state: QuoteState
    paper_state: PaperState


class CheckedRecordOut(_Out):
    """`ok` when nothing is broken."""

    record_id: str
    question: str
    created_at: str
    ok: bool
    citations: list[CheckedCitationOut]
    findings: list[FindingOut]


class QuotedOut(_Out):
    """`abstract[start:end] == quote`."""

    paper_id: str
    start: int
    end: int
    quote: str


class CheckedClaimOut(_Out):
    """`evidence` is what holds at least some of it, best first."""

    id: str | None = None
    claim: str
    verdict: Verdict
    score: float | None
    findings: list[FindingOut]
    evidence: list[QuotedOut]


class CheckedClaims(_Out):
    claims: list[CheckedClaimOut]


class CheckedSentenceOut(_Out):
    """A sentence at `text[start:end]`, judged; `cited` are the papers that its citations mean."""

    text: str
    start: int
    end: int
    cited: list[str]
    verdict: Verdict
    score: float | None
    findings: list[FindingOut]
    evidence: list[QuotedOut]


class CheckedText(_Out):
    sentences: list[CheckedSentenceOut]


# --- events of a stream, and the rest ---------------------------------------------------------------------------------


class RetrievedEvent(_Out):
    query: str
    hits: list[HitOut]


class TokenEvent(_Out):
    text: str


class ClaimVerifiedEvent(_Out):
    claim: ClaimOut


class FinishedEvent(_Out):
    answer: AskReply


class Failure(_Out):
    """`code` for programs, `message` for people."""

    code: str
    message: str


class FailureReply(_Out):
    error: Failure


class Health(_Out):
    status: Literal["ok"]
    papers: int
    version: str
