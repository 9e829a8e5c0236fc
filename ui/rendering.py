"""Answers as HTML. Pure functions; the page shows nothing else of what a model or a paper says.

Everything that comes from a paper, a model or the user is escaped, and a fragment never holds a line break: Markdown
would otherwise take up again after it, and an abstract could then bring links and pictures of its own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Final

from assistant.answers import Answer, Citation, Claim, Reason, Verdict
from assistant.cleaning import clean
from assistant.papers import Paper

_MARKER = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_BLANKS = re.compile(r"\s+")
_AUTHORS_SHOWN: Final = 3

VERDICT_LABELS: Final[Mapping[Verdict, str]] = {
    "quoted": "quoted word for word",
    "supported": "supported",
    "partial": "partly supported",
    "unsupported": "not supported",
    "contradicted": "contradicted",
    "uncited": "no source",
    "unscored": "not checked",
}
_MENDED: Final = {"repaired": "repaired", "replaced": "quote in place of a sentence that was not carried"}
REASON_TITLES: Final[Mapping[Reason, str]] = {
    "nothing_relevant": "Nothing in this library",
    "not_stated": "Not stated in these abstracts",
    "filter_matched_nothing": "The filter matches no paper",
    "not_a_question_for_the_corpus": "Not a question for these papers",
}


def escape(text: str) -> str:
    """`text` on one line, safe inside an element or a quoted attribute, and inert for Markdown."""
    return html.escape(_BLANKS.sub(" ", text).strip())


def readable(text: str) -> str:
    """Text of a paper or about one as people read it, its LaTeX and glued addresses cleaned; safe as from `escape`."""
    return escape(clean(text).text)


def question(text: str) -> str:
    """What the user asked, as they typed it; line breaks are kept."""
    lines = [escape(line) for line in text.strip().splitlines()]
    return f'<div class="ibid-question">{"<br>".join(lines)}</div>'


def draft(text: str) -> str:
    """The answer's text so far, while it is being written."""
    return f'<div class="ibid-answer ibid-draft"><p>{_marked(text)}</p></div>'


def failure(message: str) -> str:
    """Something that kept the question from being answered; never to be taken for an answer."""
    return f'<div class="ibid-failure" role="alert"><strong>No answer.</strong> {escape(message)}</div>'


def answer(value: Answer) -> str:
    """A finished answer with its references, or its refusal with the nearest papers."""
    if value.abstention is not None:
        return _refusal(value)
    notes = _notes(value)
    return f'<div class="ibid-answer">{_read_as(value)}{_body(value)}{notes}{_references(value.citations)}{_footer(value)}</div>'


def _read_as(value: Answer) -> str:
    """The stand-alone question that a follow-up was read as, where it isn't what the user typed."""
    if value.query == " ".join(value.question.split()):
        return ""
    return f'<p class="ibid-note ibid-read-as">Read as: {readable(value.query)}</p>'


def _notes(value: Answer) -> str:
    return "".join(f'<p class="ibid-note">{escape(note)}</p>' for note in value.notes)


def _body(value: Answer) -> str:
    """The answer's text, a paragraph a line: its claims, and between them what introduces them (a paper's title)."""
    paragraphs: list[list[str]] = [[]]
    position = 0
    for claim in value.claims:
        between = value.text[position : claim.start]
        if "\n" in between and paragraphs[-1]:
            paragraphs.append([])
        if lead := between.strip():
            paragraphs[-1].append(f'<strong class="ibid-lead">{readable(lead)}</strong>')
        paragraphs[-1].append(_claim(claim))
        position = claim.end
    if rest := value.text[position:].strip():
        paragraphs[-1].append(_marked(rest))
    return "".join(f"<p>{' '.join(parts)}</p>" for parts in paragraphs)


def _claim(claim: Claim) -> str:
    found = "; ".join(finding.message for finding in claim.findings)
    title = VERDICT_LABELS[claim.verdict] + (f": {found}" if found else "")
    kinds = {finding.kind for finding in claim.findings}
    labels = [] if claim.verdict == "quoted" else [VERDICT_LABELS[claim.verdict]]
    labels += [label for kind, label in _MENDED.items() if kind in kinds]
    if "no_claim" in kinds:
        labels = ["no claim"]
    tag = f' <em class="ibid-verdict">{", ".join(labels)}</em>' if labels else ""
    return f'<span class="ibid-claim ibid-{claim.verdict}" title="{escape(title)}">{_marked(claim.text)}{tag}</span>'


def _marked(text: str) -> str:
    return _MARKER.sub(r'<span class="ibid-marker">\1</span>', readable(text))


def _references(citations: Iterable[Citation]) -> str:
    grouped: dict[str, list[Citation]] = {}
    for citation in citations:
        grouped.setdefault(citation.key, []).append(citation)
    if not grouped:
        return ""
    items = "".join(_reference(key, group) for key, group in grouped.items())
    return f'<div class="ibid-references"><div class="ibid-label">References</div>{items}</div>'


def _reference(key: str, citations: list[Citation]) -> str:
    quotes = "".join(f"<blockquote>{readable(citation.quote)}</blockquote>" for citation in citations)
    return (
        f'<div class="ibid-reference"><span class="ibid-marker">{escape(key)}</span>'
        f"<div>{_paper(citations[0].paper)}{quotes}</div></div>"
    )


def _paper(paper: Paper) -> str:
    shown = ", ".join(paper.authors[:_AUTHORS_SHOWN]) + (" et al." if len(paper.authors) > _AUTHORS_SHOWN else "")
    parts = [part for part in (shown, paper.venue, str(paper.year) if paper.year else None) if part]
    details = f'<span class="ibid-details">{readable(" · ".join(parts))}</span>' if parts else ""
    return f'<span class="ibid-title">{readable(paper.title)}</span>{details}'


def _refusal(value: Answer) -> str:
    if value.abstention is None:
        raise ValueError("an answered question has no refusal to render")
    papers = "".join(f"<li>{_paper(paper)}</li>" for paper in value.abstention.nearest_papers)
    nearest = f'<div class="ibid-label">Closest papers here</div><ul>{papers}</ul>' if papers else ""
    title = REASON_TITLES[value.abstention.reason]
    return (
        f'<div class="ibid-refusal">{_read_as(value)}<div class="ibid-refusal-title">{title}</div>'
        f"<p>{readable(value.abstention.message)}</p>{_notes(value)}{nearest}</div>"
    )


def _footer(value: Answer) -> str:
    quoted = sum(claim.verdict == "quoted" for claim in value.claims)
    count = len(value.claims)
    said = "Every sentence is quoted" if quoted == count else f"{quoted} of {count} sentences are quoted"
    return f'<div class="ibid-footer">{said} · {escape(value.engine)} · {value.seconds:.2f} s</div>'
