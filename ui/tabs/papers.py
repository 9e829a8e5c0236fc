"""The Papers tab: the library as a table, a map of it, a paper in full, adding and removing. `papers.js` fills it."""

from __future__ import annotations

from typing import Final

import gradio as gr
from fastapi import APIRouter

from ui.api.limits import Limits
from ui.chat.icons import icon
from ui.papers import routes as papers_routes
from ui.services import Services

LABEL: Final = "Papers"
_COLUMNS: Final = (("title", "Title"), ("author", "Authors"), ("year", "Year"), ("venue", "Venue"))
_FIELDS: Final = (
    ("authors", "Authors", "Ada Byron; Émile Zola"),
    ("year", "Year", ""),
    ("venue", "Venue", ""),
    ("doi", "DOI", "10.…"),
    ("arxiv_id", "arXiv id", "2401.01234"),
    ("url", "Web page", "https://…"),
    ("tags", "Tags", "to read, thesis"),
)


def build(services: Services) -> None:
    """Lays out the tab."""
    gr.HTML(_frame(), elem_id="ibid-papers-tab", apply_default_css=False, padding=False)


def routes(services: Services) -> APIRouter:
    """What the tab's script asks for."""
    return papers_routes.routes(services)


def _frame() -> str:
    return (
        '<div id="ibid-shelf" class="ibid-tab ibid-shelf" data-pane="map">'
        f"{_list()}{_pane()}{_confirm()}"
        '<div class="ibid-dropping" hidden><p>Drop to add these files</p></div>'
        '<datalist id="ibid-known-tags"></datalist><div class="ibid-unseen" role="status" aria-live="polite" data-says></div></div>'
    )


def _list() -> str:
    heads = "".join(
        f'<th scope="col" data-order="{order}"><button type="button" data-act="sort" data-order="{order}">{name}'
        '<i aria-hidden="true"></i></button></th>'
        for order, name in _COLUMNS
    )
    orders = "".join(
        f'<option value="{value}">{name}</option>'
        for value, name in (
            ("added-", "Latest first"),
            ("added", "As added"),
            ("title", "Title"),
            ("author", "Author"),
            ("year-", "Newest"),
            ("year", "Oldest"),
            ("venue", "Venue"),
        )
    )
    return (
        '<section class="ibid-list" aria-label="Papers of the library"><div class="ibid-toolbar">'
        '<input type="search" id="ibid-find" aria-label="Search the papers" maxlength="500" autocomplete="off" '
        'placeholder="Search titles, authors, abstracts, tags">'
        f'<label class="ibid-order"><span class="ibid-unseen">Order</span><select data-orders>{orders}</select></label>'
        f'<button type="button" class="ibid-button ibid-strong" data-act="add">{icon("add")}Add papers</button></div>'
        '<div class="ibid-narrowed" data-narrowed></div>'
        '<div class="ibid-scroller" tabindex="-1"><table class="ibid-table"><thead><tr>'
        '<th scope="col" class="ibid-pick"><input type="checkbox" aria-label="Pick all papers shown" data-all></th>'
        f"{heads}</tr></thead><tbody></tbody></table>"
        '<div class="ibid-blank" data-blank hidden></div></div>'
        '<div class="ibid-pager" data-pager><span data-range></span>'
        f'<button type="button" class="ibid-quiet" data-act="back" aria-label="Earlier papers">{icon("left")}</button>'
        f'<button type="button" class="ibid-quiet" data-act="on" aria-label="More papers">{icon("right")}</button></div>'
        "</section>"
    )


def _pane() -> str:
    close = (
        '<button type="button" class="ibid-quiet" data-act="close" aria-label="Back to the map" title="Back to the map">'
        f"{icon('close')}</button>"
    )
    return (
        '<aside class="ibid-pane" aria-label="Map" data-is="map">'
        '<div class="ibid-chart" data-chart></div><div class="ibid-groups" data-groups></div></aside>'
        '<aside class="ibid-pane" aria-label="Paper" data-is="paper" tabindex="-1" hidden>'
        f'<div class="ibid-bar"><span>Paper</span>{close}</div><div class="ibid-pane-body" data-one></div></aside>'
        '<aside class="ibid-pane" aria-label="Add papers" data-is="add" tabindex="-1" hidden>'
        f'<div class="ibid-bar"><span>Add papers</span>{close}</div>'
        f'<div class="ibid-pane-body">{_files()}{_sources()}{_form()}</div></aside>'
    )


def _files() -> str:
    limits = Limits()
    kinds = ",".join(limits.suffixes)
    return (
        f'<label class="ibid-drop"><input type="file" multiple accept="{kinds}" data-files>'
        "<strong>Drop files here, or choose them</strong>"
        "<span>Exports of Zotero, EndNote, Mendeley, PubMed and others: BibTeX, RIS, CSV, JSON, nbib, XML; "
        f"up to {limits.upload // 2**20} MB</span></label>"
        '<div class="ibid-progress" data-progress hidden><p data-doing></p>'
        '<progress max="1" aria-label="How far adding is"></progress></div>'
        '<div class="ibid-outcome" data-outcome role="status"></div>'
    )


def _sources() -> str:
    return (
        '<section class="ibid-in-step" data-in-step hidden><h3>Sources kept in step</h3>'
        '<p class="ibid-soft">You see what would change before anything does, and nothing is removed unless you ask for it.</p>'
        '<div data-remembered></div><details class="ibid-more-sources"><summary>Another source</summary>'
        '<button type="button" class="ibid-button" data-act="check" data-source="zotero">Zotero on this computer</button>'
        '<p class="ibid-soft">It must be running, and under Settings, Advanced let other applications on this computer '
        "communicate with it.</p>"
        '<form data-elsewhere><label class="ibid-input"><span>A DOI, or a query of arXiv</span><input name="source" '
        'maxlength="2000" autocomplete="off" placeholder="10.1000/182, or cat:cs.CL AND ti:retrieval"></label>'
        '<button type="submit" class="ibid-button">Ask over the internet</button></form>'
        '<p class="ibid-soft">Ibid asks the internet only when you press this: arXiv, or Crossref and OpenAlex for a DOI. '
        "They are sent what you wrote here.</p>"
        '<p class="ibid-soft">A file or a folder: <code>ibid sync refs.bib ~/papers</code> in a terminal; from then on it '
        "is listed here.</p></details></section>"
    )


def _form() -> str:
    fields = "".join(
        f'<label class="ibid-input ibid-{name}"><span>{label}</span>'
        f'<input name="{name}" placeholder="{hint}" autocomplete="off"{_kind(name)}></label>'
        for name, label, hint in _FIELDS
    )
    return (
        '<details class="ibid-typed"><summary>Type one in</summary><form data-form novalidate>'
        '<label class="ibid-input ibid-wide"><span>Title</span><input name="title" required autocomplete="off"></label>'
        '<label class="ibid-input ibid-wide"><span>Abstract</span><textarea name="abstract" rows="6"></textarea></label>'
        f'{fields}<p class="ibid-wrong" role="alert" data-wrong hidden></p>'
        '<button type="submit" class="ibid-button ibid-strong">Add this paper</button></form></details>'
    )


def _kind(name: str) -> str:
    return ' inputmode="numeric" maxlength="4"' if name == "year" else ""


def _confirm() -> str:
    return (
        '<dialog class="ibid-confirm" aria-labelledby="ibid-confirm-title"><h3 id="ibid-confirm-title"></h3>'
        "<p>Answers given before keep the words that they quote of it.</p><div>"
        '<button type="button" class="ibid-button" data-act="keep">Keep</button>'
        '<button type="button" class="ibid-button ibid-danger" data-act="really">Remove</button></div></dialog>'
    )
