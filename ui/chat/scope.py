"""Which papers are asked: a filter as the page keeps it, what it leaves, and how it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assistant.cleaning import clean
from assistant.filters import Filters
from assistant.storage.facets import Field

if TYPE_CHECKING:
    from assistant.library import Library


FIELDS: Final[tuple[Field, ...]] = ("year", "author", "venue", "category", "tag", "source", "paper")


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition of a filter that can be taken away: `field` and `value` name it, `label` is for people."""

    field: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What a filter leaves of the library."""

    filters: Mapping[str, Any]
    chips: tuple[Chip, ...]
    papers: int
    total: int


def scope(library: Library, filters: Mapping[str, Any] | Filters) -> Scope:
    """Counts what a filter leaves. Raises FilterError for one that cannot be read."""
    parsed = Filters.parse(filters)
    total = library.count()
    papers = total if parsed.empty else library.count(parsed)
    return Scope(public(parsed), _chips(library, parsed), papers, total)


def public(filters: Filters) -> dict[str, Any]:
    """A filter in the form that `Filters.parse` reads, without what it leaves open."""
    named: dict[str, Any] = {
        "author": list(filters.authors),
        "venue": list(filters.venues),
        "category": list(filters.categories),
        "tag": list(filters.tags),
        "source": list(filters.sources),
        "note": list(filters.notes),
        "ids": None if filters.ids is None else list(filters.ids),
    }
    if filters.year_from is not None or filters.year_to is not None:
        named["year"] = [filters.year_from, filters.year_to]
    return {name: value for name, value in named.items() if value or (name == "ids" and value is not None)}


def stored(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The public form of a filter as a record keeps it."""
    lists: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in filters.items()
    }
    return public(Filters(**lists))


def _chips(library: Library, filters: Filters) -> tuple[Chip, ...]:
    chips = []
    if filters.year_from is not None or filters.year_to is not None:
        chips.append(Chip("year", "", _years(filters.year_from, filters.year_to)))
    for field, values in public(filters).items():
        if field in ("year", "ids"):
            continue
        chips += [Chip(field, value, label(field, value)) for value in values]
    if filters.ids is not None:
        titles = library.papers_by_id(filters.ids)
        chips += [
            Chip("ids", one, label("paper", titles[one].title) if one in titles else one) for one in filters.ids
        ]
    return tuple(chips)


def _years(first: int | None, last: int | None) -> str:
    if first == last:
        return str(first)
    if first is None:
        return f"until {last}"
    return f"from {first}" if last is None else f"{first}–{last}"


def label(field: str, value: str) -> str:
    """A value as people read it: a title cleaned, a source without the name of its format (`bibtex:refs.bib`)."""
    if field == "note":
        return f"note: {value}"
    if field == "source":
        return value.split(":", 1)[-1] or value
    return clean(value).text if field == "paper" else value
