"""Volume, issue, pages and whatever else a reference needs, from the many names and shapes that exports give them.

A reader that knows its format hands over `details`, by the names of `papers.DetailName`; of what has no reader of its own
the usual names of columns are looked up. Values are stored as they are displayed: LaTeX resolved, on one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from assistant.cleaning import clean, normalise
from assistant.entry_types import PERIODICAL, entry_type
from assistant.identity import Identifier, is_preprint_venue
from assistant.marked_notes import Noted
from assistant.papers import DETAIL_NAMES, Details, details
from ingest.dates import month_and_day
from ingest.people import authors
from ingest.spelling import NOTHING, Fields, first_text, spoken

# Columns by detail, the most telling first, in the spelling of `spelling.canonical`.
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "ISBN": ("isbn", "isbns", "eisbn", "isbn13", "isbn10"),
    "ISSN": ("issn", "issns", "eissn", "issnl"),
    "collection-number": ("collectionnumber", "seriesnumber", "bookseriesvolume"),
    "collection-title": ("collectiontitle", "series", "seriestitle", "bookseriestitle"),
    "container-title-short": (
        "containertitleshort", "journalabbreviation", "abbreviatedsourcetitle", "shortjournal", "journalabbrev",
        "journalisoabbreviation",
    ),
    "day": ("day",),
    "edition": ("edition",),
    "editor": ("editor", "editors", "bookeditors"),
    "event-place": ("eventplace", "conferencelocation"),
    "event-title": ("eventtitle", "conferencename", "conferencetitle", "meetingname"),
    "genre": ("genre", "thesistype"),
    "issue": ("issue", "issuenumber", "journalissue", "issueno"),
    "language": ("language", "languageoforiginaldocument", "languages", "langid"),
    "month": ("month", "publicationmonth"),
    "note": ("notes", "note"),
    "number": ("reportnumber", "patentnumber"),
    "number-of-pages": ("numberofpages", "numpages", "pagetotal", "pagecount"),
    "page": ("page", "pages", "pagerange", "pagination", "articlepages"),
    "publisher": ("publisher", "publishername", "school", "institution", "university"),
    "publisher-place": ("publisherplace", "publishercity", "placepublished", "placeofpublication", "place"),
    "volume": ("volume", "vol", "journalvolume"),
}  # fmt: skip
_TYPES: Final = (
    "itemtype", "typeofreference", "referencetype", "entrytype", "documenttype", "publicationtype", "publicationtypes",
    "type",
)  # fmt: skip
_FIRST_PAGE: Final = ("pagestart", "startpage", "firstpage", "beginningpage", "spage")
_LAST_PAGE: Final = ("pageend", "endpage", "lastpage", "endingpage", "epage")
_ARTICLE_NUMBER: Final = ("articlenumber", "art.no.", "articleno", "eid", "elocationid", "elocator")
_CHARACTERS: Final = 300
_SHORT: Final = frozenset(("volume", "issue", "number", "page", "edition", "number-of-pages", "collection-number"))
_SHORT_CHARACTERS: Final = 80
_NOTE_CHARACTERS: Final = 4000
_EDITORS: Final = 50  # of a hundred, a reference names none
_PLAIN: Final = re.compile(r"[\w .,;:()'/+-]*$", re.ASCII)  # nothing that cleaning would change
_ISSN: Final = re.compile(r"(?<![\dXx])(\d{4})[-‐‑–]?(\d{3}[\dXx])(?![\dXx-])")
_ISBN: Final = re.compile(r"(?<![\dXx-])(?:97[89][- ]?)?\d(?:[- ]?\d){8}[- ]?[\dXx](?![\dXx-])")
_DASH: Final = re.compile(r"\s*(?:-{1,3}|[‐‑‒–—−])\s*")
_PAGES_WORD: Final = re.compile(r"^\W*(?:pp?|pgs?|pages?|seiten?|s)\b\.?\s*(?=\S)", re.IGNORECASE)
_RANGE: Final = re.compile(r"(?<![\w:])([A-Za-z]?)(\d+)-(?:\1)?(\d+)(?![\w:])")
_NUMBERING: Final = re.compile(r"\d|^[ivxlc]+(?:-[ivxlc]+)?$", re.IGNORECASE)
_WORD_BEFORE: Final = re.compile(
    r"^(?:vol(?:ume)?|iss(?:ue)?|no|nr|number|band|heft)\b[.:]?\s*(?=[\dA-Z])", re.IGNORECASE
)


def details_of(
    spelt: Fields, year: int | None, venue: str | None, others: Iterable[Identifier], noted: Noted
) -> Details:
    """The details of one record. `spelt` are its fields as `spelling.flattened` gives them; never raises."""
    told = spelt.get("details")
    given = told if isinstance(told, Mapping) else _looked_up(spelt)
    found = {name: _value(name, raw) if (raw := given.get(name)) else "" for name in DETAIL_NAMES}
    found["type"] = _type(spoken(given.get("type")), venue)
    found["month"], found["day"] = month_and_day(given.get("month"), given.get("day"), _dates(given, spelt), year)
    found["note"] = _note(noted.rest or spoken(given.get("note")))
    if found["container-title-short"] == venue:
        found["container-title-short"] = ""
    for identifier in others:
        if identifier.scheme in ("pmid", "pmcid"):
            name = identifier.scheme.upper()
            found[name] = found[name] or (identifier.value.upper() if name == "PMCID" else identifier.value)
    return details(found)


def page_range(start: str, end: str = "") -> str:
    """Pages as CSL has them: `12-15`, whatever the dash, and the end in full; empty for what is no page."""
    joined = start if not end or end == start or _DASH.search(start) else f"{start}-{end}"
    text = _PAGES_WORD.sub("", _shown(joined)).strip(" .,;()[]")
    text = _DASH.sub("-", " ".join(text.split())).strip("-")
    return _RANGE.sub(_in_full, text) if _NUMBERING.search(text) and len(text) <= _SHORT_CHARACTERS else ""


def _in_full(match: re.Match[str]) -> str:
    """`349-69` is `349-369`."""
    letter, first, last = match.groups()
    if first == last:
        return f"{letter}{first}"
    whole = first[: len(first) - len(last)] + last if len(last) < len(first) else last
    return f"{letter}{first}-{letter}{whole}" if int(whole) >= int(first) else match.group()


def _looked_up(spelt: Fields) -> dict[str, Any]:
    """By the names of columns, where no reader knows better."""
    found: dict[str, Any] = {name: first_text(spelt, columns) for name, columns in _COLUMNS.items()}
    people = next((spelt[name] for name in _COLUMNS["editor"] if spelt.get(name)), "")
    found["editor"] = people
    start, end = first_text(spelt, _FIRST_PAGE), first_text(spelt, _LAST_PAGE)
    found["page"] = page_range(found["page"]) or page_range(start, end) or first_text(spelt, _ARTICLE_NUMBER)
    csl = first_text(spelt, ("csltype",))
    found["type"] = entry_type(csl, csl=True) or next(
        (kind for name in _TYPES for kind in [_first_type(first_text(spelt, (name,)))] if kind), ""
    )
    number = first_text(spelt, ("number",))
    if number and not found["issue"] and (found["volume"] or found["type"] in PERIODICAL):
        found["issue"] = number
    elif number and not found["number"]:
        found["number"] = number
    return found


def _first_type(text: str) -> str:
    """Databases give several: `Article; Proceedings Paper`. The one that says more than `Article` counts."""
    kinds = [kind for part in re.split(r"[;|\n,]", text) if (kind := entry_type(part))]
    return next((kind for kind in kinds if kind != "article-journal"), kinds[0] if kinds else "")


def _type(given: str, venue: str | None) -> str:
    kind = entry_type(given, csl=True)
    return "article" if kind == "article-journal" and is_preprint_venue(venue) else kind


def _dates(given: Mapping[str, Any], spelt: Fields) -> list[Any]:
    names = ("date", "issued", "publicationdate", "published", "publisheddate", "pubdate", "coverdate", "publishedat")
    return [given["date"]] if given.get("date") else [spelt[name] for name in names if name in spelt]


def _value(name: str, raw: Any) -> str:
    if raw is None or raw == "" or isinstance(raw, bool):
        return ""
    if name == "editor":
        return "; ".join(authors(raw)[:_EDITORS])
    text = spoken(raw)
    if name == "page":
        return page_range(text)
    if name in ("ISSN", "ISBN"):
        return _numbers(name, text)
    text = _shown(text)
    if name in ("volume", "issue"):
        text = _WORD_BEFORE.sub("", text)
    most = _SHORT_CHARACTERS if name in _SHORT else _CHARACTERS
    return "" if text.lower() in NOTHING or len(text) > most else text


def _shown(text: str) -> str:
    """As displayed, on one line."""
    return " ".join((text if _PLAIN.match(text) else clean(normalise(text)).text).split())


def _numbers(name: str, text: str) -> str:
    """Every ISSN or ISBN in a text, in one spelling; fields for one of them often hold the other."""
    if name == "ISSN":
        found = [f"{match.group(1)}-{match.group(2).upper()}" for match in _ISSN.finditer(_ISBN.sub(" ", text))]
    else:
        found = [match.group().replace(" ", "-").upper() for match in _ISBN.finditer(text)]
    return ", ".join(dict.fromkeys(found))


def _note(rest: str) -> str:
    lines = (_shown(line) for line in rest.split("\n"))
    return "\n".join(line for line in lines if line and line.lower() not in NOTHING)[:_NOTE_CHARACTERS].strip()
