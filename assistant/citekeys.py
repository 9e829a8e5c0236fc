"""Keys for papers that have none: what a .bib file, or a list of references, needs to name each by."""

from __future__ import annotations

import re
from typing import Final

from assistant.identity import title_key
from assistant.papers import Paper

_NO_KEY: Final = re.compile(r"[^\w:./+-]+", re.ASCII)


def bibtex_key(paper: Paper) -> str:
    """The paper's own key as far as BibTeX allows it, else one that is made."""
    return _NO_KEY.sub("", paper.citekey or "") or made_key(paper)


def made_key(paper: Paper) -> str:
    """`family2024word`, from the first author, the year, and the first word of the title that isn't short."""
    author = title_key(paper.authors[0]).split()[-1:] if paper.authors else []
    words = title_key(paper.title).split()
    word = next((word for word in words if len(word) > 3), words[0] if words else "")
    return _NO_KEY.sub("", "".join([*author, str(paper.year or ""), word])) or "paper"


def is_made(key: str, paper: Paper) -> bool:
    """Whether `key` is what `made_key` gives, perhaps numbered: an export's word, not the user's."""
    made = made_key(paper)
    return re.fullmatch(re.escape(made) + r"(?:-\d+)?", key) is not None


def unused(key: str, taken: set[str]) -> str:
    """`key`, or `key-2`, `key-3`, …, which is then taken; BibTeX does not tell keys apart by case."""
    found, number = key, 1
    while found.lower() in taken:
        number += 1
        found = f"{key}-{number}"
    taken.add(found.lower())
    return found
