"""The page's shell: its tabs, theme and style sheet. What a tab holds is told by its own module in `ui.tabs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

import gradio as gr

from ui.services import Services
from ui.tabs import chat

_WAITING: Final = 64
_AT_ONCE: Final = 4  # what the page asks for is CPU-bound; more at once only makes each later


class Tab(Protocol):
    """A module of `ui.tabs`."""

    LABEL: str

    def build(self, services: Services) -> None: ...


TABS: Final[tuple[Tab, ...]] = (chat,)


def look() -> dict[str, Any]:
    """Theme and style sheet, as keyword arguments of Gradio's launch and mount functions; system fonts only."""
    sans = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    mono = ["ui-monospace", "Menlo", "Consolas", "monospace"]
    theme = gr.themes.Base(primary_hue="teal", neutral_hue="stone", font=sans, font_mono=mono)
    return {"theme": theme, "css_paths": [Path(__file__).with_name("page.css")]}


def build(services: Services) -> gr.Blocks:
    """The page over a library; one tab alone is shown without a row of tabs."""
    page: gr.Blocks
    with gr.Blocks(title="Ibid", analytics_enabled=False, fill_height=True) as page:
        if len(TABS) == 1:
            TABS[0].build(services)
        else:
            with gr.Tabs(elem_id="ibid-tabs"):
                for tab in TABS:
                    with gr.Tab(tab.LABEL, id=tab.LABEL.lower()):
                        tab.build(services)
    page.queue(max_size=_WAITING, default_concurrency_limit=_AT_ONCE, api_open=False)
    return page
