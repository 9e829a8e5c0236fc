"""A conversation as one HTML file without scripts or addresses to load from; what papers and people wrote stays text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from assistant.cleaning import clean
from assistant.transcript import Answered, Reference, Transcript, address, warning

_STYLE: Final = (
    "body{max-width:44rem;margin:2rem auto;padding:0 1rem;font:1rem/1.55 Georgia,serif;color:#222;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}blockquote{margin:.3rem 0 1rem;padding-left:1rem;"
    "border-left:3px solid #ccc;color:#444}.note{color:#666}.warning{color:#a1163f}sup a{text-decoration:none}li{margin-bottom:.8rem}"
)


def html(whole: Transcript) -> str:
    """The document: a heading, each question with its answer, then the references."""
    title = escape(whole.title or "Conversation")
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        f'<p class="note">Conversation {escape(whole.id)}, {escape(whole.created_at[:10])}</p>',
    ]
    for turn in whole.turns:
        lines += _turn(turn)
    if whole.references:
        lines.append("<h2>References</h2><ol>")
        lines += [_reference(reference) for reference in whole.references]
        lines.append("</ol>")
    return "\n".join([*lines, "</body></html>"]) + "\n"


def _turn(turn: Answered) -> Iterator[str]:
    yield f"<h2>{escape(turn.question)}</h2>"
    if turn.query != " ".join(turn.question.split()):
        yield f'<p class="note">Read as: {escape(turn.query)}</p>'
    if turn.status == "abstained":
        yield f"<blockquote>{escape(clean(turn.text).text)}</blockquote>"
        if turn.nearest:
            papers = "".join(f"<li>{_paper(paper)}</li>" for paper in turn.nearest)
            yield f"<p>Nearest papers:</p><ul>{papers}</ul>"
    elif turn.pieces:
        yield f"<p>{_answer(turn)}</p>"
    else:
        yield '<p class="note">The record of this answer is gone.</p>'
    for note in turn.notes:
        yield f'<p class="note">Note: {escape(note)}.</p>'


def _answer(turn: Answered) -> str:
    parts = []
    for piece in turn.pieces:
        parts.append("</p>\n<p>".join(escape(clean(line).text) for line in piece.text.split("\n")))
        parts += [f'<sup><a href="#ref-{number}">[{number}]</a></sup>' for number in piece.numbers]
        parts.append(" ")
    return "".join(parts).strip()


def _reference(reference: Reference) -> str:
    quote = escape(clean(reference.quote).text)
    place = f"characters {reference.start}–{reference.end}"
    return (
        f'<li id="ref-{reference.number}" value="{reference.number}">{_paper(reference.paper)}'
        f'<blockquote>“{quote}” <span class="note">({place})</span></blockquote></li>'
    )


def _paper(paper: Mapping[str, Any]) -> str:
    authors = escape("; ".join(paper["authors"]))
    year = f" ({paper['year']})" if paper["year"] else ""
    venue = f" {escape(clean(paper['venue']).text)}." if paper["venue"] else ""
    link = escape(address(paper), quote=True)
    told = f"{authors}{year}. " if authors else ""
    late = year if not authors else ""
    shown = f' <a href="{link}" rel="noreferrer">{link}</a>' if link else ""
    warned = f' <strong class="warning">{escape(warning(paper))}.</strong>' if warning(paper) else ""
    return f"{told}<em>{escape(clean(paper['title']).text.rstrip('.'))}</em>{late}.{venue}{shown}{warned}"
