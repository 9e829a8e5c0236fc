"""Questions that name papers by the user's own keys: "What does @smith2020 measure?" asks of that paper only."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assistant.filters import Filters

if TYPE_CHECKING:
    from assistant.library import Library

_KEY: Final = re.compile(r"(?<![\w@.])@([^\s@,;!?()\[\]{}\"'“”]+)")
_TRAILING: Final = ".:…"


def keyed(library: Library, question: str, filters: Filters) -> tuple[str, Filters]:
    """The question with titles in place of the keys that it holds, and filters that leave only those papers.

    A key that names no paper here is left in the question as it stands.
    """
    found = [match.group(1).rstrip(_TRAILING) for match in _KEY.finditer(question)] if "@" in question else []
    named = library.editions.papers_of_citekeys(found) if found else {}
    if not named:
        return question, filters
    ids = tuple(dict.fromkeys(id_ for key in found for id_ in named.get(key, ())))
    papers = library.papers_by_id(ids)

    def title(match: re.Match[str]) -> str:
        key = match.group(1).rstrip(_TRAILING)
        titles = [papers[id_].title.rstrip(" .?!") for id_ in named.get(key, ()) if id_ in papers]
        return f"“{titles[0]}”" + match.group(1)[len(key) :] if titles else match.group()

    allowed = library.matching_ids(filters)
    kept = tuple(id_ for id_ in ids if allowed is None or id_ in allowed)
    return _KEY.sub(title, question), replace(filters, ids=kept)
