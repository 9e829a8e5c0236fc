"""JSON Lines in: one object a line, each answered by itself and in order, whatever is wrong with its neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from assistant.errors import IbidError, InputError

Case = dict[str, Any]


def answered(lines: Iterable[bytes], answer: Callable[[Case], Case]) -> Iterator[Case]:
    """`{"id": …, **answer(case)}` for each line that is not blank; `{"id", "error"}` where it can't be used or answered.

    A case without an id is named by its line, counted from 1.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        identifier: Any = number
        try:
            case = _case(line)
            identifier = case.get("id", number)
            yield {"id": identifier, **answer(case)}
        except IbidError as error:
            yield {"id": identifier, "error": f"line {number}: {error}"}


def _case(line: bytes) -> Case:
    try:
        case = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not JSON, or a number of too many digits
        raise InputError(f"not JSON: {error}") from error
    if not isinstance(case, dict):
        raise InputError(f'a JSON object such as {{"id": …}} is wanted, not {case!r:.60}')
    return case
