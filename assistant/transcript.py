"""A stored conversation as a whole: its turns with citations numbered through, and what it cited.

Numbers and references are built from the records of the answers; markers that stand in a quoted text stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import quote

from assistant.answers import from_summary
from assistant.errors import NotInLibrary
from assistant.exporting import written
from assistant.papers import Paper

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.storage.history import ConversationSummary

Form = Literal["markdown", "bibtex", "json"]
FORMS: tuple[Form, ...] = get_args(Form)
LAST = "last"

_MARKER = re.compile(r"\[(\d+)\]")
_ADDRESS = re.compile(r"https?://[^\s<>\"\\^`{|}]+", re.IGNORECASE)
_KEY_OF_A_NOTE = re.compile(r"^\[\d+\] (?=“)")  # an answer's own number, which means another reference here
_MARKERS_AT_THE_END = re.compile(r"(?:\s*\[\d+\])+\s*$")


@dataclass(frozen=True, slots=True)
class Reference:
    """A cited span under its number; `paper` is the bibliographic part as the answer's record has it."""

    number: int
    paper: Mapping[str, Any]
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an answer's text, with the numbers that stand after it."""

    text: str
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """One turn: `pieces` join to the answer's text; for a refusal `nearest` are the papers that it offered."""

    question: str
    query: str
    record_id: str
    created_at: str
    status: str
    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = ()
    nearest: tuple[Mapping[str, Any], ...] = ()

    @property
    def text(self) -> str:
        """The answer with the conversation's numbers as markers."""
        return "".join(piece.text + "".join(f" [{number}]" for number in piece.numbers) for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation with its references in order of first use."""

    id: str
    title: str
    created_at: str
    turns: tuple[Answered, ...]
    references: tuple[Reference, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        turns = [{**asdict(turn), "text": turn.text} for turn in self.turns]
        for turn in turns:
            del turn["pieces"]
        references = [{**asdict(reference), "paper": dict(reference.paper)} for reference in self.references]
        whole = {"id": self.id, "title": self.title, "created_at": self.created_at}
        return {**whole, "turns": turns, "references": references}


def find(library: Library, reference: str) -> ConversationSummary:
    """The conversation of this id, or the latest one with a question for `last`; raises NotInLibrary."""
    known = library.list_conversations()
    if reference == LAST:
        asked = next((summary for summary in known if summary.turns), None)
        if asked is None:
            raise NotInLibrary("no conversation in this library yet; begin one with: ibid chat")
        return asked
    for summary in known:
        if summary.id == reference:
            return summary
    raise NotInLibrary(
        f"no conversation {reference!r} in this library; see those there are with: ibid conversations list"
    )


def transcript(library: Library, reference: str) -> Transcript:
    """Reads a conversation by id or `last`; a turn whose record is gone has no answer. Raises NotInLibrary."""
    summary = find(library, reference)
    numbers = Numbers()
    turns = []
    for turn in library.conversation_turns(summary.id):
        try:
            record = library.record(turn.record_id)
        except NotInLibrary:
            turns.append(Answered(turn.question, turn.query, turn.record_id, "", "lost", ()))
            continue
        answer = record.answer
        nearest = tuple(answer["abstention"]["nearest_papers"]) if answer["abstention"] else ()
        pieces = tuple(renumbered(answer["text"], answer["claims"], numbers))
        told = (turn.question, turn.query, record.id, record.created_at, answer["status"])
        notes = tuple(_KEY_OF_A_NOTE.sub("", note) for note in answer["notes"])
        turns.append(Answered(*told, pieces, notes, nearest))
    return _as_it_stands(
        library, Transcript(summary.id, summary.title, summary.created_at, tuple(turns), numbers.references)
    )


def _as_it_stands(library: Library, whole: Transcript) -> Transcript:
    """With what the library knows today of the papers' standing: a retraction may have come after the answer."""
    told = [
        *(reference.paper for reference in whole.references),
        *(paper for turn in whole.turns for paper in turn.nearest),
    ]
    here = library.papers_by_id({paper["id"] for paper in told})

    def now(paper: Mapping[str, Any]) -> Mapping[str, Any]:
        known = here.get(paper["id"])
        return {**paper, "notices": list(known.notices) if known else list(paper.get("notices", ()))}

    turns = tuple(replace(turn, nearest=tuple(map(now, turn.nearest))) for turn in whole.turns)
    references = tuple(replace(reference, paper=now(reference.paper)) for reference in whole.references)
    return replace(whole, turns=turns, references=references)


class Numbers:
    """Gives each cited span its number, from 1 in order of first use; the same span keeps its number."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, int, int], Reference] = {}

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(self._given.values())

    def of(self, citation: Mapping[str, Any]) -> int:
        """The number of a citation in its JSON form."""
        key = (citation["paper"]["id"], citation["start"], citation["end"])
        if key not in self._given:
            told = (citation["paper"], citation["quote"], citation["start"], citation["end"])
            self._given[key] = Reference(len(self._given) + 1, *told)
        return self._given[key].number

    def of_all(self, citations: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
        """The numbers of citations that stand together, each once."""
        return tuple(dict.fromkeys(map(self.of, citations)))


def renumbered(text: str, claims: Sequence[Mapping[str, Any]], numbers: Numbers) -> Iterator[Piece]:
    """The answer's text in pieces, each claim's own markers taken out and its spans' numbers put in their place."""
    position = 0
    for claim in claims:
        if between := text[position : claim["start"]]:
            yield Piece(between)
        yield from _claim(claim, numbers)
        position = claim["end"]
    if rest := text[position:]:
        yield Piece(rest)


def _claim(claim: Mapping[str, Any], numbers: Numbers) -> Iterator[Piece]:
    """A quotation's markers stand after it, and any within it are the paper's own; free words may have theirs anywhere."""
    text = claim["text"]
    by_key: dict[str, list[Mapping[str, Any]]] = {}
    for citation in claim["citations"]:
        by_key.setdefault(citation["key"], []).append(citation)
    begin = 0
    if claim["verdict"] == "quoted":
        found = _MARKERS_AT_THE_END.search(text)
        begin = found.start() if found else len(text)
    position, shown = 0, set()
    for marker in _MARKER.finditer(text, begin):
        if spans := by_key.get(marker.group(1), []):
            shown.add(marker.group(1))
            yield Piece(text[position : marker.start()].rstrip(), numbers.of_all(spans))
            position = marker.end()
    left = numbers.of_all([citation for key, spans in by_key.items() if key not in shown for citation in spans])
    if position < len(text) or left:
        yield Piece(text[position:], left)


def address(paper: Mapping[str, Any]) -> str:
    """A paper's DOI or arXiv id as an address, else its own when it is one; empty otherwise."""
    if paper["doi"]:
        return f"https://doi.org/{quote(paper['doi'], safe='/:;().-_')}"
    if paper["arxiv_id"]:
        return f"https://arxiv.org/abs/{quote(paper['arxiv_id'], safe='/.')}"
    return paper["url"] if paper["url"] and _ADDRESS.fullmatch(paper["url"]) else ""


def warning(paper: Mapping[str, Any]) -> str:
    """What is to be known of a paper's standing, as a sentence without its stop; empty where there is nothing."""
    return "; ".join(notice.rstrip(".") for notice in paper.get("notices", ()))


def cited(library: Library, whole: Transcript) -> tuple[Paper, ...]:
    """The papers that a conversation cites, in order of first use; of one that is gone, what the record kept."""
    told = {reference.paper["id"]: reference.paper for reference in whole.references}
    here = library.papers_by_id(told)
    return tuple(here.get(paper_id) or from_summary(kept) for paper_id, kept in told.items())


def exported(library: Library, reference: str, form: Form) -> str:
    """A conversation written out; `bibtex` has the papers that it cites. Raises NotInLibrary.

    HTML comes from `assistant.transcript_html`, a Word document from `assistant.transcript_docx`.
    """
    whole = transcript(library, reference)
    if form == "bibtex":
        return "".join(written(cited(library, whole), "bibtex"))
    if form == "json":
        import json

        return json.dumps(whole.to_dict(), ensure_ascii=False, indent=2) + "\n"
    from assistant import transcript_markdown

    return transcript_markdown.markdown(whole)
