"""The page's shell: head, tabs, theme and the files it is made of. What a tab holds is told by its own module."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final, Protocol

import gradio as gr
from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from ui.chat.icons import icon
from ui.services import Services
from ui.tabs import chat, evals, papers, settings

_FOLDER: Final = Path(__file__).parent
_FILES: Final = (
    "page.css",
    "tabs/tabs.css",
    "page.js",
    "tabs/tabs.js",
    "tabs/papers.js",
    "tabs/settings.js",
    "tabs/evals.js",
)
_WAITING: Final = 64
_AT_ONCE: Final = 4  # what the page asks for is CPU-bound; more at once only makes each later
_SANS: Final = ["Instrument Sans", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
_MONO: Final = ["ui-monospace", "Menlo", "Consolas", "monospace"]


class Tab(Protocol):
    """A module of `ui.tabs`."""

    LABEL: str

    def build(self, services: Services) -> None: ...

    def routes(self, services: Services) -> APIRouter: ...


TABS: Final[tuple[Tab, ...]] = (chat, papers, evals, settings)


def look() -> dict[str, Any]:
    """Theme, style sheet and script, as keyword arguments of Gradio's launch and mount functions."""
    theme = gr.themes.Base(primary_hue="teal", neutral_hue="stone", font=_SANS, font_mono=_MONO)
    files = "".join(map(_linked, _FILES))
    fonts = "".join(
        f'<link rel="preload" href="page/{name}" as="font" type="font/woff2" crossorigin>'
        for name in ("newsreader-latin-wght-normal.woff2", "instrument-sans-latin-wght-normal.woff2")
    )
    return {
        "theme": theme,
        "head": fonts + files,
    }


def build(services: Services) -> gr.Blocks:
    """The page over a library; one tab alone is shown without a row of tabs."""
    page: gr.Blocks
    with gr.Blocks(title="Ibid", analytics_enabled=False, fill_width=True, fill_height=True) as page:
        gr.HTML(_head(), elem_id="ibid-top", apply_default_css=False, padding=False)
        if len(TABS) == 1:
            TABS[0].build(services)
        else:
            with gr.Tabs(elem_id="ibid-tabs"):
                for tab in TABS:
                    with gr.Tab(tab.LABEL, id=tab.LABEL.lower()):
                        tab.build(services)
    page.queue(max_size=_WAITING, default_concurrency_limit=_AT_ONCE, api_open=False)
    return page


def routes(services: Services) -> APIRouter:
    """The page's files, and what its tabs ask for; to be served beside the page."""
    router = APIRouter(include_in_schema=False)
    files = {path.name: path for path in (_FOLDER / name for name in _FILES)}
    files |= {path.name: path for path in sorted((_FOLDER / "fonts").glob("*.woff2"))}

    @router.get("/page/{name}")
    def file(name: str) -> Response:
        if name not in files:
            return Response(status_code=404)
        return FileResponse(files[name], headers={"Cache-Control": "public, max-age=3600"})

    for tab in TABS:
        router.include_router(tab.routes(services))
    return router


def _linked(name: str) -> str:
    address = f"page/{Path(name).name}?v={_digest(name)}"
    if name.endswith(".css"):
        return f'<link rel="stylesheet" href="{address}">'
    return f'<script defer src="{address}"></script>'


def _digest(name: str) -> str:
    """So that a browser takes a changed file at once."""
    return hashlib.sha256((_FOLDER / name).read_bytes()).hexdigest()[:12]


def _head() -> str:
    return (
        '<header class="ibid-head"><button type="button" class="ibid-quiet ibid-toggle" data-do="side" '
        f'aria-label="Conversations" aria-controls="ibid-side">{icon("list")}</button>'
        '<h1>Ibid<span>.</span></h1><p class="ibid-papers"></p></header>'
    )
