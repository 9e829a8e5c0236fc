"""`ibid edit`: the user's own word on a paper."""

from __future__ import annotations

from pathlib import Path

import click

from assistant.cli import options, output


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
@click.option(
    "--set",
    "details",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another detail, such as volume=12, issue, page, publisher, editor or type; NAME= for none. Repeatable.",
)
@click.option("--tag", "tags", multiple=True, help="A tag to give. Repeatable.")
@click.option("--untag", "untags", multiple=True, help="A tag to take away. Repeatable.")
@click.option("--reset", "reset", multiple=True, metavar="FIELD", help="Give a field, or tags, back to the sources.")
@click.option("--reset-all", is_flag=True, help="Give every field and tag back to the sources; the note goes too.")
@options.library_option
@options.json_option
def edit(
    reference: str,
    authors: tuple[str, ...],
    details: tuple[str, ...],
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
    from assistant.editing import Changes, written

    fields = written({**given, **_named(details), "authors": authors or None})
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
    for notice in paper.notices:
        click.echo(click.style(notice, fg="red", bold=True))
    for name, value in facts(paper):
        click.echo(f"{click.style(name, fg='cyan')}  {value}")


def _named(details: tuple[str, ...]) -> dict[str, str]:
    from assistant.editing import EDIT_DETAILS

    told = dict(detail.partition("=")[::2] for detail in details)
    if wrong := next(
        (detail for detail in details if detail.partition("=")[0] not in EDIT_DETAILS or "=" not in detail), ""
    ):
        raise click.UsageError(f"--set {wrong}: write NAME=VALUE with one of {', '.join(sorted(EDIT_DETAILS))}")
    return told
