"""What is to be known of a paper's standing, as HTML: a mark where it is named, and the notices where it is opened."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from assistant.papers import Paper
from assistant.standing import standing
from ui.rendering import escape

_DOI: Final = re.compile(r"doi:\s*(10\.\d{4,9}/[^\s<>\"]*[^\s<>\".,;:)\]])", re.IGNORECASE)


def mark(paper: Paper, *, grave_only: bool = False) -> str:
    """A sign and a word beside the paper's name; empty where its sources say nothing, or nothing grave."""
    known = standing(paper.notices)
    if known is None or (grave_only and not known.grave):
        return ""
    kind, sign = (" ibid-grave", "⊘") if known.grave else ("", "✎")
    return f' <em class="ibid-standing{kind}"><b aria-hidden="true">{sign}</b> {known.word}</em>'


def word(paper: Paper) -> str:
    """`retracted`, for where a mark has no room; empty where nothing grave is known."""
    known = standing(paper.notices)
    return known.word.lower() if known and known.grave else ""


def notices(paper: Paper) -> str:
    """Each notice in full, before anything that the paper says."""
    known = standing(paper.notices)
    if known is None:
        return ""
    items = "".join(f"<p>{_linked(notice)}</p>" for notice in paper.notices)
    kind = " ibid-grave" if known.grave else ""
    return f'<div class="ibid-notices{kind}" role="note" aria-label="{known.word}">{items}</div>'


def _linked(notice: str) -> str:
    """A notice with the DOIs that it names as links."""
    made, position = [], 0
    for found in _DOI.finditer(notice):
        address = f"https://doi.org/{quote(found.group(1), safe='/:;().-_')}"
        link = f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{escape(found.group())}</a>'
        made += [escape(notice[position : found.start()]), " " if position < found.start() else "", link]
        position = found.end()
    rest = notice[position:]
    return "".join([*made, " " if made and rest[:1].isspace() else "", escape(rest)])
