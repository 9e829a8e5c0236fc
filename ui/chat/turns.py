"""A question with what became of it, as HTML: looking, reading, writing, then an answer, a refusal or a failure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from assistant.answers import Answer, Citation, Claim, Retrieved, Verdict
from assistant.cleaning import clean
from assistant.filters import Filters
from assistant.papers import Hit, Paper
from ui import standing
from ui.chat import stopping
from ui.chat.icons import icon
from ui.rendering import (
    REASON_TITLES,
    VERDICT_LABELS,
    byline,
    count,
    escape,
    lines,
    readable,
    reference,
)

_MARKER = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_END = re.compile(
    r"((?:\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\])+)([.!?…]+)\s*$"
)  # a stop after markers is shown before them
_EVIDENCE_SHOWN: Final = 4
_SNIPPET_CHARACTERS: Final = 220
_SYMBOLS: Final[Mapping[Verdict, str]] = {
    "partial": "◐",
    "unsupported": "!",
    "contradicted": "✕",
    "uncited": "∅",
    "unscored": "?",
}
_MENDED: Final = {"repaired": "repaired", "replaced": "quote in place of a sentence that was not carried"}


def looking(question: str) -> str:
    """A question just asked."""
    return _question(question) + '<p class="ibid-looking"><span>Looking through the abstracts</span></p>'


def found(question: str, retrieved: Retrieved) -> str:
    """The papers found, before a word of the answer."""
    return _question(question) + _evidence(retrieved) + '<p class="ibid-looking"><span>Reading them</span></p>'


def writing(question: str, retrieved: Retrieved | None, text: str, claims: Sequence[Claim]) -> str:
    """The sentences that have been checked so far; what was not is not shown."""
    body = _body(text[: claims[-1].end] if claims else "", claims, None)
    evidence = _evidence(retrieved) if retrieved else ""
    going_on = '<p class="ibid-looking"><span>Writing, and checking each sentence</span></p>'
    return f'{_question(question)}<div class="ibid-answer ibid-draft">{body}</div>{evidence}{going_on}'


def finished(
    answer: Answer,
    number: int | None,
    *,
    filters: Mapping[str, Any] | None = None,
    rating: float | None = None,
    also: str = "",
) -> str:
    """An answer with its references, or its refusal with the nearest papers; `number` is its place in the conversation.

    `rating` is what the reader said of it before; `also` is HTML of what else was read.
    """
    about = f"{_read_as(answer)}{_asked_of(filters)}"
    if answer.abstention is not None:
        return _question(answer.question, number) + about + _refusal(answer) + also + _tools(answer, rating)
    body = _body(answer.text, answer.claims, answer.record_id)
    cut = _CUT_SHORT if stopping.NOTE in answer.notes else ""
    notes = "".join(f'<p class="ibid-note">{escape(note)}</p>' for note in _notes(answer))
    references = _references(answer.citations, answer.record_id)
    return (
        f"{_question(answer.question, number)}{about}"
        f'<div class="ibid-answer" role="group" aria-label="Answer">{body}</div>{cut}{notes}{references}{also}'
        f"{_tallies(answer)}{_tools(answer, rating)}"
    )


def failed(question: str, message: str) -> str:
    """Something kept the question from being answered; never to be taken for an answer."""
    again = f'<button type="button" class="ibid-button" data-do="again">{icon("again")}Try again</button>'
    return (
        f'{_question(question)}<div class="ibid-failure" role="alert"><strong>No answer.</strong> '
        f"<span>{escape(message)}</span>{again}</div>"
    )


def stopped(question: str, text: str, claims: Sequence[Claim]) -> str:
    """Asked, and stopped before the end: what had been checked by then, marked as cut short."""
    body = _body(text[: claims[-1].end], claims, None) if claims else ""
    answer = f'<div class="ibid-answer ibid-draft">{body}</div>' if body else ""
    again = f'<button type="button" class="ibid-button" data-do="again">{icon("again")}Ask again</button>'
    said = "Stopped. These sentences are not kept." if body else "Stopped before anything was said."
    return f'{_question(question)}{answer}<div class="ibid-stopped"><span>{said}</span>{again}</div>'


def lost(question: str, number: int) -> str:
    """A turn whose record is gone."""
    return f'{_question(question, number)}<p class="ibid-note">The record of this answer is gone.</p>'


def unmarked(text: str) -> str:
    """A sentence without its markers."""
    return _MARKER.sub("", text)


def plain(answer: Answer) -> str:
    """The answer with its references as plain text, to be pasted elsewhere."""
    parts = [clean(answer.text).text]
    cited = {citation.key: citation.paper for citation in answer.citations}
    if cited:
        parts.append("\n".join(f"[{key}] {reference(paper)}" for key, paper in cited.items()))
    return "\n\n".join(parts)


def verdict(claim: Claim) -> str:
    """What was found about a claim in a few words."""
    kinds = {finding.kind for finding in claim.findings}
    if "no_claim" in kinds:
        return "no claim"
    return ", ".join([VERDICT_LABELS[claim.verdict], *(said for kind, said in _MENDED.items() if kind in kinds)])


_CUT_SHORT: Final = (
    '<div class="ibid-stopped"><span>Stopped here; more may have come.</span>'
    f'<button type="button" class="ibid-button" data-do="again">{icon("again")}Ask again</button></div>'
)


# --- pieces -----------------------------------------------------------------------------------------------------------


def _question(question: str, number: int | None = None) -> str:
    edit = (
        f'<button type="button" class="ibid-quiet" data-do="edit" aria-label="Edit this question" '
        f'title="Edit and ask again from here">{icon("edit")}</button>'
    )
    place = f' data-number="{number}"' if number is not None else ""
    return f'<div class="ibid-asked"{place}><h2 class="ibid-question">{lines(question)}</h2>{edit}</div>'


def _evidence(retrieved: Retrieved) -> str:
    hits = retrieved.hits
    if not hits:
        return ""
    more = len(hits) - _EVIDENCE_SHOWN
    rest = f'<p class="ibid-soft">and {count(more, "more paper")}</p>' if more > 0 else ""
    cards = "".join(map(_card, hits[:_EVIDENCE_SHOWN]))
    return f'<div class="ibid-found"><div class="ibid-label">Found</div><ol>{cards}</ol>{rest}</div>'


def _card(hit: Hit) -> str:
    passage = hit.passages[0]
    text = clean(passage.text).text
    snippet = text if len(text) <= _SNIPPET_CHARACTERS else text[:_SNIPPET_CHARACTERS].rsplit(" ", 1)[0] + " …"
    details = f"<small>{byline(hit.paper)}</small>" if byline(hit.paper) else ""
    where = f'data-paper="{escape(hit.paper.id)}" data-start="{passage.start}" data-end="{passage.end}"'
    return (
        f'<li><button type="button" class="ibid-card" data-do="paper" {where}>'
        f"<strong>{readable(hit.paper.title)}{standing.mark(hit.paper)}</strong>{details}<span>{escape(snippet)}</span></button></li>"
    )


def _read_as(answer: Answer) -> str:
    """The stand-alone question that a follow-up was read as, where it isn't what the user typed."""
    if answer.query == " ".join(answer.question.split()):
        return ""
    return f'<p class="ibid-about">Read as: {readable(answer.query)}</p>'


def _asked_of(filters: Mapping[str, Any] | None) -> str:
    if not filters:
        return ""
    lists: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in filters.items()
    }
    chosen = Filters(**lists)
    if chosen.empty:
        return ""
    first, last = chosen.year_from, chosen.year_to
    years = str(first) if first == last else f"{first or ''}–{last or ''}"
    parts = [years] if first or last else []
    parts += [*chosen.authors, *chosen.venues, *chosen.categories, *chosen.tags, *chosen.sources]
    parts += [f"note: {note}" for note in chosen.notes]
    if chosen.ids is not None:
        parts.append(count(len(chosen.ids), "picked paper"))
    return f'<p class="ibid-about">Asked of: {escape(" · ".join(parts))}</p>'


def _notes(answer: Answer) -> tuple[str, ...]:
    """The answer's notes; those on a paper's standing without its title, which the references name, a line a paper."""
    found: dict[str, list[str]] = {}
    for note in answer.notes:
        if note == stopping.NOTE:
            continue
        key = next((c.key for c in answer.citations if note.startswith(f"[{c.key}] “{c.paper.title}”: ")), "")
        title = next((c.paper.title for c in answer.citations if c.key == key), "")
        found.setdefault(f"[{key}] " if key else note, []).append(note.removeprefix(f"[{key}] “{title}”: "))
    return tuple((start if start not in told else "") + "; ".join(told) for start, told in found.items())


def _body(text: str, claims: Sequence[Claim], record_id: str | None) -> str:
    """The answer's text, a paragraph a line: its claims, and between them what introduces them (a paper's title)."""
    paragraphs: list[list[str]] = [[]]
    position = 0
    for number, claim in enumerate(claims):
        between = text[position : claim.start]
        if "\n" in between and paragraphs[-1]:
            paragraphs.append([])
        if lead := between.strip():
            paragraphs[-1].append(f'<strong class="ibid-lead">{readable(lead)}</strong>')
        paragraphs[-1].append(_claim(claim, number, record_id))
        position = claim.end
    if rest := text[position:].strip():
        paragraphs[-1].append(readable(rest))
    return "".join(f"<p>{' '.join(parts)}</p>" for parts in paragraphs if parts)


def _claim(claim: Claim, number: int, record_id: str | None) -> str:
    """A claim: its words are a control that opens what they rest on, its markers controls of their own beside them."""
    says = verdict(claim)
    where = _target(claim, number, record_id)
    tag = ""
    if claim.verdict in _SYMBOLS or says != VERDICT_LABELS[claim.verdict]:
        symbol = _SYMBOLS.get(claim.verdict, "✎")
        tag = f' <em class="ibid-verdict"><b aria-hidden="true">{symbol}</b> {escape(says)}</em>'
    pieces: list[str] = []
    position = 0
    cited = {citation.key: citation.paper for citation in claim.citations}
    text = _END.sub(r"\2\1", claim.text)
    for marker in [*_MARKER.finditer(text), None]:
        words = text[position : marker.start() if marker else len(text)]
        if words.strip(" .") or (words.strip() and not pieces):
            pieces.append(_said(words, says, where, first=not pieces))
        else:
            pieces.append(escape(words))
        if marker:
            keys = re.split(r"\s*,\s*", marker.group(1))
            pieces.append("".join(_marker(key, where, cited.get(key)) for key in keys))
            pieces += dict.fromkeys(standing.mark(cited[key], grave_only=True) for key in keys if key in cited)
            position = marker.end()
    return f'<span class="ibid-claim ibid-{claim.verdict}">{"".join(pieces)}{tag}</span>'


def _target(claim: Claim, number: int, record_id: str | None) -> str:
    """What a click asks for: the claim of a record, or while there is none yet the span that it points at."""
    if record_id:
        return f'data-do="claim" data-record="{escape(record_id)}" data-claim="{number}"'
    if claim.citations:
        first = claim.citations[0]
        return (
            f'data-do="paper" data-paper="{escape(first.paper.id)}" data-start="{first.start}" data-end="{first.end}"'
        )
    return ""


def _said(words: str, says: str, where: str, *, first: bool) -> str:
    text = readable(words)
    if not where:
        return f'<span class="ibid-said" data-says="{escape(says)}">{text}</span>'
    control = 'role="button" tabindex="0"' if first else ""
    described = f'aria-description="{escape(says)}; opens the source"' if first else ""
    space = " " if words[:1].isspace() else ""
    return f'{space}<span class="ibid-said" {control} {described} data-says="{escape(says)}" {where}>{text}</span>'


def _marker(key: str, where: str, paper: Paper | None) -> str:
    """A citation's number; it opens what it cites where that is a paper of the answer."""
    if not where or paper is None:
        return f'<span class="ibid-marker">{escape(key)}</span>'
    warned = f", {standing.word(paper)}" if standing.word(paper) else ""
    label = f'aria-label="Source {escape(key)}{warned}" data-key="{escape(key)}"'
    # No button element: a line may break before one, and a marker is not to stand at the start of a line.
    return f'<span class="ibid-marker" role="button" tabindex="0" {label} {where}>{escape(key)}</span>'


def _references(citations: Sequence[Citation], record_id: str) -> str:
    cited = {citation.key: citation.paper for citation in citations}

    def where(key: str, paper: Paper) -> str:
        if not record_id:
            return f'data-do="paper" data-paper="{escape(paper.id)}"'
        return f'data-do="claim" data-record="{escape(record_id)}" data-key="{escape(key)}"'

    items = "".join(
        f'<li><button type="button" class="ibid-reference" {where(key, paper)}><span class="ibid-marker" aria-hidden="true">{escape(key)}</span>'
        f'<span><span class="ibid-title">{readable(paper.title)}{standing.mark(paper)}</span>'
        f'<span class="ibid-details">{byline(paper)}</span></span></button></li>'
        for key, paper in cited.items()
    )
    return (
        f'<div class="ibid-references"><div class="ibid-label">References</div><ol>{items}</ol></div>'
        if items
        else ""
    )


def _refusal(answer: Answer) -> str:
    if answer.abstention is None:
        raise ValueError("an answered question has no refusal to render")
    cards = "".join(
        f'<li><button type="button" class="ibid-near" data-do="paper" data-paper="{escape(paper.id)}">'
        f'<span class="ibid-title">{readable(paper.title)}{standing.mark(paper)}</span>'
        f'<span class="ibid-details">{byline(paper)}</span></button></li>'
        for paper in answer.abstention.nearest_papers
    )
    nearest = f'<div class="ibid-label">Closest papers here</div><ul>{cards}</ul>' if cards else ""
    notes = "".join(f'<p class="ibid-note">{escape(note)}</p>' for note in answer.notes)
    return (
        f'<section class="ibid-refusal" data-reason="{answer.abstention.reason}" aria-label="Not answered">'
        f'<h3 class="ibid-refusal-title">{REASON_TITLES[answer.abstention.reason]}</h3>'
        f"<p>{readable(answer.abstention.message)}</p>{notes}{nearest}"
        f'<div class="ibid-instead" data-record="{escape(answer.record_id)}"></div></section>'
    )


def _tallies(answer: Answer) -> str:
    """How many sentences have which verdict, each beside the line that it is drawn with."""
    found: dict[Verdict, int] = {}
    for claim in answer.claims:
        found[claim.verdict] = found.get(claim.verdict, 0) + 1
    shown = "".join(
        f'<span class="ibid-tally"><i class="ibid-line ibid-{said}"></i>{number} {VERDICT_LABELS[said]}</span>'
        for said, number in found.items()
    )
    engine = f'<span class="ibid-engine">{escape(answer.engine)} · {answer.seconds:.2f} s</span>'
    return f'<div class="ibid-footer">{shown}{engine}</div>'


def _tools(answer: Answer, rating: float | None) -> str:
    def tool(do: str, drawing: str, label: str, pressed: bool | None = None) -> str:
        state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
        return (
            f'<button type="button" class="ibid-quiet" data-do="{do}" aria-label="{label}" title="{label}"{state}>'
            f"{icon(drawing)}</button>"
        )

    good, bad = (rating or 0) > 0, (rating or 0) < 0
    thumbs = (
        tool("good", "up", "Good answer", good) + tool("bad", "down", "Bad answer", bad) if answer.record_id else ""
    )
    return (
        f'<div class="ibid-tools" data-record="{escape(answer.record_id)}">'
        f"{tool('copy', 'copy', 'Copy with references')}{tool('again', 'again', 'Ask again')}{thumbs}"
        f'<template class="ibid-plain">{_escaped_lines(plain(answer))}</template></div>'
    )


def _escaped_lines(text: str) -> str:
    """`text` escaped with its line breaks kept, for where it is read back as text."""
    return "\n".join(escape(line) for line in text.split("\n"))
