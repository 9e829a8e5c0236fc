"""How results look: JSON for programs; for people, text that is coloured on a terminal and plain in a pipe."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.answers import Answer, Event, Retrieved
    from assistant.papers import Hit, Paper

_WIDEST = 100


def emit(value: Any) -> None:
    """One JSON document on one line; in ASCII where the text has lone surrogates or the output isn't Unicode."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value)
    click.echo(text)


def width() -> int:
    """Columns to fill."""
    return min(_WIDEST, shutil.get_terminal_size().columns)


def shown(text: str) -> str:
    """Stored text cleaned for the eye: LaTeX accents, escapes, glued addresses."""
    from assistant.cleaning import clean

    return clean(text).text


def wrapped(text: str, indent: str = "") -> str:
    """A paragraph filled to the width."""
    return textwrap.fill(
        text,
        width=width(),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def paper_line(paper: Paper) -> str:
    """Title, authors, year and venue on one line; before them what warns of a paper that was retracted."""
    from assistant.standing import standing

    known = standing(paper.notices)
    mark = f"[{known.word.upper() if known.grave else known.word}] " if known else ""
    authors = ", ".join(paper.authors[:3]) + (" et al." if len(paper.authors) > 3 else "")
    rest = " · ".join(part for part in (authors, str(paper.year or ""), shown(paper.venue or "")) if part)
    return mark + shown(paper.title) + (f" — {rest}" if rest else "")


def answer_text(answer: Answer) -> str:
    """The answer with numbered references and the quoted spans; a refusal with the nearest papers."""
    lines: list[str] = []
    if answer.query != " ".join(answer.question.split()):
        lines.append(click.style(wrapped(f"Read as: {answer.query}"), dim=True))
    if answer.abstention is not None:
        lines.append(click.style(wrapped(shown(answer.text)), fg="yellow"))
        if answer.abstention.nearest_papers:
            lines += ["", click.style("Nearest papers", bold=True)]
            lines += [wrapped(paper_line(paper), "  ") for paper in answer.abstention.nearest_papers]
    else:
        lines += [wrapped(shown(line)) for line in answer.text.split("\n")]
        lines += _doubts(answer)
        lines += ["", *_references(answer)]
    lines += [click.style(wrapped(f"Note: {note}."), dim=True) for note in answer.notes]
    return "\n".join(lines)


def answered(events: Iterable[Event]) -> Answer:
    """The answer at a stream's end. On a terminal, the quotes are shown at once where a model still has to write."""
    from assistant.answers import Finished, Retrieved

    for event in events:
        if isinstance(event, Retrieved) and event.quotes and sys.stderr.isatty():
            click.echo(quotes_text(event), err=True)
        if isinstance(event, Finished):
            return event.answer
    raise AssertionError("a stream ends with Finished")  # pragma: no cover


def quotes_text(retrieved: Retrieved) -> str:
    """What the papers say, before a model has written a word."""
    title = click.style("The papers say; the answer is being written …", bold=True)
    quotes = (wrapped(f"“{shown(quote.quote)}” {shown(quote.paper.title)}", "  ") for quote in retrieved.quotes)
    return "\n".join([title, *(click.style(quote, dim=True) for quote in quotes)]) + "\n"


_MENDED = ("repaired", "replaced")


def _doubts(answer: Answer) -> list[str]:
    """A line for each sentence that its evidence does not fully carry, or that was mended, with what was found."""
    lines: list[str] = []
    for claim in answer.claims:
        kinds = {finding.kind for finding in claim.findings}
        mended = next((kind for kind in _MENDED if kind in kinds), None)
        if mended is None and (claim.verdict in ("quoted", "supported") or "no_claim" in kinds):
            continue
        found = " ".join(finding.message for finding in claim.findings)
        label = f"{claim.verdict}, {mended}" if mended else claim.verdict
        lines.append(click.style(wrapped(f"! {label}: “{shown(claim.text)}” {found}".rstrip(), "  "), fg="yellow"))
    return ["", *lines] if lines else []


def _references(answer: Answer) -> list[str]:
    lines: list[str] = []
    seen: set[str] = set()
    for citation in answer.citations:
        if citation.key not in seen:
            seen.add(citation.key)
            lines.append(click.style(f"[{citation.key}] ", fg="cyan", bold=True) + paper_line(citation.paper))
            if citation.paper.url:
                lines.append(f"    {citation.paper.url}")
        lines += [
            click.style(wrapped(f"“{shown(other.quote)}”", "    "), fg="green")
            + click.style(f"  {other.start}–{other.end}", dim=True)
            for other in answer.citations
            if other is citation
        ]
    return lines


def hit_text(hit: Hit) -> str:
    """A search hit: rank, paper, and the start of its best passage."""
    head = click.style(f"{hit.rank:>3}. ", fg="cyan", bold=True) + paper_line(hit.paper)
    body = textwrap.shorten(shown(hit.passages[0].text), width=220, placeholder=" …")
    return f"{head}\n{wrapped(body, '     ')}"
