"""The names and shapes of an export's fields, made alike: what `ingest.fields` reads from."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

_NAME_CHARACTERS: Final = 60  # of a field's name worth remembering; every record of a file has the same ones
_BETWEEN: Final = re.compile(r"[\s_\-:]+")
NOTHING: Final = {"", "none", "null", "nan", "n/a", "na", "nil", "-", "--", "[]", "undefined"}
Fields = Mapping[str, Any]


def canonical(name: str) -> str:
    """A field's name in the spelling of ALIASES."""
    return _canonical(name) if len(name) <= _NAME_CHARACTERS else _spelt(name)


def _spelt(name: str) -> str:
    return _BETWEEN.sub("", name.strip().lstrip("\ufeff")).lower()


_canonical = lru_cache(maxsize=4096)(_spelt)


def flattened(fields: Fields) -> dict[str, Any]:
    """Fields by canonical name, empty ones dropped; one level of objects (`externalIds`) reachable by a dotted name."""
    spelt: dict[str, Any] = {}
    for key, value in fields.items():
        name = canonical(str(key))
        if isinstance(value, Mapping) and name != "details":  # which a reader of ours has sorted
            spelt.update({f"{name}.{canonical(str(inner))}": part for inner, part in value.items()})
        if value is None or (isinstance(value, str) and value.strip().lower() in NOTHING):
            continue
        spelt.setdefault(name, value)
    return spelt


def first(spelt: Fields, aliases: Sequence[str]) -> Any:
    """The value of the first filled field of `aliases`."""
    return next((spelt[name] for name in aliases if spelt.get(name) not in (None, "", [], {})), None)


def first_text(spelt: Fields, aliases: Sequence[str]) -> str:
    """The first of `aliases` that says anything, as text."""
    return next((text for name in aliases if name in spelt and (text := spoken(spelt[name]))), "")


def spoken(value: Any) -> str:
    """A scalar, or the one scalar inside a list or object, as text."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, Mapping):
        return next(
            (
                spoken(value[key])
                for key in ("name", "value", "text", "displayname", "display_name", "title", "term", "tag")
                if key in value
            ),
            "",
        )
    if isinstance(value, Sequence):
        parts = [text for item in value if (text := spoken(item))]
        return "\n".join(parts)
    return ""


def literal(text: str) -> Any:
    """A list that an export wrote as text, `["a", "b"]` or `['a', 'b']`; None otherwise."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")) or len(text) > 100_000:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def collapsed(text: str) -> str:
    """On one line, blanks joined."""
    return " ".join(text.split())
