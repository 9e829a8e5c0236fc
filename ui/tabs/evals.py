"""The Evals tab: recorded runs, a comparison of two, and each case with its answer. `evals.js` fills it."""

from __future__ import annotations

from typing import Final

import gradio as gr
from fastapi import APIRouter

from ui.chat.icons import icon
from ui.runs import routes as runs_routes
from ui.services import Services

LABEL: Final = "Evals"


def build(services: Services) -> None:
    """Lays out the tab."""
    gr.HTML(_FRAME, elem_id="ibid-evals-tab", apply_default_css=False, padding=False)


def routes(services: Services) -> APIRouter:
    """What the tab's script asks for."""
    return runs_routes.routes(services)


_FRAME: Final = (
    '<div id="ibid-evals" class="ibid-tab ibid-evals">'
    '<nav class="ibid-runs" aria-label="Recorded runs"><h3>Recorded runs</h3><ul data-runs></ul>'
    '<details class="ibid-how"><summary>Record another</summary><p>In a terminal:</p><pre tabindex="0" data-command></pre></details>'
    '</nav><section class="ibid-run" aria-label="Run" tabindex="-1"><div data-run-view></div></section>'
    '<aside class="ibid-pane" aria-label="Case" tabindex="-1" data-pane hidden><div class="ibid-bar"><span data-title>Case</span>'
    f'<button type="button" class="ibid-quiet" data-act="back" aria-label="Back to the case" hidden>{icon("left")}</button>'
    f'<button type="button" class="ibid-quiet" data-act="close" aria-label="Close">{icon("close")}</button></div>'
    '<div class="ibid-pane-body" data-case-view></div></aside>'
    '<div class="ibid-unseen" role="status" aria-live="polite" data-says></div></div>'
)
