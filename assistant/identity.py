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
from html import unescape
from typing import Final, NamedTuple, Protocol
from urllib.parse import unquote

_DOI: Final = re.compile(r"\b10\.\d{4,9}(?:\.\d+)*/[^\s\"<>{}|\\^`]+", re.IGNORECASE)
_SICI: Final = re.compile(r"\b10\.\d{4,9}/\(SICI\)\S+?CO;2-[\w#]", re.IGNORECASE)  # its angle brackets belong to it
_URL: Final = re.compile(r"(?:\w://|\bwww\.|\bdoi\.org/)", re.IGNORECASE)
_URL_PARTS: Final = re.compile(r"[?&#]")
_ESCAPED: Final = re.compile(r"&(?:lt|gt|amp|#\d+);")
# What publishers' pages add to a DOI: `/abstract`, `/full`, bioRxiv's `v2.full.pdf`.
_PAGE: Final = re.compile(
    r"/(?:e?pdf(?:plus|direct)?|abstract|summary|full(?:-?text)?|html|meta|references|figures|metrics|citedby)/?$"
    r"|(?<=v\d)(?:\.(?:full|full-text|abstract|pdf|article-\w+|supplementary-material))+$"
)
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
# Registrants whose DOIs name preprints, and the version that some of them put at the end of each.
_PREPRINT_DOI: Final = re.compile(
    r"^10\.(?:48550/arxiv\.|1101/(?:\d{4}\.\d\d\.\d\d\.)?\d{6,}(?:v\d+)?$|2139/ssrn\.|21203/rs\.|26434/chemrxiv|20944/preprints"
    r"|31234/osf\.io|31219/osf\.io|31222/osf\.io|31235/osf\.io|35542/osf\.io|36227/techrxiv|22541/au\.|33774/|64898/)",
    re.IGNORECASE,
)
_PREPRINT_VERSION: Final = re.compile(r"(?<=\d)(?:[/.]?v\d{1,2})+$")
_PREPRINT_VENUE: Final = re.compile(
    r"arxiv|biorxiv|medrxiv|chemrxiv|techrxiv|psyarxiv|ssrn|research square|preprint|\bcorr\b", re.IGNORECASE
)
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
    """The DOI inside `text`, in lower case, without resolver, prefix or a preprint's version; None where there is none.

    Of an address only the part that is the DOI counts: not its query, its fragment, nor what a publisher's page adds.
    """
    if not text:
        return None
    text = unescape(text) if _ESCAPED.search(text) else text
    address = _URL.search(text) is not None
    parts = _URL_PARTS.split(text) if address else [text]  # before unquoting: what is quoted is no separator
    match = next((found for part in parts if (found := _doi_in(unquote(part) if "%" in part else part))), None)
    if not match:
        return None
    doi = match.group().lower().rstrip(_TRAILING)
    if address and "doi.org/" not in text.lower():
        doi = _PAGE.sub("", doi)
    for opening, closing in ("()", "[]"):  # closing brackets that belong to the sentence around the DOI
        while doi.endswith(closing) and doi.count(closing) > doi.count(opening):
            doi = doi[:-1].rstrip(_TRAILING)
    if is_preprint_doi(doi) and not arxiv_of_doi(doi):
        doi = _PREPRINT_VERSION.sub("", doi)
    prefix, _, suffix = doi.partition("/")
    return doi if prefix and suffix else None


def _doi_in(text: str) -> re.Match[str] | None:
    return _SICI.search(text) or _DOI.search(text)


def is_preprint_doi(doi: str | None) -> bool:
    """Whether a DOI names a preprint, by its registrant: arXiv, bioRxiv, medRxiv, SSRN, Research Square, OSF and others.

    A journal's paper may carry both such a DOI and the journal's: they are two names of one work.
    """
    return bool(doi and _PREPRINT_DOI.match(doi))


def published_doi(paper: Identifiable) -> str | None:
    """The DOI under which the paper was published; None for a preprint's, or where there is none."""
    doi = normalise_doi(paper.doi)
    return None if is_preprint_doi(doi) else doi


def is_preprint_venue(venue: str | None) -> bool:
    """Whether a venue is a server of preprints, not a journal or a conference."""
    return bool(venue and _PREPRINT_VENUE.search(venue))


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
    found.extend(
        other for other in others if other.scheme in (*STABLE_SCHEMES, "doi", "arxiv") and other.scheme != "isbn"
    )
    if key := title_key(paper.title):
        found.append(Identifier("title", key))
    return tuple(dict.fromkeys(found))


def same_work(first: Identifiable, second: Identifiable) -> bool:
    """Whether two papers of one title may be the same work: nothing that both say of themselves speaks against it.

    A preprint and its publication may lie some years apart. Papers with different DOIs that are no preprints', or with
    different arXiv ids, are different works. A title of one or two words needs an author on both sides, and one that heads
    a column ("Editorial", "Discussion of …") the same first author and the same year.
    """
    if _apart(published_doi(first), published_doi(second)) or _apart(_arxiv_of(first), _arxiv_of(second)):
        return False
    if _heads_a_column(first.title):
        mine, theirs = (family_name(paper.authors[0]) if paper.authors else None for paper in (first, second))
        return mine is not None and mine == theirs and first.year is not None and first.year == second.year
    if first.year and second.year and abs(first.year - second.year) > _years_apart(first, second):
        return False
    if first.authors and second.authors:
        return bool(_surnames(first) & _surnames(second))
    return len(title_key(first.title).split()) >= _TELLING_WORDS or _unspaced(first.title)


def contradicted(first: Identifiable, second: Identifiable) -> bool:
    """Whether two papers that share an identifier cannot be one all the same: unlike titles and no common author.

    Exports give a chapter the DOI of its book, and a hand-made list the DOI of the line above.
    """
    from rapidfuzz.fuzz import token_sort_ratio

    keys = title_key(first.title), title_key(second.title)
    one, other = (set(key.split()) for key in keys)
    if not all(keys) or one <= other or other <= one or token_sort_ratio(*keys) >= _LIKE_TITLES:
        return False
    return bool(first.authors and second.authors and not _surnames(first) & _surnames(second))


def _apart(one: str | None, other: str | None) -> bool:
    if one is None or other is None or one == other:
        return False
    # Older libraries, and sources that take `<` for markup, have such a DOI up to its first angle bracket.
    return not ("/(sici)" in one and (one.startswith(f"{other}<") or other.startswith(f"{one}<")))


def _arxiv_of(paper: Identifiable) -> str | None:
    return normalise_arxiv(paper.arxiv_id) or arxiv_of_doi(normalise_doi(paper.doi))


def _years_apart(first: Identifiable, second: Identifiable) -> int:
    """How far a preprint may lie from its publication; none where nothing but the year tells a yearly report's issues."""
    named = any(paper.doi or paper.arxiv_id for paper in (first, second))
    return _YEARS_TO_PRINT if named else 0


def _surnames(paper: Identifiable) -> set[str]:
    """Each author's family name, and for a name that comes in either order ("Lee Ann") every word that isn't an initial.

    A name of two words counts as a pair too, and an umlaut as written out (`Mueller`).
    """
    found = set()
    for author in paper.authors:
        words = title_key(author).split()
        found |= {family_name(author), *(word for word in words if len(word) > 3)}
        found |= {" ".join(sorted(words))} if len(words) == _PAIR else set()
    return (found | {_UMLAUT.sub(r"\1", name) for name in found}) - {""}


_PAIR: Final = 2
_UMLAUT: Final = re.compile(r"([aou])e")


def _heads_a_column(title: str) -> bool:
    words = title_key(title).split()
    return bool(words) and words[0] in _COLUMN_HEADS and len(words) < _WORDS_OF_COLUMN


def _unspaced(title: str) -> bool:
    """Whether the title is in a script that puts no blanks between words."""
    return any(ord(character) > 0x2E7F for character in title)


_COLUMN_HEADS: Final = {
    "editorial", "introduction", "preface", "foreword", "discussion", "comment", "commentary", "reply", "response",
    "erratum", "corrigendum", "correction", "retraction", "abstracts", "proceedings", "news", "letter", "obituary",
}  # fmt: skip
_WORDS_OF_COLUMN: Final = 5
_TELLING_WORDS: Final = 3  # a title of fewer may be many works'
_LIKE_TITLES: Final = 55  # of 100; a translated or renamed title shares its authors
_YEARS_TO_PRINT: Final = 3


def _spelling(scheme: str, value: str) -> str:
    if scheme == "isbn":
        return re.sub(r"[- ]", "", value).upper()
    return value if scheme in {"dblp", "openreview"} else value.lower()
