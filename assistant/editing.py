"""What the user changed about a paper, kept apart from what its sources say. Pure values, no library.

A user's field wins over every source until it is reset; tags that the user gave or took away stay given or taken away
however often the paper comes again. The note is the user's alone: no source has one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

from assistant.cleaning import normalise
from assistant.entry_types import ENTRY_TYPES
from assistant.errors import InputError
from assistant.identity import normalise_arxiv, normalise_doi
from assistant.papers import DETAIL_NAMES, Paper, details

EditField = Literal["title", "abstract", "authors", "year", "venue", "doi", "arxiv_id", "url", "citekey", "note"]
EDIT_FIELDS: Final[tuple[EditField, ...]] = get_args(EditField)
# Of the details all but a source's own note; by their own names among the fields.
EDIT_DETAILS: Final[frozenset[str]] = DETAIL_NAMES - {"note"}
_BOUNDS: Final = {"month": 12, "day": 31}
_DETAIL_CHARACTERS: Final = 300
YOU: Final = "you"  # as the origin of a field
_FIRST_YEAR: Final = 1000
_LAST_YEAR: Final = 2200
_NEVER_EMPTY: Final = ("title", "abstract")


@dataclass(frozen=True, slots=True)
class Edits:
    """`fields` by name with the value that the paper has instead; None (for authors `()`) empties the field."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return self == Edits()

    def to_json(self) -> str:
        told = {"fields": self.fields, "tags_added": self.tags_added, "tags_removed": self.tags_removed}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Edits:
        told = json.loads(text)
        return cls(values(told["fields"]), tuple(told["tags_added"]), tuple(told["tags_removed"]))


@dataclass(frozen=True, slots=True)
class Changes:
    """One call of an edit: fields to set, tags to give and to take, and what to give back to the sources."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    untags: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()  # fields of EDIT_FIELDS, or `tags`
    reset_all: bool = False


def written(given: Mapping[str, str | Sequence[str] | None]) -> dict[str, Any]:
    """Fields that somebody wrote, as the library has them, in one spelling each; blank text empties a field, None leaves it.

    Raises InputError for what cannot be one.
    """
    names = given.get("authors")
    fields: dict[str, Any] = {name: normalise(text) or None for name, text in given.items() if isinstance(text, str)}
    if names is not None and not isinstance(names, str):
        fields["authors"] = tuple(found for name in names if (found := " ".join(normalise(name).split())))
    for name, spell, example in (("doi", normalise_doi, "10.1000/182"), ("arxiv_id", normalise_arxiv, "1706.03762")):
        if fields.get(name):
            spelt = spell(fields[name])
            if spelt is None:
                raise InputError(f"{fields[name]!r} is no {name.partition('_')[0]} identifier; write it as {example}")
            fields[name] = spelt
    fields |= {name: _detail(name, value) for name, value in fields.items() if name in EDIT_DETAILS and value}
    if fields.get("year"):
        text = fields["year"]
        if not (text.isascii() and text.isdigit() and _FIRST_YEAR <= int(text) <= _LAST_YEAR):
            raise InputError(f"{text!r} is no year; write four digits, or '' for none")
        fields["year"] = int(text)
    return fields


def _detail(name: str, text: str) -> str:
    """A detail in one line. Raises InputError for what cannot be one."""
    value = " ".join(text.split())
    if name == "type" and value not in ENTRY_TYPES:
        raise InputError(f"{value!r} is no type of work; use one of {', '.join(sorted(ENTRY_TYPES))}")
    if (most := _BOUNDS.get(name)) and not (value.isascii() and value.isdigit() and 1 <= int(value) <= most):
        raise InputError(f"{value!r} is no {name}; write a number from 1 to {most}")
    if len(value) > _DETAIL_CHARACTERS:
        raise InputError(f"a {name} of {len(value)} characters; give at most {_DETAIL_CHARACTERS}")
    return str(int(value)) if name in _BOUNDS else value


def changed(before: Edits, changes: Changes, sourced: Paper) -> Edits:
    """The edits after `changes`; `sourced` is the paper as its sources have it. Raises InputError for a bad one.

    A field that is set to what the sources say all the same stays the user's: a later source does not move it.
    """
    _check(changes)
    kept = Edits() if changes.reset_all else before
    fields = {name: value for name, value in kept.fields.items() if name not in changes.reset} | dict(changes.fields)
    added, removed = (() if "tags" in changes.reset else tags for tags in (kept.tags_added, kept.tags_removed))
    folded = {tag.casefold() for tag in changes.untags}
    added = _without((*added, *changes.tags), folded)
    given = {tag.casefold() for tag in changes.tags}
    removed = _without((*removed, *changes.untags), given)
    own = {tag.casefold() for tag in sourced.tags}
    return Edits(fields, added, tuple(tag for tag in removed if tag.casefold() in own))


def _check(changes: Changes) -> None:
    for name in (*changes.fields, *changes.reset):
        known = name in EDIT_FIELDS or name in EDIT_DETAILS
        if not known and not (name == "tags" and name in changes.reset):
            every = ", ".join((*EDIT_FIELDS, *sorted(EDIT_DETAILS)))
            raise InputError(f"cannot edit {name!r}; fields are {every} and tags")
    for name in _NEVER_EMPTY:
        if name in changes.fields and not changes.fields[name]:
            raise InputError(f"a paper needs its {name}; to have the sources' back: --reset {name}")
    if blank := next((tag for tag in (*changes.tags, *changes.untags) if not tag.strip()), None):
        raise InputError(f"a tag needs a letter, not {blank!r}")


def _without(tags: Iterable[str], folded: Collection[str]) -> tuple[str, ...]:
    return tuple({tag.casefold(): tag for tag in tags if tag.casefold() not in folded}.values())


def edited(sourced: Paper, edits: Edits | None) -> Paper:
    """The paper as the user wants it, from what its sources say."""
    if edits is None or edits.empty:
        return sourced
    removed = {tag.casefold() for tag in edits.tags_removed}
    tags = [tag for tag in sourced.tags if tag.casefold() not in removed]
    own = {tag.casefold() for tag in tags}
    tags += [tag for tag in edits.tags_added if tag.casefold() not in own]
    return with_fields(sourced, {**edits.fields, "tags": tuple(tags)})


def with_fields(paper: Paper, fields: Mapping[str, Any]) -> Paper:
    """The paper with these fields instead, details among them by their own names."""
    told = {name: value or "" for name, value in fields.items() if name in EDIT_DETAILS}
    plain = {name: value for name, value in fields.items() if name not in EDIT_DETAILS}
    return replace(paper, **plain, details=details(dict(paper.details) | told))


def sourced_values(sourced: Paper, edits: Edits) -> dict[str, Any]:
    """What the sources say of the fields that `edits` touch, to be kept beside the paper."""
    known: dict[str, Any] = dict(sourced.details)
    names = (*edits.fields, "tags")
    return {name: known.get(name) if name in EDIT_DETAILS else getattr(sourced, name) for name in names}


def values(told: Mapping[str, Any]) -> dict[str, Any]:
    """Fields read back from JSON, in the types that a Paper has."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}


def own_words(paper: Paper, edits: Edits | None) -> str | None:
    """What a search shall find the paper by beside its title and abstract."""
    tags = edits.tags_added if edits else ()
    return "\n".join(filter(None, (paper.note, *tags))) or None
