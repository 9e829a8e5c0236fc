"""A chat in the terminal."""

from __future__ import annotations

from pathlib import Path

import click

from assistant.cli import options, output
from assistant.errors import IbidError


@click.command()
@click.option(
    "--resume",
    "--conversation",
    "conversation_id",
    is_flag=False,
    flag_value="last",
    metavar="[ID|last]",
    help="Go on with this conversation (its id), or with the last one.",
)
@options.on_failed_option
@options.library_option
@options.filter_option
def chat(
    conversation_id: str | None, on_failed_claim: str | None, library_path: Path | None, filters: tuple[str, ...]
) -> None:
    """Ask questions one after another; follow-ups are understood. Leave with Ctrl-D."""
    from assistant.engine import Assistant
    from assistant.filters import Filters
    from assistant.transcript import find

    narrowed = Filters.parse_options(filters)
    with options.existing(library_path) as library:
        assistant = Assistant(library, settings=options.settings(library_path, on_failed_claim=on_failed_claim))
        going_on = find(library, conversation_id) if conversation_id else None
        about = f"“{going_on.title}”, {going_on.turns} asked" if going_on else "new conversation"
        click.echo(f"{library.count(narrowed)} papers; {about}. Ctrl-D leaves.", err=True)
        conversation = None if going_on is None else assistant.conversation(going_on.id)
        while True:
            try:
                question = click.prompt(click.style("?", fg="cyan", bold=True), prompt_suffix=" ", type=str)
            except (click.exceptions.Abort, EOFError):
                click.echo()
                if conversation is not None:
                    click.echo(f"Go on with: ibid chat --resume {conversation.id}", err=True)
                return
            try:
                if conversation is None:  # one that nothing was asked in is not kept
                    conversation = assistant.conversation()
                if assistant.settings.chat_model == "quotes":
                    answer = conversation.ask(question, filters=narrowed)
                else:
                    answer = output.answered(conversation.stream(question, filters=narrowed))
                click.echo(output.answer_text(answer) + "\n")
            except IbidError as error:
                click.echo(f"ibid: {error}", err=True)
