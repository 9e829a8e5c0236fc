"""The sources that a library remembers, as the page lists them, and which of them the page may sync with."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from assistant.errors import InputError
from assistant.identity import normalise_doi
from ui.chat.icons import icon
from ui.rendering import count, escape

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.storage.sources import SourceSummary

ZOTERO: Final = "zotero"
_SERVICES: Final = {
    "arxiv": "arXiv", "crossref": "Crossref", "openalex": "OpenAlex", "doi": "Crossref and OpenAlex",
}  # fmt: skip


def service(address: str) -> str:
    """Who on the internet is asked; empty for a source on this machine."""
    kind, colon, _ = address.partition(":")
    return _SERVICES.get(kind, "") if colon else ""


def named(address: str) -> str:
    """A source in a word or two."""
    if address == ZOTERO:
        return "Zotero"
    kind, _, value = address.partition(":")
    if service(address):
        return f"{ {'arxiv': 'arXiv', 'doi': 'DOI'}.get(kind, _SERVICES[kind]) }: {PurePath(value).name if value.startswith('/') else value}"
    return PurePath(address).name or address


def chosen(library: Library, given: str) -> str:
    """The address to sync with: one that is remembered, Zotero, a DOI, or else a query of arXiv.

    No path that is typed into the page is read: it would be one of the server's machine. Raises InputError.
    """
    text = given.strip()
    if text in {summary.address for summary in library.sources.all()} or text == ZOTERO:
        return text
    if doi := normalise_doi(text):
        return f"doi:{doi}"
    query = text.removeprefix("arxiv:").strip()
    if not query or query.startswith(("/", "~", ".", "\\")) or "://" in query or ":\\" in query:
        raise InputError(f"{given!r:.80} is neither a DOI nor a query of arXiv; sync with files by: ibid sync PATH")
    return f"arxiv:{query}"


def listed(library: Library) -> str:
    """The remembered sources with what can be done about each."""
    known = library.sources.all()
    items = "".join(map(_item, known))
    return f'<ul class="ibid-remembered">{items}</ul>' if items else ""


def _item(summary: SourceSummary) -> str:
    address, name, online = escape(summary.address), escape(named(summary.address)), service(summary.address)
    when = (
        f'synced <time datetime="{escape(summary.synced_at)}">{escape(summary.synced_at[:16].replace("T", " "))} UTC</time>'
        if summary.synced_at
        else "never synced"
    )
    where = (
        f"<span>{address}</span>" if summary.address not in (ZOTERO, named(summary.address)) and not online else ""
    )
    label = f"Ask {online} over the internet" if online else "Check for changes"
    return (
        f"<li><div><strong>{name}</strong>{where}<small>{count(summary.papers, 'paper')}, {when}</small></div>"
        f'<button type="button" class="ibid-quiet" data-act="forget" data-source="{address}" '
        f'aria-label="Forget {name}; its papers stay" title="Forget this source; its papers stay">{icon("close")}</button>'
        f'<div class="ibid-check"><button type="button" class="ibid-button" data-act="check" data-source="{address}" '
        f'aria-label="{label}: {name}">{label}</button>'
        '<label><input type="checkbox" data-prune> also look for papers to remove</label></div></li>'
    )
