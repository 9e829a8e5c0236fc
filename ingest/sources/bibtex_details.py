"""What a BibTeX or BibLaTeX entry says beside title, authors, year and venue: names of fields differ by dialect and type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from assistant.cleaning import clean
from assistant.entry_types import bibtex_number, bibtex_type
from assistant.marked_notes import MARK

_GENRES: Final = {"phdthesis": "PhD thesis", "mastersthesis": "Master's thesis"}
_KEYS: Final = {"phdthesis": "PhD thesis", "mathesis": "Master's thesis", "candthesis": "Candidate thesis", "techreport": "", "resreport": ""}  # fmt: skip
_PARAGRAPH: Final = re.compile(r"[ \t]*\n[ \t]*\n\s*")
_WRITTEN: Final = (("\n{@}", "\n@"), (r"\textbraceleft ", "{"), (r"\textbraceright ", "}"))


def bibtex_details(fields: Mapping[str, str]) -> dict[str, object]:
    """By the names of `papers.DetailName`; `number` is an issue, a report's number, or that of a book in its series."""
    entry = fields.get("entrytype", "").lower()
    kind = bibtex_type(entry, fields, fields.get("journal") or fields.get("journaltitle"))
    genre = fields.get("type", "")
    return {
        "type": kind,
        "genre": _KEYS.get(genre.lower(), genre) or (_GENRES.get(entry, "") if kind == "thesis" else ""),
        "volume": fields.get("volume"),
        bibtex_number(kind): fields.get("number"),
        **({"issue": fields["issue"]} if fields.get("issue") else {}),
        **({"number": fields["reportnumber"]} if fields.get("reportnumber") else {}),
        **({"collection-number": fields["seriesnumber"]} if fields.get("seriesnumber") else {}),
        "page": fields.get("pages") or fields.get("eid") or fields.get("articleno"),
        "number-of-pages": fields.get("pagetotal") or fields.get("numpages"),
        "publisher": next(
            (fields[name] for name in ("publisher", "school", "institution", "organization") if fields.get(name)), ""
        ),
        "publisher-place": fields.get("address") or fields.get("location"),
        "edition": fields.get("edition"),
        "editor": fields.get("editor"),
        "collection-title": fields.get("series"),
        "event-title": fields.get("eventtitle"),
        "event-place": fields.get("eventplace"),
        "container-title-short": fields.get("shortjournal"),
        "ISSN": fields.get("issn"),
        "ISBN": fields.get("isbn"),
        "language": fields.get("language") or fields.get("langid"),
        "month": fields.get("month"),
        "day": fields.get("day"),
        "date": fields.get("date"),
    }


def bibtex_notes(fields: Mapping[str, str]) -> list[str]:
    """Each paragraph of a note is a line; the user's own, in `annote`, stands as it was written."""
    lines = [
        " ".join(clean(paragraph).text.split())
        for name in ("note", "addendum")
        for paragraph in _PARAGRAPH.split(fields.get(name, ""))
    ]
    for name in ("annote", "annotation", "comment"):
        text = fields.get(name, "").strip()
        if text.startswith(MARK):
            for written, meant in _WRITTEN:
                text = text.replace(written, meant)
            return [*lines, *text.split("\n")]
        lines += [" ".join(clean(paragraph).text.split()) for paragraph in _PARAGRAPH.split(text)]
    return lines
