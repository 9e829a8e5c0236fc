"""`ibid conversations`: those that the library keeps, shown, renamed, removed and written out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import cast

import click

from assistant.cli import options, output
from assistant.errors import InputError

_FORMATS = ("markdown", "html", "docx", "bibtex", "json")
_SUFFIXES = {".md": "markdown", ".markdown": "markdown", ".bib": "bibtex", ".bibtex": "bibtex", ".json": "json"}
_SUFFIXES |= {".html": "html", ".htm": "html", ".docx": "docx"}
_WHICH = click.argument("conversation_id", metavar="ID|last")


@click.group()
def conversations() -> None:
    """Conversations that the library keeps: list, show, rename, remove, export."""


@conversations.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Most conversations listed.")
@options.library_option
@options.json_option
def list_(limit: int, library_path: Path | None, as_json: bool) -> None:
    """List conversations, latest first."""
    with options.existing(library_path) as library:
        found = [summary for summary in library.list_conversations() if summary.turns]
    more = max(0, len(found) - limit)
    if as_json:
        output.emit({"conversations": [dataclasses.asdict(summary) for summary in found[:limit]], "more": more})
        return
    for summary in found[:limit]:
        asked = f"{summary.turns} question{'' if summary.turns == 1 else 's'}"
        click.echo(
            f"{click.style(summary.id, fg='cyan')}  {summary.updated_at[:16].replace('T', ' ')}  {asked:>12}  {summary.title}"
        )
    if more:
        click.echo(f"{more} more; list them all with: ibid conversations list --limit {len(found)}", err=True)
    if not found:
        click.echo("No conversation yet; begin one with: ibid chat", err=True)


@conversations.command()
@_WHICH
@options.library_option
@options.json_option
def show(conversation_id: str, library_path: Path | None, as_json: bool) -> None:
    """Show a conversation: questions, answers, references."""
    from assistant.transcript import transcript

    with options.existing(library_path) as library:
        whole = transcript(library, conversation_id)
    if as_json:
        output.emit(whole.to_dict())
        return
    click.echo(click.style(whole.title, bold=True))
    for turn in whole.turns:
        click.echo("\n" + click.style("? ", fg="cyan", bold=True) + turn.question)
        if turn.query != " ".join(turn.question.split()):
            click.echo(click.style(output.wrapped(f"Read as: {turn.query}"), dim=True))
        for line in turn.text.split("\n"):
            click.echo(output.wrapped(output.shown(line)))
    for reference in whole.references:
        click.echo("" if reference.number > 1 else "\nReferences")
        title = output.shown(reference.paper["title"])
        click.echo(f"{click.style(f'[{reference.number}]', fg='cyan', bold=True)} {title}")
        click.echo(click.style(output.wrapped(f"“{output.shown(reference.quote)}”", "    "), fg="green"))


@conversations.command()
@_WHICH
@click.argument("title", nargs=-1, required=True)
@options.library_option
@options.json_option
def rename(conversation_id: str, title: tuple[str, ...], library_path: Path | None, as_json: bool) -> None:
    """Give a conversation another title."""
    from assistant.transcript import find

    wanted = " ".join(" ".join(title).split())
    if not wanted:
        raise InputError("a title needs at least one character that is not blank; give one")
    with options.existing(library_path) as library:
        summary = find(library, conversation_id)
        library.rename_conversation(summary.id, wanted)
    if as_json:
        output.emit({"id": summary.id, "title": wanted})
    else:
        click.echo(f"{summary.id} is now “{wanted}”")


@conversations.command()
@click.argument("conversation_ids", nargs=-1, required=True, metavar="ID…|last")
@options.library_option
@options.json_option
def rm(conversation_ids: tuple[str, ...], library_path: Path | None, as_json: bool) -> None:
    """Remove conversations with the records of their answers. All are found before any is removed."""
    from assistant.transcript import find

    with options.existing(library_path) as library:
        found = list(dict.fromkeys(find(library, reference).id for reference in conversation_ids))
        for conversation_id in found:
            library.delete_conversation(conversation_id)
    if as_json:
        output.emit({"removed": found})
    else:
        click.echo(f"{len(found)} removed")


@conversations.command()
@_WHICH
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), help="Default: by the ending of --output, else markdown."
)
@click.option("--output", "-o", "target", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
@options.library_option
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def export(
    conversation_id: str, form: str | None, target: Path | None, library_path: Path | None, as_json: bool
) -> None:
    """Write a conversation as Markdown, HTML or Word with numbered references, as JSON, or its papers as BibTeX."""
    from assistant.cli.exporting import write, write_bytes
    from assistant.transcript import Form, exported, transcript

    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json means --format json, not {form}")
    chosen = "json" if as_json else form or _SUFFIXES.get(target.suffix.lower() if target else "", "markdown")
    if chosen == "docx":
        if target is None:
            raise click.UsageError("a Word document needs a file: give --output NAME.docx")
        from assistant.transcript_docx import document

        with options.existing(library_path) as library:
            write_bytes(document(transcript(library, conversation_id)), target)
        return
    with options.existing(library_path) as library:
        if chosen == "html":
            from assistant.transcript_html import html

            text = html(transcript(library, conversation_id))
        else:
            text = exported(library, conversation_id, cast("Form", chosen))
    if not text:
        raise InputError(f"conversation {conversation_id!r} cites no paper; export it with --format markdown")
    if target is None:
        click.echo(text, nl=False)
    else:
        write([text], target)
