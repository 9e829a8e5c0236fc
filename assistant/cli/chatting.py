"""A chat in the terminal."""

from __future__ import annotations

from pathlib import Path

import click

from assistant.cli import options, output
from assistant.errors import IbidError


@click.command()
@click.option("--conversation", "conversation_id", help="Resume this conversation (its id).")
@options.library_option
@options.filter_option
def chat(conversation_id: str | None, library_path: Path | None, filters: tuple[str, ...]) -> None:
    """Ask questions one after another; follow-ups are understood. Leave with Ctrl-D."""
    from assistant.engine import Assistant
    from assistant.filters import Filters

    narrowed = Filters.parse_options(filters)
    with options.existing(library_path) as library:
        assistant = Assistant(library, settings=options.settings(library_path))
        conversation = assistant.conversation(conversation_id)
        click.echo(f"{library.count(narrowed)} papers. Conversation {conversation.id}. Ctrl-D leaves.", err=True)
        while True:
            try:
                question = click.prompt(click.style("?", fg="cyan", bold=True), prompt_suffix=" ", type=str)
            except (click.exceptions.Abort, EOFError):
                click.echo()
                return
            try:
                click.echo(output.answer_text(conversation.ask(question, filters=narrowed)) + "\n")
            except IbidError as error:
                click.echo(f"ibid: {error}", err=True)
