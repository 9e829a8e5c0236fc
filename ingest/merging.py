"""One paper out of several records of it: which source's word stands in each field, and whose it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from assistant.citekeys import is_made
from assistant.cleaning import clean
from assistant.entry_types import assumed_type
from assistant.identity import is_preprint_doi, is_preprint_venue, published_doi, title_key
from assistant.papers import Details, Paper, details
from ingest.records import Record

_FIELDS: Final = (
    "title", "abstract", "authors", "year", "venue", "doi", "arxiv_id", "url", "categories", "tags", "citekey", "notices",
)  # fmt: skip
_TEXT: Final = ("title", "abstract")
_OF_PUBLICATION: Final = ("year", "venue", "doi")
_OF_WORK: Final = ("language", "note")  # details that preprint and publication share


def merged(paper: Paper, record: Record, origins: Mapping[str, str], *, speaks: bool) -> Paper:
    """`paper` with what the record says of it; the paper itself where that is nothing new.

    A record that speaks for the paper replaces what it mentions; any other only fills gaps. Year, venue and DOI are the
    publication's as soon as one is known, whichever record came first, and so are volume, pages and other details; each of
    these by itself is as the fields are. Notices of retraction come from everyone.
    """
    new = record.paper(paper.id)
    values = {name: _value(name, paper, new, speaks) for name in _FIELDS}
    values["citekey"] = _citekey(paper, new, speaks)
    values["details"] = _details(paper, new, speaks)
    own = speaks and origins.get("notices", paper.source) == record.source
    values["notices"] = new.notices if own else tuple(dict.fromkeys((*paper.notices, *new.notices)))
    after = replace(paper, **values)
    return replace(after, source=record.source) if speaks and after != paper else after


def _value(name: str, paper: Paper, new: Paper, speaks: bool) -> Any:
    mine, theirs = getattr(paper, name), getattr(new, name)
    if name in _TEXT:
        return theirs if speaks and not _reads_alike(mine, theirs) else mine
    if name == "venue" and mine and theirs and _reads_alike(mine, theirs):
        return mine
    if name == "authors" and _says_no_more(mine, theirs):
        return mine
    if name in _OF_PUBLICATION and mine and theirs:
        ours, published = published_doi(paper), published_doi(new)
        if ours and not published:
            return mine
        if published and not ours:
            return theirs
        if name == "venue" and not (ours or published) and is_preprint_venue(mine) != is_preprint_venue(theirs):
            return theirs if is_preprint_venue(mine) else mine
    return theirs or mine if speaks else mine or theirs


def _details(paper: Paper, new: Paper, speaks: bool) -> Details:
    """Each by itself; but those of a preprint's record and of the publication's are never mixed.

    An export has to give a type where none is known: coming back, it is nobody's word.
    """
    mine, theirs = dict(paper.details), dict(new.details)
    if "type" not in mine and theirs.get("type") == assumed_type(paper):
        del theirs["type"]
    if mine == theirs:
        return paper.details
    if _is_preprint(paper) != _is_preprint(new):
        ours, other = (theirs, mine) if _is_preprint(paper) else (mine, theirs)
        return details({name: value for name, value in other.items() if name in _OF_WORK} | ours)
    alike = {name: mine[name] for name in mine if name in theirs and _reads_alike(mine[name], theirs[name])}
    return details((mine | theirs if speaks else theirs | mine) | alike)


def _is_preprint(paper: Paper) -> bool:
    """Whether what is known of it is a preprint alone."""
    if published_doi(paper):
        return False
    return is_preprint_venue(paper.venue) if paper.venue else is_preprint_doi(paper.doi) or bool(paper.arxiv_id)


def _citekey(paper: Paper, new: Paper, speaks: bool) -> str | None:
    """An export has to make keys where there are none: coming back, they are not the user's."""
    if new.citekey and not paper.citekey and (new.citekey == paper.id or is_made(new.citekey, paper)):
        return None
    return new.citekey or paper.citekey if speaks else paper.citekey or new.citekey


def _reads_alike(mine: str, theirs: str) -> bool:
    """Whether two texts are one but for LaTeX, line breaks, or a spreadsheet's apostrophe.

    Then the stored one stays: formats without LaTeX give back what is displayed, and nothing is to be embedded anew.
    """
    if mine == theirs:
        return True
    return _plain(mine) == _plain(theirs)


def _plain(text: str) -> str:
    return " ".join(clean(text.removeprefix("'")).text.split())


def _says_no_more(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether the same people are named, none of them more fully."""
    if len(mine) != len(theirs) or not mine:
        return False
    pairs = zip(mine, theirs, strict=True)
    return all(set(title_key(other).split()) <= set(title_key(name).split()) for name, other in pairs)


def origins_after(before: Paper, told: Mapping[str, str], after: Paper, record: Record) -> dict[str, str]:
    """Field to source where that is not `after.source`; `told` says it of `before`."""
    found: dict[str, str] = {}
    new = record.paper(after.id)
    values, former, told_now = (_by_name(paper) for paper in (after, before, new))
    for name, value in values.items():
        earlier = told.get(name) or before.source or record.source
        if value == former.get(name):
            found[name] = earlier
        elif value == told_now.get(name):
            found[name] = record.source
        else:  # notices of both
            found[name] = f"{earlier}, {record.source}"
    return {name: source for name, source in found.items() if source != after.source}


def _by_name(paper: Paper) -> dict[str, Any]:
    """The fields that a paper has, and its details as `details.volume`."""
    fields = {name: value for name in _FIELDS if (value := getattr(paper, name))}
    return fields | {f"details.{name}": value for name, value in paper.details}
