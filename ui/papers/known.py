"""Everything that the library knows of a paper, as HTML: its fields with the source of each, its names, what the reader adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assistant.editing import EDIT_DETAILS, YOU
from assistant.papers import Paper
from ui.chat import scope
from ui.chat.icons import icon
from ui.rendering import escape, readable

if TYPE_CHECKING:
    from assistant.library import Library

NOTE_CHARACTERS: Final = 20_000
_DETAILS: Final[Mapping[str, str]] = {
    "volume": "Volume", "issue": "Issue", "page": "Pages", "number": "Number", "number-of-pages": "Page count",
    "month": "Month", "day": "Day", "publisher": "Publisher", "publisher-place": "Place", "editor": "Editors",
    "edition": "Edition", "container-title-short": "Short venue", "collection-title": "Series",
    "collection-number": "Series number", "event-title": "Event", "event-place": "Event place", "genre": "Genre",
    "language": "Language", "type": "Type", "note": "Source's note", "ISBN": "ISBN", "ISSN": "ISSN", "PMID": "PMID",
    "PMCID": "PMCID",
}  # fmt: skip
_SCHEMES: Final[Mapping[str, str]] = {
    "doi": "DOI", "arxiv": "arXiv", "pmid": "PMID", "pmcid": "PMCID", "openalex": "OpenAlex", "s2": "Semantic Scholar",
    "corpusid": "Semantic Scholar corpus", "acl": "ACL Anthology", "dblp": "DBLP", "openreview": "OpenReview", "isbn": "ISBN",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """A paper with its names, and which source gave each field."""

    paper: Paper
    added: str  # ISO 8601
    citekeys: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]
    provenance: Mapping[str, str]


def known(library: Library, paper: Paper, added: str) -> Known:
    """Reads it."""
    editions = library.editions
    told = editions.provenance(paper.id)
    return Known(paper, added, editions.citekeys(paper.id), editions.identifiers(paper.id), told)


def yours(paper: Paper, may: bool) -> str:
    """Tags and note: to read, and where one `may`, to change."""
    tags = "".join(_tag(tag, may) for tag in paper.tags)
    if not may:
        note = f'<p class="ibid-noted">{readable(paper.note)}</p>' if paper.note else ""
        return (
            f'<section class="ibid-yours"><h4>Tags and note</h4><div class="ibid-tags">{tags}</div>{note}</section>'
            if tags or note
            else ""
        )
    paper_id = escape(paper.id)
    return (
        '<section class="ibid-yours" aria-label="Tags and note"><h4>Tags and note</h4>'
        f'<div class="ibid-tags">{tags}<form data-tagging data-paper="{paper_id}"><input name="tag" list="ibid-known-tags" '
        'maxlength="200" autocomplete="off" aria-label="Add a tag" placeholder="Add a tag"></form></div>'
        f'<form class="ibid-noting" data-noting data-paper="{paper_id}"><textarea name="note" rows="2" '
        f'maxlength="{NOTE_CHARACTERS}" aria-label="Your note" placeholder="A note for yourself. Searches find it; answers '
        f'never quote it.">{_area(paper.note or "")}</textarea>'
        '<button type="submit" class="ibid-button" hidden>Save note</button></form></section>'
    )


def _tag(tag: str, may: bool) -> str:
    drop = (
        f'<button type="button" data-act="untag" data-tag="{escape(tag)}" aria-label="Take away the tag {escape(tag)}">'
        f"{icon('close')}</button>"
        if may
        else ""
    )
    find = f'<button type="button" class="ibid-tagged" data-act="tagged" data-tag="{escape(tag)}">{readable(tag)}</button>'
    return f'<span class="ibid-chip">{find}{drop}</span>'


def _area(text: str) -> str:
    """For a text field: line breaks kept, and the first one, which HTML would drop."""
    return "\n" + "\n".join(escape(line) for line in text.split("\n"))


def facts(known: Known, may: bool) -> str:
    """The paper's fields, each with the source that it came from, folded away."""
    rows = "".join(
        f"<dt>{name}</dt><dd{_field(field, text, known, may)}><span>{shown or _NONE}</span>{_origin(field, known)}"
        f"{_edit(field, name) if may and _editable(field) else ''}</dd>"
        for name, field, text, shown in _rows(known, may)
    )
    hint = (
        '<p class="ibid-soft">What you change here wins over every source, until you give it back.</p>' if may else ""
    )
    return (
        '<details class="ibid-facts"><summary>Details, and where each came from</summary>'
        f'<dl data-paper="{escape(known.paper.id)}">{rows}</dl>{hint}</details>'
    )


_NONE: Final = '<span class="ibid-soft">none</span>'
_EDITABLE: Final[frozenset[str]] = frozenset(
    ("title", "authors", "year", "venue", "doi", "arxiv_id", "url", "citekey")
)
_DETAIL: Final = "details."  # before the names of details, as provenance has them
_FILLABLE: Final = ("volume", "issue", "page")  # details that are shown to be filled where a paper has none


def _editable(field: str) -> bool:
    return field in _EDITABLE or (field.startswith(_DETAIL) and field.removeprefix(_DETAIL) in EDIT_DETAILS)


def _rows(known: Known, may: bool) -> Iterator[tuple[str, str, str, str]]:
    """(label, field, what is edited, HTML); fields that are empty only where they can be filled."""
    paper = known.paper
    plain = [
        ("Title", "title", paper.title),
        ("Authors", "authors", "; ".join(paper.authors)),
        ("Year", "year", str(paper.year or "")),
        ("Venue", "venue", paper.venue or ""),
        *((_DETAILS.get(name, name), _DETAIL + name, value) for name, value in _details(paper)),
        ("DOI", "doi", paper.doi or ""),
        ("arXiv", "arxiv_id", paper.arxiv_id or ""),
        ("Web page", "url", paper.url or ""),
        ("Cite key", "citekey", paper.citekey or ""),
    ]
    for name, field, text in plain:
        if text or (may and _editable(field)):
            yield name, field, text, readable(text)
    others = [key for key in known.citekeys if key != paper.citekey]
    more = [
        ("Other keys", "", ", ".join(others)),
        ("Abstract", "abstract", f"{len(paper.abstract):,} characters" if paper.abstract else ""),
        ("Categories", "categories", ", ".join(paper.categories)),
        ("Tags", "tags", ", ".join(paper.tags)),
        ("Notices", "notices", "; ".join(paper.notices)),
        ("Known as", "", "; ".join(_identifiers(known))),
        ("Added", "", known.added[:10]),
        ("Id", "", paper.id),
    ]
    for name, field, text in more:
        if text:
            yield name, field, text, readable(text)


def _details(paper: Paper) -> list[tuple[str, str]]:
    """In the order in which a reference has them."""
    order = list(_DETAILS)
    every = dict.fromkeys(_FILLABLE, "") | dict(paper.details)
    return sorted(every.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))


def _identifiers(known: Known) -> Iterator[str]:
    """Identifiers that no field shows already."""
    shown = {("doi", known.paper.doi), ("arxiv", known.paper.arxiv_id)}
    for scheme, value in known.identifiers:
        if (scheme, value) not in shown:
            yield f"{_SCHEMES.get(scheme, scheme)} {value}"


def _origin(field: str, known: Known) -> str:
    told = known.provenance.get(field)
    if not told:
        return ""
    names = [YOU if one == YOU else scope.label("source", one) for one in told.split(", ")]
    return (
        f'<small class="ibid-origin" title="{escape(told)}">from {escape(" and ".join(dict.fromkeys(names)))}</small>'
    )


def _field(field: str, text: str, known: Known, may: bool) -> str:
    if not may or not _editable(field):
        return ""
    mine = ' data-mine="yes"' if known.provenance.get(field) == YOU else ""
    return f' data-field="{field.removeprefix(_DETAIL)}" data-value="{escape(text)}"{mine}'


def _edit(field: str, name: str) -> str:
    return (
        f'<button type="button" class="ibid-quiet" data-act="correct" data-field="{field.removeprefix(_DETAIL)}" '
        f'aria-label="Correct: {name}" title="Correct">{icon("edit")}</button>'
    )
