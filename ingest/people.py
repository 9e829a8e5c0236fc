"""The names of people, from the many ways in which exports write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from assistant.cleaning import clean, normalise
from assistant.csl_items import is_group
from ingest.spelling import NOTHING, canonical, collapsed, first_text, literal

_SUFFIXES: Final = {"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"}
_NOBODY: Final = {"others", "et al", "et al."}  # BibTeX's "and others"
_INITIALS_LAST: Final = re.compile(r"^([^\W\d_][^,.]*?) ((?:[^\W\d_a-z]\.?-?){1,4})$")
_PLAIN_NAME: Final = re.compile(r"^[A-Za-z]+[A-Za-z ,.'-]{0,80}$", re.ASCII)  # nothing that cleaning would change
_NUMBERED: Final = re.compile(r"\s*\(\d{5,}\)\s*$")  # Scopus's author ids
_DOTTED_LAST: Final = re.compile(r"^[^\W\d_][^,.]+ (?:[^\W\d_]\.[ -]?)+$")
_NAME_KEYS: Final = ("name", "fullname", "displayname", "literal", "authorname", "rawauthorname")
_FAMILY_KEYS: Final = ("family", "last", "lastname", "surname", "familyname")
_GIVEN_KEYS: Final = ("given", "first", "firstname", "givenname", "forename", "forenames", "initials")


def authors(value: Any) -> tuple[str, ...]:
    """Authors in display order, each `Given Family`.

    Takes a list of strings, of pairs `[family, given]` or of objects (`name`, or `given`/`family` under their usual
    names), or one text joined by `and`, `;`, or commas where those can only separate whole names.
    """
    if isinstance(value, str):
        parsed = literal(value)
        return authors(parsed) if isinstance(parsed, list) else _named(_separated(value))
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Sequence):
        return ()
    return _named(name for item in value for name in _author(item))


def initials_first(name: str) -> str:
    """`Smith JA` and `van Dyk R.` as `JA Smith` and `R. van Dyk`; anything else stays."""
    match = _INITIALS_LAST.match(name.strip())
    return f"{match.group(2)} {match.group(1)}" if match else name


def _author(item: Any) -> list[str]:
    if isinstance(item, str):
        several = ";" in item or (" and " in item and ("," in item or not is_group(item)))
        return _separated(item) if several else [item]
    if isinstance(item, Mapping):
        spelt = {canonical(str(key)): part for key, part in item.items()}
        if isinstance(spelt.get("author"), Mapping):  # OpenAlex wraps each author once more
            return _author(spelt["author"])
        family, given = first_text(spelt, _FAMILY_KEYS), first_text(spelt, _GIVEN_KEYS)
        return [f"{given} {family}".strip()] if family else [first_text(spelt, _NAME_KEYS)]
    if isinstance(item, Sequence) and item and all(isinstance(part, str) for part in item):
        return [" ".join(part for part in (*item[1:2], item[0], *item[2:3]) if part)]
    return []


def _separated(text: str) -> list[str]:
    """The single names of one text; the strongest separator that occurs in it decides. What stands in braces is one name."""
    if "{" in text and (kept := _IN_BRACES.findall(text.replace("\0", ""))):
        masked = _IN_BRACES.sub("\0", text.replace("\0", ""))
        groups = iter(kept)
        return [re.sub("\0", lambda _: next(groups), name) for name in _separated(masked)]
    if text.endswith(";") and text.count(";") == 1:
        return [text[:-1]]
    for separator in (r"\s*;\s*", r"\s*\|\s*", r"\s+and\s+|\s*,\s*and\s+", r"\n+"):
        parts = [part for part in re.split(separator, text.strip()) if part.strip()]
        if len(parts) > 1:
            return [name for part in parts for name in (_by_commas(part) if part.count(",") > 1 else [part])]
    return _by_commas(text)


def _by_commas(text: str) -> list[str]:
    """`Ann Lee, Bo Ek` are two people, `Lee, Ann` is one, `Lee, A., Ek, B.` are two again."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > 2 and len(parts) % 2 == 0 and all(_INITIALS.match(part) for part in parts[1::2]):
        return [f"{family}, {given}" for family, given in zip(parts[::2], parts[1::2], strict=True)]
    if len(parts) == 3 and _SUFFIXES & {part.lower() for part in parts[1:]}:
        return [text]
    if len(parts) > 1 and (len(parts) > 2 or all(" " in part for part in parts)):
        return parts
    return [text]


_IN_BRACES: Final = re.compile(
    r"(?<![\\\w{])\{[^{}]*(?:\band\b|,)[^{}]*\}"
)  # a group's name, such as `{Centers for This and That}`
_INITIALS: Final = re.compile(r"^(?:[^\W\d_]\.?[\s-]?){1,4}$")


def _named(found: Iterable[str]) -> tuple[str, ...]:
    """Names decoded, `Family, Given` turned round, empty and repeated ones dropped."""
    turned = []
    for name in found:
        whole = _IN_BRACES.fullmatch(name) is not None
        if not _PLAIN_NAME.match(name):
            name = _NUMBERED.sub("", clean(normalise(name)).text.replace("{", "").replace("}", ""))
        if whole:
            turned.append(collapsed(name))
            continue
        name = name.strip(" ,;")
        family, comma, given = name.partition(",")
        if comma and "," in given:  # "Family, Jr, Given" in BibTeX, "Family, Given, Jr" in RIS
            suffix, _, given = given.partition(",")
            if given.strip().lower() in _SUFFIXES:
                suffix, given = given, suffix
            name = f"{given.strip()} {family.strip()} {suffix.strip()}"
        elif comma:
            name = f"{given.strip()} {family.strip()}"
        elif _DOTTED_LAST.match(name):  # Embase and Scopus write "Liu R."
            name = initials_first(name)
        if name and name.lower() not in NOTHING | _NOBODY:
            turned.append(collapsed(name))
    return tuple(dict.fromkeys(turned))
