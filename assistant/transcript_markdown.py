"""A conversation as Markdown, with numbered references at its end. What papers and people wrote stays inert text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assistant.cleaning import clean
from assistant.markup import escaped
from assistant.transcript import Answered, Reference, Transcript, address, warning


def markdown(whole: Transcript) -> str:
    """The document: a heading, each question with its answer, then the references."""
    count = len(whole.turns)
    asked = f"{count} question{'' if count == 1 else 's'}"
    lines = [
        f"# {escaped(whole.title or 'Conversation')}",
        "",
        f"Conversation {whole.id}, {asked}, {whole.created_at[:10]}",
        "",
    ]
    for turn in whole.turns:
        lines += [*_turn(turn), ""]
    if whole.references:
        lines += ["## References", ""]
        for reference in whole.references:
            lines += [*_reference(reference), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _turn(turn: Answered) -> Iterator[str]:
    yield f"## {escaped(turn.question)}"
    yield ""
    if turn.query != " ".join(turn.question.split()):
        yield f"Read as: *{escaped(turn.query)}*"
        yield ""
    if turn.status == "abstained":
        yield f"> {escaped(clean(turn.text).text)}"
        yield from _nearest(turn)
    else:
        yield from _paragraphs(turn)
    for note in turn.notes:
        yield ""
        yield f"Note: {escaped(note)}."


def _paragraphs(turn: Answered) -> Iterator[str]:
    """The answer's lines as paragraphs, each piece escaped and followed by its numbers as links to the references."""
    if not turn.pieces:
        yield "The record of this answer is gone."
        return
    paragraph = ""
    for piece in turn.pieces:
        first, *others = piece.text.split("\n")
        paragraph = _joined(paragraph, first)
        for other in others:
            if paragraph:
                yield from (paragraph, "")
            paragraph = _joined("", other)
        for number in piece.numbers:
            paragraph = f"{paragraph} [\\[{number}\\]](#ref-{number})".lstrip()
    if paragraph:
        yield paragraph


def _joined(before: str, text: str) -> str:
    plain = escaped(clean(text).text)
    return f"{before} {plain}" if before and plain else before or plain


def _nearest(turn: Answered) -> Iterator[str]:
    if turn.nearest:
        yield ""
        yield "Nearest papers:"
        yield ""
        for paper in turn.nearest:
            yield f"- {_paper(paper)}"


def _reference(reference: Reference) -> Iterator[str]:
    yield f'<a id="ref-{reference.number}"></a>\\[{reference.number}\\] {_paper(reference.paper)}'
    yield ""
    yield f"> “{escaped(clean(reference.quote).text)}” (characters {reference.start}–{reference.end})"


def _paper(paper: Mapping[str, Any]) -> str:
    authors = "; ".join(paper["authors"])
    year = f" ({paper['year']})" if paper["year"] else ""
    head = f"{escaped(authors)}{year}. " if authors else ""
    venue = f" {escaped(clean(paper['venue']).text)}." if paper["venue"] else ""
    link = address(paper)
    when = f" ({paper['year']})" if paper["year"] and not authors else ""
    warned = f" **{escaped(warning(paper))}.**" if warning(paper) else ""
    address_shown = f" <{link}>" if link else ""
    return f"{head}*{escaped(clean(paper['title']).text.rstrip('.'))}*{when}.{venue}{address_shown}{warned}"
