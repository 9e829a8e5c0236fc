"""XML read as a stream of records: entities and external references refused, depth and size bounded, memory flat.

defusedxml forbids entities; expat accepts any nesting and holds any single tag, so both are bounded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, ParseError

from assistant.errors import SourceError
from ingest.records import Rejected
from ingest.sources.text import MAX_RECORD_CHARACTERS, Text

if TYPE_CHECKING:
    from defusedxml.ElementTree import DefusedXMLParser

_CHUNK: Final = 1 << 16  # characters fed at a time
_MAX_DEPTH: Final = 100  # formulas in PubMed's abstracts nest by twenty
_MAX_AROUND: Final = 10_000  # characters of the attributes of an element around records
_ROOT: Final = re.compile(r"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_PROLOGUE: Final = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^<>\[]*(?:\[.*?\]\s*)?>)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """One record's element, its tags without namespaces, the attributes of the elements around it, and its line."""

    line: int
    element: Element
    around: tuple[Mapping[str, str], ...]  # outermost first


def root(sample: str) -> str | None:
    """The name of the outermost element, without its prefix; None where the text does not begin as XML."""
    at = 0
    while match := _PROLOGUE.match(sample, at):
        at = match.end()
    opening = _ROOT.match(sample[at:].lstrip("\ufeff \t\n"))
    return opening.group(2) if opening else None


def records(text: Text, name: str, tags: frozenset[str]) -> Iterator[Found | Rejected]:
    """Every outermost element called one of `tags`, as soon as it is closed. What stops the reading is one Rejected."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    target = _Target(tags, name)
    parser = DefusedXMLParser(target=target, encoding="utf-8")
    target.parser = parser
    try:
        while chunk := text.read(_CHUNK):
            if not target.fed:  # XML allows nothing before its declaration, people and pipes do
                chunk, whole = chunk.lstrip("\ufeff \t\n"), chunk
                target.shift = whole.count("\n", 0, len(whole) - len(chunk))
            target.fed += len(chunk.encode("utf-8", "replace"))
            parser.feed(chunk)
            target.check()
            yield from target.take()
        parser.close()
    except DefusedXmlException:
        refused = (
            "XML that declares entities or refers to others; refused, as those can grow without bound or read files"
        )
        yield from target.take()
        yield Rejected(f"{name}:{target.line}", refused)
        return
    except SourceError as error:
        yield from target.take()
        yield Rejected(f"{name}:{target.line}", str(error))
        return
    except (ParseError, ValueError, LookupError) as error:
        said = " ".join(str(error).split())[:120]
        yield from target.take()
        yield Rejected(f"{name}:{target.line}", f"not well-formed XML: {said}")
        return
    yield from target.take()


def spoken(element: Element | None) -> str:
    """All text inside `element`, markup dropped but for raised numbers; empty for None."""
    if element is None:
        return ""
    if element.find(".//sup") is None:
        return "".join(element.itertext())
    return "".join(_parts(element))


def _parts(element: Element) -> Iterator[str]:
    inside = element.text or ""
    yield raised(inside) if element.tag == "sup" else inside
    for part in element:
        yield from _parts(part)
        yield part.tail or ""


def raised(text: str) -> str:
    """A superscript as plain text: `10<sup>-3</sup>` must not become `10-3`, nor `1<sup>st</sup>` a power."""
    return f"^{text}" if any(char.isdigit() for char in text) else text


def child(element: Element | None, path: str) -> str:
    """The stripped text of the first descendant at `path`; empty where there is none."""
    return spoken(element.find(path)).strip() if element is not None else ""


def _size(attributes: Mapping[str, str]) -> int:
    return sum(len(key) + len(value) + 64 for key, value in attributes.items())


class _Target:
    """Builds the elements of records only, and counts."""

    def __init__(self, tags: frozenset[str], name: str) -> None:
        self.parser: DefusedXMLParser | None = None
        self.fed = 0  # bytes
        self.line = 1
        self.shift = 0  # lines before the first that the parser was given
        self._tags = tags
        self._name = name
        self._around: list[Mapping[str, str]] = []
        self._open: list[Element] = []
        self._began = 1
        self._size = 0
        self._done: list[Found | Rejected] = []

    def take(self) -> Iterator[Found | Rejected]:
        done, self._done = self._done, []
        yield from done

    def check(self) -> None:
        """Refuses a single tag, comment or attribute that the parser has to hold whole."""
        expat = self.parser.parser if self.parser else None
        self.line = max(self.line, expat.CurrentLineNumber + self.shift if expat else 1)
        if expat and self.fed - expat.CurrentByteIndex > MAX_RECORD_CHARACTERS:
            raise SourceError(f"XML with a tag or comment of more than {MAX_RECORD_CHARACTERS:,} characters")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        local = tag.rpartition("}")[2]
        self.line = self.parser.parser.CurrentLineNumber + self.shift if self.parser else 1
        if len(self._around) + len(self._open) >= _MAX_DEPTH:
            raise SourceError(f"XML nested more than {_MAX_DEPTH} deep; no list of papers is")
        if not self._open and local not in self._tags:
            self._around.append(dict(attributes) if _size(attributes) < _MAX_AROUND else {})
            return
        element = Element(local, {key.rpartition("}")[2]: value for key, value in attributes.items()})
        if not self._open:
            self._began, self._size = self.line, 0
        elif self._size <= MAX_RECORD_CHARACTERS:
            self._open[-1].append(element)
        self._open.append(element)
        self._grow(len(local) + 32 + _size(attributes))  # an empty element takes room too

    def end(self, tag: str) -> None:
        if not self._open:
            self._around.pop()
            return
        element = self._open.pop()
        if self._open:
            return
        if self._size > MAX_RECORD_CHARACTERS:
            reason = f"an XML record of more than {MAX_RECORD_CHARACTERS:,} characters"
            self._done.append(Rejected(f"{self._name}:{self._began}", reason))
        else:
            self._done.append(Found(self._began, element, tuple(self._around)))

    def data(self, data: str) -> None:
        if not self._open:
            return
        self._grow(len(data))
        if self._size > MAX_RECORD_CHARACTERS:
            return
        within = self._open[-1]
        if len(within):
            within[-1].tail = (within[-1].tail or "") + data
        else:
            within.text = (within.text or "") + data

    def _grow(self, by: int) -> None:
        """Counts what a record holds; of one that is too long nothing is held any more, and the next is read."""
        self._size += by
        if self._size > MAX_RECORD_CHARACTERS:
            for element in self._open:
                element.clear()

    def close(self) -> None:
        """Nothing is left to give: records were taken as they were closed."""
