"""Papers written out for other programs: BibTeX, CSL-JSON, RIS, CSV, JSON Lines, and lists of references in a style.

BibTeX, CSV and JSON Lines carry title and abstract as stored; CSL-JSON and RIS, which know no LaTeX, carry them as
displayed. Adding such a file again changes nothing: see `ingest.merging`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, get_args

from assistant.citekeys import bibtex_key, made_key, unused
from assistant.cleaning import clean
from assistant.identity import STABLE_SCHEMES, is_preprint_venue
from assistant.markup import escaped
from assistant.papers import Paper
from assistant.referencing import DEFAULT_STYLE, references

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

_PROCEEDINGS = re.compile(r"\b(?:proceedings|conference|workshop|symposium|advances in)\b|\bproc\.", re.IGNORECASE)
_CASED_WORD = re.compile(r"(?<!\S)(?=[^\s]*[A-Z0-9])[A-Za-z]+[A-Z0-9][A-Za-z0-9-]*(?=[\s:;,.?!]|$)")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PARTICLES = frozenset(
    ("van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "du", "la", "le", "ten", "ter", "zu", "zur")
)
_SUFFIXES_OF_NAMES = frozenset(("jr", "jr.", "sr", "sr.", "ii", "iii", "iv"))
_COLUMNS = (
    "id", "title", "abstract", "authors", "year", "venue", "doi", "arxiv_id", "url", "categories", "tags", "citekey",
)  # fmt: skip


def written(papers: Iterable[Paper], form: Format, style: str = DEFAULT_STYLE) -> Iterator[str]:
    """The pieces of the file, a paper or so at a time; line ends are as the format wants them.

    `style` is for `markdown` and `text`, which are lists of references. Raises InputError for one that there is not.
    """
    writers: dict[Format, Callable[[Iterable[Paper]], Iterator[str]]] = {
        "bibtex": _bibtex,
        "csl-json": _csl_json,
        "ris": _ris,
        "csv": _csv,
        "jsonl": _json_lines,
        "markdown": lambda some: _references(some, style, escaped),
        "text": lambda some: _references(some, style, str),
    }
    return writers[form](papers)


# --- BibTeX -----------------------------------------------------------------------------------------------------------


def _bibtex(papers: Iterable[Paper]) -> Iterator[str]:
    """One entry a paper, under its own citekey; one is made where there is none, or it is taken or no BibTeX key.

    Where the library's key could not stand, `ibidcitekey` holds it, so that it comes back when the file is added.
    """
    taken: set[str] = set()
    for paper in papers:
        key = unused(bibtex_key(paper), taken)
        fields = _bibtex_fields(paper)
        if paper.citekey and key != paper.citekey:
            fields["ibidcitekey"] = paper.citekey
        kind = "article" if "journal" in fields else "inproceedings" if "booktitle" in fields else "misc"
        lines = [f"  {name} = {{{_balanced(value)}}}" for name, value in fields.items()]
        yield f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n\n"


def _bibtex_fields(paper: Paper) -> dict[str, str]:
    venue = paper.venue or ""
    fields = {
        "title": _protected(paper.title),
        "author": " and ".join(paper.authors),
        "year": str(paper.year or ""),
        "booktitle" if _PROCEEDINGS.search(venue) else "journal": venue,
        "doi": paper.doi or "",
        "eprint": paper.arxiv_id or "",
        "archiveprefix": "arXiv" if paper.arxiv_id else "",
        **_other_identifier(paper),
        "url": paper.url or "",
        "categories": _listed(paper.categories),
        "keywords": _listed(paper.tags),
        "abstract": paper.abstract,
    }
    return {name: value for name, value in fields.items() if value}


def _protected(title: str) -> str:
    """Words such as GSM8K in braces, so that a style doesn't lower their capitals; formulas and LaTeX stay alone."""
    if any(character in title for character in "{}\\$"):
        return title
    return _CASED_WORD.sub(lambda match: f"{{{match.group()}}}", title)


def _balanced(value: str) -> str:
    """Braces without a partner as LaTeX commands: in BibTeX one of them would swallow the entries that follow."""
    lone: set[int] = set()
    opened: list[int] = []
    for position, character in enumerate(value):
        if character == "{":
            opened.append(position)
        elif character == "}":
            if opened:
                opened.pop()
            else:
                lone.add(position)
    lone.update(opened)
    names = {"{": r"\textbraceleft ", "}": r"\textbraceright "}
    return "".join(names[c] if position in lone else c for position, c in enumerate(value)) if lone else value


def _listed(names: tuple[str, ...]) -> str:
    """Joined by semicolons; a single name that has a comma gets one too, so that it isn't read as two."""
    return "; ".join(names) + (";" if len(names) == 1 and "," in names[0] else "")


def _other_identifier(paper: Paper) -> dict[str, str]:
    """What the paper's id rests on, when that is neither DOI nor arXiv id."""
    scheme, _, value = paper.id.partition(":")
    return {"s2id" if scheme == "s2" else scheme: value} if scheme in STABLE_SCHEMES else {}


# --- CSL-JSON and RIS -------------------------------------------------------------------------------------------------


def _csl_json(papers: Iterable[Paper]) -> Iterator[str]:
    """One array; https://docs.citationstyles.org, schema 1.0."""
    separator = "[\n"
    for paper in papers:
        yield separator + json.dumps(_csl_item(paper), ensure_ascii=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _csl_item(paper: Paper) -> dict[str, Any]:
    item = csl_item(paper) | {
        "id": paper.citekey or paper.id,
        "citation-key": paper.citekey,
        "note": f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else None,
        "abstract": clean(paper.abstract).text,
        "keyword": _listed(paper.tags),
    }
    return {name: value for name, value in item.items() if value}


def csl_item(paper: Paper) -> dict[str, Any]:
    """What a citation style needs to know of a paper."""
    venue = clean(paper.venue or "").text
    kind = "paper-conference" if _PROCEEDINGS.search(venue) else "article-journal" if venue else "article"
    item = {
        "id": paper.id,
        "type": "article" if is_preprint_venue(venue) else kind,
        "title": clean(paper.title).text,
        "author": [_csl_name(name) for name in paper.authors],
        "issued": {"date-parts": [[paper.year]]} if paper.year else None,
        "container-title": venue,
        "DOI": paper.doi,
        "URL": paper.url,
        "archive": "arXiv" if paper.arxiv_id else None,
        "archive_location": paper.arxiv_id,
    }
    return {name: value for name, value in item.items() if value}


def _csl_name(name: str) -> dict[str, str]:
    given, particle, family, suffix = _name_parts(name)
    parts = {"family": f"{particle} {family}".strip(), "given": given, "suffix": suffix}
    return {key: value for key, value in parts.items() if value}


def _name_parts(name: str) -> tuple[str, str, str, str]:
    """(given, particle, family, suffix) of a name in display order."""
    words = name.split()
    suffix = words.pop() if len(words) > 2 and words[-1].lower() in _SUFFIXES_OF_NAMES else ""
    first = len(words) - 1
    while first > 1 and words[first - 1] in _PARTICLES:
        first -= 1
    return " ".join(words[:first]), " ".join(words[first:-1]), words[-1] if words else "", suffix


def _ris(papers: Iterable[Paper]) -> Iterator[str]:
    """Tagged lines that end in CR LF, as the RIS specification says."""
    taken: set[str] = set()
    for paper in papers:
        key = paper.citekey or unused(made_key(paper), taken)
        yield "".join(f"{tag}  - {value}\r\n" for tag, value in _ris_lines(paper, key) if value) + "ER  - \r\n\r\n"


def _ris_lines(paper: Paper, key: str) -> Iterator[tuple[str, str]]:
    venue = clean(paper.venue or "").text
    yield "TY", "CONF" if _PROCEEDINGS.search(venue) else "JOUR" if venue else "GEN"
    yield "ID", key
    yield "TI", _one_line(clean(paper.title).text)
    for name in paper.authors:
        given, particle, family, suffix = _name_parts(name)
        yield "AU", ", ".join(part for part in (f"{particle} {family}".strip(), given, suffix) if part)
    yield "PY", str(paper.year or "")
    yield "T2", _one_line(venue)
    yield "DO", paper.doi or ""
    yield "AN", f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else ""
    if paper.id.startswith("pmid:"):
        yield "DB", "PubMed"
        yield "AN", paper.id.removeprefix("pmid:")
    yield "UR", paper.url or ""
    for tag in paper.tags:
        yield "KW", _one_line(tag)
    yield "AB", _one_line(clean(paper.abstract).text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- CSV and JSON Lines -----------------------------------------------------------------------------------------------


def _csv(papers: Iterable[Paper]) -> Iterator[str]:
    """RFC 4180 with a header. A cell that a spreadsheet would run as a formula gets an apostrophe before it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(_COLUMNS)
    for paper in papers:
        writer.writerow([_cell(getattr(paper, column)) for column in _COLUMNS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(value: object) -> str:
    text = _listed(value) if isinstance(value, tuple) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text


def _json_lines(papers: Iterable[Paper]) -> Iterator[str]:
    for paper in papers:
        fields = {column: getattr(paper, column) for column in _COLUMNS}
        yield json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False) + "\n"


# --- references -------------------------------------------------------------------------------------------------------


def _references(papers: Iterable[Paper], style: str, plain: Callable[[str], str]) -> Iterator[str]:
    """A line or paragraph each, in the order in which the papers come, numbered where the style numbers."""
    for reference in references(list(papers), style):
        yield plain(reference) + ("\n" if plain is str else "\n\n")
