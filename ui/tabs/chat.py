"""The Chat tab: a transcript, a field to ask in, and a conversation for each visitor.

The transcript lives on the server in the visitor's session; the browser only ever sends a question, so that no visitor
can put words into another's, or into an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import gradio as gr

from assistant.answers import Finished, Token
from assistant.errors import IbidError
from ui import rendering
from ui.services import Answering, Services

LABEL: Final = "Chat"
MAX_QUESTION_CHARACTERS: Final = 2000
_ANSWERED_AT_ONCE: Final = 4  # answers are CPU-bound; more at once only makes each later
_SESSION_S: Final = 6 * 3600

Message: TypeAlias = dict[str, str]


@dataclass
class Session:
    """One visitor's conversation and what they have seen of it."""

    conversation: Any = None
    messages: list[Message] = field(default_factory=list)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


def build(services: Services) -> None:
    """Lays out the tab."""
    session = gr.State(Session(), time_to_live=_SESSION_S)
    with gr.Row(elem_id="ibid-head", equal_height=True):
        gr.HTML(_heading(services.papers()), padding=False)
        restart = gr.Button("New conversation", elem_id="ibid-new", size="sm", min_width=150, scale=0)
    transcript = gr.Chatbot(
        elem_id="ibid-transcript",
        show_label=False,
        label="Conversation",
        container=False,
        layout="panel",
        scale=1,
        min_height=200,
        buttons=[],
        sanitize_html=True,
        line_breaks=False,
        latex_delimiters=[],
        allow_file_downloads=False,
        placeholder=_WELCOME,
        examples=[{"text": question} for question in services.examples] or None,
    )
    entry = gr.Textbox(
        elem_id="ibid-entry",
        show_label=False,
        label="Your question",
        placeholder="Ask these papers a question",
        max_length=MAX_QUESTION_CHARACTERS,
        max_lines=6,
        submit_btn=True,
        autofocus=True,
        container=False,
    )

    async def ask(question: str, current: Session) -> AsyncIterator[tuple[list[Message], Session]]:
        async for messages in replies(services.assistant, current, question):
            yield messages, current

    async def ask_example(current: Session, selection: gr.SelectData) -> AsyncIterator[tuple[list[Message], Session]]:
        async for update in ask(str(selection.value["text"]), current):
            yield update

    options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    limits: dict[str, Any] = {"concurrency_limit": _ANSWERED_AT_ONCE, "concurrency_id": "ask"}
    answering = {**options, **limits, "outputs": [transcript, session], "trigger_mode": "multiple"}
    entry.submit(ask, [entry, session], **answering)
    # Emptied in the browser at once: a reply from the server could wipe out what is typed by then.
    entry.submit(None, None, entry, js="() => ''", **options)
    transcript.example_select(ask_example, [session], **answering)
    restart.click(lambda: ([], Session()), None, [transcript, session], queue=False, **options)


async def replies(assistant: Answering, session: Session, question: str) -> AsyncIterator[list[Message]]:
    """Asks, and yields the whole transcript each time it changes; the last one stays in `session`.

    A session's questions are answered one after the other. A blank question changes nothing;
    a failure is shown as one and never as an answer.
    """
    question = question.strip()[:MAX_QUESTION_CHARACTERS]
    if not question:
        yield session.messages
        return
    async with session.turn:
        if session.conversation is None:
            session.conversation = assistant.conversation()
        before = session.messages = [*session.messages, _message("user", rendering.question(question))]
        yield before
        text = ""
        try:
            async for event in assistant.astream(question, conversation=session.conversation):
                if isinstance(event, Token):
                    text += event.text
                    yield [*before, _message("assistant", rendering.draft(text))]
                elif isinstance(event, Finished):
                    session.messages = [*before, _message("assistant", rendering.answer(event.answer))]
        except IbidError as error:
            session.messages = [*before, _message("assistant", rendering.failure(str(error)))]
        yield session.messages


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _heading(papers: int) -> str:
    count = f"{papers:,} paper{'' if papers == 1 else 's'}"
    return f'<div class="ibid-heading"><h1>Ibid<span>.</span></h1><p>{count} in this library</p></div>'


_WELCOME: Final = (
    '<div class="ibid-welcome"><h2>Ask, and see where it says so</h2>'
    "<p>Answers are sentences of the abstracts, each with its source. "
    "When no abstract here holds the answer, Ibid says that instead.</p></div>"
)
