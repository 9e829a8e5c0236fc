"""A paper as CSL knows works: https://docs.citationstyles.org, schema 1.0."""

from __future__ import annotations

import re
from typing import Any, Final

from assistant.cleaning import clean
from assistant.entry_types import PERIODICAL, type_of
from assistant.marked_notes import notice_lines, own_note
from assistant.papers import Paper
from assistant.standing import standing

_PARTICLES: Final = frozenset(
    ("van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "du", "la", "le", "ten", "ter", "zu", "zur")
)
_SUFFIXES: Final = frozenset(("jr", "jr.", "sr", "sr.", "ii", "iii", "iv"))
_GROUP: Final = re.compile(
    r"\b(?:organi[sz]ation|institutes?|universit\w+|consortium|committee|collaboration|groups?|societ(?:y|ies)|association"
    r"|foundation|investigators|network|agency|ministry|department|cent(?:er|re)s?|council|commission|team|federation"
    r"|laborator(?:y|ies)|corporation|initiative|task force|bureau|inc\.?|ltd\.?|gmbh)(?!\S)",
    re.IGNORECASE,
)
_OWN_FIELDS: Final = frozenset(("type", "month", "day", "editor", "note"))  # which CSL has in a form of its own
_NOT_CITED: Final = frozenset(("archive", "archive_location", "language", "note"))
_INSTEAD_OF_JOURNALS: Final = frozenset(("thesis", "report", "dataset", "software", "book", "standard", "manuscript"))
_MARKED: Final = re.compile(r"\W*(?:retract|withdrawn|removed)", re.IGNORECASE)


def csl_item(paper: Paper) -> dict[str, Any]:
    """Everything that CSL has a variable for."""
    date = [paper.year, *(int(part) for name in ("month", "day") if (part := paper.detail(name)))]
    item = {
        "id": paper.id,
        "type": type_of(paper),
        "title": clean(paper.title).text,
        "author": [csl_name(name) for name in paper.authors],
        "editor": [csl_name(name) for name in paper.detail("editor").split("; ") if name],
        "issued": {"date-parts": [date]} if paper.year else None,
        "container-title": clean(paper.venue or "").text,
        "DOI": paper.doi,
        "URL": paper.url,
        "archive": "arXiv" if paper.arxiv_id else None,
        "archive_location": paper.arxiv_id,
        **{name: value for name, value in paper.details if name not in _OWN_FIELDS},
    }
    return {name: value for name, value in item.items() if value}


def exported_item(paper: Paper, tags: str) -> dict[str, Any]:
    """`csl_item` with what a reference manager keeps beside: abstract, keys, tags, notices and notes."""
    arxiv = [f"arXiv:{paper.arxiv_id}"] if paper.arxiv_id else []
    notes = [*arxiv, *notice_lines(paper), paper.detail("note"), own_note(paper.note)]
    item = csl_item(paper) | {
        "id": paper.citekey or paper.id,
        "citation-key": paper.citekey,
        "note": "\n".join(filter(None, notes)),
        "abstract": clean(paper.abstract).text,
        "keyword": tags,
        "categories": list(paper.categories),
    }
    return {name: value for name, value in item.items() if value}


def cited_item(paper: Paper) -> dict[str, Any]:
    """`csl_item` as a style expects it of a careful library: a preprint has its server and number, a thesis its
    university, and a paper that was retracted says so behind its title."""
    item = csl_item(paper)
    if item["type"] == "article":
        venue = item.pop("container-title", "")
        item.setdefault("publisher", venue or item.get("archive", ""))
        if paper.arxiv_id:
            item["number"] = f"arXiv:{paper.arxiv_id}"
            item.setdefault("URL", f"https://arxiv.org/abs/{paper.arxiv_id}")
    elif item["type"] in _INSTEAD_OF_JOURNALS and "container-title" in item:
        item.setdefault("publisher", item.pop("container-title"))
    if item["type"] in PERIODICAL:
        item.pop("editor", None)  # the journal's editor, whom some styles would take for the article's
    told = standing(paper.notices)
    if told and told.grave and not _MARKED.match(item["title"]):
        item["title"] += f" [{told.word}]"
    return {name: value for name, value in item.items() if value and name not in _NOT_CITED}


def csl_name(name: str) -> dict[str, str]:
    if is_group(name):
        return {"literal": name}
    given, particle, family, suffix = name_parts(name)
    parts = {"family": f"{particle} {family}".strip(), "given": given, "suffix": suffix}
    return {key: value for key, value in parts.items() if value}


def is_group(name: str) -> bool:
    """Whether a name is an institution's or a group's: it has no family name."""
    return " " in name and _GROUP.search(name) is not None


def name_parts(name: str) -> tuple[str, str, str, str]:
    """(given, particle, family, suffix) of a name in display order."""
    words = name.split()
    suffix = words.pop() if len(words) > 2 and words[-1].lower() in _SUFFIXES else ""
    first = len(words) - 1
    while first > 1 and words[first - 1] in _PARTICLES:
        first -= 1
    return " ".join(words[:first]), " ".join(words[first:-1]), words[-1] if words else "", suffix


def family_first(name: str) -> str:
    """`van den Berg, Jan, Jr.`, as RIS has it; a group's name stays."""
    if is_group(name):
        return name
    given, particle, family, suffix = name_parts(name)
    return ", ".join(part for part in (f"{particle} {family}".strip(), given, suffix) if part)
