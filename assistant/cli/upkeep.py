"""Commands that keep a library right: rebuild, doctor."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assistant.cli import options, output


@click.command()
@click.option("--embed", is_flag=True, help="Make the vectors anew first, e.g. with another embedding model.")
@options.library_option
@options.json_option
def rebuild(embed: bool, library_path: Path | None, as_json: bool) -> None:
    """Make the library's indexes anew from its stored papers and vectors."""
    with options.existing(library_path) as library:
        library.rebuild(embed=embed)
        count = library.count()
    if as_json:
        output.emit({"rebuilt": True, "embedded": embed, "papers": count})
    else:
        click.echo(f"Indexes of {count} papers made anew{', with new vectors' if embed else ''}")


@click.command()
@options.library_option
@options.json_option
def doctor(library_path: Path | None, as_json: bool) -> None:
    """Check the library, and the local chat model where one answers, and print, for each finding, the command that mends it."""
    with options.existing(library_path) as library:
        checks = library.doctor()
    from assistant.local_models import checking

    found = checking.finding(options.settings(library_path))
    checks = (*checks, found) if found is not None else checks
    if as_json:
        output.emit([{"check": c.check, "ok": c.ok, "message": c.message, "mend": c.mend} for c in checks])
    else:
        for check in checks:
            mark = click.style("ok  ", fg="green") if check.ok else click.style("BAD ", fg="red", bold=True)
            click.echo(f"{mark} {check.check}: {check.message}")
            if not check.ok and check.mend:
                click.echo(f"     mend with: {check.mend}")
    if not all(check.ok for check in checks):
        sys.exit(1)
