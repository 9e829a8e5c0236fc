"""`ibid sync`: sources that the library remembers."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click

from assistant.cli import options, output


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]…")
@click.option("--dry-run", "dry", is_flag=True, help="Only tell what would change.")
@click.option("--prune", is_flag=True, help="Remove papers that only this source brought and that it no longer has.")
@click.option(
    "--online", is_flag=True, help="Without SOURCE: also those remembered sources that are on the internet."
)
@click.option(
    "--contact",
    envvar="IBID_CONTACT",
    metavar="E-MAIL",
    help="Told to online services, as they ask. Or IBID_CONTACT.",
)
@click.option("--max", "most", type=click.IntRange(1, 30_000), help="Most papers of an arXiv query. Default: 1000.")
@click.option("--refresh", is_flag=True, help="Ask online services anew for what the cache still holds.")
@click.option("--list", "listing", is_flag=True, help="List the remembered sources.")
@click.option("--forget", metavar="SOURCE", help="Forget a source; its papers stay.")
@options.library_option
@options.json_option
def sync(
    sources: tuple[str, ...],
    dry: bool,
    prune: bool,
    online: bool,
    contact: str | None,
    most: int | None,
    refresh: bool,
    listing: bool,
    forget: str | None,
    library_path: Path | None,
    as_json: bool,
) -> None:
    """Bring in what changed in sources, and remember them: the next time plain `ibid sync` does them all.

    A SOURCE is a file, a folder, `zotero` (running on this machine), its `zotero:groups` or one of them
    (zotero:groups/12345), a zotero.sqlite, or, on the internet, arxiv:QUERY, or doi:, crossref: or openalex: with a DOI or a file of DOIs. Nothing is removed without --prune.
    """
    from assistant.cli.hooks import load
    from assistant.cli.papers import _Progress
    from assistant.library import Library

    if listing or forget:
        _remembered(library_path, forget, as_json)
        return
    wanted = options.settings(library_path)
    with Library.open(wanted.library_path(), create=bool(sources) and not dry, settings=wanted) as library:
        asked = {"prune": prune, "dry": dry, "online": online, "contact": contact, "most": most, "refresh": refresh}
        with _Progress() as progress:
            report = load("sync")(library, *sources, progress=progress.update, **asked)
    if as_json:
        output.emit(report.to_dict())
    else:
        click.echo(str(report))
    if not report.ok:
        sys.exit(1)


def _remembered(library_path: Path | None, forget: str | None, as_json: bool) -> None:
    with options.existing(library_path) as library:
        if forget:
            known = {summary.address for summary in library.sources.all()}
            address = forget if forget in known else str(Path(forget).expanduser().resolve())
            library.sources.forget(address if address in known else forget)
        found = library.sources.all()
    if as_json:
        output.emit([dataclasses.asdict(summary) | {"options": dict(summary.options)} for summary in found])
        return
    for summary in found:
        when = (summary.synced_at or "never")[:16].replace("T", " ")
        papers = f"{summary.papers} paper{'' if summary.papers == 1 else 's'}"
        click.echo(f"{click.style(summary.address, fg='cyan')}  {papers}, synced {when}")
    if not found:
        click.echo("No source is remembered; name one, e.g. ibid sync refs.bib", err=True)
