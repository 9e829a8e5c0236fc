"""Commands on the papers of a library: add, list, show, rm."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli import options, output

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.papers import Paper


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE…|-")
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="CATEGORY",
    help="Only papers in this category, such as cs.CL, or cs for all within; may be repeated.",
)
@options.library_option
@options.json_option
def add(sources: tuple[str, ...], categories: tuple[str, ...], library_path: Path | None, as_json: bool) -> None:
    """Add papers from files, folders, or standard input (-).

    Formats are told by content: exports of reference managers and databases (BibTeX, RIS, CSL-JSON, CSV, EndNote,
    MEDLINE, Web of Science), answers and dumps of arXiv, PubMed, Crossref, OpenAlex and Semantic Scholar, JSON Lines,
    search-page dumps; plain, gzip, Zstandard or zip. Papers already there are left as they are, changed ones updated;
    what cannot be read is named with its place and reason.
    """
    from assistant.cli.hooks import load
    from assistant.library import Library

    wanted = options.settings(library_path)
    with Library.open(wanted.library_path(), settings=wanted) as library:
        with _Progress() as progress:
            report = load("ingest")(
                library,
                *sources,
                progress=progress.update,
                categories=categories,
                max_unpacked_bytes=wanted.max_unpacked_gb << 30,
            )
        total = library.count()
    if as_json:
        output.emit(report.to_dict())
    else:
        click.echo(str(report))
        click.echo(f"{total} paper{'' if total == 1 else 's'} in {wanted.library_path()}")
    if not (report.added or report.updated or report.unchanged or report.duplicates):
        sys.exit(1)


class _Progress:
    """A bar on standard error when that is a terminal, with rate and time left."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._started = time.monotonic()

    def __enter__(self) -> _Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("Reading", total=None, rate="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, progress: Any) -> None:
        """Shows an `ingest.Progress`: `done` records of `total` (None while unknown)."""
        if self._bar is not None:
            rate = progress.done / max(1e-6, time.monotonic() - self._started)
            told = {"completed": progress.done, "total": progress.total, "rate": f"{rate:.0f} papers/s"}
            self._bar.update(self._task, description="Adding", **told)


@click.command("list")
@options.library_option
@options.filter_option
@options.json_option
def list_(library_path: Path | None, filters: tuple[str, ...], as_json: bool) -> None:
    """List the papers of the library."""
    from assistant.filters import Filters

    with options.existing(library_path) as library:
        papers = list(library.papers(Filters.parse_options(filters)))
    if as_json:
        output.emit([_whole(paper, abstract=False) for paper in papers])
        return
    for paper in papers:
        click.echo(f"{click.style(paper.id, fg='cyan')}  {output.paper_line(paper)}")
    if not papers:
        click.echo(
            "No papers match." if filters else "The library is empty; add papers with: ibid add FILE", err=True
        )


@click.command()
@click.argument("reference")
@click.option(
    "--verbose", "-v", is_flag=True, help="Also every identifier and key, and which source gave each field."
)
@options.library_option
@options.json_option
def show(reference: str, verbose: bool, library_path: Path | None, as_json: bool) -> None:
    """Show one paper, by id, DOI, arXiv id, citekey or exact title."""
    with options.existing(library_path) as library:
        paper = library.paper(reference)
        passages = library.passages(paper.id)
        told = whole(library, paper)
    if as_json:
        spans = [{"id": p.id, "start": p.start, "end": p.end, "tokens": p.tokens} for p in passages]
        output.emit({**told, "passages": spans})
        return
    click.echo(click.style(output.shown(paper.title), bold=True))
    for notice in paper.notices:
        click.echo(click.style(notice, fg="red", bold=True))
    for name, value in facts(paper):
        origin = told["provenance"].get(_field(name)) if verbose else None
        click.echo(
            f"{click.style(name, fg='cyan')}  {value}" + click.style(f"  ({origin})" if origin else "", dim=True)
        )
    if verbose:
        named = {"keys": told["citekeys"], "identifiers": [":".join(pair) for pair in told["identifiers"]]}
        for name, values in named.items():
            click.echo(f"{click.style(name, fg='cyan')}  {', '.join(values)}")
        for name in ("title", "abstract"):
            click.echo(f"{click.style(name, fg='cyan')}  from {told['provenance'].get(name, 'unknown')}")
    click.echo()
    click.echo(output.wrapped(output.shown(paper.abstract)))


@click.command()
@click.argument("references", nargs=-1, required=True, metavar="REFERENCE…")
@options.library_option
@options.json_option
def rm(references: tuple[str, ...], library_path: Path | None, as_json: bool) -> None:
    """Remove papers, by id, DOI, arXiv id, citekey or exact title.

    All are found before any is removed. Records of earlier answers keep the text that they quote.
    """
    with options.existing(library_path) as library:
        removed = library.remove(references)
        left = library.count()
    if as_json:
        output.emit({"removed": removed, "papers": left})
    else:
        click.echo(f"{removed} removed, {left} left")


def _whole(paper: Paper, *, abstract: bool) -> dict[str, Any]:
    fields = dataclasses.asdict(paper) | {"details": dict(paper.details)}
    return fields if abstract else {name: value for name, value in fields.items() if name != "abstract"}


def whole(library: Library, paper: Paper) -> dict[str, Any]:
    """Everything that the library knows of a paper: its names, and which source gave each field (`you` for an edit)."""
    return {
        **_whole(paper, abstract=True),
        "citekeys": list(library.editions.citekeys(paper.id)),
        "identifiers": [list(pair) for pair in library.editions.identifiers(paper.id)],
        "provenance": library.editions.provenance(paper.id),
    }


_FIELDS = {"arxiv": "arxiv_id", "source's note": "details.note"}  # as `facts` shows them to the names of provenance


def _field(shown: str) -> str:
    """The name under which provenance tells of what `facts` shows as this."""
    from assistant.papers import DETAIL_NAMES

    return _FIELDS.get(shown) or (f"details.{shown}" if shown in DETAIL_NAMES and shown != "note" else shown)


def facts(paper: Paper) -> list[tuple[str, str]]:
    """Name and value of what the paper has beside title, abstract and notices."""
    details = {"source's note" if name == "note" else name: output.shown(value) for name, value in paper.details}
    told = {
        "id": paper.id,
        "authors": ", ".join(paper.authors),
        "year": str(paper.year or ""),
        "venue": output.shown(paper.venue or ""),
        **details,
        "doi": paper.doi or "",
        "arxiv": paper.arxiv_id or "",
        "url": paper.url or "",
        "categories": ", ".join(paper.categories),
        "tags": ", ".join(paper.tags),
        "citekey": paper.citekey or "",
        "note": paper.note or "",
        "source": paper.source or "",
    }
    return [(name, value) for name, value in told.items() if value]
