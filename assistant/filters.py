"""Filters narrow a search to some papers of the library. They fail closed: an unknown key is an error, and a filter
that matches nothing yields nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.errors import FilterError

FILTER_KEYS = ("year", "author", "venue", "category", "tag", "source", "note", "ids")

_YEAR_RANGE = re.compile(r"^(\d{4})?\s*(?:-|–|\.\.|:)\s*(\d{4})?$")
_YEAR_BOUND = re.compile(r"^(>=|<=|>|<|≥|≤|=)?\s*(\d{4})$")


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions joined by AND; the values of one key by OR. Empty means every paper.

    `year_from` and `year_to` are inclusive. `authors`, `venues` match case-insensitively as part of a name;
    `categories`, `tags` as a whole; `sources` as part of a source, `notes` as part of the user's note; `ids` are paper ids,
    DOIs, arXiv ids or citekeys, with or without `@`.
    """

    year_from: int | None = None
    year_to: int | None = None
    authors: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    ids: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return self == Filters()

    @classmethod
    def parse(cls, filters: Mapping[str, Any] | Filters | None) -> Filters:
        """Reads the public form, e.g. `{"year": "2020-2024", "author": ["Hinton", "Bengio"]}`.

        `year` takes a year, `"2020-2024"`, `"2020-"`, `"-2019"`, `">=2020"` or a pair `[2020, 2024]`; the others a
        string or a list of strings. Raises FilterError for anything else.
        """
        if filters is None:
            return cls()
        if isinstance(filters, Filters):
            return filters
        unknown = [key for key in filters if key not in FILTER_KEYS]
        if unknown:
            raise FilterError(f"unknown filter {unknown[0]!r}; use one of {', '.join(FILTER_KEYS)}")
        year_from, year_to = _years(filters["year"]) if "year" in filters else (None, None)
        return cls(
            year_from=year_from,
            year_to=year_to,
            authors=_names("author", filters),
            venues=_names("venue", filters),
            categories=_names("category", filters),
            tags=_names("tag", filters),
            sources=_names("source", filters),
            ids=_names("ids", filters) if "ids" in filters else None,
            notes=_names("note", filters),
        )

    @classmethod
    def parse_options(cls, options: Sequence[str]) -> Filters:
        """Reads command-line options of the form `key=value`; a repeated key adds a value."""
        collected: dict[str, list[str]] = {}
        for option in options:
            key, separator, value = option.partition("=")
            if not separator or not value.strip():
                raise FilterError(f"cannot read filter {option!r}; write key=value, e.g. year=2020-2024")
            collected.setdefault(key.strip(), []).append(value.strip())
        years = collected.get("year", [])
        if len(years) > 1:
            raise FilterError(f"year given {len(years)} times; write a range, e.g. year=2020-2024")
        return cls.parse({key: values[0] if key == "year" else values for key, values in collected.items()})


def _names(key: str, filters: Mapping[str, Any]) -> tuple[str, ...]:
    if key not in filters:
        return ()
    value = filters[key]
    values = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else None
    if values is None or not all(isinstance(item, str) and item.strip() for item in values):
        raise FilterError(f"filter {key!r} takes a non-empty string or a list of them, not {value!r}")
    if not values and key != "ids":
        raise FilterError(f"filter {key!r} is an empty list; leave it out to mean every paper")
    return tuple(item.strip() for item in values)


def _years(value: Any) -> tuple[int | None, int | None]:
    if isinstance(value, bool):
        raise FilterError(f"filter 'year' takes a year or a range such as '2020-2024', not {value!r}")
    if isinstance(value, int):
        return value, value
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) == 2 and all(item is None or isinstance(item, int) for item in value):
            return _ordered(value[0], value[1])
        raise FilterError(f"filter 'year' takes a pair [first, last], not {value!r}")
    text = str(value).strip()
    if bound := _YEAR_BOUND.match(text):
        operator, year = bound.group(1) or "=", int(bound.group(2))
        return {
            "=": (year, year),
            ">=": (year, None),
            "≥": (year, None),
            ">": (year + 1, None),
            "<=": (None, year),
            "≤": (None, year),
            "<": (None, year - 1),
        }[operator]
    match = _YEAR_RANGE.match(text)
    if match and any(match.groups()):
        first, last = match.groups()
        return _ordered(int(first) if first else None, int(last) if last else None)
    raise FilterError(f"filter 'year' takes a year or a range such as '2020-2024', not {value!r}")


def _ordered(first: int | None, last: int | None) -> tuple[int | None, int | None]:
    if first is not None and last is not None and first > last:
        raise FilterError(f"filter 'year' runs backwards: {first} is after {last}")
    return first, last
