"""A draft read for its citations: its sentences, and the papers of the library that each one cites.

Understood are `[1]`, `[2, 4-6]` with a list of references at the end, `[@key; @other]`, `\\cite{key,other}`, DOIs, arXiv
numbers, "Smith et al. (2020)" and "(Smith and Jones, 2020)". What cannot be resolved is a finding, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant import sentences
from assistant.cleaning import clean
from assistant.errors import NotInLibrary
from assistant.identity import family_name, normalise_arxiv, normalise_doi
from assistant.library import Library
from assistant.naming import fold
from assistant.papers import Paper

_HEADING = re.compile(
    r"^\s*(?:#{1,6}\s*|\\section\*?\{)?(?:\d+\.?\s+)?(?:references|bibliography|works cited|literature cited|literature)\}?\s*:?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_ENTRY = re.compile(r"^\s*(?:\[(?P<bracket>\d{1,4})\]|(?P<plain>\d{1,4})[.)])\s+", re.MULTILINE)
_NUMBERED = re.compile(r"\[\s*\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*\s*\]")
_RANGE = re.compile(r"(\d{1,4})(?:\s*[–-]\s*(\d{1,4}))?")
_PANDOC = re.compile(r"\[[^\]\n]*@[^\]\n]+\]|(?<![\w@.])@[A-Za-z0-9][\w:.#$%&+?<>~/-]*")
_PANDOC_KEY = re.compile(r"@([A-Za-z0-9](?:[\w:.#$%&+?<>~/-]*[\w/])?)")
_LATEX = re.compile(r"\\(?:cite|citep|citet|autocite|parencite|textcite|footcite)\*?(?:\[[^\]]*\])*\{([^}]*)\}")
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?\b10\.\d{4,9}/[^\s\])>,;]+[^\s\])>,;.]", re.IGNORECASE)
_ARXIV = re.compile(
    r"\b(?:https?://arxiv\.org/(?:abs|pdf)/|arxiv:\s*)(\d{4}\.\d{4,5}|[a-z-]+/\d{7})(?:v\d+)?", re.IGNORECASE
)
_NAME = r"[A-Z][\w'’-]+"
_AUTHOR_YEAR = re.compile(
    rf"(?P<first>{_NAME})(?:,? et al\.?|(?: and |, (?:and )?| & ){_NAME})*,?\s*\(?(?P<year>(?:19|20)\d\d)[a-z]?\b"
)
_ASIDE = re.compile(
    rf"\s*\((?:(?:see |e\.g\.,? )?{_AUTHOR_YEAR.pattern.replace('?P<first>', '?:').replace('?P<year>', '?:')}\)?;?\s*)+\)"
)
_MARKS = (_NUMBERED, _PANDOC, _LATEX, _DOI, _ARXIV)
_REST = re.compile(r"\s+(?=[.,;:!?])|\(\s*\)")
_LIST_SIGN = re.compile(r"^\s*(?:[-*•]|#{1,6}|\d{1,2}[.)])\s+")
_FEWEST_WORDS = 4  # a shorter line is a heading or a greeting, no claim
_MOST_RANGE = 12
_SEARCHED = 5


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation as written, and the paper that it means; None when the library has none."""

    written: str
    paper: Paper | None


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence at `[start, end)` of the draft; `claim` is it without its citations, empty when it claims nothing."""

    text: str
    start: int
    end: int
    claim: str
    citations: tuple[Cited, ...]


def read(draft: str, library: Library) -> Iterator[DraftSentence]:
    """The sentences of a draft in order, headings and the list of references left out."""
    heading = max(_HEADING.finditer(draft), key=lambda found: found.start(), default=None)
    body = draft[: heading.start()] if heading else draft
    entries = _entries(draft[heading.end() :]) if heading else {}
    resolver = _Resolver(library, entries)
    for start, end in _spans(body):
        text = body[start:end]
        citations = tuple(resolver.cited(text))
        yield DraftSentence(text, start, end, _claim(text), citations)


def _entries(listed: str) -> dict[str, str]:
    """The numbered entries of a list of references."""
    found = list(_ENTRY.finditer(listed))
    ends = [match.start() for match in found[1:]] + [len(listed)]
    return {
        (match["bracket"] or match["plain"]): " ".join(listed[match.end() : end].split())
        for match, end in zip(found, ends, strict=True)
    }


def _spans(body: str) -> Iterator[tuple[int, int]]:
    """Sentences, paragraph by paragraph; a citation after the full stop belongs to the sentence before."""
    for block in re.finditer(r"\S[\s\S]*?(?=\n\s*\n|\n\s*(?:[-*•#]|\d{1,2}[.)])\s|\Z)", body):
        sign = _LIST_SIGN.match(block.group())
        if block.group().lstrip().startswith("#"):
            continue
        offset = block.start() + (sign.end() if sign else 0)
        text = body[offset : block.end()]
        found: list[list[int]] = []
        for span in sentences.split(text.replace("\n", " ")):
            bare = _without_marks(text[span.start : span.end])
            if found and not re.search(r"[^\W\d_]", bare):
                found[-1][1] = offset + span.end
            else:
                found.append([offset + span.start, offset + span.end])
        for index, (start, end) in enumerate(found):  # a mark that opens a sentence closes the one before
            leading = _NUMBERED.match(body, start)
            if leading and index and body[leading.end() : end].strip():
                found[index - 1][1] = leading.end()
                found[index][0] = (
                    leading.end() + len(body[leading.end() : end]) - len(body[leading.end() : end].lstrip())
                )
        yield from ((start, end) for start, end in found if start < end)


def _without_marks(text: str) -> str:
    for pattern in _MARKS:
        text = pattern.sub(" ", text)
    return text


def _claim(text: str) -> str:
    bare = _without_marks(_ASIDE.sub(" ", text))
    bare = _REST.sub("", " ".join(bare.split())).strip()
    return bare if len(bare.split()) >= _FEWEST_WORDS else ""


class _Resolver:
    """Finds the papers that citations mean; remembers what it has found."""

    def __init__(self, library: Library, entries: Mapping[str, str]) -> None:
        self._library = library
        self._entries = entries
        self._known: dict[str, Paper | None] = {}
        self._by_author: dict[tuple[str, int], Paper] | None = None

    def cited(self, text: str) -> Iterator[Cited]:
        seen: set[str] = set()
        for written, paper in self._all(text):
            name = paper.id if paper else written
            if name not in seen:
                seen.add(name)
                yield Cited(written, paper)

    def _all(self, text: str) -> Iterator[tuple[str, Paper | None]]:
        for mark in _NUMBERED.finditer(text):
            for number in _numbers(mark.group()):
                yield f"[{number}]", self._entry(number)
        for mark in _PANDOC.finditer(text):
            yield from ((f"@{key}", self._named(key)) for key in _PANDOC_KEY.findall(mark.group()))
        for mark in _LATEX.finditer(text):
            yield from ((key.strip(), self._named(key.strip())) for key in mark.group(1).split(",") if key.strip())
        for mark in _DOI.finditer(text):
            doi = normalise_doi(mark.group())
            yield mark.group(), self._named(doi or mark.group())
        for mark in _ARXIV.finditer(text):
            yield mark.group(), self._named(normalise_arxiv(mark.group(1)) or mark.group(1))
        for mark in _AUTHOR_YEAR.finditer(text):
            yield f"{mark['first']} {mark['year']}", self._of_author(mark["first"], int(mark["year"]))

    def _named(self, name: str) -> Paper | None:
        if name not in self._known:
            try:
                self._known[name] = self._library.paper(name)
            except NotInLibrary:
                self._known[name] = None
        return self._known[name]

    def _entry(self, number: str) -> Paper | None:
        """The paper that an entry of the references names by DOI, arXiv number or title."""
        key = f"[{number}]"
        if key not in self._known:
            self._known[key] = self._of_entry(self._entries.get(number, ""))
        return self._known[key]

    def _of_entry(self, entry: str) -> Paper | None:
        if not entry:
            return None
        names = [match.group() for match in _DOI.finditer(entry)] + [
            match.group(1) for match in _ARXIV.finditer(entry)
        ]
        for name in names:
            if paper := self._named(normalise_doi(name) or normalise_arxiv(name) or name):
                return paper
        flat = fold(clean(entry).text)
        hits = self._library.search(entry, k=_SEARCHED)
        return next((hit.paper for hit in hits if fold(clean(hit.paper.title).text) in flat), None)

    def _of_author(self, family: str, year: int) -> Paper | None:
        if self._by_author is None:
            self._by_author = {}
            for paper in self._library.papers():
                if paper.authors and paper.year:
                    self._by_author.setdefault((fold(family_name(paper.authors[0])), paper.year), paper)
        return self._by_author.get((fold(family), year))


def _numbers(mark: str) -> Sequence[str]:
    found: list[str] = []
    for match in _RANGE.finditer(mark):
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        found += (
            [str(number) for number in range(first, last + 1)]
            if first <= last < first + _MOST_RANGE
            else [str(first), str(last)]
        )
    return found
