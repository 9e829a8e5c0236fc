"""Which paper is it: identifiers in one spelling each, and the id derived from them.

A paper's id comes from its DOI, else its arXiv id (version-less), else another stable identifier, else its normalised
title with the first author's family name and the year. Records of one paper that carry different identifiers are
matched by `identifiers`, any of which finds it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol
from urllib.parse import unquote

_DOI: Final = re.compile(r"\b10\.\d{4,9}(?:\.\d+)*/[^\s\"<>{}|\\^`]+", re.IGNORECASE)
_ARXIV_NEW: Final = re.compile(r"(?<!\d)(?<!\d\.)(\d{4}\.\d{4,5})(?:v\d{1,3})?(?![\d])")
_ARXIV_ARCHIVES: Final = (
    r"astro-ph|cond-mat|gr-qc|hep-(?:ex|lat|ph|th)|math-ph|nucl-(?:ex|th)|quant-ph|physics|math|nlin|cs|q-bio|q-fin"
    r"|stat|eess|econ|acc-phys|adap-org|alg-geom|ao-sci|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|dg-ga"
    r"|funct-an|mtrl-th|patt-sol|plasm-ph|q-alg|solv-int|supr-con"
)
_ARXIV_OLD: Final = re.compile(
    rf"(?<![\w-])((?:{_ARXIV_ARCHIVES})(?:\.[A-Z]{{2}})?/\d{{7}})(?:v\d{{1,3}})?(?!\d)", re.IGNORECASE
)
_ARXIV_DOI: Final = re.compile(r"^10\.48550/arxiv\.(.+)$", re.IGNORECASE)
_ARXIV_CONTEXT: Final = re.compile(r"arxiv", re.IGNORECASE)
_WHOLE_ARXIV: Final = re.compile(
    r"^\s*(?:arxiv\s*:?\s*)?(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d{1,3})?\s*(?:\[[^\]]*\])?\s*$",
    re.IGNORECASE,
)
# Schemes whose identifiers never move, in order of trust; each with the shape its values must have.
STABLE_SCHEMES: Final[dict[str, re.Pattern[str]]] = {
    "pmid": re.compile(r"^(?:pmid:?\s*)?0*([1-9]\d{0,8})$", re.IGNORECASE),
    "pmcid": re.compile(r"^(?:pmcid:?\s*)?(pmc\d{1,9})$", re.IGNORECASE),
    "openalex": re.compile(r"^(?:https?://(?:api\.)?openalex\.org/(?:works/)?)?(w\d{3,12})$", re.IGNORECASE),
    "s2": re.compile(r"^(?:https?://www\.semanticscholar\.org/paper/(?:[^/]*/)?)?([0-9a-f]{40})$", re.IGNORECASE),
    "corpusid": re.compile(r"^(?:corpusid:?\s*)?(\d{1,12})$", re.IGNORECASE),
    "acl": re.compile(
        r"^(?:https?://(?:www\.)?aclanthology\.org/)?([a-z]\d{2}-\d{4}|\d{4}\.[a-z0-9-]+\.\d+)/?$", re.IGNORECASE
    ),
    "dblp": re.compile(r"^(?:dblp:)?((?:conf|journals|phd|books|series)/[^\s]+)$", re.IGNORECASE),
    "openreview": re.compile(r"^(?:https?://openreview\.net/(?:forum|pdf)\?id=)([\w-]{6,20})$"),
    "isbn": re.compile(r"^(?:isbn:?\s*)?((?:97[89][- ]?)?(?:\d[- ]?){9}[\dxX])$", re.IGNORECASE),
}
_DIGEST_CHARACTERS: Final = 16  # 64 bits: a clash among a million titles has a chance of 3e-8
_TRAILING: Final = ".,;:'\"*"


class Identifier(NamedTuple):
    """One way to name a paper: `("doi", "10.1000/182")`, `("arxiv", "1706.03762")`, `("title", "…")`."""

    scheme: str
    value: str


class Identifiable(Protocol):
    """What identity needs of a paper or of a record of one."""

    @property
    def title(self) -> str: ...
    @property
    def authors(self) -> tuple[str, ...]: ...
    @property
    def year(self) -> int | None: ...
    @property
    def doi(self) -> str | None: ...
    @property
    def arxiv_id(self) -> str | None: ...


def normalise_doi(text: str | None) -> str | None:
    """The DOI inside `text`, in lower case and without resolver or prefix; None where there is none."""
    if not text:
        return None
    match = _DOI.search(unquote(text) if "%" in text else text)
    if not match:
        return None
    doi = match.group().lower().rstrip(_TRAILING)
    for opening, closing in ("()", "[]"):  # closing brackets that belong to the sentence around the DOI
        while doi.endswith(closing) and doi.count(closing) > doi.count(opening):
            doi = doi[:-1].rstrip(_TRAILING)
    prefix, _, suffix = doi.partition("/")
    return doi if prefix and suffix else None


def normalise_arxiv(text: str | None) -> str | None:
    """The arXiv id named by `text` (an id, a URL, `arXiv:…`, or arXiv's own DOI), without its version; else None.

    Text that only contains digits of that shape, with neither `arxiv` nor nothing else around them, is not one.
    """
    if not text:
        return None
    text = unquote(text).strip()
    if not (_WHOLE_ARXIV.match(text) or _ARXIV_CONTEXT.search(text)):
        return None
    if match := _ARXIV_NEW.search(text):
        month = int(match.group(1)[2:4])
        return match.group(1) if 1 <= month <= 12 else None
    if match := _ARXIV_OLD.search(text):
        archive, _, number = match.group(1).lower().partition("/")
        return (
            f"{archive.partition('.')[0]}/{number}"  # hep-th.XX/… and math.AG/… name the same paper without the class
        )
    return None


def normalise_identifier(scheme: str, text: str | None) -> Identifier | None:
    """`text` as an identifier of `scheme` (`doi`, `arxiv` or a key of STABLE_SCHEMES); None where it is not one."""
    if not text:
        return None
    if scheme == "doi":
        value = normalise_doi(text)
    elif scheme == "arxiv":
        value = normalise_arxiv(text)
    else:
        pattern = STABLE_SCHEMES.get(scheme)
        match = pattern.match(text.strip()) if pattern else None
        value = _spelling(scheme, match.group(1)) if match else None
    return Identifier(scheme, value) if value else None


def arxiv_of_doi(doi: str | None) -> str | None:
    """The arXiv id that arXiv's own DOI stands for, e.g. `10.48550/arxiv.1706.03762`."""
    match = _ARXIV_DOI.match(doi or "")
    return normalise_arxiv(f"arxiv:{match.group(1)}") if match else None


def title_key(title: str) -> str:
    """The title reduced to what survives retyping: letters and digits, lower case, no accents, single blanks.

    Two spellings of one title in different case, punctuation, LaTeX or Unicode forms give the same key; a title in
    any script keeps its letters. Empty when the title has no letter or digit.
    """
    from assistant.cleaning import clean

    decomposed = unicodedata.normalize("NFKD", clean(title).text).casefold()
    kept = (" " if not char.isalnum() else char for char in decomposed if not unicodedata.combining(char))
    return " ".join("".join(kept).split())


def family_name(author: str) -> str:
    """The first author's family name, lower case without accents; `Family, Given` and `Given Family` agree."""
    name = author.partition(",")[0] if "," in author else (author.split() or [""])[-1]
    return title_key(name)


def paper_id(paper: Identifiable, others: Iterable[Identifier] = ()) -> str:
    """The id under which a paper is first stored: the most stable thing known about it (see the module)."""
    doi = normalise_doi(paper.doi)
    arxiv = normalise_arxiv(paper.arxiv_id) or arxiv_of_doi(doi)
    if doi and not arxiv_of_doi(doi):
        return f"doi:{doi}"
    if arxiv:
        return f"arxiv:{arxiv}"
    known = dict(others)
    for scheme in STABLE_SCHEMES:
        if scheme in known and scheme != "isbn":  # a book's number does not name a chapter
            return f"{scheme}:{known[scheme]}"
    return f"title:{title_digest(paper)}"


def title_digest(paper: Identifiable) -> str:
    """Digest of normalised title, first author's family name and year: the last resort of identity."""
    author = family_name(paper.authors[0]) if paper.authors else ""
    text = "\n".join((title_key(paper.title), author, str(paper.year or "")))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:_DIGEST_CHARACTERS]


def identifiers(paper: Identifiable, others: Iterable[Identifier] = ()) -> tuple[Identifier, ...]:
    """Every identifier by which the same paper may come again, the most stable first, `title` last.

    Equal `title` alone means the same paper only where `same_work` agrees.
    """
    found: list[Identifier] = []
    doi = normalise_doi(paper.doi)
    if doi and not arxiv_of_doi(doi):
        found.append(Identifier("doi", doi))
    if arxiv := (normalise_arxiv(paper.arxiv_id) or arxiv_of_doi(doi)):
        found.append(Identifier("arxiv", arxiv))
    scheme, _, value = getattr(paper, "id", "").partition(":")
    if scheme in STABLE_SCHEMES:
        found.append(Identifier(scheme, value))
    found.extend(other for other in others if other.scheme in STABLE_SCHEMES and other.scheme != "isbn")
    if key := title_key(paper.title):
        found.append(Identifier("title", key))
    return tuple(dict.fromkeys(found))


def same_work(first: Identifiable, second: Identifiable) -> bool:
    """Whether two papers of one title may be the same work: neither authors nor years speak against it.

    A preprint and its publication may lie two years apart. Papers that both carry a DOI, and different ones that
    are not arXiv's, are different works.
    """
    dois = [doi for paper in (first, second) if (doi := normalise_doi(paper.doi)) and not arxiv_of_doi(doi)]
    if len(set(dois)) > 1:
        return False
    if first.year and second.year and abs(first.year - second.year) > _YEARS_TO_PRINT:
        return False
    if first.authors and second.authors:
        names = [{family_name(author) for author in paper.authors} for paper in (first, second)]
        return bool(names[0] & names[1])
    return True


_YEARS_TO_PRINT: Final = 2


def _spelling(scheme: str, value: str) -> str:
    if scheme == "isbn":
        return re.sub(r"[- ]", "", value).upper()
    return value if scheme in {"dblp", "openreview"} else value.lower()
