"""`ibid verify`: a stored answer, or claims from a file, checked against the library's papers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from assistant.cli import json_lines, options, output
from assistant.errors import InputError

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.verifying import CheckedRecord

_COLOURS = {"quoted": "green", "supported": "green", "partial": "yellow"}


@click.command()
@click.argument("record_id", metavar="RECORD", required=False)
@click.option(
    "--claims",
    type=click.File("rb"),
    help="Check JSON Lines of {id, claim, papers}; papers are titles, ids or citekeys, by default what a search finds. "
    "- is stdin.",
)
@options.library_option
@options.json_option
def verify(record_id: str | None, claims: IO[bytes] | None, library_path: Path | None, as_json: bool) -> None:
    """Check a stored answer again, by its record id, or check claims against papers; needs no network.

    Of a record, every citation must still give its quote at its offsets; papers that were changed or removed since
    are named. Exit code 1 when something is broken.
    """
    if (record_id is None) == (claims is None):
        raise click.UsageError("give either a RECORD or --claims FILE")
    with options.existing(library_path) as library:
        done = _claims(library, claims, as_json) if claims else _record(library, str(record_id), as_json)
    if not done:
        sys.exit(1)


def _record(library: Library, record_id: str, as_json: bool) -> bool:
    from assistant.verifying import check_record

    checked = check_record(library, record_id)
    if as_json:
        output.emit(checked.to_dict())
    else:
        _print_record(checked)
    return checked.ok


def _print_record(checked: CheckedRecord) -> None:
    click.echo(click.style(output.wrapped(output.shown(checked.question)), bold=True))
    marks = {"exact": ("exact ", "green"), "kept": ("kept  ", "yellow"), "broken": ("BROKEN", "red")}
    for citation in checked.citations:
        mark, colour = marks[citation.quote_state]
        where = f"[{citation.key}] {citation.start}–{citation.end}  {output.shown(citation.title)}"
        click.echo(f"{click.style(mark, fg=colour)}  {where}")
    for finding in checked.findings:
        click.echo(output.wrapped(finding.message))
    count = len(checked.citations)
    told = f"{count} citation{'' if count == 1 else 's'} checked"
    click.echo(f"{told}: {'nothing broken' if checked.ok else 'not as recorded'}")


def _claims(library: Library, lines: IO[bytes], as_json: bool) -> bool:
    from assistant.verifying import check_claim

    def check(case: json_lines.Case) -> json_lines.Case:
        claim, papers = case.get("claim"), case.get("papers", [])
        if not isinstance(claim, str):
            raise InputError(f'"claim" must be a text, not {claim!r:.60}')
        if not isinstance(papers, list) or not all(isinstance(paper, str) for paper in papers):
            raise InputError(f'"papers" must be a list of titles, ids or citekeys, not {papers!r:.60}')
        return {"claim": claim, **check_claim(library, claim, papers).to_dict()}

    done = True
    for result in json_lines.answered(lines, check):
        done = done and "error" not in result
        claim = result.pop("claim", "")
        if as_json:
            output.emit(result)
        else:
            _print_claim(claim, result)
    return done


def _print_claim(claim: str, result: json_lines.Case) -> None:
    if "error" in result:
        click.echo(f"{click.style('error', fg='red')}  {result['error']}")
        return
    score = "" if result["score"] is None else f" {result['score']:.2f}"
    verdict = click.style(result["verdict"], fg=_COLOURS.get(result["verdict"], "red"), bold=True)
    click.echo(f"{verdict}{score}  {result['id']}: {claim}")
    for finding in result["findings"]:
        click.echo(output.wrapped(finding["message"], "    "))
    for evidence in result["evidence"]:
        place = click.style(f"  {evidence['paper_id']} {evidence['start']}–{evidence['end']}", dim=True)
        click.echo(click.style(output.wrapped(f"“{output.shown(evidence['quote'])}”", "    "), fg="green") + place)
