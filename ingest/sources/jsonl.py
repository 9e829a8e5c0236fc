"""JSON Lines, one JSON array, a single object, or an object that wraps a list of papers; shapes are in `shapes`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingest.fields import record
from ingest.records import Record, Rejected
from ingest.sources.json_stream import Broken, elements, loaded
from ingest.sources.shapes import fields, papers
from ingest.sources.text import MAX_RECORD_CHARACTERS, Text

NAME: Final = "json"
SUFFIXES: Final = (".jsonl", ".ndjson", ".json")


def matches(sample: str, name: str) -> bool:
    """JSON begins with a bracket; a broken first line is forgiven where the file's name says JSON."""
    start = sample.lstrip()[:2]
    if start[:1] == "{" and re.match(r"\{\s*[\"}]", sample.lstrip()):
        return True
    if start[:1] == "[" and re.match(r"\[\s*[{\[\]\"]", sample.lstrip()):
        return True
    return name.lower().endswith(SUFFIXES) and bool(re.search(r"^\s*\{\s*\"", sample, re.MULTILINE))


def read(text: Text, name: str) -> Iterator[Record | Rejected]:
    """Every record of `text`, streaming; each line or element that is not one is rejected by itself."""
    values = _lines(text) if _line_by_line(text.sample, name) else elements(text)
    found = False
    for line, value in values:
        found = True
        where = f"{name}:{line}"
        if value is _PASSED_OVER:
            continue
        if isinstance(value, Broken):
            yield Rejected(where, value.reason)
        elif isinstance(value, Mapping):
            yield from _records(value, where, name)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, Mapping):
                    yield from _records(item, where, name)
                else:
                    yield Rejected(where, f"not an object but {_shown(item)}")
        else:
            yield Rejected(where, f"not an object but {_shown(value)}")
    if not found:
        yield Rejected(name, "no papers inside")


_CATEGORIES: Final = re.compile(r'"categories": ?"([A-Za-z. -]{1,300})"')
_PASSED_OVER: Final = object()  # a line of other categories than those asked for


def _line_by_line(sample: str, name: str) -> bool:
    """Whether each line is a value of its own: the first line that holds anything is one, or is broken and more follow."""
    lines = [line for line in sample.split("\n") if line.strip()]
    if lines[0].lstrip().startswith("["):
        return len(lines) > 1 and all(line.rstrip().endswith("]") for line in lines[:2])
    if isinstance(_parsed(lines[0]), Mapping):
        return True
    objects = sum(1 for line in lines[1:50] if line.startswith("{"))
    return objects > 0 and objects >= len(lines[1:50]) / 2


def _lines(text: Text) -> Iterator[tuple[int, Any]]:
    number = 0
    while line := text.readline(MAX_RECORD_CHARACTERS):
        number += 1
        if len(line) >= MAX_RECORD_CHARACTERS and not line.endswith("\n"):
            while (rest := text.readline(MAX_RECORD_CHARACTERS)) and not rest.endswith("\n"):
                pass
            yield number, Broken(f"a line of more than {MAX_RECORD_CHARACTERS:,} characters")
        elif line.strip(" \t\n\r\ufeff\x1e,"):
            if text.categories and _elsewhere(line, text.categories):
                yield number, _PASSED_OVER
            else:
                yield number, _parsed(line.strip(" \t\n\r\ufeff\x1e").rstrip(","))


def _elsewhere(line: str, categories: frozenset[str]) -> bool:
    """Whether a line of arXiv's snapshot plainly lies in none of `categories`: told without parsing it, 20 times faster."""
    match = _CATEGORIES.search(line)
    return match is not None and not any(category in match.group(1) for category in categories)


def _parsed(text: str) -> Any:
    try:
        return loaded(text)
    except json.JSONDecodeError as error:
        return Broken(f"not JSON: {error.msg} at character {error.pos + 1}")
    except (RecursionError, ValueError) as error:
        return Broken(f"not JSON that can be read: {_one_line(error)}")


def _records(value: Mapping[str, Any], where: str, name: str) -> Iterator[Record | Rejected]:
    """The record that an object is, or the records of the papers that it wraps."""
    for paper in papers(value):
        if paper is None:
            yield Rejected(where, "an empty place instead of a paper: the service did not know what was asked for")
            continue
        shape, found = fields(paper)
        yield record(found, where, f"{shape or NAME}:{name}")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
