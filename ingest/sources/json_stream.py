"""The elements of one long JSON array, or of values one after the other, with no more than one of them in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from ingest.sources.text import MAX_RECORD_CHARACTERS, Text

_CHUNK: Final = 1 << 16  # characters read at a time
_MAX_PAGE: Final = 64 << 20  # characters of one answer that wraps a thousand papers
_SPACE: Final = re.compile(r"[\s,]*")
_NEXT_OBJECT: Final = re.compile(r"\n\s*(?=\{)|\}\s*,\s*(?=\{)")
_SEAM: Final = 1 << 10  # characters kept of what is passed over, as the next object may begin at its end
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")  # the escape of half a character; most are one of a pair
_EDGE: Final = 16  # characters: a failure this near to the end of what was read may be a word that was cut


class Broken:
    """In place of a value that cannot be read, with the reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def elements(text: Text) -> Iterator[tuple[int, Any]]:
    """Every value with the line it begins on. After one that is broken or too long the next object is looked for."""
    window = _Window(text)
    window.skip(_SPACE)
    if window.starts_with("["):
        window.advance(window.at + 1)
    limit = _MAX_PAGE  # of the first value: it may be one that wraps all papers
    while True:
        window.skip(_SPACE)
        if window.starts_with("]") or window.spent:
            return
        value, end, certain = _decoded(window)
        if not certain and not window.ended and window.length <= limit:
            window.grow()
            continue
        if isinstance(value, Broken) and window.length > limit:
            value = Broken(f"a record of more than {limit:,} characters")
        yield window.line, value
        limit = MAX_RECORD_CHARACTERS
        if end >= 0:
            window.advance(end)
        elif not window.resume():
            return


def loaded(text: str) -> Any:
    """`json.loads`, without halves of characters, which nothing can store: JSON may write any as an escape."""
    value = json.loads(text)
    return _whole(value) if _HALF.search(text) else value


def _whole(value: Any) -> Any:
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "ignore"))


class _Window:
    """The part of the text that is in memory: `at` is the place in `buffer` that was reached, on line `line`."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self.buffer = ""
        self.at = 0
        self.line = 1
        self.ended = False
        self.grow()
        self.buffer = self.buffer.removeprefix("\ufeff")

    @property
    def length(self) -> int:
        return len(self.buffer) - self.at

    @property
    def spent(self) -> bool:
        return self.ended and self.length == 0

    def starts_with(self, char: str) -> bool:
        return self.buffer.startswith(char, self.at)

    def grow(self) -> None:
        """Reads as much again as there is, so that decoding anew from `at` on stays linear in all."""
        more = self._text.read(max(_CHUNK, self.length))
        self.buffer, self.at, self.ended = self.buffer[self.at :] + more, 0, not more

    def advance(self, to: int) -> None:
        self.line += self.buffer.count("\n", self.at, to)
        self.at = to

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Past what `pattern` matches, however long."""
        while True:
            found = pattern.match(self.buffer, self.at)
            self.advance(found.end() if found else self.at)
            if self.length or self.ended:
                return
            self.grow()

    def resume(self) -> bool:
        """On to the next thing that looks like an object after the one here; False where there is none."""
        begin = self.at + 1
        while True:
            found = _NEXT_OBJECT.search(self.buffer, begin)
            if found:
                self.advance(found.end())
                return True
            if self.ended:
                return False
            self.advance(max(self.at, len(self.buffer) - _SEAM))
            more = self._text.read(_CHUNK)
            self.buffer, self.at, begin, self.ended = self.buffer[self.at :] + more, 0, 0, not more


_DECODER: Final = json.JSONDecoder()


def _decoded(window: _Window) -> tuple[Any, int, bool]:
    """The value here and where it ends, -1 for one that is broken; and whether more text could not change that."""
    buffer = window.buffer
    if not window.length:
        return Broken("ends in the middle of a record"), -1, False
    try:
        value, end = _DECODER.raw_decode(buffer, window.at)
        value = _whole(value) if _HALF.search(buffer, window.at, end) else value
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string") or error.pos >= len(buffer) - _EDGE:
            return Broken("ends in the middle of a record"), -1, False
        return Broken(f"not JSON: {error.msg}"), -1, True
    except (RecursionError, ValueError) as error:
        said = " ".join(str(error).split())[:120] or type(error).__name__
        return Broken(f"not JSON that can be read: {said}"), -1, True
    return value, end, end < len(buffer) or buffer[end - 1] in '}]"'
