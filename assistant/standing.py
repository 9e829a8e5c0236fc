"""A paper's standing in a word: what its notices come to, for wherever the paper is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Standing:
    """`word` begins large. `grave`: nobody should rely on the paper without having read why."""

    word: str
    grave: bool


# What a notice begins with, the gravest first.
_KINDS: Final = (
    (r"partly retracted", Standing("Partly retracted", True)),
    (r"retract", Standing("Retracted", True)),
    (r"withdrawn", Standing("Withdrawn", True)),
    (r"removed", Standing("Removed", True)),
    (r"(?:expression of )?concern", Standing("Expression of concern", True)),
    (r"correct|errat", Standing("Corrected", False)),
    (r"is the ", Standing("Notice", False)),
)
_OTHER: Final = Standing("Notice", False)


def standing(notices: Iterable[str]) -> Standing | None:
    """The gravest thing that any notice says; None where there is no notice. A whole retraction outweighs a partial one."""
    found = [kind for notice in notices for kind in [_kind(notice)]]
    order = [_KINDS[1][1], *(kind for _, kind in _KINDS)]
    return min(found, key=order.index) if found else None


def _kind(notice: str) -> Standing:
    return next((kind for begin, kind in _KINDS if re.match(begin, notice.strip(), re.IGNORECASE)), _OTHER)
