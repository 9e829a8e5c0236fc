"""Notices and the user's note inside the one field for notes that other programs have, so that both come back.

A line that says a paper's standing (`Retracted: …`) is a notice as it stands; any other notice is written `Notice: …`.
What begins with `Ibid note: ` is the note that the user wrote here. Everything else is a source's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from assistant.papers import Paper

MARK: Final = "Ibid note:"
_NOTICE_MARK: Final = "Notice:"
_NOTICE: Final = re.compile(
    r"(?:(?:partly )?retracted|withdrawn|removed|expression of concern|corrected)(?:$|:| \d{4}\b)|is the [a-z ]{3,40} of \S",
    re.IGNORECASE,
)
_IDENTIFIER: Final = re.compile(
    r"(?:arxiv|pmid|pmcid|doi|isbn|issn|citation key|bibtex key|tex\.[\w.-]+|openalex|_eprint)\s*:\s*\S",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Noted:
    """What lines of notes come to. `note` is the user's own, None where there is none; `rest` a source's, a line each."""

    notices: tuple[str, ...] = ()
    note: str | None = None
    rest: str = ""


def notice_lines(paper: Paper) -> list[str]:
    """The notices as lines that `read` knows again."""
    return [told if _NOTICE.match(told) else f"{_NOTICE_MARK} {told}" for told in paper.notices]


def own_note(note: str | None) -> str:
    """The user's note with its mark; empty where there is none."""
    return f"{MARK} {note}" if note else ""


def read(lines: Iterable[str]) -> Noted:
    """Lines sorted into notices, the user's note and the rest; lines of identifiers, which others keep here, are dropped.

    The note goes on to the end. Its lines may each have the mark.
    """
    notices, rest = [], []
    own: list[str] | None = None
    for line in lines:
        plain = line.strip()
        if plain.startswith(MARK):
            own = [*(own or []), plain.removeprefix(MARK).removeprefix(" ")]
        elif own is not None:
            own.append(line.rstrip())
        elif plain.startswith(_NOTICE_MARK) or _NOTICE.match(plain):
            notices.append(plain.removeprefix(_NOTICE_MARK).strip())
        elif plain and not _IDENTIFIER.match(plain):
            rest.append(plain)
    return Noted(tuple(notices), "\n".join(own or ()).strip() or None, "\n".join(rest))
