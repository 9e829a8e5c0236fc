"""The Settings tab: what answers come from, how they are made, and the library's health. `settings.js` fills it."""

from __future__ import annotations

from typing import Final

import gradio as gr
from fastapi import APIRouter

from ui.services import Services
from ui.settings import routes as settings_routes

LABEL: Final = "Settings"
_ENGINES: Final = (
    ("quotes", "The abstracts’ own sentences", "No model, nothing to set up. Answers in a second, word for word."),
    ("local", "A model on this machine", "From <code>ibid model pull</code>. Nothing leaves this machine."),
    ("server", "A server", "Ollama, vLLM, LM Studio, llama.cpp, or any other that speaks OpenAI’s protocol."),
    ("provider", "A provider", "OpenAI or another by LangChain’s name. Questions and abstracts are sent there."),
)
_FAILED: Final = (
    ("mark", "Mark it", "The sentence stays and carries its verdict."),
    ("repair", "Ask once more", "The model is told what is wrong and says it again."),
    ("replace", "Quote instead", "The abstract’s nearest sentence takes its place."),
)
_STRICT: Final = (
    ("lenient", "Lenient", "Answers more, and is wrong more often."),
    ("balanced", "Balanced", "As measured on questions of several fields."),
    ("strict", "Strict", "Refuses rather than risk a wrong answer."),
)


def build(services: Services) -> None:
    """Lays out the tab."""
    gr.HTML(_frame(), elem_id="ibid-settings-tab", apply_default_css=False, padding=False)


def routes(services: Services) -> APIRouter:
    """What the tab's script asks for."""
    return settings_routes.routes(services)


def _frame() -> str:
    return (
        '<div id="ibid-settings" class="ibid-tab ibid-settings"><div class="ibid-page">'
        '<form data-form novalidate><div class="ibid-fixed" data-fixed hidden></div>'
        "<h2>Where answers come from</h2>"
        f"{_choices('engine', 'Where answers come from', _ENGINES)}{_model()}"
        f"<h2>How they are made</h2>{_numbers()}"
        "<h3>When the evidence does not carry a model’s sentence</h3>"
        f"{_choices('on_failed_claim', 'When the evidence does not carry a sentence', _FAILED)}"
        f"<h3>How readily Ibid refuses</h3>{_choices('strictness', 'How readily Ibid refuses', _STRICT)}"
        '<p class="ibid-soft" data-calibrated></p>'
        '<div class="ibid-apply"><button type="submit" class="ibid-button ibid-strong">Apply</button>'
        '<span role="status" data-applied>For this server, until it stops.</span></div>'
        '<p class="ibid-wrong" role="alert" data-wrong hidden></p>'
        '<details class="ibid-lasting" data-lasting hidden><summary>To start like this again</summary><pre tabindex="0"></pre></details>'
        '</form><section aria-label="Health of the library"><h2>Health of the library</h2>'
        '<div data-health></div><div class="ibid-apply">'
        '<button type="button" class="ibid-button" data-act="check">Check again</button>'
        '<span role="status" data-mending></span></div></section></div>'
        '<div class="ibid-unseen" role="status" aria-live="polite" data-says></div></div>'
    )


def _choices(name: str, label: str, entries: tuple[tuple[str, str, str], ...]) -> str:
    made = "".join(
        f'<label class="ibid-choice"><input type="radio" name="{name}" value="{value}">'
        f"<span><strong>{title}</strong><small>{says}</small></span></label>"
        for value, title, says in entries
    )
    return f'<div class="ibid-choices" role="radiogroup" aria-label="{label}">{made}</div>'


def _model() -> str:
    return (
        '<div class="ibid-model" data-model hidden>'
        '<label class="ibid-input" data-for="server"><span>Address</span>'
        '<input name="base_url" placeholder="http://127.0.0.1:11434/v1" autocomplete="off" spellcheck="false"></label>'
        '<label class="ibid-input" data-for="server provider"><span>Model</span>'
        '<input name="model" autocomplete="off" spellcheck="false"></label>'
        '<label class="ibid-input" data-for="local"><span>Model</span><select name="local"></select></label>'
        '<label class="ibid-input" data-for="server provider"><span>Key</span>'
        '<input name="key" type="password" autocomplete="new-password" spellcheck="false"></label>'
        '<p class="ibid-soft" data-for="server provider" data-key></p></div>'
    )


def _numbers() -> str:
    def number(name: str, label: str, says: str, most: int) -> str:
        return (
            f'<label class="ibid-number"><input type="number" name="{name}" min="1" max="{most}" step="1">'
            f"<span><strong>{label}</strong><small>{says}</small></span></label>"
        )

    return (
        '<div class="ibid-numbers">'
        f"{number('papers', 'papers read for an answer', 'More cost time, and rarely add to it.', 50)}"
        f"{number('sentences', 'sentences at most', 'Of an answer in the abstracts’ own words.', 20)}</div>"
    )
