"""`ibid verify`: a stored answer, claims from a file, or a draft, checked against the library's papers."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from assistant.cli import json_lines, options, output
from assistant.errors import InputError

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.proofreading import CheckedSentence
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
@click.option(
    "--text",
    "draft",
    type=click.File("rb"),
    help="Check each sentence of a draft (plain text, Markdown or LaTeX) against the papers that it cites, by number "
    "with a list of references, @citekey, \\cite, DOI, arXiv number or author and year; a sentence that cites nothing, "
    "against the library's best. - is stdin.",
)
@options.library_option
@options.json_option
def verify(
    record_id: str | None,
    claims: IO[bytes] | None,
    draft: IO[bytes] | None,
    library_path: Path | None,
    as_json: bool,
) -> None:
    """Check a stored answer again, by its record id, or check claims or a draft against papers; needs no network.

    Of a record, every citation must still give its quote at its offsets; papers that were changed or removed since
    are named. Exit code 1 when something is broken.
    """
    if sum(given is not None for given in (record_id, claims, draft)) != 1:
        raise click.UsageError("give either a RECORD, --claims FILE or --text FILE")
    with options.existing(library_path) as library:
        if claims:
            done = _claims(library, claims, as_json)
        elif draft:
            done = _draft(library, draft, as_json)
        else:
            done = _record(library, str(record_id), as_json)
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


def _draft(library: Library, file: IO[bytes], as_json: bool) -> bool:
    from assistant.proofreading import check_draft

    try:
        draft = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the draft is not UTF-8 text ({error}); save it as UTF-8") from error
    counts: Counter[str] = Counter()
    for sentence in check_draft(library, draft):
        counts[sentence.checked.verdict] += 1
        if as_json:
            output.emit(sentence.to_dict())
        else:
            _print_sentence(library, sentence)
    if not counts:
        raise InputError(
            "the draft has no sentence that claims something; give a text with sentences of four words or more"
        )
    if not as_json:
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
        click.echo(f"{sum(counts.values())} sentence{'' if sum(counts.values()) == 1 else 's'}: {told}")
    return True


def _print_sentence(library: Library, sentence: CheckedSentence) -> None:
    checked = sentence.checked
    score = "" if checked.score is None else f" {checked.score:.2f}"
    verdict = click.style(checked.verdict, fg=_COLOURS.get(checked.verdict, "red"), bold=True)
    how = "" if sentence.cited else click.style("  cites no paper of the library; best found", dim=True)
    click.echo(f"{verdict}{score}{how}")
    click.echo(output.wrapped(output.shown(" ".join(sentence.text.split())), "  "))
    for finding in checked.findings:
        click.echo(output.wrapped(finding.message, "    "))
    for evidence in checked.evidence[:1]:
        title = click.style(f"  {output.shown(library.paper(evidence.paper_id).title)}", dim=True)
        click.echo(click.style(output.wrapped(f"“{output.shown(evidence.quote)}”", "    "), fg="green") + title)
