"""The claim ledger: from the sentences an engine chose to an answer whose every claim points at its characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant import elision
from assistant.answers import Citation, Claim
from assistant.elision import Piece, Wording
from assistant.evidence import Sentence
from assistant.papers import Paper
from assistant.quotes import Part


@dataclass(frozen=True, slots=True)
class Ledger:
    """An answer's text with its claims and citations; `text[claim.start:claim.end] == claim.text`."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]


class Numbering:
    """Gives papers their citation keys "1", "2", … in order of first use."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def key(self, paper: Paper) -> str:
        return self._keys.setdefault(paper.id, str(len(self._keys) + 1))


def cite(sentence: Sentence, numbering: Numbering, piece: Piece | None = None) -> Citation:
    """The citation of an evidence sentence, or of a piece of it."""
    start, end = (piece.start, piece.end) if piece else (0, len(sentence.text))
    return Citation(
        key=numbering.key(sentence.paper),
        paper=sentence.paper,
        passage_id=sentence.passage_id,
        quote=sentence.text[start:end],
        start=sentence.start + start,
        end=sentence.start + end,
    )


def quoted(parts: Sequence[Part]) -> Ledger:
    """Joins the parts of a quoted answer: a line a paper when titles lead, else one paragraph.

    Each sentence, with its marker, is a claim with the verdict `quoted`, and cites each of its verbatim pieces: one when
    it is told whole, else what stands between brackets. A leading title is a label, not a claim.
    """
    numbering = Numbering()
    text = ""
    claims: list[Claim] = []
    for part in parts:
        if text:
            text += "\n"
        if part.lead:
            text += f"{part.paper.title}: "
        for position, (sentence, wording) in enumerate(part.worded()):
            if position:
                text += " "
            claims.append(quote(sentence, wording, numbering, len(text)))
            text += claims[-1].text
    return Ledger(text, tuple(claims), citations_of(claims))


def quote(sentence: Sentence, wording: Wording, numbering: Numbering, start: int) -> Claim:
    """The claim that a sentence is, told in its wording, at `start` of an answer's text."""
    cited = tuple(cite(sentence, numbering, piece) for piece in elision.pieces(wording))
    said = f"{elision.told(sentence.text, wording)} [{numbering.key(sentence.paper)}]"
    return Claim(said, start, start + len(said), "quoted", 1.0, cited)


def citations_of(claims: Sequence[Claim]) -> tuple[Citation, ...]:
    """All citations of the claims, in order of first use, without repeats."""
    return tuple(dict.fromkeys(citation for claim in claims for citation in claim.citations))
