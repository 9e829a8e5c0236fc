"""`ibid export`: papers for reference managers, spreadsheets and other programs."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from assistant.cli import options
from assistant.errors import InputError

if TYPE_CHECKING:
    from assistant.exporting import Format
    from assistant.library import Library
    from assistant.papers import Paper

_FORMATS = ("bibtex", "csl-json", "ris", "csv", "jsonl", "markdown", "text")


@click.command()
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), help="Default: by the ending of --output, else bibtex."
)
@click.option("--search", "question", help="The papers nearest to this question, best first.")
@click.option("-k", "k", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many, with --search.")
@click.option("--record", "record_id", help="The papers that this answer cites, in its order.")
@click.option("--conversation", "conversation_id", metavar="ID|last", help="The papers that a conversation cites.")
@click.option(
    "--style",
    metavar="STYLE",
    help="References in a style: acm, ama, apa, chicago, harvard, ieee, mla, nature, vancouver, or a .csl file. "
    "Default: apa, for --format markdown and text.",
)
@click.option("--output", "-o", "target", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
@options.library_option
@options.filter_option
@click.option("--json", "as_json", is_flag=True, help="The same as --format jsonl.")
def export(
    form: str | None,
    question: str | None,
    k: int,
    record_id: str | None,
    conversation_id: str | None,
    style: str | None,
    target: Path | None,
    library_path: Path | None,
    filters: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write papers as BibTeX, CSL-JSON, RIS, CSV or JSON Lines, or as references in a style, Markdown or plain text.

    All papers, or those of a filter, a search, an answer or a conversation.
    """
    from assistant.exporting import SUFFIXES, written
    from assistant.referencing import DEFAULT_STYLE

    if record_id and conversation_id:
        raise click.UsageError("give --record or --conversation, not both")
    if (record_id or conversation_id) and (question or filters):
        option = "--record" if record_id else "--conversation"
        raise click.UsageError(f"{option} chooses its own papers; give it without --search and --filter")
    if as_json and form not in (None, "jsonl"):
        raise click.UsageError(f"--json means --format jsonl, not {form}")
    usual = "text" if style else "bibtex"
    chosen = "jsonl" if as_json else form or SUFFIXES.get(target.suffix.lower() if target else "", usual)
    if style and chosen not in ("markdown", "text"):
        raise click.UsageError(f"--style is for --format markdown or text, not {chosen}")
    with options.existing(library_path) as library:
        papers = iter(_papers(library, question, k, record_id, conversation_id, filters))
        first = next(papers, None)
        if first is None:
            raise InputError("no paper to export; see what there is with: ibid list")
        pieces = written(itertools.chain([first], papers), cast("Format", chosen), style or DEFAULT_STYLE)
        if target is None:
            for piece in pieces:
                click.echo(piece, nl=False)
        else:
            write(pieces, target)


def _papers(
    library: Library,
    question: str | None,
    k: int,
    record_id: str | None,
    conversation_id: str | None,
    filters: tuple[str, ...],
) -> Iterable[Paper]:
    from assistant.filters import Filters

    if conversation_id:
        from assistant.transcript import cited, transcript

        return cited(library, transcript(library, conversation_id))
    if record_id:
        return _cited(library, record_id)
    narrowed = Filters.parse_options(filters)
    if question:
        return (hit.paper for hit in library.search(question, k=k, filters=narrowed))
    return library.papers(narrowed)


def _cited(library: Library, record_id: str) -> Iterator[Paper]:
    """The papers that an answer cites, in order of first use; of one that is gone, what the record kept."""
    from assistant.answers import from_summary

    told = {citation["paper"]["id"]: citation["paper"] for citation in library.record(record_id).answer["citations"]}
    here = library.papers_by_id(told)
    for paper_id, kept in told.items():
        if paper_id not in here:
            click.echo(f"{paper_id} is no longer in the library; its record has no abstract", err=True)
        yield here.get(paper_id) or from_summary(kept)


def write(pieces: Iterable[str], target: Path) -> None:
    """Writes text beside the target and moves it into place, so that a full disk leaves what was there."""
    write_bytes((piece.encode("utf-8", "replace") for piece in pieces), target)


def write_bytes(pieces: Iterable[bytes], target: Path) -> None:
    """As `write`, for files that are no text."""
    if not target.parent.is_dir():
        raise InputError(f"no folder {str(target.parent)!r} to write {target.name!r} into; make it first")
    with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as beside:
        try:
            beside.writelines(pieces)
            beside.flush()
            os.chmod(beside.name, 0o666 & ~_umask())
            os.replace(beside.name, target)
        except BaseException:
            os.unlink(beside.name)
            raise


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
