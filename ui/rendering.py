"""What papers, models and people say, as HTML. Pure functions; the page shows nothing of theirs that was not made here.

Everything that comes from a paper, a model or the user is escaped. The only links are to addresses built from a
paper's record, and no element is made that loads anything.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from assistant.answers import Reason, Verdict
from assistant.cleaning import clean
from assistant.papers import Paper
from assistant.standing import standing

_BLANKS = re.compile(r"\s+")
_ADDRESS = re.compile(r"https?://[^\s<>\"\\^`{|}]+", re.IGNORECASE)
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
VERDICT_MEANINGS: Final[Mapping[Verdict, str]] = {
    "quoted": "These words stand in the abstract, character for character.",
    "supported": "The marked words carry this sentence, as far as the checks can tell.",
    "partial": "The marked words carry part of this sentence, or less than it says.",
    "unsupported": "The marked words do not carry this sentence.",
    "contradicted": "The marked words say otherwise.",
    "uncited": "The model gave no source for this sentence.",
    "unscored": "This sentence could not be checked.",
}
REASON_TITLES: Final[Mapping[Reason, str]] = {
    "nothing_relevant": "Nothing in this library",
    "not_stated": "Not stated in these abstracts",
    "filter_matched_nothing": "No paper is in this scope",
    "not_a_question_for_the_corpus": "Not a question for these papers",
}


def escape(text: str) -> str:
    """`text` on one line, safe inside an element or a quoted attribute."""
    return html.escape(_BLANKS.sub(" ", text).strip())


def readable(text: str) -> str:
    """Text of a paper or about one as people read it, its LaTeX and glued addresses cleaned; safe as from `escape`."""
    return escape(clean(text).text)


def lines(text: str) -> str:
    """What somebody typed, with its line breaks."""
    return "<br>".join(escape(line) for line in text.strip().splitlines())


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 paper`, `2,000 papers`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def authors(paper: Paper, most: int = _AUTHORS_SHOWN) -> str:
    """The first authors as text for people, not escaped."""
    return ", ".join(paper.authors[:most]) + (" et al." if len(paper.authors) > most else "")


def byline(paper: Paper, most: int = _AUTHORS_SHOWN) -> str:
    """Authors, venue and year on one line; empty where none is known."""
    parts = (authors(paper, most), paper.venue, str(paper.year) if paper.year else None)
    return readable(" · ".join(part for part in parts if part))


def addresses(paper: Paper) -> tuple[tuple[str, str], ...]:
    """(name, address) of where the paper is to be found, from its record: DOI, arXiv, and its own when that is http."""
    found = []
    if paper.doi:
        found.append(("DOI", f"https://doi.org/{quote(paper.doi, safe='/:;().-_')}"))
    if paper.arxiv_id:
        found.append(("arXiv", f"https://arxiv.org/abs/{quote(paper.arxiv_id, safe='/.')}"))
    if paper.url and _ADDRESS.fullmatch(paper.url) and paper.url not in {address for _, address in found}:
        found.append(("Web page", paper.url))
    return tuple(found)


def links(paper: Paper) -> str:
    """The addresses as links that open apart from the page and tell the other site nothing of it."""
    made = (
        f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{name}</a>'
        for name, address in addresses(paper)
    )
    return "".join(made)


def reference(paper: Paper) -> str:
    """The paper as one line of plain text, for a list of references."""
    year = f" ({paper.year})" if paper.year else ""
    who = f"{authors(paper, 8)}{year}. " if paper.authors else ""
    what = clean(paper.title).text.rstrip(".") + ("" if paper.authors else year)
    where = f" {clean(paper.venue).text}." if paper.venue else ""
    address = f" {addresses(paper)[0][1]}" if addresses(paper) else ""
    known = standing(paper.notices)
    warned = f" [{known.word}]" if known else ""
    return f"{who}{what}.{where}{address}{warned}"
