"""`ibid edit`: the user's own word on a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assistant.cli import options, output
from assistant.errors import InputError

_FIRST_YEAR, _LAST_YEAR = 1000, 2200


@click.command()
@click.argument("reference")
@click.option("--title", help="The paper's title.")
@click.option("--abstract", help="The paper's abstract; it is cut and embedded anew.")
@click.option("--author", "authors", multiple=True, help="An author, in display order; give all of them. Repeatable.")
@click.option("--year", help="The year, or '' for none.")
@click.option("--venue", help="Journal or conference, or '' for none.")
@click.option("--doi", help="The DOI, or '' for none.")
@click.option("--arxiv", "arxiv_id", help="The arXiv id, or '' for none.")
@click.option("--url", help="An address, or '' for none.")
@click.option("--citekey", help="The key that stands first; former keys still name the paper.")
@click.option("--note", help="Your note on the paper, which a search finds; '' takes it away.")
@click.option("--tag", "tags", multiple=True, help="A tag to give. Repeatable.")
@click.option("--untag", "untags", multiple=True, help="A tag to take away. Repeatable.")
@click.option("--reset", "reset", multiple=True, metavar="FIELD", help="Give a field, or tags, back to the sources.")
@click.option("--reset-all", is_flag=True, help="Give every field and tag back to the sources; the note goes too.")
@options.library_option
@options.json_option
def edit(
    reference: str,
    authors: tuple[str, ...],
    tags: tuple[str, ...],
    untags: tuple[str, ...],
    reset: tuple[str, ...],
    reset_all: bool,
    library_path: Path | None,
    as_json: bool,
    **given: str | None,
) -> None:
    """Change a paper: fields, tags, a note. Your word wins over every file that is added later, until you reset it."""
    from assistant.cli.hooks import load
    from assistant.cli.papers import facts, whole
    from assistant.editing import Changes

    fields = _fields(given, authors)
    changes = Changes(
        fields, tags, untags, tuple("arxiv_id" if name == "arxiv" else name for name in reset), reset_all
    )
    if changes == Changes():
        raise click.UsageError("say what to change, e.g. --tag read or --note '…'")
    with options.existing(library_path) as library:
        paper = load("edit")(library, reference, changes)
        told = whole(library, paper)
    if as_json:
        output.emit(told)
        return
    click.echo(click.style(output.shown(paper.title), bold=True))
    for name, value in facts(paper):
        click.echo(f"{click.style(name, fg='cyan')}  {value}")


def _fields(given: dict[str, str | None], authors: tuple[str, ...]) -> dict[str, Any]:
    """Values as the library has them, in one spelling each; InputError for what cannot be one."""
    from assistant.cleaning import normalise
    from assistant.identity import normalise_arxiv, normalise_doi

    fields: dict[str, Any] = {name: normalise(text) or None for name, text in given.items() if text is not None}
    if authors:
        fields["authors"] = tuple(name for author in authors if (name := " ".join(normalise(author).split())))
    for name, read, example in (("doi", normalise_doi, "10.1000/182"), ("arxiv_id", normalise_arxiv, "1706.03762")):
        if fields.get(name):
            found = read(fields[name])
            if found is None:
                raise InputError(f"{fields[name]!r} is no {name.partition('_')[0]} identifier; write it as {example}")
            fields[name] = found
    if fields.get("year"):
        text = fields["year"]
        if not (text.isascii() and text.isdigit() and _FIRST_YEAR <= int(text) <= _LAST_YEAR):
            raise InputError(f"{text!r} is no year; write four digits, or '' for none")
        fields["year"] = int(text)
    return fields
