"""The panel beside the chat: a paper with its abstract, the very characters marked that a sentence rests on."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

from assistant.answers import Citation, Claim
from assistant.cleaning import clean
from assistant.errors import NotInLibrary
from assistant.papers import Paper, Span
from ui import standing
from ui.chat.icons import icon
from ui.chat.stored import Recalled
from ui.chat.turns import unmarked, verdict
from ui.rendering import VERDICT_MEANINGS, byline, escape, links, readable, reference

_AUTHORS_IN_PANEL: Final = 40


def claim(recalled: Recalled, number: int, key: str | None = None) -> str:
    """What claim `number` of an answer rests on: its verdict in words, and its source `key`, else its first.

    Raises NotInLibrary for a number that the answer has no claim for.
    """
    claims = recalled.answer.claims
    if not 0 <= number < len(claims):
        raise NotInLibrary(f"this answer has no sentence {number + 1}; it has {len(claims)}")
    chosen = claims[number]
    keys = list(dict.fromkeys(citation.key for citation in chosen.citations))
    place = f'<p class="ibid-place">Sentence {number + 1} of {len(claims)}</p>'
    head = f"{place}{_verdict(chosen)}{_said(chosen)}"
    if not keys:
        return head + '<p class="ibid-note">No paper is cited for this sentence.</p>'
    key = key if key in keys else keys[0]
    mine = [citation for citation in chosen.citations if citation.key == key]
    others = [citation for citation in recalled.answer.citations if citation.key == key]
    tabs = _sources(recalled, number, keys, key) if len(keys) > 1 else ""
    return head + tabs + _source(recalled, key, mine, others)


def source(recalled: Recalled, key: str) -> str:
    """A paper that an answer cites as `[key]`, with all that it cites of it marked. Raises NotInLibrary."""
    mine = [citation for citation in recalled.answer.citations if citation.key == key]
    if not mine:
        raise NotInLibrary(f"this answer has no source {key!r}")
    return _source(recalled, key, mine, ())


def paper(found: Paper, span: Span | None = None) -> str:
    """A paper of the library, with a passage of it marked."""
    spans = [span] if span is not None and 0 <= span.start < span.end <= len(found.abstract) else []
    return _head(found, None) + _abstract(found.abstract, spans, ()) + _actions(found)


def _verdict(chosen: Claim) -> str:
    findings = "".join(f"<li>{escape(_sentence(finding.message))}</li>" for finding in chosen.findings)
    return (
        f'<div class="ibid-finding"><p class="ibid-judged"><i class="ibid-line ibid-{chosen.verdict}"></i>'
        f"<strong>{escape(_sentence(verdict(chosen), stop=False))}</strong></p>"
        f"<p>{VERDICT_MEANINGS[chosen.verdict]}</p>" + (f"<ul>{findings}</ul>" if findings else "") + "</div>"
    )


def _sentence(message: str, *, stop: bool = True) -> str:
    """A finding as a sentence: it begins large and ends."""
    message = message.strip()
    return message[:1].upper() + message[1:] + ("." if stop and message[-1:] not in ".!?" else "")


def _said(chosen: Claim) -> str:
    """The sentence itself, where it is not the quote that is marked below."""
    return (
        ""
        if chosen.verdict == "quoted"
        else f'<blockquote class="ibid-words">{readable(unmarked(chosen.text))}</blockquote>'
    )


def _sources(recalled: Recalled, number: int, keys: Sequence[str], chosen: str) -> str:
    record = escape(recalled.answer.record_id)
    made = "".join(
        f'<button type="button" class="ibid-marker" data-do="claim" data-record="{record}" data-claim="{number}" '
        f'data-key="{escape(key)}" aria-label="Source {escape(key)}" aria-pressed="{str(key == chosen).lower()}">'
        f"{escape(key)}</button>"
        for key in keys
    )
    return f'<div class="ibid-sources"><span class="ibid-label">{len(keys)} sources</span>{made}</div>'


def _source(recalled: Recalled, key: str, mine: Sequence[Citation], others: Sequence[Citation]) -> str:
    cited = mine[0].paper
    if not _holds(mine):
        quotes = "".join(f"<blockquote>{readable(citation.quote)}</blockquote>" for citation in mine)
        why = (
            "This paper was removed from the library; this is what was quoted of it."
            if cited.id in recalled.gone
            else ("The abstract that this was quoted from is no longer kept; this is the quote.")
        )
        return f'{_head(cited, key)}<p class="ibid-note">{why}</p><div class="ibid-abstract">{quotes}</div>'
    changed = (
        '<p class="ibid-note">The abstract has changed since; this is the text that was quoted.</p>'
        if cited.id in recalled.changed
        else ""
    )
    primary = [Span(citation.start, citation.end) for citation in mine]
    rest = [Span(citation.start, citation.end) for citation in others if citation not in mine and _holds([citation])]
    quote = " … ".join(clean(citation.quote).text for citation in mine)
    return _head(cited, key) + changed + _abstract(cited.abstract, primary, rest) + _actions(cited, quote)


def _holds(citations: Sequence[Citation]) -> bool:
    return all(citation.paper.abstract[citation.start : citation.end] == citation.quote for citation in citations)


def _head(found: Paper, key: str | None) -> str:
    marker = f'<span class="ibid-marker" aria-hidden="true">{escape(key)}</span>' if key else ""
    details = byline(found, _AUTHORS_IN_PANEL)
    return (
        f'<header class="ibid-source">{marker}<h3>{readable(found.title)}</h3>'
        + standing.notices(found)
        + (f'<p class="ibid-details">{details}</p>' if details else "")
        + (f'<p class="ibid-links">{links(found)}</p>' if links(found) else "")
        + "</header>"
    )


def _actions(found: Paper, quote: str = "") -> str:
    def button(do: str, drawing: str, label: str, text: str = "") -> str:
        carried = f' data-text="{escape(text)}"' if text else ""
        return (
            f'<button type="button" class="ibid-button" data-do="{do}" data-paper="{escape(found.id)}"{carried}>'
            f"{icon(drawing)}{label}</button>"
        )

    made = button("only", "filter", "Ask this paper only")
    if quote:
        made += button("copy-text", "copy", "Copy quote", f"“{quote}” {reference(found)}")
    else:
        made += button("copy-text", "copy", "Copy reference", reference(found))
    return f'<div class="ibid-actions">{made}</div>'


def _abstract(text: str, primary: Sequence[Span], others: Sequence[Span]) -> str:
    """The abstract as people read it, spans of the stored text marked: `primary` strongly, `others` faintly.

    A mark's `data-start` and `data-end` are the offsets in the stored abstract.
    """
    if not text:
        return '<p class="ibid-note">This paper has no abstract.</p>'
    cleaned = clean(text)
    marks = [(span, "ibid-here") for span in _merged(primary)] + [(span, "ibid-also") for span in _merged(others)]
    owner: list[int | None] = [None] * len(cleaned.text)
    for number in reversed(range(len(marks))):  # the strong ones last, over the faint ones
        span = cleaned.cleaned_span(marks[number][0].start, marks[number][0].end)
        owner[span.start : span.end] = [number] * (span.end - span.start)
    pieces, start = [], 0
    for end in range(1, len(owner) + 1):
        if end < len(owner) and owner[end] == owner[start]:
            continue
        piece, number_here = html.escape(cleaned.text[start:end]), owner[start]
        if number_here is not None:
            span, kind = marks[number_here]
            piece = f'<mark class="{kind}" data-start="{span.start}" data-end="{span.end}">{piece}</mark>'
        pieces.append(piece)
        start = end
    return f'<div class="ibid-label">Abstract</div><div class="ibid-abstract"><p>{"".join(pieces)}</p></div>'


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, those that overlap joined."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged
