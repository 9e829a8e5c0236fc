"""The Chat tab: a frame of our own, filled by `page.js` from the routes of `ui.chat`.

Gradio's chatbot cannot show a sentence with its verdict, nor an abstract beside it, and puts an answer's HTML into an
attribute that screen readers read out. So the transcript is one HTML component whose content the server makes turn by
turn; nothing that a paper, a model or a person wrote passes through Gradio.
"""

from __future__ import annotations

from typing import Final

import gradio as gr
from fastapi import APIRouter

from ui.chat import routes as chat_routes
from ui.chat.icons import icon
from ui.rendering import VERDICT_LABELS, VERDICT_MEANINGS
from ui.services import Services

LABEL: Final = "Chat"


def build(services: Services) -> None:
    """Lays out the tab."""
    gr.HTML(_frame(), elem_id="ibid-chat-tab", apply_default_css=False, padding=False)


def routes(services: Services) -> APIRouter:
    """What the tab's script asks for."""
    return chat_routes.routes(services)


def _frame() -> str:
    return (
        '<div id="ibid-chat" class="ibid-chat">'
        f"{_side()}{_main()}{_panel()}"
        '<div class="ibid-veil" data-do="unveil"></div>'
        '<div class="ibid-tip" role="tooltip" id="ibid-tip" hidden></div>'
        '<div class="ibid-unseen" role="status" aria-live="polite" id="ibid-says"></div></div>'
    )


def _side() -> str:
    return (
        '<aside class="ibid-side" id="ibid-side" aria-label="Conversations">'
        f'<button type="button" class="ibid-new" data-do="new">{icon("add")}New conversation</button>'
        '<nav class="ibid-threads" aria-label="Earlier conversations"></nav></aside>'
    )


def _main() -> str:
    return (
        '<section class="ibid-main" aria-label="Chat">'
        '<div class="ibid-away" role="alert" hidden>The server does not answer. Trying again …</div>'
        '<div class="ibid-scroll"><div class="ibid-column">'
        f'<div class="ibid-welcome" hidden>{_welcome()}</div>'
        '<div class="ibid-loading" hidden><i></i><i></i><i></i></div>'
        '<div class="ibid-turns" role="log" aria-live="off" aria-label="Conversation"></div></div></div>'
        f'<div class="ibid-compose"><div class="ibid-column">{_compose()}</div></div></section>'
    )


def _welcome() -> str:
    meanings = "".join(
        f'<li><span class="ibid-claim ibid-{verdict}"><span class="ibid-said">{VERDICT_LABELS[verdict]}</span></span>'
        f"<span>{VERDICT_MEANINGS[verdict]}</span></li>"
        for verdict in ("quoted", "supported", "partial", "unsupported", "contradicted")
    )
    return (
        "<h2>Ask, and see where it says so.</h2>"
        "<p>Every sentence of an answer leads to the words it rests on. "
        "When no abstract here holds the answer, Ibid says that instead.</p>"
        '<div class="ibid-examples"></div>'
        '<details class="ibid-legend"><summary>What the lines under sentences mean</summary>'
        f"<ul>{meanings}</ul></details>"
    )


def _compose() -> str:
    return (
        '<div class="ibid-scope" role="group" aria-label="Papers to ask"></div>'
        '<form class="ibid-form"><textarea rows="1" id="ibid-question" aria-label="Your question" '
        f'maxlength="{chat_routes.MAX_QUESTION_CHARACTERS}" placeholder="Ask these papers a question" '
        'autocomplete="off" enterkeyhint="send"></textarea>'
        f'<button type="submit" class="ibid-send" aria-label="Ask">{icon("send")}</button>'
        f'<button type="button" class="ibid-stop" data-do="stop" aria-label="Stop answering" hidden>{icon("stop")}</button>'
        '</form><p class="ibid-hint" aria-hidden="true"><kbd>/</kbd> write <kbd>↑</kbd> <kbd>↓</kbd> step through sentences '
        "<kbd>Esc</kbd> close the source</p>"
    )


def _panel() -> str:
    def button(do: str, drawing: str, label: str) -> str:
        return (
            f'<button type="button" class="ibid-quiet" data-do="{do}" aria-label="{label}" title="{label}">'
            f"{icon(drawing)}</button>"
        )

    return (
        '<aside class="ibid-panel" id="ibid-panel" aria-label="Source" tabindex="-1" hidden>'
        f'<div class="ibid-bar"><span>Source</span>{button("previous", "left", "Previous sentence")}'
        f"{button('next', 'right', 'Next sentence')}{button('close', 'close', 'Close the source')}</div>"
        '<div class="ibid-panel-body"></div></aside>'
    )
