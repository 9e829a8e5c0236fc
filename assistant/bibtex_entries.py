"""Papers as BibTeX entries, in the fields of BibTeX and BibLaTeX that their type has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from assistant.citekeys import bibtex_key, unused
from assistant.csl_items import is_group, name_parts
from assistant.entry_types import BIBTEX, IN_BOOK, PERIODICAL, assumed_type, bibtex_number, bibtex_type
from assistant.identity import STABLE_SCHEMES
from assistant.marked_notes import notice_lines, own_note
from assistant.papers import Paper

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_THESES: Final = {"PhD thesis": "phdthesis", "Master's thesis": "mastersthesis", "": "thesis"}
_PUBLISHERS: Final = {"thesis": "school", "report": "institution"}
_CASED_WORD: Final = re.compile(r"(?<!\S)(?=[^\s]*[A-Z0-9])[A-Za-z]+[A-Z0-9][A-Za-z0-9-]*(?=[\s:;,.?!]|$)")
_BARE: Final = re.compile(r"(?<!\\)[&%#_]")
_FORMULA: Final = re.compile(r"(\$[^$]*\$)")
_ENTRY_MARK: Final = re.compile(r"\n(?=@)")


def entries(papers: Iterable[Paper]) -> Iterator[str]:
    """One entry a paper, under its own citekey; one is made where there is none, or it is taken or no BibTeX key.

    Where the library's key could not stand, `ibidcitekey` holds it, so that it comes back when the file is added.
    """
    taken: set[str] = set()
    for paper in papers:
        key = unused(bibtex_key(paper), taken)
        kind, fields = _entry(paper)
        if paper.citekey and key != paper.citekey:
            fields["ibidcitekey"] = paper.citekey
        lines = [f"  {name} = {{{balanced(value)}}}" for name, value in fields.items() if value and name != "month"]
        if fields.get("month"):
            lines.insert(min(3, len(lines)), f"  month = {fields['month']}")
        yield f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n\n"


def _entry(paper: Paper) -> tuple[str, dict[str, str]]:
    """The name of the entry's type, and its fields in the order in which people read them."""
    told = paper.detail("type")
    csl = told or assumed_type(paper)
    kind = _kind(paper, csl)
    fields = {
        "title": _protected(latex(paper.title)),
        "author": _people(paper.authors),
        "year": str(paper.year or ""),
        "month": _MONTHS[int(paper.detail("month")) - 1] if paper.detail("month") else "",
        _place(csl, told): latex(paper.venue or ""),
        **_details(paper, csl),
        "doi": paper.doi or "",
        "eprint": paper.arxiv_id or "",
        "archiveprefix": "arXiv" if paper.arxiv_id else "",
        "pmid": paper.detail("PMID"),
        "pmcid": paper.detail("PMCID"),
        **_other_identifier(paper),
        "url": paper.url or "",
        "categories": listed(paper.categories),
        "keywords": listed(paper.tags),
        "abstract": paper.abstract,
        "note": "\n\n".join(
            latex(line) for line in [*notice_lines(paper), *paper.detail("note").split("\n")] if line
        ),
        "annote": _ENTRY_MARK.sub("\n{@}", own_note(paper.note)).replace("\n{@}@", "\n{@}"),
    }
    found = {name: value for name, value in fields.items() if value}
    if told and bibtex_type(kind, found, paper.venue) != told:
        found["entrysubtype"] = told.removeprefix("article-") if told in PERIODICAL else told
    return kind, found


def _kind(paper: Paper, csl: str) -> str:
    if csl == "article":
        return "article" if paper.venue else "misc"
    if csl == "thesis":
        return _THESES.get(paper.detail("genre"), "phdthesis")
    if csl in PERIODICAL:
        return "article"
    return (
        BIBTEX[csl][0]
        if csl in BIBTEX
        else "online"
        if csl == "post-weblog"
        else "inreference"
        if csl in IN_BOOK
        else "misc"
    )


def _place(csl: str, told: str) -> str:
    """The field of the venue; that of a type which has none is `venue`, which every reader takes or leaves."""
    if csl in IN_BOOK:
        return "booktitle"
    return "journal" if csl in PERIODICAL or csl == "article" or not told else "venue"


def _details(paper: Paper, csl: str) -> dict[str, str]:
    number = bibtex_number(paper.detail("type") or ("" if csl == "article" and not paper.venue else csl))
    numbers = {"issue": "issue", "number": "reportnumber", "collection-number": "seriesnumber"}
    genre = paper.detail("genre")
    plain = {
        "editor": _people(tuple(name for name in paper.detail("editor").split("; ") if name)),
        "volume": paper.detail("volume"),
        **{("number" if name == number else own): paper.detail(name) for name, own in numbers.items()},  # type: ignore[arg-type]  # names of details
        "pages": paper.detail("page").replace("-", "--"),
        "pagetotal": paper.detail("number-of-pages"),
        "series": paper.detail("collection-title"),
        "edition": paper.detail("edition"),
        _PUBLISHERS.get(csl, "publisher"): paper.detail("publisher"),
        "address": paper.detail("publisher-place"),
        "eventtitle": paper.detail("event-title"),
        ("venue" if csl in IN_BOOK and paper.venue else "eventplace"): paper.detail("event-place"),
        "type": "" if csl == "thesis" and genre in _THESES else genre,
        "shortjournal": paper.detail("container-title-short"),
        "issn": paper.detail("ISSN"),
        "isbn": paper.detail("ISBN"),
        "language": paper.detail("language"),
        "day": paper.detail("day"),
    }
    return {name: value if name == "editor" else latex(value) for name, value in plain.items()}


def latex(text: str) -> str:
    r"""`text` with the characters escaped that LaTeX would choke on; formulas, and what is escaped already, stay."""
    if "\\url" in text or "\\href" in text:
        return text
    parts = _FORMULA.split(text) if text.count("$") % 2 == 0 else [text]
    return "".join(part if place % 2 else _BARE.sub(r"\\\g<0>", part) for place, part in enumerate(parts))


def _people(names: tuple[str, ...]) -> str:
    return " and ".join(map(_person, names))


def _person(name: str) -> str:
    """A group's name in braces, and `King, Jr., Martin Luther`: BibTeX would take the last word for the family."""
    if is_group(name):
        return f"{{{latex(name)}}}"
    given, particle, family, suffix = name_parts(name)
    return latex(f"{f'{particle} {family}'.strip()}, {suffix}, {given}" if suffix else name)


def _protected(title: str) -> str:
    """Words such as GSM8K in braces, so that a style doesn't lower their capitals; formulas and LaTeX stay alone."""
    if any(character in title for character in "{}\\$"):
        return title
    return _CASED_WORD.sub(lambda match: f"{{{match.group()}}}", title)


def balanced(value: str) -> str:
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


def listed(names: tuple[str, ...]) -> str:
    """Joined by semicolons; a single name with a comma or an "and" gets one too, so that it isn't read as two."""
    return "; ".join(names) + (";" if len(names) == 1 and ("," in names[0] or " and " in names[0]) else "")


def _other_identifier(paper: Paper) -> dict[str, str]:
    """What the paper's id rests on, when that is neither DOI nor arXiv id."""
    scheme, _, value = paper.id.partition(":")
    return {"s2id" if scheme == "s2" else scheme: value} if scheme in STABLE_SCHEMES else {}
