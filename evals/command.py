"""`ibid eval`: run, compare, report, make. Loaded by `ibid` through its entry point; `python -m evals` is the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.errors import IbidError

if TYPE_CHECKING:
    from evals.results import CaseResult


class Group(click.Group):
    """Turns errors raised on purpose into one line on stderr and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(context)
        except IbidError as error:
            click.echo(f"error: {error}", err=True)
            raise SystemExit(1) from error


@click.group(cls=Group, name="eval")
def main() -> None:
    """Measures answers: are they right, do citations carry them, are refusals just?"""


_library = click.option(
    "--library", type=click.Path(path_type=Path), envvar="IBID_LIBRARY", help="library folder; default: the user's"
)
_data = click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="folder of external sets"
)


@main.command()
@click.option("--suite", default="gate", show_default=True, help="bundled suite (gate, full) or a .toml file")
@_library
@click.option("--cases", multiple=True, help="datasets in place of the suite's: bundled names or .jsonl files")
@click.option("--split", type=click.Choice(["dev", "test", "all"]), help="default: as the suite says")
@click.option("--kind", "kinds", multiple=True, help="only cases of this kind; may be repeated")
@click.option("--tag", "tags", multiple=True, help="only cases with this tag; may be repeated")
@click.option("--limit", type=click.IntRange(1), help="at most so many cases, spread over the set")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="folder for the run's files")
@click.option("--json", "as_json", is_flag=True, help="print summary.json")
@click.option("--replay", type=click.Path(exists=True, file_okay=False, path_type=Path), help="score a recorded run")
def run(
    suite: str,
    library: Path | None,
    cases: tuple[str, ...],
    split: str | None,
    kinds: tuple[str, ...],
    tags: tuple[str, ...],
    limit: int | None,
    out: Path | None,
    as_json: bool,
    replay: Path | None,
) -> None:
    """Asks the cases of a suite and judges the answers. Exit code 1 when a declared bound is not reached."""
    from evals import runner

    if replay is not None:
        found = runner.replay(replay, suite=None if suite == "gate" else suite)
    else:
        found = runner.run(
            _assistant(library),
            cases or None,
            suite=suite,
            split=split,
            kinds=kinds,
            tags=tags,
            limit=limit,
            out=out,
            progress=_progress(),
        )
    _print(found, as_json)
    raise SystemExit(1 if found.summary.verdict == "fail" else 0)


@main.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--suite", help="suite that declares the margins; default: that of the first run")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def compare(before: Path, after: Path, suite: str | None, as_json: bool) -> None:
    """Compares two recorded runs on the cases they share. Exit code 1 when AFTER is worse beyond a margin."""
    import json

    from evals.comparison import compare as compare_runs
    from evals.reports import read
    from evals.reports.comparison import render
    from evals.suite import load_suite

    margins = load_suite(suite).margins if suite else None
    found = compare_runs(read(before), read(after), margins)
    click.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2) if as_json else render(found), nl=as_json)
    raise SystemExit(1 if found.verdict == "fail" else 0)


def _assistant(library: Path | None) -> Any:
    from assistant import Assistant, Library

    return Assistant(Library.open(library, create=False))


def _print(found: Any, as_json: bool) -> None:
    import json

    if as_json:
        click.echo(json.dumps(found.summary.to_dict(), ensure_ascii=False, indent=2))
        return
    from rich.console import Console

    from evals.reports import terminal

    terminal.show(found, Console())


def _progress() -> Any:
    """Counts cases on stderr when that is a terminal."""
    import sys

    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int, result: CaseResult) -> None:
        click.echo(f"\r{done}/{total} {result.case.id:<40.40}", nl=done == total, err=True)

    return show
