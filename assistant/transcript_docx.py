"""A conversation as a Word document with numbered references."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from assistant.cleaning import clean
from assistant.transcript import Answered, Reference, Transcript, address, warning

_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 forbids them


def document(whole: Transcript) -> Iterator[bytes]:
    """The file's bytes."""
    from docx import Document

    made = Document()
    title = _text(whole.title or "Conversation")
    made.core_properties.title, made.core_properties.author = title[:255], "Ibid"
    made.core_properties.created = _when(whole.created_at)
    made.add_heading(title, level=0)
    made.add_paragraph(f"Conversation {whole.id}, {whole.created_at[:10]}")
    for turn in whole.turns:
        _turn(made, turn)
    if whole.references:
        made.add_heading("References", level=1)
        for reference in whole.references:
            _reference(made, reference)
    buffer = io.BytesIO()
    made.save(buffer)
    yield buffer.getvalue()


def _turn(made: Any, turn: Answered) -> None:
    made.add_heading(_text(turn.question), level=1)
    if turn.query != " ".join(turn.question.split()):
        made.add_paragraph().add_run(f"Read as: {_text(turn.query)}").italic = True
    if turn.status == "abstained":
        made.add_paragraph(_text(turn.text), style="Intense Quote")
        for paper in turn.nearest:
            _paper(made.add_paragraph(style="List Bullet"), paper)
    elif not turn.pieces:
        made.add_paragraph("The record of this answer is gone.")
    else:
        _answer(made, turn)
    for note in turn.notes:
        made.add_paragraph().add_run(f"Note: {_text(note)}.").italic = True


def _answer(made: Any, turn: Answered) -> None:
    paragraph = made.add_paragraph()
    for piece in turn.pieces:
        first, *others = piece.text.split("\n")
        paragraph.add_run(_text(first))
        for line in others:
            paragraph = made.add_paragraph(_text(line))
        for number in piece.numbers:
            paragraph.add_run(f"[{number}]").font.superscript = True
        paragraph.add_run(" ")


def _reference(made: Any, reference: Reference) -> None:
    paragraph = made.add_paragraph(f"[{reference.number}] ")
    _paper(paragraph, reference.paper)
    place = f" (characters {reference.start}–{reference.end})"
    made.add_paragraph(f"“{_text(reference.quote)}”{place}", style="Quote")


def _paper(paragraph: Any, paper: Mapping[str, Any]) -> None:
    authors, year = "; ".join(paper["authors"]), f" ({paper['year']})" if paper["year"] else ""
    if authors:
        paragraph.add_run(_text(f"{authors}{year}. "))
    paragraph.add_run(_text(paper["title"].rstrip("."))).italic = True
    rest = [year if not authors else "", ".", f" {paper['venue']}." if paper["venue"] else "", f" {address(paper)}"]
    paragraph.add_run(_text("".join(rest).rstrip()))
    if warning(paper):
        paragraph.add_run(_text(f" {warning(paper)}.")).bold = True


def _text(text: str) -> str:
    return _UNPRINTABLE.sub("", clean(text).text)


def _when(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return datetime(2000, 1, 1, tzinfo=UTC)
