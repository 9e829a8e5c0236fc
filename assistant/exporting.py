"""Papers written out for other programs: BibTeX, CSL-JSON, RIS, CSV, JSON Lines, and lists of references in a style.

BibTeX, CSV and JSON Lines carry title and abstract as stored; CSL-JSON and RIS, which know no LaTeX, carry them as
displayed; details, notices and the user's note go along. Adding such a file again changes nothing: see `ingest.merging`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, get_args

from assistant.bibtex_entries import entries, listed
from assistant.csl_items import exported_item
from assistant.markup import escaped
from assistant.papers import DETAIL_NAMES, Paper
from assistant.referencing import DEFAULT_STYLE, references
from assistant.ris_records import records

Format = Literal["bibtex", "csl-json", "ris", "csv", "jsonl", "markdown", "text"]
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIXES: dict[str, Format] = {
    ".bib": "bibtex",
    ".bibtex": "bibtex",
    ".json": "csl-json",
    ".ris": "ris",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
}

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "id", "title", "abstract", "authors", "year", "venue", "doi", "arxiv_id", "url", "categories", "tags", "citekey",
)  # fmt: skip
# Details have their own names but where a table of another program means something else by them.
_DETAIL_COLUMNS = {
    name: {"type": "csl_type", "number": "report_number", "note": "notes"}.get(name, name)
    for name in sorted(DETAIL_NAMES, key=str.lower)
}


def written(papers: Iterable[Paper], form: Format, style: str = DEFAULT_STYLE) -> Iterator[str]:
    """The pieces of the file, a paper or so at a time; line ends are as the format wants them.

    `style` is for `markdown` and `text`, which are lists of references. Raises InputError for one that there is not.
    """
    writers: dict[Format, Callable[[Iterable[Paper]], Iterator[str]]] = {
        "bibtex": entries,
        "csl-json": _csl_json,
        "ris": records,
        "csv": _csv,
        "jsonl": _json_lines,
        "markdown": lambda some: _references(some, style, escaped),
        "text": lambda some: _references(some, style, str),
    }
    return writers[form](papers)


# --- CSL-JSON ---------------------------------------------------------------------------------------------------------


def _csl_json(papers: Iterable[Paper]) -> Iterator[str]:
    """One array; https://docs.citationstyles.org, schema 1.0."""
    separator = "[\n"
    for paper in papers:
        yield separator + json.dumps(exported_item(paper, listed(paper.tags)), ensure_ascii=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


# --- CSV and JSON Lines -----------------------------------------------------------------------------------------------


def _csv(papers: Iterable[Paper]) -> Iterator[str]:
    """RFC 4180 with a header. A cell that a spreadsheet would run as a formula gets an apostrophe before it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([*_COLUMNS, *_DETAIL_COLUMNS.values(), "notices", "ibid_note"])
    for paper in papers:
        told = dict(paper.details)
        told["page"] = told.get("page", "").replace("-", "–")  # a spreadsheet makes a date of 3-12
        plain = [getattr(paper, column) for column in _COLUMNS] + [told.get(name) for name in _DETAIL_COLUMNS]
        writer.writerow([_cell(value) for value in (*plain, "\n".join(paper.notices), paper.note)])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(value: object) -> str:
    text = listed(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text


def _json_lines(papers: Iterable[Paper]) -> Iterator[str]:
    for paper in papers:
        fields = {column: getattr(paper, column) for column in _COLUMNS}
        fields |= {name.lower(): paper.detail(name) for name in ("PMID", "PMCID")}
        fields |= {"details": dict(paper.details), "notices": paper.notices, "ibid_note": paper.note}
        yield json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False) + "\n"


# --- references -------------------------------------------------------------------------------------------------------


def _references(papers: Iterable[Paper], style: str, plain: Callable[[str], str]) -> Iterator[str]:
    """A line or paragraph each, in the order in which the papers come, numbered where the style numbers."""
    for reference in references(list(papers), style):
        yield plain(reference) + ("\n" if plain is str else "\n\n")
