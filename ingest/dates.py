"""The month and day of a publication, from dates as exports write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS: Final = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?!\d)")
_WORD: Final = re.compile(rf"(?<![A-Za-z])({'|'.join(_MONTHS)})[a-z]*", re.IGNORECASE)
_DAY: Final = re.compile(r"(?<![\d:.-])(\d{1,2})(?:st|nd|rd|th)?(?![\d:])(?!-\d)")


def month_and_day(month: Any, day: Any, dates: Iterable[Any], year: int | None) -> tuple[str, str]:
    """Both as numbers without zeros before them, empty where nobody tells.

    `month` and `day` are fields of their own, and win. A date counts only when it is of `year`, the publication's: others
    are of the record.
    """
    told = (_parted(date, year) for date in ([str(month)] if month else dates))
    found = next((parts for parts in told if parts[0]), ("", ""))
    return (found[0], _of(str(day or ""), 31) or found[1]) if found[0] else ("", "")


def _parted(date: Any, year: int | None) -> tuple[str, str]:
    if isinstance(date, Mapping):
        date = date.get("date-parts")
    if isinstance(date, Sequence) and not isinstance(date, str):
        parts = date[0] if date and isinstance(date[0], Sequence) and not isinstance(date[0], str) else date
        numbers = [str(part) for part in parts][:3]
        if not numbers or numbers[0] != str(year):
            return "", ""
        return _of(numbers[1] if len(numbers) > 1 else "", 12), _of(numbers[2] if len(numbers) > 2 else "", 31)
    text = str(date or "")[:100]
    if match := _NUMBERS.search(text):
        if match.group(1) != str(year):
            return "", ""
        return _of(match.group(2), 12), _of(match.group(3) or "", 31)
    if text.strip().isdigit():
        return _of(text.strip(), 12), ""
    stated = re.search(r"(?<!\d)[12]\d{3}(?!\d)", text)
    if stated and stated.group() != str(year):
        return "", ""
    month = _month(text)
    day = _DAY.search(text.replace(stated.group(), " ") if stated else text) if month else None
    between = re.search(r"[a-z]\s*[-/]\s*[a-z]", text, re.IGNORECASE)  # `Jan-Feb`: the first month, and no day
    return month, _of(day.group(1), 31) if day and not between else ""


def _month(text: str) -> str:
    if match := _WORD.search(text):
        return str(_MONTHS.index(match.group(1).lower()) + 1)
    return _of(text.strip(" {}\"'"), 12)


def _of(text: str, most: int) -> str:
    return str(int(text)) if text.isascii() and text.isdigit() and 1 <= int(text) <= most else ""
